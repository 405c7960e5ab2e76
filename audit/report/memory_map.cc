// SPDX-License-Identifier: MIT

#include "memory_map.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "acre/detail/block_walk.h"
#include "acre/detail/path.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

/// So many cells, a few pixels each, fill a large screen.
constexpr std::size_t kMaxCells = 16384;

std::size_t CellsIn(const ChunkInfo& chunk, std::size_t cell_bytes) {
  return (chunk.capacity + cell_bytes - 1) / cell_bytes;
}

/// The smallest that keeps within kMaxCells; a chunk has one cell at least.
std::size_t ChooseCellBytes(const std::vector<MapChunk>& chunks) {
  const std::size_t most = std::max(kMaxCells, chunks.size());
  for (std::size_t bytes = kGranule;; bytes *= 2) {
    std::size_t cells = 0;
    for (const MapChunk& chunk : chunks) cells += CellsIn(chunk.info, bytes);
    if (cells <= most) return bytes;
  }
}

MemoryMap EmptyMap(const Arena& arena) {
  MemoryMap map;
  arena.ForEachChunk(
      [&](const ChunkInfo& info) { map.chunks.push_back({info}); });
  std::sort(map.chunks.begin(), map.chunks.end(),
            [](const MapChunk& a, const MapChunk& b) {
              return a.begin() < b.begin();
            });
  map.cell_bytes = ChooseCellBytes(map.chunks);
  for (MapChunk& chunk : map.chunks) {
    chunk.cells.resize(CellsIn(chunk.info, map.cell_bytes));
  }
  return map;
}

/// What one block, or all that a release build knows of a chunk, does to cells.
struct Use {
  const char* begin;
  std::size_t bytes;
  std::uint32_t type;
  bool is_freed;
};

/// The vote finds the type of most bytes, where one has more than half of them,
/// without counting each.
void Vote(MapCell& cell, std::uint32_t type, std::size_t bytes) {
  if (cell.type == type) {
    cell.lead += bytes;
  } else if (cell.lead >= bytes) {
    cell.lead -= bytes;
  } else {
    cell.type = type;
    cell.lead = bytes - cell.lead;
  }
}

void AddTo(MapChunk& chunk, std::size_t cell_bytes, const Use& use) {
  const auto begin = static_cast<std::size_t>(use.begin - chunk.begin());
  const std::size_t end = begin + std::max<std::size_t>(use.bytes, 1);
  for (std::size_t i = begin / cell_bytes;
       i < chunk.cells.size() && i * cell_bytes < end; ++i) {
    MapCell& cell = chunk.cells[i];
    const std::size_t bytes =
        std::min(begin + use.bytes, (i + 1) * cell_bytes) -
        std::max(begin, i * cell_bytes);
    ++cell.blocks;
    cell.block = use.begin;
    cell.block_bytes = use.bytes;
    if (use.is_freed) {
      cell.freed_bytes += bytes;
    } else {
      cell.live_bytes += bytes;
      Vote(cell, use.type, bytes);
    }
  }
}

/// Numbers types, in the order in which they are met.
class TypeNumbers {
 public:
  explicit TypeNumbers(std::vector<TypeUse>& types) : types_(types) {}

  std::uint32_t Add(const BlockView& block) {
    const std::uint64_t id = block.type == nullptr ? 0 : block.type->id;
    auto& numbers = block.is_storage ? storages_ : objects_;
    const auto [at, is_new] =
        numbers.try_emplace(id, static_cast<std::uint32_t>(types_.size()));
    if (is_new) types_.push_back({BlockTypeText(block.type, block.is_storage)});
    TypeUse& use = types_[at->second];
    ++use.blocks;
    use.bytes += block.bytes;
    return at->second;
  }

 private:
  std::vector<TypeUse>& types_;
  std::unordered_map<std::uint64_t, std::uint32_t> objects_;  // by type id
  std::unordered_map<std::uint64_t, std::uint32_t> storages_;
};

void AddBlocks(const Arena& arena, MemoryMap& map) {
  TypeNumbers numbers(map.types);
  BlockWalk walk(arena);
  for (BlockView block; walk.Next(&block);) {
    const std::optional<MapPlace> place = FindPlace(map, block.begin);
    if (!place) continue;
    const std::uint32_t type =
        block.is_freed ? MapCell::kNoType : numbers.Add(block);
    AddTo(map.chunks[place->chunk], map.cell_bytes,
          {block.begin, block.bytes, type, block.is_freed});
  }
}

void AddChunks(MemoryMap& map) {
  for (MapChunk& chunk : map.chunks) {
    if (chunk.info.used == 0) continue;
    AddTo(chunk, map.cell_bytes,
          {chunk.begin(), chunk.info.used, MapCell::kNoType, false});
  }
}

/// Most bytes first, whatever order they were met in.
void SortTypes(MemoryMap& map) {
  std::vector<std::uint32_t> order(map.types.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    const TypeUse& left = map.types[a];
    const TypeUse& right = map.types[b];
    return left.bytes != right.bytes ? left.bytes > right.bytes
                                     : left.name < right.name;
  });
  std::vector<std::uint32_t> rank(order.size());
  std::vector<TypeUse> sorted;
  for (const std::uint32_t type : order) {
    rank[type] = static_cast<std::uint32_t>(sorted.size());
    sorted.push_back(std::move(map.types[type]));
  }
  map.types = std::move(sorted);
  for (MapChunk& chunk : map.chunks) {
    for (MapCell& cell : chunk.cells) {
      if (cell.type != MapCell::kNoType) cell.type = rank[cell.type];
    }
  }
}

}  // namespace

MemoryMap MapMemory(const Arena& arena) {
  MemoryMap map = EmptyMap(arena);
  if (kChecked) {
    AddBlocks(arena, map);
    SortTypes(map);
  } else {
    AddChunks(map);
  }
  return map;
}

std::optional<MapPlace> FindPlace(const MemoryMap& map, const void* address) {
  const auto* at = static_cast<const char*>(address);
  const auto behind = std::upper_bound(
      map.chunks.begin(), map.chunks.end(), at,
      [](const char* p, const MapChunk& chunk) { return p < chunk.begin(); });
  if (behind == map.chunks.begin()) return std::nullopt;
  const MapChunk& chunk = *std::prev(behind);
  const auto offset = static_cast<std::size_t>(at - chunk.begin());
  if (offset >= chunk.info.capacity) return std::nullopt;
  return MapPlace{static_cast<std::size_t>(&chunk - map.chunks.data()),
                  offset / map.cell_bytes};
}

}  // namespace acre::inline ACRE_ABI::detail
