// SPDX-License-Identifier: MIT

#include "reader.h"

#include <charconv>
#include <string>

namespace scheme {
namespace {

constexpr int kMostNested = 1000;

bool IsDelimiter(char c) {
  return c == '(' || c == ')' || c == '"' || c == ';' || c == '\'' ||
         c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

}  // namespace

Symbols::Symbols(Memory& memory)
    : memory_(memory),
      by_name_(memory.program().New<acre::Map<acre::String, Cell*>>()) {}

Cell* Symbols::Intern(std::string_view name) {
  if (Cell** const known = by_name_->get(name)) return *known;
  const bool was_lasting = memory_.MakeLasting(true);
  Cell* const symbol = memory_.Compound(Kind::kSymbol);
  symbol->payload->text.assign(name);
  memory_.MakeLasting(was_lasting);
  (*by_name_)[name] = symbol;
  return symbol;
}

Place Reader::PlaceOf(const Cell* pair) const {
  const auto known = places_.find(pair);
  return known == places_.end() ? Place() : known->second;
}

char Reader::Take() {
  const char c = text_[at_++];
  ++column_;
  if (c == '\n') {
    ++line_;
    column_ = 1;
  }
  return c;
}

/// False at the end.
bool Reader::SkipSpace() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == ';') {
      while (at_ < text_.size() && text_[at_] != '\n') Take();
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      Take();
    } else {
      return true;
    }
  }
  return false;
}

Cell* Reader::Next() {
  places_.clear();
  is_lost_ = true;
  Cell* const form = SkipSpace() ? Read(0) : nullptr;
  is_lost_ = false;
  return form;
}

Cell* Reader::Read(int depth) {
  const Place begin = place();
  if (!SkipSpace()) throw Error("something is missing at the end", begin);
  if (depth == kMostNested) throw Error("nested too deeply", place());
  switch (text_[at_]) {
    case '(':
      return ReadList(depth);
    case ')':
      throw Error("unexpected )", place());
    case '\'':
      Take();
      return Quoted("quote", depth);
    case '"':
      return ReadText();
    default:
      return ReadWord();
  }
}

Cell* Reader::Quoted(std::string_view name, int depth) {
  const Place begin = place();
  Cell* const form = Read(depth + 1);
  Cell* const list =
      memory_.Pair(symbols_.Intern(name), memory_.Pair(form, &nil));
  places_[list] = begin;
  return list;
}

Cell* Reader::ReadList(int depth) {
  const Place begin = place();
  Take();
  Cell* first = &nil;
  Cell* last = nullptr;
  for (;;) {
    if (!SkipSpace()) throw Error("( without )", begin);
    if (text_[at_] == ')') break;
    const bool is_dot = text_[at_] == '.' && at_ + 1 < text_.size() &&
                        IsDelimiter(text_[at_ + 1]);
    if (is_dot && last != nullptr) {
      Take();
      last->tail = Read(depth + 1);
      if (!SkipSpace() || text_[at_] != ')') {
        throw Error(") expected", place());
      }
      break;
    }
    Cell* const pair = memory_.Pair(Read(depth + 1), &nil);
    (last == nullptr ? first : last->tail) = pair;
    last = pair;
  }
  Take();
  places_[first] = begin;
  return first;
}

Cell* Reader::ReadText() {
  const Place begin = place();
  Take();
  std::string text;
  for (;;) {
    if (at_ == text_.size()) throw Error("text without end", begin);
    char c = Take();
    if (c == '"') return memory_.Text(text);
    if (c == '\\' && at_ != text_.size()) {
      c = Take();
      if (c == 'n') c = '\n';
    }
    text += c;
  }
}

Cell* Reader::ReadWord() {
  const std::size_t begin = at_;
  while (at_ < text_.size() && !IsDelimiter(text_[at_])) Take();
  const std::string_view word = text_.substr(begin, at_ - begin);
  if (word == "#t") return &yes;
  if (word == "#f") return &no;
  const char* const end = word.data() + word.size();
  std::int64_t integer = 0;
  if (const auto [rest, error] = std::from_chars(word.data(), end, integer);
      error == std::errc() && rest == end) {
    return memory_.Integer(integer);
  }
  double real = 0;
  if (const auto [rest, error] = std::from_chars(word.data(), end, real);
      error == std::errc() && rest == end) {
    return memory_.Real(real);
  }
  return symbols_.Intern(word);
}

}  // namespace scheme
