// SPDX-License-Identifier: MIT
//
// Guards ArenaBinding: the innermost arena of a type is found in its thread,
// the reasons for finding none are told apart, and a hand-over moves it.

#include "acre/arena_binding.h"

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "acre/arena_pool.h"
#include "acre/block_pool.h"
#include "acre/bump_arena.h"
#include "acre/locked_arena.h"
#include "acre/object_pool.h"
#include "acre/stack_arena.h"
#include "acre/typed_arena.h"
#include "support/death.h"

namespace arena_binding_test {

using acre::ArenaBinding;
using acre::BindingError;
using acre::FindArena;

using Ints = acre::TypedArena<int>;
using Floats = acre::TypedArena<float>;

/// Explicit arenas that every thread may use, registered or not.
acre::ArenaOptions OnMalloc() {
  return {.source = &acre::MallocSource::Instance()};
}

/// Bindings nested at random, against stacks of what should be found.
class Program {
 public:
  explicit Program(std::uint64_t seed) : random_(seed) {}

  void Run(int rounds) {
    for (int i = 0; i < rounds; ++i) Level(0);
    Verify();
  }
  std::size_t errors() const { return errors_; }
  std::size_t bound() const { return count_; }

 private:
  static constexpr int kArenas = 3;

  void Expect(bool holds) { errors_ += !holds; }

  template <class A>
  void VerifyOne(const std::vector<A*>& bound) {
    const acre::BoundArena<A> found = FindArena<A>();
    A* const wanted = bound.empty() ? nullptr : bound.back();
    Expect(found.get() == wanted);
    Expect(static_cast<bool>(found) == (wanted != nullptr));
    const BindingError error = wanted != nullptr ? BindingError::kNone
                               : !bound.empty()  ? BindingError::kEmpty
                               : depth_ == 0     ? BindingError::kAbsent
                                                 : BindingError::kWrongType;
    Expect(found.error() == error);
  }
  void Verify() {
    VerifyOne(arenas_bound_);
    VerifyOne(ints_bound_);
    VerifyOne(floats_bound_);
  }

  template <class A>
  void Bind(std::vector<A*>& bound, A* arena, int depth) {
    ++count_;
    ArenaBinding binding(arena);
    bound.push_back(arena);
    ++depth_;
    Verify();
    if (random_() % 8 == 0) {
      acre::HandedArena handed = binding.HandOver();
      bound.back() = nullptr;
      Verify();
      ArenaBinding taken(std::move(handed));
      bound.push_back(arena);
      Verify();
      Level(depth + 1);
      bound.pop_back();
    } else {
      Level(depth + 1);
    }
    --depth_;
    bound.pop_back();
  }

  void Level(int depth) {
    for (std::uint64_t i = random_() % 4; depth < 7 && i != 0; --i) {
      const std::size_t at = random_() % (kArenas + 1);
      const bool none = at == kArenas;
      switch (random_() % 3) {
        case 0:
          Bind(arenas_bound_, none ? nullptr : arenas_[at].get(), depth);
          break;
        case 1:
          Bind(ints_bound_, none ? nullptr : ints_[at].get(), depth);
          break;
        default:
          Bind(floats_bound_, none ? nullptr : floats_[at].get(), depth);
      }
      Verify();
    }
  }

  template <class A, class... Args>
  static std::array<std::unique_ptr<A>, kArenas> Made(const Args&... args) {
    return {std::make_unique<A>(args...), std::make_unique<A>(args...),
            std::make_unique<A>(args...)};
  }

  std::mt19937_64 random_;
  std::array<std::unique_ptr<acre::Arena>, kArenas> arenas_ =
      Made<acre::Arena>(OnMalloc());
  std::array<std::unique_ptr<Ints>, kArenas> ints_ =
      Made<Ints>(std::size_t{4}, acre::Growth::kFixed, OnMalloc());
  std::array<std::unique_ptr<Floats>, kArenas> floats_ =
      Made<Floats>(std::size_t{4}, acre::Growth::kFixed, OnMalloc());
  std::vector<acre::Arena*> arenas_bound_;
  std::vector<Ints*> ints_bound_;
  std::vector<Floats*> floats_bound_;
  int depth_ = 0;
  std::size_t count_ = 0;
  std::size_t errors_ = 0;
};

TEST_CASE("ArenaBinding: nothing bound is kAbsent") {
  const acre::BoundArena<> found = FindArena();
  CHECK_FALSE(found);
  CHECK(found.get() == nullptr);
  CHECK(found.error() == BindingError::kAbsent);
  CHECK(found.message() == std::string("no arena is bound in this thread"));
  CHECK(FindArena<Ints>().error() == BindingError::kAbsent);
  CHECK_DIES(static_cast<void>(*found), "no arena is bound in this thread");
  CHECK_DIES(FindArena()->Reset(), "no arena is bound in this thread");
}

TEST_CASE(
    "ArenaBinding: a bound arena is found down the calls, until it ends") {
  acre::Arena arena;
  {
    const ArenaBinding bound(arena);
    const auto deeper = [](auto& self, int depth) -> acre::Arena* {
      if (depth != 0) return self(self, depth - 1);
      acre::BoundArena<> found = FindArena();
      REQUIRE(found);
      CHECK(found.error() == BindingError::kNone);
      CHECK(found.message() == std::string("an arena is bound"));
      CHECK(*found->New<int>(5) == 5);
      return &*found;
    };
    CHECK(deeper(deeper, 10) == &arena);
  }
  CHECK(FindArena().error() == BindingError::kAbsent);
}

TEST_CASE("ArenaBinding: exceptions end a binding") {
  acre::Arena arena;
  const auto task = [&] {
    const ArenaBinding bound(arena);
    throw std::runtime_error("out");
  };
  CHECK_THROWS_WITH(task(), "out");
  CHECK(FindArena().error() == BindingError::kAbsent);
}

TEST_CASE("ArenaBinding: by pointer, and null is kEmpty") {
  acre::Arena arena;
  {
    const ArenaBinding bound(&arena);
    CHECK(FindArena().get() == &arena);
    acre::Arena* none = nullptr;
    const ArenaBinding empty(none);
    CHECK_FALSE(FindArena());  // the innermost wins, although it is empty
    CHECK(FindArena().error() == BindingError::kEmpty);
    CHECK_DIES(FindArena()->Reset(),
               "the arena bound here is null or was handed to another thread");
    CHECK(FindArena<Ints>().error() == BindingError::kWrongType);
  }
  const ArenaBinding null(nullptr);
  CHECK(FindArena().error() == BindingError::kEmpty);
  Ints* no_ints = nullptr;
  const ArenaBinding null_ints(no_ints);
  CHECK(FindArena<Ints>().error() == BindingError::kEmpty);
  CHECK(FindArena<Floats>().error() == BindingError::kWrongType);
}

TEST_CASE("ArenaBinding: other types only is kWrongType") {
  Ints ints(10);
  const ArenaBinding bound(ints);
  CHECK(FindArena().error() == BindingError::kWrongType);
  CHECK(FindArena<Floats>().error() == BindingError::kWrongType);
  CHECK_FALSE(FindArena<Floats>());
  CHECK_DIES(static_cast<void>(*FindArena()),
             "arenas are bound in this thread, but none of the type asked for");
}

TEST_CASE("ArenaBinding: several at once, by type and element type") {
  acre::Arena arena;
  Ints ints(10);
  Floats floats(10);
  acre::LockedArena locked;
  const ArenaBinding one(arena);
  const ArenaBinding two(ints);
  const ArenaBinding three(&floats);
  const ArenaBinding four(locked);
  CHECK(FindArena().get() == &arena);
  CHECK(FindArena<Ints>().get() == &ints);
  CHECK(FindArena<Floats>().get() == &floats);
  CHECK(FindArena<acre::LockedArena>().get() == &locked);
  *FindArena<Ints>()->New() = 5;
  CHECK(ints[0] == 5);
  FindArena<acre::LockedArena>()->Free(
      FindArena<acre::LockedArena>()->New<int>(1));
}

TEST_CASE("ArenaBinding: a BumpArena is found as an Arena") {
  acre::BumpArena bump;
  {
    const ArenaBinding bound(bump);
    CHECK(FindArena().get() == &bump);
  }
  const ArenaBinding bound(&bump);
  CHECK(FindArena().get() == &bump);
}

TEST_CASE("ArenaBinding: a leased arena is bound as the header shows") {
  acre::ArenaPool pool;
  const acre::ArenaPool::Lease lease = pool.Acquire();
  const ArenaBinding bound(*lease);
  CHECK(FindArena().get() == lease.get());
}

TEST_CASE("ArenaBinding: the innermost of its type wins") {
  acre::Arena outer;
  acre::Arena inner;
  Ints ints(4);
  const ArenaBinding first(outer);
  {
    const ArenaBinding second(inner);
    CHECK(FindArena().get() == &inner);
    const ArenaBinding third(ints);
    CHECK(FindArena().get() == &inner);
    const ArenaBinding fourth(outer);
    CHECK(FindArena().get() == &outer);
  }
  CHECK(FindArena().get() == &outer);
  CHECK(FindArena<Ints>().error() == BindingError::kWrongType);
}

TEST_CASE("ArenaBinding: types of one name in different scopes are different") {
  const auto bind = [] {
    struct Own {
      const char* name() const { return "own"; }
      int value = 1;
    };
    static Own own;
    return std::make_unique<ArenaBinding>(own);
  };
  const auto find = [] {
    struct Own {
      const char* name() const { return "own"; }
      double value = 2;
    };
    return FindArena<Own>().error();
  };
  const auto bound = bind();
  CHECK(find() == BindingError::kWrongType);
}

TEST_CASE("ArenaBinding: another thread sees nothing of it") {
  acre::Arena arena(OnMalloc());
  const ArenaBinding bound(arena);
  std::thread([] {
    CHECK(FindArena().error() == BindingError::kAbsent);
    acre::Arena own(OnMalloc());
    const ArenaBinding there(own);
    CHECK(FindArena().get() == &own);
  }).join();
  CHECK(FindArena().get() == &arena);
}

TEST_CASE("ArenaBinding: HandOver takes the arena to another thread") {
  acre::Arena arena(OnMalloc());
  ArenaBinding bound(arena);
  static_cast<void>(FindArena()->New<int>(1));
  std::thread worker([&arena, handed = bound.HandOver()]() mutable {
    {
      const ArenaBinding there(std::move(handed));
      CHECK(FindArena().get() == &arena);
      CHECK(*FindArena()->New<int>(7) == 7);
    }
    CHECK(FindArena().error() == BindingError::kAbsent);
    arena.HandOver();
  });
  worker.join();
  CHECK(FindArena().error() == BindingError::kEmpty);
  CHECK(*arena.New<int>(8) == 8);
}

TEST_CASE("ArenaBinding: pools and stacks go to another thread, too") {
  acre::Arena arena(OnMalloc());
  const auto there = [](auto& pool, auto use) {
    use(pool);
    ArenaBinding bound(pool);
    std::thread([&, handed = bound.HandOver()]() mutable {
      const ArenaBinding here(std::move(handed));
      use(pool);
      pool.HandOver();
    }).join();
    use(pool);
    pool.HandOver();
  };
  acre::ObjectPool<int> objects(arena);
  there(objects, [](auto& pool) { static_cast<void>(pool.Acquire()); });
  acre::BlockPool blocks(arena, {.block_size = 64, .count = 8});
  there(blocks, [](auto& pool) { static_cast<void>(pool.Allocate()); });
  acre::StackArena stack(arena, 4096);
  there(stack, [](auto& pool) { pool.Push(3.5); });
  CHECK(objects.stats().in_use == 3);
  CHECK(blocks.stats().used == 3);
}

TEST_CASE("ArenaBinding: a handed arena comes back the same way") {
  acre::Arena arena(OnMalloc());
  ArenaBinding bound(arena);
  static_cast<void>(arena.New<int>(1));
  std::optional<acre::HandedArena> back;
  std::thread([&, handed = bound.HandOver()]() mutable {
    ArenaBinding there(std::move(handed));
    static_cast<void>(FindArena()->New<int>(2));
    back = there.HandOver();
  }).join();
  const ArenaBinding again(std::move(*back));
  CHECK(FindArena().get() == &arena);
  CHECK(*FindArena()->New<int>(3) == 3);
}

TEST_CASE("ArenaBinding: HandOver hides the arenas around it, not theirs") {
  acre::Arena outer;
  acre::Arena inner;
  const ArenaBinding first(outer);
  {
    ArenaBinding second(inner);
    static_cast<void>(second.HandOver());  // dropped: nobody has it
    CHECK(FindArena().error() == BindingError::kEmpty);
  }
  CHECK(FindArena().get() == &outer);
}

TEST_CASE("ArenaBinding: by element type, in another thread too") {
  Ints ints(10, acre::Growth::kFixed, OnMalloc());
  ArenaBinding bound(ints);
  *ints.New() = 1;
  std::thread([&, handed = bound.HandOver()]() mutable {
    const ArenaBinding there(std::move(handed));
    CHECK(FindArena<Floats>().error() == BindingError::kWrongType);
    CHECK(FindArena().error() == BindingError::kWrongType);
    REQUIRE(FindArena<Ints>());
    *FindArena<Ints>()->New() = 2;
  }).join();
  CHECK(ints[1] == 2);
}

TEST_CASE("ArenaBinding: a growing TypedArena grows where it is handed to") {
  Ints ints(2, acre::Growth::kGrowing, OnMalloc());
  ArenaBinding bound(ints);
  *ints.New() = 1;
  std::thread([handed = bound.HandOver()]() mutable {
    const ArenaBinding there(std::move(handed));
    for (int i = 0; i < 5000; ++i) FindArena<Ints>()->New(i);
  }).join();
  CHECK(ints[5000] == 4999);
}

TEST_CASE("ArenaBinding: the thread that handed an arena over is refused") {
  if constexpr (!acre::kChecked) return;
  acre::Arena arena(OnMalloc());
  ArenaBinding bound(arena);
  static_cast<void>(arena.New<int>(1));
  std::thread([handed = bound.HandOver()]() mutable {
    const ArenaBinding there(std::move(handed));
    static_cast<void>(FindArena()->New<int>(2));
  }).join();
  CHECK_DIES(static_cast<void>(arena.New<int>(3)), "used by a second thread");
}

TEST_CASE("HandedArena: moved-from, used and handed-twice ones are empty") {
  static_assert(!std::is_copy_constructible_v<acre::HandedArena>);
  static_assert(std::is_nothrow_move_constructible_v<acre::HandedArena>);
  acre::Arena arena;
  ArenaBinding bound(arena);
  acre::HandedArena handed = bound.HandOver();
  acre::HandedArena second = bound.HandOver();
  acre::HandedArena moved = std::move(handed);
  {
    const ArenaBinding there(std::move(handed));  // NOLINT: that is the test
    CHECK(FindArena().error() == BindingError::kEmpty);
  }
  {
    const ArenaBinding there(std::move(second));
    CHECK(FindArena().error() == BindingError::kEmpty);
  }
  {
    const ArenaBinding there(std::move(moved));
    CHECK(FindArena().get() == &arena);
  }
  {
    const ArenaBinding there(std::move(moved));  // NOLINT: that is the test
    CHECK(FindArena().error() == BindingError::kEmpty);
  }
}

TEST_CASE("HandedArena: assignment takes arena and type along") {
  acre::Arena arena;
  Ints ints(3);
  ArenaBinding one(arena);
  ArenaBinding two(ints);
  acre::HandedArena handed = one.HandOver();
  handed = two.HandOver();
  const ArenaBinding there(std::move(handed));
  CHECK(FindArena<Ints>().get() == &ints);
  CHECK(FindArena().error() == BindingError::kEmpty);
}

TEST_CASE(
    "ArenaBinding: an end out of order, or in another thread, is misuse") {
  acre::Arena arena;
  static_assert(!std::is_copy_constructible_v<ArenaBinding>);
  CHECK_DIES(
      {
        auto outer = std::make_unique<ArenaBinding>(arena);
        auto inner = std::make_unique<ArenaBinding>(arena);
        outer.reset();
      },
      "an ArenaBinding ends in another thread than it began, or before");
  CHECK_DIES(
      {
        auto bound = std::make_unique<ArenaBinding>(arena);
        std::thread([&] { bound.reset(); }).join();
      },
      "an ArenaBinding ends in another thread");
}

TEST_CASE("ArenaBinding: every error has a sentence") {
  CHECK(acre::ToString(BindingError::kNone) ==
        std::string("an arena is bound"));
  CHECK(acre::ToString(BindingError::kEmpty) !=
        std::string(acre::ToString(BindingError::kWrongType)));
  static_assert(acre::ToString(BindingError::kAbsent)[0] == 'n');
}

TEST_CASE("ArenaBinding: random nests against plain stacks") {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    CAPTURE(seed);
    Program program(seed);
    program.Run(200);
    CHECK(program.errors() == 0);
    CHECK(program.bound() > 100);
  }
}

TEST_CASE("ArenaBinding: random nests in several threads at once") {
  std::size_t errors[4] = {};
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([t, &errors] {
      Program program(50 + t);
      program.Run(100);
      errors[t] = program.errors();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::size_t count : errors) CHECK(count == 0);
}

}  // namespace arena_binding_test
