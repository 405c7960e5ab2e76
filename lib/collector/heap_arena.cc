// SPDX-License-Identifier: MIT

#include "acre/detail/heap_arena.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "collector/libgc.h"
#include "core/commons.h"
#include "core/slow_path.h"

// GC_malloc_many's links.
#ifndef GC_NEXT
#error "gc.h has no GC_NEXT"
#endif

namespace acre::inline ACRE_ABI::detail {
namespace {

thread_local Escaping* g_escaping = nullptr;

class RefusingSource final : public ChunkSource {
 public:
  ChunkMemory Acquire(std::size_t, std::size_t) override { return {}; }
  void Release(ChunkMemory) noexcept override {}
};

}  // namespace

bool MayHoldAddress(const TypeLayout& type) {
  if (type.has_slots) return true;
  for (const FieldLayout& field : type.fields) {
    if (field.note == FieldNote::kOpaque ||
        field.note == FieldNote::kBorrowed || field.is_transient ||
        MayHoldAddress(*field.type())) {
      return true;
    }
  }
  return false;
}

Arena& HeapArena() {
  // Never destroyed: containers on the collected heap name it.
  struct Heap {
    RefusingSource source;
    Arena arena{{.name = "the collected heap", .source = &source}};
    Heap() {
      SlowPath(arena).MakeHeap();
      Pin();  // whoever names it may outlive this module's use
    }
  };
  alignas(Heap) static std::byte storage[sizeof(Heap)];
  static Heap* const heap = ::new (static_cast<void*>(storage)) Heap;
  return heap->arena;
}

bool IsHeapArena(const Arena& arena) noexcept {
  return SlowPath(const_cast<Arena&>(arena)).IsHeap();
}

void* TakeFromHeap(std::size_t bytes, std::size_t align,
                   const TypeLayout* type) {
  if (Escaping* const escaping = g_escaping) {
    return escaping->Take(bytes, align, type);
  }
  NeedHeap();
  return NewHeapObject({}, bytes, align, type,
                       type == nullptr || MayHoldAddress(*type));
}

bool MustTellOfWrites() noexcept { return GC_get_manual_vdb_allowed() != 0; }

void NeedHeap() {
  EnsureCollector();
  CheckThread();
}

void* NewHeapObject(const HeapAllocator& allocator, std::size_t bytes,
                    std::size_t align, const TypeLayout* type,
                    bool may_hold_address) {
  if (allocator.allocate != nullptr) {
    return allocator.allocate(allocator.context, bytes, align, type);
  }
  if (align > kGranule) return GC_memalign(align, bytes);
  return may_hold_address ? GC_malloc(bytes) : GC_malloc_atomic(bytes);
}

Escaping::Escaping(const HeapAllocator& allocator)
    : allocator_(allocator), outer_(g_escaping), tells_(MustTellOfWrites()) {
  NeedHeap();
  g_escaping = this;
}

Escaping::~Escaping() {
  g_escaping = outer_;
  if (tells_) TellAll();
  while (kept_ != nullptr) {
    Kept* const next = kept_->next;
    GC_FREE(kept_);
    kept_ = next;
  }
}

/// Where the host has promised to say where it writes: all has been.
void Escaping::TellAll() {
  for (std::size_t i = 0; i < std::min(count_, kFew); ++i) TellWritten(few_[i]);
  std::size_t used = used_;
  for (const Kept* kept = kept_; kept != nullptr; kept = kept->next) {
    for (std::size_t i = 0; i < used; ++i) TellWritten(kept->objects[i]);
    used = Kept::kCount;
  }
}

void* Escaping::Take(std::size_t bytes, std::size_t align,
                     const TypeLayout* type) {
  const bool may_hold_address = type == nullptr || MayHoldAddress(*type);
  const std::size_t granules = (bytes + kGranule - 1) / kGranule;
  const bool is_in_batch = allocator_.allocate == nullptr && may_hold_address &&
                           align <= kGranule && granules - 1 < kMostGranules &&
                           count_ >= kFew;
  void* const object = is_in_batch ? TakeFromBatch(granules)
                                   : NewHeapObject(allocator_, bytes, align,
                                                   type, may_hold_address);
  if (object == nullptr || !Keep(object)) return nullptr;
  return object;
}

/// Of a whole block of the heap at a time. What is left over is collected.
void* Escaping::TakeFromBatch(std::size_t granules) {
  void*& batch = batches_[granules - 1];
  if (batch == nullptr) batch = GC_malloc_many(granules * kGranule - 1);
  void* const object = batch;
  if (object == nullptr) return nullptr;
  batch = GC_NEXT(object);
  GC_NEXT(object) = nullptr;
  return object;
}

/// Where the collector sees it: on this stack, as this is, or in uncollectable
/// memory. False where memory ran out.
bool Escaping::Keep(void* object) {
  if (count_ < kFew) {
    few_[count_++] = object;
    return true;
  }
  if (kept_ == nullptr || used_ == Kept::kCount) {
    auto* more = static_cast<Kept*>(GC_malloc_uncollectable(sizeof(Kept)));
    asm volatile("" : : "r"(object) : "memory");
    if (more == nullptr) return false;
    more->next = kept_;
    kept_ = more;
    used_ = 0;
  }
  kept_->objects[used_++] = object;
  if (tells_) TellWritten(kept_);
  ++count_;
  return true;
}

}  // namespace acre::inline ACRE_ABI::detail
