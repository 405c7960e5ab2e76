// SPDX-License-Identifier: MIT

#include <cmath>
#include <iterator>
#include <ostream>
#include <string>

#include "machine.h"

namespace scheme {
namespace {

using Arguments = std::span<Cell* const>;

[[noreturn]] void FailType(const char* wanted, const Cell* found) {
  throw Error(std::string(wanted) + " expected, not " + Print(found, false));
}

Cell* Of(Kind kind, const char* what, Cell* cell) {
  if (cell->kind != kind) FailType(what, cell);
  return cell;
}
Cell* PairOf(Cell* cell) { return Of(Kind::kPair, "a pair", cell); }
std::int64_t IntegerOf(Cell* cell) {
  return Of(Kind::kInteger, "an integer", cell)->number;
}
bool IsNumber(const Cell* cell) {
  return cell->kind == Kind::kInteger || cell->kind == Kind::kReal;
}
double NumberOf(const Cell* cell) {
  if (!IsNumber(cell)) FailType("a number", cell);
  return RealOf(cell);
}

// -------------------------------------------------------------------- numbers

/// Integers as long as they fit; then reals.
template <class Exact, class Inexact>
Cell* Fold(Machine& machine, Arguments arguments, std::int64_t start,
           Exact exact, Inexact inexact) {
  Cell* result = machine.memory().Integer(start);
  std::size_t i = 0;
  // (- x) and (/ x) begin with the neutral element, others with the first.
  if (arguments.size() > 1) result = arguments[i++];
  if (!IsNumber(result)) FailType("a number", result);
  for (; i < arguments.size(); ++i) {
    Cell* const next = arguments[i];
    std::int64_t sum = 0;
    const bool is_exact = result->kind == Kind::kInteger &&
                          next->kind == Kind::kInteger &&
                          exact(result->number, next->number, &sum);
    result =
        is_exact
            ? machine.memory().Integer(sum)
            : machine.memory().Real(inexact(RealOf(result), NumberOf(next)));
  }
  return result;
}

Cell* Add(Machine& m, Arguments a) {
  return Fold(
      m, a, 0,
      [](auto x, auto y, auto* z) { return !__builtin_add_overflow(x, y, z); },
      [](double x, double y) { return x + y; });
}
Cell* Subtract(Machine& m, Arguments a) {
  return Fold(
      m, a, 0,
      [](auto x, auto y, auto* z) { return !__builtin_sub_overflow(x, y, z); },
      [](double x, double y) { return x - y; });
}
Cell* Multiply(Machine& m, Arguments a) {
  return Fold(
      m, a, 1,
      [](auto x, auto y, auto* z) { return !__builtin_mul_overflow(x, y, z); },
      [](double x, double y) { return x * y; });
}
Cell* Divide(Machine& m, Arguments a) {
  return Fold(
      m, a, 1,
      [](auto x, auto y, auto* z) {
        if (y == 0) throw Error("division by zero");
        if (x % y != 0) return false;
        *z = x / y;
        return true;
      },
      [](double x, double y) { return x / y; });
}

std::int64_t Divisor(Cell* cell) {
  const std::int64_t value = IntegerOf(cell);
  if (value == 0) throw Error("division by zero");
  return value;
}
Cell* Quotient(Machine& m, Arguments a) {
  const std::int64_t by = Divisor(a[1]);
  return by == -1 ? Subtract(m, a.first(1))
                  : m.memory().Integer(IntegerOf(a[0]) / by);
}
Cell* Remainder(Machine& m, Arguments a) {
  const std::int64_t by = Divisor(a[1]);
  return m.memory().Integer(by == -1 ? 0 : IntegerOf(a[0]) % by);
}
Cell* Modulo(Machine& m, Arguments a) {
  const std::int64_t by = Divisor(a[1]);
  const std::int64_t rest = by == -1 ? 0 : IntegerOf(a[0]) % by;
  return m.memory().Integer(rest != 0 && (rest < 0) != (by < 0) ? rest + by
                                                                : rest);
}

template <class Holds>
Cell* Compare(Arguments a, Holds holds) {
  bool all = true;
  for (std::size_t i = 0; i + 1 < a.size(); ++i) {
    const bool are_integers =
        a[i]->kind == Kind::kInteger && a[i + 1]->kind == Kind::kInteger;
    all = all && (are_integers ? holds(a[i]->number, a[i + 1]->number)
                               : holds(NumberOf(a[i]), NumberOf(a[i + 1])));
  }
  return Boolean(all);
}
Cell* IsEqualNumber(Machine&, Arguments a) {
  return Compare(a, [](auto x, auto y) { return x == y; });
}
Cell* IsLess(Machine&, Arguments a) {
  return Compare(a, [](auto x, auto y) { return x < y; });
}
Cell* IsGreater(Machine&, Arguments a) {
  return Compare(a, [](auto x, auto y) { return x > y; });
}
Cell* IsLessOrEqual(Machine&, Arguments a) {
  return Compare(a, [](auto x, auto y) { return x <= y; });
}
Cell* IsGreaterOrEqual(Machine&, Arguments a) {
  return Compare(a, [](auto x, auto y) { return x >= y; });
}
Cell* NumberToText(Machine& m, Arguments a) {
  NumberOf(a[0]);
  return m.memory().Text(Print(a[0], true));
}

// ---------------------------------------------------------------------- pairs

Cell* Cons(Machine& m, Arguments a) { return m.memory().Pair(a[0], a[1]); }
Cell* Car(Machine&, Arguments a) { return PairOf(a[0])->head; }
Cell* Cdr(Machine&, Arguments a) { return PairOf(a[0])->tail; }
Cell* Cadr(Machine&, Arguments a) { return PairOf(PairOf(a[0])->tail)->head; }
Cell* Cddr(Machine&, Arguments a) { return PairOf(PairOf(a[0])->tail)->tail; }
Cell* SetCar(Machine& m, Arguments a) {
  m.memory().SetHead(PairOf(a[0]), a[1]);
  return &unspecified;
}
Cell* SetCdr(Machine& m, Arguments a) {
  m.memory().SetTail(PairOf(a[0]), a[1]);
  return &unspecified;
}
Cell* List(Machine& m, Arguments a) {
  Cell* list = &nil;
  for (std::size_t i = a.size(); i-- > 0;) list = m.memory().Pair(a[i], list);
  return list;
}
Cell* Length(Machine& m, Arguments a) {
  std::int64_t length = 0;
  Cell* at = a[0];
  for (; at->kind == Kind::kPair; at = at->tail) ++length;
  if (at != &nil) FailType("a list", a[0]);
  return m.memory().Integer(length);
}
Cell* Reverse(Machine& m, Arguments a) {
  Cell* list = &nil;
  for (Cell* at = a[0]; at != &nil; at = PairOf(at)->tail) {
    list = m.memory().Pair(PairOf(at)->head, list);
  }
  return list;
}
Cell* Append(Machine& m, Arguments a) {
  if (a.empty()) return &nil;
  Cell* first = a.back();
  for (std::size_t i = a.size() - 1; i-- > 0;) {
    Cell* copy = &nil;
    Cell* last = nullptr;
    for (Cell* at = a[i]; at != &nil; at = PairOf(at)->tail) {
      Cell* const pair = m.memory().Pair(PairOf(at)->head, &nil);
      (last == nullptr ? copy : last->tail) = pair;
      last = pair;
    }
    if (last == nullptr) continue;
    last->tail = first;
    first = copy;
  }
  return first;
}

// -------------------------------------------------------------- what it is

bool AreAlike(const Cell* a, const Cell* b, bool deep) {
  for (;;) {
    if (a == b) return true;
    if (a->kind != b->kind) return false;
    switch (a->kind) {
      case Kind::kInteger:
      case Kind::kReal:
        return a->number == b->number;
      case Kind::kText:
        return deep && a->payload->text == b->payload->text;
      case Kind::kRow: {
        if (!deep || a->payload->items.size() != b->payload->items.size()) {
          return false;
        }
        for (std::size_t i = 0; i < a->payload->items.size(); ++i) {
          if (!AreAlike(a->payload->items[i], b->payload->items[i], true)) {
            return false;
          }
        }
        return true;
      }
      case Kind::kPair:
        if (!deep || !AreAlike(a->head, b->head, true)) return false;
        a = a->tail;
        b = b->tail;
        continue;
      default:
        return false;
    }
  }
}
Cell* IsSame(Machine&, Arguments a) {
  return Boolean(AreAlike(a[0], a[1], false));
}
Cell* IsEqual(Machine&, Arguments a) {
  return Boolean(AreAlike(a[0], a[1], true));
}
Cell* Not(Machine&, Arguments a) { return Boolean(!IsTrue(a[0])); }
Cell* IsNull(Machine&, Arguments a) { return Boolean(a[0] == &nil); }
Cell* IsPair(Machine&, Arguments a) {
  return Boolean(a[0]->kind == Kind::kPair);
}
Cell* IsSymbol(Machine&, Arguments a) {
  return Boolean(a[0]->kind == Kind::kSymbol);
}
Cell* IsText(Machine&, Arguments a) {
  return Boolean(a[0]->kind == Kind::kText);
}
Cell* IsANumber(Machine&, Arguments a) { return Boolean(IsNumber(a[0])); }
Cell* IsRow(Machine&, Arguments a) { return Boolean(a[0]->kind == Kind::kRow); }
Cell* IsFunction(Machine&, Arguments a) {
  return Boolean(a[0]->kind == Kind::kClosure || a[0]->kind == Kind::kBuiltin ||
                 a[0]->kind == Kind::kEscape);
}

// ----------------------------------------------------------- texts, rows,
// tables

Cell* JoinTexts(Machine& m, Arguments a) {
  Cell* const text = m.memory().Text("");
  for (Cell* part : a) {
    text->payload->text +=
        Of(Kind::kText, "a text", part)->payload->text.view();
  }
  return text;
}
Cell* TextLength(Machine& m, Arguments a) {
  return m.memory().Integer(static_cast<std::int64_t>(
      Of(Kind::kText, "a text", a[0])->payload->text.size()));
}
Cell* SymbolToText(Machine& m, Arguments a) {
  return m.memory().Text(
      Of(Kind::kSymbol, "a symbol", a[0])->payload->text.view());
}
Cell* TextToSymbol(Machine& m, Arguments a) {
  return m.symbols().Intern(
      Of(Kind::kText, "a text", a[0])->payload->text.view());
}

Cell* Row(Machine& m, Arguments a) {
  Cell* const row = m.memory().Compound(Kind::kRow);
  for (Cell* item : a) row->payload->items.push_back(item);
  return row;
}
Cell* MakeRow(Machine& m, Arguments a) {
  const std::int64_t size = IntegerOf(a[0]);
  if (size < 0 || size > 100'000'000) throw Error("a size expected");
  Cell* const row = m.memory().Compound(Kind::kRow);
  row->payload->items.assign(static_cast<std::size_t>(size),
                             a.size() > 1 ? a[1] : &unspecified);
  return row;
}
Cell*& ItemOf(Arguments a) {
  auto& items = Of(Kind::kRow, "a vector", a[0])->payload->items;
  const auto index = static_cast<std::size_t>(IntegerOf(a[1]));
  if (index >= items.size()) {
    throw Error("index " + std::to_string(a[1]->number) + " of a vector of " +
                std::to_string(items.size()));
  }
  return items[index];
}
Cell* RowRef(Machine&, Arguments a) { return ItemOf(a); }
Cell* RowSet(Machine& m, Arguments a) {
  Cell*& item = ItemOf(a);
  m.memory().WillChange(a[0]);
  item = a[2];
  return &unspecified;
}
Cell* RowLength(Machine& m, Arguments a) {
  return m.memory().Integer(static_cast<std::int64_t>(
      Of(Kind::kRow, "a vector", a[0])->payload->items.size()));
}

/// A text that keys share exactly where equal? says so.
std::string KeyOf(const Cell* key) {
  switch (key->kind) {
    case Kind::kInteger:
      return "i" + std::to_string(key->number);
    case Kind::kSymbol:
      return "s" + std::string(key->payload->text.view());
    case Kind::kText:
      return "t" + std::string(key->payload->text.view());
    case Kind::kBoolean:
      return key->number != 0 ? "#t" : "#f";
    default:
      FailType("a key: an integer, symbol, text or boolean,", key);
  }
}
Cell* TableOf(Cell* cell) { return Of(Kind::kTable, "a hash table", cell); }
Cell* MakeTable(Machine& m, Arguments) {
  return m.memory().Compound(Kind::kTable);
}
Cell* TableRef(Machine&, Arguments a) {
  const Entry* const entry = TableOf(a[0])->payload->entries.get(KeyOf(a[1]));
  if (entry != nullptr) return entry->value;
  return a.size() > 2 ? a[2] : &no;
}
Cell* TableSet(Machine& m, Arguments a) {
  m.memory().WillChange(TableOf(a[0]));
  a[0]->payload->entries[KeyOf(a[1])] = {a[1], a[2]};
  return &unspecified;
}
Cell* TableCount(Machine& m, Arguments a) {
  return m.memory().Integer(
      static_cast<std::int64_t>(TableOf(a[0])->payload->entries.size()));
}
Cell* TableToList(Machine& m, Arguments a) {
  Cell* list = &nil;
  for (const auto& [name, entry] : TableOf(a[0])->payload->entries) {
    list = m.memory().Pair(m.memory().Pair(entry.key, entry.value), list);
  }
  return list;
}

// -------------------------------------------------------------------- control

Cell* ApplyTo(Machine& m, Arguments a) {
  // In cells of a list until there: the collector sees those.
  const std::size_t before = a.size() - 2;
  std::size_t count = before;
  for (Cell* at = a.back(); at != &nil; at = PairOf(at)->tail) ++count;
  auto** const arguments =
      static_cast<Cell**>(__builtin_alloca((count + 1) * sizeof(Cell*)));
  std::size_t i = 0;
  for (; i < before; ++i) arguments[i] = a[i + 1];
  for (Cell* at = a.back(); at != &nil; at = at->tail) {
    arguments[i++] = at->head;
  }
  return m.Apply(a[0], {arguments, count});
}
Cell* CallCc(Machine& m, Arguments a) { return m.CallWithEscape(a[0]); }
Cell* Display(Machine& m, Arguments a) {
  m.output() << Print(a[0], true);
  return &unspecified;
}
Cell* Write(Machine& m, Arguments a) {
  m.output() << Print(a[0], false);
  return &unspecified;
}
Cell* Newline(Machine& m, Arguments) {
  m.output() << '\n';
  return &unspecified;
}
Cell* Fail(Machine&, Arguments a) {
  std::string text;
  for (Cell* part : a) {
    text += text.empty() ? "" : " ";
    text += Print(part, true);
  }
  throw Error(text);
}

struct Builtin {
  const char* name;
  Cell* (*call)(Machine& machine, Arguments arguments);
  std::size_t least;
  std::size_t most;
};
constexpr std::size_t kAny = ~std::size_t{0};

constexpr Builtin kBuiltins[] = {
    {"+", Add, 0, kAny},
    {"-", Subtract, 1, kAny},
    {"*", Multiply, 0, kAny},
    {"/", Divide, 1, kAny},
    {"quotient", Quotient, 2, 2},
    {"remainder", Remainder, 2, 2},
    {"modulo", Modulo, 2, 2},
    {"=", IsEqualNumber, 1, kAny},
    {"<", IsLess, 1, kAny},
    {">", IsGreater, 1, kAny},
    {"<=", IsLessOrEqual, 1, kAny},
    {">=", IsGreaterOrEqual, 1, kAny},
    {"number->string", NumberToText, 1, 1},
    {"cons", Cons, 2, 2},
    {"car", Car, 1, 1},
    {"cdr", Cdr, 1, 1},
    {"cadr", Cadr, 1, 1},
    {"cddr", Cddr, 1, 1},
    {"set-car!", SetCar, 2, 2},
    {"set-cdr!", SetCdr, 2, 2},
    {"list", List, 0, kAny},
    {"length", Length, 1, 1},
    {"reverse", Reverse, 1, 1},
    {"append", Append, 0, kAny},
    {"eq?", IsSame, 2, 2},
    {"eqv?", IsSame, 2, 2},
    {"equal?", IsEqual, 2, 2},
    {"not", Not, 1, 1},
    {"null?", IsNull, 1, 1},
    {"pair?", IsPair, 1, 1},
    {"symbol?", IsSymbol, 1, 1},
    {"string?", IsText, 1, 1},
    {"number?", IsANumber, 1, 1},
    {"vector?", IsRow, 1, 1},
    {"procedure?", IsFunction, 1, 1},
    {"string-append", JoinTexts, 0, kAny},
    {"string-length", TextLength, 1, 1},
    {"symbol->string", SymbolToText, 1, 1},
    {"string->symbol", TextToSymbol, 1, 1},
    {"vector", Row, 0, kAny},
    {"make-vector", MakeRow, 1, 2},
    {"vector-ref", RowRef, 2, 2},
    {"vector-set!", RowSet, 3, 3},
    {"vector-length", RowLength, 1, 1},
    {"make-hash-table", MakeTable, 0, 0},
    {"hash-table-ref", TableRef, 2, 3},
    {"hash-table-set!", TableSet, 3, 3},
    {"hash-table-count", TableCount, 1, 1},
    {"hash-table->alist", TableToList, 1, 1},
    {"apply", ApplyTo, 2, kAny},
    {"call/cc", CallCc, 1, 1},
    {"call-with-current-continuation", CallCc, 1, 1},
    {"display", Display, 1, 1},
    {"write", Write, 1, 1},
    {"newline", Newline, 0, 0},
    {"error", Fail, 1, kAny},
};

}  // namespace

void DefineBuiltins(Memory& memory, Globals& globals) {
  memory.MakeLasting(true);
  for (std::size_t i = 0; i < std::size(kBuiltins); ++i) {
    Cell* const cell = memory.New(Kind::kBuiltin);
    cell->number = static_cast<std::int64_t>(i);
    globals.Get(kBuiltins[i].name)->value = cell;
  }
}

Cell* CallBuiltin(Machine& machine, std::int64_t number, Arguments arguments) {
  const Builtin& builtin = kBuiltins[number];
  if (arguments.size() < builtin.least || arguments.size() > builtin.most) {
    throw Error(std::string(builtin.name) + " is called with " +
                std::to_string(arguments.size()) + " arguments");
  }
  try {
    return builtin.call(machine, arguments);
  } catch (Error& error) {
    if (error.place().line != 0 || builtin.call == &Fail) throw;
    throw Error(std::string(builtin.name) + ": " + error.what());
  }
}

}  // namespace scheme
