// SPDX-License-Identifier: MIT
//
// Guards ObjectPool: an object has one holder, keeps what it has while it
// waits, and goes back to the arena at Shrink or at the end of the pool.

#include "acre/object_pool.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <new>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "acre/layout.h"
#include "acre/vector.h"
#include "support/death.h"
#include "test_sources.h"

namespace object_pool_test {

using acre::ObjectPool;
using acre_test::CountingSource;

struct Bullet {
  acre::Vector<int> hits;
  std::uint64_t speed = 4;
};
ACRE_LAYOUT(Bullet, hits, speed)

struct Plain {
  std::uint64_t words[8];
};
ACRE_LAYOUT(Plain, words)

int g_throw_at = 0;  // the construction that throws, counted from 1; 0: none
int g_constructed = 0;

struct Touchy {
  Touchy() {
    if (++g_constructed == g_throw_at) throw std::runtime_error("construction");
  }
  int value = 1;
};
ACRE_LAYOUT(Touchy, value)

struct Misuse {};

// Throws misuse, so that a test can look at what it left.
struct HandlerScope {
  HandlerScope() {
    previous = acre::SetMisuseHandler([](const char*) { throw Misuse(); });
  }
  ~HandlerScope() { acre::SetMisuseHandler(previous); }
  acre::MisuseHandler previous;
};

template <class T>
bool Stands(const ObjectPool<T>& pool, std::size_t available,
            std::size_t in_use) {
  const acre::ObjectPoolStats stats = pool.stats();
  return stats.available == available && stats.in_use == in_use &&
         stats.total == available + in_use;
}

TEST_CASE("ObjectPool: hands out objects of the arena and takes them back") {
  acre::Arena arena;
  ObjectPool<Bullet> pool(arena);
  CHECK(Stands(pool, 0, 0));
  CHECK(pool.stats().capacity == 0);
  Bullet* first = pool.Acquire();
  Bullet* second = pool.TryAcquire();
  CHECK(first != second);
  CHECK(first->speed == 4);
  CHECK(arena.Owns(first));
  first->hits.push_back(1);
  CHECK(acre::ArenaOf(&first->hits[0]) == &arena);
  CHECK(Stands(pool, 0, 2));
  pool.Release(first);
  CHECK(Stands(pool, 1, 1));
  CHECK(pool.Acquire() == first);
  CHECK(Stands(pool, 0, 2));
  pool.Release(nullptr);
  CHECK(Stands(pool, 0, 2));
}

TEST_CASE("ObjectPool: makes its capacity at once, and more when asked") {
  acre::Arena arena;
  int made = 0;
  ObjectPool<Plain> pool(arena, {.make =
                                     [&](acre::Arena& in) {
                                       ++made;
                                       CHECK(&in == &arena);
                                       return in.TryNew<Plain>();
                                     },
                                 .capacity = 5});
  CHECK(made == 5);
  CHECK(Stands(pool, 5, 0));
  CHECK(pool.stats().capacity == 5);
  std::vector<Plain*> held;
  for (int i = 0; i < 8; ++i) held.push_back(pool.Acquire());
  CHECK(made == 8);
  CHECK(Stands(pool, 0, 8));
  for (Plain* object : held) pool.Release(object);
  CHECK(Stands(pool, 8, 0));
  CHECK(pool.stats().capacity == 5);
}

TEST_CASE("ObjectPool: an object keeps what it has while it waits") {
  acre::Arena arena;
  ObjectPool<Bullet> pool(arena, {.reset = [](Bullet& b) { b.hits.clear(); }});
  Bullet* bullet = pool.Acquire();
  for (int i = 0; i < 100; ++i) bullet->hits.push_back(i);
  bullet->speed = 77;
  const int* storage = bullet->hits.data();
  pool.Release(bullet);
  CHECK(bullet->hits.size() == 100);
  CHECK(pool.Acquire() == bullet);
  CHECK(bullet->hits.empty());
  CHECK(bullet->hits.capacity() >= 100);
  CHECK(bullet->speed == 77);
  bullet->hits.push_back(1);
  CHECK(bullet->hits.data() == storage);
}

TEST_CASE("ObjectPool: reset runs when an object is handed out again") {
  acre::Arena arena;
  std::vector<Plain*> reset;
  ObjectPool<Plain> pool(arena,
                         {.reset = [&](Plain& p) { reset.push_back(&p); }});
  Plain* object = pool.Acquire();
  Plain* other = pool.Acquire();
  CHECK(reset.empty());
  pool.Release(object);
  CHECK(reset.empty());
  CHECK(pool.Acquire() == object);
  CHECK(reset == std::vector<Plain*>{object});
  pool.Release(other);
  pool.Shrink();
  static_cast<void>(pool.Acquire());
  CHECK(reset.size() == 1);
}

TEST_CASE("ObjectPool: reset runs on what waited, not on what is new") {
  acre::Arena arena;
  int resets = 0;
  ObjectPool<Plain> pool(arena,
                         {.reset = [&](Plain&) { ++resets; }, .capacity = 3});
  Plain* object = nullptr;
  for (int i = 1; i <= 3; ++i) {
    object = pool.Acquire();
    CHECK(resets == i);
  }
  static_cast<void>(pool.Acquire());
  CHECK(resets == 3);
  pool.Release(object);
  static_cast<void>(pool.Acquire());
  CHECK(resets == 4);
}

TEST_CASE("ObjectPool: a reset that throws leaves the object in the pool") {
  acre::Arena arena;
  bool fails = true;
  ObjectPool<Plain> pool(arena, {.reset = [&](Plain&) {
                           if (fails) throw std::runtime_error("reset");
                         }});
  Plain* object = pool.Acquire();
  pool.Release(object);
  CHECK_THROWS_AS(static_cast<void>(pool.Acquire()), std::runtime_error);
  CHECK_THROWS_AS(static_cast<void>(pool.TryAcquire()), std::runtime_error);
  CHECK_THROWS_AS(static_cast<void>(pool.AcquireHeld()), std::runtime_error);
  CHECK(Stands(pool, 1, 0));
  fails = false;
  CHECK(pool.Acquire() == object);
  CHECK(Stands(pool, 0, 1));
}

TEST_CASE("ObjectPool: a reset may release another object to the pool") {
  acre::Arena arena;
  ObjectPool<Plain>* self = nullptr;
  Plain* child = nullptr;
  ObjectPool<Plain> pool(arena, {.reset = [&](Plain&) {
                           self->Release(std::exchange(child, {}));
                         }});
  self = &pool;
  Plain* parent = pool.Acquire();
  child = pool.Acquire();
  Plain* const was_child = child;
  pool.Release(parent);
  CHECK(pool.Acquire() == parent);
  CHECK(pool.Acquire() == was_child);
  CHECK(Stands(pool, 0, 2));
}

TEST_CASE("ObjectPool: a make or constructor that throws changes nothing") {
  acre::Arena arena;
  const std::size_t before = arena.stats().live();
  g_throw_at = 2;
  g_constructed = 0;
  ObjectPool<Touchy> pool(arena);
  Touchy* first = pool.Acquire();
  const std::size_t live = arena.stats().live();
  CHECK_THROWS_AS(static_cast<void>(pool.Acquire()), std::runtime_error);
  CHECK(Stands(pool, 0, 1));
  CHECK(arena.stats().live() == live);
  g_constructed = 1;
  CHECK_THROWS_AS(static_cast<void>(pool.TryAcquire()), std::runtime_error);
  CHECK(pool.TryAcquire() != nullptr);
  pool.Release(first);
  CHECK(Stands(pool, 1, 1));
  for (int at = 1; at <= 4; ++at) {
    const std::size_t standing = arena.stats().live();
    g_throw_at = at;
    g_constructed = 0;
    CHECK_THROWS_AS(ObjectPool<Touchy>(arena, {.capacity = 4}),
                    std::runtime_error);
    CHECK(arena.stats().live() == standing);
  }
  g_throw_at = 0;
  CHECK(arena.stats().live() > before);
}

TEST_CASE("ObjectPool: null from make is no memory") {
  acre::Arena arena({.name = "mine"});
  std::size_t left = 2;
  acre::ObjectPoolOptions<Plain> options;
  options.make = [&](acre::Arena& in) {
    return left == 0 ? nullptr : (--left, in.TryNew<Plain>());
  };
  {
    ObjectPool<Plain> pool(arena, options);
    Plain* object = pool.Acquire();
    static_cast<void>(pool.Acquire());
    CHECK(pool.TryAcquire() == nullptr);
    CHECK_THROWS_AS(static_cast<void>(pool.Acquire()), std::bad_alloc);
    CHECK_THROWS_AS(static_cast<void>(pool.AcquireHeld()), std::bad_alloc);
    CHECK(Stands(pool, 0, 2));
    pool.Release(object);
    CHECK(pool.TryAcquire() == object);
  }
  CHECK(arena.stats().live() == 0);
  left = 2;
  options.capacity = 3;
  CHECK_THROWS_AS(ObjectPool<Plain>(arena, options), std::bad_alloc);
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("ObjectPool: an arena that runs dry is told, and nothing is lost") {
  CountingSource source;
  acre::Arena arena({.source = &source, .byte_limit = 100000});
  {
    ObjectPool<Plain> pool(arena, {.capacity = 10});
    std::vector<Plain*> held;
    while (Plain* object = pool.TryAcquire()) held.push_back(object);
    CHECK(held.size() > 500);
    CHECK(Stands(pool, 0, held.size()));
    CHECK_THROWS_AS(static_cast<void>(pool.Acquire()), std::bad_alloc);
    for (Plain* object : held) pool.Release(object);
    CHECK(Stands(pool, held.size(), 0));
  }
  CHECK(arena.stats().live() == 0);
  CHECK_THROWS_AS(ObjectPool<Plain>(arena, {.capacity = 100000}),
                  std::bad_alloc);
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("ObjectPool: a capacity beyond all memory fails like New") {
  acre::Arena arena;
  CHECK_THROWS_AS(ObjectPool<Plain>(arena, {.capacity = SIZE_MAX}),
                  std::bad_alloc);
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("ObjectPool: so does one whose objects alone would fit") {
  acre::Arena arena;
  for (const std::size_t capacity : {std::size_t{1} << 60, std::size_t{1} << 61,
                                     static_cast<std::size_t>(PTRDIFF_MAX)}) {
    CHECK_THROWS_AS(
        acre::ObjectPool<std::uint8_t>(arena, {.capacity = capacity}),
        std::bad_alloc);
  }
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("ObjectPool: make may acquire from the pool") {
  acre::Arena arena;
  ObjectPool<Plain>* pool = nullptr;
  std::vector<Plain*> inner;
  acre::ObjectPoolOptions<Plain> options;
  options.make = [&](acre::Arena& of) {
    if (inner.size() % 2 == 0) {
      inner.push_back(nullptr);
      inner.back() = pool->Acquire();
    }
    return of.New<Plain>();
  };
  ObjectPool<Plain> made(arena, options);
  pool = &made;
  for (unsigned i = 0; i < 9; ++i) {
    Plain* const outer = made.Acquire();
    CHECK(outer != inner.back());
    made.Release(outer);
    static_cast<void>(made.Acquire());
    inner.push_back(nullptr);
  }
  const acre::ObjectPoolStats stats = made.stats();
  CHECK(stats.available + stats.in_use == stats.total);
}

TEST_CASE("ObjectPool: make must not return an object of the pool") {
  const HandlerScope handler;
  acre::Arena arena;
  Plain* const same = arena.New<Plain>();
  acre::ObjectPoolOptions<Plain> options;
  options.make = [&](acre::Arena&) { return same; };
  ObjectPool<Plain> pool(arena, options);
  CHECK(pool.Acquire() == same);
  CHECK_THROWS_AS(static_cast<void>(pool.Acquire()), Misuse);
  CHECK(Stands(pool, 0, 1));
  pool.Release(same);
  CHECK(pool.Acquire() == same);
}

TEST_CASE("ObjectPool: what make returns must be of the arena") {
  const HandlerScope handler;
  acre::Arena arena;
  acre::Arena other;
  acre::ObjectPoolOptions<Plain> options;
  options.make = [&](acre::Arena&) { return other.New<Plain>(); };
  ObjectPool<Plain> pool(arena, options);
  CHECK_THROWS_AS(static_cast<void>(pool.Acquire()), Misuse);
  CHECK(Stands(pool, 0, 0));
  options.capacity = 1;
  CHECK_THROWS_AS(ObjectPool<Plain>(arena, options), Misuse);
}

TEST_CASE("ObjectPool: releasing what is not of the pool is misuse") {
  const HandlerScope handler;
  acre::Arena arena;
  ObjectPool<Plain> pool(arena);
  ObjectPool<Plain> other(arena);
  Plain* object = pool.Acquire();
  Plain* foreign = other.Acquire();
  Plain local;
  CHECK_THROWS_AS(pool.Release(foreign), Misuse);
  CHECK_THROWS_AS(pool.Release(&local), Misuse);
  CHECK_THROWS_AS(pool.Release(arena.New<Plain>()), Misuse);
  CHECK(Stands(pool, 0, 1));
  CHECK(Stands(other, 0, 1));
  pool.Release(object);
  pool.Shrink();  // frees it: it is of the pool no more
  CHECK_THROWS_AS(pool.Release(object), Misuse);
  CHECK(Stands(pool, 0, 0));
}

TEST_CASE("ObjectPool: checked builds find a second release") {
  if constexpr (!acre::kChecked) return;
  const HandlerScope handler;
  acre::Arena arena;
  ObjectPool<Plain> pool(arena, {.capacity = 2});
  Plain* object = pool.Acquire();
  Plain* waiting = pool.Acquire();
  pool.Release(waiting);
  CHECK_THROWS_AS(pool.Release(waiting), Misuse);
  CHECK(Stands(pool, 1, 1));
  pool.Release(object);
  CHECK_THROWS_AS(pool.Release(object), Misuse);
  CHECK(pool.Acquire() == object);
  pool.Release(object);
  CHECK(Stands(pool, 2, 0));
}

TEST_CASE("ObjectPool: checked builds know objects that were never out") {
  if constexpr (!acre::kChecked) return;
  const HandlerScope handler;
  acre::Arena arena;
  Plain* made = nullptr;
  ObjectPool<Plain> pool(
      arena,
      {.make = [&](acre::Arena& in) { return made = in.TryNew<Plain>(); },
       .capacity = 1});
  CHECK_THROWS_AS(pool.Release(made), Misuse);
  CHECK(Stands(pool, 1, 0));
}

TEST_CASE("ObjectPool: misuse names the arena") {
  acre::Arena arena({.name = "mine"});
  ObjectPool<Plain> pool(arena);
  Plain local;
  CHECK_DIES(pool.Release(&local), "acre: ObjectPool::Release.*'mine'");
}

TEST_CASE("ObjectPool: Shrink frees those that waited longest") {
  acre::Arena arena;
  ObjectPool<Bullet> pool(arena, {.capacity = 2});
  std::vector<Bullet*> held;
  for (int i = 0; i < 5; ++i) {
    held.push_back(pool.Acquire());
    for (int n = 0; n < 100; ++n) held[i]->hits.push_back(n);
  }
  const std::size_t full = arena.stats().live();
  pool.Shrink();  // none waits
  CHECK(Stands(pool, 0, 5));
  for (const int i : {3, 0, 4, 1}) pool.Release(held[i]);
  pool.Shrink();
  CHECK(Stands(pool, 2, 1));
  CHECK(arena.stats().live() <= full - 2 * 400);
  pool.Shrink();
  CHECK(Stands(pool, 2, 1));
  Bullet* first = pool.Acquire();
  Bullet* second = pool.Acquire();
  CHECK(std::min(first, second) == std::min(held[1], held[4]));
  CHECK(std::max(first, second) == std::max(held[1], held[4]));
  CHECK(first->hits.size() == 100);
}

TEST_CASE("ObjectPool: its end frees every object, with its storage") {
  acre::Arena arena;
  const std::size_t before = arena.stats().live();
  {
    ObjectPool<Bullet> pool(arena, {.capacity = 20});
    for (int i = 0; i < 40; ++i) {
      Bullet* bullet = pool.Acquire();
      for (int n = 0; n < 50; ++n) bullet->hits.push_back(n);
      if (i % 3 == 0) pool.Release(bullet);
    }
    CHECK(arena.stats().live() > before);
  }
  CHECK(arena.stats().live() == before);
}

TEST_CASE("ObjectPool: Held releases itself, wherever it moved") {
  acre::Arena arena;
  ObjectPool<Plain> pool(arena);
  {
    ObjectPool<Plain>::Held empty;
    CHECK_FALSE(empty);
    CHECK(empty.get() == nullptr);
    auto held = pool.AcquireHeld();
    Plain* const object = held.get();
    held->words[0] = 5;
    CHECK((*held).words[0] == 5);
    CHECK(Stands(pool, 0, 1));
    auto moved = std::move(held);
    CHECK_FALSE(held);
    CHECK(moved.get() == object);
    empty = std::move(moved);
    CHECK(empty.get() == object);
    CHECK_FALSE(moved);
    CHECK(Stands(pool, 0, 1));
    auto& self = empty;
    empty = std::move(self);
    CHECK(empty.get() == object);
  }
  CHECK(Stands(pool, 1, 0));
}

TEST_CASE("ObjectPool: Held lets go of what it held when assigned") {
  acre::Arena arena;
  ObjectPool<Plain> pool(arena);
  ObjectPool<Plain> other(arena);
  auto held = pool.AcquireHeld();
  held = pool.AcquireHeld();
  CHECK(Stands(pool, 1, 1));
  held = other.AcquireHeld();
  CHECK(Stands(pool, 2, 0));
  CHECK(Stands(other, 0, 1));
  held = {};
  CHECK(Stands(other, 1, 0));
}

TEST_CASE("ObjectPool: Held ends with an exception") {
  acre::Arena arena;
  ObjectPool<Plain> pool(arena);
  try {
    auto held = pool.AcquireHeld();
    std::vector<ObjectPool<Plain>::Held> many;
    for (int i = 0; i < 20; ++i) many.push_back(pool.AcquireHeld());
    CHECK(Stands(pool, 0, 21));
    throw std::runtime_error("left");
  } catch (const std::runtime_error&) {
  }
  CHECK(Stands(pool, 21, 0));
}

// Random programs against maps of what is out and what waits.
class Program {
 public:
  Program(acre::Arena& arena, std::uint64_t seed, std::size_t capacity)
      : pool_(arena, {.make = [this](acre::Arena& in) -> Plain* {
                        if (++makes_ % 40 == 0 && running_) return nullptr;
                        return in.TryNew<Plain>();
                      },
                      .reset =
                          [this](Plain& plain) {
                            ++resets_;
                            plain.words[1] = 0;
                          },
                      .capacity = capacity}),
        capacity_(capacity),
        known_(capacity),
        random_(seed) {
    running_ = true;
  }

  void Run(int steps) {
    for (int i = 0; i < steps; ++i) {
      const std::uint64_t bias = (i / 1000) % 2 == 0 ? 60 : 40;
      const std::uint64_t dice = random_() % 100;
      if (random_() % 300 == 0) Shrink();
      if (dice < bias) {
        Acquire();
      } else {
        Release();
      }
      const acre::ObjectPoolStats stats = pool_.stats();
      Expect(stats.in_use == out_.size());
      Expect(stats.total == known_ && stats.available == known_ - out_.size());
    }
  }
  std::size_t errors() const { return errors_; }
  int refused() const { return refused_; }

 private:
  void Expect(bool holds) { errors_ += !holds; }

  void Acquire() {
    const bool waits = known_ > out_.size();
    const int resets = resets_;
    Plain* object = pool_.TryAcquire();
    if (object == nullptr) {
      Expect(!waits);
      ++refused_;
      return;
    }
    if (!waits) ++known_;
    Expect(!out_.contains(object));
    const auto waiting = waiting_.find(object);
    if (waiting != waiting_.end()) {
      Expect(resets_ == resets + 1);
      Expect(object->words[0] == waiting->second && object->words[1] == 0);
      waiting_.erase(waiting);
    }
    const std::uint64_t tag = random_();
    object->words[0] = object->words[1] = object->words[7] = tag;
    out_[object] = tag;
  }

  void Release() {
    if (out_.empty()) return;
    auto at = out_.begin();
    std::advance(at, random_() % std::min<std::size_t>(out_.size(), 50));
    const auto [object, tag] = *at;
    Expect(object->words[0] == tag && object->words[1] == tag &&
           object->words[7] == tag);
    out_.erase(at);
    pool_.Release(object);
    waiting_[object] = tag;
  }

  void Shrink() {
    const std::size_t waits = known_ - out_.size();
    pool_.Shrink();
    if (waits <= capacity_) return;
    known_ -= waits - capacity_;
    waiting_.clear();  // which of them are gone, others test
  }

  int makes_ = 0;
  int resets_ = 0;
  bool running_ = false;
  ObjectPool<Plain> pool_;
  std::size_t capacity_;
  std::size_t known_;
  std::mt19937_64 random_;
  std::map<Plain*, std::uint64_t> out_;
  std::map<Plain*, std::uint64_t> waiting_;  // that were out; not all of them
  std::size_t errors_ = 0;
  int refused_ = 0;
};

TEST_CASE("ObjectPool model: random programs") {
  acre::Arena arena({.source = &acre::MallocSource::Instance()});
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    CAPTURE(seed);
    {
      Program program(arena, seed, seed * seed);
      program.Run(10000);
      CHECK(program.errors() == 0);
      CHECK(program.refused() > 0);
    }
    CHECK(arena.stats().live() == 0);
  }
}

}  // namespace object_pool_test
