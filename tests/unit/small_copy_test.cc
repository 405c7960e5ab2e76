// SPDX-License-Identifier: MIT
//
// Guards deep copy of few pieces: any small graph, what is left to the engine
// for large ones, and that nothing is done where it is.

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "acre/arena.h"
#include "acre/audit.h"
#include "acre/deep_copy.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "copy/small_copier.h"
#include "copy_engines.h"
#include "test_sources.h"

namespace small_copy_test {

using acre::Arena;
using acre::DeepCopy;
using acre::Map;
using acre::String;
using acre::TryDeepCopy;
using acre::Vector;
using acre_test::TryCopySmall;

constexpr std::size_t kMost = acre::detail::SmallCopier::kMost;

struct Leaf {
  std::uint64_t words[3] = {};
};
ACRE_LAYOUT(Leaf, words)

struct alignas(64) Wide {
  std::uint64_t id = 0;
  Wide* next = nullptr;
  std::uint64_t rest[6] = {};
};
ACRE_LAYOUT(Wide, id, next, rest)

struct Node {
  std::uint32_t id = 0;
  String name;
  Node* next = nullptr;
  Vector<Node*> links;
  Vector<Vector<Node*>> rows;
  Vector<std::pair<String, Node*>> named;
  std::optional<Node*> maybe;
  std::variant<int, Node*, String> choice;
  std::array<Node*, 2> two = {};
  Map<String, Node*> by_name;
  std::span<Leaf> leaves;
  Wide* wide = nullptr;
  Node* lent = nullptr;
};
ACRE_LAYOUT(Node, id, name, next, links, rows, named, maybe, choice, two,
            by_name, leaves, wide, borrowed(lent))

using Random = std::mt19937;
std::size_t Below(Random& random, std::size_t bound) {
  return random() % bound;
}

/// `count` nodes, some of which can be reached from the first.
Node* MakeNodes(Arena& arena, std::size_t count, Random& random) {
  std::vector<Node*> nodes(count);
  for (Node*& node : nodes) node = arena.New<Node>();
  const auto any = [&] {
    return Below(random, 4) == 0 ? nullptr : nodes[Below(random, count)];
  };
  const auto text = [&] { return std::string(Below(random, 50), 't'); };
  const auto rarely = [&] { return Below(random, 4) == 0; };
  for (std::size_t i = 0; i < count; ++i) {
    Node& node = *nodes[i];
    node.id = static_cast<std::uint32_t>(i);
    node.name = text();
    node.next = any();
    node.lent = nodes[0];
    if (rarely()) node.links = {any(), any(), any()};
    if (rarely()) {
      node.rows.resize(2);
      node.rows[1] = {any(), any()};
    }
    if (rarely()) node.named.emplace_back(text(), any());
    if (rarely()) node.maybe = any();
    if (rarely()) node.choice = any();
    if (rarely()) node.choice.emplace<2>(text());
    if (rarely()) node.two = {any(), any()};
    for (std::size_t k = rarely() ? 5 : 0; k > 0; --k) {
      node.by_name[text()] = any();
    }
    if (rarely()) {
      node.leaves = arena.NewArray<Leaf>(1 + Below(random, 3));
      node.leaves.back().words[2] = random();
    }
    if (rarely()) {
      node.wide = arena.New<Wide>();
      node.wide->id = random();
      node.wide->next = node.wide;
    }
  }
  return nodes[0];
}

/// Walks source and copy side by side.
class Comparison {
 public:
  explicit Comparison(const Arena& target) : target_(target) {}

  bool AreSame(const Node* source, const Node* copy) {
    Pair(source, copy);
    while (same_ && !to_do_.empty()) {
      const auto [from, to] = to_do_.back();
      to_do_.pop_back();
      Compare(*from, *to);
    }
    return same_;
  }
  std::size_t nodes() const { return copies_.size(); }

 private:
  void Require(bool holds) { same_ = same_ && holds; }

  void Pair(const Node* source, const Node* copy) {
    if (source == nullptr || copy == nullptr) return Require(source == copy);
    const auto [at, is_new] = copies_.try_emplace(source, copy);
    Require(at->second == copy);
    if (!is_new) return;
    Require(source != copy && acre::ArenaOf(copy) == &target_);
    to_do_.push_back({source, copy});
  }

  void Compare(const Node& from, const Node& to) {
    Require(from.id == to.id && from.name == to.name && from.lent == to.lent);
    Pair(from.next, to.next);
    PairAll(from.links, to.links);
    Require(from.rows.size() == to.rows.size());
    for (std::size_t i = 0; same_ && i < from.rows.size(); ++i) {
      PairAll(from.rows[i], to.rows[i]);
    }
    Require(from.named.size() == to.named.size());
    for (std::size_t i = 0; same_ && i < from.named.size(); ++i) {
      Require(from.named[i].first == to.named[i].first);
      Pair(from.named[i].second, to.named[i].second);
    }
    Require(from.maybe.has_value() == to.maybe.has_value());
    if (same_ && from.maybe) Pair(*from.maybe, *to.maybe);
    CompareChoice(from, to);
    for (int i = 0; i < 2; ++i) Pair(from.two[i], to.two[i]);
    Require(from.by_name.size() == to.by_name.size());
    for (const auto& [key, value] : from.by_name) {
      Node* const* other = to.by_name.get(key.view());
      Require(other != nullptr);
      if (other != nullptr) Pair(value, *other);
    }
    CompareOthers(from, to);
  }

  void CompareChoice(const Node& from, const Node& to) {
    Require(from.choice.index() == to.choice.index());
    if (!same_) return;
    if (from.choice.index() == 1) {
      Pair(std::get<1>(from.choice), std::get<1>(to.choice));
    } else {
      Require(from.choice.index() == 0 ||
              std::get<2>(from.choice) == std::get<2>(to.choice));
    }
  }

  void CompareOthers(const Node& from, const Node& to) {
    Require(from.leaves.size() == to.leaves.size());
    if (same_ && !from.leaves.empty()) {
      Require(from.leaves.data() != to.leaves.data());
      Require(from.leaves.back().words[2] == to.leaves.back().words[2]);
    }
    Require((from.wide == nullptr) == (to.wide == nullptr));
    if (!same_ || from.wide == nullptr) return;
    Require(from.wide != to.wide && to.wide->next == to.wide);
    Require(from.wide->id == to.wide->id);
    Require(reinterpret_cast<std::uintptr_t>(to.wide) % 64 == 0);
  }

  template <class Links>
  void PairAll(const Links& from, const Links& to) {
    Require(from.size() == to.size());
    for (std::size_t i = 0; same_ && i < from.size(); ++i) Pair(from[i], to[i]);
  }

  const Arena& target_;
  bool same_ = true;
  std::map<const Node*, const Node*> copies_;
  std::vector<std::pair<const Node*, const Node*>> to_do_;
};

TEST_CASE("DeepCopy of few pieces: any graph") {
  std::size_t by_small = 0;
  std::size_t by_others = 0;
  std::size_t most = 0;
  for (unsigned seed = 0; seed < 600; ++seed) {
    Random random(seed);
    Arena source;
    Arena target;
    const Node* root = MakeNodes(source, 1 + seed % 14, random);
    const Node* copy = TryCopySmall(target, *root);
    if (copy == nullptr) {
      ++by_others;
      REQUIRE(target.stats().live() == 0);
      copy = DeepCopy(target, *root);
    } else {
      ++by_small;
    }
    Comparison comparison(target);
    REQUIRE(comparison.AreSame(root, copy));
    if (comparison.nodes() > most) most = comparison.nodes();
    REQUIRE(acre::Audit(target, *copy).leaks() == 0);
  }
  CHECK(by_small > 300);
  CHECK(by_others > 50);
  CHECK(most > 10);
}

TEST_CASE("DeepCopy of few pieces: into the arena of the source") {
  for (unsigned seed = 0; seed < 100; ++seed) {
    Random random(seed);
    Arena arena;
    const Node* root = MakeNodes(arena, 4, random);
    const Node* copy = DeepCopy(arena, *root);
    REQUIRE(Comparison(arena).AreSame(root, copy));
  }
}

struct Ring {
  Ring* next = nullptr;
  Ring** slot = nullptr;  // into a Ring
};
ACRE_LAYOUT(Ring, next, slot)

Ring* MakeRing(Arena& arena, std::size_t count) {
  Ring* first = arena.New<Ring>();
  Ring* last = first;
  for (std::size_t i = 1; i < count; ++i) last = last->next = arena.New<Ring>();
  last->next = first;
  return first;
}

std::size_t LengthOf(const Ring& ring) {
  std::size_t length = 1;
  for (const Ring* at = ring.next; at != &ring; at = at->next) ++length;
  return length;
}

TEST_CASE("DeepCopy of few pieces: as many as there is room for") {
  for (const std::size_t count : {std::size_t{1}, std::size_t{2}, kMost - 1,
                                  kMost, kMost + 1, 3 * kMost}) {
    CAPTURE(count);
    Arena source;
    Arena target;
    const Ring* ring = MakeRing(source, count);
    const Ring* copy = TryCopySmall(target, *ring);
    CHECK((copy != nullptr) == (count <= kMost));
    if (copy == nullptr) CHECK(target.stats().live() == 0);
    if (copy == nullptr) copy = DeepCopy(target, *ring);
    CHECK(LengthOf(*copy) == count);
    CHECK(acre::Audit(target, *copy).leaks() == 0);
  }
}

struct Hub {
  Vector<Ring*> rings;
  Map<std::uint32_t, Ring*> by_id;
  Vector<std::uint64_t> words;
};
ACRE_LAYOUT(Hub, rings, by_id, words)

TEST_CASE("DeepCopy of few pieces: long ones") {
  Arena source;
  Arena target;
  auto* hub = source.New<Hub>();
  bool is_small = true;
  SUBCASE("of numbers") { hub->words.resize(1'000'000, 7); }
  SUBCASE("a hundred pointers to one") {
    hub->rings.resize(100, MakeRing(source, 1));
  }
  SUBCASE("a thousand pointers to one") {
    hub->rings.resize(1000, MakeRing(source, 1));
    is_small = false;
  }
  SUBCASE("a table of hundreds") {
    Ring* ring = MakeRing(source, 1);
    for (std::uint32_t i = 0; i < 500; ++i) hub->by_id[i] = ring;
    is_small = false;
  }
  const Hub* copy = TryCopySmall(target, *hub);
  CHECK((copy != nullptr) == is_small);
  if (copy == nullptr) CHECK(target.stats().live() == 0);
  if (copy == nullptr) copy = DeepCopy(target, *hub);
  CHECK(copy->words == hub->words);
  REQUIRE(copy->rings.size() == hub->rings.size());
  for (Ring* ring : copy->rings) CHECK(ring == copy->rings[0]);
  REQUIRE(copy->by_id.size() == hub->by_id.size());
  for (const auto& [id, ring] : copy->by_id) {
    CHECK(ring == copy->by_id.at(0));
  }
  CHECK(acre::Audit(target, *copy).leaks() == 0);
}

TEST_CASE("DeepCopy of few pieces: a root outside of arenas") {
  Arena source;
  Arena target;
  Ring root;
  root.next = MakeRing(source, 3);
  root.next->next->next->next = &root;
  const Ring* copy = TryCopySmall(target, root);
  REQUIRE(copy != nullptr);
  CHECK(copy != &root);
  CHECK(LengthOf(*copy) == 4);
  CHECK(acre::Audit(target, *copy).leaks() == 0);

  SUBCASE("others outside are not for it") {
    Ring other;
    other.next = &root;
    root.next = &other;
    Arena second;
    CHECK(TryCopySmall(second, root) == nullptr);
    CHECK(second.stats().live() == 0);
    CHECK(LengthOf(*DeepCopy(second, root)) == 2);
  }
}

struct Inner {
  std::uint64_t id = 0;
};
ACRE_LAYOUT(Inner, id)
struct Outer {
  Inner inner;
  std::uint64_t rest = 0;
};
ACRE_LAYOUT(Outer, inner, rest)

struct Odd {
  Outer* outer = nullptr;
  Inner* inner = nullptr;
  Outer* one = nullptr;
  std::span<Outer> some;
  std::span<Outer> all;
  std::string_view text;
  String name;
  Vector<Outer> outers;
  Map<Inner*, int> by_inner;
};
ACRE_LAYOUT(Odd, outer, inner, one, some, all, text, name, outers, by_inner)

// What leads into an extent, or is one of another kind at its start.
TEST_CASE("DeepCopy of few pieces: what is left to others, and done there") {
  Arena source;
  Arena target;
  auto* odd = source.New<Odd>();
  const auto check = [&](const char* what, auto is_kept) {
    CAPTURE(what);
    CHECK(TryCopySmall(target, *odd) == nullptr);
    CHECK(target.stats().live() == 0);
    const Odd* copy = DeepCopy(target, *odd);
    CHECK(is_kept(*copy));
    CHECK(acre::Audit(target, *copy).leaks() == 0);
  };
  SUBCASE("a part at the start of the whole") {
    odd->outer = source.New<Outer>();
    odd->inner = &odd->outer->inner;
    check("whole first",
          [](const Odd& copy) { return copy.inner == &copy.outer->inner; });
  }
  SUBCASE("a part that is met first") {
    auto outers = source.NewArray<Outer>(3);
    odd->one = &outers[1];
    odd->some = outers;
    check("part first",
          [](const Odd& copy) { return copy.one == &copy.some[1]; });
  }
  SUBCASE("some of all, from the start") {
    odd->all = source.NewArray<Outer>(3);
    odd->some = odd->all.first(2);
    check("some", [](const Odd& copy) {
      return copy.some.data() == copy.all.data() && copy.some.size() == 2;
    });
  }
  SUBCASE("the first element of a Vector") {
    odd->outers.resize(2);
    odd->one = &odd->outers[0];
    check("element",
          [](const Odd& copy) { return copy.one == &copy.outers[0]; });
  }
  SUBCASE("the last element of a Vector") {
    odd->outers.resize(2);
    odd->one = &odd->outers[1];
    check("element",
          [](const Odd& copy) { return copy.one == &copy.outers[1]; });
  }
  SUBCASE("a text in a String") {
    odd->name = "a text of more than twenty-three characters";
    odd->text = odd->name.view().substr(2, 4);
    check("text", [](const Odd& copy) {
      return copy.text.data() == copy.name.data() + 2;
    });
  }
  SUBCASE("a literal") {
    odd->text = "literal";
    check("literal", [&](const Odd& copy) {
      return copy.text.data() == odd->text.data();
    });
  }
  SUBCASE("keys that are pointers") {
    odd->inner = source.New<Inner>();
    odd->by_inner[odd->inner] = 7;
    check("keys",
          [](const Odd& copy) { return copy.by_inner.at(copy.inner) == 7; });
  }
  SUBCASE("a slot of an object") {
    Ring* ring = MakeRing(source, 2);
    ring->slot = &ring->next->next;
    CHECK(TryCopySmall(target, *ring) == nullptr);
    CHECK(target.stats().live() == 0);
    const Ring* copy = DeepCopy(target, *ring);
    CHECK(copy->slot == &copy->next->next);
  }
}

TEST_CASE("DeepCopy of few pieces: a limit at every size leaves nothing") {
  Arena source;
  Node* root = source.New<Node>();
  root->name = std::string(300, 'n');
  root->links = {source.New<Node>(), root};
  root->leaves = source.NewArray<Leaf>(5);
  root->wide = source.New<Wide>();
  root->by_name["name"] = root->links[0];
  {
    Arena whole;
    REQUIRE(TryCopySmall(whole, *root) != nullptr);
  }
  int failures = 0;
  for (std::size_t limit = 256;; limit += 64) {
    REQUIRE(limit < (std::size_t{1} << 20));
    Arena target({.source = &acre::MallocSource::Instance(),
                  .first_chunk = 256,
                  .byte_limit = limit});
    const Node* copy = TryCopySmall(target, *root);
    if (copy != nullptr) {
      CHECK(copy->links[1] == copy);
      break;
    }
    ++failures;
    REQUIRE(target.stats().live() == 0);
    REQUIRE(TryDeepCopy(target, *root) == nullptr);
    REQUIRE(target.stats().live() == 0);
  }
  CHECK(failures > 10);
}

TEST_CASE("DeepCopy of few pieces: neighbours stay neighbours") {
  Arena source;
  std::vector<Ring*> rings(8);
  for (Ring*& ring : rings) ring = source.New<Ring>();
  const int order[] = {3, 7, 0, 5, 1, 6, 2, 4};
  for (int i = 0; i < 8; ++i) {
    rings[order[i]]->next = rings[order[(i + 1) % 8]];
  }
  Arena target;
  const Ring* copy = TryCopySmall(target, *rings[order[0]]);
  REQUIRE(copy != nullptr);
  for (int i = 0; i < 8; ++i, copy = copy->next) {
    CHECK(copy->next - copy == rings[order[(i + 1) % 8]] - rings[order[i]]);
  }
}

TEST_CASE("DeepCopy of few pieces: what did not fit leaves all the room") {
  Arena source;
  const Ring* ring = MakeRing(source, kMost);
  for (const bool freelists : {true, false}) {
    Arena target({.source = &acre::MallocSource::Instance(),
                  .first_chunk = 512,
                  .max_chunk = 512,
                  .byte_limit = 512,
                  .freelists = freelists});
    const std::size_t room = target.stats().carved;
    REQUIRE(TryCopySmall(target, *ring) == nullptr);
    CHECK(target.stats().live() == 0);
    if (!freelists) CHECK(target.stats().carved == room);
    CHECK(target.TryAllocate(256) != nullptr);
  }
}

struct Message {
  String subject;
  Vector<String> lines;
  Message* answer = nullptr;
};
ACRE_LAYOUT(Message, subject, lines, owned(answer))

TEST_CASE("DeepCopy of few pieces: freed and made again, it does not grow") {
  Arena source;
  auto* message = source.New<Message>();
  message->subject = std::string(40, 's');
  message->lines = {"a line", "a line that does not fit into its handle"};
  message->answer = source.New<Message>();
  message->answer->subject = "re";
  Arena target;
  std::size_t reserved = 0;
  for (int i = 0; i < 2000; ++i) {
    Message* copy = TryCopySmall(target, *message);
    REQUIRE(copy != nullptr);
    REQUIRE(copy->answer->subject == "re");
    REQUIRE(copy->lines[1] == message->lines[1]);
    if (i == 0) reserved = target.stats().reserved;
    target.FreeGraph(copy);
    REQUIRE(target.stats().live() == 0);
  }
  CHECK(target.stats().reserved == reserved);
}

template <std::size_t kSlots>
struct Many {
  std::uint32_t id = 0;
  std::array<std::array<Many*, 12>, kSlots / 12> others = {};
};
ACRE_LAYOUT(Many<36>, id, others)
ACRE_LAYOUT(Many<72>, id, others)

template <std::size_t kSlots>
bool IsCopiedAsOne() {
  Arena source;
  auto* many = source.New<Many<kSlots>>();
  many->id = 7;
  for (auto& row : many->others) row[3] = row[11] = many;
  Arena target;
  const Many<kSlots>* const small = TryCopySmall(target, *many);
  const Many<kSlots>* const copy = DeepCopy(target, *many);
  REQUIRE(copy->id == 7);
  for (const auto& row : copy->others) {
    REQUIRE(row[2] == nullptr);
    REQUIRE(row[3] == copy);
    REQUIRE(row[11] == copy);
  }
  return small != nullptr && small->others[0][3] == small;
}

TEST_CASE("DeepCopy of few pieces: of many slots, there is room or not") {
  CHECK(IsCopiedAsOne<36>());
  CHECK_FALSE(IsCopiedAsOne<72>());
}

template <std::size_t kNth>
struct Chained {
  std::uint64_t id = kNth;
  Chained<kNth - 1>* next = nullptr;
};
template <>
struct Chained<0> {
  std::uint64_t id = 0;
};
template <std::size_t kNth>
ACRE_LAYOUT(Chained<kNth>, id, next)
ACRE_LAYOUT(Chained<0>, id)

template <std::size_t kNth>
Chained<kNth>* MakeChain(Arena& arena) {
  auto* first = arena.New<Chained<kNth>>();
  if constexpr (kNth != 0) first->next = MakeChain<kNth - 1>(arena);
  return first;
}

template <std::size_t kNth>
std::size_t LengthOf(const Chained<kNth>& first) {
  if (first.id != kNth) return 0;
  if constexpr (kNth == 0) {
    return 1;
  } else {
    return 1 + LengthOf(*first.next);
  }
}

TEST_CASE("DeepCopy of few pieces: each of another type") {
  Arena source;
  Arena target;
  CHECK(TryCopySmall(target, *MakeChain<9>(source)) != nullptr);
  CHECK(TryCopySmall(target, *MakeChain<25>(source)) == nullptr);
  CHECK(LengthOf(*DeepCopy(target, *MakeChain<9>(source))) == 10);
  CHECK(LengthOf(*DeepCopy(target, *MakeChain<25>(source))) == 26);
}

}  // namespace small_copy_test
