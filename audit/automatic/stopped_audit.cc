// SPDX-License-Identifier: MIT

#include "automatic/stopped_audit.h"

#include <utility>

#include "acre/detail/changed_pages.h"
#include "acre/detail/gc_events.h"
#include "acre/detail/location.h"

namespace acre::inline ACRE_ABI::detail {

/// Chooses the pages; false where nothing has changed.
bool StoppedAudit::Choose(const Arena& arena) {
  const std::uint64_t given_back = ChunksGivenBack(arena);
  const std::size_t heap_bytes = CollectedHeapBytes();
  const bool is_same = std::exchange(given_back_, given_back) == given_back;
  const bool has_grown = std::exchange(heap_bytes_, heap_bytes) != heap_bytes;
  if (sweeps_all_.exchange(false) || !is_same) NoteAllPages(arena);
  const bool is_written = FindWritten(arena, tracking_.load());
  if (!is_written && !has_grown) return ChoosePages(arena, kLeadsNear) != 0;
  // What the collector sees of a traced arena no page tells.
  if (arena.is_traced()) NoteAllPages(arena);
  return ChoosePages(arena, kWritten | kLeadsOut) != 0;
}

bool StoppedAudit::Run(const Arena& arena, PageSweep::IsKnown is_known,
                       FoundStopped found, void* context) {
  if (!Choose(arena)) return false;
  const WhileStopped stopped;
  if (PageSweep(arena, is_known, context).FindsNew()) {
    StoppedSweep(arena, found, context).Run();
  }
  borrows_.store(AnyNoted(arena, kBorrows));
  return true;
}

void StoppedAudit::RunMarked(const Arena& arena, FoundStopped found,
                             void* context) const {
  if (!borrows_.load()) return;
  const WhileStopped stopped;
  BorrowedSweep(arena, found, context).Run();
}

}  // namespace acre::inline ACRE_ABI::detail
