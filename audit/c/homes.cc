// SPDX-License-Identifier: MIT

#include "homes.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <new>

#include "acre/audit_policy.h"
#include "acre/audit_report.h"
#include "acre/detail/around_fork.h"
#include "acre/detail/heap_arena.h"
#include "acre/gc.h"

namespace acre::c_api {
namespace {

constexpr std::size_t kNameRoom = 64;
constexpr std::uint32_t kEnded = 0x80000000;  // beside the flags of arenas

struct Home;

/// The name, and what belongs to it. The collected heap keeps it by its
/// beginning, which is what ArenaOptions::name holds.
struct Label {
  char name[kNameRoom];
  Home* home;            // null: of a collected arena
  std::uint64_t resets;  // of those who had the arena before
  std::uint32_t flags;
  std::uint32_t filler;
};

void Write(Label* label, Home* home, const acre_arena_options& options) {
  const char* const name = options.name == nullptr ? "arena" : options.name;
  const std::size_t size =
      std::min(std::strlen(name), std::size_t{kNameRoom - 1});
  std::memcpy(label->name, name, size);
  std::memset(label->name + size, 0, kNameRoom - size);
  label->home = home;
  label->resets = 0;
  label->flags = options.flags;
  label->filler = 0;
}

Label* LabelOf(const Arena& arena) {
  return reinterpret_cast<Label*>(const_cast<char*>(arena.name()));
}

ArenaOptions OptionsOf(const acre_arena_options& options, const Label* label) {
  return {.name = label->name,
          .byte_limit = options.byte_limit == 0 ? SIZE_MAX : options.byte_limit,
          .use = (options.flags & ACRE_ONE_THREAD) != 0
                     ? ArenaUse::kOneThread
                     : ArenaUse::kHostLocked};
}

void KeepFindings(Arena& arena) {
  AuditPolicy policy;
  policy.action = AuditAction::kKeep;
  SetAuditPolicy(arena, policy);
}

// --------------------------------------------------------------------- homes

/// An arena that its user ends, and the next user begins again.
struct Home {
  explicit Home(const acre_arena_options& options)
      : label(),
        arena((Write(&label, this, options), OptionsOf(options, &label))) {}

  Label label;
  Arena arena;
  Home* next = nullptr;  // among those that have ended
};

// Guards the lists of those that have ended: of one thread, and host-locked.
constinit std::mutex g_lock;
Home* g_ended[2] = {};

__attribute__((constructor)) void TakeLockAroundFork() {
  detail::TakeAroundFork(g_lock, detail::LockRank::kHomes);
}

Home*& EndedFor(std::uint32_t flags) {
  return g_ended[(flags & ACRE_ONE_THREAD) != 0 ? 0 : 1];
}

Home* TakeEnded(std::uint32_t flags) {
  const std::lock_guard<std::mutex> hold(g_lock);
  Home*& list = EndedFor(flags);
  Home* const home = list;
  if (home != nullptr) list = home->next;
  return home;
}

Arena& NewHome(const acre_arena_options& options) {
  Home* home = TakeEnded(options.flags);
  if (home == nullptr) {
    home = new Home(options);
    KeepFindings(home->arena);
    return home->arena;
  }
  Write(&home->label, home, options);
  home->label.resets = home->arena.resets();
  home->arena.set_byte_limit(OptionsOf(options, &home->label).byte_limit);
  home->arena.HandOver();
  return home->arena;
}

}  // namespace

Arena& NewArena(const acre_arena_options& options) {
  if ((options.flags & ACRE_COLLECTED) == 0) return NewHome(options);
  auto* label =
      static_cast<Label*>(detail::HeapArena().Allocate(sizeof(Label)));
  Write(label, nullptr, options);
  Arena& arena = *NewCollectedArena(OptionsOf(options, label));
  KeepFindings(arena);
  return arena;
}

void EndArena(Arena& arena) {
  if (const AuditReport left = TakeFindings(arena); !left.clean()) {
    std::fputs(ToText(left).c_str(), stderr);
  }
  arena.Reset(ResetMode::kRelease);
  if (arena.is_collected()) return;
  Label* const label = LabelOf(arena);
  label->flags |= kEnded;
  Home* const home = label->home;
  arena.HandOver();
  const std::lock_guard<std::mutex> hold(g_lock);
  Home*& list = EndedFor(label->flags);
  home->next = list;
  list = home;
}

bool IsInUse(const Arena& arena) {
  return (LabelOf(arena)->flags & kEnded) == 0;
}

std::uint64_t ResetsOf(const Arena& arena) {
  return arena.resets() - LabelOf(arena)->resets;
}

bool HoldsObjects(const Arena& arena) {
  return (LabelOf(arena)->flags & ACRE_HOLDS_OBJECTS) != 0;
}

}  // namespace acre::c_api
