// SPDX-License-Identifier: MIT
//
// Guards that collections find all that they would find if they looked at the
// whole arena: they look at what was written since the one before. A model test
// of an arena that is changed in every way there is, with leaks planted and
// taken out; after each collection AuditAll lists what there is, and all of it
// must have been told by then, and nothing else. With both ways to know what
// was written; in release builds, where all pages are audited and where some
// are.

#include <doctest/doctest.h>
#include <gc/gc.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "acre/arena.h"
#include "acre/audit.h"
#include "acre/audit_policy.h"
#include "acre/history.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "collecting.h"
#include "reports.h"
#include "support/audited.h"
#include "support/death.h"
#include "support/scaled.h"

namespace audit_changes_test {

using acre::Arena;
using acre::PageTracking;
using acre_test::Reports;

/// Objects of the collector. What is held here leaks all the same.
constexpr std::size_t kObjects = 64;
void* g_objects[kObjects];

struct Node {
  Node* next = nullptr;
  std::uint64_t number = 0;
  std::span<Node> row;
  acre::Vector<Node*> kids;
  acre::Map<int, Node*> by_number;
  std::optional<Node*> maybe;
  std::variant<int, Node*> either;
  std::array<Node*, 20> many{};
  acre::Vector<acre::Vector<Node*>> nested;
  acre::String name;
  Node* reviewed_one = nullptr;
};
ACRE_LAYOUT(Node, next, number, row, kids, by_number, maybe, either, many,
            nested, name, reviewed(reviewed_one, "the test keeps it"))

struct Small {
  Node* to = nullptr;
  Small* other = nullptr;
  int number = 0;
};
ACRE_LAYOUT(Small, to, other, number)

/// What one seed does to one arena.
class Model {
 public:
  Model(unsigned seed, PageTracking tracking, std::uint32_t audit_one_in)
      : random_(seed),
        arena_({.name = "changing",
                .first_chunk = FirstChunk(),
                .audit_one_in = audit_one_in}) {
    acre::SetAuditPolicy(arena_, {.tracking = tracking});
    for (void*& object : g_objects) object = GC_MALLOC(64);
  }

  void Step() {
    if (nodes_.empty() || Die(3) == 0) {
      nodes_.push_back(arena_.New<Node>());
      return;
    }
    Node& node = *nodes_[Die(nodes_.size())];
    switch (Die(24)) {
      case 0:
        node.next = Target();
        break;
      case 1:
        ++node.number;
        break;
      case 2:
        node.row =
            Die(2) == 0 ? std::span<Node>() : std::span<Node>(Target(), 1);
        break;
      case 3:
        node.kids.push_back(Target());
        break;
      case 4:
        if (!node.kids.empty()) node.kids.pop_back();
        break;
      case 5:
        if (!node.kids.empty()) node.kids[Die(node.kids.size())] = Target();
        break;
      case 6:
        node.by_number[static_cast<int>(Die(40))] = Target();
        break;
      case 7:
        node.by_number.erase(static_cast<int>(Die(40)));
        break;
      case 8:
        if (Die(2) == 0) {
          node.maybe = Target();
        } else {
          node.maybe.reset();
        }
        break;
      case 9:
        if (Die(2) == 0) {
          node.either = Target();
        } else {
          node.either = 7;
        }
        break;
      case 10:
        node.many[Die(node.many.size())] = Target();
        break;
      case 11:
        node.nested.resize(Die(4));
        break;
      case 12:
        if (!node.nested.empty()) {
          node.nested[Die(node.nested.size())].push_back(Target());
        }
        break;
      case 13:
        node.name = std::string(Die(200), 'n');
        break;
      case 14:
        node.reviewed_one = Target();
        break;
      case 15:
        FreeSome();
        break;
      case 16:
        if (rows_.size() < 4) {
          rows_.push_back(
              arena_.NewArray<Small>(acre_test::Scaled(20000, 6000)));
        }
        break;
      case 17:
        if (!rows_.empty()) {
          auto& row = rows_[Die(rows_.size())];
          row[Die(row.size())].to = Target();
        }
        break;
      case 18:
        outside_.push_back(Target());  // its handle is not in the arena
        break;
      case 19:
        if (Die(8) == 0) EndAll();
        break;
      case 20:
        // Where there is a History release builds do not audit.
        if (Die(8) == 0 && acre::kChecked) BackAndForth();
        break;
      case 21:
        node.kids = acre::Vector<Node*>();
        break;
      case 22:
        GC_free(std::exchange(free_later_, GC_MALLOC_UNCOLLECTABLE(64)));
        node.next = static_cast<Node*>(free_later_);
        break;
      default:
        static_cast<void>(arena_.Allocate(1 + Die(300)));
        break;
    }
  }

  /// What AuditAll lists now, and no collection has told.
  std::size_t CountMissed() {
    // What collections that began by themselves have told may be gone by now.
    TakeTold();
    GC_gcollect();
    const std::vector<Told> news = TakeTold();
    std::set<Told> there;
    std::vector<acre::AuditRoot> roots{acre::RootOf(outside_)};
    for (const Node* node : nodes_) roots.push_back(acre::RootOf(*node));
    for (const auto& row : rows_) roots.push_back(acre::RootOf(row));
    for (const acre::Finding& finding :
         acre::AuditAll(arena_, roots, {.max_findings = 100000}).findings) {
      if (!finding.is_leak() || finding.kind == acre::FindingKind::kWord) {
        continue;
      }
      there.insert({finding.slot, finding.address});
    }
    std::size_t missed = 0;
    for (const Told& told : there) missed += told_.count(told) == 0 ? 1 : 0;
    seen_ += there.size();
    for (const Told& told : news) invented_ += there.count(told) == 0 ? 1 : 0;
    return missed;
  }
  std::size_t seen() const { return seen_; }
  std::size_t invented() const { return invented_; }
  std::size_t told() const { return told_count_; }

 private:
  using Told = std::pair<const void*, const void*>;

  /// What collections have told since the last time.
  std::vector<Told> TakeTold() {
    acre::FlushAudits();
    std::vector<Told> news;
    for (const acre::Finding& finding : Reports::findings()) {
      news.emplace_back(finding.slot, finding.address);
    }
    told_.insert(news.begin(), news.end());
    told_count_ += news.size();
    Reports::all().clear();
    return news;
  }

  std::size_t Die(std::size_t sides) { return random_() % sides; }
  std::size_t FirstChunk() { return Die(2) == 0 ? 0 : std::size_t{1} << 18; }

  /// Where a pointer may lead: nowhere, into the arena, or to a collected
  /// object.
  Node* Target() {
    const std::size_t which = Die(8);
    if (which < 2) return nullptr;
    if (which < 7) return nodes_[Die(nodes_.size())];
    return static_cast<Node*>(g_objects[Die(kObjects)]);
  }

  void FreeSome() {
    const std::size_t which = Die(nodes_.size());
    // Pointers to it remain; the audit does not mind.
    Node* const node = nodes_[which];
    for (Node* other : nodes_) {
      if (other->next == node) other->next = nullptr;
    }
    arena_.Free(node);
    // What is planted there later is news.
    std::erase_if(told_, [&](const Told& told) {
      const auto* slot = static_cast<const char*>(told.first);
      const auto* begin = reinterpret_cast<const char*>(node);
      return slot >= begin && slot < begin + sizeof(Node);
    });
    nodes_.erase(nodes_.begin() + static_cast<std::ptrdiff_t>(which));
  }

  void EndAll() {
    outside_ = acre::Vector<Node*>();
    nodes_.clear();
    rows_.clear();
    history_.reset();
    arena_.Reset(Die(2) == 0 ? acre::ResetMode::kKeep
                             : acre::ResetMode::kRelease);
    outside_ = acre::Vector<Node*>(arena_);
    told_.clear();
  }

  /// What is in the arena goes back; the lists of the model do, too.
  void BackAndForth() {
    if (!history_) history_.emplace(arena_);
    outside_ = acre::Vector<Node*>();
    const acre::FrameId frame = history_->Capture();
    const std::vector<Node*> nodes = nodes_;
    const std::vector<std::span<Small>> rows = rows_;
    for (std::size_t i = Die(6); i != 0; --i) {
      nodes_.push_back(arena_.New<Node>());
      nodes_[Die(nodes_.size())]->next = Target();
    }
    if (Die(2) == 0) missed_ += CountMissed();
    history_->Restore(frame);
    nodes_ = nodes;
    rows_ = rows;
    outside_ = acre::Vector<Node*>(arena_);
  }

  std::mt19937 random_;
  Arena arena_;
  acre::Vector<Node*> outside_{arena_};
  std::optional<acre::History> history_;
  std::vector<Node*> nodes_;
  std::vector<std::span<Small>> rows_;
  void* free_later_ = GC_MALLOC_UNCOLLECTABLE(64);
  std::set<Told> told_;
  std::size_t seen_ = 0;
  std::size_t invented_ = 0;
  std::size_t told_count_ = 0;

 public:
  std::size_t missed_ = 0;
};

struct Outcome {
  std::size_t missed = 0;
  std::size_t invented = 0;
  std::size_t seen = 0;
  std::size_t told = 0;
};

Outcome Play(PageTracking tracking, std::uint32_t audit_one_in) {
  const Reports reports;
  Outcome outcome;
  for (unsigned seed = 1; seed <= acre_test::Scaled(12u, 3u); ++seed) {
    Model model(seed, tracking, audit_one_in);
    for (int round = 0; round < 40; ++round) {
      for (int step = 0; step < 40; ++step) model.Step();
      outcome.missed += model.CountMissed();
    }
    outcome.missed += model.missed_;
    outcome.invented += model.invented();
    outcome.seen += model.seen();
    outcome.told += model.told();
  }
  return outcome;
}

TEST_CASE("collections tell every leak that a look at the whole arena shows") {
  for (const PageTracking tracking :
       {PageTracking::kKernel, PageTracking::kComparing}) {
    const Outcome outcome = Play(tracking, 1);
    CHECK_MESSAGE(outcome.missed == 0, static_cast<int>(tracking));
    CHECK(outcome.invented == 0);
    CHECK(outcome.seen > acre_test::Scaled(1000u, 250u));
  }
}

TEST_CASE("where some pages are audited a part is told, and nothing else" *
          doctest::skip(acre::kChecked)) {
  for (const std::uint32_t one_in : {2u, 5u, 50u}) {
    const Outcome outcome = Play(PageTracking::kKernel, one_in);
    CHECK(outcome.invented == 0);
    CHECK(outcome.missed > 0);
    CHECK(outcome.told > 0);
  }
}

TEST_CASE("an arena that is not to be audited is not" *
          doctest::skip(acre::kChecked || acre_test::IsAuditedByDefault())) {
  const Outcome outcome = Play(PageTracking::kKernel, 0);
  CHECK(outcome.told == 0);
  CHECK(outcome.missed > 0);
}

/// An object of the collector that is where the address leads. Requires: a
/// block of such a size was there, and is free.
void* MakeAround(const void* address, std::size_t bytes) {
  for (int i = 0; i < 1000; ++i) {
    void* const object = GC_MALLOC(bytes);
    const auto offset = reinterpret_cast<std::uintptr_t>(address) -
                        reinterpret_cast<std::uintptr_t>(object);
    if (offset < bytes) return object;
  }
  return nullptr;
}

/// An arena of 100 pages, in which one object has a slot that is written once.
struct Still {
  Arena arena{{.name = "still",
               .first_chunk = std::size_t{1} << 18,
               .byte_limit = std::size_t{16} << 20}};
  Small* const holder = arena.New<Small>();
  std::span<Small> others = arena.NewArray<Small>(16000);

  /// Collects, with a write somewhere else before; how many leaks were told.
  std::size_t Collect() {
    ++others.back().number;
    GC_gcollect();
    acre::FlushAudits();
    const std::size_t told = Reports::findings().size();
    Reports::all().clear();
    return told;
  }
};

TEST_CASE("memory outside of an arena that changes hands is looked at again" *
          doctest::skip(!acre::kChecked)) {
  const Reports reports;
  Still still;
  constexpr std::size_t kBytes = 100000;
  void* const outside = GC_MALLOC_UNCOLLECTABLE(kBytes);
  still.holder->other = static_cast<Small*>(outside);
  CHECK(still.Collect() == 0);  // nobody frees that
  CHECK(still.Collect() == 0);
  GC_free(outside);
  void* const object = MakeAround(outside, kBytes);
  REQUIRE(object != nullptr);
  CHECK(still.Collect() == 1);
  CHECK(still.Collect() == 0);  // told
}

TEST_CASE("so is what leads to a chunk that the arena has given back" *
          doctest::skip(!acre::kChecked)) {
  const Reports reports;
  Still still;
  constexpr std::size_t kCount = 350000;  // a chunk of its own
  std::span<Small> large = still.arena.NewArray<Small>(kCount);
  still.holder->other = large.data();
  CHECK(still.Collect() == 0);
  CHECK(still.Collect() == 0);
  const void* const was_there = large.data();
  still.arena.Free(large);
  // No room for this one; what is spare goes, to make some.
  CHECK(still.arena.TryNewArray<Small>(kCount * 3).empty());
  REQUIRE(MakeAround(was_there, kCount * sizeof(Small)) != nullptr);
  CHECK(still.Collect() == 1);
}

/// Words that are no pointers, and words that are.
struct Number {
  std::uint64_t word = 0;
};
ACRE_LAYOUT(Number, word)
struct Pointer {
  Pointer* to = nullptr;
};
ACRE_LAYOUT(Pointer, to)

TEST_CASE("the same bytes are looked at again once they mean something else" *
          doctest::skip(!acre::kChecked)) {
  const Reports reports;
  constexpr std::size_t kCount = 4000;  // some pages
  for (const PageTracking tracking :
       {PageTracking::kKernel, PageTracking::kComparing}) {
    for (const bool by_reset : {true, false}) {
      Arena arena({.first_chunk = std::size_t{1} << 18});
      acre::SetAuditPolicy(arena, {.tracking = tracking});
      std::span<Number> numbers = arena.NewArray<Number>(kCount);
      g_objects[0] = GC_MALLOC(64);
      numbers[3000].word = reinterpret_cast<std::uint64_t>(g_objects[0]);
      const void* const was = numbers.data();
      GC_gcollect();
      acre::FlushAudits();
      CHECK(Reports::findings().empty());
      // No collection sees what is in between.
      if (by_reset) {
        arena.Reset();
      } else {
        arena.Free(numbers);
      }
      std::span<Pointer> pointers = arena.NewArray<Pointer>(kCount);
      REQUIRE(pointers.data() == was);
      pointers[3000].to = static_cast<Pointer*>(g_objects[0]);
      GC_gcollect();
      acre::FlushAudits();
      CHECK(Reports::findings().size() == 1);
      Reports::all().clear();
    }
  }
}

TEST_CASE("what leads to a chunk of another arena is looked at when that ends" *
          doctest::skip(!acre::kChecked)) {
  const Reports reports;
  Arena arena({.name = "still",
               .source = &acre::MallocSource::Instance(),
               .first_chunk = std::size_t{1} << 18});
  auto* const holder = arena.New<Small>();
  std::optional<Arena> other(std::in_place,
                             acre::ArenaOptions{.first_chunk = 1 << 20});
  void* const there = other->New<Small>();
  holder->other = static_cast<Small*>(there);
  for (int i = 0; i < 2; ++i) {
    GC_gcollect();
    acre::FlushAudits();
    CHECK(Reports::findings().empty());
  }
  other.reset();
  // Nobody writes to the arena, and the heap has room.
  REQUIRE(MakeAround(there, std::size_t{1} << 20) != nullptr);
  GC_gcollect();
  acre::FlushAudits();
  CHECK(Reports::findings().size() == 1);
}

TEST_CASE("what was not changed is not looked at" *
          doctest::skip(!acre::kChecked)) {
  const Reports reports;
  for (const PageTracking tracking :
       {PageTracking::kKernel, PageTracking::kComparing}) {
    Still still;
    acre::SetAuditPolicy(still.arena, {.tracking = tracking});
    still.holder->other = still.holder;
    CHECK(still.Collect() == 0);
    const std::uint64_t unchanged = acre::CollectionAuditsSoFar().unchanged;
    GC_gcollect();
    CHECK(acre::CollectionAuditsSoFar().unchanged > unchanged);
    still.holder->other = static_cast<Small*>(g_objects[0] = GC_MALLOC(64));
    CHECK(still.Collect() == 1);
  }
}

TEST_CASE("a child after fork goes on with the arena, and misses nothing" *
          doctest::skip(!acre::kChecked)) {
  const Reports reports;
  Still still;
  still.holder->other = still.holder;
  CHECK(still.Collect() == 0);  // the kernel notes pages of this process
  const acre_test::Death death = acre_test::RunInChild([&] {
    const std::size_t before = still.Collect();
    still.others[8000].other =
        static_cast<Small*>(g_objects[0] = GC_MALLOC(64));
    const std::size_t after = still.Collect();
    const std::size_t again = still.Collect();
    std::fprintf(stderr, "told %zu, %zu, %zu\n", before, after, again);
    std::abort();
  });
  INFO("child: " << death.text);
  CHECK(acre_test::Matches(death, "told 0, 1, 0"));
  CHECK(still.Collect() == 0);
  still.others[8000].other = static_cast<Small*>(g_objects[1] = GC_MALLOC(64));
  CHECK(still.Collect() == 1);
}

}  // namespace audit_changes_test
