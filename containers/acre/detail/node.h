// SPDX-License-Identifier: MIT
//
// Nodes: elements that extract took out of a Map or Set, and insert may put
// into another one. Flat tables have no nodes: what is kept is the bytes of the
// element, so pointers to it end. Internal to acre.
//
// Owns the containers that the element holds by value, and gives them back. A
// Reset or Rewind that ends the table it was taken from ends what it holds,
// too. Must not outlive its arena. Not for arenas: it has a destructor.

#ifndef ACRE_CONTAINERS_DETAIL_NODE_H_
#define ACRE_CONTAINERS_DETAIL_NODE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/handle.h"
#include "acre/failure.h"

namespace acre::inline ACRE_ABI::detail {

/// For the constructor of nodes: without it insert({0, value}) might mean one.
struct Taken {};

template <class Slot>
class Node {
 public:
  Node() = default;
  /// take(to) writes the element's bytes. `stamp`: of the table it was in.
  template <class Take>
  Node(Taken, Arena* arena, std::uint64_t stamp, const Take& take)
      : arena_(arena), stamp_(stamp) {
    take(static_cast<void*>(bytes_));
  }
  Node(Node&& other) noexcept { Steal(other); }
  Node& operator=(Node&& other) noexcept {
    if (this == &other) return *this;
    Release();
    Steal(other);
    return *this;
  }
  ~Node() { Release(); }

  [[nodiscard]] bool empty() const noexcept { return arena_ == nullptr; }
  explicit operator bool() const noexcept { return !empty(); }
  /// Of the container it comes from; null where empty.
  Arena* arena() const noexcept { return arena_; }
  void swap(Node& other) noexcept { std::swap(*this, other); }

  /// The element is somewhere else by now.
  void Forget() { arena_ = nullptr; }
  /// What the element holds, for who takes it over. Fails where that is gone.
  Slot& Held(const char* what) const {
    if constexpr (kHandlesIn<Slot>) {
      ACRE_CHECK(
          arena_->IsLive(stamp_),
          "%s::insert: the node is older than a Reset or Rewind of arena "
          "'%s', which has ended what its element holds",
          what, arena_->name());
    }
    return slot();
  }

 protected:
  /// Requires: not empty.
  Slot& slot() const {
    auto* bytes = const_cast<std::byte*>(bytes_);
    return *std::launder(reinterpret_cast<Slot*>(bytes));
  }

 private:
  void Steal(Node& other) {
    arena_ = other.arena_;
    stamp_ = other.stamp_;
    if (empty()) return;
    std::memcpy(bytes_, other.bytes_, sizeof bytes_);
    other.Forget();
  }
  void Release() {
    if constexpr (kHandlesIn<Slot>) {
      if (!empty() && arena_->IsLive(stamp_)) ReleaseIn(slot());
    }
  }

  Arena* arena_ = nullptr;  // null exactly when empty
  std::uint64_t stamp_ = 0;
  alignas(Slot) std::byte bytes_[sizeof(Slot)];
};

template <class K, class V>
class MapNode : public Node<std::pair<const K, V>> {
 public:
  using key_type = K;
  using mapped_type = V;
  using Node<std::pair<const K, V>>::Node;
  /// Requires: not empty. May be changed.
  std::remove_const_t<K>& key() const {
    return const_cast<std::remove_const_t<K>&>(this->slot().first);
  }
  V& mapped() const { return this->slot().second; }
};

template <class K>
class SetNode : public Node<K> {
 public:
  using value_type = K;
  using Node<K>::Node;
  /// Requires: not empty. May be changed.
  K& value() const { return this->slot(); }
};

/// What insert(node) says: the node is empty where it was inserted.
template <class Iterator, class NodeType>
struct NodeInsertion {
  Iterator position;
  bool inserted;
  NodeType node;
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_NODE_H_
