// SPDX-License-Identifier: MIT
//
// The C API: arenas, threads, and what is asked of the library.

#include <cstring>
#include <optional>
#include <string>

#include "acre/acre.h"
#include "acre/audit.h"
#include "acre/audit_policy.h"
#include "acre/audit_report.h"
#include "acre/gc.h"
#include "acre/version.h"
#include "calls.h"
#include "homes.h"

namespace acre::c_api {
namespace {

constexpr std::uint32_t kKnownFlags =
    ACRE_COLLECTED | ACRE_HOLDS_OBJECTS | ACRE_ONE_THREAD;

static_assert(sizeof(Mark) == sizeof(acre_mark));

void WriteLines(const AuditReport& report, acre_write write, void* data) {
  const std::string lines = ToJsonLines(report);
  write(data, lines.data(), lines.size());
}

thread_local std::optional<ThreadRegistration> t_registration;

}  // namespace
}  // namespace acre::c_api

using namespace acre;         // NOLINT(google-build-using-namespace)
using namespace acre::c_api;  // NOLINT(google-build-using-namespace)

// --------------------------------------------------------------- the library

uint32_t acre_c_abi(void) { return ACRE_C_ABI; }

#define ACRE_C_TEXT_OF(x) #x
#define ACRE_C_TEXT(x) ACRE_C_TEXT_OF(x)

const char* acre_library_version(void) {
  return ACRE_C_TEXT(ACRE_VERSION_MAJOR) "." ACRE_C_TEXT(
      ACRE_VERSION_MINOR) "." ACRE_C_TEXT(ACRE_VERSION_PATCH);
}

bool acre_is_checked(void) { return kChecked; }

const char* acre_error(void) { return LastError(); }

const char* acre_status_name(int status) {
  switch (status) {
    case ACRE_OK:
      return "ok";
    case ACRE_ABSENT:
      return "absent";
    case ACRE_STALE:
      return "stale";
    case ACRE_WRONG_KIND:
      return "wrong kind";
    case ACRE_OTHER_ARENA:
      return "other arena";
    case ACRE_OUT_OF_RANGE:
      return "out of range";
    case ACRE_OUT_OF_MEMORY:
      return "out of memory";
    case ACRE_BYTE_LIMIT:
      return "byte limit";
    case ACRE_CHANGED:
      return "changed";
    case ACRE_NO_OBJECTS:
      return "no objects";
    case ACRE_MISUSE:
      return "misuse";
    default:
      return "unknown";
  }
}

const char* acre_kind_name(uint32_t kind) {
  static constexpr const char* kNames[] = {
      "null",   "boolean", "integer", "double", "character", "text",
      "symbol", "bytes",   "map",     "vector", "builder",   "object"};
  return kind < std::size(kNames) ? kNames[kind] : "unknown";
}

// -------------------------------------------------------------------- arenas

acre_arena* acre_arena_new(const acre_arena_options* options) {
  acre_arena* made = nullptr;
  Call([&] {
    acre_arena_options known = {};
    if (options != nullptr) {
      if (options->size < offsetof(acre_arena_options, name)) {
        return Fail(ACRE_MISUSE,
                    "acre: acre_arena_new: the options' size is %zu",
                    options->size);
      }
      std::memcpy(&known, options, std::min(options->size, sizeof known));
    }
    if (known.reserved != 0) {
      return Fail(ACRE_MISUSE,
                  "acre: acre_arena_new: the options' field 'reserved' is %u",
                  static_cast<unsigned>(known.reserved));
    }
    if ((known.flags & ~kKnownFlags) != 0) {
      return Fail(ACRE_MISUSE, "acre: acre_arena_new: unknown flags %#x",
                  static_cast<unsigned>(known.flags & ~kKnownFlags));
    }
    made = HandleOf(NewArena(known));
    return int{ACRE_OK};
  });
  return made;
}

int acre_arena_end(acre_arena* arena) {
  return CallFor(arena, [](Arena& opened) {
    EndArena(opened);
    return int{ACRE_OK};
  });
}

int acre_arena_reset(acre_arena* arena, int mode) {
  return CallFor(arena, [&](Arena& opened) {
    if (mode != ACRE_KEEP_CHUNKS && mode != ACRE_RELEASE_CHUNKS) {
      return Fail(ACRE_MISUSE, "acre: acre_arena_reset: %d is no mode", mode);
    }
    opened.Reset(mode == ACRE_KEEP_CHUNKS ? ResetMode::kKeep
                                          : ResetMode::kRelease);
    return int{ACRE_OK};
  });
}

int acre_arena_checkpoint(acre_arena* arena, acre_mark* mark) {
  ACRE_C_REQUIRE(mark);
  return CallFor(arena, [&](Arena& opened) {
    const Mark made = opened.Checkpoint();
    std::memcpy(mark, &made, sizeof made);
    return int{ACRE_OK};
  });
}

int acre_arena_rewind(acre_arena* arena, const acre_mark* mark) {
  ACRE_C_REQUIRE(mark);
  return CallFor(arena, [&](Arena& opened) {
    Mark to;
    std::memcpy(static_cast<void*>(&to), mark, sizeof to);
    if (!opened.IsOpen(to)) {
      return Fail(ACRE_STALE,
                  "acre: arena '%s': the mark is not open: it is another "
                  "arena's, or a rewind or reset has closed it",
                  opened.name());
    }
    opened.Rewind(to);
    return int{ACRE_OK};
  });
}

int acre_arena_set_byte_limit(acre_arena* arena, size_t bytes) {
  return CallFor(arena, [&](Arena& opened) {
    opened.set_byte_limit(bytes == 0 ? SIZE_MAX : bytes);
    return int{ACRE_OK};
  });
}

const char* acre_arena_name(acre_arena* arena) {
  return arena == nullptr ? "" : ArenaOf(arena)->name();
}

int acre_arena_stats(acre_arena* arena, acre_stats* stats) {
  ACRE_C_REQUIRE(stats);
  return CallFor(arena, [&](Arena& opened) {
    const ArenaStats all = opened.stats();
    const acre_stats told = {stats->size, all.chunks + all.large_blocks,
                             all.reserved, all.live(), ResetsOf(opened)};
    if (stats->size < sizeof(size_t)) {
      return Fail(ACRE_MISUSE, "acre: acre_arena_stats: stats->size is %zu",
                  stats->size);
    }
    std::memcpy(stats, &told, std::min(stats->size, sizeof told));
    return int{ACRE_OK};
  });
}

int acre_arena_allocate(acre_arena* arena, size_t bytes, void** block) {
  ACRE_C_REQUIRE(block);
  return CallFor(arena, [&](Arena& opened) {
    *block = opened.Allocate(bytes);
    return int{ACRE_OK};
  });
}

int acre_arena_free(acre_arena* arena, void* block, size_t bytes) {
  return CallFor(arena, [&](Arena& opened) {
    if (block != nullptr && !opened.Owns(block)) {
      return Fail(ACRE_MISUSE, "acre: arena '%s' does not own the block at %p",
                  opened.name(), block);
    }
    opened.Free(block, bytes);
    return int{ACRE_OK};
  });
}

// -------------------------------------------------------------------- audits

int acre_arena_audit(acre_arena* arena, acre_write write, void* data) {
  ACRE_C_REQUIRE(write);
  return CallFor(arena, [&](Arena& opened) {
    WriteLines(AuditAll(opened), write, data);
    return int{ACRE_OK};
  });
}

int acre_arena_take_findings(acre_arena* arena, acre_write write, void* data) {
  ACRE_C_REQUIRE(write);
  return CallFor(arena, [&](Arena& opened) {
    const AuditReport report = TakeFindings(opened);
    if (!report.clean()) WriteLines(report, write, data);
    return int{ACRE_OK};
  });
}

// ------------------------------------------------------------------- threads

int acre_thread_begin(void) {
  return Call([] {
    CollectorSeesInteriorPointers();  // initialises it
    if (!t_registration) t_registration.emplace();
    return int{ACRE_OK};
  });
}

int acre_thread_end(void) {
  t_registration.reset();
  return ACRE_OK;
}
