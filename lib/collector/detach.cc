// SPDX-License-Identifier: MIT
//
// Detach: how a copy of acre leaves a process that goes on.

#include <cstdio>

#include "acre/detail/gc_events.h"
#include "acre/gc.h"
#include "collector/libgc.h"
#include "core/chunk_index.h"
#include "core/commons.h"

namespace acre::inline ACRE_ABI {
namespace detail {
namespace {

/// Null: no arena is alive that calls this module for chunks.
const char* WhichArenaLives() {
  static char text[128];
  char name[48] = "";
  if (index::CountOfThisModule(name, sizeof name) == 0) return nullptr;
  if (IsCollectorRunning() && IsThreadRegistered()) CollectNow();
  if (index::CountOfThisModule(name, sizeof name) == 0) return nullptr;
  if (!kChecked) return "an arena whose source is of this module is alive";
  std::snprintf(text, sizeof text,
                "arena '%s', whose source is of this module, is alive", name);
  return text;
}

/// Why it cannot be done, or null: it is.
const char* TryDetach() {
  if (const char* arena = WhichArenaLives()) return arena;
  if (CountFarewells() != 0) return "a function of OnCollected is to run";
  if (HasStarter()) return "the thread in which it began has not ended";
  if (IsCollectorRunning()) {
    if (const char* why = WhyNotDetach()) return why;
    if (!LeaveCollections()) return "a finalizer of acre's is to run";
  }
  LeaveAudits();
  Unpin();
  return nullptr;
}

}  // namespace
}  // namespace detail

bool Detach(const char** reason) noexcept {
  if (!detail::CanBeUnloaded()) return true;
  const char* const why = detail::TryDetach();
  if (reason != nullptr && why != nullptr) *reason = why;
  return why == nullptr;
}

}  // namespace acre::inline ACRE_ABI
