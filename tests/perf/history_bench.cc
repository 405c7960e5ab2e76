// SPDX-License-Identifier: MIT
//
// History over an arena of 16 MiB of which 1 % of the pages is written between
// two frames: the same pages each time, or others; against copying all of it by
// memcpy. Nanoseconds, the median, each in a process of its own. The pages that
// are written are first written outside of what is timed.
//
// And Checksum and Diff of the graph of a million nodes that is audited; a node
// counts once.

#include <cstring>
#include <memory>
#include <vector>

#include "acre/audit.h"
#include "acre/checksum.h"
#include "acre/diff.h"
#include "acre/history.h"
#include "acre/mmap_source.h"
#include "child.h"
#include "median.h"
#include "node.h"
#include "perf.h"

namespace perf {
namespace {

constexpr std::size_t kBytes = std::size_t{16} << 20;
constexpr std::size_t kPage = 4096;
constexpr std::size_t kPages = kBytes / kPage;

struct Case {
  bool is_same;
  acre::PageTracking tracking;
};

class World {
 public:
  explicit World(const Case& test) : test_(test) {
    bytes_ = static_cast<char*>(arena_.Allocate(kBytes));
    Random random(1);
    for (std::size_t at = 0; at < kBytes; at += sizeof(std::uint64_t)) {
      const std::uint64_t word = random.Next();
      std::memcpy(bytes_ + at, &word, sizeof word);
    }
  }

  acre::Arena& arena() { return arena_; }
  const char* bytes() const { return bytes_; }

  void Write() {
    Random random(test_.is_same ? 7 : ++tic_);
    for (std::size_t i = 0; i < kPages / 100; ++i) {
      const std::size_t page = random.Below(kPages);
      const std::size_t word = random.Below(kPage / sizeof(std::uint64_t));
      const std::uint64_t value = ++value_;
      std::memcpy(bytes_ + page * kPage + word * sizeof value, &value,
                  sizeof value);
    }
  }

 private:
  const Case test_;
  acre::MmapSource source_{{.reserve = std::size_t{1} << 30}};
  acre::Arena arena_{{.name = "world", .source = &source_}};
  char* bytes_;
  std::uint64_t tic_ = 100;
  std::uint64_t value_ = 0;
};

double Nanoseconds(const auto& work) { return 1e9 * Seconds(work); }

double TimeCopy(const Case& test) {
  World world(test);
  std::vector<char> copy(kBytes);
  std::vector<double> times;
  for (int i = 0; i < BySmoke(2, 60); ++i) {
    world.Write();
    times.push_back(Nanoseconds([&] {
      std::memcpy(copy.data(), world.bytes(), kBytes);
      Sink(copy.data());
    }));
  }
  return MedianOf(times);
}

double TimeCapture(const Case& test) {
  World world(test);
  acre::History history(world.arena(), {.tracking = test.tracking});
  static_cast<void>(history.Capture());
  std::vector<double> times;
  for (int i = 0; i < BySmoke(2, 120); ++i) {
    world.Write();
    times.push_back(Nanoseconds([&] { static_cast<void>(history.Capture()); }));
  }
  return MedianOf(times);
}

double TimeRestore(const Case& test) {
  World world(test);
  acre::History history(world.arena(), {.tracking = test.tracking});
  std::vector<double> times;
  for (int i = 0; i < BySmoke(1, 40); ++i) {
    const acre::FrameId frame = history.Capture();
    for (int k = 0; k < 8; ++k) {
      world.Write();
      static_cast<void>(history.Capture());
    }
    times.push_back(Nanoseconds([&] { history.Restore(frame); }));
  }
  return MedianOf(times);
}

/// Bytes of 16 frames.
double CountBytes(const Case& test) {
  World world(test);
  acre::History history(world.arena(), {.frames = 16});
  for (int i = 0; i < 16; ++i) {
    static_cast<void>(history.Capture());
    world.Write();
  }
  return static_cast<double>(history.bytes());
}

void AddCase(const std::string& cell, const std::string& name,
             double (*measure)(const Case&), Case test) {
  AddInChild("history", cell, name, [=] { return measure(test); });
}

// ------------------------------------------------------------------ the graph

double TimeWalks(std::size_t nodes, const auto& walk) {
  walk();
  std::vector<double> times;
  for (int i = 0; i < BySmoke(1, 3); ++i) {
    times.push_back(Nanoseconds(walk) / static_cast<double>(nodes));
  }
  return MedianOf(times);
}

double AuditGraph() {
  const GraphShape shape = CyclicShape();
  acre::Arena arena;
  const Node* nodes = MakeNodes(arena, shape);
  return TimeWalks(shape.size(),
                   [&] { Sink(acre::Audit(arena, *nodes).objects); });
}

double SumGraph() {
  const GraphShape shape = CyclicShape();
  acre::Arena arena;
  const Node* nodes = MakeNodes(arena, shape);
  return TimeWalks(shape.size(), [&] { Sink(acre::Checksum(arena, *nodes)); });
}

double DiffGraphs() {
  const GraphShape shape = CyclicShape();
  acre::Arena arenas[2];
  const Node* here = MakeNodes(arenas[0], shape);
  const Node* there = MakeNodes(arenas[1], shape);
  return TimeWalks(shape.size(),
                   [&] { Sink(acre::Diff(*here, *there).objects); });
}

void AddGraph(const char* name, double (*measure)()) {
  AddInChild("history", "graph of 1M nodes", name, measure);
}

}  // namespace

void DefineCells() {
  for (const bool is_same : {true, false}) {
    const std::string pages = is_same ? "same pages" : "other pages";
    const Case kernel{is_same, acre::PageTracking::kKernel};
    const Case comparing{is_same, acre::PageTracking::kComparing};
    AddCase("capture, " + pages, "acre::History", TimeCapture, kernel);
    AddCase("capture, " + pages, "acre::History, comparing", TimeCapture,
            comparing);
    AddCase("capture, " + pages, "memcpy", TimeCopy, kernel);
    AddCase("8 back, " + pages, "acre::History", TimeRestore, kernel);
    AddCase("8 back, " + pages, "acre::History, comparing", TimeRestore,
            comparing);
    AddCase("8 back, " + pages, "memcpy", TimeCopy, kernel);
    AddCase("bytes of 16 frames, " + pages, "acre::History", CountBytes,
            kernel);
    AddCase(
        "bytes of 16 frames, " + pages, "the arena",
        [](const Case&) { return static_cast<double>(kBytes); }, kernel);
  }
  AddGraph("acre::Checksum", SumGraph);
  AddGraph("acre::Diff", DiffGraphs);
  AddGraph("acre::Audit", AuditGraph);
}

}  // namespace perf
