// SPDX-License-Identifier: MIT
//
// BlockWalk: every block that a checked arena has handed out, chunk by chunk,
// by address. For the auditor. Allocates nothing and takes no lock: a collector
// callback may use it. Release builds know the blocks of audited pages alone
// (ArenaOptions::audit_one_in). Internal to acre.
//
//   BlockWalk walk(arena);
//   for (BlockView block; walk.Next(&block);) ...

#ifndef ACRE_DETAIL_BLOCK_WALK_H_
#define ACRE_DETAIL_BLOCK_WALK_H_

#include <cstddef>
#include <cstdint>

#include "acre/config.h"
#include "acre/fwd.h"

namespace acre::inline ACRE_ABI::detail {

struct Chunk;

struct BlockView {
  char* begin = nullptr;
  std::size_t bytes = 0;              // as asked for
  const TypeLayout* type = nullptr;   // null: raw bytes, or storage of a table
  const TypeLayout* table = nullptr;  // of storage of a table: the container's
  bool is_storage = false;            // of a container
  bool is_freed = false;
  bool is_met = false;  // MeetBlock was told of it in this pass

  char* end() const { return begin + bytes; }
};

class BlockWalk {
 public:
  /// `pass`: see NextPass; 0 where MeetBlock is not used.
  /// Requires: the arena is not in the middle of an update, nor changed before
  /// the walk ends.
  explicit BlockWalk(const Arena& arena, std::uint16_t pass = 0);
  /// In release builds too: those that are known.
  static BlockWalk OverKnown(const Arena& arena, std::uint16_t pass) {
    return {arena, pass, true};
  }

  /// False where there are no more. Freed blocks are shown too.
  bool Next(BlockView* block);

 private:
  BlockWalk(const Arena& arena, std::uint16_t pass, bool starts);

  const Arena& arena_;
  const Chunk* chunk_;  // null: done
  const char* at_;      // blocks from here on are still to come
  std::uint16_t pass_;
};

/// A number for a pass over blocks, different from those of the passes before.
std::uint16_t NextPass() noexcept;

/// True where a live block that is known starts at `block` and is met for the
/// first time in this pass.
bool MeetBlock(const Arena& arena, const void* block,
               std::uint16_t pass) noexcept;

/// True where there may be blocks that are known.
bool AreBlocksKnown(const Arena& arena) noexcept;

/// In hooks: true where all of the above may be used, since the arena is not in
/// the middle of a change, and the thread that uses it stands. Who uses an
/// arena is known in checked builds, and of audited arenas.
bool Stands(const Arena& arena) noexcept;

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_BLOCK_WALK_H_
