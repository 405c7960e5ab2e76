// SPDX-License-Identifier: MIT

#include "copy/small_copier.h"

#include <bit>
#include <cstring>

#include "acre/detail/blocks.h"
#include "acre/detail/location.h"
#include "acre/detail/size_class.h"
#include "acre/detail/table_rep.h"

namespace acre::inline ACRE_ABI::detail {

bool SmallCopier::Run(const TypeLayout& type, const void* root) {
  Meet(type, root, 1);
  if (!Find() || !Sort() || !Take()) return false;
  Copy();
  is_finished_ = true;
  return true;
}

SmallCopier::~SmallCopier() {
  if (is_finished_) return;
  refs_.GiveBack();
  while (taken_ != 0) {
    const Extent& extent = *sorted_[--taken_];
    Blocks::Give(arena_, extent.copy, extent.bytes, extent.align(),
                 extent.block_type());
  }
}

std::size_t SmallCopier::Extent::align() const {
  return is_table() ? SlotShape{type->size, type->align}.table_align()
                    : type->align;
}

/// The seat of the extent that starts there, or the free one that it would get.
std::size_t SmallCopier::SeatOf(const void* source) const {
  constexpr std::uint64_t kGoldenRatio = 0x9E3779B97F4A7C15u;  // Fibonacci hash
  constexpr int kShift = 64 - std::countr_zero(kSeats);
  const auto granule = reinterpret_cast<std::uintptr_t>(source) / kGranule;
  std::size_t seat = granule * kGoldenRatio >> kShift;
  while (seats_[seat] != 0 && extents_[seats_[seat] - 1].source != source) {
    seat = (seat + 1) % kSeats;
  }
  return seat;
}

// ----------------------------------------------------------------------- find

bool SmallCopier::Find() {
  while (walked_ < count_ && !is_stopped_) {
    const Extent& extent = extents_[walked_++];
    if (!extent.type->has_slots) continue;
    if (!extent.is_table()) {
      const std::size_t count = extent.bytes / extent.type->size;
      FindInRow(*extent.type, {extent.source, count});
      continue;
    }
    ForEachRun(
        *extent.handle, extent.handle_address,
        [&](ElementRun run, std::size_t) { FindInRow(*extent.type, run); });
  }
  return !is_stopped_;
}

void SmallCopier::FindInRow(const TypeLayout& type, const ElementRun& row) {
  if (type.kind == TypeKind::kPointer) {
    const auto* pointers = static_cast<void* const*>(row.data);
    const TypeLayout& target = *type.element();
    for (std::size_t i = 0; i < row.count && !is_stopped_; ++i) {
      if (pointers[i] == nullptr || StaysOutside(pointers[i])) continue;
      NoteLink(&pointers[i], type, Meet(target, pointers[i], 1));
    }
    return;
  }
  auto find = [this](const Slot& slot) { FindIn(slot); };
  ForEachSlotIn(type, row, find);
}

void SmallCopier::FindIn(const Slot& slot) {
  if (is_stopped_) return;
  const TypeLayout& type = *slot.type;
  if (type.kind == TypeKind::kHandle && IsRef(type)) {
    refs_.Count(type);
    return NoteLink(slot.address, type, 0);
  }
  if (type.kind == TypeKind::kHandle) {
    return NoteLink(slot.address, type, MeetStorage(type, slot.address));
  }
  const ElementRun target = PointedTo(slot);
  if (target.data == nullptr || StaysOutside(target.data)) return;
  NoteLink(slot.address, type,
           Meet(*type.element(), target.data, target.count));
}

/// The root is no pointer's target there.
bool SmallCopier::StaysOutside(const void* target) {
  if (outside_ == OutsideArenas::kIsCopied) return false;
  const auto* at = static_cast<const char*>(target);
  const Extent& root = extents_[0];
  return !IsHandedOut(at, 0) && (at < root.source || at >= root.end());
}

/// The number of the extent that is these objects.
std::size_t SmallCopier::Meet(const TypeLayout& type, const void* source,
                              std::size_t count) {
  const std::size_t bytes = count * type.size;
  std::uint8_t& seat = seats_[SeatOf(source)];
  if (seat == 0) {
    return Add(seat, {static_cast<const char*>(source), bytes, &type, nullptr,
                      nullptr, nullptr});
  }
  const Extent& known = extents_[seat - 1];
  const bool are_same = known.handle == nullptr && known.bytes == bytes &&
                        SameType(*known.type, type);
  return are_same ? seat : Stop();
}

/// The number of a container's storage; 0 where it has none.
std::size_t SmallCopier::MeetStorage(const TypeLayout& handle,
                                     const void* address) {
  const ElementRun storage = handle.ops->in_use(address);
  if (storage.count == 0) return 0;
  std::uint8_t& seat = seats_[SeatOf(storage.data)];
  // Whose keys hold pointers has to be filled anew.
  if (seat != 0 || handle.ops->rehash != nullptr || HasOwnForm(handle)) {
    return Stop();
  }
  return Add(seat, {static_cast<const char*>(storage.data), storage.count,
                    handle.element(), &handle, address, nullptr});
}

/// The root, the first of all, need not lie in an arena.
inline std::size_t SmallCopier::Add(std::uint8_t& seat, const Extent& extent) {
  // Without looking at all elements of what is long.
  const TypeLayout& type = *extent.type;
  const bool is_long = type.has_slots && extent.bytes > kMostLinks * type.size;
  if (count_ == kMost || is_long ||
      (count_ != 0 && !IsHandedOut(extent.source, extent.bytes))) {
    return Stop();
  }
  extents_[count_] = extent;
  seat = static_cast<std::uint8_t>(++count_);
  return count_;
}

inline void SmallCopier::NoteLink(const void* slot, const TypeLayout& type,
                                  std::size_t to) {
  const auto offset = static_cast<std::size_t>(static_cast<const char*>(slot) -
                                               extents_[walked_ - 1].source);
  if (links_count_ == kMostLinks || offset > UINT32_MAX) {
    Stop();
    return;
  }
  links_[links_count_++] = {&type, static_cast<std::uint32_t>(offset),
                            static_cast<std::uint8_t>(walked_),
                            static_cast<std::uint8_t>(to)};
}

std::size_t SmallCopier::Stop() {
  is_stopped_ = true;
  return 0;
}

bool SmallCopier::IsHandedOut(const char* begin, std::size_t bytes) {
  if (begin < chunk_begin_ || begin >= live_end_) {
    const Location where = Locate(begin);
    if (where.arena == nullptr) return false;
    chunk_begin_ = where.chunk_begin;
    live_end_ = where.live_end;
  }
  return begin >= chunk_begin_ && begin < live_end_ &&
         bytes <= static_cast<std::size_t>(live_end_ - begin);
}

/// False where the bytes of one are another's as well.
bool SmallCopier::Sort() {
  for (std::size_t i = 0; i < count_; ++i) {
    // What was made in order is mostly met in order.
    std::size_t at = i;
    for (; at != 0 && sorted_[at - 1]->source > extents_[i].source; --at) {
      sorted_[at] = sorted_[at - 1];
    }
    sorted_[at] = &extents_[i];
  }
  for (std::size_t i = 1; i < count_; ++i) {
    if (sorted_[i - 1]->end() > sorted_[i]->source) return false;
  }
  return true;
}

// ----------------------------------------------------------------------- take

bool SmallCopier::Take() {
  for (; taken_ < count_; ++taken_) {
    Extent& extent = *sorted_[taken_];
    void* block = Blocks::TryTake(arena_, extent.bytes, extent.align(),
                                  extent.block_type());
    if (block == nullptr) return false;
    if (extent.handle != nullptr) Blocks::NoteStorage(arena_, block);
    if (extent.is_table()) {
      NoteTableRow(arena_, block, extent.bytes, *extent.type);
    }
    extent.copy = static_cast<char*>(block);
  }
  return refs_.Reserve();
}

// ----------------------------------------------------------------------- copy

void SmallCopier::Copy() {
  for (std::size_t i = 0; i < count_; ++i) {
    const Extent& extent = extents_[i];
    std::memcpy(extent.copy, extent.source, extent.bytes);
  }
  for (std::size_t i = 0; i < links_count_; ++i) Rewrite(links_[i]);
}

inline void SmallCopier::Rewrite(const Link& link) {
  char* slot = extents_[link.in - 1].copy + link.offset;
  const Extent* to = link.to != 0 ? &extents_[link.to - 1] : nullptr;
  switch (link.type->kind) {
    case TypeKind::kPointer:
      *reinterpret_cast<void**>(slot) = to->copy;
      return;
    case TypeKind::kView:
      return link.type->ops->set_view(slot, to->copy);
    default:
      if (IsRef(*link.type)) return refs_.Copy(*link.type, slot);
      return link.type->ops->adopt(slot, &arena_,
                                   to != nullptr ? to->copy : nullptr,
                                   to != nullptr ? to->bytes : 0);
  }
}

}  // namespace acre::inline ACRE_ABI::detail
