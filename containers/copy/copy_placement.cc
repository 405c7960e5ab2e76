// SPDX-License-Identifier: MIT

#include "copy/copy_placement.h"

#include <algorithm>
#include <span>
#include <utility>

#include "acre/detail/blocks.h"
#include "acre/detail/has_memory.h"
#include "acre/detail/heap_arena.h"
#include "acre/detail/size_class.h"
#include "acre/detail/table_rep.h"

namespace acre::inline ACRE_ABI::detail {

bool CopyPlacement::Take(bool has_wide) {
  for (std::size_t i = 0; i < maps_.size(); ++i) maps_[i].MakeLines();
  const std::size_t bytes = has_wide ? 0 : CountBytes();
  is_in_order_ = MayBeInOrder(bytes) && TakeRooms(bytes);
  if (!is_in_order_) return TakeBlocks();
  if (Blocks::AreRecorded(arena_)) NoteCuts();
  return true;
}

/// Of all blocks.
std::size_t CopyPlacement::CountBytes() {
  std::size_t granules = 0;
  for (std::size_t i = 0; i < maps_.size(); ++i) {
    granules += maps_[i].granules();
  }
  return granules * kGranule;
}

/// Calls visit(map, start, note) for each extent, in the order of the ranks.
template <class Visit>
void CopyPlacement::ForEachExtent(Visit visit) {
  for (std::size_t i = 0; i < maps_.size(); ++i) {
    const CopyMap& map = maps_[i];
    map.ForEachExtent(
        [&](const char* start, CopyNote note) { visit(map, start, note); });
  }
}

void CopyPlacement::ForEachCopy(void (*visit)(void* context, char* copy,
                                              std::size_t bytes, CopyNote note),
                                void* context) {
  ForEachExtent([&](const CopyMap& map, const char* start, CopyNote note) {
    visit(context, CopyOf(map, start), BytesOf(map, start, note), note);
  });
}

void CopyPlacement::GiveBack() {
  ForEachExtent([this](const CopyMap& map, const char* start, CopyNote note) {
    Give(map, start, note, CopyOf(map, start));
  });
}

void CopyPlacement::Give(const CopyMap& map, const char* start, CopyNote note,
                         char* copy) {
  const CopyPlan& plan = plans_[note.number()];
  Blocks::Give(arena_, copy, BytesOf(map, start, note), plan.align(),
               plan.block_type());
}

std::size_t CopyPlacement::BytesOf(const CopyMap& map, const char* start,
                                   CopyNote note) const {
  return note.kind() == CopyNote::Kind::kObject
             ? plans_[note.number()].type->size
             : map.BytesOf(start);
}

// ------------------------------------------------------------------- in order

/// Rooms leave what is on the freelists unused: an arena that was copied into
/// and freed again and again would grow, by more than a part. A large block
/// that is not of its size class has to have a chunk of its own.
bool CopyPlacement::MayBeInOrder(std::size_t bytes) const {
  if (bytes < kLeastInOrder || IsHeapArena(arena_) || arena_.is_traced()) {
    return false;
  }
  for (std::size_t i = 0; i < maps_.size(); ++i) {
    if (maps_[i].has_unclassed() && !maps_[i].is_alone()) return false;
  }
  const ArenaStats stats = arena_.stats();
  return stats.freed <= std::max(bytes / 8, stats.live() / 16);
}

bool CopyPlacement::TakeRooms(std::size_t bytes) {
  std::size_t done = 0;
  bool fits = true;
  const bool has_memory = HasMemory([&] {
    for (; done < maps_.size() && fits; done += fits ? 1 : 0) {
      fits = TakeRoomsFor(maps_[done], &bytes);
    }
  });
  if (!has_memory || !fits) {
    GiveRooms(done);
    return false;
  }
  GiveRest();
  return true;
}

/// `to_come`: bytes that will be asked for, less afterwards.
bool CopyPlacement::TakeRoomsFor(CopyMap& map, std::size_t* to_come) {
  bool fits = true;
  const auto take_for = [&](std::span<CopyMap::Line*> lines) {
    if (!fits) return;
    std::size_t granules = 0;
    for (const CopyMap::Line* line : lines) granules += CountBits(line->bits);
    const std::size_t wanted = granules * kGranule;
    char* copy = map.is_alone() ? TakeAlone(map) : Cut(wanted, *to_come);
    fits = copy != nullptr;
    *to_come -= wanted;
    for (CopyMap::Line* line : lines) {
      line->base = reinterpret_cast<std::uintptr_t>(copy);
      copy += fits ? CountBits(line->bits) * kGranule : 0;
    }
  };
  map.ForEachPiece(take_for);
  return fits;
}

/// What the first maps have, and the rooms.
void CopyPlacement::GiveRooms(std::size_t maps) {
  GiveRest();
  for (const Room& room : rooms_) {
    Blocks::GiveRoom(arena_, room.begin, room.bytes);
  }
  for (std::size_t i = 0; i < maps; ++i) {
    const CopyMap& map = maps_[i];
    if (!map.is_alone()) continue;
    map.ForEachExtent([&](const char* start, CopyNote note) {
      Give(map, start, note, Nth(map, start));
    });
  }
}

/// The block of the only extent.
char* CopyPlacement::TakeAlone(const CopyMap& map) {
  char* copy = nullptr;
  map.ForEachExtent([&](const char* start, CopyNote note) {
    copy = TakeBlock(map, start, note);
  });
  return copy;
}

/// `to_come`: as much will be asked for, these bytes included.
char* CopyPlacement::Cut(std::size_t bytes, std::size_t to_come) {
  if (bytes > left_) {
    constexpr std::size_t kRoom = std::size_t{64} << 10;
    const std::size_t usual = std::min({kRoom, to_come, arena_.remaining()});
    // What is left of this room joins the next one where that lies behind it.
    const std::size_t wanted = std::max(bytes, usual / kGranule * kGranule);
    rooms_.reserve(rooms_.size() + 1);
    char* room = Blocks::TryTakeRoom(arena_, wanted);
    if (room == nullptr) return nullptr;
    if (room != next_ + left_) {
      GiveRest();
      next_ = room;
      left_ = 0;
    }
    rooms_.push_back({room, wanted});
    left_ += wanted;
  }
  left_ -= bytes;
  return std::exchange(next_, next_ + bytes);
}

void CopyPlacement::GiveRest() {
  if (left_ == 0) return;
  Blocks::GiveRoom(arena_, next_, left_);
  rooms_.back().bytes -= left_;
  left_ = 0;
}

/// Checked builds know every block.
void CopyPlacement::NoteCuts() {
  ForEachExtent([this](const CopyMap& map, const char* start, CopyNote note) {
    if (map.is_alone()) return;
    const CopyPlan& plan = plans_[note.number()];
    char* copy = Nth(map, start);
    Blocks::NoteCut(arena_, copy, BytesOf(map, start, note), plan.align(),
                    plan.block_type());
    if (note.kind() == CopyNote::Kind::kStorage)
      Blocks::NoteStorage(arena_, copy);
  });
}

// -------------------------------------------------------------------- by rank

bool CopyPlacement::TakeBlocks() {
  copies_.reserve(SetRanks());
  bool has_memory = true;
  ForEachExtent([&](const CopyMap& map, const char* start, CopyNote note) {
    char* copy = has_memory ? TakeBlock(map, start, note) : nullptr;
    has_memory = copy != nullptr;
    if (has_memory) copies_.push_back(copy);
  });
  if (!has_memory) GiveBlocks();
  return has_memory;
}

/// How many extents there are.
std::size_t CopyPlacement::SetRanks() {
  std::size_t rank = 0;
  for (std::size_t i = 0; i < maps_.size(); ++i) {
    CopyMap& map = maps_[i];
    map.ForEachLine([&](CopyMap::Line& line, const char* at) {
      line.bits = map.StartsAt(at);
      line.base = rank;
      rank += CountBits(line.bits);
    });
  }
  return rank;
}

char* CopyPlacement::TakeBlock(const CopyMap& map, const char* start,
                               CopyNote note) {
  const CopyPlan& plan = plans_[note.number()];
  void* block = Blocks::TryTake(arena_, BytesOf(map, start, note), plan.align(),
                                plan.block_type());
  if (block != nullptr && note.kind() == CopyNote::Kind::kStorage) {
    Blocks::NoteStorage(arena_, block);
    if (plan.is_table) {
      NoteTableRow(arena_, block, BytesOf(map, start, note), *plan.type);
    }
  }
  return static_cast<char*>(block);
}

/// Where a line does not tell.
char* CopyPlacement::RankedCopyOf(const CopyMap& map,
                                  const char* address) const {
  const char* start = map.StartOf(address, map.At(address));
  return copies_[RankOf(map.LineAt(start), CopyMap::GranuleInLine(start))] +
         (address - start);
}

/// Those that were taken.
void CopyPlacement::GiveBlocks() {
  std::size_t rank = 0;
  ForEachExtent([&](const CopyMap& map, const char* start, CopyNote note) {
    if (rank < copies_.size()) Give(map, start, note, copies_[rank++]);
  });
}

}  // namespace acre::inline ACRE_ABI::detail
