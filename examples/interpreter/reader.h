// SPDX-License-Identifier: MIT
//
// Reader: from text to cells, with the place of each list.

#ifndef ACRE_EXAMPLES_INTERPRETER_READER_H_
#define ACRE_EXAMPLES_INTERPRETER_READER_H_

#include <cstddef>
#include <string_view>
#include <unordered_map>

#include "error.h"
#include "memory.h"

namespace scheme {

/// The symbols: collected objects, held by a Map in the program's arena.
class Symbols {
 public:
  explicit Symbols(Memory& memory);
  Cell* Intern(std::string_view name);

 private:
  Memory& memory_;
  acre::Map<acre::String, Cell*>* by_name_;  // in the program's arena
};

class Reader {
 public:
  /// `text` is borrowed.
  Reader(std::string_view text, Memory& memory, Symbols& symbols)
      : text_(text), memory_(memory), symbols_(symbols) {}

  /// The next form; null at the end. Throws Error.
  Cell* Next();
  /// Where a pair that Next returned was opened.
  Place PlaceOf(const Cell* pair) const;
  Place place() const { return {line_, column_}; }
  /// True where an error has left the text in the middle of a form.
  bool IsLost() const { return is_lost_; }

 private:
  bool SkipSpace();
  char Take();
  Cell* Read(int depth);
  Cell* ReadList(int depth);
  Cell* ReadText();
  Cell* ReadWord();
  Cell* Quoted(std::string_view name, int depth);

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
  int column_ = 1;
  bool is_lost_ = false;
  Memory& memory_;
  Symbols& symbols_;
  std::unordered_map<const Cell*, Place> places_;
};

}  // namespace scheme

#endif  // ACRE_EXAMPLES_INTERPRETER_READER_H_
