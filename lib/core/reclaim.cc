// SPDX-License-Identifier: MIT
//
// Reclaim: finds chunks whose every block lies on a freelist and makes spares
// of them, so that a phase of 48-byte blocks leaves its memory to a phase of
// 64-byte ones. Two passes over the freelists, only when so much was freed
// since the last scan that each Free pays for a constant share of it.
//
// By then the rest of the current chunk must not have served the next phase: a
// few of its blocks would keep the whole chunk. So the Free that makes a scan
// worth it sets that rest aside (PlanReclaim), and the next block that no
// freelist has comes to the slow path, which scans first. Without that a scan
// is made when the current chunk is full (Refill).

#include <algorithm>
#include <atomic>

#include "core/poison.h"
#include "core/slow_path.h"

namespace acre::inline ACRE_ABI::detail {

/// Sets the rest of the current chunk aside, where a scan is worth it: where
/// the freelists have gained half of what they hold since the last one, and
/// half of the next chunk; twice that after each scan in vain. What is freed
/// and taken again at once is no gain.
void SlowPath::PlanReclaim() {
  if (a_.mark_ != nullptr || !a_.options_.freelists || a_.tracer_ != nullptr) {
    return;
  }
  const std::size_t free = a_.freed_ - a_.reused_;
  const std::size_t worth = (std::max(NextChunkSize(), free) / 2)
                            << a_.vain_scans_;
  a_.unreclaimed_ = std::min(a_.unreclaimed_, free);
  const std::size_t gain = free - a_.unreclaimed_;
  if (gain < worth || a_.current_ == nullptr) {
    ReclaimAt() = a_.freed_ + std::max(worth - std::min(gain, worth), kGranule);
    return;
  }
  a_.limit_ = a_.cursor_;
  if (a_.sampler_ != nullptr) a_.sampler_->is_tail_aside = true;
  ReclaimAt() = SIZE_MAX;
}

/// False where the rest of the current chunk is not set aside.
bool SlowPath::TakeTailBack() {
  if (a_.current_ == nullptr || a_.tracer_ != nullptr ||
      Limit() == a_.current_->limit) {
    return false;
  }
  SetLimit(a_.current_->limit);
  return true;
}

bool SlowPath::Reclaim() {
  a_.scanned_ = a_.freed_;
  ReclaimAt() = 0;
  if (a_.current_ == nullptr) return false;
  NoteTop();
  CountFreed();
  bool found = false;
  for (Chunk* c = a_.first_; c != nullptr; c = c->next) {
    if (IsInUse(*c) && c->scan_freed != 0) found |= c->IsWhole();
  }
  if (found) {
    DropFreed();
    ShelveWholeChunks();
  }
  a_.unreclaimed_ = a_.freed_ - a_.reused_;
  constexpr unsigned kMostVain = 6;
  a_.vain_scans_ = found ? 0 : std::min(a_.vain_scans_ + 1, kMostVain);
  return found;
}

/// Moves whole chunks behind current_, the oldest in front. Where that is whole
/// itself the oldest takes its place: small chunks are to be filled before
/// large ones, which may be all that fits a large block.
void SlowPath::ShelveWholeChunks() {
  Chunk* const current = a_.current_;
  Chunk* const spares = current->next;
  Chunk* whole = nullptr;
  Chunk** whole_end = &whole;
  Chunk** used_end = &a_.first_;
  for (Chunk* c = a_.first_; c != spares; c = c->next) {
    const bool is_whole = c->IsWhole();
    Chunk**& end = is_whole ? whole_end : used_end;
    *end = c;
    end = &c->next;
    if (is_whole) Vacate(c);
  }
  *used_end = whole;
  *whole_end = spares;
  if (current->order == 0) StartAt(whole);
}

}  // namespace acre::inline ACRE_ABI::detail
