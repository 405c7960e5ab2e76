// SPDX-License-Identifier: MIT
//
// ChunkMarks: which objects of one chunk a walk has seen, and which it still
// has to enter. Objects are told apart by address and type: the first member of
// a struct has the struct's address.
//
//   chunk:   | granule 16 | granule 16 | granule 16 | granule 16 | ...
//   seen:    one bit each    an object starts here, of the line's type,
//   odd:     one bit each    8 bytes behind the start of the granule
//   pending: one bit each    and is still to be entered
//   types:   four bits for a line, eight of these: which type starts there
//
// What is known of 64 granules lies together, in 28 bytes: a mark touches one
// cache line or two, and all take 7/256 of the chunk. A second object in a
// granule, objects that share a line with another type, lie at other addresses,
// or are of a sixteenth type are for the caller to keep elsewhere.
// A walk that enters what is pending in the order of addresses reads memory
// nearly in order, wherever the pointers lead. Internal to acre.

#ifndef ACRE_DETAIL_CHUNK_MARKS_H_
#define ACRE_DETAIL_CHUNK_MARKS_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "acre/config.h"
#include "acre/detail/count_bits.h"
#include "acre/detail/pending_bits.h"
#include "acre/detail/per_chunk.h"
#include "acre/detail/size_class.h"

namespace acre::inline ACRE_ABI::detail {

class ChunkMarks {
  struct Group;

 public:
  static constexpr unsigned kMaxTypes = 15;  // numbered from 1

  enum class Seen : std::uint8_t {
    kNow,      ///< marked, for the first time
    kBefore,   ///< was marked already
    kNoPlace,  ///< cannot be marked here
  };

  /// Where and as what an object is marked: looked up once, to fetch it and to
  /// mark later.
  class Spot {
   public:
    Spot() = default;

   private:
    friend class ChunkMarks;
    Spot(Group* group, std::size_t offset, unsigned type)
        : group_(group),
          offset_(static_cast<std::uint32_t>(offset)),
          type_(type) {}

    Group* group_ = nullptr;
    std::uint32_t offset_ = 0;  // in the group's bytes of the chunk
    std::uint32_t type_ = 0;
  };

  /// `live_end`: nothing from there on is handed out.
  ChunkMarks(const char* begin, std::size_t size, const char* live_end)
      : begin_(begin),
        size_(size),
        live_end_(live_end),
        groups_(size / kGroup + 1),
        pending_words_(PendingBits::WordsOf(groups_.size())),
        pending_groups_(pending_words_.data(), groups_.size()) {}

  bool Holds(const void* address) const {
    return OffsetOf(address) < size_;  // one comparison for both ends
  }
  /// Bytes from the address to the end of what is handed out; 0 behind that.
  std::size_t RoomAt(const char* p) const {
    return p < live_end_ ? static_cast<std::size_t>(live_end_ - p) : 0;
  }
  const char* begin() const { return begin_; }

  /// `type`: 1 to kMaxTypes, or 0: it has no number and Mark will refuse.
  Spot SpotOf(const void* address, unsigned type) {
    const std::size_t offset = OffsetOf(address);
    return {&groups_[offset / kGroup], offset % kGroup, type};
  }
  static unsigned TypeOf(const Spot& spot) { return spot.type_; }
  const char* AddressOf(const Spot& spot) const {
    return begin_ +
           static_cast<std::size_t>(spot.group_ - groups_.data()) * kGroup +
           spot.offset_;
  }

  Seen Mark(const void* address, unsigned type) {
    return Mark(SpotOf(address, type));
  }
  static Seen Mark(const Spot& spot) {
    const std::size_t offset = spot.offset_;
    const unsigned type = spot.type_;
    if (type == 0 || offset % kStep != 0) return Seen::kNoPlace;
    Group& group = *spot.group_;
    const std::uint64_t bit = BitOf(offset);
    const unsigned shift = ShiftOf(offset);
    const unsigned known = group.types >> shift & 15;
    if (known != type) {
      if (known != 0) return Seen::kNoPlace;
      group.types |= type << shift;
    }
    const bool is_odd = offset % kGranule != 0;
    if ((group.seen & bit) != 0) {
      return ((group.odd & bit) != 0) == is_odd ? Seen::kBefore
                                                : Seen::kNoPlace;
    }
    group.seen |= bit;
    if (is_odd) group.odd |= bit;
    return Seen::kNow;
  }

  /// True where Mark would say kBefore.
  bool IsMarked(const void* address, unsigned type) const {
    const std::size_t offset = OffsetOf(address);
    if (type == 0 || offset % kStep != 0) return false;
    const Group& group = groups_[offset / kGroup];
    const std::uint64_t bit = BitOf(offset);
    return (group.types >> ShiftOf(offset) & 15) == type &&
           (group.seen & bit) != 0 &&
           ((group.odd & bit) != 0) == (offset % kGranule != 0);
  }

  /// A marked object is to be entered.
  void SetPending(const void* address) { SetPending(SpotOf(address, 0)); }
  void SetPending(const Spot& spot) {
    spot.group_->pending |= BitOf(spot.offset_);
    pending_groups_.Set(static_cast<std::size_t>(spot.group_ - groups_.data()));
    ++pending_count_;
  }
  bool HasPending() const { return pending_count_ != 0; }

  /// Calls enter(address, type) for all that is pending, by address; what comes
  /// to be pending here or ahead is met on the same way.
  template <class Enter>
  void EnterPending(Enter enter) {
    pending_groups_.EnterAll([this] { return HasPending(); },
                             [&](std::size_t i) { EnterGroup(i, enter); });
  }

  /// Numbers what is marked by address, from `first` on; the number behind the
  /// last one. Requires: nothing is pending. Nothing may be marked afterwards.
  std::size_t AssignRanks(std::size_t first) {
    for (Group& group : groups_) {
      group.pending = first;
      first += CountBits(group.seen);
    }
    has_ranks_ = true;
    return first;
  }

  static constexpr std::size_t kNoRank = SIZE_MAX;

  /// Of a marked object; else kNoRank.
  std::size_t RankOf(const void* address, unsigned type) const {
    if (!has_ranks_ || !IsMarked(address, type)) return kNoRank;
    const std::size_t offset = OffsetOf(address);
    const Group& group = groups_[offset / kGroup];
    return group.pending + CountBits(group.seen & (BitOf(offset) - 1));
  }

  /// Calls visit(address, type) for all that is marked, by address.
  template <class Visit>
  void ForEachMarked(Visit visit) const {
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      const Group& group = groups_[i];
      for (std::uint64_t left = group.seen; left != 0; left &= left - 1) {
        const std::size_t offset =
            i * kGroup +
            OffsetIn(group, static_cast<std::size_t>(std::countr_zero(left)));
        visit(begin_ + offset, group.types >> ShiftOf(offset) & 15);
      }
    }
  }

  /// Asks for the memory that Mark will touch.
  void Prefetch(const void* address) const {
    __builtin_prefetch(&groups_[OffsetOf(address) / kGroup], 1);
  }
  static void Prefetch(const Spot& spot) { __builtin_prefetch(spot.group_, 1); }

  /// What the marks take, in bytes.
  std::size_t bytes() const { return groups_.size() * sizeof(Group); }

 private:
  static constexpr std::size_t kStep = 8;
  static constexpr std::size_t kLine = 8 * kGranule;
  static constexpr std::size_t kGroup = 64 * kGranule;

  struct [[gnu::packed, gnu::aligned(4)]] Group {
    std::uint64_t seen = 0;
    std::uint64_t odd = 0;
    std::uint64_t pending = 0;  // later: the rank of the first
    std::uint32_t types = 0;
  };
  static_assert(sizeof(Group) == 28);

  /// Of the object whose bit this is.
  static std::size_t OffsetIn(const Group& group, std::size_t bit) {
    return bit * kGranule + ((group.odd >> bit & 1) != 0 ? kStep : 0);
  }
  std::size_t OffsetOf(const void* address) const {
    return static_cast<std::size_t>(static_cast<const char*>(address) - begin_);
  }
  static std::uint64_t BitOf(std::size_t offset) {
    return std::uint64_t{1} << offset / kGranule % 64;
  }
  static unsigned ShiftOf(std::size_t offset) {
    return static_cast<unsigned>(offset % kGroup / kLine * 4);
  }

  template <class Enter>
  void EnterGroup(std::size_t index, Enter& enter) {
    Group& group = groups_[index];
    const char* at = begin_ + index * kGroup;
    while (group.pending != 0) {
      const auto bit =
          static_cast<std::size_t>(std::countr_zero(group.pending));
      group.pending &= group.pending - 1;
      --pending_count_;
      const std::size_t offset = OffsetIn(group, bit);
      enter(at + offset, group.types >> ShiftOf(offset) & 15);
    }
  }

  const char* begin_;
  std::size_t size_;
  const char* live_end_;
  std::vector<Group> groups_;
  std::vector<std::uint64_t> pending_words_;
  PendingBits pending_groups_;  // in those words
  std::size_t pending_count_ = 0;
  bool has_ranks_ = false;
};

using MarkedChunks = PerChunk<ChunkMarks>;

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_CHUNK_MARKS_H_
