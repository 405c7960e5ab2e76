// SPDX-License-Identifier: MIT
//
// Bump allocators as one writes them by hand, the limit that acre is held
// against: HandBump keeps its chunks across Reset; HandFreelists has, besides,
// a list of free blocks a size, for callers who know sizes when they free.

#ifndef ACRE_PERF_BUMP_H_
#define ACRE_PERF_BUMP_H_

#include <cstddef>
#include <cstdlib>
#include <vector>

namespace perf {

class HandBump {
 public:
  HandBump() = default;
  HandBump(const HandBump&) = delete;
  HandBump& operator=(const HandBump&) = delete;
  ~HandBump() {
    for (char* chunk : chunks_) std::free(chunk);
  }

  __attribute__((always_inline)) void* Allocate(std::size_t bytes) {
    const std::size_t size = (bytes + 15) & ~std::size_t{15};
    if (__builtin_expect(static_cast<std::size_t>(limit_ - cursor_) < size, 0))
      NextChunk();
    char* block = cursor_;
    cursor_ += size;
    return block;
  }

  void Reset() {
    used_ = 0;
    cursor_ = limit_ = nullptr;
  }

  std::size_t reserved() const { return chunks_.size() * kChunk; }

 private:
  // Larger than any block that the benchmarks ask for.
  static constexpr std::size_t kChunk = std::size_t{1} << 20;

  __attribute__((noinline)) void NextChunk() {
    if (used_ == chunks_.size()) {
      chunks_.push_back(static_cast<char*>(std::aligned_alloc(4096, kChunk)));
    }
    cursor_ = chunks_[used_++];
    limit_ = cursor_ + kChunk;
  }

  char* cursor_ = nullptr;
  char* limit_ = nullptr;
  std::size_t used_ = 0;  // chunks in use, current one included
  std::vector<char*> chunks_;
};

class HandFreelists {
 public:
  __attribute__((always_inline)) void* Allocate(std::size_t bytes) {
    Block*& list = ListOf(bytes);
    if (Block* block = list) {
      list = block->next;
      return block;
    }
    return bump_.Allocate(bytes);
  }
  __attribute__((always_inline)) void Free(void* memory, std::size_t bytes) {
    Block*& list = ListOf(bytes);
    auto* block = static_cast<Block*>(memory);
    block->next = list;
    list = block;
  }
  void Reset() {
    bump_.Reset();
    for (Block*& list : lists_) list = nullptr;
  }
  std::size_t reserved() const { return bump_.reserved(); }

 private:
  struct Block {
    Block* next;
  };
  Block*& ListOf(std::size_t bytes) { return lists_[(bytes + 15) / 16]; }

  HandBump bump_;
  Block* lists_[257] = {};  // by size / 16, up to 4096 bytes
};

}  // namespace perf

#endif  // ACRE_PERF_BUMP_H_
