// SPDX-License-Identifier: MIT
//
// Chunk sources for tests: one that counts, verifies what comes back and fails
// on request; one that runs a function before it hands out a chunk.

#ifndef ACRE_TESTS_UNIT_TEST_SOURCES_H_
#define ACRE_TESTS_UNIT_TEST_SOURCES_H_

#include <cstddef>
#include <functional>
#include <map>

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
