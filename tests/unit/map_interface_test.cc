// SPDX-License-Identifier: MIT
//
// Guards that Map and Set have the interface of std::unordered_map and
// std::unordered_set: what ports use beside the everyday members.

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <new>
#include <ranges>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "support/death.h"

namespace map_interface_test {

using acre::Map;
using acre::Set;
using acre::String;
using acre::Vector;

namespace {

constexpr const char* kLong = "a text that is too long to stay in the handle";

template <class A, class B>
constexpr bool kSame = std::is_same_v<A, B>;

/// What a std container answers, for the same calls.
template <class M>
void CheckMembers(M& map) {
  using value_type = typename M::value_type;
  using iterator = typename M::iterator;
  static_assert(kSame<typename M::pointer, value_type*>);
  static_assert(kSame<typename M::const_pointer, const value_type*>);
  CHECK(map.emplace().second);
  CHECK(map.begin()->first == 0);
  CHECK(map.begin()->second == 0);
  CHECK(map.emplace(std::pair(1, 10)).second);
  CHECK(map.emplace(value_type(2, 20)).second);
  CHECK(map.emplace(std::piecewise_construct, std::tuple(3), std::tuple(30))
            .second);
  CHECK(map.emplace(std::piecewise_construct, std::tuple(4), std::tuple())
            .second);
  CHECK_FALSE(map.emplace(1, 99).second);
  CHECK(map.emplace_hint(map.cbegin(), 5, 50)->second == 50);
  CHECK(map.try_emplace(map.cbegin(), 6, 60)->second == 60);
  CHECK(map.try_emplace(map.cend(), 6, 61)->second == 60);
  CHECK(map.insert_or_assign(map.cbegin(), 6, 66)->second == 66);
  CHECK(map.insert(map.cbegin(), value_type(7, 70))->second == 70);
  CHECK(map.insert(map.cbegin(), std::pair(8, 80))->first == 8);
  CHECK(map.insert(map.cbegin(), {9, 90})->first == 9);
  CHECK_FALSE(map.insert({0, 0}).second);
  CHECK(map.insert(map.cbegin(), {0, 0})->first == 0);
  CHECK(map.size() == 10);
  const std::initializer_list<value_type> list = {{10, 100}, {11, 110}};
  map.insert(list);
  map.insert({{12, 120}, {13, 130}});
  CHECK(map.size() == 14);
  const auto& c = map;
  CHECK(map.equal_range(3).first->second == 30);
  CHECK(std::distance(c.equal_range(3).first, c.equal_range(3).second) == 1);
  CHECK(c.equal_range(99).first == c.end());
  CHECK(c.equal_range(99).second == c.end());
  static_assert(kSame<decltype(map.erase(map.cbegin())), iterator>);
  static_assert(kSame<decltype(map.erase(map.cbegin(), map.cend())), iterator>);
  const auto behind = std::next(map.cbegin(), 3);
  const int key = behind->first;
  CHECK(map.erase(map.cbegin(), behind)->first == key);
  CHECK(map.size() == 11);
  iterator first = map.begin();
  first = map.erase(std::as_const(first));
  CHECK(map.size() == 10);
  CHECK(map.erase(map.cbegin(), map.cend()) == map.end());
  CHECK(map.empty());
}

}  // namespace

TEST_CASE("Map: its members answer as std's") {
  std::unordered_map<int, int> model;
  CheckMembers(model);
  acre::Arena arena;
  Map<int, int> map(arena);
  CheckMembers(map);
}

TEST_CASE("Map: bucket_count, load_factor and rehash agree with each other") {
  acre::Arena arena;
  Map<int, int> map(arena);
  CHECK(map.bucket_count() == 0);
  CHECK(map.load_factor() == 0);
  CHECK(map.max_load_factor() == 1);
  for (int i = 0; i < 1'000; ++i) {
    map[i] = i;
    REQUIRE(map.load_factor() <= map.max_load_factor());
    REQUIRE(map.load_factor() ==
            doctest::Approx(static_cast<double>(map.size()) /
                            static_cast<double>(map.bucket_count())));
  }
  for (const std::size_t count : {0u, 1u, 3'000u, 5'000u, 100'000u}) {
    const std::size_t before = map.bucket_count();
    map.rehash(count);
    CHECK(map.bucket_count() >= count);
    CHECK(map.bucket_count() >= before);
  }
  for (std::size_t wanted = 0; wanted < 300; ++wanted) {
    CAPTURE(wanted);
    Map<int, int> other(arena);
    other.rehash(wanted);
    REQUIRE(other.bucket_count() >= wanted);
    Map<int, std::array<int, 8>> wide(arena);
    wide.rehash(wanted);
    REQUIRE(wide.bucket_count() >= wanted);
  }
  const std::size_t count = map.bucket_count();
  map.max_load_factor(0.1f);  // a hint
  map[-1] = 0;
  CHECK(map.bucket_count() == count);
  CHECK(map.max_bucket_count() >= map.max_size());
  CHECK(map.hash_function()(1) == acre::Hash<int>()(1));
  CHECK(map.key_eq()(1, 1));
}

TEST_CASE("Map: values are made of what their constructors take") {
  acre::Arena arena;
  Map<int, String> texts(arena);
  CHECK(texts.try_emplace(1, 3, 'A').first->second == "AAA");
  CHECK(texts.try_emplace(2, 40, 'b').first->second == std::string(40, 'b'));
  CHECK(texts.emplace(3, "c").first->second == "c");
  CHECK(
      texts.emplace(std::piecewise_construct, std::tuple(4), std::tuple(2, 'd'))
          .first->second == "dd");
  Map<String, Vector<int>> lists(arena);
  CHECK(lists.try_emplace("a", 3, 7).first->second == Vector(arena, {7, 7, 7}));
  const std::array<int, 2> numbers{1, 2};
  CHECK(lists.try_emplace("b", numbers.begin(), numbers.end())
            .first->second.size() == 2);
  CHECK(lists
            .emplace(std::piecewise_construct, std::tuple(40, 'k'),
                     std::tuple(4, 5))
            .second);
  CHECK(lists.at(std::string(40, 'k')).size() == 4);
  CHECK(lists.begin()->second.arena() == &arena);
}

// --------------------------------------------------------------------- ranges

TEST_CASE("Map: a range may be of an input stream, read once") {
  struct Pair {
    int first;
    int second;
  };
  /// Counts what is read; has no operator->.
  struct Reader {
    Pair operator*() const {
      ++*reads;
      return {at, at * 10};
    }
    Reader& operator++() {
      ++at;
      return *this;
    }
    bool operator==(const Reader& other) const { return at == other.at; }
    int at;
    int* reads;
  };
  int reads = 0;
  acre::Arena arena;
  Map<int, int> map(arena, Reader{0, &reads}, Reader{50, &reads});
  CHECK(map.size() == 50);
  CHECK(reads == 50);
  CHECK(map.at(7) == 70);
  std::istringstream words("one two one three");
  using Words = std::istream_iterator<std::string>;
  Set<String> set(arena, Words(words), Words());
  CHECK(set.size() == 3);
  CHECK(set.contains("three"));
}

// clang 14 does not compile libstdc++'s views.
#if !defined(__clang__) || __clang_major__ > 15
TEST_CASE("Map: a range may be of a view") {
  acre::Arena arena;
  auto pairs = std::views::iota(0, 20) |
               std::views::transform([](int i) { return std::pair(i, i * i); });
  const Map<int, int> map(arena, pairs.begin(), pairs.end());
  CHECK(map.size() == 20);
  CHECK(map.at(5) == 25);
  auto odd = std::views::iota(0, 20) |
             std::views::filter([](int i) { return i % 2 == 1; }) |
             std::views::common;
  const Set<int> set(arena, odd.begin(), odd.end());
  CHECK(set.size() == 10);
  CHECK(set.contains(3));
}
#endif

TEST_CASE("Map: a range that moves its elements gives up keys and values") {
  acre::Arena arena;
  std::vector<std::pair<String, String>> pairs;
  for (int i = 0; i < 5; ++i) {
    pairs.emplace_back(String(arena, kLong + std::to_string(i)),
                       String(arena, kLong));
  }
  const char* key = pairs[2].first.data();
  const char* value = pairs[2].second.data();
  Map<String, String> map(arena);
  map.insert(std::move_iterator(pairs.begin()),
             std::move_iterator(pairs.end()));
  const auto found = map.find(kLong + std::to_string(2));
  CHECK(found->first.data() == key);
  CHECK(found->second.data() == value);
  std::vector<String> texts;
  texts.emplace_back(arena, kLong);
  const char* text = texts[0].data();
  Set<String> set(arena);
  set.insert(std::move_iterator(texts.begin()),
             std::move_iterator(texts.end()));
  CHECK(set.begin()->data() == text);
}

TEST_CASE("Map: elements of another Map are copied, its keys are not taken") {
  acre::Arena arena;
  Map<String, int> from(arena);
  from[kLong] = 1;
  Map<String, int> to(arena, std::move_iterator(from.begin()),
                      std::move_iterator(from.end()));
  CHECK(to.at(kLong) == 1);
  CHECK(from.at(kLong) == 1);
}

TEST_CASE("Set: lists of every kind of key, nested braces too") {
  using Pair = std::pair<int, int>;
  acre::Arena arena;
  Set<Pair> pairs(arena, {{1, 2}, {3, 4}});
  pairs.insert({{5, 6}, {7, 8}});
  CHECK(pairs.size() == 4);
  CHECK(pairs.contains({7, 8}));
  pairs.insert({9, 10});  // one pair
  pairs.insert({0, 0});
  CHECK(pairs.size() == 6);
  const std::initializer_list<Pair> list = {{1, 1}, {1, 2}};
  pairs.insert(list);
  CHECK(pairs.size() == 7);
  pairs = {{1, 2}};
  CHECK(pairs.size() == 1);
  Set<String> texts(arena, {"a", kLong});
  const std::string text = "b";
  texts.insert({text, std::string("c")});
  texts.insert({"d", std::string_view("e")});
  CHECK(texts.size() == 6);
  texts = {"only"};
  CHECK(texts.size() == 1);
  Set<long> numbers(arena, {1, 2, 3});
  numbers.insert({4, 5});
  CHECK(numbers.size() == 5);
  CHECK(numbers.emplace_hint(numbers.begin(), 6) != numbers.end());
  CHECK(numbers.emplace().second);
  CHECK(*numbers.equal_range(6).first == 6);
  CHECK(numbers.bucket_count() >= numbers.size());
}

TEST_CASE("Map: its arguments are deduced") {
  acre::Arena arena;
  Map map(arena, {std::pair(1, 2.5), std::pair(2, 3.5)});
  static_assert(kSame<decltype(map), Map<int, double>>);
  const std::vector<std::pair<long, int>> pairs{{1, 2}};
  Map ranged(arena, pairs.begin(), pairs.end());
  static_assert(kSame<decltype(ranged), Map<long, int>>);
  Map again(arena, map.begin(), map.end());
  static_assert(kSame<decltype(again), Map<int, double>>);
  CHECK(again == map);
  Set set(arena, {1L, 2L});
  static_assert(kSame<decltype(set), Set<long>>);
  Set of_range(arena, set.begin(), set.end());
  static_assert(kSame<decltype(of_range), Set<long>>);
  CHECK(of_range == set);
}

TEST_CASE("Map: erase_if is found beside std's") {
  using std::erase_if;
  acre::Arena arena;
  Map map(arena, {std::pair(1, 1), std::pair(2, 2)});
  CHECK(erase_if(map, [](const auto& e) { return e.second == 2; }) == 1);
  Set set(arena, {1, 2, 3});
  CHECK(erase_if(set, [](int key) { return key > 1; }) == 2);
}

// ---------------------------------------------------------------------- nodes

TEST_CASE("Map: a node holds an element, containers included, until inserted") {
  acre::Arena arena;
  Map<String, Vector<int>> map(arena);
  for (int i = 0; i < 100; ++i) map[kLong + std::to_string(i)].push_back(i);
  const std::string name = kLong + std::to_string(7);
  const int* numbers = map.at(name).data();
  const char* text = map.find(name)->first.data();
  auto node = map.extract(name);
  CHECK(map.size() == 99);
  CHECK_FALSE(map.contains(name));
  REQUIRE(node);
  CHECK_FALSE(node.empty());
  CHECK(node.key().data() == text);
  CHECK(node.mapped().data() == numbers);
  node.key() = "new";
  Map<String, Vector<int>> other(arena);
  const auto result = other.insert(std::move(node));
  CHECK(result.inserted);
  CHECK(result.node.empty());
  CHECK(result.position == other.find("new"));
  CHECK(node.empty());  // NOLINT(bugprone-use-after-move)
  CHECK(other.at("new").data() == numbers);
}

TEST_CASE("Map: a node whose key is there comes back") {
  acre::Arena arena;
  Map<int, String> from(arena, {{1, kLong}});
  Map<int, String> to(arena, {{1, "there"}});
  auto result = to.insert(from.extract(from.cbegin()));
  CHECK_FALSE(result.inserted);
  CHECK(result.position == to.find(1));
  CHECK(result.node.mapped() == kLong);
  CHECK(to.insert(to.end(), std::move(result.node)) == to.begin());
  CHECK(to.at(1) == "there");
  CHECK(from.extract(5).empty());
  const auto nothing = to.insert(Map<int, String>::node_type());
  CHECK_FALSE(nothing.inserted);
  CHECK(nothing.position == to.end());
}

TEST_CASE("Map: a node that is dropped gives back what it holds") {
  acre::Arena arena;
  {
    Map<String, Vector<int>> map(arena);
    map[kLong].push_back(1);
    map["x"].push_back(1);
    auto node = map.extract(kLong);
    auto moved = std::move(node);
    CHECK(moved.key() == kLong);
    moved = map.extract("x");
    CHECK(moved.key() == "x");
    auto empty = map.extract("absent");
    moved.swap(empty);
    CHECK(moved.empty());
    map.Release();
  }
  CHECK(arena.stats().live() == 0);
  static_assert(!acre::Element<Map<int, int>::node_type>);
}

TEST_CASE("Set: nodes and merging as in Map") {
  acre::Arena arena;
  Set<String> set(arena, {"a", kLong});
  auto node = set.extract(kLong);
  CHECK(node.value() == kLong);
  CHECK(set.size() == 1);
  CHECK(set.insert(std::move(node)).inserted);
  Set<String> other(arena, {"a", "b"});
  other.merge(set);
  CHECK(other.size() == 3);
  CHECK(set.size() == 1);
  CHECK(set.contains("a"));
}

TEST_CASE("Map: merge takes over what is not there") {
  acre::Arena arena;
  std::unordered_map<int, int> model_a;
  std::unordered_map<int, int> model_b;
  Map<int, int> a(arena);
  Map<int, int, acre::UntrustedHash<int>> b(arena);
  for (int i = 0; i < 500; ++i) a[i * 3] = model_a[i * 3] = i;
  for (int i = 0; i < 500; ++i) b[i * 2] = model_b[i * 2] = -i;
  a.merge(b);
  model_a.merge(model_b);
  CHECK(a.size() == model_a.size());
  CHECK(b.size() == model_b.size());
  for (const auto& [key, value] : model_a) REQUIRE(a.at(key) == value);
  for (const auto& [key, value] : model_b) REQUIRE(b.at(key) == value);
  a.merge(a);
  CHECK(a.size() == model_a.size());
  a.merge(Map<int, int>(arena, {{-1, 1}}));
  CHECK(a.at(-1) == 1);
}

struct Folder {
  String name;
  Map<int, Folder> inside = {};
};
ACRE_LAYOUT(Folder, name, inside)

TEST_CASE("Map: merging a Map that is part of an element is refused") {
  const auto merge = [] {
    acre::Arena arena;
    Map<int, Folder> map(arena);
    for (int i = 0; i < 20; ++i) map[0].inside[100 + i].name = "inside";
    map.merge(map.at(0).inside);
  };
  CHECK(acre_test::Matches(acre_test::RunInChild(merge),
                           "part of an element of this one"));
  acre::Arena arena;
  Map<int, Folder> map(arena);
  for (int i = 0; i < 20; ++i) map[0].inside[100 + i].name = "inside";
  Map<int, Folder> taken = std::move(map.at(0).inside);
  map.merge(taken);
  CHECK(map.size() == 21);
  CHECK(taken.empty());
}

TEST_CASE("Map: where memory runs out merging loses nothing") {
  acre::Arena arena({.byte_limit = 96 << 10});
  Map<int, String> from(arena);
  for (int i = 0; i < 300; ++i) from.try_emplace(i, 60, 'x');
  Map<int, String> to(arena, {{1, "there"}});
  to.reserve(5);
  // The rest of the arena goes to somebody else, to the last bytes: what comes
  // to lie between these blocks would keep their chunk from being one again.
  std::vector<std::pair<void*, std::size_t>> blocks;
  constexpr std::size_t kElement = sizeof(Map<int, String>::value_type);
  for (const std::size_t bytes :
       {std::size_t{512}, kElement, std::size_t{16}}) {
    while (void* block = arena.TryAllocate(bytes)) {
      blocks.emplace_back(block, bytes);
    }
  }
  // But for one element that is on its way.
  const auto element =
      std::find_if(blocks.begin(), blocks.end(),
                   [](const auto& block) { return block.second == kElement; });
  REQUIRE(element != blocks.end());
  arena.Free(element->first, kElement);
  blocks.erase(element);
  CHECK_THROWS_AS(to.merge(from), std::bad_alloc);
  CHECK(to.size() > 1);
  CHECK(from.size() > 1);
  CHECK(from.size() + to.size() == 301);
  for (const auto& [block, bytes] : blocks) arena.Free(block, bytes);
  to.merge(from);
  CHECK(to.size() == 300);
  CHECK(from.size() == 1);
  CHECK(to.at(1) == "there");
  CHECK(to.at(299) == std::string(60, 'x'));
  to.Release();
  from.Release();
  CHECK(arena.stats().live() == 0);
}

#if ACRE_CHECKED

namespace {

/// Inserts into the Map that it is being inserted into.
struct Inside {
  explicit Inside(Map<int, Inside>* map) {
    if (map != nullptr) map->try_emplace(7, nullptr);
  }
};
/// Inserts into another one.
struct Outside {
  explicit Outside(Map<int, int>& map) { map[2] = 2; }
};

void InsertNodeOf(acre::Arena& arena, acre::Arena& other) {
  auto* from = arena.New<Map<int, String>>();
  auto* to = other.New<Map<int, String>>();
  from->try_emplace(1, kLong);
  to->insert(from->extract(1));
}

}  // namespace

TEST_CASE("Map: a node of another arena is refused where it holds containers") {
  acre::Arena arena({.name = "here"});
  acre::Arena other({.name = "there"});
  CHECK_DIES(InsertNodeOf(arena, other), "here");
}

TEST_CASE("Map: an element that inserts into its own Map") {
  acre::Arena arena({.name = "inside"});
  Map<int, Inside> map(arena);
  map.reserve(10);
  CHECK(map.try_emplace(1, &map).second);
  CHECK(map.contains(1));
  CHECK(map.contains(7));
  Map<int, Inside> growing(arena);
  CHECK(growing.try_emplace(1, &growing).second);
  CHECK(growing.size() == 2);
  // Another Map is another matter.
  Map<int, int> numbers(arena);
  Map<int, Outside> others(arena);
  CHECK(others.try_emplace(1, numbers).second);
  CHECK(numbers.at(2) == 2);
}

#endif

}  // namespace map_interface_test
