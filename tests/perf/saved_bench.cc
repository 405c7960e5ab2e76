// SPDX-License-Identifier: MIT
//
// Saved arenas: of 16 MiB in one array, and the graph of a million nodes of
// which copies and audits are timed too; against write(2) and read(2) of as
// many bytes, and against DeepCopy into an arena. Nanoseconds, the median, each
// in a process of its own. Files are in the page cache; nothing waits for a
// disk.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "acre/deep_copy.h"
#include "acre/saved_arena.h"
#include "child.h"
#include "median.h"
#include "node.h"
#include "perf.h"

namespace perf {
namespace {

struct Array {
  std::span<std::uint64_t> words;
};
ACRE_LAYOUT(Array, words)

/// A file that is gone at the end.
class File {
 public:
  File()
      : path_((std::filesystem::temp_directory_path() /
               ("acre-perf-" + std::to_string(::getpid())))
                  .string()) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { ::unlink(path_.c_str()); }
  const char* path() const { return path_.c_str(); }

 private:
  std::string path_;
};

double Median(const auto& work, int times = 11) {
  std::vector<double> all;
  for (int i = 0; i < BySmoke(1, times); ++i)
    all.push_back(1e9 * Seconds(work));
  return MedianOf(all);
}

void Require(const acre::SaveError& error) {
  if (!error) return;
  std::fprintf(stderr, "%s\n", error.text().c_str());
  std::abort();
}

const Array* MakeArray(acre::Arena& arena, std::size_t bytes) {
  auto* const array = arena.New<Array>();
  array->words = arena.NewArray<std::uint64_t>(bytes / sizeof(std::uint64_t));
  Random random(1);
  for (std::uint64_t& word : array->words) word = random.Next();
  return array;
}

/// Calls measure(arena, root) with one of the worlds.
double OfArray(const auto& measure) {
  acre::Arena arena;
  return measure(arena, *MakeArray(arena, std::size_t{16} << 20));
}
double OfGraph(const auto& measure) {
  const GraphShape shape = CyclicShape();
  acre::Arena arena;
  return measure(arena, *MakeNodes(arena, shape));
}

template <class T>
std::size_t FileBytes(const acre::Arena& arena, const T& root) {
  const File file;
  Require(acre::Save(arena, root, file.path(), {.sync = false}));
  return std::filesystem::file_size(file.path());
}

constexpr auto kSave = [](acre::Arena& arena, const auto& root) {
  const File file;
  return Median([&] {
    // Where one is replaced, ext4 begins to write it to the disk at once.
    ::unlink(file.path());
    Require(acre::Save(arena, root, file.path(), {.sync = false}));
  });
};
constexpr auto kWrite = [](acre::Arena& arena, const auto& root) {
  const File file;
  const std::vector<char> bytes(FileBytes(arena, root), 'x');
  return Median([&] {
    ::unlink(file.path());
    const int fd = ::open(file.path(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    for (std::size_t at = 0; at < bytes.size();) {
      at += static_cast<std::size_t>(
          ::write(fd, bytes.data() + at, bytes.size() - at));
    }
    ::close(fd);
  });
};
constexpr auto kCopy = [](acre::Arena&, const auto& root) {
  return Median([&] {
    acre::Arena copy;
    Sink(acre::DeepCopy(copy, root));
  });
};

/// Opens a file that was saved; `in_the_way`: its address is taken.
template <bool loads, bool in_the_way>
struct Open {
  template <class T>
  double operator()(acre::Arena& arena, const T& root) const {
    const File file;
    const auto* const address = reinterpret_cast<const void*>(0x551000000000);
    Require(acre::Save(arena, root, file.path(),
                       {.address = address, .sync = false}));
    if (in_the_way) {
      ::mmap(const_cast<void*>(address), 4096, PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    }
    return Median([&] {
      const auto saved = loads ? acre::LoadArena<T>(file.path())
                               : acre::MapArena<T>(file.path());
      Require(saved.error());
      Sink(&saved.root());
    });
  }
};

constexpr auto kRead = [](acre::Arena& arena, const auto& root) {
  const File file;
  Require(acre::Save(arena, root, file.path(), {.sync = false}));
  const std::size_t size = std::filesystem::file_size(file.path());
  return Median([&] {
    auto* const bytes =
        static_cast<char*>(::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    ::madvise(bytes, size, MADV_HUGEPAGE);
    const int fd = ::open(file.path(), O_RDONLY | O_CLOEXEC);
    for (std::size_t at = 0; at < size;) {
      at += static_cast<std::size_t>(::read(fd, bytes + at, size - at));
    }
    ::close(fd);
    Sink(bytes);
    ::munmap(bytes, size);
  });
};

void AddCell(const std::string& cell, const std::string& name,
             double (*measure)()) {
  AddInChild("saved", cell, name, measure);
}

template <class Measure>
double TimeArray() {
  return OfArray(Measure());
}
template <class Measure>
double TimeGraph() {
  return OfGraph(Measure());
}

template <class Measure>
void AddBoth(const std::string& cell, const std::string& name, Measure) {
  AddCell(cell + ", 16 MiB in one array", name, &TimeArray<Measure>);
  AddCell(cell + ", graph of 1M nodes", name, &TimeGraph<Measure>);
}

double OpenLarge(std::size_t bytes) {
  acre::Arena arena;
  return Open<false, false>()(arena, *MakeArray(arena, bytes));
}

}  // namespace

void DefineCells() {
  AddBoth("save", "acre::Save", kSave);
  AddBoth("save", "write(2)", kWrite);
  AddBoth("load", "acre::LoadArena", Open<true, false>());
  AddBoth("load", "read(2)", kRead);
  AddBoth("map elsewhere", "acre::MapArena", Open<false, true>());
  AddBoth("map elsewhere", "acre::DeepCopy", kCopy);
  AddCell("map, 1 MiB", "acre::MapArena",
          [] { return OpenLarge(std::size_t{1} << 20); });
  AddCell("map, 1 GiB", "acre::MapArena",
          [] { return OpenLarge(BySmoke<std::size_t>(1, 1024) << 20); });
  for (const char* const size : {"1 MiB", "1 GiB"}) {
    AddCell("map, " + std::string(size), "a millisecond", [] { return 1e6; });
  }
}

}  // namespace perf
