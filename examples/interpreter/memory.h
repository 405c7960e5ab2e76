// SPDX-License-Identifier: MIT
//
// Where values live. With arenas:
//
//   the program   a traced arena: code, and the constants in it, which are
//                 collected objects
//   a form        what a toplevel form makes lies in nurseries: collected
//                 arenas, traced, of a size that stays in cache. A full one is
//                 left to the collector, which frees it as a whole once nothing
//                 refers to any of it. When the form is done, what it has left
//                 behind (a result, globals, objects of before that it has
//                 changed) escapes to the collected heap
//
// Without, everything is an object of GC_malloc, and the collector's.

#ifndef ACRE_EXAMPLES_INTERPRETER_MEMORY_H_
#define ACRE_EXAMPLES_INTERPRETER_MEMORY_H_

#include <acre/arena.h>
#include <acre/set.h>

#include <cstddef>
#include <string_view>
#include <utility>

#include "value.h"

namespace scheme {

/// A global variable, in the arena of the program.
struct Global {
  acre::String name;
  Cell* value = nullptr;  // null: not defined
};
ACRE_LAYOUT(Global, name, value)

class Memory {
 public:
  explicit Memory(bool with_arenas);
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  bool with_arenas() const { return with_arenas_; }
  acre::Arena& program() { return program_; }

  Cell* New(Kind kind);
  Cell* Integer(std::int64_t value);
  Cell* Real(double value);
  Cell* Pair(Cell* head, Cell* tail);
  Cell* Text(std::string_view text);
  /// With a payload.
  Cell* Compound(Kind kind);

  /// While a program is read: what is made is the collector's at once. Returns
  /// what was before.
  bool MakeLasting(bool lasting) { return std::exchange(is_lasting_, lasting); }

  /// Everything that changes what may have been there before the form goes by
  /// these.
  void SetHead(Cell* cell, Cell* value);
  void SetTail(Cell* cell, Cell* value);
  void SetGlobal(Global* global, Cell* value);
  void WillChange(Cell* compound) { Remember(compound); }

  /// The form is done; what is left is where it lasts, and `result` too.
  Cell* EndForm(Cell* result);
  /// The same where it has failed.
  void GiveUpForm() { EndForm(&nil); }

  std::size_t nurseries() const { return nurseries_; }

 private:
  void Remember(Cell* cell);
  acre::Arena& Nursery();
  /// In some nursery: nothing else of a value is in an arena.
  static bool IsYoung(const void* object) {
    return acre::ArenaOf(object) != nullptr;
  }
  template <class Visit>
  void ForEachPlace(Visit visit);

  const bool with_arenas_;
  bool is_lasting_ = true;
  acre::Arena program_;
  acre::Arena* nursery_ = nullptr;  // null: not begun
  std::size_t made_ = 0;            // cells in it
  std::size_t nurseries_ = 0;
  // Of before the form, and changed in it; held by being in a traced arena.
  acre::Arena changes_;
  acre::Set<Cell*> changed_;
  acre::Set<Global*> changed_globals_;
};

}  // namespace scheme

#endif  // ACRE_EXAMPLES_INTERPRETER_MEMORY_H_
