// SPDX-License-Identifier: MIT
//
// WeakArenaRef: an entry of the registry, and which of its lives is meant. The
// collector zeroes the entry's address after the world runs again, so that is
// read under its lock: without it, an arena that nothing reached could be
// handed out.

#include "acre/arena_ref.h"
#include "acre/failure.h"
#include "collector/libgc.h"
#include "core/chunk_index.h"
#include "core/slow_path.h"

namespace acre::inline ACRE_ABI {
namespace detail {
namespace {

struct Question {
  const ArenaEntry* entry;
  std::uint64_t lives;
};

Arena* Ask(void* data) {
  const auto& question = *static_cast<const Question*>(data);
  Arena* const arena = question.entry->arena();
  // Afterwards: the number grows before another arena moves in.
  return question.entry->lives.load() == question.lives ? arena : nullptr;
}

void* GC_CALLBACK AskLocked(void* data) { return Ask(data); }

}  // namespace
}  // namespace detail

WeakArenaRef::WeakArenaRef(Arena& arena) {
  const detail::ArenaEntry* const entry = detail::SlowPath(arena).Entry();
  if (entry == nullptr) {
    detail::FailOutOfMemory(
        {arena.name(), sizeof(detail::ArenaEntry), 0, SIZE_MAX});
  }
  entry_ = reinterpret_cast<std::uintptr_t>(entry);
  life_ = entry->lives.load() * 2 + (arena.is_collected() ? 1 : 0);
}

Arena* WeakArenaRef::lock() const noexcept {
  if (entry_ == 0) return nullptr;
  detail::Question question{reinterpret_cast<const detail::ArenaEntry*>(entry_),
                            life_ / 2};
  const bool is_collected = life_ % 2 != 0;
  return static_cast<Arena*>(
      is_collected ? GC_call_with_alloc_lock(&detail::AskLocked, &question)
                   : detail::Ask(&question));
}

}  // namespace acre::inline ACRE_ABI
