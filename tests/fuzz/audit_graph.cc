// SPDX-License-Identifier: MIT

#include "audit_graph.h"

#include <gc/gc.h>

#include <array>
#include <map>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "acre/arena.h"
#include "acre/audit.h"
#include "acre/deep_copy.h"
#include "acre/gc.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"

namespace audit_fuzz {

using acre::Target;

struct Leaf {
  std::int64_t number = 0;
  Leaf* next = nullptr;
};
ACRE_LAYOUT(Leaf, number, next)

struct Part {
  Leaf* leaf = nullptr;
  std::span<Leaf> row;
};
ACRE_LAYOUT(Part, leaf, row)

struct Node {
  Node* left = nullptr;
  acre::String name;
  Leaf* leaf = nullptr;
  std::array<Leaf*, 2> pair{};
  std::optional<Part> maybe;
  std::variant<int, Part> choice;
  std::pair<int, Leaf*> second{};
  acre::Vector<Node*> nodes;
  acre::Vector<Part> parts;
  acre::Map<int, Part> table;
  acre::Map<acre::String, acre::Vector<Part>> deep;
  acre::Map<Leaf*, int> keys;
};
ACRE_LAYOUT(Node, left, name, leaf, pair, maybe, choice, second, nodes, parts,
            table, deep, keys)

/// The bytes, as decisions; zeros when they are used up.
class Decisions {
 public:
  explicit Decisions(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  std::size_t Below(std::size_t n) {
    std::size_t value = 0;
    for (int i = 0; i < 2; ++i) {
      value = value * 256 + (at_ < bytes_.size() ? bytes_[at_++] : 0);
    }
    return value % n;
  }
  bool Coin() { return Below(2) == 1; }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
};

/// A slot in which a bug can be planted.
struct Place {
  void* slot;
  bool is_span;
};

struct Bad {
  void* address;
  Target target;
};

class Graph {
 public:
  explicit Graph(Decisions& decide)
      : decide_(decide), collected_(acre::NewCollectedArena()) {}

  std::string Check() {
    // A stretch that Reset gives up.
    for (int i = 0; i < 40; ++i) static_cast<void>(arena_.Allocate(30'000));
    stale_ = static_cast<char*>(arena_.Allocate(64)) + 16;
    arena_.Reset();
    Build();
    Plant(decide_.Below(kMostPlanted + 1));
    std::string error = Compare(acre::AuditAll(arena_), true);
    if (error.empty()) error = Compare(acre::Audit(arena_, *nodes_[0]), false);
    GC_reachable_here(collected_);
    return error;
  }

  std::string CheckCopies();

 private:
  void Build() {
    const std::size_t count = 1 + decide_.Below(40);
    for (std::size_t i = 0; i < count; ++i)
      nodes_.push_back(arena_.New<Node>());
    for (std::size_t i = 0; i < count; ++i) Fill(*nodes_[i]);
    for (Node* node : nodes_) Note(*node);
    // Blocks that come to be bad targets; nothing is allocated after them.
    wrong_type_ = nodes_[decide_.Below(count)];
    freed_ = arena_.NewArray<Leaf>(70).data();
    arena_.Free(std::span<Leaf>(freed_, 70));
    collected_leaf_ = collected_->New<Leaf>();
    other_leaf_ = other_.New<Leaf>();
  }

  Leaf* SomeLeaf() {
    if (leaves_.empty() || decide_.Below(3) == 0) {
      const std::span<Leaf> row = arena_.NewArray<Leaf>(4);
      leaves_.push_back(row);
    }
    const std::span<Leaf> row = leaves_[decide_.Below(leaves_.size())];
    return &row[decide_.Below(row.size())];
  }

  Part SomePart() {
    Part part;
    if (decide_.Coin()) part.leaf = SomeLeaf();
    if (decide_.Coin() && !leaves_.empty()) {
      part.row = leaves_[decide_.Below(leaves_.size())].subspan(0, 2);
    }
    return part;
  }

  void Fill(Node& node) {
    node.left = nodes_[decide_.Below(nodes_.size())];
    if (decide_.Coin()) node.name = "a name longer than what fits into it";
    node.leaf = SomeLeaf();
    node.pair[1] = SomeLeaf();
    if (decide_.Coin()) node.maybe = SomePart();
    if (decide_.Coin()) node.choice = SomePart();
    node.second.second = SomeLeaf();
    for (std::size_t n = decide_.Below(5); n-- > 0;) {
      node.nodes.push_back(nodes_[decide_.Below(nodes_.size())]);
    }
    for (std::size_t n = decide_.Below(4); n-- > 0;) {
      node.parts.push_back(SomePart());
    }
    for (std::size_t n = decide_.Below(6); n-- > 0;) {
      node.table[static_cast<int>(n)] = SomePart();
    }
    for (std::size_t n = decide_.Below(3); n-- > 0;) {
      auto& parts = node.deep[n == 0 ? "a" : "another, longer than the handle"];
      parts.push_back(SomePart());
      parts.push_back(SomePart());
    }
    for (std::size_t n = decide_.Below(3); n-- > 0;) node.keys[SomeLeaf()] = 1;
  }

  void Note(Leaf*& slot) { places_.push_back({&slot, false}); }
  void Note(Part& part) {
    Note(part.leaf);
    places_.push_back({&part.row, true});
  }
  void Note(Node& node) {
    Note(node.leaf);
    Note(node.pair[0]);
    Note(node.pair[1]);
    if (node.maybe) Note(*node.maybe);
    if (Part* part = std::get_if<Part>(&node.choice)) Note(*part);
    Note(node.second.second);
    for (Part& part : node.parts) Note(part);
    for (auto& [key, part] : node.table) Note(part);
    for (auto& [key, parts] : node.deep) {
      for (Part& part : parts) Note(part);
    }
    for (auto& [key, value] : node.keys) {
      Note(const_cast<Leaf*&>(key));
    }
  }

  /// A collection may come at any moment; the object is to be there when the
  /// audit looks.
  void* Hold(void* object) { return held_[held_count_++] = object; }

  Bad SomeBad() {
    switch (decide_.Below(acre::kChecked ? 10 : 7)) {
      case 0:
        return {Hold(GC_MALLOC(2 * sizeof(Leaf))), Target::kCollectedHeap};
      case 1:
        return {static_cast<char*>(Hold(GC_MALLOC(9000))) + 128,
                Target::kCollectedHeap};
      case 2:
        return {collected_leaf_, Target::kCollectedArena};
      case 3:
        return {other_leaf_, Target::kOtherArena};
      case 4:
        return {stack_, Target::kStack};
      case 5:
        return {reinterpret_cast<char*>(nodes_[0]) + 4, Target::kMisaligned};
      case 6:
        return {stale_, Target::kStale};
      case 7:
        return {freed_ + decide_.Below(60), Target::kFreed};
      case 8:
        return {wrong_type_, Target::kOtherType};
      default:
        return {&wrong_type_->name, Target::kInterior};
    }
  }

  void Plant(std::size_t bugs) {
    for (std::size_t i = 0; i < bugs && !places_.empty(); ++i) {
      const Place place = places_[decide_.Below(places_.size())];
      if (planted_.contains(place.slot)) continue;
      const Bad bad = SomeBad();
      auto* leaf = static_cast<Leaf*>(bad.address);
      if (place.is_span) {
        *static_cast<std::span<Leaf>*>(place.slot) = {leaf, 1};
      } else {
        *static_cast<Leaf**>(place.slot) = leaf;
      }
      planted_[place.slot] = bad;
    }
  }

  /// `all`: every planted bug must be there; else those that are must be right.
  std::string Compare(const acre::AuditReport& report, bool all) const {
    all = all && acre::kChecked;
    for (const acre::Finding& finding : report.findings) {
      const auto planted = planted_.find(const_cast<void*>(finding.slot));
      if (finding.kind == acre::FindingKind::kWord && !acre::kChecked) continue;
      if (planted == planted_.end()) {
        return "not planted: " + finding.path + ", " + finding.what;
      }
      if (planted->second.target != finding.target) {
        return finding.path + ": planted " +
               std::string(NameOf(planted->second.target)) + ", found " +
               std::string(NameOf(finding.target));
      }
      if (finding.address != planted->second.address) return "wrong address";
    }
    if (all && report.findings.size() != planted_.size()) {
      return std::to_string(planted_.size()) + " planted, " +
             std::to_string(report.findings.size()) + " found";
    }
    return {};
  }

  Decisions& decide_;
  acre::Arena arena_;
  acre::Arena other_;
  acre::Arena* collected_;
  std::vector<Node*> nodes_;
  std::vector<std::span<Leaf>> leaves_;
  std::vector<Place> places_;
  std::map<void*, Bad> planted_;  // by slot
  Node* wrong_type_ = nullptr;
  Leaf* freed_ = nullptr;
  void* stale_ = nullptr;
  Leaf* collected_leaf_ = nullptr;
  Leaf* other_leaf_ = nullptr;
  alignas(16) char stack_[64] = {};  // the graph stands on the stack
  static constexpr std::size_t kMostPlanted = 11;
  void* held_[kMostPlanted] = {};  // and so what it holds is seen
  std::size_t held_count_ = 0;
};

/// Two graphs with the same shape: what one pointer leads to here, the other
/// leads to there, one to one.
class Comparison {
 public:
  explicit Comparison(const acre::Arena& to) : to_(to) {}

  std::string Run(const Node& a, const Node& b) {
    Expect(&a, &b);
    while (!nodes_.empty() && error_.empty()) {
      const auto [x, y] = nodes_.back();
      nodes_.pop_back();
      CompareNodes(*x, *y);
    }
    return error_;
  }

 private:
  /// True where the pair is new.
  bool Pair(const void* a, const void* b) {
    if ((a == nullptr) != (b == nullptr)) error_ = "null on one side";
    if (a == nullptr || b == nullptr) return false;
    if (!to_.Owns(b)) error_ = "leads out of the copy";
    const auto [there, is_new] = there_.try_emplace(a, b);
    const auto [back, is_new_back] = back_.try_emplace(b, a);
    if (there->second != b || back->second != a) error_ = "not one to one";
    return is_new && is_new_back;
  }
  void Expect(const Node* a, const Node* b) {
    if (Pair(a, b)) nodes_.push_back({a, b});
  }
  void Compare(const Leaf* a, const Leaf* b) {
    if (!Pair(a, b)) return;
    if (a->number != b->number) error_ = "another number";
    Compare(a->next, b->next);
  }
  void Compare(const Part& a, const Part& b) {
    Compare(a.leaf, b.leaf);
    if (a.row.size() != b.row.size()) {
      error_ = "another row";
      return;
    }
    for (std::size_t i = 0; i < a.row.size(); ++i)
      Compare(&a.row[i], &b.row[i]);
  }
  template <class A>
  void CompareParts(const A& a, const A& b) {
    if (a.size() != b.size()) {
      error_ = "another size";
      return;
    }
    for (std::size_t i = 0; i < a.size(); ++i) Compare(a[i], b[i]);
  }

  void CompareNodes(const Node& a, const Node& b) {
    Expect(a.left, b.left);
    if (a.name != b.name) error_ = "another name";
    Compare(a.leaf, b.leaf);
    Compare(a.pair[0], b.pair[0]);
    Compare(a.pair[1], b.pair[1]);
    if (a.maybe.has_value() != b.maybe.has_value()) error_ = "maybe";
    if (a.maybe && b.maybe) Compare(*a.maybe, *b.maybe);
    if (a.choice.index() != b.choice.index()) error_ = "choice";
    const Part* part = std::get_if<Part>(&a.choice);
    if (part != nullptr) Compare(*part, std::get<Part>(b.choice));
    Compare(a.second.second, b.second.second);
    if (a.nodes.size() != b.nodes.size()) error_ = "nodes";
    for (std::size_t i = 0; i < a.nodes.size() && error_.empty(); ++i) {
      Expect(a.nodes[i], b.nodes[i]);
    }
    CompareParts(a.parts, b.parts);
    if (a.table.size() != b.table.size()) error_ = "table";
    for (const auto& [key, value] : a.table) {
      const Part* other = b.table.get(key);
      other == nullptr ? void(error_ = "key") : Compare(value, *other);
    }
    for (const auto& [key, value] : a.deep) {
      const auto* other = b.deep.get(key);
      other == nullptr ? void(error_ = "deep key")
                       : CompareParts(value, *other);
    }
    if (a.keys.size() != b.keys.size()) error_ = "keys";
    for (const auto& [key, value] : a.keys) {
      const auto copy = there_.find(key);
      // Those that nothing else reaches are found as keys only.
      if (copy == there_.end()) continue;
      auto* leaf = static_cast<Leaf*>(const_cast<void*>(copy->second));
      if (!b.keys.contains(leaf)) error_ = "a key is not found";
    }
  }

  const acre::Arena& to_;
  std::string error_;
  std::map<const void*, const void*> there_;
  std::map<const void*, const void*> back_;
  std::vector<std::pair<const Node*, const Node*>> nodes_;
};

std::string Graph::CheckCopies() {
  Build();
  for (Leaf& leaf : leaves_.front()) leaf.next = &leaves_.back()[0];
  std::int64_t number = 0;
  for (const std::span<Leaf> row : leaves_) {
    for (Leaf& leaf : row) leaf.number = ++number;
  }
  acre::Arena to;
  for (acre::Arena* arena : {&to, &arena_, collected_}) {
    const Node* copy = acre::DeepCopy(*arena, *nodes_[0]);
    std::string error = Comparison(*arena).Run(*nodes_[0], *copy);
    if (!error.empty()) return error;
    const acre::AuditReport report = acre::Audit(*arena, *copy);
    if (!report.clean()) return "audit: " + report.findings[0].path;
  }
  GC_reachable_here(collected_);
  return {};
}

}  // namespace audit_fuzz

namespace acre_test {

std::string CheckCopyOf(std::span<const std::uint8_t> bytes) {
  audit_fuzz::Decisions decide(bytes);
  audit_fuzz::Graph graph(decide);
  return graph.CheckCopies();
}

std::string CheckAuditOf(std::span<const std::uint8_t> bytes) {
  audit_fuzz::Decisions decide(bytes);
  audit_fuzz::Graph graph(decide);
  return graph.Check();
}

}  // namespace acre_test
