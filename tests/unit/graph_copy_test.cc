// SPDX-License-Identifier: MIT
//
// Guards deep copy of graphs in arenas: many types, sharing, cycles, pointers
// into objects and storage, in graphs large enough to be placed in order as
// well as in small ones; into fresh arenas, and into ones with freed blocks.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
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
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "copy/copy_placement.h"
#include "copy/graph_finder.h"
#include "copy_engines.h"
#include "support/scaled.h"
#include "test_sources.h"

namespace graph_copy_test {

using acre::Arena;
using acre::Map;
using acre::String;
using acre::Vector;
using acre_test::CopyGraph;
using acre_test::TryCopyGraph;

struct Small {
  std::uint32_t id = 0;
  Small* next = nullptr;
};
ACRE_LAYOUT(Small, id, next)

struct Plain {
  std::uint64_t words[3] = {};
};
ACRE_LAYOUT(Plain, words)

struct Part {
  std::uint32_t id = 0;
  String text;
};
ACRE_LAYOUT(Part, id, text)

struct Thing {
  std::uint32_t id = 0;
  String name;
  Vector<Thing*> links;
  Vector<Part> parts;
  Vector<Vector<Small*>> rows;
  Part* part = nullptr;  // into the parts of some Thing
  Part own;
  Part* inside = nullptr;  // the own of some Thing
  std::span<Plain> plains;
  Plain* plain = nullptr;
  Small* small = nullptr;
  Map<std::uint32_t, Thing*> by_id;
  Map<Small*, std::uint32_t> by_small;
  std::optional<Thing*> maybe;
  std::variant<int, Small*, String> choice;
};
ACRE_LAYOUT(Thing, id, name, links, parts, rows, part, own, inside, plains,
            plain, small, by_id, by_small, maybe, choice)

template <class Random>
std::size_t Below(Random& random, std::size_t bound) {
  return random() % bound;
}

/// `count` things, their parts made first, so that no part is met before the
/// whole; all can be reached from the first one.
Thing* MakeThings(Arena& arena, std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Thing*> things;
  std::vector<Small*> smalls;
  std::vector<std::span<Plain>> plains;
  for (std::size_t i = 0; i < count; ++i) {
    auto* thing = arena.New<Thing>();
    thing->id = static_cast<std::uint32_t>(i);
    thing->name = std::string(Below(random, 60), 'n');
    thing->own.text = std::string(Below(random, 30), 'o');
    thing->parts.resize(Below(random, 4));
    for (Part& part : thing->parts) part.text = std::to_string(random());
    for (std::size_t k = Below(random, 3); k > 0; --k) {
      smalls.push_back(arena.New<Small>());
      smalls.back()->id = static_cast<std::uint32_t>(smalls.size());
    }
    if (Below(random, 4) == 0) {
      plains.push_back(arena.NewArray<Plain>(2 + Below(random, 9)));
      plains.back()[1].words[2] = random();
    }
    things.push_back(thing);
  }
  if (smalls.empty()) smalls.push_back(arena.New<Small>());
  const auto any = [&](auto& list) { return list[Below(random, list.size())]; };
  for (Small* small : smalls) small->next = any(smalls);
  for (std::size_t i = 0; i < count; ++i) {
    Thing& thing = *things[i];
    for (std::size_t k = 2 * i + 1; k <= 2 * i + 2 && k < count; ++k) {
      thing.links.push_back(things[k]);
    }
    thing.links.push_back(any(things));
    thing.rows.resize(Below(random, 3));
    for (auto& row : thing.rows) {
      for (auto k = Below(random, 4); k > 0; --k) row.push_back(any(smalls));
    }
    thing.small = any(smalls);
    if (!plains.empty() && Below(random, 2) == 0) thing.plains = any(plains);
    if (Below(random, 5) == 0) thing.by_id[7] = any(things);
    if (Below(random, 9) == 0) {
      for (auto k = Below(random, 40); k > 0; --k) {
        thing.by_small[any(smalls)] = static_cast<std::uint32_t>(k);
      }
    }
    if (Below(random, 3) == 0) thing.maybe = any(things);
    if (Below(random, 3) == 0) thing.choice = any(smalls);
    if (Below(random, 3) == 1) thing.choice.emplace<2>("a text in a choice");
  }
  return things[0];
}

/// Pointers to parts and into arrays, now that all wholes are noted when they
/// are met: `thing` is entered before whom it points into was, or after.
void AddInner(Thing& root) {
  std::vector<Thing*> things{&root};
  for (std::size_t i = 0; i < things.size(); ++i) {
    for (Thing* link : things[i]->links) {
      if (link->id > things[i]->id && link != things.back() &&
          link->id <= 2 * things[i]->id + 2) {
        things.push_back(link);
      }
    }
  }
  // A thing's own, which it holds itself.
  for (Thing* thing : things) {
    thing->inside = &thing->own;
    if (!thing->parts.empty()) thing->part = &thing->parts.back();
    if (!thing->plains.empty()) thing->plain = &thing->plains.back();
  }
}

/// Numbers things and smalls as they are met, and writes down all there is.
class Description {
 public:
  std::string Of(const Thing& root) {
    Number(&root);
    for (std::size_t i = 0; i < things_.size(); ++i) Describe(*things_[i]);
    return std::move(text_);
  }

 private:
  std::size_t Number(const Thing* thing) {
    const auto [at, is_new] = numbers_.try_emplace(thing, things_.size());
    if (is_new) things_.push_back(thing);
    return at->second;
  }
  void Add(std::size_t number) { text_ += ' ' + std::to_string(number); }
  void Add(std::string_view text) { (text_ += ' ') += text; }
  void Add(const Small* small) {
    for (int i = 0; i < 3; ++i, small = small->next) Add(small->id);
  }
  template <class T>
  void AddOffset(const T* p, const T* from) {
    if (p != nullptr) Add(static_cast<std::size_t>(p - from));
  }

  void Describe(const Thing& thing) {
    text_ += "\n";
    Add(thing.id);
    Add(thing.name.view());
    Add(thing.own.text.view());
    for (const Thing* link : thing.links) Add(Number(link));
    for (const Part& part : thing.parts) Add(part.text.view());
    for (const auto& row : thing.rows) {
      text_ += " row";
      for (const Small* small : row) Add(small);
    }
    AddOffset(thing.part, thing.parts.data());
    AddOffset(static_cast<const Part*>(thing.inside), &thing.own);
    for (const Plain& plain : thing.plains) Add(plain.words[2]);
    AddOffset(static_cast<const Plain*>(thing.plain), thing.plains.data());
    Add(thing.small);
    for (const auto& [id, other] : thing.by_id) Add(Number(other));
    // By content: the order of keys that are pointers is another one.
    std::map<std::uint32_t, std::uint32_t> by_small;
    for (const auto& [small, n] : thing.by_small) by_small[small->id] = n;
    for (const auto& [id, n] : by_small) Add(std::size_t{id} * 1000 + n);
    for (const auto& [small, n] : thing.by_small) {
      CHECK(thing.by_small.contains(small));
    }
    if (thing.maybe) Add(Number(*thing.maybe));
    Add(thing.choice.index());
    if (thing.choice.index() == 1) Add(std::get<1>(thing.choice));
    if (thing.choice.index() == 2) Add(std::get<2>(thing.choice).view());
  }

  std::map<const Thing*, std::size_t> numbers_;
  std::vector<const Thing*> things_;
  std::string text_;
};

/// Checked builds know each block. (Release builds would sweep what was never
/// written, where anything may stand.)
bool HasCleanBlocks(const Arena& arena) {
  return !acre::kChecked || acre::AuditAll(arena).findings.empty();
}

bool IsClean(const Arena& arena, const Thing& copy) {
  return acre::Audit(arena, copy).findings.empty() && HasCleanBlocks(arena);
}

TEST_CASE("DeepCopy of graphs: any graph, small or large, is the same") {
  const unsigned threads = acre_test::OneThreadOrThree();
  for (unsigned seed = 0; seed < acre_test::Scaled(24u, 9u); ++seed) {
    CAPTURE(seed);
    Arena source({.name = "source"});
    Arena target({.name = "target"});
    const std::size_t count = seed % 3 == 0 ? 1200 : 1 + seed;
    Thing* root = MakeThings(source, count, seed);
    AddInner(*root);
    const std::string wanted = Description().Of(*root);
    const Thing* copy = CopyGraph(target, *root, threads);
    REQUIRE(Description().Of(*copy) == wanted);
    REQUIRE(Description().Of(*root) == wanted);
    REQUIRE(IsClean(target, *copy));
    if (count == 1200) {
      REQUIRE(target.stats().carved >
              acre::detail::CopyPlacement::kLeastInOrder);
    }
    // Independent of the source.
    source.Reset(acre::ResetMode::kClear);
    REQUIRE(Description().Of(*copy) == wanted);
  }
}

TEST_CASE("DeepCopy of graphs: into the arena of the source") {
  const unsigned threads = acre_test::OneThreadOrThree();
  Arena arena;
  Thing* root = MakeThings(arena, 900, 5);
  const std::string wanted = Description().Of(*root);
  for (int i = 0; i < 3; ++i) {
    Thing* copy = CopyGraph(arena, *root, threads);
    CHECK(copy != root);
    CHECK(Description().Of(*copy) == wanted);
    CHECK(Description().Of(*root) == wanted);
    root = copy;
  }
  CHECK(IsClean(arena, *root));
}

TEST_CASE("DeepCopy of graphs: chunks of any size, blocks among others") {
  const unsigned threads = acre_test::OneThreadOrThree();
  Arena source;
  const Thing* root = MakeThings(source, 700, 11);
  const std::string wanted = Description().Of(*root);
  for (const std::size_t chunk : {4096u, 16384u, 1u << 20}) {
    Arena target({.first_chunk = chunk, .max_chunk = chunk});
    for (int i = 0; i < 3; ++i) {
      std::memset(target.Allocate(3000), 0, 3000);
      const Thing* copy = CopyGraph(target, *root, threads);
      REQUIRE(Description().Of(*copy) == wanted);
      REQUIRE(IsClean(target, *copy));
    }
  }
}

struct Owner {
  Small* small = nullptr;
  Vector<std::uint64_t> large;
  Vector<Small*> smalls;
};
ACRE_LAYOUT(Owner, owned(small), large, smalls)

TEST_CASE("DeepCopy of graphs: large storage beside small objects") {
  const unsigned threads = acre_test::OneThreadOrThree();
  for (const std::size_t words : {20'000u, 60'000u, 300'000u}) {
    Arena source;
    Arena target;
    auto* owner = source.New<Owner>();
    for (std::size_t i = 0; i < 9000; ++i) {
      owner->smalls.push_back(source.New<Small>());
      owner->smalls.back()->id = static_cast<std::uint32_t>(i);
    }
    owner->large.resize(words, 7);
    owner->large.back() = 9;
    for (Small* small : owner->smalls) small->next = owner->smalls[17];
    owner->small = owner->smalls[3];
    Owner* copy = CopyGraph(target, *owner, threads);
    REQUIRE(copy->large.size() == words);
    CHECK(copy->large[0] == 7);
    CHECK(copy->large.back() == 9);
    CHECK(copy->small == copy->smalls[3]);
    bool is_same = true;
    for (std::size_t i = 0; i < 9000; ++i) {
      is_same = is_same && copy->smalls[i]->id == i &&
                copy->smalls[i]->next == copy->smalls[17];
    }
    CHECK(is_same);
    CHECK(HasCleanBlocks(target));
    // Each block is one, and can be freed.
    copy->large.Release();
    for (Small* small : copy->smalls) target.Free(small);
    copy->small = nullptr;
    target.Free(copy);
    CHECK(target.stats().live() == 0);
  }
}

struct Shared {
  Map<std::uint32_t, Small*> by_id;
  Vector<std::uint64_t> words;
  Vector<Small*> smalls;
};
ACRE_LAYOUT(Shared, by_id, words, smalls)

/// Large storage that has no chunk of its own: those of the arena are larger.
Shared* MakeShared(Arena& source) {
  constexpr std::uint32_t kSmalls = 20'000;
  auto* shared = source.New<Shared>();
  shared->smalls.reserve(kSmalls);
  shared->words.resize(40'000, 7);
  shared->by_id.reserve(kSmalls);
  for (std::uint32_t i = 0; i < kSmalls; ++i) {
    shared->smalls.push_back(source.New<Small>());
    shared->smalls.back()->id = i;
    shared->by_id[i] = shared->smalls[i];
  }
  for (Small* small : shared->smalls) small->next = shared->smalls[17];
  return shared;
}

bool AreEqual(const Shared& copy) {
  bool is_same = copy.words.size() == 40'000 && copy.words.back() == 7;
  for (std::uint32_t i = 0; i < copy.smalls.size(); ++i) {
    const Small* const small = copy.smalls[i];
    is_same = is_same && small->id == i && small->next == copy.smalls[17] &&
              *copy.by_id.get(i) == small;
  }
  return is_same && copy.by_id.size() == copy.smalls.size();
}

TEST_CASE("DeepCopy of graphs: large storage in a chunk that others share") {
  const unsigned threads = acre_test::OneThreadOrThree();
  constexpr std::size_t kChunk = std::size_t{8} << 20;
  Arena source({.first_chunk = kChunk, .max_chunk = kChunk});
  const Shared* shared = MakeShared(source);
  // All of it, from the first object on.
  REQUIRE(source.stats().chunks == 1);
  SUBCASE("one by one") {
    Arena target({.first_chunk = kChunk, .max_chunk = kChunk});
    std::size_t held = 0;
    for (int round = 0; round < 3; ++round) {
      Shared* copy = CopyGraph(target, *shared, threads);
      CHECK(AreEqual(*copy));
      CHECK(HasCleanBlocks(target));
      // Each block is one, and can be freed, whichever comes first.
      if (round != 1) copy->words.Release();
      if (round == 2) copy->by_id.Release();
      for (Small* small : copy->smalls) target.Free(small);
      target.Free(copy);
      CHECK(target.stats().live() == 0);
      if (round == 0) held = target.stats().reserved;
      target.Reset();
    }
    CHECK(target.stats().reserved == held);
  }
  SUBCASE("in small chunks") {
    Arena target({.first_chunk = 4096, .max_chunk = 65536});
    Shared* copy = CopyGraph(target, *shared, threads);
    CHECK(AreEqual(*copy));
    copy->words.push_back(8);  // grows
    copy->by_id[1'000'000] = copy->smalls[0];
    CHECK(HasCleanBlocks(target));
    for (Small* small : copy->smalls) target.Free(small);
    target.Free(copy);
    CHECK(target.stats().live() == 0);
  }
  SUBCASE("in order") {
    Arena target;
    acre::detail::CopyPlans plans;
    acre::detail::CopyMaps maps;
    acre::detail::RefCopies refs(target);
    acre::detail::GraphFinder finder(plans, maps, refs);
    REQUIRE(finder.Run(reinterpret_cast<const char*>(shared),
                       plans.Of(acre::LayoutOf<Shared>())));
    acre::detail::CopyPlacement placement(target, plans, maps);
    REQUIRE(placement.Take(finder.has_wide()));
    CHECK(placement.is_in_order());
    placement.GiveBack();
    CHECK(target.stats().live() == 0);
  }
}

TEST_CASE("DeepCopy of graphs: what was freed is used again") {
  const unsigned threads = acre_test::OneThreadOrThree();
  Arena source;
  Arena target;
  auto* owner = source.New<Owner>();
  for (int i = 0; i < 6000; ++i) owner->smalls.push_back(source.New<Small>());
  std::size_t held = 0;
  for (int round = 0; round < acre_test::Scaled(60, 24); ++round) {
    Owner* copy = CopyGraph(target, *owner, threads);
    // Something that stays, between the copies.
    static_cast<void>(target.Allocate(48));
    for (Small* small : copy->smalls) target.Free(small);
    target.Free(copy);
    if (round == 10) held = target.stats().reserved;
  }
  CHECK(target.stats().reserved <= held);
}

TEST_CASE("DeepCopy of graphs: nothing is left of a copy that does not fit") {
  const unsigned threads = acre_test::OneThreadOrThree();
  Arena source;
  const Thing* root = MakeThings(source, 600, 3);
  const std::string wanted = Description().Of(*root);
  Arena whole;
  static_cast<void>(CopyGraph(whole, *root, threads));
  const std::size_t bytes = whole.stats().reserved;
  int failed = 0;
  int fitted = 0;
  for (std::size_t limit = 8192; limit < 2 * bytes;
       limit += bytes / acre_test::Scaled(23u, 11u)) {
    Arena target({.max_chunk = 32768, .byte_limit = limit});
    auto* before = target.New<Small>();
    const std::size_t live = target.stats().live();
    const Thing* copy = TryCopyGraph(target, *root, threads);
    if (copy == nullptr) {
      ++failed;
      CHECK(target.stats().live() == live);
      CHECK(HasCleanBlocks(target));
      target.Free(before);
    } else {
      ++fitted;
      CHECK(Description().Of(*copy) == wanted);
    }
  }
  CHECK(failed > 5);
  CHECK(fitted > 5);
}

TEST_CASE("DeepCopy of graphs: by how many threads is no difference") {
  Arena source;
  const Thing* root = MakeThings(source, 3000, 8);
  const std::string wanted = Description().Of(*root);
  Arena alone;
  static_cast<void>(CopyGraph(alone, *root));
  for (const unsigned threads : {2u, 5u, 64u}) {
    Arena target;
    acre::detail::GraphCopier graph(target);
    // Nothing is left to the engine that does without threads.
    REQUIRE(graph.Run(acre::LayoutOf<Thing>(), root, threads));
    CHECK(Description().Of(*static_cast<Thing*>(graph.copy())) == wanted);
    CHECK(target.stats().live() == alone.stats().live());
  }
}

struct alignas(64) Wide {
  float values[16] = {};
  Small* small = nullptr;
  std::uint64_t rest[7] = {};
};
ACRE_LAYOUT(Wide, values, small, rest)

struct Wides {
  Vector<Wide*> all;
  Vector<Small*> smalls;
};
ACRE_LAYOUT(Wides, all, smalls)

TEST_CASE("DeepCopy of graphs: alignment is kept") {
  const unsigned threads = acre_test::OneThreadOrThree();
  Arena source;
  Arena target;
  auto* wides = source.New<Wides>();
  for (int i = 0; i < 3000; ++i) {
    wides->smalls.push_back(source.New<Small>());
    wides->all.push_back(source.New<Wide>());
    wides->all.back()->small = wides->smalls.back();
    wides->all.back()->values[3] = static_cast<float>(i);
  }
  const Wides* copy = CopyGraph(target, *wides, threads);
  for (std::size_t i = 0; i < 3000; ++i) {
    const Wide* wide = copy->all[i];
    REQUIRE(reinterpret_cast<std::uintptr_t>(wide) % 64 == 0);
    REQUIRE(wide->small == copy->smalls[i]);
    REQUIRE(wide->values[3] == static_cast<float>(i));
  }
  CHECK(HasCleanBlocks(target));
}

TEST_CASE("DeepCopy of graphs: lists in any order of addresses") {
  const unsigned threads = acre_test::OneThreadOrThree();
  for (const int lists : {1, 2, 5}) {
    Arena source;
    Arena target;
    std::vector<Small*> smalls;
    for (std::uint32_t i = 0; i < 50'000; ++i) {
      smalls.push_back(source.New<Small>());
    }
    std::mt19937 random(9);
    std::shuffle(smalls.begin(), smalls.end(), random);
    auto* owner = source.New<Owner>();
    const std::size_t step = smalls.size() / static_cast<std::size_t>(lists);
    for (std::size_t i = 0; i < smalls.size(); ++i) {
      smalls[i]->id = static_cast<std::uint32_t>(i);
      if (i % step == 0) owner->smalls.push_back(smalls[i]);
      if ((i + 1) % step != 0) smalls[i]->next = smalls[i + 1];
    }
    const Owner* copy = CopyGraph(target, *owner, threads);
    std::uint32_t wanted = 0;
    for (const Small* list : copy->smalls) {
      for (; list != nullptr; list = list->next) {
        REQUIRE(list->id == wanted);
        ++wanted;
      }
    }
    CHECK(wanted == smalls.size());
  }
}

struct Holder {
  Vector<Small*> links;
};
ACRE_LAYOUT(Holder, links)

TEST_CASE("GraphFinder: more types than notes have numbers for") {
  using acre::detail::CopyNote;
  Arena arena;
  // Types that have got the first numbers.
  std::vector<acre::TypeLayout> others(CopyNote::kMaxObject);
  for (std::size_t i = 0; i < others.size(); ++i) others[i].id = i + 1;
  const auto finds = [&](const auto& root, std::size_t known) {
    acre::detail::CopyPlans plans;
    for (std::size_t i = 0; i < known; ++i) plans.Of(others[i]);
    acre::detail::CopyMaps maps;
    acre::detail::RefCopies refs(arena);
    acre::detail::GraphFinder finder(plans, maps, refs);
    const auto& type = acre::LayoutOf<std::remove_cvref_t<decltype(root)>>();
    return finder.Run(reinterpret_cast<const char*>(&root), plans.Of(type));
  };
  auto* small = arena.New<Small>();
  small->next = small;
  CHECK(finds(*small, CopyNote::kMaxObject - 1));
  CHECK_FALSE(finds(*small, CopyNote::kMaxObject));

  auto* holder = arena.New<Holder>();
  holder->links = {small, small};
  // Its storage has the second number.
  CHECK(finds(*holder, CopyNote::kMaxOther - 2));
  CHECK_FALSE(finds(*holder, CopyNote::kMaxOther - 1));
  holder->links.assign(100, small);  // more than a few notes
  CHECK(finds(*holder, CopyNote::kMaxOther - 2));
  CHECK_FALSE(finds(*holder, CopyNote::kMaxOther - 1));
}

}  // namespace graph_copy_test
