// SPDX-License-Identifier: MIT
//
// TableKeys: puts the entries of copied Maps and Sets where their keys belong
// after pointers in the keys were rewritten, and corrects the pointers that
// lead into those entries. Internal to acre.

#ifndef ACRE_CONTAINERS_COPY_TABLE_KEYS_H_
#define ACRE_CONTAINERS_COPY_TABLE_KEYS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "acre/config.h"
#include "acre/type_layout.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

class TableKeys {
 public:
  /// A table whose type has TypeOps::rehash, or reseed.
  void Add(const TypeLayout& type, void* handle);

  /// A pointer that was rewritten (`view`: null), or a view of that type. Those
  /// that lead into no table may be added, too.
  void AddPointer(void* slot, const TypeLayout* view);

  /// All that was added to another one.
  void TakeFrom(TableKeys& other);

  /// When everything is rewritten. Linear in entries and pointers, times the
  /// logarithm of the number of tables. False, and nothing done, where a key
  /// points into an entry that has to move: see what().
  bool TryRun();
  /// The same; there it is misuse.
  void Run();
  const std::string& what() const { return what_; }

 private:
  struct Pointer {
    char* slot;
    const TypeLayout* view;
  };
  struct Table {
    const TypeLayout* type;
    char* handle;
    char* begin = nullptr;  // of its storage
    char* end = nullptr;
    std::size_t depth = 0;  // tables around it
    std::vector<Pointer*> pointers_in = {};
    std::vector<Pointer*> pointers_into = {};
  };
  struct Move {
    const char* from;
    char* to;
  };

  Table* Around(const char* address);
  bool SortPointers();
  void Rehash(Table& table);
  char* Moved(const char* address) const;
  static const char* ValueOf(const Pointer& pointer);
  static void SetValue(const Pointer& pointer, char* value);

  std::string what_;
  std::vector<Table> tables_;  // Run: by begin
  std::vector<Pointer> pointers_;
  std::vector<Move> moves_;  // of the entries of one table, by `from`
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_COPY_TABLE_KEYS_H_
