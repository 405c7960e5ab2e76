// SPDX-License-Identifier: MIT
//
// ChunkMarks: which objects of one chunk a walk has seen, and which it still
// has to enter. Objects are told apart by address and type: the first member of
// a struct has the struct's address.
//
//   chunk:   | granule 16 | granule 16 | granule 16 | granule 16 | ...
//   seen:    one bit each    an object starts here, of the line's type
//   pending: one bit each    and is still to be entered
//   types:   four bits for these four (a line): which type starts here
//
// The three words for 64 granules lie together: a mark touches one cache line.
//
// 3/128 of the chunk. Objects that share a line with another type, lie at odd
// addresses, or are of a sixteenth type are for the caller to keep elsewhere.
// A walk that enters what is pending in the order of addresses reads memory
// nearly in order, wherever the pointers lead.

#ifndef ACRE_AUDIT_CHUNK_MARKS_H_
#define ACRE_AUDIT_CHUNK_MARKS_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "acre/config.h"
#include "acre/detail/size_class.h"

namespace acre::inline ACRE_ABI::detail {

class ChunkMarks {
 public:
  static constexpr unsigned kMaxTypes = 15;  // numbered from 1

  enum class Seen : std::uint8_t {
    kNow,      ///< marked, for the first time
    kBefore,   ///< was marked already
    kNoPlace,  ///< cannot be marked here
  };

  /// `live_end`: nothing from there on is handed out.
  ChunkMarks(const char* begin, std::size_t size, const char* live_end)
      : begin_(begin),
        size_(size),
        live_end_(live_end),
        groups_(size / kGroup + 1) {}

  bool Holds(const void* address) const {
    return OffsetOf(address) < size_;  // one comparison for both ends
  }
  /// Bytes from the address to the end of what is handed out; 0 behind that.
  std::size_t RoomAt(const char* p) const {
    return p < live_end_ ? static_cast<std::size_t>(live_end_ - p) : 0;
  }
  const char* begin() const { return begin_; }

  /// Marks an object. `type`: 1 to kMaxTypes, or 0: it has no number.
  Seen Mark(const void* address, unsigned type) {
    const std::size_t offset = OffsetOf(address);
    if (type == 0 || offset % kGranule != 0) return Seen::kNoPlace;
    Group& group = groups_[offset / kGroup];
    const std::uint64_t bit = BitOf(offset);
    const unsigned shift = ShiftOf(offset);
    const std::uint64_t known = group.types >> shift & 15;
    if (known != type) {
      if (known != 0) return Seen::kNoPlace;
      group.types |= std::uint64_t{type} << shift;
    }
    if ((group.seen & bit) != 0) return Seen::kBefore;
    group.seen |= bit;
    return Seen::kNow;
  }

  /// True where Mark would say kBefore.
  bool IsMarked(const void* address, unsigned type) const {
    const std::size_t offset = OffsetOf(address);
    if (type == 0 || offset % kGranule != 0) return false;
    const Group& group = groups_[offset / kGroup];
    return (group.types >> ShiftOf(offset) & 15) == type &&
           (group.seen & BitOf(offset)) != 0;
  }

  /// A marked object is to be entered.
  void SetPending(const void* address) {
    const std::size_t offset = OffsetOf(address);
    groups_[offset / kGroup].pending |= BitOf(offset);
    first_pending_ = std::min(first_pending_, offset / kGroup);
    ++pending_count_;
  }
  bool HasPending() const { return pending_count_ != 0; }

  /// Calls enter(address, type) for all that is pending, by address; what comes
  /// to be pending here or ahead is met on the same way.
  template <class Enter>
  void EnterPending(Enter enter) {
    std::size_t i = first_pending_;
    first_pending_ = groups_.size();
    for (; i < groups_.size() && pending_count_ != 0; ++i) {
      Group& group = groups_[i];
      while (group.pending != 0) {
        const auto bit =
            static_cast<std::size_t>(std::countr_zero(group.pending));
        group.pending &= group.pending - 1;
        --pending_count_;
        const std::size_t offset = i * kGroup + bit * kGranule;
        enter(begin_ + offset,
              static_cast<unsigned>(group.types >> ShiftOf(offset) & 15));
      }
    }
  }

  /// Asks for the memory that Mark will touch.
  void Prefetch(const void* address) const {
    __builtin_prefetch(&groups_[OffsetOf(address) / kGroup], 1);
  }

  /// What the marks take, in bytes.
  std::size_t bytes() const { return groups_.size() * sizeof(Group); }

 private:
  static constexpr std::size_t kLine = 4 * kGranule;
  static constexpr std::size_t kGroup = 64 * kGranule;

  struct Group {
    std::uint64_t seen = 0;
    std::uint64_t pending = 0;
    std::uint64_t types = 0;
  };

  std::size_t OffsetOf(const void* address) const {
    return static_cast<std::size_t>(static_cast<const char*>(address) - begin_);
  }
  static std::uint64_t BitOf(std::size_t offset) {
    return std::uint64_t{1} << offset / kGranule % 64;
  }
  static unsigned ShiftOf(std::size_t offset) {
    return static_cast<unsigned>(offset % kGroup / kLine * 4);
  }

  const char* begin_;
  std::size_t size_;
  const char* live_end_;
  std::vector<Group> groups_;
  std::size_t first_pending_ = SIZE_MAX;  // no group before it has pending ones
  std::size_t pending_count_ = 0;
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_AUDIT_CHUNK_MARKS_H_
