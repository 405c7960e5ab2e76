// SPDX-License-Identifier: MIT

#include "collector/slot_frame.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "collector/gc_slots.h"
#include "collector/libgc.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

/// The part of a segment's head that a frame keeps.
constexpr std::size_t kHeadBegin = offsetof(SlotSegment, next);
constexpr std::size_t kHeadBytes = offsetof(SlotSegment, frames) - kHeadBegin;

template <class Segment>
auto* HeadOf(Segment* segment) {
  using Byte = std::conditional_t<std::is_const_v<Segment>, const char, char>;
  return reinterpret_cast<Byte*>(segment) + kHeadBegin;
}

std::size_t SlotBytes(const SlotSegment& segment) {
  return segment.fresh * sizeof(segment.slots[0]);
}

/// A collection in the middle clears slots on one side alone.
void Copy(const SlotSegment& from, SlotSegment* to) {
  std::uint64_t collection = 0;
  do {
    collection = GC_get_gc_no();
    std::memcpy(to->slots, from.slots, SlotBytes(from));
    std::memcpy(HeadOf(to), HeadOf(&from), kHeadBytes);
    asm volatile("" : : : "memory");
  } while (from.kind == SlotKind::kWeak && collection != GC_get_gc_no());
}

bool AreAlike(const SlotSegment& a, const SlotSegment& b) {
  return std::memcmp(HeadOf(&a), HeadOf(&b), kHeadBytes) == 0 &&
         std::memcmp(a.slots, b.slots, SlotBytes(a)) == 0;
}

/// Calls visit(segment) for each that is in a level.
template <class Visit>
void ForEachSegment(const SlotTable& table, Visit visit) {
  for (SlotSegment* l = table.levels; l != nullptr; l = l->outer) {
    for (SlotSegment* s = l; s != nullptr; s = s->next) visit(s);
  }
}

}  // namespace

SlotCopies::~SlotCopies() {
  for (const bool is_strong : {true, false}) {
    while (SlotSegment* const segment = Pop(is_strong)) {
      slots::FreeSegment(segment);
    }
  }
}

bool SlotCopies::Get(List& list, std::size_t count, bool is_strong) {
  while (list.count < count) {
    SlotSegment* const segment = slots::NewSegment(
        false, is_strong ? SlotKind::kStrong : SlotKind::kWeak);
    if (segment == nullptr) return false;
    segment->next = list.first;
    list.first = segment;
    ++list.count;
  }
  return true;
}

bool SlotCopies::GetFor(std::size_t strong, std::size_t weak) {
  return Get(strong_, strong, true) && Get(weak_, weak, false);
}

SlotSegment* SlotCopies::Pop(bool is_strong) {
  List& list = is_strong ? strong_ : weak_;
  SlotSegment* const segment = list.first;
  if (segment == nullptr) return nullptr;
  list.first = segment->next;
  --list.count;
  return segment;
}

bool SlotFrame::ListTable(const SlotTable& table, const Table* last,
                          Table* to) {
  std::size_t count = 0;
  ForEachSegment(table, [&](SlotSegment*) { ++count; });
  to->levels = table.levels;
  if (count == 0) return true;
  to->parts = static_cast<Part*>(std::malloc(count * sizeof(Part)));
  if (to->parts == nullptr) return false;
  // Most stand in the order in which they stood.
  const Part* next = last == nullptr ? nullptr : last->parts;
  const Part* const end = next == nullptr ? nullptr : next + last->count;
  ForEachSegment(table, [&](SlotSegment* segment) {
    const Part* const known = std::find_if(
        next, end, [=](const Part& part) { return part.segment == segment; });
    if (known != end) next = known + 1;
    const bool is_shared = known != end && AreAlike(*segment, *known->copy);
    to->parts[to->count++] = {segment, is_shared ? known->copy : nullptr};
    to->lacking += is_shared ? 0 : 1;
  });
  return true;
}

bool SlotFrame::List(const ArenaEntry& entry, const SlotFrame* last) {
  return ListTable(entry.refs, last == nullptr ? nullptr : &last->refs_,
                   &refs_) &&
         ListTable(entry.weak_refs,
                   last == nullptr ? nullptr : &last->weak_refs_, &weak_refs_);
}

void SlotFrame::FillTable(Table* table, bool is_strong, SlotCopies& copies) {
  for (std::size_t i = 0; i < table->count; ++i) {
    Part& part = table->parts[i];
    if (part.copy == nullptr) {
      part.copy = copies.Pop(is_strong);
      Copy(*part.segment, part.copy);
    }
    ++part.copy->frames;
  }
  table->is_filled = true;
}

bool SlotFrame::Take(ArenaEntry& entry,
                     const SlotFrame* (*last)(const void* context),
                     const void* context) {
  SlotCopies copies;
  for (;;) {
    Drop();
    const bool is_listed = List(entry, last(context));
    const std::size_t strong = refs_.lacking;
    const std::size_t weak = weak_refs_.lacking;
    if (is_listed && copies.HasFor(strong, weak)) break;
    Drop();
    if (!is_listed || !copies.GetFor(strong, weak)) return false;
  }
  FillTable(&refs_, true, copies);
  FillTable(&weak_refs_, false, copies);
  return true;
}

void SlotFrame::PutTable(const Table& from, SlotTable* table) {
  for (SlotSegment* s = table->all; s != nullptr; s = s->held) {
    s->leader = nullptr;
  }
  for (std::size_t i = 0; i < from.count; ++i) {
    const Part& part = from.parts[i];
    SlotSegment& segment = *part.segment;
    const std::uint32_t fresh = segment.fresh;
    Copy(*part.copy, &segment);
    if (fresh > segment.fresh) {
      std::fill(segment.slots + segment.fresh, segment.slots + fresh, 0);
    }
  }
  table->levels = from.levels;
  table->spares = nullptr;
  for (SlotSegment* s = table->all; s != nullptr; s = s->held) {
    if (s->leader == nullptr) slots::MakeSpare(*table, s);
  }
}

void SlotFrame::Put(ArenaEntry& entry) const {
  PutTable(refs_, &entry.refs);
  PutTable(weak_refs_, &entry.weak_refs);
}

void SlotFrame::DropTable(Table* table) {
  for (std::size_t i = 0; table->is_filled && i < table->count; ++i) {
    SlotSegment* const copy = table->parts[i].copy;
    if (--copy->frames == 0) slots::FreeSegment(copy);
  }
  std::free(table->parts);
  *table = {};
}

void SlotFrame::Drop() {
  DropTable(&refs_);
  DropTable(&weak_refs_);
}

void SlotFrame::swap(SlotFrame& other) noexcept {
  std::swap(refs_, other.refs_);
  std::swap(weak_refs_, other.weak_refs_);
}

std::size_t SlotFrame::bytes() const {
  std::size_t bytes = 0;
  for (const Table* table : {&refs_, &weak_refs_}) {
    bytes += table->count * sizeof(Part);
    for (std::size_t i = 0; i < table->count; ++i) {
      bytes += SlotSegment::kPage / table->parts[i].copy->frames;
    }
  }
  return bytes;
}

}  // namespace acre::inline ACRE_ABI::detail
