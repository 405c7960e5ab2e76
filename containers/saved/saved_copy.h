// SPDX-License-Identifier: MIT
//
// SavedCopy: the quick way to an image: a deep copy into the home, by the
// engine that goes through memory by address. It cannot do everything, and
// tells no reasons; SavedFinder and SavedWriter do the rest. Internal to acre.

#ifndef ACRE_CONTAINERS_SAVED_SAVED_COPY_H_
#define ACRE_CONTAINERS_SAVED_SAVED_COPY_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "acre/arena.h"
#include "acre/config.h"
#include "copy/graph_copier.h"
#include "saved/saved_blocks.h"
#include "saved/saved_home.h"
#include "saved/saved_plan.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

class SavedCopy {
 public:
  /// Into the home, of which `copy` is the arena, with nothing in it.
  SavedCopy(const SavedPlans& plans, const Arena& arena, const SavedHome& home,
            Arena& copy)
      : plans_(plans), home_(home), copy_(copy), copier_(copy, &arena) {}
  SavedCopy(const SavedCopy&) = delete;
  SavedCopy& operator=(const SavedCopy&) = delete;

  /// False where it cannot be done so; what is in the home then has no meaning.
  bool Run(const void* root);

  /// How long the image is, and where the root lies in it.
  std::size_t bytes() const;
  std::size_t root() const { return OffsetOf(copier_.copy()); }

  /// Calls visit(SavedBlock) for each block of the image, as they lie.
  template <class Visit>
  void ForEachBlock(Visit visit) {
    std::vector<SavedBlock> blocks;  // where they are not met so
    std::uint64_t end = 0;
    bool is_ordered = true;
    ForEachCopy([&](const SavedBlock& block) {
      is_ordered = is_ordered && block.offset >= end;
      end = block.offset + block.bytes;
    });
    if (is_ordered) return ForEachCopy(visit);
    ForEachCopy([&](const SavedBlock& block) { blocks.push_back(block); });
    std::sort(blocks.begin(), blocks.end(),
              [](const auto& a, const auto& b) { return a.offset < b.offset; });
    for (const SavedBlock& block : blocks) visit(block);
  }

 private:
  template <class Visit>
  void ForEachCopy(Visit visit) {
    copier_.ForEachCopy([&](const char* copy, std::size_t bytes,
                            CopyNote::Kind kind, const CopyPlan& plan) {
      const bool is_storage = kind == CopyNote::Kind::kStorage;
      visit(SavedBlock{OffsetOf(copy), bytes, NumberOf(plan),
                       !is_storage     ? SavedBlockKind::kObjects
                       : plan.is_table ? SavedBlockKind::kTable
                                       : SavedBlockKind::kRow});
    });
  }
  std::size_t OffsetOf(const void* address) const {
    return static_cast<std::size_t>(static_cast<const char*>(address) -
                                    home_.image());
  }
  std::uint32_t NumberOf(const CopyPlan& plan);

  const SavedPlans& plans_;
  const SavedHome& home_;
  const Arena& copy_;
  GraphCopier copier_;
  std::vector<std::uint32_t> numbers_;  // of types, by those of the copier
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_SAVED_SAVED_COPY_H_
