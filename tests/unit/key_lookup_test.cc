// SPDX-License-Identifier: MIT
//
// Guards what Map and Set take for a key: with hashers and equalities that are
// transparent and such that are not, keys with containers, bit-fields,
// literals.

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "acre/arena.h"
#include "acre/failure.h"
#include "acre/hash.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"

namespace key_lookup_test {

using acre::Map;
using acre::Set;
using acre::String;

namespace {

constexpr const char* kLong = "a text that is too long to stay in the handle";
constexpr const char* kOther = "another text that does not fit in the handle";

struct BySize {
  std::size_t operator()(const String& text) const { return text.size(); }
};
struct BySizeOfAny {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return text.size(); }
};
using StdEqual = std::equal_to<String>;

/// An assertion in a template: compiled once, not for each of its types.
void Expect(bool holds, int line = __builtin_LINE()) {
  CAPTURE(line);
  CHECK(holds);
}

/// All that Maps and Sets do with a text that is no key.
template <class H, class E>
void CheckTexts() {
  acre::Arena arena;
  {
    Map<String, int, H, E> map(arena);
    map["short"] = 1;
    map[kLong] = 2;
    map.reserve(20);
    Expect(map.size() == 2);
    const std::size_t live = arena.stats().live();
    const auto& c = map;
    Expect(map.at(kLong) == 2);
    Expect(c.at(std::string(kLong)) == 2);
    Expect(c.at(std::string_view("short")) == 1);
    Expect(map.contains(kLong));
    Expect(!c.contains(kOther));
    Expect(c.count(kLong) == 1);
    Expect(*c.get(kLong) == 2);
    Expect(map.get(kOther) == nullptr);
    Expect(map.find(kLong) != map.end());
    Expect(c.find(kOther) == c.end());
    Expect(map.equal_range(kLong).first == map.find(kLong));
    Expect(c.equal_range(kOther).first == c.end());
    Expect(!map.try_emplace(kLong, 9).second);
    Expect(!map.insert_or_assign(kLong, 3).second);
    Expect(!map.emplace(kLong, 9).second);
    Expect(map.at(String(arena, "short")) == 1);
    // What was made to look up was given back.
    Expect(arena.stats().live() == live);
    Expect(map.try_emplace(kOther, 4).second);
    Expect(map.find(kOther)->first.arena() == &arena);
    Expect(map.erase(kOther) == 1);
    Expect(map.erase(kOther) == 0);
    Expect(arena.stats().live() == live);
    Expect(map.extract(kOther).empty());
    Expect(map.extract(kLong).mapped() == 3);
    map.Release();
  }
  Set<String, H, E> set(arena, {"short", kLong});
  Expect(set.contains(kLong));
  Expect(!set.contains(kOther));
  Expect(!set.insert(kLong).second);
  Expect(set.insert(kOther).second);
  Expect(set.get(kOther)->arena() == &arena);
  Expect(set.erase(std::string(kOther)) == 1);
  Expect(set.find(kLong) != set.end());
  Expect(set.emplace(std::string(kOther)).second);
  Expect(set.size() == 3);
  set.Release();
  Expect(arena.stats().live() == 0);
}

}  // namespace

TEST_CASE("Key: texts find Strings, whatever hasher and equality are") {
  CheckTexts<acre::Hash<String>, acre::KeyEqual>();
  CheckTexts<BySizeOfAny, acre::KeyEqual>();
  CheckTexts<BySizeOfAny, StdEqual>();
  CheckTexts<acre::Hash<String>, StdEqual>();
  CheckTexts<BySize, acre::KeyEqual>();
  CheckTexts<BySize, StdEqual>();
  CheckTexts<std::hash<String>, std::equal_to<>>();
  CheckTexts<acre::UntrustedHash<String>, StdEqual>();
}

TEST_CASE("Key: a made key becomes the key, its text is not copied again") {
  acre::Arena arena;
  Map<String, int, BySize> map(arena);
  map.reserve(20);
  const std::string text(3'000, 'x');
  const std::size_t before = arena.stats().live();
  map[text] = 1;
  const std::size_t one = arena.stats().live() - before;
  CHECK(one >= 3'000);
  CHECK(one < 6'000);
  map.clear();
  CHECK(arena.stats().live() == before);
}

TEST_CASE("Key: an unbound Map finds its arena before it makes a key") {
  acre::Arena arena;
  auto* map = arena.New<std::pair<int, Map<String, int, BySize>>>();
  CHECK_FALSE(map->second.contains(kLong));
  map->second[kLong] = 1;
  CHECK(map->second.at(kLong) == 1);
  const Map<String, int, BySize> unbound;
  CHECK_FALSE(unbound.contains(kLong));
  CHECK(unbound.find(kLong) == unbound.end());
}

TEST_CASE("Key: a key that holds Strings is made in the arena") {
  using Pair = std::pair<String, int>;
  acre::Arena arena;
  Map<Pair, int> map(arena);
  const std::pair<std::string, int> key(kLong, 1);
  map[key] = 7;
  map.reserve(20);
  const std::size_t live = arena.stats().live();
  CHECK(map.at(key) == 7);
  CHECK(map.contains(std::pair<const char*, int>(kLong, 1)));
  CHECK_FALSE(map.contains(std::pair<const char*, int>(kLong, 2)));
  CHECK_FALSE(map.try_emplace(key, 8).second);
  CHECK(arena.stats().live() == live);
  CHECK(map.begin()->first.first.arena() == &arena);
  CHECK(map.erase(key) == 1);
  map.Release();
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("Key: a value whose constructor throws gives a made key back") {
  struct Thrower {
    explicit Thrower(int n) {
      if (n < 0) throw n;
    }
  };
  acre::Arena arena;
  Map<String, Thrower, BySize> map(arena);
  map.try_emplace("a", 1);
  const std::size_t live = arena.stats().live();
  CHECK_THROWS_AS(map.try_emplace(kLong, -1), int);
  CHECK(arena.stats().live() == live);
  CHECK(map.size() == 1);
}

// ------------------------------------------------------------ inserting pairs

TEST_CASE("Key: insert moves the key of a pair that is given up") {
  acre::Arena arena;
  Map<String, int> map(arena);
  const auto check = [&](auto insert) {
    map.clear();
    String key(arena, kLong);
    const char* data = key.data();
    insert(key);
    CHECK(map.begin()->first.data() == data);
    CHECK(map.at(kLong) == 1);
  };
  using Pair = std::pair<String, int>;
  check([&](String& key) { map.insert(Pair(std::move(key), 1)); });
  check([&](String& key) { map.insert({std::move(key), 1}); });
  check([&](String& key) { map.emplace(Pair(std::move(key), 1)); });
  check([&](String& key) { map.insert(map.end(), {std::move(key), 1}); });
  check([&](String& key) {
    map.insert(std::pair<String&&, long>(std::move(key), 1));
  });
  check([&](String& key) { map.emplace(std::move(key), 1); });
  check([&](String& key) { map.emplace_hint(map.end(), std::move(key), 1); });
  check([&](String& key) { map[std::move(key)] = 1; });
}

TEST_CASE(
    "Key: insert of a pair that is kept, or whose key is there, takes none") {
  acre::Arena arena;
  Map<String, String> map(arena);
  std::pair<String, String> pair(String(arena, kLong), String(arena, kOther));
  map.insert(pair);
  CHECK(pair.first == kLong);
  map.insert(std::move(pair));
  CHECK(pair.first == kLong);    // NOLINT(bugprone-use-after-move)
  CHECK(pair.second == kOther);  // NOLINT(bugprone-use-after-move)
  const Map<String, String>::value_type element(String(arena, kOther), "x");
  CHECK(map.insert(element).second);
  CHECK(map.at(kOther) == "x");
}

// ------------------------------------------------------------ other keys

namespace {

struct Bits {
  unsigned small : 5;
  int large : 20;
};

}  // namespace

TEST_CASE("Key: a bit-field is a key") {
  acre::Arena arena;
  Bits bits{7, -3};
  Map<unsigned, int> exact(arena);
  Map<long, int> wider(arena);
  exact[bits.small] = 1;
  wider[bits.large] = 2;
  CHECK(exact.at(bits.small) == 1);
  CHECK(wider.at(bits.large) == 2);
  CHECK(exact.contains(bits.small));
  CHECK(exact.find(bits.small)->second == 1);
  CHECK_FALSE(exact.try_emplace(bits.small, 4).second);
  CHECK_FALSE(wider.insert_or_assign(bits.large, 5).second);
  CHECK(wider.erase(bits.large) == 1);
  Set<unsigned> set(arena);
  CHECK(set.insert(bits.small).second);
  CHECK(set.contains(bits.small));
  Set<long> wide(arena);
  CHECK(wide.insert(bits.large).second);
  CHECK(wide.erase(bits.large) == 1);
}

TEST_CASE("Key: null literals are keys among pointers") {
  acre::Arena arena;
  Map<int*, int> map(arena);
  CHECK(map.find(0) == map.end());
  CHECK(map.find(nullptr) == map.end());
  map[nullptr] = 3;
  CHECK(map.find(0)->second == 3);
  CHECK(map.at(nullptr) == 3);
  CHECK(map.contains(0));
  CHECK(map.erase(nullptr) == 1);
  int target = 0;
  Map<const int*, int> readers(arena);
  readers[&target] = 1;
  CHECK(readers.at(&target) == 1);
  Set<int*> set(arena);
  set.insert(nullptr);
  CHECK(set.contains(0));
}

TEST_CASE("Key: braces make a key") {
  acre::Arena arena;
  Map<std::pair<int, int>, int> map(arena);
  map[{1, 2}] = 3;
  CHECK(map.at({1, 2}) == 3);
  CHECK(map.find({1, 2}) != map.end());
  CHECK(map.contains({1, 2}));
  CHECK(map.try_emplace({2, 3}, 4).second);
  CHECK(map.erase({1, 2}) == 1);
}

namespace {

struct Base {
  int id;
  friend bool operator==(const Base& a, const Base& b) { return a.id == b.id; }
};
ACRE_LAYOUT(Base, id)
struct Derived : Base {
  int extra;
};
struct BaseHash {
  std::uint64_t operator()(const Base& key) const {
    return acre::Hash<int>()(key.id);
  }
};

}  // namespace

TEST_CASE("Key: what is derived from a key is looked up without a copy") {
  acre::Arena arena;
  Map<Base, int, BaseHash> map(arena);
  map[Base{4}] = 1;
  const Derived derived{{4}, 5};
  CHECK(map.at(derived) == 1);
  CHECK_FALSE(map.try_emplace(derived, 2).second);
}

// ------------------------------------------------------------ hash functions

namespace {

struct Lambda {
  static constexpr auto kHash = [](int key) { return acre::Hash<int>()(key); };
};

}  // namespace

TEST_CASE("Key: a lambda without captures is a hasher") {
  acre::Arena arena;
  Map<int, int, decltype(Lambda::kHash)> map(arena);
  map[5] = 6;
  CHECK(map.at(5) == 6);
  CHECK(map.hash_function()(5) == acre::Hash<int>()(5));
  CHECK(map.key_eq()(5, 5));
}

}  // namespace key_lookup_test
