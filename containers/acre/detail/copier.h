// SPDX-License-Identifier: MIT
//
// Copier: the type-erased engine of DeepCopy. Internal to acre.
//
//   1. Discover: walk the source; every object becomes an item (address, type,
//      count).
//   2. Merge: sort items by address; one that lies in another is part of it.
//      What remains are the extents, each a block of the copy.
//   3. Allocate all blocks. Where one fails all go back: nothing was written.
//   4. Copy the bytes of every extent, then rewrite the slots of every item.

#ifndef ACRE_CONTAINERS_DETAIL_COPIER_H_
#define ACRE_CONTAINERS_DETAIL_COPIER_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/look_ahead.h"
#include "acre/detail/process_map.h"
#include "acre/detail/visit_set.h"
#include "acre/detail/walk.h"
#include "acre/type_layout.h"

namespace acre::inline ACRE_ABI::detail {

class Copier {
 public:
  explicit Copier(Arena& arena) : arena_(arena) {}

  Arena& arena() const { return arena_; }

  /// Pointers and views are kept, containers are copied.
  void FollowNothing() { follow_ = false; }

  /// The copy of an object, or null where memory ran out.
  void* Run(const TypeLayout& type, const void* root);
  /// The same, with the root's bytes going to `to`.
  void* RunInto(const TypeLayout& type, const void* root, void* to);

  /// `count` objects at `source` have their copies at `to`, in memory that is
  /// there already; their bytes are copied here and their slots by RunPlaced.
  void Place(const TypeLayout& type, const void* source, std::size_t count,
             void* to);
  /// A table whose keys may change when RunPlaced rewrites them.
  void RehashLater(const TypeLayout& type, void* handle);
  /// Copies what placed objects reach. False where memory ran out.
  bool RunPlaced();

  /// Empties the containers in placed objects: their bytes are still those of
  /// the source. For a copy that failed.
  void AbandonPlaced();

  /// The size that could not be allocated.
  std::size_t failed_bytes() const { return failed_bytes_; }

  void operator()(const Slot& slot);  // for ForEachSlot

 private:
  struct Item {
    const char* source;
    std::size_t bytes;
    const TypeLayout* type;        // of an element; null: raw storage
    std::size_t count;             // elements whose slots are rewritten
    const TypeLayout* block_type;  // what the arena is told
    std::size_t align;
    char* copy;      // once allocated
    bool is_placed;  // copy was there before
    bool is_extent;  // has a block of its own
  };

  /// A pointer whose look-up was asked for ahead of time.
  struct Pending {
    void* slot = nullptr;
    const TypeLayout* type = nullptr;  // of what it points to
  };
  static constexpr std::size_t kAhead = LookAhead<Pending>::kDistance;

  /// Discovers, or rewrites, the pointer in a slot: later, see LookAhead.
  void FinishLater(void* slot, const TypeLayout& type);
  void FinishPending();
  void Finish(const Pending& pending);

  void Discover();
  void DiscoverView(const Slot& slot);
  void DiscoverHandle(const Slot& slot);
  void Add(const TypeLayout& type, const void* source, std::size_t count);
  bool IsKept(const void* address);

  void SortItems();
  template <class Visit>
  void ForEachByAddress(Visit visit);
  bool Allocate();
  bool AllocateExtents();
  void GiveBack();
  void CopyBytes();
  void Rewrite();
  void RewriteSlot(const Slot& slot);
  void RewriteHandle(const Slot& slot);
  char* CopyOf(const void* source, const TypeLayout& key);

  Arena& arena_;
  bool follow_ = true;
  bool is_rewriting_ = false;
  VisitSet visited_;  // indices into items_; when rewriting, copies
  /// Elements of an item beyond those that were walked with it.
  struct Extension {
    std::size_t item;
    std::size_t first;
    std::size_t count;
  };
  std::vector<Item> items_;
  std::vector<Extension> extensions_;
  std::size_t next_ = 0;  // items_ before it are discovered
  LookAhead<Pending> ahead_;
  std::size_t failed_bytes_ = 0;
  std::optional<ProcessMap> process_;  // made at first need
  struct Table {
    const TypeLayout* type;
    void* handle;
  };
  std::vector<Table> rehash_;  // at the very end
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_COPIER_H_
