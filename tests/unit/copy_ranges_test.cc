// SPDX-License-Identifier: MIT
//
// Guards deep copy of what points into arrays: at elements, at parts of them,
// at some elements and at all. Elements share granules with their neighbours,
// where they are no multiple of 16 bytes.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "acre/layout.h"
#include "acre/vector.h"
#include "copy_engines.h"

namespace copy_ranges_test {

using acre::Arena;
using acre::Vector;
using acre_test::CopyGraph;

struct Eight {
  Eight* next = nullptr;
};
ACRE_LAYOUT(Eight, next)

struct TwoEights {
  Eight* a = nullptr;
  Eight* b = nullptr;
  Eight** link = nullptr;
};
ACRE_LAYOUT(TwoEights, a, b, link)

struct Small {
  std::uint32_t id = 0;
};
ACRE_LAYOUT(Small, id)

struct Views {
  std::span<Small*> part;
  std::span<Small*> all;
  std::string_view word;
  std::string_view text;
};
ACRE_LAYOUT(Views, part, all, word, text)

struct Odd {
  Odd* next = nullptr;
  std::uint64_t words[2] = {};
};
ACRE_LAYOUT(Odd, next, words)

struct TwoOdds {
  Odd* first = nullptr;
  Odd** link = nullptr;
};
ACRE_LAYOUT(TwoOdds, first, link)

// Extents that end inside of a granule do not have what lies behind them in it.
TEST_CASE("DeepCopy of graphs: elements of one array that share a granule") {
  Arena source;
  Arena target;
  SUBCASE("objects") {
    auto eights = source.NewArray<Eight>(2);
    eights[0].next = &eights[1];
    eights[1].next = &eights[0];
    auto* root = source.New<TwoEights>();
    root->a = &eights[0];
    root->b = &eights[1];
    const auto* copy = CopyGraph(target, *root);
    CHECK(target.Owns(copy->a->next));
    CHECK(target.Owns(copy->b->next));
    CHECK(copy->a->next == copy->b);
    CHECK(copy->b->next == copy->a);
  }
  SUBCASE("an object, and a pointer in the next one") {
    auto eights = source.NewArray<Eight>(2);
    eights[0].next = &eights[0];
    eights[1].next = &eights[0];
    auto* root = source.New<TwoEights>();
    root->a = &eights[0];
    root->link = &eights[1].next;
    const auto* copy = CopyGraph(target, *root);
    CHECK(target.Owns(*copy->link));
    CHECK(*copy->link == copy->a);
  }
  SUBCASE("objects of three words") {
    auto odds = source.NewArray<Odd>(2);
    odds[0].next = &odds[0];
    odds[1].next = &odds[0];
    odds[1].words[0] = 7;
    auto* root = source.New<TwoOdds>();
    root->first = &odds[0];
    root->link = &odds[1].next;
    const auto* copy = CopyGraph(target, *root);
    CHECK(target.Owns(*copy->link));
    CHECK(*copy->link == copy->first);
  }
  SUBCASE("a view of some, and a view of all") {
    auto smalls = source.NewArray<Small*>(2);
    smalls[0] = source.New<Small>();
    smalls[1] = source.New<Small>();
    smalls[1]->id = 7;
    auto* root = source.New<Views>();
    root->part = smalls.first(1);
    root->all = smalls;
    const auto* copy = CopyGraph(target, *root);
    CHECK(copy->part.data() == copy->all.data());
    CHECK(target.Owns(copy->all[0]));
    CHECK(target.Owns(copy->all[1]));
    CHECK(copy->all[1]->id == 7);
  }
  SUBCASE("a word, and the text it begins") {
    auto text = source.NewArray<char>(48);
    std::fill(text.begin(), text.end(), 'x');
    auto* root = source.New<Views>();
    root->word = {text.data(), 3};
    root->text = {text.data(), 14};
    const auto* copy = CopyGraph(target, *root);
    CHECK(copy->word == "xxx");
    CHECK(copy->text == std::string(14, 'x'));
    CHECK(copy->word.data() == copy->text.data());
  }
}

struct Wide {
  std::uint64_t before[3] = {};
  Wide* next = nullptr;
  std::uint64_t after = 0;
};
ACRE_LAYOUT(Wide, before, next, after)

/// What a root has of arrays of T.
template <class T>
struct Pick {
  T* one = nullptr;
  T** link = nullptr;
  std::span<T> some;
};
ACRE_LAYOUT(Pick<Eight>, one, link, some)
ACRE_LAYOUT(Pick<Odd>, one, link, some)
ACRE_LAYOUT(Pick<Wide>, one, link, some)

template <class T>
struct Picks {
  Vector<Pick<T>> all;
};
ACRE_LAYOUT(Picks<Eight>, all)
ACRE_LAYOUT(Picks<Odd>, all)
ACRE_LAYOUT(Picks<Wide>, all)

template <class T>
Picks<T>* MakePicks(Arena& arena, std::mt19937& random) {
  const auto below = [&](std::size_t bound) { return random() % bound; };
  std::vector<std::span<T>> arrays;
  for (std::size_t i = 1 + below(30); i > 0; --i) {
    arrays.push_back(arena.NewArray<T>(1 + below(below(2) != 0 ? 4 : 20)));
    [[maybe_unused]] void* gap = arena.Allocate(1 + below(100));
  }
  const auto any_array = [&] { return arrays[below(arrays.size())]; };
  const auto any = [&] {
    const auto array = any_array();
    return &array[below(array.size())];
  };
  // Few arrays are led into from others: most are met by a pick alone.
  for (const auto array : arrays) {
    for (T& element : array) {
      if (below(3) == 0) element.next = &array[below(array.size())];
      if (below(20) == 0) element.next = any();
    }
  }
  auto* picks = arena.New<Picks<T>>();
  for (std::size_t i = 1 + below(12); i > 0; --i) {
    Pick<T>& pick = picks->all.emplace_back();
    if (below(2) == 0) pick.one = any();
    if (below(3) == 0) pick.link = &any()->next;
    if (below(3) == 0) {
      const auto array = any_array();
      const std::size_t first = below(array.size());
      pick.some = array.subspan(first, 1 + below(array.size() - first));
    }
  }
  return picks;
}

/// Goes through source and copy at once: one byte has one copy, and it lies in
/// the target.
template <class T>
class Comparison {
 public:
  explicit Comparison(const Arena& target) : target_(target) {}

  void Of(const Picks<T>& source, const Picks<T>& copy) {
    REQUIRE(copy.all.size() == source.all.size());
    for (std::uint32_t i = 0; i < source.all.size(); ++i) {
      const Pick<T>& from = source.all[i];
      const Pick<T>& to = copy.all[i];
      Element(from.one, to.one);
      REQUIRE(to.some.size() == from.some.size());
      for (std::size_t k = 0; k < from.some.size(); ++k) {
        Element(&from.some[k], &to.some[k]);
      }
      Bytes(from.link, to.link, sizeof(T*));
      if (from.link != nullptr) Element(*from.link, *to.link);
    }
    while (!left_.empty()) {
      const auto [from, to] = left_.back();
      left_.pop_back();
      Element(from->next, to->next);
    }
  }

 private:
  void Element(const T* from, const T* to) {
    if (!Bytes(from, to, sizeof(T))) return;
    if (seen_.insert(from).second) left_.push_back({from, to});
  }
  bool Bytes(const void* from, const void* to, std::size_t bytes) {
    REQUIRE((from == nullptr) == (to == nullptr));
    if (from == nullptr) return false;
    REQUIRE(target_.Owns(to));
    const auto* a = static_cast<const char*>(from);
    const auto* b = static_cast<const char*>(to);
    for (std::size_t i = 0; i < bytes; ++i) {
      REQUIRE(copies_.try_emplace(a + i, b + i).first->second == b + i);
      REQUIRE(sources_.try_emplace(b + i, a + i).first->second == a + i);
    }
    return true;
  }

  const Arena& target_;
  std::map<const char*, const char*> copies_;
  std::map<const char*, const char*> sources_;
  std::set<const T*> seen_;
  std::vector<std::pair<const T*, const T*>> left_;
};

TEST_CASE_TEMPLATE("DeepCopy of graphs: any ranges of arrays", T, Eight, Odd,
                   Wide) {
  std::mt19937 random(4);
  for (int round = 0; round < 300; ++round) {
    CAPTURE(round);
    Arena source;
    Arena target;
    const Picks<T>* picks = MakePicks<T>(source, random);
    const Picks<T>* copy = CopyGraph(target, *picks, round % 2 == 0 ? 1 : 3);
    Comparison<T>(target).Of(*picks, *copy);
  }
}

}  // namespace copy_ranges_test
