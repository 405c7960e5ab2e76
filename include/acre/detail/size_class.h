// SPDX-License-Identifier: MIT
//
// Size classes: which freelist a block belongs to, and how large the block is.
// Pure arithmetic, known to the compiler for every fixed size.
//
//   class      block                         alignment
//   1..64      16, 32, ... 1024              16
//   65..128    4 an octave, up to 64 MiB     16
//   129..150   2^5 .. 2^26                   min(block, 4096)
//
// Granule 16: the alignment of std::max_align_t, so that a block of any class
// serves any ordinary type and a cursor never needs aligning. Four classes an
// octave bound the rounding waste of larger blocks to a fifth.

#ifndef ACRE_DETAIL_SIZE_CLASS_H_
#define ACRE_DETAIL_SIZE_CLASS_H_

#include <bit>
#include <cstddef>
#include <cstdint>

#include "acre/config.h"

namespace acre::inline ACRE_ABI {

/// Every block is a multiple of this size, and aligned to it.
inline constexpr std::size_t kGranule = 16;

/// The strictest alignment an arena can give: one page, because libgc aligns
/// large objects to its 4096-byte heap blocks and to no more.
inline constexpr std::size_t kMaxAlignment = 4096;

namespace detail {

inline constexpr std::size_t kSmallMax = 1024;
inline constexpr unsigned kSmallClasses = kSmallMax / kGranule;
inline constexpr unsigned kMinOctave = 10;  // log2(kSmallMax)
inline constexpr unsigned kEndOctave = 26;  // log2(kClassedMax)
inline constexpr std::size_t kClassedMax = std::size_t{1} << kEndOctave;
inline constexpr unsigned kAlignedBase =
    1 + kSmallClasses + 4 * (kEndOctave - kMinOctave);
inline constexpr unsigned kMinAlignedLog = 5;
inline constexpr unsigned kClassCount =
    kAlignedBase + (kEndOctave - kMinAlignedLog) + 1;

/// The classes whose freelists stand in the arena itself: blocks up to 512
/// bytes. Those of the others are made when one is needed, so that an arena of
/// ten objects is small.
inline constexpr unsigned kNearClasses = 32;
inline constexpr unsigned kFarClasses = kClassCount - kNearClasses - 1;

/// A block above this size never takes the inline path: it may have a chunk of
/// its own, which Free has to look up.
inline constexpr std::size_t kInlineMax = std::size_t{256} << 10;

/// True where code inlined in the caller hands a block out. A size known only
/// at run time has to be a small one: a single comparison says so, and excludes
/// 0.
ACRE_INLINE bool IsTakenInline(std::size_t bytes, std::size_t align) {
  if (__builtin_constant_p(bytes)) return bytes <= kInlineMax;
  return bytes - 1 < kSmallMax && align <= kGranule;
}

/// Where a request goes. `bytes` is the rounded size of the block.
struct SizeClass {
  std::size_t bytes;
  unsigned index;
};

constexpr std::size_t RoundUp(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) & ~(multiple - 1);
}

constexpr unsigned Log2Ceil(std::size_t n) {
  return static_cast<unsigned>(std::bit_width(n - 1));
}

constexpr SizeClass MediumClassOf(std::size_t bytes) {
  const unsigned octave = static_cast<unsigned>(std::bit_width(bytes - 1)) - 1;
  const unsigned log_step = octave - 2;
  const std::size_t nth = (bytes - 1 - (std::size_t{1} << octave)) >> log_step;
  return {(std::size_t{1} << octave) + ((nth + 1) << log_step),
          static_cast<unsigned>(1 + kSmallClasses + 4 * (octave - kMinOctave) +
                                nth)};
}

/// Requires: bytes <= kClassedMax, align a power of two <= kMaxAlignment.
constexpr SizeClass ClassOf(std::size_t bytes, std::size_t align) {
  if (align <= kGranule) {
    if (bytes <= kSmallMax) {
      const std::size_t rounded =
          RoundUp(bytes + (bytes == 0 ? 1 : 0), kGranule);
      return {rounded, static_cast<unsigned>(rounded / kGranule)};
    }
    return MediumClassOf(bytes);
  }
  const unsigned log = Log2Ceil(bytes < align ? align : bytes);
  return {std::size_t{1} << log, kAlignedBase + log - kMinAlignedLog};
}

/// The class index of blocks above kClassedMax, which have no freelist.
inline constexpr unsigned kNoClass = 0;

/// The block for a request; never fails for bytes < PTRDIFF_MAX.
constexpr SizeClass BlockFor(std::size_t bytes, std::size_t align) {
  if (bytes <= kClassedMax) return ClassOf(bytes, align);
  return {RoundUp(bytes, align > kGranule ? align : kGranule), kNoClass};
}

/// The alignment that blocks of this size and request need.
constexpr std::size_t BlockAlign(SizeClass size, std::size_t align) {
  if (align <= kGranule) return kGranule;
  // A recycled block must suit every request of its class.
  if (size.index == kNoClass) return align;
  return size.bytes < kMaxAlignment ? size.bytes : kMaxAlignment;
}

/// The block size of a class: the inverse of ClassOf.
constexpr std::size_t BytesOfClass(unsigned index) {
  if (index <= kSmallClasses) return index * kGranule;
  if (index >= kAlignedBase) {
    return std::size_t{1} << (index - kAlignedBase + kMinAlignedLog);
  }
  const unsigned nth = index - 1 - kSmallClasses;
  const std::size_t base = std::size_t{1} << (kMinOctave + nth / 4);
  return base + (nth % 4 + 1) * (base / 4);
}

/// Bytes that a block for at least `bytes` really has.
constexpr std::size_t UsableBytes(std::size_t bytes, std::size_t align) {
  if (bytes > kClassedMax) return bytes;
  const std::size_t block = ClassOf(bytes, align).bytes;
  // A block that may have a chunk of its own is not rounded to its class.
  return block > kInlineMax ? RoundUp(bytes, kGranule) : block;
}

static_assert(ClassOf(0, 1).bytes == 16 && ClassOf(16, 16).index == 1);
static_assert(ClassOf(1024, 8).index == 64 && ClassOf(1025, 8).bytes == 1280);
static_assert(ClassOf(kClassedMax, 16).index == kAlignedBase - 1);
static_assert(ClassOf(kClassedMax, 64).index == kClassCount - 1);
static_assert(BytesOfClass(ClassOf(40000, 8).index) == 40960);
static_assert(BytesOfClass(ClassOf(100, 64).index) == 128);

}  // namespace detail
}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_DETAIL_SIZE_CLASS_H_
