// SPDX-License-Identifier: MIT

#include "acre/detail/block_walk.h"

#include <atomic>

#include "core/slow_path.h"

namespace acre::inline ACRE_ABI::detail {

BlockWalk::BlockWalk(const Arena& arena, std::uint16_t pass)
    : BlockWalk(arena, pass, kChecked) {}

BlockWalk::BlockWalk(const Arena& arena, std::uint16_t pass, bool starts)
    : arena_(arena), chunk_(nullptr), at_(nullptr), pass_(pass) {
  if (!starts) return;
  chunk_ = SlowPath(const_cast<Arena&>(arena)).FirstInUse();
  if (chunk_ != nullptr) at_ = chunk_->begin;
}

bool BlockWalk::Next(BlockView* block) {
  const SlowPath path(const_cast<Arena&>(arena_));
  while (chunk_ != nullptr) {
    const char* start = chunk_->blocks.NextStart(at_);
    if (start == nullptr || start >= path.TopOf(*chunk_)) {
      chunk_ = path.NextInUse(*chunk_);
      if (chunk_ != nullptr) at_ = chunk_->begin;
      continue;
    }
    at_ = start + 1;
    if (chunk_->blocks.Show(start, block, pass_)) return true;
  }
  return false;
}

std::uint16_t NextPass() noexcept {
  static std::atomic<std::uint16_t> last{0};
  std::uint16_t pass = ++last;
  if (pass == 0) pass = ++last;  // what no pass has met has 0
  return pass;
}

bool MeetBlock(const Arena& arena, const void* block,
               std::uint16_t pass) noexcept {
  Chunk* chunk = index::FindWhileStopped(block);
  const auto* p = static_cast<const char*>(block);
  const SlowPath path(const_cast<Arena&>(arena));
  if (chunk == nullptr || !chunk->blocks.exists() ||
      chunk->owner.load()->arena() != &arena || !path.IsInUse(*chunk) ||
      p >= path.TopOf(*chunk) || !chunk->blocks.IsStart(p)) {
    return false;
  }
  const BlockInfo& info = chunk->blocks.Get(p);
  if (static_cast<BlockState>(info.state) != BlockState::kLive ||
      info.pass == pass) {
    return false;
  }
  chunk->blocks.Meet(p, pass);
  return true;
}

bool AreBlocksKnown(const Arena& arena) noexcept {
  return SlowPath(const_cast<Arena&>(arena)).IsAudited();
}

bool Stands(const Arena& arena) noexcept {
  const SlowPath path(const_cast<Arena&>(arena));
  return path.IsUserStopped() && !path.IsUpdating();
}

}  // namespace acre::inline ACRE_ABI::detail
