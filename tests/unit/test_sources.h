// SPDX-License-Identifier: MIT
//
// Chunk sources for tests: one that counts, verifies what comes back and fails
// on request; one whose chunks lie next to each other; one that runs a function
// before it hands out a chunk.

#ifndef ACRE_TESTS_UNIT_TEST_SOURCES_H_
#define ACRE_TESTS_UNIT_TEST_SOURCES_H_

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "acre/arena.h"
#include "acre/chunk_source.h"

namespace acre_test {

/// Malloc'ed chunks, counted.
class CountingSource final : public acre::ChunkSource {
 public:
  acre::ChunkMemory Acquire(std::size_t min_size, std::size_t wanted) override {
    ++acquires;
    if (wanted < min_size) broken = true;
    if (acquires == fail_at || dry) {
      ++failures;
      return {};
    }
    const acre::ChunkMemory memory = malloc_.Acquire(min_size, wanted);
    held[memory.address] = memory.size;
    bytes += memory.size;
    return memory;
  }

  void Release(acre::ChunkMemory memory) noexcept override {
    const auto at = held.find(memory.address);
    if (at == held.end() || at->second != memory.size) {
      broken = true;
      return;
    }
    held.erase(at);
    bytes -= memory.size;
    malloc_.Release(memory);
  }

  bool Holds(const void* p) const {
    auto at = held.upper_bound(const_cast<void*>(p));
    if (at == held.begin()) return false;
    --at;
    return static_cast<const char*>(p) <
           static_cast<const char*>(at->first) + at->second;
  }

  std::map<void*, std::size_t> held;  // chunks handed out, with their sizes
  std::size_t bytes = 0;              // sum of these sizes
  std::size_t acquires = 0;           // calls, failed ones included
  std::size_t failures = 0;           // calls that gave nothing on request
  std::size_t fail_at = 0;            // the call to fail, counted from 1
  bool dry = false;                   // fail every call
  bool broken = false;                // the arena broke the contract

 private:
  acre::MallocSource malloc_;
};

/// Chunks that lie next to each other, each as large as was wished.
class AdjacentSource final : public acre::ChunkSource {
 public:
  acre::ChunkMemory Acquire(std::size_t, std::size_t wanted) override {
    const std::size_t size = (wanted + 15) & ~std::size_t{15};
    if (buffer_.size() - used_ < size) return {};
    used_ += size;
    return {buffer_.data() + used_ - size, size};
  }
  void Release(acre::ChunkMemory) noexcept override {}

 private:
  std::vector<std::max_align_t> memory_ =
      std::vector<std::max_align_t>(1 << 19);
  std::span<std::byte> buffer_ = std::as_writable_bytes(std::span(memory_));
  std::size_t used_ = 0;
};

/// Takes blocks of 16 bytes until one ends at `end`, and returns that, or the
/// last of 20,000.
inline std::byte* TakeUpTo(acre::Arena& arena, const void* end) {
  for (int i = 0;; ++i) {
    auto* block = static_cast<std::byte*>(arena.Allocate(16));
    if (block + 16 == end || i == 20'000) return block;
  }
}

/// Runs `before` and then asks another source.
class HookedSource final : public acre::ChunkSource {
 public:
  explicit HookedSource(acre::ChunkSource& inner) : inner_(inner) {}

  acre::ChunkMemory Acquire(std::size_t min_size, std::size_t wanted) override {
    if (before) before();
    return inner_.Acquire(min_size, wanted);
  }
  void Release(acre::ChunkMemory memory) noexcept override {
    inner_.Release(memory);
  }

  std::function<void()> before;

 private:
  acre::ChunkSource& inner_;
};

}  // namespace acre_test

#endif  // ACRE_TESTS_UNIT_TEST_SOURCES_H_
