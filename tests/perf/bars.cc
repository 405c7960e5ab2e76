// SPDX-License-Identifier: MIT
//
// The bars, and judging by them.

#include "bars.h"

#include <cmath>
#include <regex>
#include <set>

namespace perf {
namespace {

#define MAP_OPERATIONS "(grow|reserved|hit|miss|churn)"

constexpr char kSameHash[] = "boost|absl|tsl|std";

constexpr Bar kBars[] = {
    // An arena without freelists is a bump allocator, one with them does what
    // the hand-written one with them does.
    {"alloc/New (16|64) B, 4k", "acre::BumpArena", "bumpalo", 1.05},
    {"alloc/New (16|64) B, 4k", "acre::BumpArena", "pmr, big buffer", 0.6},
    {"alloc/New (16|64) B, 4k", "acre::Arena", "hand bump, freelists", 1.1},
    {"alloc/New (16 B|64 B|mixed), 1M", "acre::BumpArena", "hand bump", 1.05},
    {"free/.*", "acre::Arena", "mimalloc", 0.65},
    {"footprint/.*", "acre::Arena", "", 1.1},
    {"alloc/Reset .*", "acre::Arena", "", 1000},
    {"alloc/an arena of ten objects", "acre::Arena", "pmr", 1.5},
    {"alloc/a collected arena of ten objects", "acre::Arena", "GC_malloc", 3},

    {"map/.* " MAP_OPERATIONS, "acre::Map", "boost|absl", 1.05},
    {"map/int .* hit", "acre::Map find()", "boost|boost, own hash", 0.85},
    {"map/int .* reserved", "acre::Map", "boost|boost, own hash", 0.9},
    {"small map/(int|string) [0-9]+", "acre::Map", "boost|absl|std", 0.7},
    {"small map/.* bytes", "acre::Map", "boost|absl|std", 1},
    // Tables that hash integers to themselves win look-ups where the table is
    // in cache, dense, or where one line less a look-up decides.
    {"map/int (.* 1e[37]|sequential .*) hit", "acre::Map", ".*", 1.6},
    {"map/(?!int (.* 1e[37]|sequential .*) hit).* " MAP_OPERATIONS, "acre::Map",
     ".*", 1.25},
    {"map/.* " MAP_OPERATIONS, "acre::Map", ".*", 0.88, true},
    // The same cells where every map has acre's hash.
    {"map/.* " MAP_OPERATIONS, "acre::Map", kSameHash, 1.25},
    {"map/.* " MAP_OPERATIONS, "acre::Map", kSameHash, 0.88, true},
    {"map/.* iterate", "acre::Map", "boost|absl", 0.5},
    {"map/.* bytes", "acre::Map", "boost", 1.0},

    {"vector/.*", "acre::Vector", "std, reserved", 1.15},
    {"vector/push_back 1e6", "acre::Vector", "std", 0.15},
    {"gc/.*", "acre::Arena", "GC_malloc", 0.001},
    {"gc/.*", "acre::Arena", "\\(empty heap\\)", 3},
    {"gc/.*", "acre::Arena, MmapSource", "\\(empty heap\\)", 3},
    {"copy/tree, by value", "acre::DeepCopy", "memcpy", 3},
    {"copy/(tree of pointers|graph|a world .*)", "acre::DeepCopy", "memcpy", 6},
    {"copy/tree of pointers", "acre::DeepCopy", "\\(by hand\\)", 1.15},
    {"copy/graph", "acre::DeepCopy", "\\(by hand\\)", 1.2},
    {"copy/.*, threads", "two threads", "one thread", 0.6},
    {"audit/.*", "acre::Audit", "GC_gcollect", 0.12},
    // What a program feels that runs with audits on.
    // Nothing but allocation; a program has more to do.
    {"sampled/New .*", "one in 1000", "none", 1.05},
    {"sampled/(?!New ).*", "one in 1000", "none", 1.5},
    {"checked/collection, nothing changed", "acre", "mark of .*", 0.01},
    {"checked/collection, 1 % changed", "acre", "mark of .*", 0.1},
    {"checked/collection, all changed", "acre", "mark of .*", 1},
    {"checked/AuditAll", "acre", "mark of .*", 2},
    {"history/capture, same pages", "acre::History", "memcpy", 1 / 40.0},
    {"history/capture, other pages", "acre::History", "memcpy", 1 / 25.0},
    {"history/capture, .*", "acre::History, comparing", "memcpy", 1.2},
    {"history/8 back, same pages", "acre::History", "memcpy", 1 / 40.0},
    {"history/8 back, other pages", "acre::History", "memcpy", 1 / 4.0},
    {"history/bytes .*", "acre::History", "the arena", 1.2},
    {"history/graph .*", "acre::Checksum", "acre::Audit", 1.2},
    {"history/graph .*", "acre::Diff", "acre::Audit", 2.0},
    {"saved/save, .*", "acre::Save", "write\\(2\\)", 1.2},
    {"saved/load, .*", "acre::LoadArena", "read\\(2\\)", 1.5},
    {"saved/map elsewhere, .*", "acre::MapArena", "acre::DeepCopy", 0.5},
    {"saved/map, .*", "acre::MapArena", "a millisecond", 1.0},
    {"border/read", "acre::GcRef", "a pointer", 1.05},
    {"border/lock", "acre::GcWeakRef", "a nanosecond", 2},
    {"border/assign, first time", "acre::GcRef", "a nanosecond", 30},
    {"border/assign", "acre::GcRef", "a nanosecond", 4},
    {"border/collection, 1M weak", "acre::GcWeakRef", "without them", 1.7},
    {"border/collection, all .*", "traced", "typed objects", 0.55},
    {"border/collection, all .*", "traced", "typed graph", 1 / 3.0},
    {"border/collection, 1 % .*", "traced", "typed graph", 1 / 25.0},
    {"border/New.*", "traced", "not traced", 1.3},
    {"border/ten cells leave", "acre::Escape", "by hand", 1.5},
    {"border/1M nodes leave", "acre::Escape", "acre::DeepCopy", 2},
    {"c/look up, .*", "C", "C\\+\\+", 1.3},
    // 1.9 times the tasks in the same time.
    {"pool/.*", "acre::ArenaPool, 2 threads", "acre::ArenaPool", 1 / 1.9},
    {"trees/.*", "acre::Arena", "GC_malloc", 0.2},
    {"trees/.*", "acre::Arena", "malloc", 1.0},
    {"trees/.*", "acre::Arena", "pmr", 1.0},
    {"json/.*, to structs", "acre::FromJson", "simdjson, DOM alone", 1 / 0.85},
    {"json/.*, to structs", "acre::FromJson", "RapidJSON, exact DOM", 1 / 2.5},
    {"json/.*, to structs", "acre::FromJson", "nlohmann", 1 / 12.0},
    {"json/.*, to values", "acre::Json", "simdjson, DOM alone", 1 / 0.75},
    {"json/.*, to values", "acre::Json", "Boost.JSON, monotonic", 1.0},
    {"json/.*, written", "acre::ToJson", "RapidJSON, Writer", 1 / 2.0},
    {"json/.*, written", "acre::ToJson", "nlohmann", 1 / 8.0},
    {"json/.* bytes", "acre::Json", "Boost.JSON", 0.8},
    {"compile/one Map.*", "acre::Map", "std", 1.2},
    {"compile/containers.*", "acre::Map", "std", 1.1},
};

#undef MAP_OPERATIONS

bool Matches(const std::string& text, const char* expression) {
  return std::regex_match(text, std::regex(expression));
}

Verdict Absolute(const Cell& cell, const Series& subject, const Bar& bar) {
  const double reached = subject.median();
  const Ratio ratio = RatioOf(
      subject, {"", std::vector<double>(subject.values.size(), bar.limit)});
  return {cell.full_name(),
          subject.implementation,
          reached,
          "",
          bar.limit,
          ratio,
          &bar,
          reached <= bar.limit};
}

Verdict Against(const Cell& cell, const Series& subject, const Series& peer,
                const Bar* bar) {
  const Ratio ratio = RatioOf(subject, peer);
  return {cell.full_name(),
          subject.implementation,
          subject.median(),
          peer.implementation,
          peer.median(),
          ratio,
          bar,
          bar == nullptr || ratio.median <= bar->limit};
}

// False where the subject or all its peers are absent.
bool JudgeCell(const Cell& cell, const Bar& bar, Verdict* verdict) {
  const Series* subject = cell.Find(bar.subject);
  if (subject == nullptr) return false;
  if (*bar.peers == '\0') {
    *verdict = Absolute(cell, *subject, bar);
    return true;
  }
  const Series* peer = BestPeer(cell, bar.peers);
  if (peer == nullptr) return false;
  *verdict = Against(cell, *subject, *peer, &bar);
  return true;
}

Verdict MeanOf(const std::vector<Verdict>& verdicts, const Bar& bar) {
  double sum = 0;
  Ratio ratio = verdicts[0].ratio;
  for (const Verdict& verdict : verdicts) {
    sum += std::log(verdict.ratio.median);
    ratio.least = std::min(ratio.least, verdict.ratio.median);
    ratio.greatest = std::max(ratio.greatest, verdict.ratio.median);
  }
  ratio.median = std::exp(sum / static_cast<double>(verdicts.size()));
  const std::string cell =
      "mean of " + std::to_string(verdicts.size()) + " cells above";
  return {cell,         bar.subject, std::nan(""), "best of each",
          std::nan(""), ratio,       &bar,         ratio.median <= bar.limit};
}

// Cells that no bar has spoken of, against the best of all.
void AddOthers(const Results& results, std::vector<Verdict>* verdicts) {
  std::set<std::string> judged;
  for (const Verdict& verdict : *verdicts) judged.insert(verdict.cell);
  for (const Cell& cell : results.cells) {
    const Series* peer = BestPeer(cell, ".*");
    if (judged.count(cell.full_name()) != 0 || peer == nullptr) continue;
    for (const Series& series : cell.series) {
      if (!IsAcre(series.implementation)) continue;
      verdicts->push_back(Against(cell, series, *peer, nullptr));
      break;
    }
  }
}

}  // namespace

const Series* BestPeer(const Cell& cell, const char* peers) {
  const bool is_all = std::string_view(peers) == ".*";
  const Series* best = nullptr;
  for (const Series& series : cell.series) {
    const bool is_peer = is_all ? IsPeer(series.implementation)
                                : Matches(series.implementation, peers);
    if (!is_peer) continue;
    if (best == nullptr || series.median() < best->median()) best = &series;
  }
  return best;
}

std::vector<Verdict> Judge(const Results& results) {
  std::vector<Verdict> verdicts;
  for (const Bar& bar : kBars) {
    std::vector<Verdict> of_bar;
    for (const Cell& cell : results.cells) {
      Verdict verdict;
      if (Matches(cell.full_name(), bar.cells) &&
          JudgeCell(cell, bar, &verdict)) {
        of_bar.push_back(verdict);
      }
    }
    if (of_bar.empty()) continue;
    if (bar.is_mean) of_bar = {MeanOf(of_bar, bar)};
    verdicts.insert(verdicts.end(), of_bar.begin(), of_bar.end());
  }
  AddOthers(results, &verdicts);
  return verdicts;
}

}  // namespace perf
