// SPDX-License-Identifier: MIT
//
// GcRef and GcWeakRef: what they refer to lives, or is known to be gone, for
// as long as their layouts say, and no longer.

#include "acre/gc_ref.h"

#include <doctest/doctest.h>
#include <gc/gc.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "acre/arena.h"
#include "acre/audit.h"
#include "acre/checksum.h"
#include "acre/deep_copy.h"
#include "acre/diff.h"
#include "acre/gc.h"
#include "acre/history.h"
#include "acre/map.h"
#include "acre/scope.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "collecting.h"
#include "support/death.h"

// Declared by gc.h for those who ask for threads.
extern "C" void GC_start_mark_threads(void);

namespace gc_ref_test {

using acre::GcRef;
using acre::GcWeakRef;
using acre_test::ClobberStack;
using acre_test::Collect;

/// An object of the host's.
struct Object {
  int number;
  void* other;
};

/// Which objects are alive, without holding them.
class Living {
 public:
  __attribute__((noinline)) Object* Make(int number) {
    auto* object = static_cast<Object*>(GC_malloc(sizeof(Object)));
    *object = {number, nullptr};
    if (links_.empty()) links_.reserve(kMost);
    REQUIRE(links_.size() < kMost);
    links_.push_back(~reinterpret_cast<std::uintptr_t>(object));
    GC_general_register_disappearing_link(
        reinterpret_cast<void**>(&links_.back()), object);
    return object;
  }
  ~Living() {
    for (std::uintptr_t& link : links_) {
      if (link != 0) {
        GC_unregister_disappearing_link(reinterpret_cast<void**>(&link));
      }
    }
  }
  /// After a collection.
  int Count() const {
    ClobberStack();
    Collect();
    int count = 0;
    for (const std::uintptr_t link : links_) count += link != 0;
    return count;
  }

 private:
  static constexpr std::size_t kMost = 200000;
  std::vector<std::uintptr_t> links_;  // malloc'ed: the collector is blind
};

/// What a stack word may hold.
constexpr int kStray = 3;

struct Node {
  GcRef<Object> object;
  Node* next = nullptr;
};
ACRE_LAYOUT(Node, object, next)

struct Weak {
  GcWeakRef<Object> object;
};
ACRE_LAYOUT(Weak, object)

static_assert(acre::Element<Node> && acre::Element<GcRef<Object>> &&
              acre::Element<GcRef<void>> && acre::Element<GcWeakRef<Object>>);
static_assert(sizeof(GcRef<Object>) == 16 && sizeof(GcWeakRef<Object>) == 8);

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

TEST_CASE("a GcRef holds its object until it is freed, reset or replaced") {
  acre::Arena arena({.name = "refs"});
  Living living;
  constexpr int kCount = 100;
  std::vector<Node*> nodes;
  Apart(arena, [&] {
    for (int i = 0; i < kCount; ++i) {
      Node* node = arena.New<Node>();
      node->object = living.Make(i);
      nodes.push_back(node);
    }
  });
  CHECK(living.Count() == kCount);
  for (int i = 0; i < kCount; ++i) CHECK(nodes[i]->object->number == i);

  for (int i = 0; i < 50; ++i) arena.Free(nodes[i]);
  CHECK(living.Count() <= 50 + kStray);
  CHECK(living.Count() >= 50);
  for (int i = 50; i < 70; ++i) nodes[i]->object = nullptr;
  for (int i = 70; i < 80; ++i) nodes[i]->object.reset();
  CHECK(living.Count() <= 20 + kStray);
  for (int i = 80; i < 100; ++i) CHECK(nodes[i]->object->number == i);
  arena.Reset();
  CHECK(living.Count() <= kStray);
}

TEST_CASE("replacing an object lets the old one go") {
  acre::Arena arena({.name = "replaced"});
  Living living;
  Node* node = arena.New<Node>();
  Apart(arena, [&] {
    for (int i = 0; i < 1000; ++i) node->object = living.Make(i);
  });
  CHECK(living.Count() <= 1 + kStray);
  CHECK(node->object->number == 999);
}

TEST_CASE("references in containers, choices and arrays") {
  static_assert(acre::Element<acre::Vector<GcRef<Object>>>);
  acre::Arena arena({.name = "world"});
  Living living;
  auto* row = arena.New<acre::Vector<GcRef<Object>>>();
  auto* by_number = arena.New<acre::Map<int, GcRef<Object>>>();
  auto* numbers = arena.New<acre::Map<GcRef<Object>, int>>();
  auto* all = arena.New<acre::Set<GcRef<Object>>>();
  auto* maybe = arena.New<std::optional<GcRef<Object>>>();
  auto* choice = arena.New<std::variant<int, GcRef<Object>>>();
  auto* few = arena.New<std::array<GcRef<Object>, 3>>();
  Apart(arena, [&] {
    for (int i = 0; i < 100; ++i) row->push_back(living.Make(i));
    for (int i = 0; i < 100; ++i) row->emplace_back(living.Make(100 + i));
    for (int i = 0; i < 100; ++i) (*by_number)[i] = living.Make(200 + i);
    for (int i = 0; i < 100; ++i)
      by_number->try_emplace(100 + i, living.Make(300 + i));
    for (int i = 0; i < 100; ++i) (*numbers)[living.Make(400 + i)] = i;
    for (int i = 0; i < 100; ++i) all->insert(living.Make(500 + i));
    *maybe = living.Make(600);
    *maybe = living.Make(601);
    *choice = GcRef<Object>(living.Make(602));
    for (int i = 0; i < 3; ++i) (*few)[i] = living.Make(603 + i);
  });
  const int kAll = 200 + 200 + 100 + 100 + 1 + 1 + 3;
  CHECK(living.Count() >= kAll);
  CHECK(living.Count() <= kAll + kStray);
  Apart(arena, [&] {
    for (int i = 0; i < 200; ++i) {
      CHECK((*row)[static_cast<std::size_t>(i)]->number == i);
      CHECK(by_number->at(i)->number == 200 + i);
    }
    for (const auto& [object, number] : *numbers) {
      CHECK(object->number == 400 + number);
      CHECK(*numbers->get(object.get()) == number);
      CHECK(numbers->contains(object));
    }
    CHECK((*maybe)->get()->number == 601);
  });

  row->erase(row->begin() + 50, row->begin() + 150);
  CHECK(living.Count() <= kAll - 100 + kStray);
  row->clear();
  by_number->erase(7);
  CHECK(living.Count() <= kAll - 201 + kStray);
  numbers->clear();
  all->clear();
  by_number->clear();
  acre::Clear(*maybe);
  acre::Clear(*choice);
  CHECK(living.Count() <= 3 + kStray);
  CHECK((*few)[2]->number == 605);
}

TEST_CASE("references that move keep what they refer to") {
  acre::Arena arena({.name = "moves"});
  Living living;
  auto* row = arena.New<acre::Vector<Node>>();
  Apart(arena, [&] {
    for (int i = 0; i < 300; ++i) row->push_back({living.Make(i)});
  });
  Apart(arena, [&] {
    std::sort(row->begin(), row->end(), [](const Node& a, const Node& b) {
      return a.object->number > b.object->number;
    });
    std::reverse(row->begin(), row->end());
    row->insert(row->begin(), {living.Make(-1)});
    row->erase(row->begin());
    Node out = std::move((*row)[0]);
    CHECK((*row)[0].object == nullptr);
    (*row)[0] = std::move(out);
    Node copy = (*row)[1];
    (*row)[1] = copy;
    std::swap((*row)[2], (*row)[3]);
    std::swap((*row)[2], (*row)[3]);
  });
  CHECK(living.Count() <= 300 + kStray);
  CHECK(living.Count() >= 300);
  for (int i = 0; i < 300; ++i) {
    CHECK((*row)[static_cast<std::size_t>(i)].object->number == i);
  }
  arena.Free(row);
  CHECK(living.Count() <= kStray);
}

TEST_CASE("Rewind gives up what is younger, and leaves older references") {
  acre::Arena arena({.name = "rewound"});
  Living living;
  Node* old = arena.New<Node>();
  Node* older_with = arena.New<Node>();
  Apart(arena, [&] { older_with->object = living.Make(1); });
  for (int round = 0; round < 3; ++round) {
    acre::Mark outer = arena.Checkpoint();
    Apart(arena, [&] {
      for (int i = 0; i < 1000; ++i) {
        arena.New<Node>()->object = living.Make(100 + i);
      }
    });
    Node* middle = arena.New<Node>();
    acre::Mark inner = arena.Checkpoint();
    Apart(arena, [&] {
      for (int i = 0; i < 1000; ++i) {
        arena.New<Node>()->object = living.Make(2000 + i);
      }
      old->object = living.Make(2);     // older than both marks
      middle->object = living.Make(3);  // between them
    });
    const int before = living.Count();
    arena.Rewind(inner);
    const int after_inner = living.Count();
    CHECK(before - after_inner >= 1000 - kStray);
    CHECK(old->object->number == 2);
    CHECK(middle->object->number == 3);
    arena.Rewind(outer);
    CHECK(living.Count() <= 2 + 2 * kStray);
    CHECK(old->object->number == 2);
    CHECK(older_with->object->number == 1);
  }
}

TEST_CASE("a GcWeakRef does not hold, and knows") {
  acre::Arena arena({.name = "weak"});
  Living living;
  std::vector<Weak*> weak;
  std::vector<Node*> strong;
  Apart(arena, [&] {
    for (int i = 0; i < 1000; ++i) {
      Object* object = living.Make(i);
      weak.push_back(arena.New<Weak>());
      weak.back()->object = object;
      if (i % 2 == 0) {
        strong.push_back(arena.New<Node>());
        strong.back()->object = object;
      }
    }
  });
  const int alive = living.Count();
  CHECK(alive <= 500 + kStray);
  int locked = 0;
  Apart(arena, [&] {
    for (int i = 0; i < 1000; ++i) {
      Object* object = weak[static_cast<std::size_t>(i)]->object.lock();
      if (i % 2 == 0) {
        REQUIRE(object != nullptr);
        CHECK(object->number == i);
      }
      locked += object != nullptr;
    }
  });
  CHECK(locked == alive);
  for (Node* node : strong) arena.Free(node);
  CHECK(living.Count() <= kStray);
  for (Weak* one : weak) locked -= one->object.expired();
  CHECK(locked <= kStray);
  for (Weak* one : weak) arena.Free(one);
}

/// A host that has not read what GC_set_on_collection_event says of the one
/// before.
void GC_CALLBACK Deaf(GC_EventType) {}

TEST_CASE("a host that takes the callback out is told, and nothing dangles") {
  acre::Arena arena({.name = "deaf"});
  Living living;
  Weak* weak = arena.New<Weak>();
  Apart(arena, [&] { weak->object = living.Make(1); });
  GC_set_on_collection_event(&Deaf);
  Collect();
  const acre::MisuseHandler handler = acre::SetMisuseHandler(
      [](const char* message) { throw std::logic_error(message); });
  CHECK_THROWS_WITH_AS(weak->object.lock(),
                       doctest::Contains("has run without acre's callback"),
                       std::logic_error);
  acre::SetMisuseHandler(handler);
  CHECK(weak->object.lock() == nullptr);
  Node* node = arena.New<Node>();
  Apart(arena, [&] {
    node->object = living.Make(2);
    weak->object = node->object.get();
  });
  Collect();
  CHECK(weak->object.lock() == node->object.get());
  node->object = nullptr;
  CHECK(living.Count() <= kStray);
}

// Not the test's own: an arena may end when that has ended.
int g_ended_cycles = 0;

/// An arena, and an object that leads back into it.
__attribute__((noinline)) void MakeCycle(Living& living) {
  acre::Arena* arena = acre::NewCollectedArena({.name = "cycle"});
  acre::OnCollected(*arena, [](void*) { ++g_ended_cycles; });
  for (int i = 0; i < 2000; ++i) {
    Node* node = arena->New<Node>();
    node->object = living.Make(i);
    node->object->other = node;
    auto* weak = arena->New<Weak>();
    weak->object = node->object.get();
  }
}

TEST_CASE("a cycle of a collected arena and objects is collected as a whole") {
  Living living;
  g_ended_cycles = 0;
  Node* volatile held = nullptr;
  acre::Arena other;
  Apart(other, [&] {
    acre::Arena* arena = acre::NewCollectedArena({.name = "held"});
    held = arena->New<Node>();
    held->object = living.Make(1);
  });
  for (int i = 0; i < 8; ++i) {
    Apart(other, [&] { MakeCycle(living); });
  }
  for (int i = 0; i < 5; ++i) living.Count();
  // libgc has a static word of its own that may name one, and the stack one.
  CHECK(g_ended_cycles >= 6);
  CHECK(living.Count() <= 1 + 2 * 2000 + kStray);
  CHECK(held->object->number == 1);
}

struct Both {
  GcRef<Object> strong;
  GcWeakRef<Object> weak;
  acre::Vector<GcRef<Object>> row;
  Both* next = nullptr;
};
ACRE_LAYOUT(Both, strong, weak, row, next)

TEST_CASE("DeepCopy makes references of its own") {
  acre::Arena from({.name = "from"});
  acre::Arena to({.name = "to"});
  Living living;
  Both* first = nullptr;
  constexpr int kCount = 300;
  Apart(from, [&] {
    Both** at = &first;
    for (int i = 0; i < kCount; ++i) {
      Both* both = *at = from.New<Both>();
      both->strong = living.Make(2 * i);
      both->weak = both->strong.get();
      both->row.push_back(living.Make(2 * i + 1));
      at = &both->next;
    }
  });
  Both* copy = acre::DeepCopy(to, *first);
  from.Reset();
  CHECK(living.Count() == 2 * kCount);
  int i = 0;
  for (Both* both = copy; both != nullptr; both = both->next, ++i) {
    CHECK(both->strong->number == 2 * i);
    CHECK(both->weak.lock() == both->strong.get());
    CHECK(both->row[0]->number == 2 * i + 1);
  }
  CHECK(i == kCount);
  Apart(from, [&] {
    auto few = acre::Clone(from, copy->row);
    CHECK(few[0]->number == 1);
  });
  to.Reset();
  from.Reset();
  CHECK(living.Count() <= kStray);
}

TEST_CASE("a copy of few") {
  acre::Arena from({.name = "from"});
  acre::Arena to({.name = "to"});
  Living living;
  Both* both = from.New<Both>();
  Apart(from, [&] {
    both->strong = living.Make(1);
    both->weak = living.Make(2);
    both->next = both;
  });
  Both* copy = acre::DeepCopy(to, *both);
  CHECK(copy->next == copy);
  from.Reset();
  CHECK(copy->strong->number == 1);
  to.Reset();
  CHECK(living.Count() <= kStray);
}

TEST_CASE("Restore brings references back with what they referred to") {
  acre::Arena arena({.name = "history"});
  acre::History history(arena);
  Living living;
  Node* node = nullptr;
  Weak* weak = nullptr;
  Apart(arena, [&] {
    node = arena.New<Node>();
    node->object = living.Make(1);
    weak = arena.New<Weak>();
    weak->object = living.Make(2);
  });
  const acre::FrameId first = history.Capture();
  Apart(arena, [&] {
    node->object = living.Make(3);
    for (int i = 0; i < 2000; ++i) arena.New<Node>()->object = living.Make(10);
    weak->object = node->object.get();
  });
  const acre::FrameId second = history.Capture();
  CHECK(living.Count() >= 2002);
  node->object = nullptr;
  arena.Free(node);
  CHECK(living.Count() >= 2002);
  history.Restore(first);
  REQUIRE(node->object != nullptr);
  CHECK(node->object->number == 1);
  CHECK(weak->object.lock() == nullptr);  // nothing has held it
  CHECK(living.Count() >= 2002);          // the second frame has them
  history.Restore(second);
  CHECK(node->object->number == 3);
  CHECK(weak->object.lock() == node->object.get());
  history.DropAll();
  arena.Reset();
  CHECK(living.Count() <= kStray);
}

TEST_CASE("audits, checksums and diffs know references") {
  acre::Arena arena({.name = "audited"});
  Both* both = arena.New<Both>();
  both->strong = static_cast<Object*>(GC_malloc(sizeof(Object)));
  both->weak = both->strong.get();
  both->row.push_back(both->strong.get());
  const acre::AuditReport report = acre::Audit(arena, *both);
  CHECK(report.findings.empty());
  const auto sum = acre::Checksum(arena, *both);
  Both* copy = acre::DeepCopy(arena, *both);
  CHECK(acre::Checksum(arena, *copy) == sum);
  copy->strong = nullptr;
  CHECK(acre::Checksum(arena, *copy) != sum);
  // Brought here as bytes, a reference holds nothing.
  GcRef<Object> outside = both->strong.get();
  std::memcpy(static_cast<void*>(&copy->strong), &outside, sizeof outside);
  CHECK(acre::Audit(arena, *copy).findings.size() == 1);
}

// ------------------------------------------- ways into containers and out
// again

struct Made {
  GcRef<Object> object;
  Made() = default;
  Made(acre::Arena&, Object* target) : object(target) {}
  bool operator==(const Made&) const = default;
};
ACRE_LAYOUT(Made, object)

struct Moved {
  GcRef<Object> object;
  int number = 0;
  Moved() = default;
  explicit Moved(Object* target) : object(target) {}
  Moved(Moved&& other) noexcept : object(std::move(other.object)) {}
  Moved& operator=(Moved&& other) noexcept {
    object = std::move(other.object);
    return *this;
  }
};
ACRE_LAYOUT(Moved, object, number)

TEST_CASE("elements that are made aside hold their objects") {
  acre::Arena arena({.name = "aside"});
  Living living;
  auto* row = arena.New<acre::Vector<Made>>();
  auto* map = arena.New<acre::Map<int, Made>>();
  auto* moved = arena.New<acre::Map<int, Moved>>();
  auto* keys = arena.New<acre::Map<GcRef<Object>, Moved>>();
  Apart(arena, [&] {
    for (int i = 0; i < 100; ++i) {
      row->emplace_back(living.Make(i));
      map->try_emplace(i, living.Make(i));
      moved->try_emplace(i, Moved(living.Make(i)));
      keys->try_emplace(living.Make(i), Moved(living.Make(i)));
    }
  });
  CHECK(living.Count() >= 500);
  CHECK(living.Count() <= 500 + kStray);
  arena.Reset();
  CHECK(living.Count() <= kStray);
}

TEST_CASE("node handles and merge, across marks and arenas") {
  acre::Arena arena({.name = "nodes"});
  acre::Arena other({.name = "others"});
  Living living;
  auto* old = arena.New<acre::Map<int, GcRef<Object>>>();
  old->reserve(100);
  Apart(arena, [&] {
    (*old)[1] = living.Make(1);
    auto node = old->extract(1);
    node.mapped() = living.Make(2);
    node.key() = 3;
    old->insert(std::move(node));
  });
  CHECK(living.Count() <= 1 + kStray);
  CHECK(old->at(3)->number == 2);
  for (int round = 0; round < 5; ++round) {
    const acre::Mark mark = arena.Checkpoint();
    Apart(arena, [&] {
      acre::Map<int, GcRef<Object>> young(arena);
      young[10 + round] = living.Make(10 + round);
      young[50 + round] = living.Make(50 + round);
      old->insert(young.extract(10 + round));
      old->merge(young);
      young[7] = nullptr;
      young.insert(old->extract(3));
      old->insert(young.extract(3));
    });
    arena.Rewind(mark);
    CHECK(living.Count() <= 1 + 2 * (round + 1) + kStray);
    for (int i = 0; i <= round; ++i) {
      CHECK(old->at(10 + i)->number == 10 + i);
      CHECK(old->at(50 + i)->number == 50 + i);
    }
    CHECK(old->at(3)->number == 2);
  }
  {
    acre::Arena third({.name = "third"});
    auto* theirs = third.New<acre::Map<int, GcRef<Object>>>();
    Apart(third, [&] { (*theirs)[90] = living.Make(90); });
    old->merge(*theirs);
  }
  CHECK(living.Count() >= 12);
  CHECK(old->at(90)->number == 90);
}

TEST_CASE("what was reserved before a mark takes references under it") {
  acre::Arena arena({.name = "reserved"});
  Living living;
  auto* row = arena.New<acre::Vector<GcRef<Object>>>();
  auto* map = arena.New<acre::Map<int, GcRef<Object>>>();
  auto* all = arena.New<acre::Set<GcRef<Object>>>();
  row->reserve(10);
  map->reserve(10);
  all->reserve(10);
  const acre::Mark mark = arena.Checkpoint();
  Apart(arena, [&] {
    for (int i = 0; i < 3; ++i) {
      (*map)[i] = living.Make(i);
      row->resize(static_cast<std::size_t>(i) + 1);
      row->back() = living.Make(i);
    }
  });
  arena.Rewind(mark);
  Apart(arena, [&] {
    for (int i = 0; i < 2000; ++i) arena.New<Node>()->object = living.Make(9);
  });
  living.Count();
  for (int i = 0; i < 3; ++i) {
    CHECK((*row)[static_cast<std::size_t>(i)]->number == i);
    CHECK(map->at(i)->number == i);
  }
}

TEST_CASE("freed references are told, first field or not") {
  if constexpr (!acre::kChecked) return;
  acre::Arena arena({.name = "freed"});
  Node* node = arena.New<Node>();
  static Object object = {};
  node->object = &object;
  arena.Free(node);
  CHECK_DIES(node->object = &object, "GcRef at .* given up|use-after-poison");
  CHECK_DIES(static_cast<void>(node->object.get()),
             "GcRef at .* given up|use-after-poison");
}

/// In a process of its own, since hosts decide such things once.
void HoldMany() {
  acre::Arena arena({.name = "host"});
  auto* row = arena.New<acre::Vector<GcRef<Object>>>();
  auto* weak = arena.New<acre::Vector<GcWeakRef<Object>>>();
  for (int i = 0; i < 100000; ++i) {
    auto* object = static_cast<Object*>(GC_malloc(sizeof(Object)));
    *object = {i, nullptr};
    row->push_back(object);
    weak->push_back(object);
    if (i % 20000 == 0) GC_gcollect();
  }
  for (int i = 0; i < 100000; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if ((*row)[at]->number != i) std::_Exit(3);
    if ((*weak)[at].lock() != (*row)[at].get()) std::_Exit(4);
  }
  std::fputs("all there\n", stderr);
  std::abort();
}

TEST_CASE("hosts: incremental, manual dirty bits, no interior pointers") {
  const auto run = [](void (*set)()) {
    return acre_test::RunInChild([=] {
      set();
      HoldMany();
    });
  };
  CHECK(acre_test::Matches(run([] {
                             setenv("GC_MARKERS", "2", 1);
                             GC_INIT();
                             acre_test::NeedCollector();
                             GC_enable_incremental();
                             GC_start_mark_threads();
                             GC_set_time_limit(1);
                           }),
                           "all there"));
  CHECK(acre_test::Matches(run([] {
                             GC_set_manual_vdb_allowed(1);
                             GC_INIT();
                             GC_enable_incremental();
                             GC_set_time_limit(1);
                           }),
                           "all there"));
  const acre_test::Death death = acre_test::RunInChild([] {
    GC_set_all_interior_pointers(0);
    GC_INIT();
    acre::Arena arena({.name = "holder"});
    Node* node = arena.New<Node>();
    int ended = 0;
    Apart(arena, [&] {
      acre::Arena* collected = acre::NewCollectedArena({.name = "kept"});
      acre::OnCollected(
          *collected, [](void* count) { ++*static_cast<int*>(count); }, &ended);
      std::span<int> many = collected->NewArray<int>(5000);
      many[3000] = 77;
      node->object = reinterpret_cast<Object*>(&many[3000]);
    });
    for (int i = 0; i < 5; ++i) {
      ClobberStack();
      Collect();
    }
    if (ended != 0 || *reinterpret_cast<int*>(node->object.get()) != 77) {
      std::_Exit(5);
    }
    std::fputs("all there\n", stderr);
    std::abort();
  });
  CHECK(acre_test::Matches(death, "all there"));
}

}  // namespace gc_ref_test
