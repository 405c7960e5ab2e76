// SPDX-License-Identifier: MIT
//
// Guards the sources over one range of addresses: MmapSource and
// SharedMemorySource, and views of shared memory in this and another process.

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <functional>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "acre/arena.h"
#include "acre/map.h"
#include "acre/mmap_source.h"
#include "acre/set.h"
#include "acre/shared_memory.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "support/death.h"

namespace range_source_test {

constexpr std::size_t kMiB = std::size_t{1} << 20;

struct Tick {
  std::int64_t price;
  std::int32_t volume;
};
ACRE_LAYOUT(Tick, price, volume)

struct Feed {
  acre::String name;
  acre::String symbol;
  acre::Vector<Tick> ticks;
  Tick* best = nullptr;
  std::int32_t foreign = 0;
  int* elsewhere = nullptr;
};
ACRE_LAYOUT(Feed, name, symbol, ticks, best, foreign, borrowed(elsewhere))

struct Other {
  int x = 0;
};
ACRE_LAYOUT(Other, x)

Feed* MakeFeed(acre::Arena& arena) {
  auto* feed = arena.New<Feed>();
  feed->name = "a name that is too long to stand inside";
  feed->symbol = "ACRE";
  for (int i = 0; i < 10000; ++i) feed->ticks.push_back({i * 10, i});
  feed->best = &feed->ticks[7000];
  return feed;
}

/// What a reader, wherever it maps, must find.
bool ReadsFeed(int fd) {
  const acre::SharedMemoryView view(fd);
  const Feed* feed = view.Root<Feed>();
  if (feed == nullptr) return false;
  const std::span<const char> name = view.Elements(feed->name);
  const std::span<const char> symbol = view.Elements(feed->symbol);
  const std::span<const Tick> ticks = view.Elements(feed->ticks);
  if (std::string(name.begin(), name.end()) !=
          "a name that is too long to stand inside" ||
      std::string(symbol.begin(), symbol.end()) != "ACRE" ||
      ticks.size() != 10000) {
    return false;
  }
  for (int i = 0; i < 10000; ++i) {
    if (ticks[i].price != i * 10 || ticks[i].volume != i) return false;
  }
  const Tick* best = view.Local(feed->best);
  return best == &ticks[7000] && view.Root<Other>() == nullptr;
}

std::size_t PageBytes() {
  return static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

/// Of this process, memory behind them or not. 0 where that is not told.
std::size_t KilobytesOfAddresses() {
  std::ifstream status("/proc/self/status");
  std::string word;
  std::size_t kilobytes = 0;
  while (status >> word) {
    if (word == "VmSize:") status >> kilobytes;
  }
  return kilobytes;
}

constexpr int kDied = 99;

/// The exit status of a child that runs `body`.
int InChild(const std::function<bool()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body() ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : kDied;
}

TEST_CASE("MmapSource: one chunk that grows in place") {
  acre::MmapSource source({.reserve = 256 * kMiB});
  REQUIRE(source.error() == 0);
  CHECK(source.reserved() == 256 * kMiB);
  CHECK(source.committed() == 0);
  {
    acre::Arena arena({.source = &source});
    const char* last = nullptr;
    for (int i = 0; i < 200000; ++i) {
      auto* block = static_cast<char*>(arena.Allocate(100));
      std::memset(block, i, 100);
      if (last != nullptr) CHECK(block == last + 112);
      last = block;
    }
    auto* large = static_cast<char*>(arena.Allocate(50 * kMiB));
    CHECK(large == last + 112);
    CHECK(arena.stats().chunks == 1);
    CHECK(source.committed() >= 70 * kMiB);
    CHECK(source.committed() < 90 * kMiB);
    CHECK(arena.Owns(last));
    CHECK(arena.Owns(large + 50 * kMiB - 1));
    CHECK(acre::ArenaOf(source.base()) == &arena);
  }
  CHECK(source.committed() == 0);
}

TEST_CASE("MmapSource: a Vector at the end grows without moving") {
  acre::MmapSource source({.reserve = 256 * kMiB});
  acre::Arena arena({.source = &source});
  acre::Vector<std::uint64_t> numbers(arena);
  numbers.push_back(0);
  const auto* data = numbers.data();
  for (std::uint64_t i = 1; i < 3000000; ++i) numbers.push_back(i);
  CHECK(numbers.data() == data);
  for (std::uint64_t i = 0; i < 3000000; i += 999) CHECK(numbers[i] == i);
}

TEST_CASE("MmapSource: the range is the limit; nothing is lost at it") {
  acre::MmapSource source({.reserve = 4 * kMiB});
  acre::Arena arena({.source = &source});
  std::size_t bytes = 0;
  while (arena.TryAllocate(1000) != nullptr) bytes += 1008;
  CHECK(bytes > 4 * kMiB - 8192);
  CHECK(arena.TryAllocate(5 * kMiB) == nullptr);
  arena.Reset();
  CHECK(arena.TryAllocate(3 * kMiB) != nullptr);
  acre::Arena second({.source = &source});
  CHECK(second.TryAllocate(16) == nullptr);
}

TEST_CASE("MmapSource: the arena's byte limit holds") {
  acre::MmapSource source({.reserve = 64 * kMiB});
  acre::Arena arena({.source = &source, .byte_limit = 3 * kMiB});
  while (arena.TryAllocate(5000) != nullptr) continue;
  CHECK(arena.stats().reserved <= 3 * kMiB);
  CHECK(arena.stats().carved > 2 * kMiB);
}

TEST_CASE("MmapSource: explicit commit, decommit on request") {
  acre::MmapSource source({.reserve = 64 * kMiB});
  CHECK(source.Commit(10 * kMiB));
  CHECK(source.committed() >= 10 * kMiB);
  CHECK_FALSE(source.Commit(65 * kMiB));
  acre::Arena arena({.source = &source});
  auto* block = static_cast<unsigned char*>(arena.Allocate(9 * kMiB));
  std::memset(block, 1, 9 * kMiB);
  arena.Reset();
  CHECK(source.committed() >= 10 * kMiB);
  arena.Reset(acre::ResetMode::kRelease);
  CHECK(source.committed() == 0);
  // The same addresses, with fresh memory behind them.
  auto* again = static_cast<unsigned char*>(arena.Allocate(9 * kMiB));
  CHECK(again == block);
  if constexpr (!acre::kChecked) CHECK(again[12345] == 0);
}

TEST_CASE("MmapSource: huge pages align the range") {
  acre::MmapSource source({.reserve = 16 * kMiB, .huge_pages = true});
  CHECK(reinterpret_cast<std::uintptr_t>(source.base()) % (2 * kMiB) == 0);
  acre::Arena arena({.source = &source});
  std::memset(arena.Allocate(5 * kMiB), 1, 5 * kMiB);
  CHECK(source.committed() % (2 * kMiB) == 0);
}

TEST_CASE("MmapSource: behind the range stands a guard page") {
  acre::MmapSource source({.reserve = kMiB});
  REQUIRE(source.Commit(kMiB));
  const auto* end = static_cast<const volatile char*>(source.base()) + kMiB;
  CHECK(*(end - 1) == 0);
  CHECK(InChild([&] {
          signal(SIGSEGV, SIG_DFL);
          return *end == 0;
        }) == kDied);
}

TEST_CASE("MmapSource: sizes are rounded up to pages of this system") {
  for (const std::size_t bytes :
       {std::size_t{1}, std::size_t{4096}, kMiB + 4096, kMiB + 20480}) {
    CAPTURE(bytes);
    acre::MmapSource source({.reserve = bytes, .commit_step = 4096});
    REQUIRE(source.error() == 0);
    CHECK(source.reserved() >= bytes);
    CHECK(source.reserved() < bytes + PageBytes());
    CHECK(source.reserved() % PageBytes() == 0);
    // Page by page; the last byte is data, and the next one the guard's.
    for (std::size_t at = 4096; at < source.reserved(); at += 4096) {
      REQUIRE(source.Commit(at));
      REQUIRE(source.committed() >= at);
      REQUIRE(source.committed() % PageBytes() == 0);
    }
    REQUIRE(source.Commit(source.reserved()));
    const auto* end =
        static_cast<const volatile char*>(source.base()) + source.reserved();
    CHECK(*(end - 1) == 0);
    CHECK(InChild([&] {
            signal(SIGSEGV, SIG_DFL);
            return *end == 0;
          }) == kDied);
  }
}

TEST_CASE("MmapSource: what is released has no memory, whatever the page") {
  acre::MmapSource source({.reserve = 4 * kMiB, .commit_step = 4096});
  {
    acre::Arena arena({.source = &source, .first_chunk = 4096});
    std::memset(arena.Allocate(20000), 1, 20000);
  }
  CHECK(source.committed() == 0);
  CHECK(InChild([&] {
          signal(SIGSEGV, SIG_DFL);
          return *static_cast<const volatile char*>(source.base()) == 0;
        }) == kDied);
  // Zeros, not what was there before.
  REQUIRE(source.Commit(20000));
  const auto* bytes = static_cast<const char*>(source.base());
  CHECK(std::count(bytes, bytes + 20000, 0) == 20000);
}

TEST_CASE("MmapSource: no address of a range stays taken") {
  const std::size_t before = KilobytesOfAddresses();
  REQUIRE(before != 0);
  for (int i = 0; i < 200; ++i) {
    acre::MmapSource huge({.reserve = 4 * kMiB, .huge_pages = true});
    acre::MmapSource small({.reserve = kMiB + 4096});
    acre::SharedMemorySource shared({.bytes = kMiB + 4096});
    REQUIRE(huge.error() + small.error() + shared.error() == 0);
  }
  // One page of each would be 2400 KiB, with 4 KiB a page.
  CHECK(KilobytesOfAddresses() < before + 1000);
}

TEST_CASE("MmapSource: an impossible range is an error, not a crash") {
  acre::MmapSource source({.reserve = SIZE_MAX});
  CHECK(source.base() == nullptr);
  CHECK(source.error() == ENOMEM);
  acre::Arena arena({.source = &source});
  CHECK(arena.TryAllocate(16) == nullptr);
}

TEST_CASE("MmapSource: a commit step beyond all memory is the range") {
  for (const bool huge : {false, true}) {
    for (const std::size_t step :
         {SIZE_MAX, SIZE_MAX - 4095, SIZE_MAX - 4094, SIZE_MAX / 2 + 1}) {
      acre::MmapSource source(
          {.reserve = 4 * kMiB, .commit_step = step, .huge_pages = huge});
      acre::Arena arena({.source = &source});
      CHECK(arena.TryAllocate(1000) != nullptr);
      CHECK(source.committed() == source.reserved());
    }
  }
}

TEST_CASE("MmapSource: must outlive its arena") {
  CHECK_DIES(
      {
        auto* source = new acre::MmapSource({.reserve = kMiB});
        acre::Arena arena({.source = source});
        static_cast<void>(arena.Allocate(16));
        delete source;
      },
      "ends before the arena");
}

TEST_CASE("model: marks, Free and containers over one growing chunk") {
  acre::MmapSource source({.reserve = 512 * kMiB});
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    CAPTURE(seed);
    acre::Arena arena({.source = &source, .first_chunk = 4096});
    std::mt19937_64 random(seed);
    std::vector<std::pair<unsigned char*, std::size_t>> live;
    std::size_t errors = 0;
    for (int i = 0; i < 20000; ++i) {
      if (random() % 3 != 0 || live.empty()) {
        const std::size_t size =
            random() % 50 == 0 ? random() % 400000 : random() % 600;
        auto* block = static_cast<unsigned char*>(arena.Allocate(size));
        std::memset(block, static_cast<int>(size % 251), size);
        live.emplace_back(block, size);
        continue;
      }
      std::swap(live[random() % live.size()], live.back());
      const auto [block, size] = live.back();
      live.pop_back();
      for (std::size_t n = 0; n < size; ++n) errors += block[n] != size % 251;
      arena.Free(block, size);
    }
    CHECK(errors == 0);
    CHECK(arena.stats().chunks == 1);
  }
}

TEST_CASE("SharedMemorySource: another process reads, wherever it maps") {
  acre::SharedMemorySource source({.bytes = 8 * kMiB});
  REQUIRE(source.error() == 0);
  acre::Arena arena({.source = &source});
  Feed* feed = MakeFeed(arena);
  source.SetRoot(feed);
  CHECK(ReadsFeed(source.fd()));
  CHECK(InChild([&] { return ReadsFeed(source.fd()); }) == 0);
  // Nothing in the reader depends on the writer's mapping.
  const int fd = dup(source.fd());
  arena.Reset();
  CHECK(acre::SharedMemoryView(fd).operator bool());
  close(fd);
}

TEST_CASE("SharedMemorySource: memory outlives the writer's objects") {
  int fd = -1;
  {
    acre::SharedMemorySource source({.bytes = 8 * kMiB});
    acre::Arena arena({.source = &source});
    source.SetRoot(MakeFeed(arena));
    fd = dup(source.fd());
    CHECK(ReadsFeed(fd));
  }
  // The arena gave its memory back: no root, and no crash.
  CHECK(acre::SharedMemoryView(fd).Root<Feed>() == nullptr);
  close(fd);
}

TEST_CASE("SharedMemorySource: a limit on the size of files is an error") {
  CHECK(InChild([] {
          rlimit limit{2 * kMiB, RLIM_INFINITY};
          if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
          const acre::SharedMemorySource beyond({.bytes = 2 * kMiB + 1});
          acre::SharedMemorySource fits({.bytes = 2 * kMiB});
          acre::Arena arena({.source = &fits});
          return beyond.fd() == -1 && beyond.error() == EFBIG &&
                 beyond.base() == nullptr && fits.error() == 0 &&
                 arena.TryAllocate(kMiB) != nullptr;
        }) == 0);
}

TEST_CASE("SharedMemorySource: no process can cut the memory of another") {
  acre::SharedMemorySource source({.bytes = 8 * kMiB});
  REQUIRE(source.error() == 0);
  acre::Arena arena({.source = &source});
  source.SetRoot(MakeFeed(arena));
  for (const off_t size : {off_t{0}, off_t{16 * kMiB}}) {
    CHECK(ftruncate(source.fd(), size) == -1);
    CHECK(errno == EPERM);
  }
  CHECK(ReadsFeed(source.fd()));
}

struct Book {
  acre::Map<std::uint32_t, std::int64_t> orders;
  acre::Map<acre::String, acre::Vector<std::int32_t>> by_name;
  acre::Set<std::int16_t> seen;
  acre::Set<std::int16_t> none;
};
ACRE_LAYOUT(Book, orders, by_name, seen, none)

TEST_CASE("SharedMemoryView: Maps and Sets are gone through") {
  acre::SharedMemorySource source({.bytes = 8 * kMiB});
  acre::Arena arena({.source = &source});
  Book* book = arena.New<Book>();
  for (int i = 0; i < 1000; ++i) {
    book->orders[static_cast<std::uint32_t>(i)] = i * 3;
  }
  for (int i = 0; i < 1000; i += 2) {
    book->orders.erase(static_cast<std::uint32_t>(i));
  }
  for (int i = 0; i < 40; ++i) {
    book->by_name["a name that is longer than a String " + std::to_string(i)]
        .resize(static_cast<std::size_t>(i), 7);
  }
  for (std::int16_t i = 0; i < 5; ++i) book->seen.insert(i);
  source.SetRoot(book);

  const acre::SharedMemoryView view(source.fd());
  const Book* read = view.Root<Book>();
  REQUIRE(read != nullptr);
  REQUIRE(read != book);
  std::size_t count = 0;
  auto expected = book->orders.begin();
  for (const auto& [number, value] : view.Elements(read->orders)) {
    CHECK(number == expected->first);  // the writer's order
    CHECK(value == 3 * static_cast<std::int64_t>(number));
    ++expected;
    ++count;
  }
  CHECK(count == 500);
  count = 0;
  for (const auto& [name, numbers] : view.Elements(read->by_name)) {
    const auto text = view.Elements(name);
    CHECK(std::string_view(text.data(), text.size()).starts_with("a name"));
    const auto list = view.Elements(numbers);
    CHECK(std::count(list.begin(), list.end(), 7) ==
          static_cast<std::ptrdiff_t>(list.size()));
    count += list.size();
  }
  CHECK(count == 40 * 39 / 2);
  std::set<std::int16_t> seen;
  for (const std::int16_t number : view.Elements(read->seen)) {
    seen.insert(number);
  }
  CHECK(seen == std::set<std::int16_t>{0, 1, 2, 3, 4});
  for (const std::int16_t number : view.Elements(read->none)) {
    CHECK(number == -1);  // there is none
  }

  // What lies elsewhere, or is being changed, has no elements.
  acre::Arena other;
  acre::Set<std::int16_t> elsewhere(other, {1, 2});
  CHECK(view.Elements(elsewhere).begin() == view.Elements(elsewhere).end());
  const acre::SharedMemoryView writer(
      source.fd(), acre::SharedMemoryView::Access::kReadWrite);
  const auto offset = static_cast<std::size_t>(
      reinterpret_cast<const char*>(read) -
      reinterpret_cast<const char*>(view.Bytes(0, 1).data()));
  for (std::size_t word = 0; word < sizeof(Book) / 8; ++word) {
    for (const int fill : {0, 1, 0x55, 0xff}) {
      const auto bytes = writer.Bytes(offset + 8 * word, 8);
      std::byte before[8];
      std::memcpy(before, bytes.data(), 8);
      std::memset(bytes.data(), fill, 8);
      std::uint64_t sum = 0;
      for (const auto& [number, value] : view.Elements(read->orders)) {
        sum += static_cast<std::uint64_t>(value);
      }
      for (const std::int16_t number : view.Elements(read->seen)) {
        sum += static_cast<std::uint64_t>(number);
      }
      CHECK(sum != 1);  // read, whatever it is
      std::memcpy(bytes.data(), before, 8);
    }
  }
}

TEST_CASE("SharedMemoryView: a String of any bytes gives what is inside" *
          doctest::skip(acre::kChecked)) {  // where it is misuse
  acre::SharedMemorySource source({.bytes = kMiB});
  acre::Arena arena({.source = &source});
  auto* const text = arena.New<acre::String>("short");
  source.SetRoot(text);
  const acre::SharedMemoryView view(source.fd());
  const auto* const first = view.Bytes(0, kMiB).data();
  const auto* const read = view.Root<acre::String>();
  REQUIRE(read != nullptr);
  char good[sizeof(acre::String)];
  std::memcpy(good, static_cast<const void*>(text), sizeof good);
  std::mt19937 random(1);
  std::size_t outside = 0;
  std::size_t found = 0;
  for (int i = 0; i < 200000; ++i) {
    char bytes[sizeof good];
    std::memcpy(bytes, good, sizeof good);
    for (std::size_t j = 1 + random() % sizeof bytes; j != 0; --j) {
      bytes[random() % sizeof bytes] =
          static_cast<char>(random() % 3 != 0 ? 0xff : random());
    }
    std::memcpy(static_cast<void*>(text), bytes, sizeof bytes);
    const std::span<const char> told = view.Elements(*read);
    if (told.empty()) continue;
    ++found;
    const auto* const at = reinterpret_cast<const std::byte*>(told.data());
    const bool is_inside =
        at >= first && at < first + kMiB && told.size() <= kMiB - (at - first);
    outside += is_inside ? 0 : 1;
  }
  CHECK(outside == 0);
  CHECK(found > 1000);
  std::memcpy(static_cast<void*>(text), good, sizeof good);
  CHECK(view.Elements(*read).size() == 5);
}

TEST_CASE("SharedMemorySource: one that was refused has no root to set") {
  CHECK(InChild([] {
          rlimit limit{kMiB, RLIM_INFINITY};
          if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
          acre::SharedMemorySource refused({.bytes = 2 * kMiB});
          refused.SetRoot(static_cast<const Other*>(nullptr));
          return refused.fd() == -1;
        }) == 0);
}

TEST_CASE("SharedMemoryView: bounds and types are checked") {
  acre::SharedMemorySource source({.bytes = kMiB});
  acre::Arena arena({.source = &source});
  const acre::SharedMemoryView empty(source.fd());
  CHECK(empty.Root<Feed>() == nullptr);
  Feed* feed = MakeFeed(arena);
  source.SetRoot(feed);
  acre::SharedMemoryView view(source.fd());
  int local = 0;
  CHECK(view.Local(&local) == nullptr);
  CHECK(view.Local(feed->best, SIZE_MAX) == nullptr);
  CHECK(view.Local(feed->best, kMiB) == nullptr);
  CHECK(view.Local(reinterpret_cast<Tick*>(reinterpret_cast<char*>(feed->best) +
                                           1)) == nullptr);
  CHECK(view.Bytes(0, kMiB).size() == kMiB);
  CHECK(view.Bytes(1, kMiB).empty());
  CHECK(view.Bytes(SIZE_MAX, 2).empty());
  CHECK_DIES(source.SetRoot(
                 static_cast<const Other*>(static_cast<const void*>(&local))),
             "not an object in this shared memory");
  acre::SharedMemoryView moved = std::move(view);
  CHECK(moved.Root<Feed>() != nullptr);
  CHECK_FALSE(view.operator bool());  // NOLINT(bugprone-use-after-move)
}

TEST_CASE("SharedMemoryView: what is no shared memory is an error") {
  const acre::SharedMemoryView closed(-1);
  CHECK_FALSE(closed.operator bool());
  CHECK(closed.error() == EBADF);
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  CHECK(acre::SharedMemoryView(ends[0]).error() == EINVAL);
  close(ends[0]);
  close(ends[1]);
  CHECK(acre::SharedMemoryView().Root<Feed>() == nullptr);
}

}  // namespace range_source_test
