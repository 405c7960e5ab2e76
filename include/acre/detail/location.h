// SPDX-License-Identifier: MIT
//
// Location: what an arena knows of an address inside one of its chunks. For
// the auditor and for messages. Internal to acre.

#ifndef ACRE_DETAIL_LOCATION_H_
#define ACRE_DETAIL_LOCATION_H_

#include <cstddef>
#include <cstdint>

#include "acre/config.h"
#include "acre/fwd.h"

namespace acre::inline ACRE_ABI::detail {

enum class Place : std::uint8_t {
  kNotInArena,  ///< in no chunk of any living arena
  kLive,        ///< handed out; in release builds perhaps freed since
  kFreed,       ///< inside a freed block (checked builds know)
  kUnused,      ///< in a chunk, but never handed out since the last Reset
};

struct Location {
  Arena* arena = nullptr;
  Place place = Place::kNotInArena;
  const char* chunk_begin = nullptr;
  const char* chunk_end = nullptr;
  const char* live_end = nullptr;   // nothing from here on is handed out
  const char* dirty_end = nullptr;  // nor was before the last Reset or Rewind
  // Checked builds, kLive and kFreed: the block around the address.
  const void* block = nullptr;
  std::size_t block_bytes = 0;
  const TypeLayout* block_type = nullptr;  // null: raw bytes
  bool is_storage = false;                 // of a container
};

/// Constant. Exact while the arena that owns the address is not in use by
/// another thread.
Location Locate(const void* address) noexcept;

/// The same with the world stopped by the collector: takes no lock, whoever was
/// stopped in the middle of what.
Location LocateWhileStopped(const void* address) noexcept;

/// While there is one, ArenaOf takes no lock on this thread either: handles may
/// ask where their storage lies.
class WhileStopped {
 public:
  WhileStopped() noexcept;
  ~WhileStopped();
  WhileStopped(const WhileStopped&) = delete;
  WhileStopped& operator=(const WhileStopped&) = delete;
};

/// True for a pointer or view in a traced arena, at `slot`, that the collector
/// sees. Takes no lock between SetStopper, as ArenaOf.
bool IsTracedSlot(const TypeLayout& type, const void* slot) noexcept;
bool IsTracedWord(const void* word) noexcept;
/// True where a GcRef of the arena around it seems to stand that holds what it
/// refers to. Requires: two words are there.
bool IsRefAt(const void* word) noexcept;
/// What the GcRef or GcWeakRef of an arena refers to, kept by the caller's
/// frame. Null: nothing, or it is not sound: it does not hold what it says.
const void* RefTarget(const TypeLayout& type, const void* ref) noexcept;

/// True for an address below the youngest open mark of the arena.
bool IsOlderThanMark(const Arena& arena, const void* address) noexcept;

/// How often a History has brought the arena back: what stands outside and
/// manages blocks of it compares that before it gives them back.
std::uint64_t TimesBroughtBack(const Arena& arena) noexcept;

/// True where frames of a History were captured since the last Reset.
bool HasFrames(const Arena& arena) noexcept;

/// True for the stamp of what is live and not older than the youngest open
/// mark. Constant, or as Arena::IsLive.
bool IsOfThisLevel(const Arena& arena, std::uint64_t stamp) noexcept;

/// True for an address that Rewind(mark) would give back.
bool IsYounger(const Arena& arena, const Mark& mark,
               const void* address) noexcept;

/// Fails (misuse) where `block` is not a live block of `arena`. Checked builds;
/// `what` names the caller ("Vector::push_back").
void CheckLiveBlock(const Arena& arena, const void* block, const char* what);

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_LOCATION_H_
