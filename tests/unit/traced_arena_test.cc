// SPDX-License-Identifier: MIT
//
// Traced arenas: what their pointers lead to lives, by layout, as long as they
// point there, and no longer.

#include <doctest/doctest.h>
#include <gc/gc.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <thread>
#include <tuple>
#include <variant>
#include <vector>

#include "acre/arena.h"
#include "acre/audit.h"
#include "acre/deep_copy.h"
#include "acre/detail/location.h"
#include "acre/escape.h"
#include "acre/gc.h"
#include "acre/gc_ref.h"
#include "acre/map.h"
#include "acre/object_pool.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/typed_arena.h"
#include "acre/vector.h"
#include "collecting.h"
#include "support/death.h"

// Declared by gc.h for those who ask for threads.
extern "C" void GC_start_mark_threads(void);

namespace traced_arena_test {

using acre::Trace;
using acre_test::ClobberStack;
using acre_test::Collect;

/// Larger than the entries of libgc's table of links: where it has grown, the
/// old table may stay for a while, and holds what lies where entries were.
struct Object {
  std::int64_t number;
  Object* other;
  std::int64_t rest[4] = {};
};
ACRE_LAYOUT(Object, number, other, rest)

/// Objects of the collected heap, by number: which are alive.
class Living {
 public:
  static constexpr std::size_t kMost = 300000;
  Living() { links_.reserve(kMost); }
  ~Living() {
    for (std::uintptr_t& link : links_) {
      if (link != 0) {
        GC_unregister_disappearing_link(reinterpret_cast<void**>(&link));
      }
    }
  }
  __attribute__((noinline)) Object* Make() {
    auto* object = static_cast<Object*>(GC_malloc(sizeof(Object)));
    *object = {static_cast<std::int64_t>(links_.size()), nullptr, {}};
    REQUIRE(links_.size() < kMost);
    links_.push_back(~reinterpret_cast<std::uintptr_t>(object));
    GC_general_register_disappearing_link(
        reinterpret_cast<void**>(&links_.back()), object);
    return object;
  }
  bool IsAlive(std::size_t number) const { return links_[number] != 0; }
  int Count() const {
    ClobberStack();
    Collect();
    int count = 0;
    for (const std::uintptr_t link : links_) count += link != 0;
    return count;
  }
  std::size_t size() const { return links_.size(); }

 private:
  std::vector<std::uintptr_t> links_;
};

constexpr int kStray = 3;

/// Runs what must leave nothing on this stack.
template <class F>
void Apart(acre::Arena& arena, F f) {
  acre_test::NeedCollector();
  arena.HandOver();
  std::thread([&] {
    const acre::ThreadRegistration registered;
    f();
    arena.HandOver();
  }).join();
}

struct Node {
  Object* object = nullptr;
  Node* next = nullptr;
  std::uint64_t number = 0;
};
ACRE_LAYOUT(Node, object, next, number)

struct Holder {
  std::span<Object> span;
  std::optional<Object*> maybe;
  std::variant<std::int64_t, Object*> choice;
  std::tuple<int, Object*, double, Object*> tuple;
  std::array<Object*, 3> few{};
  std::pair<int, Object*> pair{};
  Object* guest = nullptr;
  acre::Vector<Object*> row;
  acre::Vector<Node> nodes;
  acre::Map<int, Object*> by_number;
  acre::Map<Object*, Node> by_object;
  acre::Set<Object*> all;
  acre::String text;
};
ACRE_LAYOUT(Holder, span, maybe, choice, tuple, few, pair, borrowed(guest), row,
            nodes, by_number, by_object, all, text)

TEST_CASE("every kind of pointer is seen, and no number") {
  acre::Arena arena({.name = "traced", .trace = Trace::kPointers});
  Living living;
  Holder* holder = arena.New<Holder>();
  Node* node = arena.New<Node>();
  Apart(arena, [&] {
    node->number = reinterpret_cast<std::uintptr_t>(living.Make());  // dies
    holder->span = {living.Make(), 1};
    holder->maybe = living.Make();
    holder->choice = living.Make();
    holder->tuple = {1, living.Make(), 2.0, living.Make()};
    for (Object*& one : holder->few) one = living.Make();
    holder->pair = {3, living.Make()};
    holder->guest = living.Make();
    node->object = living.Make();
    for (int i = 0; i < 1000; ++i) {
      holder->row.push_back(living.Make());
      holder->nodes.push_back({living.Make(), node, 7});
      holder->by_number[i] = living.Make();
      Object* key = living.Make();
      holder->by_object[key] = {living.Make(), nullptr, 0};
      holder->all.insert(living.Make());
    }
    holder->text = "a text that is too long for what there is in a String";
  });
  const int all = static_cast<int>(living.size()) - 1;
  const int alive = living.Count();
  CHECK(alive >= all);
  CHECK(alive <= all + kStray);
  CHECK(!living.IsAlive(0));
  CHECK(acre::Audit(arena, *holder).findings.empty());
  CHECK(acre::Audit(arena, *node).findings.empty());
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(living.IsAlive(
        static_cast<std::size_t>(holder->by_number.at(i)->number)));
  }
  arena.Free(holder);
  arena.Free(node);
  CHECK(living.Count() <= kStray);
}

TEST_CASE("Reset and Rewind let go at once") {
  acre::Arena arena({.name = "let go", .trace = Trace::kPointers});
  Living living;
  Node* old = arena.New<Node>();
  for (const acre::ResetMode mode :
       {acre::ResetMode::kKeep, acre::ResetMode::kClear,
        acre::ResetMode::kRelease}) {
    old = arena.New<Node>();
    Apart(arena, [&] { old->object = living.Make(); });
    const acre::Mark mark = arena.Checkpoint();
    Apart(arena, [&] {
      for (int i = 0; i < 20000; ++i) arena.New<Node>()->object = living.Make();
      auto many = arena.NewArray<Object*>(100000);
      for (std::size_t i = 0; i < 1000; ++i) many[i * 100] = living.Make();
    });
    CHECK(living.Count() >= 21001);
    arena.Rewind(mark);
    CHECK(living.Count() <= 1 + kStray);
    CHECK(living.Count() >= 1);
    Apart(arena, [&] {
      for (int i = 0; i < 20000; ++i) arena.New<Node>()->object = living.Make();
    });
    CHECK(living.Count() >= 20001);
    arena.Reset(mode);
    CHECK(living.Count() <= kStray);
  }
}

TEST_CASE("raw memory: as a stack is, or not at all") {
  for (const Trace trace : {Trace::kPointers, Trace::kPointersByLayout}) {
    acre::Arena arena({.name = "raw", .trace = trace});
    Living living;
    Apart(arena, [&] {
      for (int i = 0; i < 100; ++i) {
        auto** raw = static_cast<Object**>(arena.Allocate(40));
        raw[3] = living.Make();
      }
    });
    const int alive = living.Count();
    if (trace == Trace::kPointers) CHECK(alive >= 100);
    if (trace != Trace::kPointers) CHECK(alive <= kStray);
  }
}

// Not the test's own: an arena may end when that has ended.
int g_ended_cycles = 0;

__attribute__((noinline)) void MakeCycle(Living& living, std::size_t nodes) {
  acre::Arena* arena =
      acre::NewCollectedArena({.name = "cycle", .trace = Trace::kPointers});
  acre::OnCollected(*arena, [](void*) { ++g_ended_cycles; });
  for (std::size_t i = 0; i < nodes; ++i) {
    Node* node = arena->New<Node>();
    node->object = living.Make();
    // Back into the arena, by what is no layout's.
    node->object->other = reinterpret_cast<Object*>(node);
  }
}

TEST_CASE("cycles across the border die as a whole; one pointer keeps all") {
  Living living;
  acre::Arena other;
  g_ended_cycles = 0;
  for (const std::size_t nodes : {1u, 10u, 5000u}) {
    for (int i = 0; i < 5; ++i) {
      Apart(other, [&] { MakeCycle(living, nodes); });
    }
  }
  Node* volatile held = nullptr;
  Apart(other, [&] {
    acre::Arena* arena =
        acre::NewCollectedArena({.name = "held", .trace = Trace::kPointers});
    for (int i = 0; i < 1000; ++i) {
      Node* node = arena->New<Node>();
      node->object = living.Make();
      node->next = held;
      held = node;
    }
  });
  int alive = 0;
  for (int i = 0; i < 5; ++i) alive = living.Count();
  CHECK(g_ended_cycles >= 12);
  CHECK(alive >= 1000);
  CHECK(alive <= 1000 + 3 * 5000);
  int found = 0;
  for (Node* node = held; node != nullptr; node = node->next) {
    REQUIRE(living.IsAlive(static_cast<std::size_t>(node->object->number)));
    ++found;
  }
  CHECK(found == 1000);
}

/// A program of random operations, and what must be alive after each.
void RunModel(unsigned seed, const acre::ArenaOptions& options) {
  CAPTURE(seed);
  std::mt19937 random(seed);
  acre::Arena arena(options);
  auto living = std::make_unique<Living>();
  struct Slots {
    std::vector<Node*> nodes;
    std::vector<std::size_t> numbers;  // what each holds
    std::vector<acre::Vector<Object*>*> rows;
    std::vector<std::vector<std::size_t>> row_numbers;
    std::vector<acre::Map<int, Node>*> maps;
    std::vector<std::map<int, std::size_t>> map_numbers;
  } have;
  const auto pick = [&](std::size_t count) { return random() % count; };
  for (int round = 0; round < 30; ++round) {
    Apart(arena, [&] {
      for (int step = 0; step < 400; ++step) {
        switch (pick(12)) {
          case 0:
          case 1:
          case 2: {
            Node* node = arena.New<Node>();
            Object* object = living->Make();
            node->object = object;
            node->number = reinterpret_cast<std::uintptr_t>(object);
            have.nodes.push_back(node);
            have.numbers.push_back(static_cast<std::size_t>(object->number));
            break;
          }
          case 3:
            if (have.nodes.empty()) break;
            {
              const std::size_t i = pick(have.nodes.size());
              arena.Free(have.nodes[i]);
              have.nodes.erase(have.nodes.begin() +
                               static_cast<std::ptrdiff_t>(i));
              have.numbers.erase(have.numbers.begin() +
                                 static_cast<std::ptrdiff_t>(i));
            }
            break;
          case 4:
            if (have.nodes.empty()) break;
            {
              const std::size_t i = pick(have.nodes.size());
              Object* object = living->Make();
              have.nodes[i]->object = object;
              have.numbers[i] = static_cast<std::size_t>(object->number);
            }
            break;
          case 5:
            have.rows.push_back(arena.New<acre::Vector<Object*>>());
            have.row_numbers.emplace_back();
            break;
          case 6:
          case 7:
          case 8:
            if (have.rows.empty()) break;
            {
              const std::size_t i = pick(have.rows.size());
              Object* object = living->Make();
              have.rows[i]->push_back(object);
              have.row_numbers[i].push_back(
                  static_cast<std::size_t>(object->number));
            }
            break;
          case 9:
            have.maps.push_back(arena.New<acre::Map<int, Node>>());
            have.map_numbers.emplace_back();
            break;
          case 10:
            if (have.maps.empty()) break;
            {
              const std::size_t i = pick(have.maps.size());
              const int key = static_cast<int>(pick(100));
              Object* object = living->Make();
              (*have.maps[i])[key] = {object, nullptr, 5};
              have.map_numbers[i][key] =
                  static_cast<std::size_t>(object->number);
            }
            break;
          case 11: {
            // Memory of all sizes that is no pointer's, in between.
            auto bytes = arena.NewArray<std::uint64_t>(pick(300));
            for (std::uint64_t& one : bytes) {
              one = have.nodes.empty()
                        ? 0
                        : reinterpret_cast<std::uintptr_t>(
                              have.nodes[pick(have.nodes.size())]->object);
            }
            if (pick(2) == 0) arena.Free(bytes);
            break;
          }
          default:
            break;
        }
      }
    });
    std::size_t expected = 0;
    living->Count();
    const auto check = [&](std::size_t number) {
      REQUIRE(living->IsAlive(number));
      ++expected;
    };
    for (const std::size_t number : have.numbers) check(number);
    for (const auto& numbers : have.row_numbers) {
      for (const std::size_t number : numbers) check(number);
    }
    for (const auto& numbers : have.map_numbers) {
      for (const auto& [key, number] : numbers) check(number);
    }
    if (round % 10 == 9) {
      arena.Reset();
      have = {};
      CHECK(living->Count() <= kStray);
    }
  }
}

TEST_CASE("what is alive is what a model says") {
  for (unsigned seed = 1; seed <= 3; ++seed) {
    RunModel(seed, {.name = "model", .trace = Trace::kPointers});
  }
  RunModel(4, {.name = "no lists",
               .freelists = false,
               .trace = Trace::kPointersByLayout});
  RunModel(5, {.name = "small",
               .first_chunk = 4096,
               .max_chunk = 8192,
               .trace = Trace::kPointers});
}

TEST_CASE("DeepCopy into a traced arena; Escape out of it") {
  acre::Arena from({.name = "from", .trace = Trace::kPointers});
  acre::Arena to({.name = "to", .trace = Trace::kPointersByLayout});
  acre::Arena plain({.name = "plain"});
  Living living;
  for (const int count : {5, 500, 20000}) {
    CAPTURE(count);
    // In an arena that is not traced, and so gives them up.
    acre::Map<int, Node*>* map = plain.New<acre::Map<int, Node*>>();
    acre::Vector<Object> objects(plain);
    for (int i = 0; i < count; ++i) {
      Node* node = plain.New<Node>();
      node->number = static_cast<std::uint64_t>(i);
      (*map)[i] = node;
    }
    acre::Map<int, Node*>* copy = acre::DeepCopy(to, *map);
    Apart(to, [&] {
      for (int i = 0; i < count; ++i) (*copy)[i]->object = living.Make();
    });
    CHECK(living.Count() >= count);
    CHECK(acre::Audit(to, *copy).findings.empty());
    Node* escaped = acre::Escape((*copy)[count / 2]);
    const std::size_t number =
        static_cast<std::size_t>(escaped->object->number);
    to.Reset();
    plain.Reset();
    CHECK(living.Count() <= 1 + kStray);
    CHECK(living.IsAlive(number));
    CHECK(escaped->number == static_cast<std::uint64_t>(count / 2));
  }
}

TEST_CASE("the auditor finds pointers that the collector was not told of") {
  acre::Arena arena({.name = "untold", .trace = Trace::kPointersByLayout});
  auto* node = ::new (arena.Allocate(sizeof(Node))) Node;
  node->object = static_cast<Object*>(GC_malloc(sizeof(Object)));
  const acre::AuditReport report = acre::Audit(arena, *node);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].target == acre::Target::kUntraced);
  CHECK(report.findings[0].is_leak());
}

TEST_CASE("what a traced arena refuses") {
  CHECK_DIES(acre::Arena({.name = "malloc",
                          .source = &acre::MallocSource::Instance(),
                          .trace = Trace::kPointers}),
             "arena 'malloc' is to be traced.*source null");
}

TEST_CASE("objects in pools of a traced arena") {
  acre::Arena arena({.name = "pools", .trace = Trace::kPointers});
  Living living;
  acre::ObjectPool<Node> pool(arena);
  std::vector<Node*> nodes;
  Apart(arena, [&] {
    for (int i = 0; i < 1000; ++i) {
      Node* node = pool.Acquire();
      node->object = living.Make();
      nodes.push_back(node);
    }
  });
  CHECK(living.Count() >= 1000);
}

TEST_CASE("elements of a traced TypedArena, whose New knows of no tracing") {
  acre::TypedArena<Holder> holders(
      2, acre::Growth::kGrowing, {.name = "typed", .trace = Trace::kPointers});
  acre::TypedArena<Node> nodes(8, acre::Growth::kGrowing,
                               {.name = "typed", .trace = Trace::kPointers});
  Living living;
  const auto fill = [&] {
    Apart(nodes.arena(), [&] {
      for (int i = 0; i < 1000; ++i) {
        Node* const node = nodes.New();
        node->object = living.Make();
        // A number that is an address keeps nothing.
        node->number = reinterpret_cast<std::uintptr_t>(living.Make());
      }
      for (Node& node : nodes.NewSlab(500)) node.object = living.Make();
    });
  };
  fill();
  const auto is_alive = [&](std::size_t first) {
    for (std::size_t i = 0; i < 1000; ++i) {
      if (!living.IsAlive(first + 2 * i)) return false;
    }
    for (std::size_t i = 0; i < 500; ++i) {
      if (!living.IsAlive(first + 2000 + i)) return false;
    }
    return true;
  };
  CHECK(living.Count() <= 1500 + kStray);
  CHECK(is_alive(0));
  Apart(nodes.arena(), [&] { nodes.Reset(); });
  CHECK(living.Count() <= kStray);
  fill();  // in segments that were there
  CHECK(living.Count() <= 1500 + kStray);
  CHECK(is_alive(2500));

  // What is in containers of elements, too.
  Apart(holders.arena(), [&] {
    for (int i = 0; i < 100; ++i) holders.New()->row.push_back(living.Make());
  });
  CHECK(living.Count() >= 1600);
  Apart(holders.arena(), [&] { holders.Reset(); });
  CHECK(living.Count() <= 1500 + kStray);
}

TEST_CASE("markers run beside a mutator, incrementally") {
  const acre_test::Death death = acre_test::RunInChild([] {
    setenv("GC_MARKERS", "2", 1);
    GC_INIT();
    acre_test::NeedCollector();
    GC_enable_incremental();
    GC_start_mark_threads();
    GC_set_time_limit(1);
    acre::Arena arena({.name = "incremental", .trace = Trace::kPointers});
    auto* row = arena.New<acre::Vector<Object*>>();
    auto* map = arena.New<acre::Map<int, Object*>>();
    for (int i = 0; i < 200000; ++i) {
      auto* object = static_cast<Object*>(GC_malloc(sizeof(Object)));
      *object = {i, nullptr};
      row->push_back(object);
      if (i % 7 == 0) (*map)[i] = object;
      if (i % 50000 == 0) GC_gcollect();
    }
    for (int i = 0; i < 200000; ++i) {
      if ((*row)[static_cast<std::size_t>(i)]->number != i) std::_Exit(3);
    }
    for (const auto& [key, object] : *map) {
      if (object->number != key) std::_Exit(4);
    }
    std::fputs("all there\n", stderr);
    std::abort();
  });
  CHECK(acre_test::Matches(death, "all there"));
}

// -------------------------------------------------- found by fresh eyes: each

TEST_CASE("chunks above half a gigabyte are marked to their end") {
  acre::Arena arena({.name = "huge", .trace = Trace::kPointersByLayout});
  Living living;
  constexpr std::size_t kCount = (std::size_t{600} << 20) / sizeof(Object*);
  std::span<Object*> many = arena.NewArray<Object*>(kCount);
  Apart(arena, [&] {
    many[0] = living.Make();
    many[kCount / 2] = living.Make();
    many[kCount - 1] = living.Make();
  });
  CHECK(living.Count() >= 3);
  arena.Free(many);
  CHECK(living.Count() <= kStray);
}

TEST_CASE("tables that were cloned or copied from anywhere are traced") {
  for (const int count : {2, 5, 20, 1000}) {
    CAPTURE(count);
    acre::Arena arena({.name = "clones", .trace = Trace::kPointersByLayout});
    acre::Arena plain({.name = "plain"});
    Living living;
    Object outside = {7, nullptr};
    auto* source = plain.New<acre::Map<long, Object*>>();
    auto* numbers = arena.New<acre::Map<long, long>>();
    for (int i = 0; i < count; ++i) {
      (*source)[i] = &outside;  // in no arena: the general engine copies
      (*numbers)[i] = 0;
    }
    auto* clone =
        arena.New<acre::Map<long, Object*>>(acre::Clone(arena, *source));
    auto* cloned_numbers =
        arena.New<acre::Map<long, long>>(acre::Clone(arena, *numbers));
    auto* copy = acre::DeepCopy(arena, *source);
    Apart(arena, [&] {
      for (auto& [key, value] : *clone) value = living.Make();
      for (auto& [key, value] : *copy) value = living.Make();
      for (auto& [key, value] : *cloned_numbers) {
        value = reinterpret_cast<long>(living.Make());
      }
    });
    CHECK(living.Count() >= 2 * count);
    // Numbers are not traced. Counting would not show it: after many tests
    // words in old pages name some of them.
    int traced_numbers = 0;
    for (const auto& [key, value] : *cloned_numbers) {
      if (acre::detail::IsTracedWord(&key)) ++traced_numbers;
      if (acre::detail::IsTracedWord(&value)) ++traced_numbers;
    }
    CHECK(traced_numbers == 0);
    int untraced_pointers = 0;
    for (const auto& [key, value] : *clone) {
      if (!acre::detail::IsTracedWord(&value)) ++untraced_pointers;
    }
    CHECK(untraced_pointers == 0);
  }
}

struct Overlapping {
  std::span<Object*> first;
  std::span<Object*> second;
  Object** one = nullptr;
};
ACRE_LAYOUT(Overlapping, first, second, one)

TEST_CASE("pieces that overlap are traced in all their parts") {
  acre::Arena plain({.name = "plain"});
  acre::Arena arena({.name = "pieces", .trace = Trace::kPointersByLayout});
  Living living;
  auto all = plain.NewArray<Object*>(9);
  auto* source = plain.New<Overlapping>();
  source->first = all.subspan(0, 5);
  source->second = all.subspan(3);
  source->one = &all[1];
  auto* copy = acre::DeepCopy(arena, *source);
  Apart(arena, [&] {
    for (Object*& object : copy->first) object = living.Make();
    for (Object*& object : copy->second.subspan(2)) object = living.Make();
  });
  CHECK(copy->first.data() + 3 == copy->second.data());
  CHECK(living.Count() >= 9);
  CHECK(acre::Audit(arena, *copy).findings.empty());
}

Living* g_living = nullptr;
struct Collecting {
  Object* one = nullptr;
  Object* other = nullptr;
  acre::Vector<long> numbers;
  Collecting() = default;
  explicit Collecting(int) : one(g_living->Make()), other(g_living->Make()) {
    numbers.push_back(1);
    GC_gcollect();
  }
};
ACRE_LAYOUT(Collecting, one, other, numbers)

TEST_CASE("elements that are made aside are traced on the way") {
  acre::Arena arena({.name = "aside", .trace = Trace::kPointersByLayout});
  Living living;
  g_living = &living;
  auto* row = arena.New<acre::Vector<Collecting>>();
  auto* map = arena.New<acre::Map<long, Collecting>>();
  Apart(arena, [&] {
    for (int i = 0; i < 10; ++i) {
      row->emplace_back(1);
      map->try_emplace(i, 1);
    }
  });
  CHECK(living.Count() >= 40);
}

TEST_CASE("Shrink lets go of what it cuts off") {
  acre::Arena arena({.name = "shrunk", .trace = Trace::kPointers});
  Living living;
  auto** raw = static_cast<Object**>(arena.Allocate(4096));
  std::memset(raw, 0, 4096);
  Apart(arena, [&] {
    for (int i = 0; i < 512; ++i) raw[i] = living.Make();
    raw = static_cast<Object**>(arena.Shrink(raw, 4096, 1024));
  });
  CHECK(living.Count() >= 128);
  CHECK(living.Count() <= 128 + kStray);
  Apart(arena, [&] {
    for (int i = 0; i < 100; ++i) {
      arena.NewArray<long>(2)[0] = reinterpret_cast<long>(living.Make());
    }
  });
  CHECK(living.Count() <= 128 + kStray);
}

TEST_CASE("a byte limit is one in a traced arena") {
  for (const std::size_t limit : {100, 4096, 5000, 67000, 70000, 1100000}) {
    CAPTURE(limit);
    acre::Arena arena(
        {.name = "limited", .byte_limit = limit, .trace = Trace::kPointers});
    std::size_t made = 0;
    while (arena.TryNew<Node>() != nullptr) ++made;
    CHECK(made * 32 <= limit);
    CHECK(arena.stats().reserved <= limit);
    CHECK(arena.TryAllocate(limit - 50) == nullptr);
    CHECK_THROWS_AS(static_cast<void>(arena.Allocate(limit)), std::bad_alloc);
  }
}

TEST_CASE("AuditAll knows what is traced, and what a GcRef holds") {
  acre::Arena arena({.name = "all", .trace = Trace::kPointers});
  Holder* holder = arena.New<Holder>();
  auto* object = static_cast<Object*>(GC_malloc(sizeof(Object)));
  for (int i = 0; i < 50; ++i) {
    holder->row.push_back(object);
    holder->by_number[i] = object;
  }
  holder->guest = object;
  static_cast<Object**>(arena.Allocate(64))[2] = object;
  CHECK(acre::AuditAll(arena).findings.empty());
  acre::Arena plain({.name = "plain"});
  auto refs = plain.NewArray<acre::GcRef<Object>>(10);
  for (acre::GcRef<Object>& ref : refs) ref = object;
  CHECK(acre::AuditAll(plain).findings.empty());
}

struct Odd {
  int number;
  unsigned char raw[20];
};
ACRE_LAYOUT(Odd, number, borrowed(raw))
struct Twelve {
  int words[2];
  int other;
};
ACRE_LAYOUT(Twelve, borrowed(words), other)

TEST_CASE("borrowed bytes are seen wherever an address can stand in them") {
  acre::Arena arena({.name = "bytes", .trace = Trace::kPointersByLayout});
  Living living;
  auto many = arena.NewArray<Twelve>(2000);
  Apart(arena, [&] {
    for (int i = 0; i < 100; ++i) {
      Odd* odd = arena.New<Odd>();
      Object* object = living.Make();
      std::memcpy(odd->raw + 4, &object, sizeof object);
    }
    for (std::size_t i = 0; i < 2000; i += 2) {
      Object* object = living.Make();
      std::memcpy(many[i].words, &object, sizeof object);
    }
  });
  CHECK(living.Count() >= 1100);
}

// ------------------------------------------------------------ many, all at
// once

struct Mixed {
  Object* raw = nullptr;
  acre::GcRef<Object> ref;
};
ACRE_LAYOUT(Mixed, raw, ref)

/// Ends the process with a text where all are alive while they are held, and
/// gone when they are not.
[[noreturn]] void HoldAndLetGo(bool is_incremental) {
  setenv("GC_MARKERS", "2", 1);
  GC_INIT();
  acre_test::NeedCollector();
  if (is_incremental) GC_enable_incremental();
  GC_start_mark_threads();
  constexpr std::size_t kEach = 33334;
  Living living;
  acre::Arena arena({.name = "all", .trace = Trace::kPointers});
  acre::Arena growing({.name = "growing", .trace = Trace::kPointers});
  Apart(arena, [&] {
    auto mixed = arena.NewArray<Mixed>(3 * kEach);
    for (std::size_t i = 0; i < mixed.size(); ++i) {
      Object* object = living.Make();
      if (i % 3 != 1) mixed[i].raw = object;
      if (i % 3 != 0) mixed[i].ref = object;
    }
  });
  // A mutator beside the markers: each of its objects is known by the Vector
  // alone.
  std::atomic<bool> stops{false};
  std::size_t lost = 0;
  growing.HandOver();
  std::thread mutator([&] {
    const acre::ThreadRegistration registered;
    auto* row = growing.New<acre::Vector<Object*>>();
    while (!stops.load() || row->size() < 10000) {
      auto* object = static_cast<Object*>(GC_malloc(sizeof(Object)));
      object->number = static_cast<std::int64_t>(row->size());
      row->push_back(object);
      if (row->size() == 200000) row->clear();
    }
    for (std::size_t i = 0; i < row->size(); ++i) {
      lost += (*row)[i]->number != static_cast<std::int64_t>(i);
    }
    growing.HandOver();
  });
  for (int i = 0; i < 10; ++i) GC_gcollect();
  stops.store(true);
  mutator.join();
  if (lost != 0) std::_Exit(3);
  if (living.Count() < static_cast<int>(3 * kEach)) std::_Exit(4);
  arena.Reset();
  living.Count();
  if (living.Count() > kStray) std::_Exit(5);
  std::fputs("all alive, then all gone\n", stderr);
  std::abort();
}

TEST_CASE("100,000 objects, two markers, a mutator, ten collections") {
  for (const bool is_incremental : {false, true}) {
    const acre_test::Death death =
        acre_test::RunInChild([=] { HoldAndLetGo(is_incremental); });
    INFO(death.text);
    CHECK(acre_test::Matches(death, "all alive, then all gone"));
  }
}

TEST_CASE("finalizers that use the very arena, in several threads") {
  acre_test::NeedCollector();
  std::atomic<int> lost{0};
  const auto work = [&](unsigned seed) {
    const acre::ThreadRegistration registered;
    std::mt19937 random(seed);
    acre::Arena arena({.name = "own", .trace = Trace::kPointers});
    // Finalizers run on whichever thread allocates: each leaves other arenas
    // alone.
    struct Mine {
      acre::Arena* arena;
      std::thread::id owner;
    };
    auto* mine = static_cast<Mine*>(GC_malloc_uncollectable(sizeof(Mine)));
    *mine = {&arena, std::this_thread::get_id()};
    auto* row = arena.New<acre::Vector<Mixed>>();
    for (int i = 0; i < 3000; ++i) {
      auto* object = static_cast<Object*>(GC_malloc(sizeof(Object)));
      *object = {i, nullptr};
      row->emplace_back();
      row->back().raw = object;
      row->back().ref = object;
      auto* dying = GC_malloc(32);
      GC_register_finalizer_no_order(
          dying,
          [](void*, void* data) {
            const auto& to = *static_cast<Mine*>(data);
            if (to.owner != std::this_thread::get_id()) return;
            Node* node = to.arena->New<Node>();
            node->object = static_cast<Object*>(GC_malloc(sizeof(Object)));
            to.arena->New<Mixed>()->ref = node->object;
            to.arena->Free(node);
          },
          mine, nullptr, nullptr);
      if (random() % 500 == 0) GC_gcollect();
    }
    for (int i = 0; i < 3000; ++i) {
      const Mixed& one = (*row)[static_cast<std::size_t>(i)];
      lost += one.raw->number != i || one.ref.get() != one.raw;
    }
    GC_gcollect();
    mine->owner = {};
  };
  std::vector<std::thread> threads;
  for (unsigned seed = 1; seed <= 3; ++seed) threads.emplace_back(work, seed);
  for (std::thread& thread : threads) thread.join();
  CHECK(lost.load() == 0);
}

TEST_CASE("out of memory of the collector: references are as they were") {
  const acre_test::Death death = acre_test::RunInChild([] {
    GC_INIT();
    GC_set_warn_proc(GC_ignore_warn_proc);
    acre::Arena arena(
        {.name = "full", .source = &acre::MallocSource::Instance()});
    auto* object = static_cast<Object*>(GC_malloc(sizeof(Object)));
    object->number = 5;
    auto refs = arena.NewArray<acre::GcRef<Object>>(2000000);
    // All that there is, but for 20 pieces such as slots come in.
    GC_set_max_heap_size(GC_get_heap_size() + (1 << 20));
    std::vector<void*> eaten;
    while (void* piece = GC_malloc_uncollectable(4080)) {
      eaten.push_back(piece);
    }
    for (int i = 0; i < 20; ++i) {
      GC_FREE(eaten.back());
      eaten.pop_back();
    }
    std::size_t made = 0;
    try {
      for (; made < refs.size(); ++made) refs[made] = object;
      std::_Exit(3);  // there was no end
    } catch (const std::bad_alloc&) {
    }
    if (made < 10 || refs[made] != nullptr) std::_Exit(4);
    for (std::size_t i = 0; i < made; ++i) {
      if (refs[i]->number != 5) std::_Exit(5);
    }
    // What is given back serves others.
    refs[3].reset();
    refs[0] = object;
    acre::Clear(refs[1]);
    refs[made] = object;
    if (refs[made]->number != 5) std::_Exit(6);
    std::fputs("as they were\n", stderr);
    std::abort();
  });
  INFO(death.text);
  CHECK(acre_test::Matches(death, "as they were"));
}

}  // namespace traced_arena_test
