// SPDX-License-Identifier: MIT
//
// ArenaWatch: what the audit room is told of an arena in checked builds, and in
// release builds of one that is audited in part. The core knows no auditor: it
// calls whoever has set a WatchMaker. Internal to acre.

#ifndef ACRE_DETAIL_WATCH_H_
#define ACRE_DETAIL_WATCH_H_

#include <cstddef>

#include "acre/config.h"
#include "acre/fwd.h"

namespace acre::inline ACRE_ABI::detail {

struct ArenaEntry;  // lib/core/chunk_index.h

/// Called on the thread that uses the arena, between its operations.
class ArenaWatch {
 public:
  /// A block is about to be taken.
  virtual void BeforeTake(Arena& arena) = 0;
  /// An object or array of a registered type is about to be freed.
  virtual void BeforeFree(Arena& arena) = 0;
  /// The bytes of a block are given back, of whatever kind it is.
  virtual void BlockFreed(const void* block, std::size_t bytes) = 0;
  /// Around Reset and Rewind.
  virtual void BeforeReset(Arena& arena) = 0;
  virtual void AfterReset(Arena& arena) = 0;
  /// In the arena's destructor, while it is whole: throws nothing.
  virtual void BeforeEnd(Arena& arena) noexcept = 0;
  /// The arena is gone; nothing is called after this. Any thread may call it;
  /// it must not use an arena, nor call libgc.
  virtual void Ended() noexcept = 0;

 protected:
  ~ArenaWatch() = default;
};

/// Asked for a watch when a checked arena is about to get its first chunk, or
/// another one its first audited page; may return null. Any thread.
using WatchMaker = ArenaWatch* (*)(Arena& arena, const ArenaEntry& entry);
void SetWatchMaker(WatchMaker maker) noexcept;

/// The arena's watch, or null. Asks the maker where that has not been done.
ArenaWatch* WatchOf(Arena& arena);

/// True where the calling thread is the arena's: it used it last, and has not
/// handed it over.
bool IsUsedHere(const Arena& arena) noexcept;

/// The arena of the entry that the maker was given, or null where the collector
/// has freed it. Not after Ended. Takes no lock.
Arena* ArenaIn(const ArenaEntry& entry) noexcept;

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_WATCH_H_
