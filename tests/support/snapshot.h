// SPDX-License-Identifier: MIT
//
// A heap snapshot, read and checked as strictly as its format allows.
//
//   const acre_test::Snapshot snapshot = acre_test::ReadSnapshot(text);
//   REQUIRE(snapshot.error == "");

#ifndef ACRE_TESTS_SUPPORT_SNAPSHOT_H_
#define ACRE_TESTS_SUPPORT_SNAPSHOT_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace acre_test {

struct SnapshotEdge {
  std::string type;
  std::string name;       // empty for an element
  std::size_t index = 0;  // of an element
  std::size_t to = 0;     // number of a node
};

struct SnapshotNode {
  std::string type;
  std::string name;
  std::size_t id = 0;
  std::size_t self_size = 0;
  std::vector<SnapshotEdge> edges = {};
};

struct Snapshot {
  std::string error = {};  // what breaks the format; empty: nothing
  std::vector<SnapshotNode> nodes = {};
  std::vector<std::string> strings = {};

  std::size_t total_size() const;
  /// Numbers of the nodes with that name.
  std::vector<std::size_t> Named(std::string_view name) const;
  /// How many edges of a node have that name and lead to that node.
  std::size_t Count(std::size_t from, std::string_view name,
                    std::size_t to) const;
};

/// Checks order of keys, counts, types, string indices, that no string comes
/// twice, that ids are unique, and that all nodes are reached from the first.
Snapshot ReadSnapshot(std::string_view text);

}  // namespace acre_test

#endif  // ACRE_TESTS_SUPPORT_SNAPSHOT_H_
