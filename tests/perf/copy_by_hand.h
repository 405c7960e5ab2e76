// SPDX-License-Identifier: MIT
//
// CopyByHand: deep copy of a graph of Nodes as one writes it for this very
// type, the limit that acre::DeepCopy is held against. Keeps sharing and
// cycles, by a pointer a granule beside each chunk; checks nothing, follows
// nothing but links, and cannot fail.

#ifndef ACRE_PERF_COPY_BY_HAND_H_
#define ACRE_PERF_COPY_BY_HAND_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "node.h"

namespace perf {

class CopyByHand {
 public:
  CopyByHand(const acre::Arena& from, acre::Arena& to) : to_(to) {
    from.ForEachChunk([this](const acre::ChunkInfo& chunk) {
      if (chunk.used == 0) return;
      chunks_.push_back({chunk.begin, chunk.used,
                         std::make_unique<Node*[]>(chunk.used / 16 + 1)});
    });
  }

  Node* Run(const Node* root) {
    Node* copy = Meet(root);
    for (std::size_t i = 0; i < met_.size(); ++i) {
      if (i + 12 < met_.size()) {
        __builtin_prefetch(met_[i + 12].first);
        __builtin_prefetch(met_[i + 6].first->links.data());
      }
      const auto [source, target] = met_[i];
      CopyNode(*source, *target);
    }
    return copy;
  }

 private:
  struct Chunk {
    const std::byte* begin;
    std::size_t size;
    std::unique_ptr<Node*[]> copies;  // by granule
  };

  void CopyNode(const Node& source, Node& copy) {
    ::new (&copy.name) acre::String(to_, source.name.view());
    ::new (&copy.links) acre::Vector<Node*>(to_);
    if (source.links.empty()) return;
    copy.links.reserve(source.links.size());
    for (Node* link : source.links) __builtin_prefetch(&CopyOf(link));
    for (Node* link : source.links) copy.links.push_back(Meet(link));
  }
  Node* Meet(const Node* node) {
    Node*& copy = CopyOf(node);
    if (copy == nullptr) {
      copy = static_cast<Node*>(to_.Allocate(sizeof(Node)));
      met_.emplace_back(node, copy);
    }
    return copy;
  }
  Node*& CopyOf(const Node* node) {
    const auto* p = reinterpret_cast<const std::byte*>(node);
    Chunk*& chunk = cache_[reinterpret_cast<std::uintptr_t>(p) >> 20 & 255];
    if (chunk == nullptr ||
        static_cast<std::size_t>(p - chunk->begin) >= chunk->size) {
      for (Chunk& each : chunks_) {
        if (static_cast<std::size_t>(p - each.begin) < each.size) chunk = &each;
      }
    }
    return chunk->copies[static_cast<std::size_t>(p - chunk->begin) / 16];
  }

  acre::Arena& to_;
  std::vector<Chunk> chunks_;
  Chunk* cache_[256] = {};  // by megabyte
  std::vector<std::pair<const Node*, Node*>> met_;
};

}  // namespace perf

#endif  // ACRE_PERF_COPY_BY_HAND_H_
