// SPDX-License-Identifier: MIT

#include "compile.h"

#include <algorithm>
#include <string>

namespace scheme {
namespace {

bool IsPair(const Cell* cell) { return cell->kind == Kind::kPair; }
bool IsSymbol(const Cell* cell) { return cell->kind == Kind::kSymbol; }
std::string TextOf(const Cell* symbol) {
  return std::string(symbol->payload->text.view());
}

/// The elements of a proper list. Throws Error where it is none, or has fewer.
std::vector<const Cell*> Elements(const Cell* list, std::size_t least,
                                  const char* what, Place place) {
  std::vector<const Cell*> all;
  for (; IsPair(list); list = list->tail) all.push_back(list->head);
  if (list != &nil || all.size() < least) {
    throw Error(std::string("malformed ") + what, place);
  }
  return all;
}

}  // namespace

Globals::Globals(Memory& memory)
    : memory_(memory),
      by_name_(memory.program().New<acre::Map<acre::String, Global*>>()) {}

Global* Globals::Get(std::string_view name) {
  if (Global** const known = by_name_->get(name)) return *known;
  Global* const global = memory_.program().New<Global>();
  global->name.assign(name);
  (*by_name_)[name] = global;
  return global;
}

Compiler::Compiler(Memory& memory, Globals& globals)
    : memory_(memory), globals_(globals) {}

Code* Compiler::Compile(const Cell* form, const Reader& reader) {
  reader_ = &reader;
  names_.clear();
  return Form(form, reader.PlaceOf(form));
}

Code* Compiler::New(Op op, Place place, const std::vector<Code*>& parts) {
  acre::Arena& arena = memory_.program();
  Code* const code = arena.New<Code>();
  code->op = op;
  code->line = place.line;
  code->column = place.column;
  code->parts = arena.NewArray<Code*>(parts.size());
  std::copy(parts.begin(), parts.end(), code->parts.begin());
  return code;
}

Code* Compiler::Constant(Cell* value, Place place) {
  Code* const code = New(Op::kConstant, place);
  code->constant = value;
  return code;
}

/// What was read lasts: the reader makes collected objects.
Cell* Compiler::Lasting(const Cell* value) { return const_cast<Cell*>(value); }

bool Compiler::Is(const Cell* symbol, std::string_view name) const {
  return IsSymbol(symbol) && symbol->payload->text == name &&
         std::find(names_.begin(), names_.end(), symbol) == names_.end();
}

Place Compiler::PlaceOf(const Cell* form, Place around) const {
  const Place place = reader_->PlaceOf(form);
  return place.line == 0 ? around : place;
}

Code* Compiler::Form(const Cell* form, Place around) {
  const Place place = PlaceOf(form, around);
  if (IsSymbol(form)) return Variable(form, place);
  if (IsPair(form)) return List(form, place);
  if (form == &nil) throw Error("() is no expression; write '()", place);
  return Constant(Lasting(form), place);
}

Code* Compiler::Variable(const Cell* symbol, Place place) {
  for (std::size_t i = names_.size(); i-- > 0;) {
    if (names_[i] != symbol) continue;
    Code* const code = New(Op::kLocal, place);
    code->index = static_cast<std::uint32_t>(names_.size() - 1 - i);
    return code;
  }
  Code* const code = New(Op::kGlobal, place);
  code->global = globals_.Get(TextOf(symbol));
  return code;
}

Code* Compiler::Assign(const Cell* symbol, Code* value, Place place) {
  Code* const code = Variable(symbol, place);
  code->op = code->op == Op::kLocal ? Op::kSetLocal : Op::kSetGlobal;
  code->parts = memory_.program().NewArray<Code*>(1);
  code->parts[0] = value;
  return code;
}

Code* Compiler::List(const Cell* list, Place place) {
  const Cell* const first = list->head;
  const auto rest = [&](std::size_t least, const char* what) {
    return Elements(list->tail, least, what, place);
  };
  if (Is(first, "quote")) {
    return Constant(Lasting(rest(1, "quote")[0]), place);
  }
  if (Is(first, "if")) {
    const auto parts = rest(2, "if");
    Code* const otherwise = parts.size() > 2 ? Form(parts[2], place)
                                             : Constant(&unspecified, place);
    return New(Op::kIf, place,
               {Form(parts[0], place), Form(parts[1], place), otherwise});
  }
  if (Is(first, "define")) return Define(list, place);
  if (Is(first, "set!")) {
    const auto parts = rest(2, "set!");
    if (!IsSymbol(parts[0])) throw Error("set! needs a name", place);
    return Assign(parts[0], Form(parts[1], place), place);
  }
  if (Is(first, "lambda")) {
    rest(2, "lambda");
    return Lambda(list->tail->head, list->tail->tail, place);
  }
  if (Is(first, "begin")) return Sequence(list->tail, place);
  if (Is(first, "let")) return Let(list, Op::kLet, place);
  if (Is(first, "let*")) {
    rest(2, "let*");
    return LetInTurn(list->tail->head, list->tail->tail, place);
  }
  if (Is(first, "letrec") || Is(first, "letrec*")) {
    return Let(list, Op::kLetrec, place);
  }
  if (Is(first, "cond")) return Cond(list->tail, place);
  if (Is(first, "do")) return Do(list, place);
  if (Is(first, "and") || Is(first, "or")) {
    std::vector<Code*> parts;
    for (const Cell* part : rest(0, "and")) parts.push_back(Form(part, place));
    return New(Is(first, "and") ? Op::kAnd : Op::kOr, place, parts);
  }
  std::vector<Code*> parts;
  for (const Cell* part : Elements(list, 1, "call", place)) {
    parts.push_back(Form(part, place));
  }
  return New(Op::kCall, place, parts);
}

Code* Compiler::Lambda(const Cell* parameters, const Cell* body, Place place) {
  const Names outer = names_;
  std::uint32_t count = 0;
  const auto add = [&](const Cell* name) {
    if (!IsSymbol(name)) throw Error("a parameter is a name", place);
    names_.push_back(name);
    ++count;
  };
  for (; IsPair(parameters); parameters = parameters->tail) {
    add(parameters->head);
  }
  const bool is_rest = parameters != &nil;
  if (is_rest) add(parameters);
  Code* const code = New(Op::kLambda, place, {Body(body, place)});
  code->index = count;
  code->is_rest = is_rest;
  names_ = outer;
  return code;
}

/// Definitions at its beginning are a letrec.
Code* Compiler::Body(const Cell* body, Place place) {
  Names names;
  std::vector<std::pair<const Cell*, const Cell*>> definitions;
  for (; IsPair(body) && IsPair(body->head) && Is(body->head->head, "define");
       body = body->tail) {
    const Cell* const definition = body->head;
    const auto parts =
        Elements(definition->tail, 2, "define", PlaceOf(definition, place));
    const Cell* target = parts[0];
    names.push_back(IsPair(target) ? target->head : target);
    definitions.push_back({definition, target});
  }
  if (names.empty()) return Sequence(body, place);
  const Names outer = names_;
  names_.insert(names_.end(), names.begin(), names.end());
  std::vector<Code*> parts;
  for (const auto& [definition, target] : definitions) {
    const Place at = PlaceOf(definition, place);
    parts.push_back(IsPair(target)
                        ? Lambda(target->tail, definition->tail->tail, at)
                        : Form(definition->tail->tail->head, at));
  }
  parts.push_back(Sequence(body, place));
  names_ = outer;
  return New(Op::kLetrec, place, parts);
}

Code* Compiler::Sequence(const Cell* forms, Place place) {
  std::vector<Code*> parts;
  for (const Cell* form : Elements(forms, 0, "body", place)) {
    parts.push_back(Form(form, place));
  }
  if (parts.size() == 1) return parts[0];
  if (parts.empty()) return Constant(&unspecified, place);
  return New(Op::kSequence, place, parts);
}

Code* Compiler::Bind(Op op, const Names& names,
                     const std::vector<const Cell*>& values, const Cell* body,
                     Place place) {
  const Names outer = names_;
  std::vector<Code*> parts;
  parts.reserve(values.size() + 1);
  if (op == Op::kLetrec) {
    names_.insert(names_.end(), names.begin(), names.end());
  }
  for (const Cell* value : values) parts.push_back(Form(value, place));
  if (op == Op::kLet) names_.insert(names_.end(), names.begin(), names.end());
  parts.push_back(Body(body, place));
  names_ = outer;
  return New(op, place, parts);
}

Code* Compiler::Let(const Cell* list, Op op, Place place) {
  const auto parts = Elements(list->tail, 2, "let", place);
  if (IsSymbol(parts[0])) return NamedLet(list, place);
  Names names;
  std::vector<const Cell*> values;
  for (const Cell* binding : Elements(parts[0], 0, "let", place)) {
    const auto pair = Elements(binding, 2, "binding", PlaceOf(binding, place));
    names.push_back(pair[0]);
    values.push_back(pair[1]);
  }
  return Bind(op, names, values, list->tail->tail, place);
}

/// ((letrec ((name (lambda ...))) name) values ...)
Code* Compiler::NamedLet(const Cell* list, Place place) {
  const Cell* const name = list->tail->head;
  const auto parts = Elements(list->tail, 3, "let", place);
  Cell* parameters = &nil;
  Cell** end = &parameters;
  std::vector<Code*> call = {nullptr};
  for (const Cell* binding : Elements(parts[1], 0, "let", place)) {
    const auto pair = Elements(binding, 2, "binding", PlaceOf(binding, place));
    *end = memory_.Pair(const_cast<Cell*>(pair[0]), &nil);
    end = &(*end)->tail;
    call.push_back(Form(pair[1], place));
  }
  const Names outer = names_;
  names_.push_back(name);
  Code* const lambda = Lambda(parameters, list->tail->tail->tail, place);
  Code* const itself = Variable(name, place);
  names_ = outer;
  call[0] = New(Op::kLetrec, place, {lambda, itself});
  return New(Op::kCall, place, call);
}

Code* Compiler::LetInTurn(const Cell* bindings, const Cell* body, Place place) {
  if (!IsPair(bindings)) return Bind(Op::kLet, {}, {}, body, place);
  const auto pair = Elements(bindings->head, 2, "binding", place);
  Code* const value = Form(pair[1], place);
  const Names outer = names_;
  names_.push_back(pair[0]);
  Code* const inner = LetInTurn(bindings->tail, body, place);
  names_ = outer;
  return New(Op::kLet, place, {value, inner});
}

Code* Compiler::Cond(const Cell* clauses, Place place) {
  if (!IsPair(clauses)) return Constant(&unspecified, place);
  const Cell* const clause = clauses->head;
  const Place at = PlaceOf(clause, place);
  Elements(clause, 1, "cond", at);
  if (Is(clause->head, "else")) return Sequence(clause->tail, at);
  Code* const test = Form(clause->head, at);
  Code* const otherwise = Cond(clauses->tail, place);
  if (clause->tail == &nil) return New(Op::kOr, at, {test, otherwise});
  return New(Op::kIf, at, {test, Sequence(clause->tail, at), otherwise});
}

/// (do ((name first step) ...) (test result ...) body ...), as a function that
/// calls itself.
Code* Compiler::Do(const Cell* list, Place place) {
  const auto parts = Elements(list->tail, 2, "do", place);
  static const Cell hidden = {.kind = Kind::kSymbol};  // no program's name
  const Names outer = names_;
  std::vector<Code*> call = {nullptr};
  std::vector<std::vector<const Cell*>> bindings;
  for (const Cell* binding : Elements(parts[0], 0, "do", place)) {
    bindings.push_back(Elements(binding, 2, "binding", place));
    call.push_back(Form(bindings.back()[1], place));
  }
  const auto test = Elements(parts[1], 1, "do", place);
  names_.push_back(&hidden);
  for (const auto& binding : bindings) names_.push_back(binding[0]);
  std::vector<Code*> again = {Variable(&hidden, place)};
  for (const auto& binding : bindings) {
    again.push_back(Form(binding.size() > 2 ? binding[2] : binding[0], place));
  }
  Code* const body = New(
      Op::kSequence, place,
      {Sequence(list->tail->tail->tail, place), New(Op::kCall, place, again)});
  Code* const all =
      New(Op::kIf, place,
          {Form(test[0], place), Sequence(parts[1]->tail, place), body});
  Code* const lambda = New(Op::kLambda, place, {all});
  lambda->index = static_cast<std::uint32_t>(bindings.size());
  names_ = outer;
  names_.push_back(&hidden);
  Code* const itself = Variable(&hidden, place);
  names_ = outer;
  call[0] = New(Op::kLetrec, place, {lambda, itself});
  return New(Op::kCall, place, call);
}

Code* Compiler::Define(const Cell* list, Place place) {
  const auto parts = Elements(list->tail, 2, "define", place);
  if (!names_.empty()) {
    throw Error("a definition stands at the beginning of a body", place);
  }
  const Cell* const target = parts[0];
  const Cell* const name = IsPair(target) ? target->head : target;
  if (!IsSymbol(name)) throw Error("define needs a name", place);
  Code* const value = IsPair(target)
                          ? Lambda(target->tail, list->tail->tail, place)
                          : Form(parts[1], place);
  Code* const code = Assign(name, value, place);
  code->is_definition = true;
  return code;
}

}  // namespace scheme
