// SPDX-License-Identifier: MIT
//
// Guards the audit and deep copy with random graphs: k planted bugs, exactly k
// findings; copies one to one.

#include "audit_graph.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "support/scaled.h"

namespace audit_graph_test {

namespace {

void CheckRounds(std::string (*check)(std::span<const std::uint8_t>)) {
  std::mt19937 random(20'261'121);
  for (int round = 0; round < acre_test::Scaled(300, 60); ++round) {
    std::vector<std::uint8_t> bytes(200 + random() % 3000);
    for (std::uint8_t& byte : bytes) {
      byte = static_cast<std::uint8_t>(random());
    }
    const std::string error = check(bytes);
    INFO("round " << round);
    REQUIRE(error == "");
  }
}

}  // namespace

TEST_CASE("AuditAll: k planted bugs in a random graph are k findings") {
  CheckRounds(&acre_test::CheckAuditOf);
}

TEST_CASE("DeepCopy: the copy of a random graph has its shape, and no leaks") {
  CheckRounds(&acre_test::CheckCopyOf);
}

}  // namespace audit_graph_test
