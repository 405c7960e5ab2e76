// SPDX-License-Identifier: MIT
//
// A random object graph: with planted bugs, and what an audit must say of it;
// and copied, and what the copy must look like.
// Driven by bytes: by a fuzzer, or by a generator of numbers in the unit tests.

#ifndef ACRE_TESTS_FUZZ_AUDIT_GRAPH_H_
#define ACRE_TESTS_FUZZ_AUDIT_GRAPH_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace acre_test {

/// Builds a graph, plants as many bugs as the bytes say, audits, and demands
/// exactly these findings, each at its slot and of its kind. Empty, or what was
/// wrong.
std::string CheckAuditOf(std::span<const std::uint8_t> bytes);

/// Builds the same graph without bugs, copies it into another arena, into its
/// own and into a collected one, and demands copies of the same shape that
/// leave their arena nowhere. Empty, or what was wrong.
std::string CheckCopyOf(std::span<const std::uint8_t> bytes);

}  // namespace acre_test

#endif  // ACRE_TESTS_FUZZ_AUDIT_GRAPH_H_
