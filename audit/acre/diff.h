// SPDX-License-Identifier: MIT
//
// Diff: what differs between two states of one type, by path: in one arena, in
// two, or now and in a frame of a History. How a desync is found whose
// checksums say only that there is one.
//
//   const acre::DiffReport report = acre::Diff(*mine, *theirs);
//   fmt::print("{}", acre::ToText(report));
//
//   World.levels["MAP03"].things[269].health: 100 here, 97 there
//
//   acre::Diff(*world, history, frame);   // now here, the frame there
//
// What counts as state is what Checksum counts (<acre/checksum.h>): Maps and
// Sets are compared by their keys, pointers by the place in the graph to which
// they lead. Objects are compared once, on the shortest way to them. Where two
// Vectors differ in length, the elements that both have are compared, one by
// one; where pointers lead to different places that were met before, what is
// there is not.
//
// Threads: the arenas'. Nothing is changed.
// Failure: takes memory for what it has visited; std::bad_alloc.
// Complexity: as two checksums.

#ifndef ACRE_DIFF_H_
#define ACRE_DIFF_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/deep_copy.h"
#include "acre/element.h"
#include "acre/history.h"

namespace acre::inline ACRE_ABI {

struct DiffOptions {
  /// Differences beyond this number are counted, not listed.
  std::size_t max_differences = 100;
};

enum class DiffKind : std::uint8_t {
  kValue,    ///< plain data or a text
  kSize,     ///< how many elements there are
  kPart,     ///< which alternative a variant has, whether an optional has one
  kPointer,  ///< where a pointer leads
  kHere,     ///< an element that only the first has
  kThere,    ///< one that only the second has
};

/// "value", "size", "part", "pointer", "only here", "only there".
std::string_view NameOf(DiffKind kind) noexcept;

struct Difference {
  std::string path = {};  ///< "World.players[\"Ann\"]->health"
  std::string here = {};  ///< of the first: 100, "Ann", null, ...
  std::string there = {};
  std::string type = {};  ///< of what differs
  DiffKind kind = DiffKind::kValue;
  const void* here_at = nullptr;   ///< where it lies; null: it does not
  const void* there_at = nullptr;  ///< null too for what was in a frame
};

struct DiffReport {
  std::vector<Difference> differences = {};
  std::size_t omitted = 0;  ///< beyond max_differences
  std::size_t objects = 0;  ///< pairs of objects, arrays and entries compared

  bool equal() const noexcept { return differences.empty() && omitted == 0; }
};

namespace detail {
DiffReport DiffOf(const TypeLayout& type, const void* here, const void* there,
                  const DiffOptions& options);
}  // namespace detail

/// See the top of this file. The roots may stand anywhere.
template <class T>
DiffReport Diff(const T& here, const T& there,
                const DiffOptions& options = {}) {
  static_assert(detail::RequireElement<T>());
  return detail::DiffOf(LayoutOf<T>(), &here, &there, options);
}

/// The same of what there is now, and of what there was in a frame: here and
/// there. The root lies in the arena of the history, now and in the frame.
/// Costs a copy of the arena and a deep copy of what the root reached.
template <class T>
DiffReport Diff(const T& root, History& history, FrameId frame,
                const DiffOptions& options = {}) {
  Arena then({.name = "frame", .source = &MallocSource::Instance()});
  const T* there = history.Peek(frame, [&] { return DeepCopy(then, root); });
  DiffReport report = Diff(root, *there, options);
  for (Difference& difference : report.differences) {
    difference.there_at = nullptr;
  }
  return report;
}

/// A difference a line, and a last one that counts them.
std::string ToText(const DiffReport& report);

/// The report as JSON lines: one object a line. `record` says which:
///
///   diff        the first line: schema "acre.diff", version 1, differences
///               (all there are), omitted, objects
///   difference  path, kind (as NameOf), type, here, there, here_at, there_at
///   summary     the last line: differences, omitted
///
/// Texts are strings, addresses "0x7f00" or null. Keys may be added within a
/// version. A file without its last line was cut short.
std::string ToJsonLines(const DiffReport& report);

/// The report as one HTML page, which loads nothing: for people who have a
/// browser and many differences. Searched by what is typed into it.
std::string ToHtml(const DiffReport& report);

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_DIFF_H_
