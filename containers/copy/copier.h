// SPDX-License-Identifier: MIT
//
// Copier: the type-erased engine of DeepCopy. What TreeCopier and GraphCopier
// can do is theirs; it does the rest: sources on other heaps, std containers,
// pieces that overlap in any way. Internal to acre.
//
//   1. Discover: walk the source. Single objects and storage of containers in
//      chunks are marked beside the chunk (ChunkMarks): a few bits each.
//      Everything else becomes an item (address, type, count).
//   2. Go through both by address; what lies in another is part of it. What
//      remains are the extents: each gets a block, and its bytes are copied.
//      Where memory runs out all blocks go back: nothing else was written.
//   3. Rewrite the slots of every copied object.

#ifndef ACRE_CONTAINERS_COPY_COPIER_H_
#define ACRE_CONTAINERS_COPY_COPIER_H_

#include <cstddef>
#include <vector>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/chunk_marks.h"
#include "acre/detail/look_ahead.h"
#include "acre/detail/nested_rows.h"
#include "acre/detail/visit_set.h"
#include "acre/detail/walk.h"
#include "acre/type_layout.h"
#include "copy/ref_copies.h"
#include "copy/static_storage.h"
#include "copy/table_keys.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

class Copier {
 public:
  explicit Copier(Arena& arena,
                  OutsideArenas outside = OutsideArenas::kIsCopied)
      : arena_(arena), refs_(arena), outside_(outside) {}

  Arena& arena() const { return arena_; }

  /// The copy of an object, or null where memory ran out.
  void* Run(const TypeLayout& type, const void* root);

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
    char* copy;                         // once allocated
    bool is_placed;                     // copy was there before
    const TypeLayout* table = nullptr;  // of the elements, where it is a table
  };

  /// An item or a marked object, on the way by address.
  struct Source {
    const char* begin;
    std::size_t bytes;
    std::size_t align;
    const TypeLayout* block_type;
    Item* item;        // null: a marked object
    std::size_t rank;  // of that, else of no meaning
    bool is_storage;
    const TypeLayout* table = nullptr;  // as of Item

    const char* end() const { return begin + bytes; }
    bool is_placed() const { return item != nullptr && item->is_placed; }
  };
  /// What the marks do not tell of marked storage.
  struct Storage {
    const void* block;
    std::size_t bytes;  // in use
    const TypeLayout* block_type;
    std::size_t align;
    unsigned number;
    const TypeLayout* table;
  };
  /// Elements of a container.
  struct Row {
    const TypeLayout* type;
    ElementRun run;
  };
  /// What overlaps: one block of the copy. The first member starts it.
  struct Extent {
    std::size_t bytes = 0;
    std::size_t align = 1;
    const TypeLayout* block_type = nullptr;
    std::vector<Source> members = {};
  };

  /// A pointer whose look-up was asked for ahead of time.
  struct Pending {
    void* slot = nullptr;
    const TypeLayout* type = nullptr;  // of what it points to
  };
  static constexpr std::size_t kAhead = LookAhead<Pending>::kDistance;

  /// Discovers, or rewrites, the pointer in a slot: later, see LookAhead.
  bool IsCopied(const void* target);
  void FinishLater(void* slot, const TypeLayout& type);
  void FinishPending();
  void PrefetchCopy(const Pending& pending);
  void Finish(const Pending& pending);

  void Discover();
  void DiscoverView(const Slot& slot);
  void DiscoverHandle(const Slot& slot);
  void Add(const TypeLayout& type, const void* source, std::size_t count);
  void AddItem(const TypeLayout& type, const void* source, std::size_t count);
  bool EnterMarked();
  unsigned NumberOf(const TypeLayout& type, bool is_storage = false);
  void WalkRuns(const TypeLayout& handle, void* object);
  bool WalkRow();

  void SortItems();
  template <class Visit>
  void ForEachByAddress(Visit visit);
  template <class Visit>
  void ForEachExtent(Visit visit);
  static Source SourceOf(Item& item);
  static unsigned DepthIn(const Source& source);
  char*& CopyOf(const Source& source) {
    return source.item != nullptr ? source.item->copy : copies_[source.rank];
  }
  bool Allocate();
  bool AllocateExtent(const Extent& extent);
  void NoteMembers(const Extent& extent, char* copy);
  void GiveBack();
  void Rewrite();
  void RewriteSlot(const Slot& slot);
  void RewriteHandle(const Slot& slot);
  char* CopyOf(const void* source, const TypeLayout& key);
  char* CopyOfMarked(const void* source, unsigned number);

  Arena& arena_;
  RefCopies refs_;
  const OutsideArenas outside_;
  const void* root_ = nullptr;  // of Run
  const TypeLayout* root_type_ = nullptr;
  char* root_copy_ = nullptr;

  bool is_taking_ = false;  // memory of the arena; or has done so
  bool is_rewriting_ = false;
  VisitSet visited_;  // indices into items_; when rewriting, copies
  MarkedChunks marks_;
  bool uses_marks_ = true;                 // no placed object lies in a chunk
  std::vector<char*> copies_;              // of marked objects, by rank
  std::vector<Storage> storages_;          // marked ones
  std::vector<std::uint32_t> storage_at_;  // 1 + index there, by rank; 0: none
  struct Numbered {
    const TypeLayout* type = nullptr;
    bool is_storage = false;  // of a handle of that type
  };
  Numbered numbered_[ChunkMarks::kMaxTypes + 1] = {};
  unsigned last_number_ = 0;
  unsigned asked_last_[2] = {};  // numbers; of objects, of storage
  NestedRows<Row> rows_;
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
  struct Object {
    const char* address = nullptr;
    unsigned type = 0;
  };
  LookAhead<Object> objects_;  // marked ones that will be entered soon
  std::size_t failed_bytes_ = 0;
  StaticStorage static_storage_;
  TableKeys table_keys_;
  bool may_rehash_ = false;  // there are tables whose keys hold pointers
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_COPY_COPIER_H_
