// SPDX-License-Identifier: MIT
//
// Guards the line that nothing of acre's crosses: what each failure becomes,
// that the host may jump away, and that nothing else changes.

#include "acre/guarded.h"

#include <doctest/doctest.h>
#include <pthread.h>
#include <setjmp.h>

#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>

#include "acre/arena.h"
#include "acre/arena_ref.h"
#include "acre/failure.h"
#include "acre/gc.h"
#include "acre/map.h"
#include "acre/vector.h"
#include "support/death.h"

namespace guarded_test {

using acre::Arena;
using acre::ErrorKind;
using acre::Guarded;
using acre::GuardedError;

namespace {

struct Failure {
  std::string kind = "none";
  std::string text;
};

template <class F>
Failure FailureOf(F f) {
  Failure failure;
  Guarded([&] { f(); },
          [&](const GuardedError& error) {
            failure = {acre::NameOf(error.kind), error.text};
          });
  return failure;
}

bool Has(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

/// Counts what was unwound.
struct Unwound {
  explicit Unwound(int* count) : count(count) {}
  ~Unwound() { ++*count; }
  int* count;
};

[[noreturn]] void Abuse() {
  acre::detail::FailMisuse("acre: the rule about %s was broken", "this");
}

}  // namespace

TEST_CASE("guarded: what is well is returned, whatever the type") {
  const auto fail = [](const GuardedError&) { return -1; };
  CHECK(Guarded([] { return 7; }, fail) == 7);
  int target = 0;
  int* const p = Guarded([&] { return &target; },
                         [](const GuardedError&) -> int* { return nullptr; });
  CHECK(p == &target);
  Guarded([&] { target = 3; }, [](const GuardedError&) {});
  CHECK(target == 3);
  struct Three {
    std::uint64_t words[3];
  };
  const Three three = Guarded(
      [] {
        return Three{{1, 2, 3}};
      },
      [](const GuardedError&) { return Three{}; });
  CHECK(three.words[2] == 3);
}

TEST_CASE("guarded: misuse is an error value with its text, and unwinds") {
  int unwound = 0;
  const Failure failure = FailureOf([&] {
    const Unwound here(&unwound);
    Abuse();
  });
  CHECK(failure.kind == "misuse");
  CHECK(failure.text == "acre: the rule about this was broken");
  CHECK(unwound == 1);
}

TEST_CASE("guarded: a stale reference") {
  Arena arena({.name = "game"});
  auto ref = acre::RefTo(arena.New<int>(1));
  arena.Reset();
  const Failure failure = FailureOf([&] { static_cast<void>(*ref); });
  CHECK(failure.kind == "stale");
  CHECK(Has(failure.text, "Reset or Rewind of arena 'game'"));
  const Failure none =
      FailureOf([] { static_cast<void>(*acre::ArenaRef<int>()); });
  CHECK(none.kind == "misuse");
}

TEST_CASE("guarded: out of memory, a limit, a size that is impossible") {
  Arena limited({.name = "small", .byte_limit = 1 << 20});
  const Failure limit = FailureOf([&] {
    acre::Vector<int> numbers(limited);
    for (int i = 0;; ++i) numbers.push_back(i);
  });
  CHECK(limit.kind == "byte limit");
  CHECK(Has(limit.text, "arena 'small'"));
  const Failure one =
      FailureOf([&] { static_cast<void>(limited.Allocate(1 << 20)); });
  CHECK(one.kind == "byte limit");

  Arena arena({.name = "large"});
  const Failure system = FailureOf(
      [&] { static_cast<void>(arena.Allocate(std::size_t{1} << 62)); });
  CHECK(system.kind == "out of memory");
  const Failure length = FailureOf([&] {
    acre::Vector<int> numbers(arena);
    numbers.reserve(SIZE_MAX / 2);
  });
  CHECK(length.kind == "out of memory");
  const Failure other = FailureOf([] { throw std::bad_alloc(); });  // anybody's
  CHECK(other.kind == "out of memory");
  // The arenas can be used on.
  limited.Reset();
  CHECK(*limited.New<int>(4) == 4);
}

TEST_CASE("guarded: out of range, and what others throw") {
  Arena arena;
  acre::Vector<int> numbers(arena);
  numbers.push_back(1);
  const Failure range = FailureOf([&] { static_cast<void>(numbers.at(5)); });
  CHECK(range.kind == "out of range");
  CHECK(Has(range.text, "5"));
  const Failure other =
      FailureOf([] { throw std::runtime_error("their own"); });
  CHECK(other.kind == "other");
  CHECK(other.text == "their own");
  CHECK(FailureOf([] { throw 17; }).kind == "other");
}

TEST_CASE("guarded: calls within calls") {
  std::string inner;
  const Failure outer = FailureOf([&] {
    inner = FailureOf([] { Abuse(); }).kind;
    Abuse();  // still inside of one
  });
  CHECK(inner == "misuse");
  CHECK(outer.kind == "misuse");
  // An error of what handles errors is the outer call's.
  const Failure handled = FailureOf([] {
    Guarded([] { Abuse(); },
            [](const GuardedError&) { throw std::runtime_error("again"); });
  });
  CHECK(handled.text == "again");
}

TEST_CASE("guarded: outside of it misuse ends the process, also afterwards") {
  CHECK(FailureOf([] { Abuse(); }).kind == "misuse");
  CHECK_DIES(Abuse(), "the rule about this was broken");
  CHECK_DIES(
      { Guarded([] { Abuse(); }, [](const GuardedError&) { Abuse(); }); },
      "the rule about this was broken");
}

TEST_CASE("guarded: the host jumps away from the error") {
  static jmp_buf away;
  static char text[1024];
  int unwound = 0;
  static int i = 0;  // an automatic one might be lost
  for (i = 0; i < 1000; ++i) {
    if (setjmp(away) == 0) {
      Guarded(
          [&] {
            const Unwound here(&unwound);
            Abuse();
          },
          [](const GuardedError& error) {
            std::snprintf(text, sizeof text, "%s", error.text);
            longjmp(away, 1);
          });
    }
  }
  CHECK(unwound == 1000);
  CHECK(std::string(text) == "acre: the rule about this was broken");
  CHECK(std::uncaught_exceptions() == 0);
  CHECK(std::current_exception() == nullptr);
  CHECK_DIES(Abuse(), "was broken");  // no call is counted as open
}

TEST_CASE("guarded: a handler of the host's is called as always") {
  struct Own {
    std::string text;
  };
  acre::SetMisuseHandler([](const char* message) { throw Own{message}; });
  const Failure failure = FailureOf([] { Abuse(); });
  std::string caught;
  try {
    Abuse();
  } catch (const Own& own) {
    caught = own.text;
  }
  acre::SetMisuseHandler(nullptr);
  CHECK(failure.kind == "other");
  CHECK(caught == "acre: the rule about this was broken");
}

TEST_CASE("guarded: other threads have their own") {
  std::string kind;
  Guarded(
      [&] {
        std::thread other([&] {
          CHECK_DIES(Abuse(), "was broken");  // no call is open here
          kind = FailureOf([] { Abuse(); }).kind;
        });
        other.join();
      },
      [](const GuardedError&) {});
  CHECK(kind == "misuse");
}

#if defined(__GLIBCXX__)  // libc++ does not let it pass
TEST_CASE("guarded: a thread may end inside of it") {
  static int unwound = 0;
  static bool was_error = false;
  pthread_t thread{};
  REQUIRE(pthread_create(
              &thread, nullptr,
              [](void*) -> void* {
                Guarded(
                    [] {
                      const Unwound here(&unwound);
                      pthread_exit(&unwound);
                    },
                    [](const GuardedError&) { was_error = true; });
                return nullptr;
              },
              nullptr) == 0);
  void* result = nullptr;
  REQUIRE(pthread_join(thread, &result) == 0);
  CHECK(result == &unwound);
  CHECK(unwound == 1);
  CHECK(!was_error);
}
#endif

TEST_CASE("guarded: long texts are cut") {
  const std::string name(2000, 'x');
  const Failure failure = FailureOf(
      [&] { acre::detail::FailMisuse("acre: %s is wrong", name.c_str()); });
  CHECK(failure.kind == "misuse");
  CHECK(failure.text.size() > 900);
  CHECK(failure.text.size() < 1024);
  const acre::MisuseError copy = acre::MisuseError(ErrorKind::kStale, "a text");
  CHECK(std::string(copy.what()) == "a text");
  CHECK(copy.kind() == ErrorKind::kStale);
}

TEST_CASE("guarded: checked builds' misuse of an arena") {
  if (!acre::kChecked) return;
  Arena arena({.name = "game"});
  int* const p = arena.New<int>(1);
  arena.Free(p);
  const Failure twice = FailureOf([&] { arena.Free(p); });
  CHECK(twice.kind == "misuse");
  CHECK(Has(twice.text, "arena 'game'"));
  CHECK(*arena.New<int>(2) == 2);
}

}  // namespace guarded_test
