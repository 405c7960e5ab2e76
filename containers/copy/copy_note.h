// SPDX-License-Identifier: MIT
//
// CopyNote: what a deep copy knows of a granule of a chunk; see copy_map.h.
// NotesOf64: the notes of 64 granules, looked at all at once. Internal to acre.
//
//   note, from its highest bit on:
//     00 | waits 1 | number of the plan 13    starts an object
//     01 | is storage 1 | number 9 | pad 4    starts storage, or an array
//     1 | distance 15                         granules behind such a start
//     1 | 0                                   added by the size class
//     0                                       nobody's
//
// `pad` says how many bytes of the last granule are not the extent's. An object
// that waits is still to be entered.

#ifndef ACRE_CONTAINERS_COPY_NOTE_H_
#define ACRE_CONTAINERS_COPY_NOTE_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "acre/config.h"
#include "acre/detail/size_class.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// Four notes that were loaded as a word, or are to be stored so: the first one
/// lowest, on machines too that have it highest in memory.
ACRE_INLINE std::uint64_t FirstLowest(std::uint64_t word) {
  if constexpr (std::endian::native == std::endian::big) {
    constexpr std::uint64_t kEven = 0x0000ffff0000ffffu;
    word = std::rotl(word, 32);
    word = (word & kEven) << 16 | (word >> 16 & kEven);
  }
  return word;
}

/// What is known of a granule. The default: nothing.
class CopyNote {
 public:
  enum class Kind : std::uint8_t { kObject, kArray, kStorage };
  static constexpr unsigned kMaxObject = 0x1fff;  // numbers of plans
  static constexpr unsigned kMaxOther = 511;
  static constexpr std::size_t kMaxDistance = 0x7fff;  // or more than that

  CopyNote() = default;
  explicit CopyNote(std::uint16_t bits) : bits_(bits) {}
  /// Starts an object that does not wait.
  static CopyNote Object(unsigned number) { return CopyNote(Bits(number)); }
  /// Starts storage or an array.
  static CopyNote Other(Kind kind, unsigned number, std::size_t bytes) {
    const unsigned storage = kind == Kind::kStorage ? kWaits : 0;
    return CopyNote(Bits(kOther | storage | number << 4 | PadOf(bytes)));
  }
  /// The bytes of the last granule that an extent of `bytes` does not have.
  static std::size_t PadOf(std::size_t bytes) {
    return kGranule - 1 - (bytes + kGranule - 1) % kGranule;
  }
  /// `distance` granules behind the start; 0: added by the size class.
  static CopyNote Behind(std::size_t distance) {
    return CopyNote(Bits(kBehind | std::min(distance, kMaxDistance)));
  }

  std::uint16_t bits() const { return bits_; }
  explicit operator bool() const { return bits_ != 0; }
  /// True where an extent has bytes: not where its class added a granule.
  bool is_in_extent() const { return bits_ != 0 && bits_ != kBehind; }
  bool is_start() const { return bits_ - 1u < kBehind - 1u; }
  bool is_object() const { return (bits_ & (kBehind | kOther)) == 0; }
  Kind kind() const {
    if ((bits_ & kOther) == 0) return Kind::kObject;
    return (bits_ & kWaits) != 0 ? Kind::kStorage : Kind::kArray;
  }
  unsigned number() const {
    return is_object() ? bits_ & kMaxObject : bits_ >> 4 & kMaxOther;
  }
  std::size_t pad() const { return bits_ & (kGranule - 1); }
  std::size_t distance() const { return bits_ & kMaxDistance; }

  /// True at the start of an object of that plan.
  bool StartsObject(unsigned number) const {
    return (bits_ & ~kWaits) == number;
  }
  /// Of an object: one that waits, or does not any more.
  CopyNote Waiting() const { return CopyNote(Bits(bits_ | kWaits)); }
  CopyNote Entered() const { return CopyNote(Bits(bits_ & ~kWaits)); }
  bool waits() const { return (bits_ & ~kMaxObject) == kWaits; }

 private:
  friend class NotesOf64;
  static constexpr unsigned kBehind = 0x8000;
  static constexpr unsigned kOther = 0x4000;
  static constexpr unsigned kWaits = 0x2000;  // or is storage

  static std::uint16_t Bits(std::size_t bits) {
    return static_cast<std::uint16_t>(bits);
  }

  std::uint16_t bits_ = 0;
};

/// The notes of an extent of up to eight granules, in two words. Most are.
class FewNotes {
 public:
  static constexpr std::size_t kMost = 8;  // granules

  /// No extent: fits nowhere.
  FewNotes() = default;
  FewNotes(CopyNote start, std::size_t granules)
      : masks_{LowLanes(granules), granules > 4 ? LowLanes(granules - 4) : 0},
        words_{(kBehind & masks_[0] & ~std::uint64_t{0xffff}) | start.bits(),
               (kBehind + 4 * kEach) & masks_[1]} {}

  /// Puts them there where nobody has any of those granules. Reads kMost.
  ACRE_INLINE bool TryPut(std::uint16_t* notes) const {
    const std::uint64_t low = Load(notes);
    if ((low & masks_[0]) != 0 || masks_[0] == 0) return false;
    if (masks_[1] != 0) {
      const std::uint64_t high = Load(notes + 4);
      if ((high & masks_[1]) != 0) return false;
      Store(notes + 4, high | words_[1]);
    }
    Store(notes, low | words_[0]);
    return true;
  }

 private:
  static constexpr std::uint64_t kEach = 0x0001000100010001u;
  static constexpr std::uint64_t kBehind = 0x8003800280018000u;  // 0 to 3

  static std::uint64_t LowLanes(std::size_t count) {
    return count < 4 ? (std::uint64_t{1} << 16 * count) - 1 : ~std::uint64_t{0};
  }
  static std::uint64_t Load(const std::uint16_t* notes) {
    std::uint64_t word;
    std::memcpy(&word, notes, sizeof word);
    return FirstLowest(word);
  }
  static void Store(std::uint16_t* notes, std::uint64_t word) {
    word = FirstLowest(word);
    std::memcpy(notes, &word, sizeof word);
  }

  std::uint64_t masks_[2] = {0, 0};
  std::uint64_t words_[2] = {0, 0};
};

/// 64 notes, from an address aligned to 16 on; a bit for each that is asked
/// for.
class NotesOf64 {
 public:
  explicit NotesOf64(const std::uint16_t* notes) : notes_(notes) {}

  CopyNote operator[](std::size_t i) const { return CopyNote(notes_[i]); }

  /// Not nobody's.
  std::uint64_t Owned() const {
    return Pick([](Eight notes) { return notes != 0; });
  }
  /// Start an extent.
  std::uint64_t Starts() const {
    return Pick([](Eight notes) { return notes > 0; });
  }
  /// The same, storage left out.
  std::uint64_t StartsApart() const {
    constexpr auto kStorage =
        static_cast<Lane>(CopyNote::kOther | CopyNote::kWaits);
    return Pick([](Eight notes) { return (notes > 0) & (notes < kStorage); });
  }
  /// Start an object that waits.
  std::uint64_t Waiting() const {
    constexpr auto kWaiting = static_cast<Lane>(CopyNote::kWaits);
    constexpr auto kKind = static_cast<Lane>(~CopyNote::kMaxObject);
    return Pick([](Eight notes) { return (notes & kKind) == kWaiting; });
  }

 private:
  using Lane = std::int16_t;  // the highest bit is its sign
  using Eight [[gnu::vector_size(16), gnu::may_alias]] = Lane;

  const Eight* Eights() const { return reinterpret_cast<const Eight*>(notes_); }
  template <class Want>
  ACRE_INLINE std::uint64_t Pick(Want want) const {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const std::uint64_t sixteen =
          BitsOf(want(Eights()[2 * i]), want(Eights()[2 * i + 1]));
      bits |= sixteen << (16 * i);
    }
    return bits;
  }
  /// A bit for each lane; all bits of a lane are alike.
  static ACRE_INLINE unsigned BitsOf(Eight low, Eight high) {
#if defined(__SSE2__) && !defined(ACRE_PORTABLE_NOTES)
    return static_cast<unsigned>(
        __builtin_ia32_pmovmskb128(__builtin_ia32_packsswb128(low, high)));
#else
    return BitsOf(low) | BitsOf(high) << 8;
#endif
  }
  static unsigned BitsOf(Eight lanes) {
    std::uint64_t words[2];
    std::memcpy(words, &lanes, sizeof words);
    return BitsOf(FirstLowest(words[0])) | BitsOf(FirstLowest(words[1])) << 4;
  }
  static unsigned BitsOf(std::uint64_t four) {
    constexpr std::uint64_t kLowest = 0x0001000100010001u;
    return static_cast<unsigned>((four & kLowest) * 0x0001000200040008u >> 48);
  }

  const std::uint16_t* notes_;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_COPY_NOTE_H_
