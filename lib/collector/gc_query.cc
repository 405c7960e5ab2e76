// SPDX-License-Identifier: MIT

#include "acre/detail/gc_query.h"

#include <cstddef>
#include <cstdint>

#include "collector/libgc.h"
#include "collector/traced_source.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

// libgc's least; where its blocks are larger, their pages are asked in turn.
constexpr std::uintptr_t kBlockBytes = 4096;

bool IsDescribed(std::uintptr_t block) {
  return GC_is_heap_ptr(reinterpret_cast<const void*>(block)) != 0;
}

// A free run is described in its first block, with its size. The lock: another
// thread may allocate from it.
void* SizeOfFreeRun(void* block) {
  const bool is_free = GC_is_heap_ptr(block) != 0 && GC_base(block) == nullptr;
  return reinterpret_cast<void*>(is_free ? GC_size(block) : 0);
}

}  // namespace

const void* CollectedBase(const void* address) noexcept {
  if (!IsCollectorThere()) return nullptr;
  return GC_base(const_cast<void*>(address));
}

bool IsFreeHeapMemory(const void* address) noexcept {
  if (!IsCollectorThere()) return false;
  if (address < GC_least_plausible_heap_addr ||
      address >= GC_greatest_plausible_heap_addr) {
    return false;
  }
  if (GC_base(const_cast<void*>(address)) != nullptr) return false;
  return GC_is_heap_ptr(address) != 0;
}

HeapGap HeapGapAround(const void* address) noexcept {
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  const std::uintptr_t block = at & ~(kBlockBytes - 1);
  auto begin = block;
  auto end = block + kBlockBytes;
  if (IsCollectorThere()) {
    const auto least =
        reinterpret_cast<std::uintptr_t>(GC_least_plausible_heap_addr);
    const auto greatest =
        reinterpret_cast<std::uintptr_t>(GC_greatest_plausible_heap_addr);
    // No free run is longer than the heap.
    const std::size_t most = GC_get_heap_size() + GC_get_unmapped_bytes();
    while (begin > least && block - begin < most &&
           !IsDescribed(begin - kBlockBytes)) {
      begin -= kBlockBytes;
    }
    while (end < greatest && end - block < most && !IsDescribed(end)) {
      end += kBlockBytes;
    }
    const std::uintptr_t run = begin - kBlockBytes;
    const auto bytes = reinterpret_cast<std::uintptr_t>(
        GC_call_with_alloc_lock(&SizeOfFreeRun, reinterpret_cast<void*>(run)));
    if (at - run < bytes) {
      return {reinterpret_cast<const char*>(run),
              reinterpret_cast<const char*>(run + bytes), true};
    }
    // Behind the run, which may end before the gap does.
    if (bytes > kBlockBytes) begin = run + bytes;
  }
  return {reinterpret_cast<const char*>(begin),
          reinterpret_cast<const char*>(end), false};
}

const void* CollectedStackBottom() noexcept {
  if (!IsCollectorThere() || GC_thread_is_registered() == 0) return nullptr;
  GC_stack_base base;
  GC_get_my_stackbottom(&base);
  return base.mem_base;
}

bool IsMarked(const void* base) noexcept { return GC_is_marked(base) != 0; }

std::size_t CollectedSize(const void* base) noexcept { return GC_size(base); }

bool IsUncollectable(const void* base) noexcept {
  // Numbers fixed in libgc since 6.0: uncollectable, and its pointer-free form.
  constexpr int kUncollectable = 2;
  constexpr int kAtomicUncollectable = 3;
  std::size_t size = 0;
  const int kind = GC_get_kind_and_size(base, &size);
  return (kind == kUncollectable || kind == kAtomicUncollectable) &&
         !IsArenaChunk(base);
}

bool IsPointerFree(const void* base) noexcept {
  constexpr int kPointerFree = 0;  // fixed like the above
  constexpr int kAtomicUncollectable = 3;
  std::size_t size = 0;
  const int kind = GC_get_kind_and_size(base, &size);
  return kind == kPointerFree || kind == kAtomicUncollectable;
}

bool IsArenaChunk(const void* base) noexcept {
  std::size_t size = 0;
  const int kind = GC_get_kind_and_size(base, &size);
  const Kinds& kinds = GetKinds();
  return kind == static_cast<int>(kinds.back_link) ||
         kind == static_cast<int>(kinds.plain) || IsTracedKind(kind);
}

}  // namespace acre::inline ACRE_ABI::detail
