// SPDX-License-Identifier: MIT
//
// Guards StackArena: what was pushed comes back in reverse, byte by byte, and
// what does not fit or is not there is refused without a loss.

#include "acre/stack_arena.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "acre/arena.h"
#include "acre/layout.h"
#include "support/death.h"
#include "test_sources.h"

namespace stack_arena_test {

using acre::StackArena;
using acre::StackMarker;

struct Vec3 {
  double x, y, z;
  bool operator==(const Vec3&) const = default;
};
ACRE_LAYOUT(Vec3, x, y, z)

struct alignas(4096) Page {
  unsigned char bytes[4096];
};
ACRE_LAYOUT(Page, bytes)

struct Misuse {
  std::string message;
};

// Throws misuse, so that a test can look at what it left.
struct HandlerScope {
  HandlerScope() {
    previous = acre::SetMisuseHandler(
        [](const char* message) { throw Misuse{message}; });
  }
  ~HandlerScope() { acre::SetMisuseHandler(previous); }
  acre::MisuseHandler previous;
};

std::span<const std::byte> Bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::string_view Text(const StackArena& stack) {
  const auto bytes = stack.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST_CASE("StackArena: the example of its header") {
  acre::Arena arena;
  StackArena stack(arena, 64 * 1024);
  stack.Push(3.5);
  stack.Push(std::as_bytes(std::span("text")));
  const StackMarker marker = stack.marker();
  CHECK(marker.height() == 13);
  stack.Push(Vec3{1, 2, 3});
  stack.Restore(marker);
  stack.Pop(5);
  CHECK(stack.Pop<double>() == 3.5);
  CHECK(stack.empty());
}

TEST_CASE("StackArena: values come back in reverse, without padding") {
  acre::Arena arena;
  StackArena stack(arena, 100);
  stack.Push(char{'c'});
  stack.Push(Vec3{1, 2, 3});
  stack.Push(std::uint16_t{0x1234});
  stack.Push(std::int64_t{-5});
  CHECK(stack.used() == 1 + 24 + 2 + 8);
  CHECK(stack.remaining() == 65);
  CHECK(stack.capacity() == 100);
  CHECK(stack.Top<std::int64_t>() == -5);
  CHECK(stack.used() == 35);
  CHECK(stack.Pop<std::int64_t>() == -5);
  CHECK(stack.Pop<std::uint16_t>() == 0x1234);
  CHECK(stack.Pop<Vec3>() == Vec3{1, 2, 3});
  CHECK(stack.Pop<char>() == 'c');
  CHECK(stack.empty());
}

TEST_CASE("StackArena: values with an alignment stand at any address") {
  acre::Arena arena;
  StackArena stack(arena, 8193);
  stack.Push(true);
  auto page = std::make_unique<Page>();
  std::memset(page->bytes, 0x5a, sizeof page->bytes);
  stack.Push(*page);
  CHECK(stack.used() == 4097);
  const Page back = stack.Pop<Page>();
  CHECK(std::memcmp(back.bytes, page->bytes, sizeof back.bytes) == 0);
  CHECK(stack.Pop<bool>());
}

TEST_CASE("StackArena: bytes are copied, and told where") {
  acre::Arena arena;
  StackArena stack(arena, 10);
  std::byte* first = stack.Push(Bytes("abc"));
  std::byte* second = stack.TryPush(Bytes("defg"));
  CHECK(second == first + 3);
  CHECK(arena.Owns(first));
  CHECK(Text(stack) == "abcdefg");
  CHECK(stack.bytes().data() == first);
  stack.Pop(3);
  CHECK(Text(stack) == "abcd");
  stack.Push(Bytes("XYZ"));
  CHECK(Text(stack) == "abcdXYZ");
}

TEST_CASE("StackArena: pushing and popping nothing") {
  acre::Arena arena;
  StackArena stack(arena, 4);
  CHECK(stack.Push(std::span<const std::byte>()) != nullptr);
  CHECK(stack.TryPush(Bytes("")) != nullptr);
  stack.Pop(0);
  CHECK(stack.TryPop(std::size_t{0}));
  CHECK(stack.empty());
  stack.Push(Bytes("full"));
  CHECK(stack.TryPush(Bytes("")) != nullptr);
  CHECK(stack.used() == 4);
}

TEST_CASE("StackArena: without capacity") {
  acre::Arena arena;
  StackArena stack(arena, 0);
  CHECK(stack.capacity() == 0);
  CHECK(stack.TryPush(Bytes("a")) == nullptr);
  CHECK(stack.bytes().empty());
  stack.Restore(stack.marker());
  stack.Reset();
  CHECK(stack.empty());
}

TEST_CASE("StackArena: what does not fit is refused, and nothing is lost") {
  acre::Arena arena;
  StackArena stack(arena, 10);
  stack.Push(Bytes("abcd"));
  CHECK(stack.TryPush(Bytes("1234567")) == nullptr);
  CHECK_FALSE(stack.TryPush(1.5));
  CHECK_THROWS_AS(stack.Push(Bytes("1234567")), std::bad_alloc);
  CHECK_THROWS_AS(stack.Push(1.5), std::bad_alloc);
  CHECK(Text(stack) == "abcd");
  CHECK(stack.remaining() == 6);
  CHECK(stack.TryPush(Bytes("123456")) != nullptr);
  CHECK(stack.remaining() == 0);
  CHECK_FALSE(stack.TryPush('x'));
  CHECK(Text(stack) == "abcd123456");
}

TEST_CASE("StackArena: sizes that would overflow are refused") {
  acre::Arena arena;
  StackArena stack(arena, 10);
  stack.Push(Bytes("abcd"));
  for (const std::size_t size : {SIZE_MAX, SIZE_MAX - 3, SIZE_MAX / 2}) {
    CHECK(stack.TryPush({stack.bytes().data(), size}) == nullptr);
    CHECK_FALSE(stack.TryPop(size));
  }
  CHECK(Text(stack) == "abcd");
  CHECK_THROWS_AS(StackArena(arena, SIZE_MAX), std::bad_alloc);
}

TEST_CASE("StackArena: popping too much is misuse, and nothing is lost") {
  const HandlerScope handler;
  acre::Arena arena({.name = "mine"});
  StackArena stack(arena, 10);
  stack.Push(Bytes("abcd"));
  CHECK_THROWS_AS(stack.Pop(5), Misuse);
  CHECK_THROWS_AS(stack.Pop<double>(), Misuse);
  CHECK_THROWS_AS(stack.Top<double>(), Misuse);
  CHECK_FALSE(stack.TryPop(std::size_t{5}));
  CHECK_FALSE(stack.TryPop<double>().has_value());
  CHECK(Text(stack) == "abcd");
  const auto four = stack.TryPop<std::array<char, 4>>();
  REQUIRE(four.has_value());
  CHECK((*four)[3] == 'd');
  CHECK_THROWS_AS(stack.Pop<char>(), Misuse);
  CHECK(stack.empty());
}

TEST_CASE("StackArena: misuse names the arena and the sizes") {
  acre::Arena arena({.name = "mine"});
  StackArena stack(arena, 10);
  stack.Push(Bytes("abcd"));
  const StackMarker marker = stack.marker();
  CHECK_DIES(stack.Pop(5), "arena 'mine': Pop of 5 bytes from 4");
  CHECK_DIES(stack.Pop<double>(), "arena 'mine'.* 8 bytes from 4");
  stack.Pop(1);
  CHECK_DIES(stack.Restore(marker), "arena 'mine'.* 4 bytes.* 3");
}

TEST_CASE("StackArena: TryPop of a value of any type") {
  acre::Arena arena;
  StackArena stack(arena, 100);
  stack.Push(7);
  CHECK(stack.TryPop<int>() == 7);
  stack.Push(std::optional<int>(9));
  CHECK(stack.TryPop<std::optional<int>>() == std::optional<int>(9));
  CHECK(stack.empty());
}

TEST_CASE("StackArena: TryPop of a value of type size_t") {
  // The very type that also counts bytes.
  acre::Arena arena;
  StackArena stack(arena, 100);
  stack.Push(std::size_t{77});
  CHECK(stack.TryPop<std::size_t>() == 77);
  CHECK(stack.empty());
}

TEST_CASE("StackArena: TryPop of a number of bytes in any integer type") {
  // As Pop(n) does, which takes any integer.
  acre::Arena arena;
  StackArena stack(arena, 100);
  stack.Push(Bytes("abcdefgh"));
  int bytes = 5;
  stack.Pop(bytes);
  CHECK(stack.used() == 3);
  bytes = 2;
  CHECK(stack.TryPop(static_cast<std::size_t>(bytes)));
  CHECK(stack.used() == 1);
}

TEST_CASE("StackArena: markers, more than once and out of order") {
  const HandlerScope handler;
  acre::Arena arena;
  StackArena stack(arena, 100);
  CHECK(StackMarker().height() == 0);
  stack.Push(Bytes("one"));
  const StackMarker one = stack.marker();
  stack.Push(Bytes("two"));
  const StackMarker two = stack.marker();
  for (int i = 0; i < 3; ++i) {
    stack.Push(Bytes("more"));
    stack.Restore(two);
    CHECK(Text(stack) == "onetwo");
  }
  stack.Restore(two);
  CHECK(stack.TryRestore(one));
  CHECK(Text(stack) == "one");
  CHECK_FALSE(stack.TryRestore(two));
  CHECK_THROWS_AS(stack.Restore(two), Misuse);
  CHECK(Text(stack) == "one");
  stack.Pop(1);
  CHECK_FALSE(stack.TryRestore(one));
  stack.Restore(StackMarker());
  CHECK(stack.empty());
}

TEST_CASE("StackArena: pop below a marker, and push above it again") {
  acre::Arena arena;
  StackArena stack(arena, 100);
  stack.Push(Bytes("abcdef"));
  const StackMarker marker = stack.marker();
  stack.Pop(4);
  CHECK_FALSE(stack.TryRestore(marker));
  CHECK(Text(stack) == "ab");
  stack.Push(Bytes("123456"));
  CHECK(stack.TryRestore(marker));
  CHECK(Text(stack) == "ab1234");
}

TEST_CASE("StackArena: bytes of the stack itself may be pushed") {
  acre::Arena arena;
  StackArena stack(arena, 100);
  stack.Push(Bytes("abc"));
  stack.Push(stack.bytes());
  stack.Push(stack.bytes());
  CHECK(Text(stack) == "abcabcabcabc");
  stack.Push(stack.bytes().subspan(1, 4));
  CHECK(Text(stack) == "abcabcabcabcbcab");
}

TEST_CASE("StackArena: a result is moved down over what made it") {
  // The bytes were just popped and lie where the copy goes. In a child: a
  // sanitizer ends the process.
  acre::Arena arena;
  StackArena stack(arena, 100);
  const acre_test::Death death = acre_test::RunInChild([&] {
    stack.Push(Bytes("abcdefgh"));
    const auto bytes = stack.bytes().subspan(2, 6);
    stack.Pop(8);
    stack.Push(bytes);
    if (Text(stack) != "cdefgh") std::abort();
  });
  CHECK_FALSE(death.died);
}

TEST_CASE("StackArena: Reset removes everything, and the room is back") {
  acre::Arena arena;
  StackArena stack(arena, 10);
  for (int i = 0; i < 5; ++i) {
    const std::byte* at = stack.Push(Bytes("0123456789"));
    stack.Reset();
    CHECK(stack.empty());
    CHECK(stack.remaining() == 10);
    CHECK(stack.Push(Bytes("x")) == at);
    stack.Reset();
  }
}

TEST_CASE("StackArena: its block comes from the arena and goes back") {
  acre_test::CountingSource source;
  acre::Arena arena({.source = &source});
  {
    StackArena stack(arena, 5000);
    stack.Push(1);
    CHECK(arena.stats().live() >= 5000);
  }
  CHECK(arena.stats().live() == 0);
  {
    StackArena large(arena, 1 << 20);
    CHECK(large.remaining() == 1 << 20);
  }
  CHECK(arena.stats().live() == 0);
  source.dry = true;
  CHECK_THROWS_AS(StackArena(arena, 8 << 20), std::bad_alloc);
}

// Random programs against a vector of bytes.
class Program {
 public:
  Program(acre::Arena& arena, std::uint64_t seed, std::size_t capacity)
      : stack_(arena, capacity), random_(seed) {}

  void Run(int steps) {
    for (int i = 0; i < steps; ++i) {
      Step();
      Expect(stack_.used() == model_.size());
      if (i % 64 == 0) Verify();
    }
    Verify();
  }
  std::size_t errors() const { return errors_; }
  std::size_t refused() const { return refused_; }
  std::size_t served() const { return served_; }

 private:
  std::uint64_t Below(std::uint64_t n) { return random_() % n; }
  void Expect(bool holds) { errors_ += !holds; }
  void Count(bool worked) { worked ? ++served_ : ++refused_; }

  void Step() {
    switch (Below(12)) {
      case 0:
      case 1:
      case 2:
        return PushBytes();
      case 3:
      case 4:
        return PushValue(Vec3{1, 2, static_cast<double>(random_())});
      case 5:
        return PushValue(static_cast<std::uint16_t>(random_()));
      case 6:
        return PopValue<Vec3>();
      case 7:
        return PopValue<std::uint16_t>();
      case 8:
        return PopBytes();
      case 9:
        if (markers_.size() < 50) markers_.push_back(stack_.marker());
        return;
      case 10:
        return Restore();
      default:
        if (Below(100) != 0) return PushOwn();
        stack_.Reset();
        model_.clear();
    }
  }

  void Append(const void* data, std::size_t bytes) {
    const auto* p = static_cast<const std::byte*>(data);
    model_.insert(model_.end(), p, p + bytes);
  }

  bool Fits(std::size_t bytes) const {
    return bytes <= stack_.capacity() - model_.size();
  }

  void PushBytes() {
    std::vector<std::byte> bytes(Below(60));
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random_());
    const std::byte* at = stack_.TryPush(bytes);
    Expect((at != nullptr) == Fits(bytes.size()));
    Count(at != nullptr);
    if (at == nullptr) return;
    Expect(std::equal(bytes.begin(), bytes.end(), at));
    Append(bytes.data(), bytes.size());
  }

  void PushOwn() {
    if (model_.empty()) return;
    const std::size_t from = Below(model_.size());
    const std::size_t bytes =
        Below(std::min<std::size_t>(model_.size() - from, 40));
    const bool worked =
        stack_.TryPush(stack_.bytes().subspan(from, bytes)) != nullptr;
    Expect(worked == Fits(bytes));
    if (!worked) return;
    const std::vector<std::byte> copy(model_.begin() + from,
                                      model_.begin() + from + bytes);
    Append(copy.data(), bytes);
  }

  template <class T>
  void PushValue(const T& value) {
    const bool worked = stack_.TryPush(value);
    Expect(worked == Fits(sizeof value));
    Count(worked);
    if (worked) Append(&value, sizeof value);
  }

  template <class T>
  void PopValue() {
    const std::optional<T> value = stack_.TryPop<T>();
    const bool worked = value.has_value();
    Expect(worked == (model_.size() >= sizeof(T)));
    Count(worked);
    if (!worked) return;
    Expect(std::memcmp(&*value, model_.data() + model_.size() - sizeof(T),
                       sizeof(T)) == 0);
    model_.resize(model_.size() - sizeof(T));
  }

  void PopBytes() {
    const std::size_t bytes = Below(80);
    const bool worked = stack_.TryPop(bytes);
    Expect(worked == (bytes <= model_.size()));
    if (worked) model_.resize(model_.size() - bytes);
  }

  void Restore() {
    if (markers_.empty()) return;
    const std::size_t at = Below(markers_.size());
    const StackMarker marker = markers_[at];
    const bool worked = stack_.TryRestore(marker);
    Expect(worked == (marker.height() <= model_.size()));
    if (worked) model_.resize(marker.height());
    if (Below(2) == 0) markers_.erase(markers_.begin() + at);
  }

  void Verify() {
    const auto bytes = stack_.bytes();
    Expect(
        std::equal(bytes.begin(), bytes.end(), model_.begin(), model_.end()));
    Expect(stack_.remaining() == stack_.capacity() - model_.size());
    Expect(stack_.empty() == model_.empty());
  }

  StackArena stack_;
  std::mt19937_64 random_;
  std::vector<std::byte> model_;
  std::vector<StackMarker> markers_;
  std::size_t errors_ = 0;
  std::size_t served_ = 0;
  std::size_t refused_ = 0;
};

TEST_CASE("StackArena model: random programs") {
  acre::Arena arena({.source = &acre::MallocSource::Instance()});
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    CAPTURE(seed);
    Program program(arena, seed, seed % 2 == 0 ? 100 + seed : 300);
    program.Run(10000);
    CHECK(program.errors() == 0);
    CHECK(program.served() > 1000);
    CHECK(program.refused() > 100);
  }
}

}  // namespace stack_arena_test
