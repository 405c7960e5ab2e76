// SPDX-License-Identifier: MIT
//
// Checkpoint and Rewind. While a mark is open:
//   - the freelists start empty, so that nothing older is handed out again;
//   - blocks freed below the mark wait in its list until it closes;
//   - so do large blocks, and others that have no size class;
//   - the MarkState itself stands at the cursor, so no older block is the last
//     one of its chunk, and none grows in place.

#include "core/mark.h"

#include <algorithm>
#include <utility>

#include "core/poison.h"
#include "core/slow_path.h"

namespace acre::inline ACRE_ABI::detail {

/// No freelist of this class or a larger one has a block.
unsigned SlowPath::ListsInUse() const {
  if (a_.freed_ == a_.reused_) return 0;
  const bool has_all = a_.far_free_ != nullptr || a_.tracer_ != nullptr ||
                       a_.sampler_ != nullptr;
  return has_all ? kClassCount : kNearClasses + 1;
}

std::size_t SlowPath::MarkBytes() {
  std::size_t lists = 0;
  ForEachListBelow(ListsInUse(), [&](FreeBlock*& list, unsigned) {
    lists += list != nullptr ? 1 : 0;
  });
  return RoundUp(sizeof(MarkState) + lists * sizeof(SavedList), kGranule);
}

Mark SlowPath::Checkpoint() {
  const Updating updating(*this);
  TakeTailBack();
  std::size_t bytes = MarkBytes();
  while (Remaining() < bytes) {
    if (!Refill(bytes)) a_.FailAllocation(bytes);
    bytes = MarkBytes();  // the freelists may have changed
  }
  const unsigned lists_in_use = ListsInUse();
  char* position = a_.cursor_;
  a_.cursor_ += bytes;
  Unpoison(position, bytes);
  auto* state =
      ::new (position) MarkState{a_.mark_,
                                 a_.current_,
                                 position,
                                 nullptr,
                                 a_.freed_,
                                 a_.reused_,
                                 a_.scanned_,
                                 a_.unreclaimed_,
                                 0,
                                 a_.next_order_,
                                 a_.next_stamp_++,
                                 a_.stamp_,
                                 0,
                                 JumpFrom(a_.mark_),
                                 a_.mark_ != nullptr ? a_.mark_->depth + 1 : 0};
  ForEachListBelow(lists_in_use, [state](FreeBlock*& list, unsigned number) {
    if (list == nullptr) return;
    state->saved()[state->saved_count++] = {std::exchange(list, nullptr),
                                            number};
  });
  a_.freed_ = a_.reused_ = a_.scanned_ = a_.unreclaimed_ = 0;
  SetMark(state);
  a_.stamp_ = state->stamp;
  return Mark(&a_, state, state->stamp);
}

/// A mark that was closed may lie in memory that is somebody else's by now, or
/// nobody's: it is read only where the arena has handed it out. (Closing one
/// takes its stamp away; a Reset closes all without going through them.)
MarkState* SlowPath::FindMark(Mark mark) const {
  if (mark.arena_ != &a_ || a_.mark_ == nullptr) return nullptr;
  if (a_.mark_->stamp == mark.stamp_) return a_.mark_;
  if (mark.stamp_ < a_.reset_stamp_) return nullptr;
  const auto* at = reinterpret_cast<const char*>(mark.state_);
  const Chunk* chunk = a_.current_;  // nearly always
  if (at < chunk->begin.load() || at >= a_.cursor_) chunk = index::Find(at);
  if (chunk == nullptr || chunk->owner.load() != a_.entry_ ||
      !IsInUse(*chunk) || at < chunk->begin.load() || at >= TopOf(*chunk) ||
      static_cast<std::size_t>(TopOf(*chunk) - at) < sizeof(MarkState)) {
    return nullptr;
  }
  return ReadStamp(*mark.state_) == mark.stamp_ ? mark.state_ : nullptr;
}

/// In checked builds a user's block may lie there, freed and poisoned.
ACRE_READS_FREE_BLOCKS std::uint64_t SlowPath::ReadStamp(
    const MarkState& state) {
  return state.stamp;
}

void SlowPath::SetMark(MarkState* mark) {
  a_.mark_ = mark;
  NoteOlder();
  ReclaimAt() = 0;
}

void SlowPath::Rewind(Mark mark) {
  const Updating updating(*this);
  MarkState* target = FindMark(mark);
  ACRE_CHECK(target != nullptr,
             "Rewind of arena '%s': the mark is not open (a Reset or a Rewind "
             "has closed it, or it is of another arena)",
             a_.name());
  // Collect what waits in the target and in younger marks. Links lie in the
  // blocks, so this must precede forgetting them.
  WaitingBlock* waiting = nullptr;
  for (MarkState* m = a_.mark_;; m = m->outer) {
    waiting = GatherWaiting(m->waiting, waiting, *target);
    if (m == target) break;
    m->stamp = 0;
  }
  const MarkState closed = *target;
  target->stamp = 0;
  // Frames from within have what was made before the mark up to then; what is
  // made from now on they have not.
  LiveStamps& older = a_.entry_->older_stamps;
  const bool has_frames = older.CutFrom(closed.stamp);
  a_.stamp_ = has_frames && older.Add(closed.outer_stamp) ? a_.next_stamp_++
                                                          : closed.outer_stamp;
  SetMark(closed.outer);
  slots::Rewind(*a_.entry_, closed.stamp);
  EmptyFreeLists();
  for (std::size_t i = 0; i < closed.saved_count; ++i) {
    PutList(target->saved()[i]);
  }
  a_.freed_ = closed.freed;
  a_.reused_ = closed.reused;
  a_.scanned_ = closed.scanned;
  a_.unreclaimed_ = closed.unreclaimed;
  RewindChunks(closed);
  GiveWaiting(waiting);
}

void SlowPath::RewindChunks(const MarkState& closed) {
  NoteTop();
  RetireAllLarge(closed.order);
  ForgetBlocks(closed.chunk, closed.cursor);
  ForgetTraced(closed.chunk, closed.cursor);
  for (Chunk* c = closed.chunk; c != a_.current_;) {
    c = c->next;
    Vacate(c);
  }
  a_.current_ = closed.chunk;
  a_.cursor_ = closed.cursor;
  SetLimit(closed.chunk->limit);
}

/// Moves to `kept` those blocks of `list` that outlive the target mark.
ACRE_READS_FREE_BLOCKS WaitingBlock* SlowPath::GatherWaiting(
    WaitingBlock* list, WaitingBlock* kept, const MarkState& target) {
  while (list != nullptr) {
    WaitingBlock* block = list;
    list = block->next;
    if (!IsBelow(target, block)) continue;
    block->next = kept;
    kept = block;
  }
  return kept;
}

ACRE_READS_FREE_BLOCKS void SlowPath::GiveWaiting(WaitingBlock* list) {
  while (list != nullptr) {
    WaitingBlock* block = list;
    list = block->next;
    const std::uint64_t index = block->index;
    if (index == kWaitingUnclassed) {
      GiveUnclassed(block);
    } else if (a_.mark_ != nullptr && IsBelow(*a_.mark_, block)) {
      PushWaiting(block, static_cast<unsigned>(index));
    } else {
      PushFree(block, static_cast<unsigned>(index),
               BytesOfClass(static_cast<unsigned>(index)));
    }
  }
}

ACRE_READS_FREE_BLOCKS void SlowPath::LinkWaiting(void* block,
                                                  std::uint64_t index) {
  auto* waiting = static_cast<WaitingBlock*>(block);
  waiting->next = a_.mark_->waiting;
  waiting->index = index;
  a_.mark_->waiting = waiting;
}

void SlowPath::PushWaiting(void* block, unsigned index) {
  LinkWaiting(block, index);
  a_.mark_->waiting_bytes += BytesOfClass(index);
}

bool SlowPath::IsBelow(const MarkState& mark, const void* block) const {
  const Chunk* chunk = index::Find(block);
  if (chunk == mark.chunk) return static_cast<const char*>(block) < mark.cursor;
  return chunk->order < mark.order;
}

/// The oldest open mark that a block lies below; null where it is younger than
/// all. Logarithmic in the number of open marks: whatever lies below a mark
/// lies below all that are younger.
MarkState* SlowPath::OldestAbove(const void* block) const {
  MarkState* m = a_.mark_;
  if (m == nullptr || !IsBelow(*m, block)) return nullptr;
  for (;;) {
    if (m->jump != nullptr && IsBelow(*m->jump, block)) {
      m = m->jump;
    } else if (m->outer != nullptr && IsBelow(*m->outer, block)) {
      m = m->outer;
    } else {
      return m;
    }
  }
}

/// Counts the freed bytes of the stretch in which a block was made.
std::size_t& SlowPath::FreedCounter(const void* block) {
  MarkState* const above = OldestAbove(block);
  return above == nullptr ? a_.freed_ : above->freed;
}

/// Of several that its stretch has by frames the first: the address does not
/// tell which.
std::uint64_t SlowPath::StampOf(const void* address) const {
  const MarkState* const above = OldestAbove(address);
  const MarkState* const below = above == nullptr ? a_.mark_ : above->outer;
  const std::uint64_t last = above == nullptr ? a_.stamp_ : above->outer_stamp;
  if (a_.entry_ == nullptr) return last;
  return a_.entry_->older_stamps.FirstFrom(
      below == nullptr ? a_.reset_stamp_ : below->stamp, last);
}

std::uint64_t SlowPath::LevelOf(const void* address) const {
  if (a_.mark_ == nullptr) return 0;
  const MarkState* const above =
      address == nullptr ? nullptr : OldestAbove(address);
  const MarkState* const below = above == nullptr ? a_.mark_ : above->outer;
  return below == nullptr ? 0 : below->stamp;
}

bool SlowPath::IsYounger(Mark mark, const void* address) const {
  const MarkState* state = FindMark(mark);
  return state != nullptr && a_.Owns(address) && !IsBelow(*state, address);
}

bool SlowPath::IsBelowMark(const void* block) const {
  return IsBelow(*a_.mark_, block);
}

bool SlowPath::IsOlderThanMark(const void* address) const {
  return a_.mark_ != nullptr && a_.Owns(address) && IsBelowMark(address);
}

bool SlowPath::IsLiveOlder(std::uint64_t stamp) const {
  return IsLiveInMarks(stamp) || a_.entry_->older_stamps.Contains(stamp);
}

void SlowPath::NoteOlder() {
  a_.older_ = HasFrames() ? static_cast<const void*>(a_.entry_) : a_.mark_;
}

bool SlowPath::IsLiveInMarks(std::uint64_t stamp) const {
  // Stamps grow from mark to mark; each is that of what came before the next.
  const MarkState* m = a_.mark_;
  while (m != nullptr && m->stamp > stamp) {
    if (m->outer == nullptr) return stamp == m->outer_stamp;
    m = m->jump != nullptr && m->jump->stamp >= stamp ? m->jump : m->outer;
  }
  return m != nullptr && m->stamp == stamp;
}

}  // namespace acre::inline ACRE_ABI::detail
