// SPDX-License-Identifier: MIT
//
// CopyMaps: the CopyMap of each chunk that a copy meets, found by an address
// inside it. ChunkOwners: where several threads find what is to be copied,
// whose each chunk is: notes are written by one thread alone. Internal to acre.

#ifndef ACRE_CONTAINERS_COPY_COPY_MAPS_H_
#define ACRE_CONTAINERS_COPY_COPY_MAPS_H_

#include <cstddef>
#include <memory>
#include <unordered_map>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/per_chunk.h"
#include "copy/copy_map.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

class ChunkOwners {
 public:
  /// Members are numbered from 0 on. Of that arena each one gets as many bytes
  /// as any, of other arenas chunks by their addresses.
  ChunkOwners(const Arena& arena, unsigned members);

  /// `chunk_begin`: see Location.
  unsigned OwnerOf(const char* chunk_begin) const;

 private:
  unsigned members_;
  std::unordered_map<const char*, unsigned> owners_;  // by chunk_begin
};

struct MakeCopyMap {
  const ChunkOwners* owners = nullptr;  // null: all are mine
  unsigned self = 0;
  bool makes_none = false;

  template <class T>
  std::unique_ptr<T> Make(const char* begin, std::size_t size,
                          const char* live_end) const {
    if (makes_none) return nullptr;
    const unsigned owner = owners != nullptr ? owners->OwnerOf(begin) : self;
    return std::make_unique<T>(begin, size, live_end, owner, owner == self);
  }
};

using CopyMaps = PerChunk<CopyMap, MakeCopyMap>;

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_COPY_COPY_MAPS_H_
