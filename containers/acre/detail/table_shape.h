// SPDX-License-Identifier: MIT
//
// TableShape: how layouts see Map and Set. Internal to acre.

#ifndef ACRE_CONTAINERS_DETAIL_TABLE_SHAPE_H_
#define ACRE_CONTAINERS_DETAIL_TABLE_SHAPE_H_

#include <cstddef>
#include <string_view>
#include <type_traits>

#include "acre/config.h"
#include "acre/detail/handle.h"
#include "acre/detail/shape.h"
#include "acre/detail/table.h"
#include "acre/type_layout.h"

namespace acre::inline ACRE_ABI::detail {

/// The handle operations of Map and Set, which both have a `table_`.
template <class C>
struct TableShape : PlainShape {
  static constexpr TypeKind kKind = TypeKind::kHandle;
  static constexpr bool kHasSlots = true;
  static constexpr unsigned kHandles = kContainers;
  using Slot = typename C::Policy::Slot;
  static constexpr SlotShape kSlotShape{sizeof(Slot), alignof(Slot),
                                        &C::Policy::Layout};

  static TableRep& Rep(void* handle) {
    return static_cast<C*>(handle)->table_.rep();
  }
  static const TableRep& Rep(const void* handle) {
    return static_cast<const C*>(handle)->table_.rep();
  }
  static void BindTo(void* handle, Arena* arena) {
    Bind(handle, Rep(handle).arena, Rep(handle).slots, arena);
  }
  static void Release(void* handle) {
    static_cast<C*>(handle)->table_.ReleaseTable();
  }
  static HandleStorage Storage(const void* handle) {
    const TableRep& rep = Rep(handle);
    if (!rep.has_table()) return {.arena = rep.arena};
    const std::size_t bytes = kSlotShape.table_bytes(SizeOf(rep));
    return {rep.control, bytes,    bytes, kSlotShape.table_align(),
            rep.arena,   rep.stamp};
  }
  static ElementRun InUse(const void* handle) {
    const TableRep& rep = Rep(handle);
    if (!rep.has_table()) return {};
    return {rep.control, kSlotShape.table_bytes(SizeOf(rep))};
  }
  /// A run is a slot: the occupied ones need not be neighbours.
  static ElementRun NextRun(const void* handle, std::size_t* cursor) {
    const TableRep& rep = Rep(handle);
    return NextSlot(rep.control, rep.slots, rep.groups(), cursor);
  }
  static ElementRun NextInStorage(const void* block, std::size_t bytes,
                                  std::size_t* cursor) {
    const auto* control = static_cast<const std::uint8_t*>(block);
    const std::size_t groups = kSlotShape.groups_in(bytes);
    return NextSlot(control, control + kSlotShape.control_bytes(groups), groups,
                    cursor);
  }
  static ElementRun NextSlot(const std::uint8_t* control, const void* slots,
                             std::size_t groups, std::size_t* cursor) {
    for (; *cursor < groups * kGroupSlots; ++*cursor) {
      const std::size_t group = *cursor / kGroupSlots;
      const std::size_t slot = *cursor % kGroupSlots;
      if (control[group * kGroupBytes + slot] != 0) {
        return {static_cast<const Slot*>(slots) + (*cursor)++, 1};
      }
    }
    return {};
  }
  static void Adopt(void* handle, Arena* arena, void* block, std::size_t) {
    TableRep& rep = Rep(handle);
    if (block == nullptr) {
      rep = EmptyTable(arena);
      return;
    }
    rep.control = static_cast<std::uint8_t*>(block);
    rep.slots = rep.control + kSlotShape.control_bytes(rep.groups());
    rep.arena = arena;
    rep.stamp = arena->stamp();
  }
  static StorageCopy CopyStorage(void* handle, Arena* arena) {
    return CopyTable(Rep(handle), *arena, kSlotShape);
  }
  static bool IsSound(const void* handle, const SavedBytes& bytes,
                      HandleStorage* storage) {
    return IsSoundTable(Rep(handle), kSlotShape, bytes, storage);
  }
  static void Rehash(void* handle,
                     void (*moved)(void* context, const void* from, void* to),
                     void* context) {
    static_cast<C*>(handle)->table_.Reinsert(moved, context);
  }

  // Keys with pointers in them hash by address, which a copy changes; text
  // hashes by content.
  static constexpr bool kHashesAddresses =
      kSlotsIn<typename C::key_type> &&
      !std::is_convertible_v<const typename C::key_type&, std::string_view>;
  // Only where it is called: not every key has a hash.
  template <bool Wanted>
  static constexpr auto RehashIf() {
    if constexpr (Wanted && Hashes<typename C::hasher, typename C::key_type>) {
      return &Rehash;
    } else {
      return nullptr;
    }
  }
  static constexpr bool kIsSeeded = requires { typename C::hasher::is_seeded; };
  static constexpr TypeOps kHandleOps{.bind = &BindTo,
                                      .release = &Release,
                                      .storage = &Storage,
                                      .in_use = &InUse,
                                      .next_run = &NextRun,
                                      .adopt = &Adopt,
                                      .copy_storage = &CopyStorage,
                                      .rehash = RehashIf<kHashesAddresses>(),
                                      .reseed = RehashIf<kIsSeeded>(),
                                      .is_sound = &IsSound,
                                      .next_in_storage = &NextInStorage};
  static constexpr const TypeOps* kOps = &kHandleOps;
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_TABLE_SHAPE_H_
