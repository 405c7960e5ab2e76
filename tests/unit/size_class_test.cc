// SPDX-License-Identifier: MIT
//
// Guards the arithmetic of size classes: every request gets a block that is
// large enough, aligned, little wasted, and of one class only.

#include "acre/detail/size_class.h"

#include <doctest/doctest.h>

#include <bit>
#include <cstddef>
#include <random>

namespace size_class_test {

using acre::detail::BytesOfClass;
using acre::detail::ClassOf;
using acre::detail::kClassCount;
using acre::detail::kClassedMax;
using acre::detail::SizeClass;

namespace {

bool IsSound(std::size_t bytes, std::size_t align) {
  const SizeClass size = ClassOf(bytes, align);
  return size.bytes >= bytes && size.bytes % acre::kGranule == 0 &&
         size.bytes != 0 && size.index != 0 && size.index < kClassCount &&
         BytesOfClass(size.index) == size.bytes;
}

}  // namespace

TEST_CASE("size classes: every small request has a sound class") {
  std::size_t unsound = 0;
  for (std::size_t bytes = 0; bytes <= 20000; ++bytes) {
    for (std::size_t align = 1; align <= acre::kMaxAlignment; align *= 2) {
      unsound += !IsSound(bytes, align);
    }
  }
  CHECK(unsound == 0);
}

TEST_CASE("size classes: large requests up to the maximum are sound") {
  std::mt19937_64 random(1);
  std::size_t unsound = 0;
  for (int i = 0; i < 200000; ++i) {
    const std::size_t bytes = random() % (kClassedMax + 1);
    unsound += !IsSound(bytes, std::size_t{1} << random() % 13);
  }
  CHECK(unsound == 0);
  CHECK(IsSound(kClassedMax, 1));
  CHECK(IsSound(kClassedMax, acre::kMaxAlignment));
}

TEST_CASE("size classes: a block wastes at most a fifth above 1 KiB") {
  std::size_t wasteful = 0;
  for (std::size_t bytes = 1025; bytes < 3000000; bytes += 7) {
    const std::size_t block = ClassOf(bytes, 16).bytes;
    wasteful += (block - bytes) * 5 > block;
  }
  CHECK(wasteful == 0);
}

TEST_CASE("size classes: a larger request never gets a smaller block") {
  std::size_t last = 0;
  std::size_t shrunk = 0;
  for (std::size_t bytes = 0; bytes < 1000000; bytes += 3) {
    const std::size_t block = ClassOf(bytes, 8).bytes;
    shrunk += block < last;
    last = block;
  }
  CHECK(shrunk == 0);
}

TEST_CASE("size classes: over-aligned requests have classes of their own") {
  for (std::size_t align = 32; align <= acre::kMaxAlignment; align *= 2) {
    const SizeClass aligned = ClassOf(64, align);
    CHECK(std::has_single_bit(aligned.bytes));
    CHECK(aligned.bytes >= align);
    CHECK(aligned.index != ClassOf(aligned.bytes, 16).index);
  }
}

TEST_CASE("size classes: the inverse is strictly increasing in a family") {
  for (unsigned index = 2; index < kClassCount; ++index) {
    if (index == acre::detail::kAlignedBase) continue;
    CAPTURE(index);
    CHECK(BytesOfClass(index) > BytesOfClass(index - 1));
  }
}

}  // namespace size_class_test
