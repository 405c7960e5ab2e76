// SPDX-License-Identifier: MIT
//
// Guards containers against code that runs in the middle of their operations
// and uses the very same container: a source that collects runs finalizers, and
// a constructor may do anything. Model tests: a source that, whenever it is
// asked for memory, inserts, erases, clears, grows and audits.

#include <doctest/doctest.h>
#include <gc/gc.h>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "acre/audit.h"
#include "acre/chunk_source.h"
#include "acre/gc.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "collecting.h"
#include "support/scaled.h"

namespace reentrant_test {

using acre::Arena;
using acre::Map;

/// Runs something whenever it is asked for memory, but not while that runs.
class BusySource final : public acre::ChunkSource {
 public:
  acre::ChunkMemory Acquire(std::size_t min_size, std::size_t) override {
    if (run && !is_running_) {
      is_running_ = true;
      run();
      ++runs;
      is_running_ = false;
    }
    void* memory = std::aligned_alloc(16, (min_size + 15) / 16 * 16);
    return {memory, memory == nullptr ? 0 : min_size};
  }
  void Release(acre::ChunkMemory memory) noexcept override {
    std::free(memory.address);
  }

  std::function<void()> run;
  int runs = 0;

 private:
  bool is_running_ = false;
};

std::string Text(unsigned n) {
  std::string text = std::to_string(n);
  if (n % 3 != 0) text += " and so long that it does not fit inside a String";
  return text;
}

/// Small chunks, so that the source is asked often.
acre::ArenaOptions Busy(BusySource& source) {
  return {
      .name = "busy", .source = &source, .first_chunk = 256, .max_chunk = 256};
}

struct Named {
  acre::String name;
  acre::Vector<int> numbers = {};
};
ACRE_LAYOUT(Named, name, numbers)

/// A value whose constructor does what it is told.
struct Meddling {
  static inline std::function<void()> on_construction;
  Meddling() = default;
  explicit Meddling(int n) : number(n) {
    if (const auto run = std::exchange(on_construction, nullptr)) run();
  }
  int number = 0;
};
ACRE_LAYOUT(Meddling, number)

/// One operation on the container and on the model.
template <class C, class M>
using Step = std::function<void(C&, M&, unsigned)>;

/// Runs steps; those of `meddle` come at any moment that the source is asked.
template <class C, class M>
void RunSteps(const std::vector<Step<C, M>>& steps,
              const std::vector<Step<C, M>>& meddle,
              const std::function<void(const C&, const M&)>& compare) {
  int runs = 0;
  for (unsigned seed = 0; seed < acre_test::Scaled(80u, 16u); ++seed) {
    INFO("seed " << seed);
    std::mt19937 random(seed);
    BusySource source;
    Arena arena(Busy(source));
    C& container = *arena.New<C>();
    M model;
    source.run = [&] {
      const unsigned number = static_cast<unsigned>(random()) % 200;
      meddle[random() % meddle.size()](container, model, number);
      if (number % 16 == 0) {
        const acre::AuditReport report = acre::Audit(arena, container);
        CHECK(report.clean());
      }
    };
    for (int i = 0; i < 300; ++i) {
      const unsigned number = static_cast<unsigned>(random()) % 200;
      steps[random() % steps.size()](container, model, number);
      compare(container, model);
    }
    runs += source.runs;
  }
  CHECK(runs > acre_test::Scaled(300, 60));
}

// What a step does to the model comes after what it does to the container,
// since others may run in between; so steps say what holds whatever they did.

template <class V>
void CheckSame(const acre::Map<acre::String, V>& map,
               const std::map<std::string, int>& model) {
  REQUIRE(map.size() == model.size());
  for (const auto& [key, value] : model) {
    const V* found = map.get(key);
    REQUIRE(found != nullptr);
  }
  std::size_t count = 0;
  for (const auto& [key, value] : map) {
    REQUIRE(model.contains(std::string(key.view())));
    ++count;
  }
  REQUIRE(count == model.size());
}

TEST_CASE("re-entrant: a Map of Strings") {
  using C = acre::Map<acre::String, int>;
  using M = std::map<std::string, int>;
  const Step<C, M> insert = [](C& map, M& model, unsigned n) {
    map[Text(n)] = 1;
    model[Text(n)] = 1;
  };
  const Step<C, M> emplace = [](C& map, M& model, unsigned n) {
    map.try_emplace(Text(n), 2);
    model.try_emplace(Text(n), 2);
  };
  const Step<C, M> erase = [](C& map, M& model, unsigned n) {
    map.erase(Text(n));
    model.erase(Text(n));
  };
  const Step<C, M> erase_many = [](C& map, M& model, unsigned n) {
    for (unsigned i = n; i < n + 20; ++i) {
      map.erase(Text(i));
      model.erase(Text(i));
    }
  };
  const Step<C, M> clear = [](C& map, M& model, unsigned n) {
    if (n > 20) return;
    map.clear();
    model.clear();
  };
  const Step<C, M> grow = [](C& map, M&, unsigned n) {
    map.reserve(map.size() + n / 8);
  };
  RunSteps<C, M>({insert, insert, emplace, emplace, erase, grow},
                 {insert, emplace, erase, erase_many, clear, grow},
                 &CheckSame<int>);
}

TEST_CASE("re-entrant: a Map of integers, of Strings and of structs") {
  using C = acre::Map<int, acre::String>;
  using M = std::map<int, std::string>;
  const Step<C, M> assign = [](C& map, M& model, unsigned n) {
    map.insert_or_assign(static_cast<int>(n), Text(n));
    model.insert_or_assign(static_cast<int>(n), Text(n));
  };
  const Step<C, M> emplace = [](C& map, M& model, unsigned n) {
    map.try_emplace(static_cast<int>(n), Text(n));
    model.try_emplace(static_cast<int>(n), Text(n));
  };
  const Step<C, M> erase = [](C& map, M& model, unsigned n) {
    map.erase(static_cast<int>(n));
    model.erase(static_cast<int>(n));
  };
  const Step<C, M> clear = [](C& map, M& model, unsigned n) {
    if (n > 20) return;
    map.clear();
    model.clear();
  };
  RunSteps<C, M>({assign, emplace, erase}, {assign, emplace, erase, clear},
                 [](const C& map, const M& model) {
                   REQUIRE(map.size() == model.size());
                   for (const auto& [key, text] : model) {
                     REQUIRE(map.contains(key));
                     REQUIRE(map.at(key) == text);
                   }
                 });

  using D = acre::Map<int, Named>;
  using N = std::set<int>;
  const Step<D, N> make = [](D& map, N& model, unsigned n) {
    // Its text finds the arena by where the struct lies.
    map.try_emplace(static_cast<int>(n), Text(n).c_str());
    model.insert(static_cast<int>(n));
  };
  const Step<D, N> drop = [](D& map, N& model, unsigned n) {
    map.erase(static_cast<int>(n));
    model.erase(static_cast<int>(n));
  };
  RunSteps<D, N>(
      {make, make, drop}, {make, drop}, [](const D& map, const N& model) {
        REQUIRE(map.size() == model.size());
        for (const int key : model) {
          REQUIRE(map.at(key).name == Text(static_cast<unsigned>(key)));
        }
      });
}

TEST_CASE("re-entrant: a Set of Strings") {
  using C = acre::Set<acre::String>;
  using M = std::set<std::string>;
  const Step<C, M> insert = [](C& set, M& model, unsigned n) {
    set.insert(Text(n));
    model.insert(Text(n));
  };
  const Step<C, M> erase = [](C& set, M& model, unsigned n) {
    set.erase(Text(n));
    model.erase(Text(n));
  };
  const Step<C, M> clear = [](C& set, M& model, unsigned n) {
    if (n > 20) return;
    set.clear();
    model.clear();
  };
  RunSteps<C, M>({insert, insert, erase}, {insert, erase, clear},
                 [](const C& set, const M& model) {
                   REQUIRE(set.size() == model.size());
                   for (const std::string& key : model) {
                     REQUIRE(set.contains(key));
                   }
                 });
}

TEST_CASE("re-entrant: a Vector of Strings") {
  // Where others append in between the order is theirs too: as a multiset.
  using C = acre::Vector<acre::String>;
  using M = std::multiset<std::string>;
  const Step<C, M> push = [](C& v, M& model, unsigned n) {
    v.push_back(Text(n));
    model.insert(Text(n));
  };
  const Step<C, M> insert = [](C& v, M& model, unsigned n) {
    v.insert(v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), Text(n));
    model.insert(Text(n));
  };
  const Step<C, M> many = [](C& v, M& model, unsigned n) {
    for (int i = 0; i < 5; ++i) {
      v.push_back(Text(n));
      model.insert(Text(n));
    }
  };
  const Step<C, M> pop = [](C& v, M& model, unsigned) {
    if (v.empty()) return;
    model.erase(model.find(std::string(v.back().view())));
    v.pop_back();
  };
  const Step<C, M> clear = [](C& v, M& model, unsigned n) {
    if (n > 20) return;
    v.clear();
    model.clear();
  };
  const Step<C, M> reserve = [](C& v, M&, unsigned n) {
    v.reserve(v.size() + n / 8);
  };
  RunSteps<C, M>({push, insert, many, pop, reserve},
                 {push, insert, pop, clear, reserve},
                 [](const C& v, const M& model) {
                   M found;
                   for (const acre::String& text : v) {
                     found.emplace(text.view());
                   }
                   REQUIRE(found == model);
                 });
}

TEST_CASE("re-entrant: a Vector of integers") {
  using C = acre::Vector<int>;
  using M = std::multiset<int>;
  const Step<C, M> push = [](C& v, M& model, unsigned n) {
    v.push_back(static_cast<int>(n));
    model.insert(static_cast<int>(n));
  };
  const Step<C, M> emplace = [](C& v, M& model, unsigned n) {
    v.emplace(v.begin(), static_cast<int>(n));
    model.insert(static_cast<int>(n));
  };
  const Step<C, M> pop = [](C& v, M& model, unsigned) {
    if (v.empty()) return;
    model.erase(model.find(v.back()));
    v.pop_back();
  };
  const Step<C, M> shrink = [](C& v, M&, unsigned) { v.shrink_to_fit(); };
  RunSteps<C, M>({push, push, push, emplace, pop, shrink},
                 {push, emplace, pop, shrink}, [](const C& v, const M& model) {
                   REQUIRE(M(v.begin(), v.end()) == model);
                 });
}

TEST_CASE("re-entrant: a String") {
  // Whatever comes in between, appending appends, and nothing is torn.
  for (unsigned seed = 0; seed < 40; ++seed) {
    std::mt19937 random(seed);
    BusySource source;
    Arena arena(Busy(source));
    acre::String& text = *arena.New<acre::String>();
    source.run = [&] {
      switch (random() % 4) {
        case 0:
          text.append("abc");
          break;
        case 1:
          text.clear();
          break;
        case 2:
          text.assign("a text that is longer than what fits inside");
          break;
        default:
          text.reserve(text.size() + 100);
      }
    };
    for (int i = 0; i < 400; ++i) {
      const std::string more(random() % 60, 'x');
      text.append(more);
      REQUIRE(text.ends_with(more));
      REQUIRE(text.c_str()[text.size()] == '\0');
      if (text.size() > 1000) text = "start anew, with what needs storage";
      if (i % 10 == 0) {
        const std::size_t size = text.size();
        text.append(text.view().substr(size / 2));
      }
      if (i % 50 == 0) arena.Free(arena.Allocate(200), 200);
    }
  }
}

TEST_CASE("re-entrant: a constructor that uses the Map it is made for") {
  Arena arena;
  auto& map = *arena.New<acre::Map<int, Meddling>>();
  for (int i = 0; i < 300; ++i) {
    Meddling::on_construction = [&] { map.try_emplace(1000 + i, 1); };
    map.try_emplace(i, 2);
    REQUIRE(map.at(i).number == 2);
    REQUIRE(map.at(1000 + i).number == 1);
  }
  // The same key: who is there first stays.
  Meddling::on_construction = [&] { map.try_emplace(5000, 7); };
  CHECK_FALSE(map.try_emplace(5000, 8).second);
  CHECK(map.at(5000).number == 7);
  CHECK(map.size() == 601);

  auto& v = *arena.New<acre::Vector<Meddling>>();
  for (int i = 0; i < 100; ++i) {
    Meddling::on_construction = [&] { v.emplace_back(1); };
    v.emplace_back(2);
    REQUIRE(v.back().number == 2);
    REQUIRE(v.size() == static_cast<std::size_t>(2 * i + 2));
  }
}

/// How often the key is in the map.
template <class M>
int CountOf(const M& map, int key) {
  int count = 0;
  for (const auto& entry : map) count += entry.first == key ? 1 : 0;
  return count;
}

/// Runs a function as it becomes an int, or a text.
struct Converted {
  std::function<void()>* run;
  operator int() const {
    (*run)();
    return 2;
  }
  operator std::string_view() const {
    (*run)();
    return "short";
  }
};

/// Has no constructor that could throw, and one that runs a function.
struct Silent {
  static inline std::function<void()> on_construction;
  int number;
  Silent() noexcept : number(3) {
    if (on_construction) std::exchange(on_construction, nullptr)();
  }
};
ACRE_LAYOUT(Silent, number)

/// `insert(key)` makes an element, and runs `run` meanwhile.
void InsertsMeanwhile(Arena& arena, auto& map, std::function<void()>& run,
                      auto insert) {
  const std::size_t live = arena.stats().live();
  std::span<int> others;
  for (int i = 0; i < 300; ++i) {
    bool is_first = true;
    run = [&, i] {
      if (!std::exchange(is_first, false)) return;
      others = arena.NewArray<int>(32);
      for (int k = 0; k < 3; ++k) map.try_emplace(1000 + 3 * i + k);
      if (i % 7 == 0) map.erase(1000 + 3 * i);
    };
    insert(i);
    REQUIRE(map.contains(i));
    REQUIRE(map.contains(1001 + 3 * i));
    for (const int n : others) REQUIRE(n == 0);
    arena.Free(others);
  }
  for (int i = 0; i < 300; ++i) REQUIRE(CountOf(map, i) == 1);
  CHECK(map.size() == 300 + 900 - 43);
  map.Release();
  CHECK(arena.stats().live() == live);
}

TEST_CASE("re-entrant: what converts to a value uses the Map it is made for") {
  Arena arena;
  std::function<void()> run;
  const Converted converted{&run};
  Map<int, int> numbers(arena);
  InsertsMeanwhile(arena, numbers, run,
                   [&](int i) { numbers.try_emplace(i, converted); });
  Map<int, int> assigned(arena);
  InsertsMeanwhile(arena, assigned, run,
                   [&](int i) { assigned.insert_or_assign(i, converted); });
  Map<int, std::string_view> views(arena);
  InsertsMeanwhile(arena, views, run,
                   [&](int i) { views.try_emplace(i, converted); });
  Map<int, acre::String> texts(arena);
  InsertsMeanwhile(arena, texts, run,
                   [&](int i) { texts.try_emplace(i, converted); });
  Map<int, Silent> silent(arena);
  InsertsMeanwhile(arena, silent, run, [&](int i) {
    Silent::on_construction = run;
    silent[i].number = 4;
  });

  acre::Vector<int> vector(arena);
  acre::Vector<Silent> silents(arena);
  for (int i = 0; i < 100; ++i) {
    run = [&] { vector.push_back(1); };
    vector.emplace_back(converted);
    REQUIRE(vector.back() == 2);
    Silent::on_construction = [&] { silents.emplace_back(); };
    silents.emplace_back();
    REQUIRE(vector.size() == static_cast<std::size_t>(2 * i + 2));
    REQUIRE(silents.size() == static_cast<std::size_t>(2 * i + 2));
  }
}

TEST_CASE("re-entrant: what converts to a value throws") {
  Arena arena;
  std::function<void()> run = [] { throw std::runtime_error("converted"); };
  const Converted converted{&run};
  for (int size = 0; size < 40; ++size) {
    CAPTURE(size);
    Map<int, int> numbers(arena);
    Map<int, std::string_view> views(arena);
    Map<int, acre::String> texts(arena);
    for (int i = 0; i < size; ++i) {
      numbers[i] = i;
      views[i] = "view";
      texts[i] = "text";
    }
    const std::size_t live = arena.stats().live();
    for (int i = 0; i < 3; ++i) {
      CHECK_THROWS(numbers.try_emplace(-1, converted));
      CHECK_THROWS(numbers.insert(std::pair(-1, converted)));
      CHECK_THROWS(views.try_emplace(-1, converted));
      CHECK_THROWS(texts.try_emplace(-1, converted));
    }
    CHECK(arena.stats().live() == live);
    CHECK(numbers.size() == static_cast<std::size_t>(size));
    numbers.Release();
    views.Release();
    texts.Release();
    CHECK(arena.stats().live() == 0);
  }
}

TEST_CASE("re-entrant: a hash that uses another table of the arena each time") {
  static Arena* where;
  struct Busybody {
    std::uint64_t operator()(int key) const {
      acre::Set<int> other(*where);
      other.insert(key);
      other.insert(key + 1);
      other.erase(key);
      other.Release();
      return acre::Hash<int>()(key);
    }
  };
  Arena arena;
  where = &arena;
  Map<int, int, Busybody> map(arena);
  for (int i = 0; i < 2000; ++i) map[i] = i;
  map.reserve(5000);
  for (int i = 0; i < 2000; ++i) REQUIRE(map.at(i) == i);
  CHECK(map.size() == 2000);
  Map<int, int, Busybody> other(arena);
  for (int i = 1900; i < 4000; ++i) other[i] = i;
  map.merge(other);
  CHECK(map.size() == 4000);
  CHECK(other.size() == 100);
  for (int i = 0; i < 4000; ++i) REQUIRE(map.at(i) == i);
  other.Release();
  map.Release();
  CHECK(arena.stats().live() == 0);
}

/// An element that is too large to be made on the stack.
struct Wide {
  char bytes[1500] = {};
  int number = 0;
};
ACRE_LAYOUT(Wide, bytes, number)

/// Takes what is left of the current chunk, but for less than `bytes`.
void UseUp(Arena& arena, std::size_t bytes) {
  while (arena.stats().current_size - arena.stats().current_used >= bytes) {
    static_cast<void>(arena.Allocate(16, 16));
  }
}

TEST_CASE("re-entrant: the key comes while memory is got for it") {
  // For the first table of all, which the other code has made by then, full.
  BusySource source;
  Arena arena(Busy(source));
  auto* const map = arena.New<acre::Map<int, int>>();
  UseUp(arena, 32);
  source.run = [&] {
    for (int i = 0; i < 6; ++i) (*map)[i] = 100 + i;
  };
  (*map)[0] = 7;
  source.run = nullptr;
  CHECK(source.runs > 0);
  CHECK(CountOf(*map, 0) == 1);
  CHECK(map->erase(0) == 1);
  CHECK(!map->contains(0));

  // For a table that is full, and is cleared and filled again with as many.
  auto* const second = arena.New<acre::Map<int, int>>();
  for (int i = 0; i < 6; ++i) (*second)[i] = i;
  UseUp(arena, 32);
  source.run = [&] {
    second->clear();
    for (int i = 94; i < 100; ++i) (*second)[i] = i;
  };
  (*second)[99] = 7;
  source.run = nullptr;
  CHECK(CountOf(*second, 99) == 1);

  // For the element itself, which is made in the arena.
  for (int fill = 1; fill < 16; ++fill) {
    BusySource wide_source;
    Arena wide(
        {.source = &wide_source, .first_chunk = 4096, .max_chunk = 4096});
    auto* const third = wide.New<acre::Map<int, Wide>>();
    for (int i = 0; i < fill; ++i) third->try_emplace(i);
    UseUp(wide, 1024);
    wide_source.run = [&] {
      third->erase(0);
      third->try_emplace(99);
    };
    third->try_emplace(99);
    wide_source.run = nullptr;
    CHECK(CountOf(*third, 99) == 1);
  }
}

TEST_CASE("re-entrant: finalizers of the collector, in the midst of growth") {
  acre_test::NeedCollector();
  static acre::Map<int, int>* map;
  static int done;
  static bool is_armed;
  done = 0;
  Arena arena({.first_chunk = 4096, .max_chunk = 4096});
  map = arena.New<acre::Map<int, int>>();
  const int on_demand = GC_get_finalize_on_demand();
  for (int i = 0; i < 20000; ++i) {
    if (i % 1000 == 0) {
      GC_set_finalize_on_demand(1);
      is_armed = true;
      GC_register_finalizer_no_order(
          GC_malloc(64),
          [](void*, void*) {
            if (!std::exchange(is_armed, false)) return;
            (*map)[-1 - done++] = 1;
          },
          nullptr, nullptr, nullptr);
      acre_test::ClobberStack();
      GC_gcollect();
      GC_set_finalize_on_demand(0);
    }
    (*map)[i] = i;
  }
  GC_set_finalize_on_demand(on_demand);
  is_armed = false;  // one may come later, when the arena is gone
  CHECK(done > 0);
  CHECK(map->size() == static_cast<std::size_t>(20000 + done));
  for (int i = 0; i < 20000; ++i) REQUIRE(map->at(i) == i);
  for (int i = 0; i < done; ++i) REQUIRE(map->at(-1 - i) == 1);
}

}  // namespace reentrant_test
