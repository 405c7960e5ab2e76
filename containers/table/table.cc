// SPDX-License-Identifier: MIT

#include "acre/detail/table.h"

#include <bit>
#include <cstring>
#include <random>

#include "acre/detail/blocks.h"

namespace acre::inline ACRE_ABI::detail {

BlockMask UsedInBlock(const std::uint8_t* group, const std::uint8_t* end) {
  const auto used = [group](unsigned i) {
    return BlockMask{Used(group + i * kGroupBytes)} << (i * kGroupSlots);
  };
  if (ACRE_LIKELY(end - group >= kBlockBytes)) {
    return used(0) | used(1) | used(2) | used(3);
  }
  BlockMask mask = 0;
  for (unsigned i = 0; group + i * kGroupBytes != end; ++i) mask |= used(i);
  return mask;
}

void NoteTableRow(Arena& arena, void* block, std::size_t bytes,
                  const TypeLayout& element) {
  const SlotShape shape{element.size, element.align};
  const std::size_t offset = shape.control_bytes(shape.groups_in(bytes));
  Blocks::NoteRow(arena, block, offset, offset, element);  // no addresses
  Blocks::AddRow(arena, block, bytes, offset, element);
}

void MakeTable(TableRep& rep, TableSize size, SlotShape shape,
               const char* what) {
  if (size.groups != 1 &&
      (size.groups > kMaxGroups ||
       size.groups > PTRDIFF_MAX / shape.table_bytes({1, kGroupSlots}))) {
    FailLength(what, size.limit, LimitOf(kMaxGroups));
  }
  void* block = Blocks::Take(*rep.arena, shape.table_bytes(size),
                             shape.table_align(), nullptr);
  if (shape.layout() != nullptr) {
    Blocks::NoteRow(*rep.arena, block, shape.table_bytes(size),
                    shape.control_bytes(size.groups),
                    *shape.layout()->element());
  }
  SetTable(rep, block, size, shape);
  if (size.groups == 1) {
    std::memset(rep.control, 0, kGroupBytes);  // no call
  } else {
    std::memset(rep.control, 0, rep.control_bytes());
  }
  // Now it can be read as one: the collector may stop the world anywhere.
  Blocks::NoteStorage(*rep.arena, block, shape.layout());
}

StorageCopy CopyTable(TableRep& rep, Arena& arena, SlotShape shape) {
  StorageCopy storage;
  if (!rep.has_table()) {
    rep = EmptyTable(&arena);
    return storage;
  }
  const void* const source = rep.control;
  if (CopyBlock(arena, source, shape.table_bytes(SizeOf(rep)),
                shape.table_align(), nullptr, storage)) {
    rep.control = static_cast<std::uint8_t*>(storage.copy);
    rep.slots = rep.control + shape.control_bytes(rep.groups());
    rep.arena = &arena;
    rep.stamp = arena.stamp();
    Blocks::NoteStorage(arena, rep.control, shape.layout());
    if (ACRE_UNLIKELY(arena.is_traced()) && shape.layout() != nullptr) {
      const std::size_t bytes = storage.bytes;
      Blocks::NoteRow(arena, rep.control, bytes,
                      shape.control_bytes(rep.groups()),
                      *shape.layout()->element());
      std::memcpy(rep.control, source, bytes);  // NoteRow has made zeros
    }
  }
  return storage;
}

bool IsSoundTable(const TableRep& rep, SlotShape shape, const SavedBytes& bytes,
                  HandleStorage* storage) {
  *storage = {};
  if (!rep.has_table()) return rep.size == 0 && rep.limit == 0;
  const std::size_t groups = rep.groups();
  const auto log_groups = static_cast<std::uint32_t>(std::countr_zero(groups));
  const std::size_t most = groups == 1 ? kGroupSlots : LimitOf(groups);
  if (!std::has_single_bit(groups) || groups > kMaxGroups ||
      rep.shift != 60 - log_groups || rep.limit == 0 || rep.limit > most ||
      rep.size > rep.limit ||
      groups > PTRDIFF_MAX / shape.table_bytes({1, kGroupSlots})) {
    return false;
  }
  const std::size_t size = shape.table_bytes(SizeOf(rep));
  const auto* control =
      static_cast<const std::uint8_t*>(bytes.Find(rep.control, size));
  if (control == nullptr ||
      rep.slots != rep.control + shape.control_bytes(groups)) {
    return false;
  }
  // Of one group the slots behind the limit are not there.
  const std::size_t slots = groups == 1 ? rep.limit : kGroupSlots;
  std::size_t used = 0;
  for (std::size_t group = 0; group < rep.control_bytes();
       group += kGroupBytes) {
    for (std::size_t slot = 0; slot < kGroupSlots; ++slot) {
      if (control[group + slot] == 0) continue;
      if (slot >= slots) return false;
      ++used;
    }
  }
  // Of one group nothing ever overflowed.
  if (groups == 1 && control[kGroupSlots] != 0) return false;
  if (used != rep.size) return false;
  *storage = {rep.control, size, size, shape.table_align()};
  return true;
}

TableRep EmptyTable(Arena* arena) {
  TableRep rep;
  rep.arena = arena;
  return rep;
}

std::uint64_t ProcessSeed() noexcept {
  static const std::uint64_t seed = [] {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
  }();
  return seed;
}

}  // namespace acre::inline ACRE_ABI::detail
