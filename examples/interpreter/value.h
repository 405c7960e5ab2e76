// SPDX-License-Identifier: MIT
//
// Values of the interpreter: cells of one shape, so that one layout says what
// the collector, the auditor and Escape have to know of all of them.

#ifndef ACRE_EXAMPLES_INTERPRETER_VALUE_H_
#define ACRE_EXAMPLES_INTERPRETER_VALUE_H_

#include <acre/layout.h>
#include <acre/map.h>
#include <acre/string.h>
#include <acre/vector.h>

#include <cstdint>

namespace scheme {

enum class Kind : std::uint32_t {
  kNil,
  kBoolean,  // number: 0 or 1
  kUnspecified,
  kInteger,   // number
  kReal,      // number: its bits
  kSymbol,    // payload->text; there is one of each name
  kText,      // payload->text
  kPair,      // head, tail
  kRow,       // payload->items
  kTable,     // payload->entries
  kClosure,   // code, head: where it was made
  kBuiltin,   // number: which one
  kEscape,    // a continuation that leads out: number names it
  kVariable,  // of an environment: head its value, tail the next one
};

struct Code;     // of compile.h
struct Payload;  // below

struct Cell {
  Kind kind = Kind::kNil;
  std::int64_t number = 0;
  Cell* head = nullptr;
  Cell* tail = nullptr;
  Payload* payload = nullptr;
  const Code* code = nullptr;  // of the program, which outlives all values
};

struct Entry {
  Cell* key = nullptr;
  Cell* value = nullptr;
};
ACRE_LAYOUT(Entry, key, value)

/// What some cells have besides.
struct Payload {
  acre::String text;
  acre::Vector<Cell*> items;
  acre::Map<acre::String, Entry> entries;  // by a text that equal keys share
};
ACRE_LAYOUT(Payload, text, items, entries)
ACRE_LAYOUT(Cell, kind, number, head, tail, payload, borrowed(code))

/// Cells of which there is one. In static storage: nothing copies them.
extern Cell nil;
extern Cell no;
extern Cell yes;
extern Cell unspecified;

inline bool IsTrue(const Cell* cell) { return cell != &no; }
inline Cell* Boolean(bool value) { return value ? &yes : &no; }
double RealOf(const Cell* cell);

}  // namespace scheme

#endif  // ACRE_EXAMPLES_INTERPRETER_VALUE_H_
