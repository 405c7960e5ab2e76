// SPDX-License-Identifier: MIT
//
// Guards that a group's control bytes are read alike by the vector unit and by
// the portable code, and both as one slot after the other would be.

#include "acre/detail/group.h"

// The portable variant, beside the native one, in a namespace of its own.
#undef ACRE_CONTAINERS_DETAIL_GROUP_H_
#undef ACRE_ABI
#define ACRE_ABI portable_group
#define ACRE_PORTABLE_GROUP
#include <doctest/doctest.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <random>

#include "acre/detail/group.h"
#include "support/scaled.h"

#if ACRE_CHECKED
namespace native = acre::checked_v1::detail;
#else
namespace native = acre::release_v1::detail;
#endif
namespace portable = acre::portable_group::detail;

namespace {

struct alignas(16) Control {
  std::uint8_t bytes[16] = {};
};

unsigned SlotsEqual(const Control& control, std::uint8_t byte) {
  unsigned mask = 0;
  for (unsigned i = 0; i < 15; ++i) {
    if (control.bytes[i] == byte) mask |= 1u << i;
  }
  return mask;
}

void CheckAgainstSlots(const Control& control, std::uint64_t hash) {
  const std::uint8_t low = hash & 255;
  const unsigned expected = SlotsEqual(control, low != 0 ? low : 8);
  REQUIRE(native::Match(control.bytes, native::PatternOf(hash)) == expected);
  REQUIRE(portable::Match(control.bytes, portable::PatternOf(hash)) ==
          expected);
  const unsigned free = SlotsEqual(control, 0);
  REQUIRE(native::Free(control.bytes) == free);
  REQUIRE(portable::Free(control.bytes) == free);
  REQUIRE(native::Used(control.bytes) == (free ^ 0x7FFFu));
  REQUIRE(portable::Used(control.bytes) == (free ^ 0x7FFFu));
  const bool overflow = (control.bytes[15] >> (hash & 7) & 1) != 0;
  REQUIRE(native::HasOverflow(control.bytes, hash) == overflow);
  REQUIRE(portable::HasOverflow(control.bytes, hash) == overflow);
}

}  // namespace

TEST_CASE("Group: both variants are really there") {
#if defined(__SSE2__) || (defined(__aarch64__) && defined(__ARM_NEON))
  static_assert(sizeof(native::Pattern) == 16);
#endif
  static_assert(sizeof(portable::Pattern) == 1);
  CHECK(native::kGroupSlots == portable::kGroupSlots);
}

TEST_CASE("Group: every fingerprint is found in every slot, and only there") {
  for (unsigned byte = 0; byte < 256; byte += acre_test::Scaled(1u, 5u)) {
    for (unsigned slot = 0; slot < 16; ++slot) {
      Control control;
      control.bytes[slot] = static_cast<std::uint8_t>(byte);
      for (unsigned hash = 0; hash < 256; ++hash) {
        CheckAgainstSlots(control, hash);
      }
    }
  }
}

TEST_CASE("Group: random groups are read like a loop reads them") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 20'000; ++round) {
    Control control;
    const std::uint64_t kinds = random() % 4;
    for (std::uint8_t& byte : control.bytes) {
      byte = static_cast<std::uint8_t>(random());
      // Few values, so that several slots match and several are free.
      if (kinds != 0) byte %= static_cast<std::uint8_t>(kinds + 1);
    }
    CheckAgainstSlots(control, random());
    CheckAgainstSlots(control, random() % 4);
  }
}

TEST_CASE("Group: the overflow byte is no slot") {
  Control control;
  control.bytes[15] = 0xFF;
  CHECK(native::Used(control.bytes) == 0);
  CHECK(portable::Used(control.bytes) == 0);
  CHECK(native::Match(control.bytes, native::PatternOf(0xFF)) == 0);
  CHECK(portable::Match(control.bytes, portable::PatternOf(0xFF)) == 0);
  std::memset(control.bytes, 1, 15);
  control.bytes[15] = 0;
  CHECK(native::Free(control.bytes) == 0);
  CHECK(portable::Free(control.bytes) == 0);
}

TEST_CASE("Group: no fingerprint is the mark of a free slot") {
  for (std::uint64_t hash = 0; hash < 1024; ++hash) {
    CHECK(native::FingerprintOf(hash) != 0);
    CHECK(native::FingerprintOf(hash) == portable::FingerprintOf(hash));
    if ((hash & 255) != 0) CHECK(native::FingerprintOf(hash) == (hash & 255));
  }
}

TEST_CASE("Group: the overflow bit that is set is the one that is asked for") {
  for (std::uint64_t hash = 0; hash < 0x100; ++hash) {
    Control control;
    control.bytes[15] |= native::OverflowBit(hash);
    CHECK(std::popcount(control.bytes[15]) == 1);
    CHECK(native::HasOverflow(control.bytes, hash));
    CHECK(portable::HasOverflow(control.bytes, hash));
    CHECK(portable::OverflowBit(hash) == control.bytes[15]);
    CHECK_FALSE(native::HasOverflow(control.bytes, hash ^ 1));
  }
}

TEST_CASE("Group: occupying and vacating a slot changes its byte alone") {
  std::mt19937_64 random(8);
  for (int round = 0; round < 2000; ++round) {
    Control before;
    for (std::uint8_t& byte : before.bytes) {
      byte = static_cast<std::uint8_t>(random());
    }
    const std::uint64_t hash = round % 10 == 0 ? 0x100 : random();
    for (unsigned slot = 0; slot < 15; ++slot) {
      Control vacant = before;
      vacant.bytes[slot] = 0;
      Control taken = before;
      taken.bytes[slot] = portable::FingerprintOf(hash);
      const auto check = [&](auto occupy, auto vacate) {
        Control control = vacant;
        occupy(control.bytes, slot, hash);
        REQUIRE(std::memcmp(control.bytes, taken.bytes, 16) == 0);
        vacate(control.bytes, slot);
        REQUIRE(std::memcmp(control.bytes, vacant.bytes, 16) == 0);
      };
      check(native::Occupy, native::Vacate);
      check(portable::Occupy, portable::Vacate);
    }
  }
}

TEST_CASE("Group: the first slot is the lowest bit") {
  for (unsigned slot = 0; slot < 15; ++slot) {
    CHECK(native::FirstSlot(1u << slot) == slot);
    CHECK(native::FirstSlot((1u << slot) | (1u << 14)) == slot);
  }
}

template <std::size_t kSlotBytes>
void CheckRows() {
  for (const std::size_t index :
       {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{7},
        std::size_t{1} << 20, (std::size_t{1} << 31) - 1}) {
    CAPTURE(index);
    CHECK(native::RowOffset<kSlotBytes>(16 * index) == index * 15 * kSlotBytes);
    CHECK(portable::RowOffset<kSlotBytes>(16 * index) ==
          index * 15 * kSlotBytes);
  }
}

TEST_CASE("Group: fifteen slots lie where sixteen control bytes do") {
  CheckRows<1>();
  CheckRows<4>();
  CheckRows<8>();
  CheckRows<12>();
  CheckRows<16>();
  CheckRows<24>();
  CheckRows<40>();
  CheckRows<72>();
  CheckRows<4096>();
  CheckRows<(1 << 20) + 8>();
}

TEST_CASE("Group: the control bytes of an empty table are free throughout") {
  for (const std::uint8_t* group :
       {native::kEmptyGroups + 0, native::kEmptyGroups + 16}) {
    CHECK(native::Used(group) == 0);
    CHECK_FALSE(native::HasOverflow(group, 0));
    CHECK_FALSE(native::HasOverflow(group, 0x700));
    CHECK(reinterpret_cast<std::uintptr_t>(group) % 16 == 0);
  }
}
