// SPDX-License-Identifier: MIT

#include "acre/scratch.h"

#include "acre/chunk_source.h"

namespace acre::inline ACRE_ABI {
namespace {

// What an idle scratch arena keeps.
constexpr std::size_t kRetained = std::size_t{1} << 20;

struct ScratchArena {
  Arena arena{{.name = "scratch",
               .source = &MallocSource::Instance(),
               .retain_limit = kRetained}};
  unsigned depth = 0;  // Scratches that stand on it
};

ScratchArena& OfThread(int which) {
  thread_local ScratchArena arenas[2];
  return arenas[which];
}

Arena& Choose(const Arena* result) {
  ScratchArena& first = OfThread(0);
  return &first.arena == result ? OfThread(1).arena : first.arena;
}

ScratchArena& StateOf(const Arena& arena) {
  return OfThread(&arena == &OfThread(0).arena ? 0 : 1);
}

}  // namespace

Scratch::Scratch(const Arena* result)
    : arena_(Choose(result)),
      mark_(arena_.Checkpoint()),
      resets_(arena_.stats().resets) {
  ++StateOf(arena_).depth;
}

Scratch::~Scratch() {
  if (--StateOf(arena_).depth == 0) {
    arena_.Reset();  // and not Rewind: that is what gives memory back
  } else if (arena_.IsOpen(mark_)) {
    arena_.Rewind(mark_);
  }
}

void Scratch::Rewind() {
  if (arena_.IsOpen(mark_)) {
    arena_.Rewind(mark_);
  } else if (arena_.stats().resets != resets_) {
    arena_.Reset();  // a Reset has closed it: all there is came later
  }
  resets_ = arena_.stats().resets;
  mark_ = arena_.Checkpoint();
}

}  // namespace acre::inline ACRE_ABI
