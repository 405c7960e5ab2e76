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

// Pointers, and not objects: destructors of other thread_local or static
// objects may use a Scratch after those of this file have run.
thread_local ScratchArena* t_arenas[2];
thread_local bool t_is_ending = false;

struct Cleaner {
  ~Cleaner() {
    t_is_ending = true;
    for (ScratchArena*& arena : t_arenas) {
      if (arena == nullptr || arena->depth != 0) continue;
      delete arena;
      arena = nullptr;
    }
  }
};

ScratchArena& OfThread(int which) {
  thread_local const Cleaner cleaner;
  if (t_arenas[which] == nullptr) t_arenas[which] = new ScratchArena;
  return *t_arenas[which];
}

Arena& Choose(const Arena* result) {
  ScratchArena& first = OfThread(0);
  return &first.arena == result ? OfThread(1).arena : first.arena;
}

ScratchArena*& StateOf(const Arena& arena) {
  return t_arenas[t_arenas[0] != nullptr && &arena == &t_arenas[0]->arena ? 0
                                                                          : 1];
}

}  // namespace

Scratch::Scratch(const Arena* result)
    : arena_(Choose(result)),
      mark_(arena_.Checkpoint()),
      resets_(arena_.resets()) {
  ++StateOf(arena_)->depth;
}

Scratch::~Scratch() {
  ScratchArena*& state = StateOf(arena_);
  if (--state->depth == 0) {
    arena_.Reset();  // and not Rewind: that is what gives memory back
    if (t_is_ending) {
      delete state;
      state = nullptr;
    }
  } else if (arena_.IsOpen(mark_)) {
    arena_.Rewind(mark_);
  }
}

void Scratch::Rewind() {
  if (arena_.IsOpen(mark_)) {
    arena_.Rewind(mark_);
  } else if (arena_.resets() != resets_) {
    arena_.Reset();  // a Reset has closed it: all there is came later
  }
  resets_ = arena_.resets();
  mark_ = arena_.Checkpoint();
}

}  // namespace acre::inline ACRE_ABI
