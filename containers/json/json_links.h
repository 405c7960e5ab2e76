// SPDX-License-Identifier: MIT
//
// Where in the text of a value stands what its pointers point to. What lies in
// something else stands there; what stands alone stands at the first pointer to
// it; all other pointers are references.

#ifndef ACRE_JSON_LINKS_H_
#define ACRE_JSON_LINKS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "acre/chunk_source.h"
#include "acre/config.h"
#include "acre/detail/json_type.h"
#include "acre/json_writer.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "json_walk.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// Of a style: no deeper than the stack.
inline unsigned MaxDepth(const JsonStyle& style) {
  return style.max_depth < 1024 ? style.max_depth : 1024;
}

/// What is known of all types that a value may reach.
struct JsonPlan {
  /// Whether pointers may be met at all.
  bool has_pointers = false;
  /// The types of which a value may hold a pointer, or lie where one points to:
  /// at their hashes, or behind. Null where none is; at least half are.
  std::vector<const JsonType*> of_interest;

  bool IsOfInterest(const JsonType& type) const {
    const std::size_t mask = of_interest.size() - 1;
    for (std::size_t at = HashOf(type) & mask;; at = (at + 1) & mask) {
      if (of_interest[at] == &type) return true;
      if (of_interest[at] == nullptr) return false;
    }
  }
  static std::size_t HashOf(const JsonType& type) {
    return reinterpret_cast<std::uintptr_t>(&type) / alignof(JsonType) *
               0x9E3779B97F4A7C15 >>
           32;
  }
};

/// Worked out once for each type. Threads: any.
const JsonPlan& PlanOf(const JsonType& type);

/// The text of a path: "/levels/MAP03/things/269", or in words that name it,
/// `levels["MAP03"].things[269]`.
void AppendPointer(std::string& to, const JsonStep& step);
void AppendPath(std::string& to, const JsonStep& step);

class JsonLinks {
 public:
  JsonLinks(const JsonType& type, const void* value, const JsonStyle& style);

  /// What stands in place of the pointer at `slot`, to what is of that type.
  enum class Form : std::uint8_t {
    kObject,     // the object itself
    kReference,  // to path()
    kNowhere,    // its object stands nowhere: only its own inside points to it
  };
  Form FormOf(const void* slot, const JsonType& target_type,
              const void* target);
  /// Of the reference that was asked for last.
  const std::string& path() const { return path_; }

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  /// What a pointer points to.
  struct Target {
    std::uint32_t node = kNone;  // its place: into nodes_
    bool lies_in_another = false;
    std::uintptr_t slot = 0;  // else of the pointer where it stands

    ACRE_LAYOUT_INSIDE(Target, node, lies_in_another, slot)
  };
  struct Object {
    const JsonType* type;
    const void* object;
  };
  struct Node {
    std::uint32_t parent;
    JsonStep step;
  };
  struct Level {
    JsonStep step;
    std::uint32_t node = kNone;  // made when it is needed
  };
  using Place = std::pair<std::uintptr_t, std::uint64_t>;

  static Place PlaceOf(const JsonType& type, const void* object) {
    return {reinterpret_cast<std::uintptr_t>(object), type.layout()->id};
  }
  void FindTargets(const JsonType& type, const void* object, unsigned depth);
  void FindPlaces(const JsonType& type, const void* object, unsigned depth);
  /// Calls visit(Target&) for an object and its bases, where something points
  /// to them.
  template <class Visit>
  void ForEachTarget(const JsonType& type, const void* object, Visit visit);
  void Settle(const JsonType& type, const void* object);
  void SettlePart(const JsonStep& step, const JsonType& type,
                  const void* object);
  void SettlePointer(const JsonType& type, const void* slot);
  std::uint32_t NodeHere();

  const JsonPlan& plan_;
  const unsigned max_depth_;
  const bool sorts_keys_;
  Arena arena_{{.name = "links of JSON", .source = &MallocSource::Instance()}};
  Map<Place, Target> targets_{arena_};
  std::vector<Object> objects_;  // the value, and all that stands alone
  std::vector<Node> nodes_;
  std::vector<Level> levels_;  // from the value to where Settle is
  std::string path_;
  /// Paths that were asked for lately, by their nodes.
  struct Prefix {
    std::uint32_t node = kNone - 1;
    std::string text;
  };
  std::array<Prefix, 16> prefixes_;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_JSON_LINKS_H_
