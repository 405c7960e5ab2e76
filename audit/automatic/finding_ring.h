// SPDX-License-Identifier: MIT
//
// Ring: what collections have found and nobody has told yet.

#ifndef ACRE_AUDIT_AUTOMATIC_FINDING_RING_H_
#define ACRE_AUDIT_AUTOMATIC_FINDING_RING_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "acre/config.h"
#include "automatic/stopped_sweep.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

class Watch;  // automatic.cc

struct FoundLeak {
  Watch* watch = nullptr;
  std::uint64_t era = 0;         // of the watch: whose arena it was
  std::uint64_t collection = 0;  // number of that which found it
  StoppedFinding finding = {};
};

/// From collections, which only add, to those who tell, which only take. What
/// finds no room is counted. Collections see either this ring or the next.
class Ring {
 public:
  explicit Ring(std::size_t size) : leaks_(size) {}

  /// With the world stopped. False where it is full.
  bool Add(const FoundLeak& leak) {
    const std::uint64_t end = end_.load();
    if (end - begin_.load() == leaks_.size()) return false;
    leaks_[end % leaks_.size()] = leak;
    end_.store(end + 1);
    return true;
  }
  bool is_empty() const { return begin_.load() == end_.load(); }
  std::size_t size() const { return leaks_.size(); }
  /// One at a time. Requires: not empty.
  FoundLeak Take() {
    const std::uint64_t begin = begin_.load();
    const FoundLeak leak = leaks_[begin % leaks_.size()];
    begin_.store(begin + 1);
    return leak;
  }

 private:
  std::atomic<std::uint64_t> begin_{0};
  std::atomic<std::uint64_t> end_{0};
  std::vector<FoundLeak> leaks_;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_AUDIT_AUTOMATIC_FINDING_RING_H_
