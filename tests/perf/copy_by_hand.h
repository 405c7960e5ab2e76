// SPDX-License-Identifier: MIT
//
// CopyByHand: deep copy of a graph of Nodes as one writes it for this very
// type, the limit that acre::DeepCopy is held against. Keeps sharing and
// cycles; checks nothing, follows nothing but links, and cannot fail. The
// copies cannot be freed one by one.
//
//   1. mark    what is reached, by address: a bit for each granule to be
//              copied, one for each node, one for each that is still to be read
//   2. place   a piece of the target for each chunk; before 64 granules stands
//              where the first of them that is copied goes
//   3. copy    by address; where a link leads is counted from those bits

#ifndef ACRE_PERF_COPY_BY_HAND_H_
#define ACRE_PERF_COPY_BY_HAND_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "acre/detail/count_bits.h"
#include "acre/detail/look_ahead.h"
#include "node.h"

namespace perf {

class CopyByHand {
 public:
  CopyByHand(const acre::Arena& from, acre::Arena& to) : to_(to) {
    from.ForEachChunk([this](const acre::ChunkInfo& chunk) {
      if (chunk.used == 0) return;
      chunks_.push_back({reinterpret_cast<const char*>(chunk.begin), chunk.used,
                         std::vector<Line>(chunk.used / kLine + 1),
                         std::vector<Marks>(chunk.used / kLine + 1)});
    });
  }

  Node* Run(const Node* root) {
    Meet(root);
    for (is_done_ = false; !is_done_;) {
      is_done_ = true;
      for (Chunk& chunk : chunks_) Read(chunk);
      links_.Drain([this](const Node* node) { Meet(node); });
    }
    for (Chunk& chunk : chunks_) Place(chunk);
    for (Chunk& chunk : chunks_) Copy(chunk);
    return CopyOf(root);
  }

 private:
  using Text = acre::detail::Shape<acre::String>;
  using Links = acre::detail::Shape<acre::Vector<Node*>>;

  static constexpr std::size_t kGranule = 16;
  static constexpr std::size_t kLine = 64 * kGranule;
  struct Line {
    std::uint64_t copied = 0;
    char* copy = nullptr;
  };
  struct Marks {
    std::uint64_t nodes = 0;
    std::uint64_t unread = 0;
  };
  struct Chunk {
    const char* begin;
    std::size_t size;
    std::vector<Line> lines;
    std::vector<Marks> marks;

    std::size_t OffsetOf(const void* p) const {
      return static_cast<std::size_t>(static_cast<const char*>(p) - begin);
    }
    Marks& MarksOf(const void* p) { return marks[OffsetOf(p) / kLine]; }
    static std::uint64_t BitOf(std::size_t offset) {
      return std::uint64_t{1} << offset / kGranule % 64;
    }
  };

  void Meet(const Node* node) {
    if (node == nullptr) return;
    Chunk& chunk = ChunkOf(node);
    Marks& marks = chunk.MarksOf(node);
    const std::uint64_t bit = Chunk::BitOf(chunk.OffsetOf(node));
    if ((marks.nodes & bit) != 0) return;
    marks.nodes |= bit;
    marks.unread |= bit;
    is_done_ = false;
  }

  template <class Visit>
  static void ForEach(const Chunk& chunk, std::size_t line, std::uint64_t bits,
                      Visit visit) {
    for (; bits != 0; bits &= bits - 1) {
      const auto granule = static_cast<std::size_t>(std::countr_zero(bits));
      visit(reinterpret_cast<const Node*>(chunk.begin + line * kLine +
                                          granule * kGranule));
    }
  }

  void Read(Chunk& chunk) {
    for (std::size_t i = 0; i < chunk.marks.size(); ++i) {
      while (chunk.marks[i].unread != 0) {
        const std::uint64_t bits = std::exchange(chunk.marks[i].unread, 0);
        ForEach(chunk, i, bits, [&](const Node* node) { ReadNode(node); });
      }
    }
  }
  void ReadNode(const Node* node) {
    MarkCopied(node, sizeof(Node));
    const acre::ElementRun text = Text::InUse(&node->name);
    if (text.count != 0) MarkCopied(text.data, text.count);
    if (node->links.empty()) return;
    MarkCopied(node->links.data(), node->links.size() * sizeof(Node*));
    for (const Node* link : node->links) {
      __builtin_prefetch(&ChunkOf(link).MarksOf(link));
      Meet(links_.Exchange(link));
    }
  }
  void MarkCopied(const void* p, std::size_t bytes) {
    Chunk& chunk = ChunkOf(p);
    const std::size_t offset = chunk.OffsetOf(p);
    for (std::size_t i = 0; i < bytes; i += kGranule) {
      chunk.lines[(offset + i) / kLine].copied |= Chunk::BitOf(offset + i);
    }
  }

  void Place(Chunk& chunk) {
    std::size_t granules = 0;
    for (const Line& line : chunk.lines) granules += Count(line.copied);
    if (granules == 0) return;
    char* copy = static_cast<char*>(to_.Allocate(granules * kGranule));
    for (Line& line : chunk.lines) {
      line.copy = copy;
      copy += Count(line.copied) * kGranule;
    }
  }

  void Copy(const Chunk& chunk) {
    for (std::size_t i = 0; i < chunk.marks.size(); ++i) {
      ForEach(chunk, i, chunk.marks[i].nodes,
              [this](const Node* node) { CopyNode(node); });
    }
  }
  void CopyNode(const Node* node) {
    Node* copy = CopyOf(node);
    std::memcpy(static_cast<void*>(copy), node, sizeof(Node));
    const acre::ElementRun text = Text::InUse(&node->name);
    char* characters = text.count != 0 ? CopyOf(text.data) : nullptr;
    if (text.count != 0) std::memcpy(characters, text.data, text.count);
    Text::Adopt(&copy->name, &to_, characters, text.count);
    const std::size_t count = node->links.size();
    Node** links =
        count != 0 ? reinterpret_cast<Node**>(
                         CopyOf(static_cast<const void*>(node->links.data())))
                   : nullptr;
    for (std::size_t i = 0; i < count; ++i) links[i] = CopyOf(node->links[i]);
    Links::Adopt(&copy->links, &to_, links, count * sizeof(Node*));
  }
  Node* CopyOf(const Node* node) {
    return reinterpret_cast<Node*>(CopyOf(static_cast<const void*>(node)));
  }
  char* CopyOf(const void* p) {
    const Chunk& chunk = ChunkOf(p);
    const std::size_t offset = chunk.OffsetOf(p);
    const Line& line = chunk.lines[offset / kLine];
    const std::uint64_t before = line.copied & (Chunk::BitOf(offset) - 1);
    return line.copy + Count(before) * kGranule;
  }

  static std::size_t Count(std::uint64_t bits) {
    return acre::detail::CountBits(bits);
  }
  Chunk& ChunkOf(const void* p) {
    Chunk*& chunk = cache_[reinterpret_cast<std::uintptr_t>(p) >> 20 & 255];
    if (chunk == nullptr || chunk->OffsetOf(p) >= chunk->size) {
      for (Chunk& each : chunks_) {
        if (each.OffsetOf(p) < each.size) chunk = &each;
      }
    }
    return *chunk;
  }

  acre::Arena& to_;
  std::vector<Chunk> chunks_;
  Chunk* cache_[256] = {};  // by megabyte
  acre::detail::LookAhead<const Node*> links_;
  bool is_done_ = true;
};

}  // namespace perf

#endif  // ACRE_PERF_COPY_BY_HAND_H_
