// SPDX-License-Identifier: MIT
//
// CopyPlacement: memory for the copies of all extents that CopyMaps have noted,
// and which of it is for which. In one of two ways:
//
//   in order  large copies: room after room of the arena is cut into blocks, in
//             the order of the sources. Where a copy is follows from how many
//             granules are copied before it:
//               line.bits  granules of blocks
//               line.base  the copy of the first of them
//   by rank   small copies, and where the arena has freed blocks to be used
//             again: each extent gets a block by itself, listed by address:
//               line.bits  granules that start an extent
//               line.base  the rank of the first of them
//
// Internal to acre.

#ifndef ACRE_CONTAINERS_COPY_PLACEMENT_H_
#define ACRE_CONTAINERS_COPY_PLACEMENT_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/count_bits.h"
#include "copy/copy_map.h"
#include "copy/copy_maps.h"
#include "copy/copy_plan.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

class CopyPlacement {
 public:
  /// Copies that take less than this are placed by rank.
  static constexpr std::size_t kLeastInOrder = 4096;

  CopyPlacement(Arena& arena, CopyPlans& plans, CopyMaps& maps)
      : arena_(arena), plans_(plans), maps_(maps) {}

  /// `has_wide`: some blocks are aligned above the granule. False, and nothing
  /// taken, where memory runs out. Nothing can be noted in the maps any more.
  bool Take(bool has_wide);

  /// The copy of an address in an extent.
  char* CopyOf(const CopyMap& map, const char* address) const {
    const CopyMap::Line& line = map.LineAt(address);
    if (is_in_order_ || StartsAt(line, address)) return CopyIn(line, address);
    return RankedCopyOf(map, address);
  }
  /// The same, the line of the address known. `maps`: all, or ones that look
  /// into them.
  ACRE_INLINE char* CopyOf(CopyMaps& maps, const CopyMap::Line& line,
                           const char* address) const {
    if (is_in_order_ || StartsAt(line, address)) return CopyIn(line, address);
    return RankedCopyOf(*maps.Of(address), address);
  }
  bool is_in_order() const { return is_in_order_; }
  /// By rank: CopyOf will be asked for, the line has come: asks for the rest.
  ACRE_INLINE void Prefetch(const CopyMap::Line& line,
                            const char* address) const {
    __builtin_prefetch(&copies_[RankOf(line, CopyMap::GranuleInLine(address))]);
  }

  /// The copy of the extent that starts at a granule of a line.
  char* CopyOf(const CopyMap::Line& line, std::size_t granule) const {
    return is_in_order_ ? Nth(line, granule) : copies_[RankOf(line, granule)];
  }

  /// Calls visit(context, copy, bytes, note) for each extent. Requires: Take
  /// succeeded.
  void ForEachCopy(void (*visit)(void* context, char* copy, std::size_t bytes,
                                 CopyNote note),
                   void* context);

  /// Gives all blocks back. Requires: Take succeeded.
  void GiveBack();

 private:
  /// Taken from the arena, and cut up in order.
  struct Room {
    char* begin;
    std::size_t bytes;
  };

  template <class Visit>
  void ForEachExtent(Visit visit);
  std::size_t BytesOf(const CopyMap& map, const char* start,
                      CopyNote note) const;

  bool MayBeInOrder(std::size_t bytes) const;
  std::size_t CountBytes();
  bool TakeRooms(std::size_t bytes);
  bool TakeRoomsFor(CopyMap& map, std::size_t* to_come);
  char* TakeAlone(const CopyMap& map);
  char* Cut(std::size_t bytes, std::size_t to_come);
  void GiveRest();
  void GiveRooms(std::size_t maps);
  void NoteCuts();

  bool TakeBlocks();
  std::size_t SetRanks();
  void GiveBlocks();

  char* TakeBlock(const CopyMap& map, const char* start, CopyNote note);
  void Give(const CopyMap& map, const char* start, CopyNote note, char* copy);

  /// In order: of the granule around an address.
  static ACRE_INLINE char* Nth(const CopyMap& map, const char* address) {
    return Nth(map.LineAt(address), CopyMap::GranuleInLine(address));
  }
  static ACRE_INLINE char* Nth(const CopyMap::Line& line, std::size_t granule) {
    auto* const base = reinterpret_cast<char*>(line.base);
    // Where much is copied most lines are copied whole.
    if (line.bits == ~std::uint64_t{0}) return base + granule * kGranule;
    const std::uint64_t before = (std::uint64_t{1} << granule) - 1;
    return base + CountBits(line.bits & before) * kGranule;
  }
  /// By rank: true where an extent starts at the granule of an address.
  static ACRE_INLINE bool StartsAt(const CopyMap::Line& line,
                                   const char* address) {
    return (line.bits >> CopyMap::GranuleInLine(address) & 1) != 0;
  }
  /// In order, or where an extent starts: the line alone tells.
  ACRE_INLINE char* CopyIn(const CopyMap::Line& line,
                           const char* address) const {
    return CopyOf(line, CopyMap::GranuleInLine(address)) +
           reinterpret_cast<std::uintptr_t>(address) % kGranule;
  }
  char* RankedCopyOf(const CopyMap& map, const char* address) const;
  static std::size_t RankOf(const CopyMap::Line& line, std::size_t granule) {
    const std::uint64_t before = (std::uint64_t{1} << granule) - 1;
    return line.base + CountBits(line.bits & before);
  }

  Arena& arena_;
  CopyPlans& plans_;
  CopyMaps& maps_;
  bool is_in_order_ = false;
  std::vector<char*> copies_;  // by rank; of extents that are not in rooms
  std::vector<Room> rooms_;
  char* next_ = nullptr;  // in the last room
  std::size_t left_ = 0;  // bytes of it
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_COPY_PLACEMENT_H_
