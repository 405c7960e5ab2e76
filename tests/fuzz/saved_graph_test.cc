// SPDX-License-Identifier: MIT
//
// Guards LoadArena against files that somebody has forged.

#include "saved_graph.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "support/scaled.h"

namespace saved_graph_test {

TEST_CASE("LoadArena: a forged file is refused, or is an arena all the same") {
  std::mt19937 random(20'261'129);
  acre_test::SavedFileCounts counts;
  for (int round = 0; round < acre_test::Scaled(3000, 300); ++round) {
    std::vector<std::uint8_t> bytes(9 + random() % 24);
    for (std::uint8_t& byte : bytes) {
      byte = static_cast<std::uint8_t>(random());
    }
    const std::string error = acre_test::CheckSavedFile(bytes, &counts);
    INFO("round " << round);
    REQUIRE(error == "");
  }
  CHECK(counts.refused > counts.loaded);
  CHECK(counts.loaded > 0);
}

}  // namespace saved_graph_test
