// SPDX-License-Identifier: MIT
//
// Guards the audit with random graphs: k planted bugs, exactly k findings.

#include "audit_graph.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <vector>

TEST_CASE("AuditAll: k planted bugs in a random graph are k findings") {
  std::mt19937 random(20'261'121);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::uint8_t> bytes(200 + random() % 3000);
    for (std::uint8_t& byte : bytes) {
      byte = static_cast<std::uint8_t>(random());
    }
    const std::string error = acre_test::CheckAuditOf(bytes);
    INFO("round " << round);
    REQUIRE(error == "");
  }
}
