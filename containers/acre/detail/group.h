// SPDX-License-Identifier: MIT
//
// Group: the control bytes of 15 slots, compared all at once. Internal to acre.
//
//   byte   0 .. 14                            15
//          fingerprint of the slot, 0: free   overflow: bit hash % 8 is set
//                                             where an element of that residue
//                                             had to go further
//
// A search ends at the first group whose overflow bit for its hash is clear,
// so erasing leaves no tombstones. The layout is that of Boost's
// unordered_flat_map (Munoz, 2022); 15 slots and a byte fill one SSE register.

#ifndef ACRE_CONTAINERS_DETAIL_GROUP_H_
#define ACRE_CONTAINERS_DETAIL_GROUP_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "acre/config.h"

#if defined(ACRE_PORTABLE_GROUP)
#elif defined(__SSE2__)
// The compilers' vector types: <emmintrin.h> doubles the cost of this header.
#elif defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>
#endif

namespace acre::inline ACRE_ABI::detail {

inline constexpr unsigned kGroupSlots = 15;
inline constexpr std::size_t kGroupBytes = 16;
inline constexpr unsigned kGroupMask = (1u << kGroupSlots) - 1;

/// A fingerprint, 1..255, in all four bytes of a word: the low byte of the
/// hash, with 0 (which marks a free slot) mapped to 8: the same residue, so
/// that of what is in a slot the overflow bit is known without its hash.
struct Fingerprints {
  std::uint32_t words[256];
  constexpr Fingerprints() : words{} {
    for (std::uint32_t i = 0; i < 256; ++i) {
      words[i] = (i != 0 ? i : 8) * 0x01010101u;
    }
  }
};
inline constexpr Fingerprints kFingerprints;

ACRE_INLINE std::uint8_t FingerprintOf(std::uint64_t hash) {
  return static_cast<std::uint8_t>(kFingerprints.words[hash & 255]);
}

/// Slots of a group, a bit each.
using SlotMask = unsigned;

ACRE_INLINE unsigned FirstSlot(SlotMask mask) {
  return static_cast<unsigned>(std::countr_zero(mask));
}

#if defined(__SSE2__) && !defined(ACRE_PORTABLE_GROUP)

using Pattern [[gnu::vector_size(16), gnu::may_alias]] = char;
using PatternWords [[gnu::vector_size(16)]] = std::uint32_t;

ACRE_INLINE Pattern PatternOf(std::uint64_t hash) {
  const std::uint32_t word = kFingerprints.words[hash & 255];
  return reinterpret_cast<Pattern>(PatternWords{word, word, word, word});
}
ACRE_INLINE SlotMask Match(const std::uint8_t* group, Pattern pattern) {
  const Pattern bytes = *reinterpret_cast<const Pattern*>(group);
  return static_cast<unsigned>(
             __builtin_ia32_pmovmskb128(Pattern(bytes == pattern))) &
         kGroupMask;
}
ACRE_INLINE SlotMask Free(const std::uint8_t* group) {
  return Match(group, Pattern{});
}

/// A byte of ones for each slot.
struct ByteOfSlot {
  alignas(16) std::uint8_t rows[kGroupSlots][kGroupBytes];
  constexpr ByteOfSlot() : rows{} {
    for (unsigned i = 0; i < kGroupSlots; ++i) rows[i][i] = 255;
  }
};
inline constexpr ByteOfSlot kByteOfSlot;

/// Marks a free slot as used. All bytes are written: the next operation may be
/// on the same group, and would wait some 15 cycles for a single byte that has
/// not left the store buffer. Of a small map every operation is.
ACRE_INLINE void Occupy(std::uint8_t* group, unsigned slot,
                        std::uint64_t hash) {
  auto* const bytes = reinterpret_cast<Pattern*>(group);
  *bytes |= PatternOf(hash) &
            *reinterpret_cast<const Pattern*>(kByteOfSlot.rows[slot]);
}
/// Marks a slot as free.
ACRE_INLINE void Vacate(std::uint8_t* group, unsigned slot) {
  auto* const bytes = reinterpret_cast<Pattern*>(group);
  *bytes &= ~*reinterpret_cast<const Pattern*>(kByteOfSlot.rows[slot]);
}

#elif defined(__aarch64__) && defined(__ARM_NEON) && \
    !defined(ACRE_PORTABLE_GROUP)

using Pattern = uint8x16_t;

ACRE_INLINE Pattern PatternOf(std::uint64_t hash) {
  return vdupq_n_u8(FingerprintOf(hash));
}
ACRE_INLINE SlotMask Match(const std::uint8_t* group, Pattern pattern) {
  const std::uint8_t kBits[16] = {1, 2, 4, 8, 16, 32, 64, 128,
                                  1, 2, 4, 8, 16, 32, 64, 128};
  const uint8x16_t hits =
      vandq_u8(vceqq_u8(vld1q_u8(group), pattern), vld1q_u8(kBits));
  return (vaddv_u8(vget_low_u8(hits)) |
          static_cast<unsigned>(vaddv_u8(vget_high_u8(hits))) << 8) &
         kGroupMask;
}
ACRE_INLINE SlotMask Free(const std::uint8_t* group) {
  return Match(group, vdupq_n_u8(0));
}

#else

using Pattern = std::uint8_t;

ACRE_INLINE Pattern PatternOf(std::uint64_t hash) {
  return FingerprintOf(hash);
}
ACRE_INLINE SlotMask Match(const std::uint8_t* group, Pattern pattern) {
  SlotMask mask = 0;
  for (unsigned i = 0; i < kGroupSlots; ++i) {
    mask |= static_cast<unsigned>(group[i] == pattern) << i;
  }
  return mask;
}
ACRE_INLINE SlotMask Free(const std::uint8_t* group) { return Match(group, 0); }

#endif

ACRE_INLINE SlotMask Used(const std::uint8_t* group) {
  return Free(group) ^ kGroupMask;
}

#if !defined(__SSE2__) || defined(ACRE_PORTABLE_GROUP)
/// Marks a free slot as used.
ACRE_INLINE void Occupy(std::uint8_t* group, unsigned slot,
                        std::uint64_t hash) {
  group[slot] = FingerprintOf(hash);
}
/// Marks a slot as free.
ACRE_INLINE void Vacate(std::uint8_t* group, unsigned slot) { group[slot] = 0; }
#endif

/// n * Factor in one instruction. g++ 12 would take three for 15, which wait
/// for nothing here; it is the number of instructions that counts.
template <std::size_t Factor>
ACRE_INLINE std::size_t Times(std::size_t n) {
#if defined(__x86_64__) && !defined(__clang__)
  if constexpr (Factor <= INT32_MAX) {
    std::size_t product;
    __asm__("imulq %2, %1, %0" : "=r"(product) : "r"(n), "i"(Factor) : "cc");
    return product;
  }
#endif
  return n * Factor;
}

/// Where the slots of a group begin, in bytes from the first of all; `group` is
/// where its control bytes begin. Exact: `group` is a multiple of 16.
template <std::size_t SlotBytes>
ACRE_INLINE std::size_t RowOffset(std::size_t group) {
  constexpr std::size_t kRowBytes = kGroupSlots * SlotBytes;
  constexpr std::size_t kDivisor =
      kRowBytes % kGroupBytes == 0 ? 1 : kGroupBytes;
  constexpr std::size_t kFactor = kRowBytes * kDivisor / kGroupBytes;
  return Times<kFactor>(group) / kDivisor;
}

inline constexpr unsigned kMaxRowSlots = 64;

/// Slot `index` of a row, below kMaxRowSlots. In 32 bits where that suffices:
/// g++ 12 spends an instruction to widen an index that counts zeros, and none
/// to widen a product.
template <class Slot>
ACRE_INLINE Slot* InRow(Slot* row, unsigned index) {
  using Offset = std::conditional_t<(sizeof(Slot) <= UINT32_MAX / kMaxRowSlots),
                                    std::uint32_t, std::size_t>;
  const Offset offset = index * static_cast<Offset>(sizeof(Slot));
  return reinterpret_cast<Slot*>(reinterpret_cast<char*>(row) + offset);
}

// Of a hash, or of the fingerprint of one.
ACRE_INLINE std::uint8_t OverflowBit(std::uint64_t hash) {
  return static_cast<std::uint8_t>(1u << (hash & 7));
}
ACRE_INLINE bool HasOverflow(const std::uint8_t* group, std::uint64_t hash) {
  return (group[kGroupSlots] >> (hash & 7) & 1) != 0;
}

/// The control bytes of every empty table: all slots free, nothing overflowed.
alignas(64) inline constexpr std::uint8_t kEmptyGroups[2 * kGroupBytes] = {};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_GROUP_H_
