// SPDX-License-Identifier: MIT
//
// MemoryMap: what an arena's memory is used for, by type and by place. Places
// are cells of equal size, so many that a page can show them all, however large
// the arena is.

#ifndef ACRE_AUDIT_MEMORY_MAP_H_
#define ACRE_AUDIT_MEMORY_MAP_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "acre/arena.h"
#include "acre/config.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// The live blocks of one type.
struct TypeUse {
  std::string name;  // "Thing", "storage of Thing", "raw bytes"
  std::size_t blocks = 0;
  std::size_t bytes = 0;
};

/// One cell of a chunk. What is neither live nor freed nor unused is lost to
/// rounding, or the arena's own.
struct MapCell {
  static constexpr std::uint32_t kNoType = 0xFFFFFFFF;

  std::uint32_t type = kNoType;  // into MemoryMap::types: most of live_bytes
  std::uint32_t blocks = 0;      // that lie in it, or reach into it
  std::size_t lead = 0;          // of `type` over others, by majority vote
  std::size_t live_bytes = 0;
  std::size_t freed_bytes = 0;
  const char* block = nullptr;  // the last of `blocks`
  std::size_t block_bytes = 0;

  bool operator==(const MapCell&) const = default;
};

struct MapChunk {
  ChunkInfo info;
  std::vector<MapCell> cells = {};

  const char* begin() const {
    return reinterpret_cast<const char*>(info.begin);
  }
};

struct MemoryMap {
  std::size_t cell_bytes = 0;         // a power of two, kGranule at least
  std::vector<MapChunk> chunks = {};  // by address, spares included
  std::vector<TypeUse> types = {};    // most bytes first; checked builds
};

/// Linear in blocks. Release builds know chunks only: there no cell has a type.
MemoryMap MapMemory(const Arena& arena);

/// A cell, by its numbers.
struct MapPlace {
  std::size_t chunk = 0;
  std::size_t cell = 0;
};

/// Where the address is; nothing where that is in no chunk.
std::optional<MapPlace> FindPlace(const MemoryMap& map, const void* address);

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_AUDIT_MEMORY_MAP_H_
