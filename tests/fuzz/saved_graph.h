// SPDX-License-Identifier: MIT
//
// Files of saved arenas that somebody has tampered with: bytes choose what is
// changed, whether the checksums are put right again, and LoadArena must refuse
// what comes of it, or make of it an arena that can be used.

#ifndef ACRE_TESTS_FUZZ_SAVED_GRAPH_H_
#define ACRE_TESTS_FUZZ_SAVED_GRAPH_H_

#include <cstdint>
#include <span>
#include <string>

namespace acre_test {

/// What became of the files so far.
struct SavedFileCounts {
  int refused = 0;
  int loaded = 0;
};

/// Empty, or what is wrong with what LoadArena let pass.
std::string CheckSavedFile(std::span<const std::uint8_t> bytes,
                           SavedFileCounts* counts);

}  // namespace acre_test

#endif  // ACRE_TESTS_FUZZ_SAVED_GRAPH_H_
