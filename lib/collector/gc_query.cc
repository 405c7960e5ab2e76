// SPDX-License-Identifier: MIT

#include "acre/detail/gc_query.h"

#include "collector/libgc.h"

namespace acre::inline ACRE_ABI::detail {

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
         kind == static_cast<int>(kinds.plain);
}

}  // namespace acre::inline ACRE_ABI::detail
