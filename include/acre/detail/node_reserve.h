// SPDX-License-Identifier: MIT
//
// NodeReserve: small blocks for the nodes of standard containers, kept when
// they are given back, so that what takes some out and puts others in needs no
// memory; and as many more as are asked for beforehand.
//
// Ownership: owns the blocks. Threads: one at a time.

#ifndef ACRE_DETAIL_NODE_RESERVE_H_
#define ACRE_DETAIL_NODE_RESERVE_H_

#include <cstddef>
#include <memory_resource>
#include <new>

#include "acre/config.h"

namespace acre::inline ACRE_ABI::detail {

class NodeReserve final : public std::pmr::memory_resource {
 public:
  /// Larger than a node of a std::map of two words.
  static constexpr std::size_t kBlock = 64;

  NodeReserve() = default;
  NodeReserve(const NodeReserve&) = delete;
  NodeReserve& operator=(const NodeReserve&) = delete;
  ~NodeReserve() override {
    while (spare_ != nullptr) ::operator delete(Pop());
  }

  /// The next `count` nodes need no memory. Fails as operator new.
  void Reserve(std::size_t count) {
    while (count_ < count) Push(::operator new(kBlock));
  }

 private:
  struct Spare {
    Spare* next;
  };

  void* do_allocate(std::size_t bytes, std::size_t) override {
    if (bytes > kBlock) return ::operator new(bytes);
    return spare_ != nullptr ? Pop() : ::operator new(kBlock);
  }
  void do_deallocate(void* block, std::size_t bytes, std::size_t) override {
    if (bytes > kBlock) return ::operator delete(block);
    Push(block);
  }
  bool do_is_equal(
      const std::pmr::memory_resource& other) const noexcept override {
    return this == &other;
  }

  void Push(void* block) {
    spare_ = ::new (block) Spare{spare_};
    ++count_;
  }
  void* Pop() {
    Spare* const spare = spare_;
    spare_ = spare->next;
    --count_;
    return spare;
  }

  Spare* spare_ = nullptr;
  std::size_t count_ = 0;  // of spares
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_NODE_RESERVE_H_
