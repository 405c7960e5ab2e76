// SPDX-License-Identifier: MIT

#include "acre/block_pool.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "acre/detail/blocks.h"
#include "acre/detail/size_class.h"
#include "acre/failure.h"

namespace acre::inline ACRE_ABI {
namespace {

constexpr std::size_t kBits = 64;

std::size_t WordsFor(std::size_t bits) { return (bits + kBits - 1) / kBits; }

}  // namespace

BlockPool::BlockPool(Arena& arena, const BlockPoolOptions& options)
    : arena_(arena),
      block_size_(0),
      align_(options.align),
      count_(options.count),
      zero_on_free_(options.zero_on_free) {
  detail::CheckAlignment(align_);
  const std::size_t wanted = std::max<std::size_t>(options.block_size, 1);
  if (wanted > PTRDIFF_MAX / 2 ||
      count_ > PTRDIFF_MAX / 2 / detail::RoundUp(wanted, align_)) {
    detail::Blocks::Fail(arena, SIZE_MAX);
  }
  block_size_ = detail::RoundUp(wanted, align_);
  std::size_t words[kMaxLevels];
  std::size_t bits = std::max<std::size_t>(count_, 1);
  do {
    words[level_count_] = WordsFor(bits);
    bits = words[level_count_];
    bits_words_ += words[level_count_++];
  } while (bits > 1);
  blocks_ =
      static_cast<std::byte*>(arena.Allocate(count_ * block_size_, align_));
  bits_ = static_cast<std::uint64_t*>(
      arena.TryAllocate(bits_words_ * sizeof(std::uint64_t)));
  if (bits_ == nullptr) {
    arena.Free(blocks_, count_ * block_size_, align_);
    detail::Blocks::Fail(arena, bits_words_ * sizeof(std::uint64_t));
  }
  std::uint64_t* next = bits_;
  for (std::size_t level = 0; level < level_count_; ++level) {
    levels_[level] = next;
    next += words[level];
  }
  if (zero_on_free_) std::memset(blocks_, 0, count_ * block_size_);
  SetAllFree();
}

BlockPool::~BlockPool() {
  if (detail::TimesBroughtBack(arena_) != times_brought_back_) return;
  arena_.Free(bits_, bits_words_ * sizeof(std::uint64_t));
  arena_.Free(blocks_, count_ * block_size_, align_);
}

void BlockPool::SetAllFree() {
  std::size_t bits = count_;
  for (std::size_t level = 0; level < level_count_; ++level) {
    const std::size_t whole = bits / kBits;
    std::fill_n(levels_[level], whole, ~std::uint64_t{0});
    if (bits % kBits != 0) {
      levels_[level][whole] = (std::uint64_t{1} << bits % kBits) - 1;
    }
    if (bits == 0) levels_[level][0] = 0;
    bits = WordsFor(bits);
  }
  used_ = 0;
}

void BlockPool::MarkFree(std::size_t index) {
  for (std::size_t level = 0; level < level_count_; ++level) {
    std::uint64_t& word = levels_[level][index / kBits];
    const bool was_empty = word == 0;
    word |= std::uint64_t{1} << index % kBits;
    if (!was_empty) return;
    index /= kBits;
  }
}

void BlockPool::MarkUsed(std::size_t index) {
  for (std::size_t level = 0; level < level_count_; ++level) {
    std::uint64_t& word = levels_[level][index / kBits];
    word &= ~(std::uint64_t{1} << index % kBits);
    if (word != 0) return;
    index /= kBits;
  }
}

void* BlockPool::TryAllocate() {
  std::size_t index = 0;
  for (std::size_t level = level_count_; level-- > 0;) {
    const std::uint64_t word = levels_[level][index];
    if (word == 0) return nullptr;  // only at the top
    index = index * kBits + static_cast<std::size_t>(std::countr_zero(word));
  }
  MarkUsed(index);
  ++used_;
  return blocks_ + index * block_size_;
}

void* BlockPool::Allocate() {
  void* block = TryAllocate();
  if (ACRE_UNLIKELY(block == nullptr)) {
    detail::Blocks::Fail(arena_, block_size_);
  }
  return block;
}

void BlockPool::Free(void* block) {
  if (block == nullptr) return;
  ACRE_CHECK(Owns(block) && BlockAt(IndexOf(block)) == block,
             "BlockPool::Free(%p): not a block of this pool in arena '%s'",
             block, arena_.name());
  ACRE_CHECK(IsUsed(block),
             "BlockPool::Free(%p): the block is free already (arena '%s')",
             block, arena_.name());
  if (zero_on_free_) std::memset(block, 0, block_size_);
  MarkFree(IndexOf(block));
  --used_;
}

void BlockPool::Reset() {
  if (zero_on_free_) {
    for (std::size_t i = 0; i < count_; ++i) {
      if (IsUsed(BlockAt(i))) std::memset(BlockAt(i), 0, block_size_);
    }
  }
  SetAllFree();
}

bool BlockPool::Owns(const void* address) const noexcept {
  const auto* p = static_cast<const std::byte*>(address);
  return p >= blocks_ && p < blocks_ + count_ * block_size_;
}

bool BlockPool::IsUsed(const void* address) const noexcept {
  if (!Owns(address)) return false;
  const std::size_t index = IndexOf(address);
  return (levels_[0][index / kBits] >> index % kBits & 1) == 0;
}

std::size_t BlockPool::IndexOf(const void* address) const {
  ACRE_CHECK(Owns(address), "BlockPool::IndexOf(%p): not of this pool",
             address);
  return static_cast<std::size_t>(static_cast<const std::byte*>(address) -
                                  blocks_) /
         block_size_;
}

void* BlockPool::BlockAt(std::size_t index) const {
  ACRE_CHECK(index < count_, "BlockPool::BlockAt(%zu): there are %zu", index,
             count_);
  return blocks_ + index * block_size_;
}

BlockPoolStats BlockPool::stats() const noexcept {
  BlockPoolStats stats{count_, used_, count_ - used_, 0};
  if (count_ != 0) {
    stats.utilization =
        static_cast<double>(used_) / static_cast<double>(count_);
  }
  return stats;
}

}  // namespace acre::inline ACRE_ABI
