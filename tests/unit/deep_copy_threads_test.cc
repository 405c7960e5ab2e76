// SPDX-License-Identifier: MIT
//
// Guards CopyOptions::threads: a copy by several threads is the same copy, in
// whatever arena, beside collections, where memory or threads cannot be had.
// The engine itself, with small graphs, is tried by graph_copy_test.cc.

#include <doctest/doctest.h>
#include <gc/gc.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "acre/arena.h"
#include "acre/audit.h"
#include "acre/audit_policy.h"
#include "acre/chunk_source.h"
#include "acre/deep_copy.h"
#include "acre/gc.h"
#include "acre/gc_ref.h"
#include "acre/history.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/mmap_source.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "collecting.h"
#include "reports.h"
#include "support/death.h"
#include "support/scaled.h"
#include "test_sources.h"

namespace deep_copy_threads_test {

using acre::Arena;
using acre::DeepCopy;
using acre::TryDeepCopy;
using acre_test::Reports;

struct Person {
  std::uint64_t id = 0;
  acre::String name;
  Person* parent = nullptr;
  acre::Vector<Person*> friends;
  acre::Map<Person*, std::uint32_t> debts;  // its entries move in a copy
  std::uint32_t* largest = nullptr;         // into the debts
  std::string_view nickname;                // into the name, or a literal
};
ACRE_LAYOUT(Person, id, name, parent, friends, debts, largest, nickname)

struct Town {
  acre::Vector<Person*> all;
  acre::Vector<Person> rows;
};
ACRE_LAYOUT(Town, all, rows)

constexpr std::size_t kPeople = 20'000;  // 4 MiB and more

std::string NameOf(std::size_t i) {
  return "somebody whose name is long, number " + std::to_string(i);
}

/// People lie in one arena or in turns in both.
Town* MakeTown(Arena& arena, Arena& other, std::size_t count = kPeople) {
  Town* const town = arena.New<Town>();
  town->rows.resize(10);
  for (std::size_t i = 0; i < count; ++i) {
    Person* const person = (i % 2 == 0 ? arena : other).New<Person>();
    person->id = i;
    person->name = NameOf(i);
    person->nickname = i % 3 == 0 ? std::string_view("nobody")
                                  : person->name.view().substr(0, 8);
    person->parent = i == 0 ? nullptr : town->all[i * 7919 % i];
    town->all.push_back(person);
  }
  for (std::size_t i = 0; i < count; ++i) {
    Person& person = *town->all[i];
    for (std::size_t k = 0; k < i % 5; ++k) {
      person.friends.push_back(town->all[(i * 31 + k * 977) % count]);
    }
    if (i % 8 != 0) continue;
    for (std::size_t k = 1; k < 12; ++k) {
      person.debts[town->all[(i + k * 101) % count]] =
          static_cast<std::uint32_t>(k);
    }
    person.largest = person.debts.get(town->all[(i + 11 * 101) % count]);
  }
  return town;
}

/// True where `copy` is a copy of what MakeTown has made, and lies in `arena`.
bool IsTown(const Town& copy, const Arena& arena, std::size_t count = kPeople) {
  if (copy.all.size() != count || copy.rows.size() != 10) return false;
  for (std::size_t i = 0; i < count; ++i) {
    const Person& person = *copy.all[i];
    bool is_same =
        arena.Owns(&person) && person.id == i && person.name == NameOf(i) &&
        person.parent == (i == 0 ? nullptr : copy.all[i * 7919 % i]) &&
        person.friends.size() == i % 5;
    is_same =
        is_same && (i % 3 == 0 ? person.nickname == "nobody"
                               : person.nickname.data() == person.name.data());
    for (std::size_t k = 0; is_same && k < i % 5; ++k) {
      is_same = person.friends[k] == copy.all[(i * 31 + k * 977) % count];
    }
    for (std::size_t k = 1; is_same && i % 8 == 0 && k < 12; ++k) {
      const auto* debt = person.debts.get(copy.all[(i + k * 101) % count]);
      is_same =
          debt != nullptr && *debt == k && (k != 11 || debt == person.largest);
    }
    if (!is_same) return false;
  }
  return true;
}

TEST_CASE("copies by threads: a large graph, any number") {
  Arena source;
  const Town* const town = MakeTown(source, source);
  REQUIRE(source.stats().live() > std::size_t{4} << 20);
  Arena alone;
  DeepCopy(alone, *town);
  for (const unsigned threads : {0u, 2u, 1000u}) {
    CAPTURE(threads);
    Arena target;
    const Town* const copy = DeepCopy(target, *town, {.threads = threads});
    CHECK(IsTown(*copy, target));
    CHECK(target.stats().live() == alone.stats().live());
    CHECK(acre::Audit(target, *copy).findings.empty());
    // Of a copy, and into an arena that has freed blocks.
    source.New<int>(1);
    target.FreeGraph(DeepCopy(target, *town, {.threads = threads}));
    CHECK(IsTown(*DeepCopy(target, *copy, {.threads = threads}), target));
  }
  CHECK(IsTown(*town, source));
}

TEST_CASE("copies by threads: what lies in two arenas, or in none") {
  Arena source;
  Arena other;
  const Town* const town = MakeTown(source, other);
  Arena target;
  CHECK(IsTown(*DeepCopy(target, *town, {.threads = 3}), target));
  // A root that is nobody's: one thread.
  const acre::Vector<Person*>* const all =
      DeepCopy(target, acre::Clone(source, town->all), {.threads = 3});
  CHECK((*all)[5]->parent == (*all)[5 * 7919 % 5]);
}

TEST_CASE("copies by threads: into arenas of every kind") {
  acre_test::NeedCollector();
  Arena source;
  const Town* const town = MakeTown(source, source);
  acre::MmapSource memory({.reserve = std::size_t{1} << 28});
  Arena mapped({.source = &memory});
  CHECK(IsTown(*DeepCopy(mapped, *town, {.threads = 2}), mapped));
  Arena* const collected = acre::NewCollectedArena();
  Town* const copy = DeepCopy(*collected, *town, {.threads = 2});
  GC_gcollect();
  CHECK(IsTown(*copy, *collected));
  Arena traced({.trace = acre::Trace::kPointersByLayout});
  CHECK(IsTown(*DeepCopy(traced, *town, {.threads = 2}), traced));
  Arena audited({.audit_one_in = 1});
  Town* const there = DeepCopy(audited, *town, {.threads = 2});
  CHECK(IsTown(*there, audited));
  CHECK(acre::Audit(audited, *there).findings.empty());
}

struct Holding {
  Holding* next = nullptr;
  acre::GcRef<char> text;
  std::uint64_t words[10] = {};
};
ACRE_LAYOUT(Holding, next, text, words)

TEST_CASE("copies by threads: what refers to collected objects") {
  acre_test::NeedCollector();
  Arena source;
  Holding* first = nullptr;
  for (int i = 0; i < 30'000; ++i) {
    Holding* const holding = source.New<Holding>();
    holding->next = first;
    if (i % 100 == 0) {
      auto* const text = static_cast<char*>(GC_MALLOC_ATOMIC(16));
      *text = static_cast<char>(i / 100);
      holding->text = text;
    }
    first = holding;
  }
  Arena target;
  const Holding* copy = DeepCopy(target, *first, {.threads = 2});
  source.Reset();
  acre_test::Collect();
  for (int i = 29'999; i >= 0; --i, copy = copy->next) {
    REQUIRE((copy->text != nullptr) == (i % 100 == 0));
    if (copy->text) REQUIRE(*copy->text == static_cast<char>(i / 100));
  }
}

TEST_CASE("copies by threads: nothing is left where memory runs out") {
  Arena source;
  const Town* const town = MakeTown(source, source);
  const std::size_t bytes = source.stats().reserved;
  constexpr std::size_t kSteps = acre_test::Scaled(5u, 2u);
  int fitted = 0;
  for (std::size_t limit = 65536; limit < 2 * bytes; limit += bytes / kSteps) {
    Arena target({.byte_limit = limit});
    const Town* const copy = TryDeepCopy(target, *town, {.threads = 2});
    CHECK(
        (copy == nullptr ? target.stats().live() == 0 : IsTown(*copy, target)));
    fitted += copy != nullptr;
  }
  CHECK(fitted > 0);
  CHECK(fitted < static_cast<int>(2 * kSteps));
}

TEST_CASE("copies by threads: where no thread can be had") {
  Arena source;
  const Town* const town = MakeTown(source, source);
  const acre_test::Death death = acre_test::RunInChild([&] {
    const rlimit none{1, 1};
    setrlimit(RLIMIT_NPROC, &none);
    // The limit is nobody's who may do everything.
    if (geteuid() == 0 && setuid(65534) != 0) _exit(0);
    bool has_thread = true;
    try {
      std::thread([] {}).join();
    } catch (const std::system_error&) {
      has_thread = false;
    }
    Arena target;
    const Town* const copy = DeepCopy(target, *town, {.threads = 2});
    if (has_thread || !IsTown(*copy, target)) std::abort();
    _exit(0);
  });
  INFO(death.text);
  CHECK_FALSE(death.died);
}

TEST_CASE("copies by threads: collections and audits meanwhile") {
  const Reports reports;
  acre_test::NeedCollector();
  std::atomic<bool> is_over{false};
  std::thread collecting([&] {
    const acre::ThreadRegistration registration;
    while (!is_over.load()) {
      GC_gcollect();
      std::this_thread::sleep_for(
          std::chrono::milliseconds(acre_test::Scaled(1, 30)));
    }
  });
  Arena source({.audit_one_in = 3});
  const Town* const town = MakeTown(source, source);
  for (int i = 0; i < acre_test::Scaled(12, 2); ++i) {
    Arena target({.audit_one_in = 3});
    CHECK(IsTown(*DeepCopy(target, *town, {.threads = 3}), target));
  }
  is_over.store(true);
  collecting.join();
  acre::FlushAudits();
  CHECK(reports.findings().empty());
}

TEST_CASE("copies by threads: with write faults of the collector") {
  const acre_test::Death death = acre_test::RunInChild([] {
    acre_test::NeedCollector();
    GC_enable_incremental();
    Arena source;
    const Town* const town = MakeTown(source, source);
    for (int i = 0; i < acre_test::Scaled(8, 2); ++i) {
      Arena* const target = acre::NewCollectedArena();
      if (!IsTown(*DeepCopy(*target, *town, {.threads = 2}), *target)) {
        std::abort();
      }
      for (int k = 0; k < 100'000; ++k) static_cast<void>(GC_MALLOC(64));
    }
    _exit(0);
  });
  INFO(death.text);
  CHECK_FALSE(death.died);
}

struct Link {
  Link* next = nullptr;
  std::uint64_t words[5] = {};
};
ACRE_LAYOUT(Link, next, words)

TEST_CASE("copies by threads: of a list in no order") {
  Arena source;
  std::vector<Link*> links;
  for (int i = 0; i < acre_test::Scaled(200'000, 100'000); ++i) {
    links.push_back(source.New<Link>());
  }
  std::shuffle(links.begin(), links.end(), std::mt19937(1));
  for (std::size_t i = 0; i + 1 < links.size(); ++i) {
    links[i]->next = links[i + 1];
    links[i]->words[0] = i;
  }
  using Clock = std::chrono::steady_clock;
  const auto fastest = [&](unsigned threads) {
    Clock::duration least = Clock::duration::max();
    for (int i = 0; i < 3; ++i) {
      Arena target;
      const auto start = Clock::now();
      DeepCopy(target, *links[0], {.threads = threads});
      least = std::min(least, Clock::now() - start);
    }
    return least;
  };
  CHECK(fastest(4) < 10 * fastest(1));
}

TEST_CASE("copies by threads: the calling thread is not cancelled meanwhile") {
  Arena source;
  const Town* const town = MakeTown(source, source);
  std::atomic<bool> has_begun{false};
  std::thread copying([&] {
    Arena target({.source = &acre::MallocSource::Instance()});
    has_begun.store(true);
    for (;;) {
      DeepCopy(target, *town, {.threads = 2});
      target.Reset();
      pthread_testcancel();
    }
  });
  while (!has_begun.load()) std::this_thread::yield();
  pthread_cancel(copying.native_handle());
  copying.join();
}

TEST_CASE("copies by threads: into the frames of a History") {
  Arena source;
  const Town* const town = MakeTown(source, source);
  Arena target;
  acre::History history(target);
  const auto before = history.Capture();
  const Town* const copy = DeepCopy(target, *town, {.threads = 2});
  const auto after = history.Capture();
  history.Restore(before);
  history.Restore(after);
  CHECK(IsTown(*copy, target));
}

}  // namespace deep_copy_threads_test
