// SPDX-License-Identifier: MIT
//
// ChunkIndex: which chunk holds an address. A radix tree over 4 KiB pages, 12
// bits a level, three levels: 48-bit addresses.
//
//   address: | root 12 | middle 12 | leaf 12 | offset 12 |
//   leaf slot -> IndexLink -> IndexLink ...   chunks that touch this page
//
// Lookups take no lock and never wait: three loads and a comparison. They are
// safe with any writer suspended (a collector callback) because nodes, links
// and records are never unmapped, and every write leaves the tree readable.
// A lookup that raced with a writer is repeated, under the lock outside
// callbacks.
//
// One index serves all copies of acre of one version and mode that the process
// has (commons.h): they find each other's arenas.
//
// Registry: each arena with chunks has an ArenaEntry. For a collected arena
// the collector zeroes the entry's `arena` (a disappearing link) in the very
// collection that frees it; from then on its chunks are not found, and the
// next writer takes them out.

#ifndef ACRE_LIB_CORE_CHUNK_INDEX_H_
#define ACRE_LIB_CORE_CHUNK_INDEX_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "acre/config.h"
#include "acre/fwd.h"
#include "core/chunk.h"
#include "core/live_stamps.h"
#include "core/slot_table.h"

namespace acre::inline ACRE_ABI::detail {

class ArenaWatch;   // acre/detail/watch.h
class ChunkKeeper;  // core/chunk_keeper.h
struct FreeBlock;   // acre/arena.h
struct Sampler;     // core/sampler.h

struct ArenaEntry {
  // The complement of the Arena's address, so that nothing takes it for a
  // reference; 0: dead. Written by the collector for collected arenas.
  std::atomic<std::uintptr_t> hidden_arena{0};
  std::atomic<std::uint64_t> lives{0};  // arenas that it was of, and are gone
  Chunk* chunks = nullptr;           // all of the arena's, linked by next_owned
  ArenaEntry* next = nullptr;        // among collected entries, or free ones
  ArenaEntry** linked_at = nullptr;  // what points to it among collected ones
  bool collected = false;
  ArenaEntry* next_made = nullptr;  // among all that were ever used
  bool is_made = false;             // is in that list
  ArenaWatch* watch = nullptr;      // audited ones; told when the arena is gone
  const void* watched_by = nullptr;   // the copy of acre that holds its code
  const void* source_code = nullptr;  // the table of its source's functions
  std::uint64_t chunks_given_back = 0;
  char name[48] = {};  // checked builds: the arena's, for when it is gone

  ChunkKeeper* keeper = nullptr;         // of the arena's History, or null
  std::uint64_t times_brought_back = 0;  // by a History
  LiveStamps older_stamps;  // of frames; kept when there is no History any more

  SlotTable refs;       // of GcRefs
  SlotTable weak_refs;  // of GcWeakRefs

  Sampler* sampler = nullptr;       // the arena's, owned
  FreeBlock** far_lists = nullptr;  // see FarLists; kept for the next arena

  /// Leaves no address on the stack, where the collector would find it.
  bool is_alive() const noexcept { return hidden_arena.load() != 0; }
  Arena* arena() const noexcept {
    const std::uintptr_t hidden = hidden_arena.load(std::memory_order_acquire);
    return hidden == 0 ? nullptr : reinterpret_cast<Arena*>(~hidden);
  }
};

#pragma GCC visibility push(hidden)

/// This copy of acre is about to be unloaded: its auditor watches no more.
void LeaveAudits() noexcept;

namespace index {

/// Freelists of the larger classes for the arena of this entry, empty; null
/// where memory ran out.
FreeBlock** FarLists(ArenaEntry* entry);

/// Null where memory ran out.
ArenaEntry* AddArena(Arena* arena, bool collected);
/// Takes the entry and what is left of its chunks out. Not for collected ones.
void RemoveArena(ArenaEntry* entry);

/// Ends the arena of the entry, which is explicit and has one chunk, and keeps
/// both, for the next arena of that kind: where arenas come and go nothing is
/// taken, given back or locked. False where 16 are kept.
bool Park(ArenaEntry* entry) noexcept;
/// One of those, with its chunk, which is empty; or null.
ArenaEntry* Unpark(Arena* arena) noexcept;

/// Calls visit(context, arena) for every living arena that has or had a chunk.
/// Takes no lock.
void ForEachArena(void (*visit)(void* context, const Arena& arena),
                  void* context);

/// A record for `memory`, in the index; null where memory ran out or where the
/// address has more than 48 bits.
Chunk* AddChunk(ArenaEntry* owner, ChunkMemory memory);
/// The source has made the chunk longer by `more` bytes; both its ends are
/// page-aligned. Its limit is for the caller to move. False, and nothing
/// changed, where memory ran out.
bool ExtendChunk(Chunk* chunk, std::size_t more);
/// Takes it out and recycles the record.
void RemoveChunk(Chunk* chunk);

/// The chunk of a living arena that holds `address` (header and tail
/// included), or null.
Chunk* Find(const void* address) noexcept;

/// Checked builds: true for an address in a chunk of an arena that the
/// collector has taken, as long as nobody has noticed; writes its name.
bool FindCollected(const void* address, char* name, std::size_t size) noexcept;

/// How many arenas with chunks are alive whose source is code of this module,
/// whichever copy of acre made them; writes the name of one, in checked builds.
/// Leaves no address of an arena on the stack.
std::size_t CountOfThisModule(char* name, std::size_t size) noexcept;
/// The watches whose code is of that copy are told that all is over.
void DropWatchesOf(const void* copy) noexcept;

/// The same as Find for collector callbacks: takes no lock, also where a thread
/// was stopped while it wrote. A chunk that it was adding or removing may be
/// missed.
Chunk* FindWhileStopped(const void* address) noexcept;

/// Between the two calls Find is FindWhileStopped, for this thread.
void SetStopper(bool is_stopped) noexcept;

}  // namespace index
}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_LIB_CORE_CHUNK_INDEX_H_
