// SPDX-License-Identifier: MIT
//
// The collected heap as an arena: what containers name that live in ordinary
// collected objects. Their blocks are objects of the collected heap, which
// frees them; giving them back does nothing. Internal to acre.

#ifndef ACRE_DETAIL_HEAP_ARENA_H_
#define ACRE_DETAIL_HEAP_ARENA_H_

#include <cstddef>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/type_layout.h"

namespace acre::inline ACRE_ABI {

/// Makes objects of the collected heap in a way of the host's. `type`: what
/// lies there, one or more in a row; null: the storage of a Map or Set, which
/// is to be scanned. Zeros are not needed. Null: out of memory.
struct HeapAllocator {
  void* (*allocate)(void* context, std::size_t bytes, std::size_t align,
                    const TypeLayout* type) = nullptr;
  void* context = nullptr;
};

namespace detail {

/// One for the process; made when it is first asked for, and fails then as an
/// Arena does. Any thread that may call the collector.
Arena& HeapArena();
bool IsHeapArena(const Arena& arena) noexcept;

/// Null where memory ran out.
void* TakeFromHeap(std::size_t bytes, std::size_t align,
                   const TypeLayout* type);
/// The same, by that allocator, or of GC_malloc and GC_malloc_atomic. The
/// collector may be called, see NeedHeap.
void* NewHeapObject(const HeapAllocator& allocator, std::size_t bytes,
                    std::size_t align, const TypeLayout* type,
                    bool may_hold_address);
/// Initialises the collector; checked builds: fails where this thread must not
/// call it.
void NeedHeap();
/// True where the host has promised libgc to say itself where it writes.
bool MustTellOfWrites() noexcept;
/// True where objects of the type may hold an address: what no layout follows,
/// too.
bool MayHoldAddress(const TypeLayout& type);

/// While there is one, what this thread takes from the heap arena is kept alive
/// and, by default, taken many at a time. Stands on a stack.
class Escaping {
 public:
  explicit Escaping(const HeapAllocator& allocator);
  Escaping(const Escaping&) = delete;
  Escaping& operator=(const Escaping&) = delete;
  ~Escaping();

  void* Take(std::size_t bytes, std::size_t align, const TypeLayout* type);

 private:
  struct Kept {
    static constexpr std::size_t kCount = 509;
    Kept* next;
    void* objects[kCount];
  };
  static constexpr std::size_t kFew = 48;
  static constexpr std::size_t kMostGranules = 16;

  void* TakeFromBatch(std::size_t granules);
  bool Keep(void* object);
  void TellAll();

  HeapAllocator allocator_;
  Escaping* outer_;
  const bool tells_;  // see MustTellOfWrites
  std::size_t count_ = 0;
  std::size_t used_ = 0;  // of kept_
  Kept* kept_ = nullptr;
  void* few_[kFew] = {};
  void* batches_[kMostGranules] = {};  // by size
};

}  // namespace detail
}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_DETAIL_HEAP_ARENA_H_
