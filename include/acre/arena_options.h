// SPDX-License-Identifier: MIT
//
// What an arena can be told, and what it tells. Plain aggregates.

#ifndef ACRE_ARENA_OPTIONS_H_
#define ACRE_ARENA_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "acre/config.h"
#include "acre/fwd.h"

namespace acre::inline ACRE_ABI {

/// How checked builds tell one use of an arena from a second one at a time.
enum class ArenaUse : std::uint8_t {
  /// One thread uses it, until HandOver.
  kOneThread,
  /// Any thread may, one at a time: a lock of the host's orders all use (an
  /// interpreter's, Guile's or ECL's modes of one lock). No HandOver is needed.
  /// Findings of audits are told by whoever uses the arena next, since that is
  /// who holds the lock: never by a thread that only runs finalizers.
  kHostLocked,
};

/// Whether the collector marks what an arena points to.
enum class Trace : std::uint8_t {
  /// It sees nothing in the arena: a pointer from there into the collected heap
  /// is a leak.
  kNothing,
  /// It sees, precisely and by layout, the pointers, spans and views in the
  /// objects of the arena and in what its containers hold, borrowed fields
  /// included. Of an optional or variant it sees the words in which one of its
  /// alternatives has an address, whichever there is; opaque holes it does not
  /// see. Raw memory (Allocate, a pool's or a memory resource's blocks) is
  /// scanned as a stack is: whatever looks like an address is taken for one.
  kPointers,
  /// The same; raw memory is not scanned.
  kPointersByLayout,
};

/// All sizes are bytes.
struct ArenaOptions {
  /// Used in every message. Borrowed; must outlive the arena.
  const char* name = "arena";

  /// Where chunks come from. Borrowed; must outlive the arena. Null: the
  /// collected heap (CollectedSource, <acre/gc.h>).
  ChunkSource* source = nullptr;

  /// The first chunk; every later one is as large as all before it together,
  /// so that n bytes take log n chunks, up to max_chunk. 0: 64 KiB, one burst
  /// of 16 page faults at the start, after one of 768 bytes where an arena with
  /// freelists begins with small blocks and the source is the default; for a
  /// collected arena, of which a program may have very many, 256 bytes. Of
  /// arenas that ended with that one of 768 bytes up to 16 chunks are kept, for
  /// the next ones, which then take no lock. (Not in checked builds.)
  std::size_t first_chunk = 0;

  /// Chunks grow no larger, single blocks aside. 4 MiB: collection cost per
  /// chunk is spread over a thousand pages. A power of two: libgc takes four
  /// times as long over a heap of blocks that are a page longer.
  std::size_t max_chunk = std::size_t{4} << 20;

  /// More than this is never reserved from the source.
  std::size_t byte_limit = SIZE_MAX;

  /// Reset(ResetMode::kKeep) and kClear retain chunks up to this total; the
  /// rest goes back to the source.
  std::size_t retain_limit = SIZE_MAX;

  /// False leaves freelists out: Free gives back the block allocated last and
  /// large blocks, others wait for Reset or Rewind. See BumpArena.
  bool freelists = true;

  ArenaUse use = ArenaUse::kOneThread;

  /// Pointers from the arena into the collected heap: allowed, and seen. An
  /// explicit arena is a root then, for as long as it lives; a collected one is
  /// marked through while it is reachable, so that a cycle from it to an object
  /// and back dies as a whole. Requires: no source (chunks are on the collected
  /// heap). Costs: allocation goes by the slow path, as does Free; a bit for
  /// each word, 1/65 of the memory; a first chunk of 4 KiB at least; the
  /// marking of what is pointed to; a byte_limit below 4 KiB is none;
  /// remaining() is 0, and no block grows in place. Of what was handed out for
  /// elements and is not in use (the capacity of a Vector, free slots of a Map)
  /// old pointers count until they are overwritten. While the collector works
  /// incrementally it may protect such chunks against writing: read(2) into
  /// them gets EFAULT. No History keeps a traced arena.
  Trace trace = Trace::kNothing;

  /// Where the padding would be: the control block of a collected arena is
  /// scanned, and padding has the bytes of whatever stack it was copied from.
  std::uint8_t filler = 0;

  /// Release builds: one page in so many, 4 KiB each, is audited at each
  /// collection. 1: all; 0: as the variable ACRE_AUDIT_ONE_IN says, else none.
  /// Which ones depends on their address and on how many arenas there were
  /// before: each arena, and each run, has others. In those pages is found what
  /// checked builds find there (raw memory is not looked at), and it is told as
  /// they do, but without the way from the roots: see <acre/audit_policy.h>.
  /// Requires: libacre-audit is linked.
  /// Costs: New as ever, Free and pop_back of a Vector whose elements are no
  /// plain data three to six nanoseconds more; but a block that lies in such a
  /// page, at least in part, comes and goes by the slow path, and is filled
  /// there first. Of a chunk with such pages there is a map, 16 bytes for each
  /// 16, of which what says nothing takes no memory. Reset goes through those
  /// chunks, and in such pages remaining() is 0.
  /// Not audited: traced arenas, those that have a History, what MapArena and
  /// LoadArena bring. ACRE_AUDIT=off: none. Checked builds audit all.
  std::uint32_t audit_one_in = 0;
};
static_assert(std::has_unique_object_representations_v<ArenaOptions>);

/// A snapshot. Bytes, unless said otherwise.
struct ArenaStats {
  std::size_t chunks = 0;        ///< number in use
  std::size_t spare_chunks = 0;  ///< number retained for later
  std::size_t large_blocks = 0;  ///< number of blocks with a chunk of their own
  std::size_t reserved = 0;      ///< held from the source, spares included
  std::size_t carved = 0;        ///< handed out by the bump pointer
  std::size_t freed = 0;         ///< of those, freed and not yet used again
  std::size_t current_used = 0;  ///< carved from the current chunk
  std::size_t current_size = 0;  ///< what the current chunk can hold
  std::uint64_t resets = 0;      ///< number of Resets so far

  /// Blocks handed out and not freed, rounding included. Each open mark counts
  /// 128 bytes; a freed block with a chunk of its own that is older than an
  /// open mark counts until its chunk may go, at Rewind.
  std::size_t live() const noexcept { return carved - freed; }
};

/// One chunk, as Arena::ForEachChunk shows it. Addresses, not contents: in
/// checked builds what is not allocated must not be read.
struct ChunkInfo {
  const std::byte* begin = nullptr;  ///< where the first block is, or could be
  std::size_t used = 0;              ///< bytes handed out by the bump pointer
  std::size_t capacity = 0;          ///< bytes that it can hand out
  bool is_spare = false;             ///< retained for later; used is 0
  bool is_large = false;             ///< holds one block only
};

/// What Reset does with the chunks: one of the first three, and kNoHolders
/// where you like: ResetMode::kKeep | ResetMode::kNoHolders.
enum class ResetMode : unsigned {
  kKeep = 0,     ///< keep them, contents untouched: the fastest
  kClear = 1,    ///< keep them, and zero every byte that was handed out
  kRelease = 2,  ///< give them back to the source

  /// Refuse (misuse), naming them, where FindHolders (<acre/holders.h>) sees
  /// somebody who may still point into the arena; then nothing is lost. Costs a
  /// collection. For hunting a bug: a variable that is not used any more holds
  /// as well as one that is.
  kNoHolders = 4,
};

constexpr ResetMode operator|(ResetMode a, ResetMode b) noexcept {
  return static_cast<ResetMode>(static_cast<unsigned>(a) |
                                static_cast<unsigned>(b));
}

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_ARENA_OPTIONS_H_
