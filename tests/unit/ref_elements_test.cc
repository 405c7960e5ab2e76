// SPDX-License-Identifier: MIT
//
// Guards elements of containers that hold GcRefs: a slot for one may ask the
// collector for memory, and that may run finalizers which use the very
// container. Nothing is lost then, or there twice, and what nobody refers to is
// collected.

#include <doctest/doctest.h>
#include <gc/gc.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "acre/arena.h"
#include "acre/audit.h"
#include "acre/deep_copy.h"
#include "acre/escape.h"
#include "acre/gc.h"
#include "acre/gc_ref.h"
#include "acre/history.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/scope.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/typed_arena.h"
#include "acre/vector.h"
#include "collecting.h"
#include "support/death.h"

namespace ref_elements_test {

using acre::Arena;
using acre::GcRef;
using acre::GcWeakRef;
using acre::Map;

struct Object {
  int number = 0;
};

/// Objects that are gone of those made since CountAnew.
int g_gone = 0;
std::uintptr_t g_round = 0;
void CountAnew() {
  g_gone = 0;
  ++g_round;
}

Object* NewObject(int number = 0) {
  auto* object = static_cast<Object*>(GC_malloc_atomic(sizeof(Object)));
  object->number = number;
  GC_register_finalizer_no_order(
      object,
      [](void*, void* round) {
        g_gone += reinterpret_cast<std::uintptr_t>(round) == g_round;
      },
      reinterpret_cast<void*>(g_round), nullptr, nullptr);
  return object;
}

/// Runs something once, in the next request of ours that libgc answers by more
/// than a look at a list, as those for slots are: a finalizer waits for it.
class InNextRequest {
 public:
  explicit InNextRequest(std::function<void()> run)
      : on_demand_(GC_get_finalize_on_demand()) {
    acre_test::NeedCollector();
    run_ = std::move(run);
    GC_set_finalize_on_demand(1);
    Register();
    acre_test::ClobberStack();
    GC_gcollect();
    GC_set_finalize_on_demand(0);
  }
  InNextRequest(const InNextRequest&) = delete;
  InNextRequest& operator=(const InNextRequest&) = delete;
  ~InNextRequest() {
    GC_set_finalize_on_demand(on_demand_);
    run_ = nullptr;
  }
  bool has_run() const { return !run_; }

 private:
  __attribute__((noinline)) static void Register() {
    // Several: a stale word may keep one of them.
    for (int i = 0; i < 5; ++i) {
      GC_register_finalizer_no_order(
          GC_malloc(64),
          [](void*, void*) {
            if (const auto run = std::exchange(run_, nullptr)) run();
          },
          nullptr, nullptr, nullptr);
    }
  }

  static inline std::function<void()> run_;
  const int on_demand_;
};

/// As many elements as it says, each once, and each found.
template <class M>
void CheckSound(M& map) {
  std::size_t seen = 0;
  for (const auto& [key, value] : map) {
    ++seen;
    CHECK(map.contains(key));
  }
  CHECK(seen == map.size());
}

using Refs = Map<int, GcRef<Object>>;

/// Moves without throwing, it says, as tools advise.
struct Entry {
  Entry() = default;
  explicit Entry(Object* object) : ref(object) {}
  Entry(Entry&&) noexcept = default;
  Entry& operator=(Entry&&) noexcept = default;

  GcRef<Object> ref;
  long number = 0;
};
ACRE_LAYOUT(Entry, ref, number)

struct Mixed {
  GcRef<Object> strong = {};
  GcWeakRef<Object> weak = {};
};
ACRE_LAYOUT(Mixed, strong, weak)

TEST_CASE("GcRefs in Maps: a finalizer inserts while there is a slot to get") {
  Object* const object = NewObject(7);
  int ran = 0;
  for (int size = 0; size < 40; ++size) {
    CAPTURE(size);
    Arena arena;
    Refs map(arena);
    for (int i = 0; i < size; ++i) map.try_emplace(i);
    const InNextRequest meanwhile([&] {
      for (int i = 0; i < size % 7; ++i) map.try_emplace(1000 + i);
    });
    map.try_emplace(500, object);
    ran += meanwhile.has_run();
    CHECK(map.at(500).get() == object);
    CheckSound(map);
  }
  CHECK(ran == 40);
}

TEST_CASE("GcRefs in Maps: a type that says it moves without throwing") {
  Object* const object = NewObject(7);
  for (int size = 0; size < 20; ++size) {
    CAPTURE(size);
    Arena arena;
    Map<int, Entry> map(arena);
    acre::Vector<Entry> vector(arena);
    for (int i = 0; i < size; ++i) {
      map.try_emplace(i);
      vector.emplace_back();
    }
    Entry entry(object);
    Entry other(object);
    {
      const InNextRequest meanwhile([&] {
        map[1000].number = 5;
        vector.emplace_back();
      });
      map.try_emplace(500, std::move(entry));
      CHECK(meanwhile.has_run());
    }
    vector.emplace_back(std::move(other));
    CHECK(map.at(500).ref.get() == object);
    CHECK(map.at(1000).number == 5);
    CHECK(map.size() == static_cast<std::size_t>(size) + 2);
    CHECK(vector.back().ref.get() == object);
    CHECK(vector.size() == static_cast<std::size_t>(size) + 2);
    CheckSound(map);
  }
}

// There is room, so it may be inserted; but the level of the mark has slots,
// and that outside of it none.
TEST_CASE("GcRefs in containers that are older than a mark, and a finalizer") {
  Object* const object = NewObject(7);
  for (int act = 0; act < 4; ++act) {
    CAPTURE(act);
    Arena arena;
    Refs map(arena);
    map.reserve(40);
    acre::Vector<GcRef<Object>> vector(arena);
    vector.reserve(40);
    acre::Set<GcRef<Object>> set(arena);
    set.reserve(4);
    const acre::Scope scope(arena);
    arena.New<Mixed>()->strong = object;
    {
      const InNextRequest meanwhile([&] {
        if (act == 0) map.try_emplace(1);
        if (act == 1) map.erase(1);
        if (act == 2) map.clear();
        if (act == 3) {
          for (int i = 10; i < 20; ++i) map.try_emplace(i);
        }
        vector.clear();
        vector.emplace_back();
      });
      map.insert_or_assign(1, object);
      CHECK(meanwhile.has_run());
    }
    CHECK(map.at(1).get() == object);
    CheckSound(map);
    vector.push_back(object);
    CHECK(vector.size() == 2);
    CHECK(vector.back().get() == object);
    CHECK(set.insert(object).second);
    CHECK(set.contains(object));
  }
  for (const bool clears : {false, true}) {
    Arena arena;
    acre::Vector<GcRef<Object>> vector(arena);
    vector.reserve(40);
    vector.emplace_back();
    const acre::Scope scope(arena);
    arena.New<Mixed>()->strong = object;
    const InNextRequest meanwhile([&] {
      if (clears) vector.clear();
      for (int i = 0; i < 3; ++i) vector.emplace_back();
    });
    vector.push_back(object);
    CHECK(meanwhile.has_run());
    CHECK(vector.size() == (clears ? 4 : 5));
    CHECK(vector.back().get() == object);
  }
}

TEST_CASE("insert_or_assign: the key comes while a slot is got for the value") {
  Object* const object = NewObject(7);
  Arena arena;
  Refs map(arena);
  {
    const InNextRequest meanwhile([&] { map.try_emplace(1); });
    CHECK_FALSE(map.insert_or_assign(1, GcRef<Object>(object)).second);
    CHECK(meanwhile.has_run());
  }
  CHECK(map.at(1).get() == object);
  CHECK(map.size() == 1);
  // And goes while one that is there gets another value.
  Arena other;
  Refs second(other);
  second.try_emplace(1);
  {
    const InNextRequest meanwhile([&] { second.clear(); });
    second.insert_or_assign(1, GcRef<Object>(object));
    CHECK(meanwhile.has_run());
  }
  CHECK(second.at(1).get() == object);
  CHECK(second.size() == 1);
}

/// A hash that does something the `left`th time, once it has read its key.
struct Busy {
  static inline int left = 0;
  static inline std::function<void()> act;
  std::uint64_t operator()(int key) const {
    const std::uint64_t hash = acre::Hash<int>()(key);
    if (left != 0 && --left == 0) act();
    return hash;
  }
};

TEST_CASE("insert_or_assign: a hash inserts the key") {
  constexpr const char* kText = "the text that is assigned, a long one";
  int acted = 0;
  for (int size = 0; size < 30; ++size) {
    bool has_acted = true;
    for (int call = 1; has_acted; ++call) {
      CAPTURE(size);
      CAPTURE(call);
      Arena arena;
      Map<int, acre::String, Busy> map(arena);
      Map<int, double, Busy> plain(arena);
      for (int i = 0; i < size; ++i) {
        map.try_emplace(i);
        plain.try_emplace(i);
      }
      has_acted = false;
      const auto in = [&](auto insert) {
        Busy::act = [&has_acted, insert] {
          has_acted = true;
          insert();
        };
        Busy::left = call;
      };
      in([&] { map.try_emplace(500, "old"); });
      acre::String text(arena, kText);
      map.insert_or_assign(500, std::move(text));
      Busy::left = 0;
      REQUIRE(map.at(500) == kText);
      in([&] { plain.try_emplace(500, 1.5); });
      plain.insert_or_assign(500, 2.5);
      Busy::left = 0;
      REQUIRE(plain.at(500) == 2.5);
      CheckSound(map);
      CheckSound(plain);
      acted += has_acted;
      map.Release();
      plain.Release();
      text.Release();
      REQUIRE(arena.stats().live() == 0);
    }
  }
  CHECK(acted > 60);
}

TEST_CASE("insert_or_assign: over another state of an optional or a variant") {
  Object* const object = NewObject(7);
  Arena arena;
  Map<int, std::optional<acre::Vector<int>>> optionals(arena);
  Map<int, std::variant<int, acre::Vector<int>>> variants(arena);
  Map<int, std::optional<GcRef<Object>>> refs(arena);
  for (int i = 0; i < 10; ++i) {
    optionals[i].emplace(arena, 100u, 7);
    optionals.insert_or_assign(i, std::optional<acre::Vector<int>>());
    CHECK_FALSE(optionals.at(i).has_value());
    variants[i].emplace<1>(arena, 100u, 7);
    variants.insert_or_assign(i, 3);
    CHECK(std::get<0>(variants.at(i)) == 3);
    variants.insert_or_assign(i, acre::Vector<int>(arena, 50u, 1));
    CHECK(std::get<1>(variants.at(i)).size() == 50);
    variants.insert_or_assign(i, 4);
    refs[i] = object;
    refs.insert_or_assign(i, std::optional<GcRef<Object>>());
    CHECK_FALSE(refs.at(i).has_value());
  }
  optionals.Release();
  variants.Release();
  refs.Release();
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("nodes: a finalizer uses the Map that one is inserted into") {
  Object* const object = NewObject(7);
  for (const int more : {0, 1, 5, 30}) {
    CAPTURE(more);
    Arena arena;
    Refs map(arena);
    for (int i = 0; i < 3; ++i) map.try_emplace(i);
    map.try_emplace(500);
    auto node = map.extract(500);
    node.mapped() = object;
    const InNextRequest meanwhile([&] {
      for (int i = 0; i < more; ++i) map.try_emplace(1000 + i);
      if (more == 1) map.try_emplace(500);
    });
    const auto told = map.insert(std::move(node));
    CHECK(meanwhile.has_run());
    CHECK(told.inserted == (more != 1));
    CHECK((told.inserted ? map.at(500) : told.node.mapped()).get() == object);
    CheckSound(map);
  }
}

__attribute__((noinline)) void UseNodes(Arena& arena, Refs& refs, bool resets) {
  std::optional<Refs::node_type> node;
  std::optional<acre::Scope> scope;
  if (!resets) scope.emplace(arena);
  {
    Refs map(arena);
    map.try_emplace(1, NewObject());
    node = map.extract(1);
  }
  if (resets) {
    arena.Reset();
  } else {
    scope.reset();
  }
  refs.try_emplace(1, NewObject());
  node.reset();
  refs.try_emplace(2, NewObject());
}

TEST_CASE(
    "nodes: one that is older than a Reset or Rewind gives nothing back") {
  acre_test::NeedCollector();
  for (const bool resets : {true, false}) {
    CountAnew();
    Arena arena;
    Refs refs(arena);
    UseNodes(arena, refs, resets);
    acre_test::Collect(3);
    CHECK(g_gone <= 1);
    CHECK(refs.at(1)->number == 0);
    CHECK(refs.at(2)->number == 0);
  }
  const acre_test::Death death = acre_test::RunInChild([] {
    Arena arena({.name = "level"});
    Map<int, acre::String> map(arena);
    map.try_emplace(1, "a text that is too long for what is inline");
    auto node = map.extract(1);
    arena.Reset();
    Map<int, acre::String> next(arena);
    next.insert(std::move(node));
  });
  INFO(death.text);
  CHECK(acre_test::Matches(death,
                           "Map::insert: the node is older than a Reset "
                           "or Rewind of arena 'level'"));
  // Plain data is as good as before.
  Arena arena;
  Map<int, int> map(arena);
  map[1] = 5;
  auto node = map.extract(1);
  arena.Reset();
  Map<int, int> next(arena);
  CHECK(next.insert(std::move(node)).inserted);
  CHECK(next.at(1) == 5);
}

TEST_CASE("merge and extract: a hash that uses the very Map") {
  using M = Map<int, acre::String, Busy>;
  for (int what = 0; what < 5; ++what) {
    for (const int size : {1, 4, 12, 40}) {
      for (int call = 1; call < 60; ++call) {
        CAPTURE(what);
        CAPTURE(size);
        CAPTURE(call);
        Arena arena;
        M map(arena);
        M other(arena);
        for (int i = 0; i < size; ++i) {
          map.try_emplace(i, "the first text of all, a long one");
          other.try_emplace(size / 2 + i, "another text, as long as the first");
        }
        const std::size_t before = map.size() + other.size();
        std::size_t more = 0;
        Busy::act = [&] {
          if (what == 0) more = map.try_emplace(1000).second;
          if (what == 1) more = other.try_emplace(1000).second;
          if (what == 2) {
            for (int i = 0; i < 50; ++i) {
              more += other.try_emplace(2000 + i).second;
            }
          }
          if (what == 3) {
            for (int i = 0; i < 50; ++i)
              more += map.try_emplace(2000 + i).second;
          }
          if (what == 4) more -= other.erase(size + size / 2 - 1);
        };
        Busy::left = call;
        map.merge(other);
        Busy::left = 0;
        REQUIRE(map.size() + other.size() == before + more);
        CheckSound(map);
        CheckSound(other);
        for (int i = 0; i < size; ++i) REQUIRE(map.contains(i));
        for (const auto& [key, value] : other) REQUIRE(map.contains(key));

        Busy::act = [&] { map.clear(); };
        Busy::left = call;
        const auto node = map.extract(0);
        Busy::left = 0;
        if (!node.empty())
          REQUIRE(node.mapped() ==
                  "the first text of all, "
                  "a long one");
        CheckSound(map);
      }
    }
  }
}

TEST_CASE("erase of an iterator asks no hash") {
  static int asked;
  struct Counting {
    std::uint64_t operator()(int key) const {
      ++asked;
      return acre::Hash<int>()(key);
    }
  };
  Arena arena;
  Map<int, int, Counting> map(arena);
  for (int i = 0; i < 5000; ++i) map[i] = i;
  asked = 0;
  for (auto it = map.begin(); it != map.end();) {
    it = it->first % 3 == 0 ? map.erase(it) : std::next(it);
  }
  CHECK(asked == 0);
  for (int i = 0; i < 5000; ++i) CHECK(map.contains(i) == (i % 3 != 0));
}

TEST_CASE("merge under a mark: an element gets a slot of the older level") {
  acre_test::NeedCollector();
  Object* const object = NewObject(7);
  Arena arena;
  Refs old(arena);
  old.reserve(4);
  {
    const acre::Scope scope(arena);
    Refs young(arena);
    young.try_emplace(1, object);
    const InNextRequest meanwhile([&] { young.try_emplace(2, object); });
    old.merge(young);
    CHECK(meanwhile.has_run());
    CHECK(young.empty());
  }
  CHECK(old.size() == 2);
  CHECK(old.at(1).get() == object);
  CHECK(old.at(2).get() == object);
  old.clear();
}

/// What converts to an integer, and does something before.
struct Converts {
  const std::function<void()>* run;
  operator int() const {  // NOLINT: as conversions are
    (*run)();
    return 4711;
  }
};

TEST_CASE("insert_or_assign: what converts uses the Map") {
  for (int size = 1; size < 40; ++size) {
    for (const bool erases : {false, true}) {
      CAPTURE(size);
      Arena arena;
      Map<int, int> map(arena);
      for (int i = 0; i < size; ++i) map[i] = i;
      const std::function<void()> run = [&] {
        for (int i = 0; i < 60; ++i) map[1000 + i] = 0;
        if (erases) map.erase(0);
      };
      const auto [at, is_new] = map.insert_or_assign(0, Converts{&run});
      CHECK(is_new == erases);
      CHECK(at->second == 4711);
      CHECK(map.at(0) == 4711);
      CHECK(map.size() == static_cast<std::size_t>(size) + 60);
      CheckSound(map);
    }
  }
}

/// Its constructor throws once it holds an object, or later.
struct Unmade {
  GcRef<Object> ref;
  GcRef<Object> other;
  Unmade() = default;
  explicit Unmade(int number) : ref(NewObject()), other(NewObject()) {
    if (number >= 0) throw std::runtime_error("unmade");
  }
};
ACRE_LAYOUT(Unmade, ref, other)
struct UnmadeFrom {
  static inline int left = 0;
  GcRef<Object> ref = NewObject();
  UnmadeFrom() {
    if (left-- == 0) throw std::runtime_error("unmade");
  }
};
ACRE_LAYOUT(UnmadeFrom, ref)

__attribute__((noinline)) void FailToMake(Arena& arena,
                                          acre::TypedArena<Unmade>& typed,
                                          acre::Vector<Unmade>& vector,
                                          Map<int, Unmade>& map) {
  for (int i = 0; i < 10; ++i) {
    CHECK_THROWS(arena.New<Unmade>(i));
    CHECK_THROWS(typed.New(i));
    CHECK_THROWS(vector.emplace_back(i));
    CHECK_THROWS(map.try_emplace(i, i));
  }
  UnmadeFrom::left = 40;
  CHECK_THROWS(arena.NewArray<UnmadeFrom>(100));
}

TEST_CASE("a constructor that throws leaves no slot, nor its object") {
  acre_test::NeedCollector();
  CountAnew();
  Arena arena;
  acre::TypedArena<Unmade> typed(100);
  acre::Vector<Unmade> vector(arena);
  Map<int, Unmade> map(arena);
  FailToMake(arena, typed, vector, map);
  acre_test::Collect(4);
  CHECK(g_gone >= 80 + 41 - 6);
  CHECK(typed.used() == 0);
  CHECK(vector.empty());
  CHECK(map.empty());
}

TEST_CASE("TypedArena: a finalizer makes elements while a segment is got") {
  int ran = 0;
  acre::TypedArena<Entry> arena(16, acre::Growth::kGrowing);
  std::vector<Entry*> made;
  const auto make = [&] {
    Entry* const entry = arena.New();
    made.push_back(entry);
    entry->number = static_cast<long>(made.size());
  };
  for (int i = 0; i < 40000; ++i) {
    std::optional<InNextRequest> meanwhile;
    if (arena.remaining() == 0) {
      meanwhile.emplace([&] {
        for (int k = 0; k < 1 + i % 3; ++k) make();
      });
    }
    make();
    if (meanwhile) ran += meanwhile->has_run();
  }
  CHECK(arena.used() == made.size());
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < made.size(); ++i) {
    wrong += made[i]->number != static_cast<long>(i) + 1;
    wrong += &arena[i] != made[i];
  }
  CHECK(wrong == 0);
  CHECK(ran > 2);
}

struct Captured {
  acre::Vector<GcRef<Object>> refs = {};
  acre::Vector<long> numbers = {};
};
ACRE_LAYOUT(Captured, refs, numbers)

TEST_CASE("History: a finalizer uses the arena while a frame is captured") {
  Object* const object = NewObject(7);
  int ran = 0;
  for (const int act : {0, 1, 2}) {
    for (const bool peeks : {false, true}) {
      CAPTURE(act);
      CAPTURE(peeks);
      Arena arena;
      auto* const root = arena.New<Captured>();
      acre::History history(arena, *root);
      for (int i = 0; i < 600; ++i) root->refs.push_back(object);
      acre::FrameId first = history.Capture();
      root->refs.push_back(object);
      acre::FrameId nested{};
      {
        const InNextRequest meanwhile([&] {
          if (act == 0) {
            for (int i = 0; i < 2000; ++i) root->refs.push_back(object);
          }
          if (act == 1) root->numbers.resize(100000, 5);
          if (act == 2) nested = history.Capture();
        });
        if (peeks) {
          history.Peek(first, [&] { CHECK(root->refs.size() == 600); });
        } else {
          first = history.Capture();
        }
        ran += meanwhile.has_run();
      }
      const std::size_t refs = act == 0 ? 2601 : 601;
      CHECK(root->refs.size() == refs);
      CHECK(root->numbers.size() == (act == 1 ? 100000 : 0));
      for (int i = 0; i < 1000; ++i) root->refs.push_back(object);
      root->numbers.clear();
      history.Restore(first);
      CHECK(root->refs.size() == (peeks ? 600 : refs));
      std::size_t wrong = 0;
      for (const auto& ref : root->refs) wrong += ref->number != 7;
      for (const long number : root->numbers) wrong += number != 5;
      CHECK(wrong == 0);
      CHECK(root->numbers.size() == (act == 1 && !peeks ? 100000 : 0));
      CHECK(acre::Audit(arena, *root).clean());
      CHECK(arena.stats().live() <= arena.stats().reserved);
      if (act == 2) CHECK(history.IsKept(nested));
    }
  }
  CHECK(ran == 6);
}

struct ThrowingText {
  acre::String text = {};
  bool throws = false;
  bool operator==(const ThrowingText& other) const {
    if (throws) throw std::runtime_error("compared");
    return text == other.text;
  }
};
ACRE_LAYOUT(ThrowingText, text, throws)

TEST_CASE(
    "Vector: what erase_value compares with is given back where that "
    "throws") {
  Arena arena;
  acre::Vector<ThrowingText> vector(arena);
  for (int i = 0; i < 5; ++i) {
    vector.emplace_back();
    vector.back().text =
        acre::String(arena, "a text that is long enough for it");
  }
  vector[4].throws = true;
  CHECK_THROWS(vector.erase_value(vector[0]));
  CHECK(vector.size() == 1);
  vector.Release();
  CHECK(arena.stats().live() == 0);
}

struct World {
  Refs map = {};
  acre::Vector<GcRef<Object>> vector = {};
  acre::Set<GcRef<Object>> set = {};
  Map<GcRef<Object>, int> keys = {};
  Map<int, GcWeakRef<Object>> weak = {};
  acre::Vector<std::optional<GcRef<Object>>> optionals = {};
};
ACRE_LAYOUT(World, map, vector, set, keys, weak, optionals)

constexpr int kWays = 11;

void Fill(World& world, int way) {
  Object* const object = NewObject();
  switch (way) {
    case 0:
      world.map[1] = object;
      break;
    case 1:
      world.map.try_emplace(1, object);
      break;
    case 2:
      world.map.insert_or_assign(1, GcRef<Object>(object));
      break;
    case 3:
      world.map.insert({1, GcRef<Object>(object)});
      break;
    case 4:
      world.vector.push_back(object);
      break;
    case 5:
      world.vector.insert(world.vector.begin(), GcRef<Object>(object));
      break;
    case 6:
      world.vector.resize(20, GcRef<Object>(object));
      break;
    case 7:
      world.set.insert(object);
      break;
    case 8:
      world.keys[object] = 1;
      break;
    case 9:
      world.weak.try_emplace(1, object);
      break;
    default:
      world.optionals.push_back(GcRef<Object>(object));
  }
}

TEST_CASE(
    "escaped containers hold what is inserted later, no longer than they "
    "are") {
  acre_test::NeedCollector();
  constexpr int kTimes = 20;
  CountAnew();
  std::thread([] {
    const acre::ThreadRegistration here;
    Arena arena;
    for (int i = 0; i < kTimes * kWays; ++i) {
      World* const world = acre::Escape(arena.New<World>());
      Fill(*world, i % kWays);
      if (i % 50 != 0) continue;
      GC_gcollect();
      Fill(*world, (i + 1) % kWays);
    }
  }).join();
  acre_test::Collect(4);
  CHECK(g_gone >= kTimes * kWays - 5);

  CountAnew();
  World* volatile world = nullptr;
  {
    Arena arena;
    world = acre::Escape(arena.New<World>());
  }
  for (int way = 0; way < kWays; ++way) Fill(*world, way);
  acre_test::Collect(3);
  CHECK(g_gone <= 3);  // the first three ways replace each other
  world->vector.clear();
  world->optionals.clear();
  acre_test::Collect(3);
  CHECK(g_gone >= 4);  // what is no element any more holds nothing
  CHECK(world->weak.at(1).lock()->number == 0);
}

TEST_CASE("escaped containers of two threads: each its own") {
  acre_test::NeedCollector();
  std::atomic<int> ready{0};
  std::atomic<int> wrong{0};
  const auto work = [&] {
    const acre::ThreadRegistration here;
    Object* const object = NewObject(7);
    ++ready;
    while (ready < 2) std::this_thread::yield();
    for (int i = 0; i < 300; ++i) {
      World* world = nullptr;
      {
        Arena arena;
        world = acre::Escape(arena.New<World>());
      }
      for (int k = 0; k < 20; ++k) {
        world->map.try_emplace(k, object);
        world->vector.push_back(object);
      }
      for (int k = 0; k < 20; ++k) wrong += world->map.at(k)->number != 7;
    }
  };
  std::thread other(work);
  work();
  other.join();
  CHECK(wrong == 0);
}

TEST_CASE("an element that comes from an arena leaves its slot there") {
  acre_test::NeedCollector();
  CountAnew();
  World* volatile world = nullptr;
  {
    Arena arena;
    world = acre::Escape(arena.New<World>());
    Refs map(arena);
    for (int i = 0; i < 100; ++i) map.try_emplace(i, NewObject(i));
    for (int i = 0; i < 50; ++i) world->map.insert(map.extract(i));
    map.clear();
  }
  acre_test::Collect(3);
  for (int i = 0; i < 50; ++i) CHECK(world->map.at(i)->number == i);
  CHECK(g_gone >= 45);
  CHECK(g_gone <= 50);
}

struct Key {
  long number = 0;
};
ACRE_LAYOUT(Key, number)

struct Throwing {
  static inline long left = -1;
  std::uint64_t operator()(const Key* key) const {
    if (left >= 0 && left-- == 0) throw std::runtime_error("hash");
    return acre::Hash<const Key*>()(key);
  }
};

__attribute__((noinline)) void FailToCopy(Arena& to, int count) {
  using ByKey = Map<Key*, GcRef<Object>, Throwing>;
  Arena arena;
  ByKey& map = *arena.New<ByKey>();
  for (int i = 0; i < count; ++i)
    map.try_emplace(arena.New<Key>(), NewObject());
  Throwing::left = count / 2;
  CHECK_THROWS_AS(acre::DeepCopy(to, map), std::runtime_error);
  Throwing::left = -1;
}

TEST_CASE("DeepCopy: where a hash throws no slot stays, nor its object") {
  acre_test::NeedCollector();
  for (const int count : {1, 4, 10, 28, 31, 40, 100, 1000}) {
    CAPTURE(count);
    CountAnew();
    Arena to;
    to.HandOver();
    std::thread([&] {
      const acre::ThreadRegistration here;
      FailToCopy(to, count);
      to.HandOver();
    }).join();
    CHECK(to.stats().live() == 0);
    acre_test::Collect(3);
    CHECK(g_gone >= count - 2);
  }
}

}  // namespace ref_elements_test
