// SPDX-License-Identifier: MIT

#include "copy/copy_maps.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "acre/detail/location.h"

namespace acre::inline ACRE_ABI::detail {

ChunkOwners::ChunkOwners(const Arena& arena, unsigned members)
    : members_(members) {
  std::vector<std::size_t> bytes(members);
  arena.ForEachChunk([&](const ChunkInfo& chunk) {
    const auto least = std::min_element(bytes.begin(), bytes.end());
    *least += chunk.used;
    owners_[Locate(chunk.begin).chunk_begin] =
        static_cast<unsigned>(least - bytes.begin());
  });
}

unsigned ChunkOwners::OwnerOf(const char* chunk_begin) const {
  const auto known = owners_.find(chunk_begin);
  if (known != owners_.end()) return known->second;
  return static_cast<unsigned>(reinterpret_cast<std::uintptr_t>(chunk_begin) /
                               4096 % members_);
}

}  // namespace acre::inline ACRE_ABI::detail
