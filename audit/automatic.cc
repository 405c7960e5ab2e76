// SPDX-License-Identifier: MIT
//
// Audits that run by themselves. Each checked arena has a Watch, made with its
// first chunk. Watches are never freed, only used again: a collector callback
// goes through their list at any moment.
//
//   collection, world stopped:  changed arenas --StoppedSweep--> ring
//   later, on the arena's thread, or where finalizers run:
//                               ring --paths--> report --> reporter, or stderr
//
// The ring is allocated before: the callback must not.

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "acre/audit_policy.h"
#include "acre/baseline.h"
#include "acre/detail/gc_events.h"
#include "acre/detail/location.h"
#include "acre/detail/watch.h"
#include "acre/failure.h"
#include "baseline.h"
#include "classify.h"
#include "path.h"
#include "stopped_sweep.h"
#include "tell_paths.h"

namespace acre::inline ACRE_ABI {
namespace detail {
namespace {

// ------------------------------------------------------------- environment

enum class Override : std::uint8_t { kNone, kOff, kReport, kAbort };

Override ReadOverride() {
  const char* value = std::getenv("ACRE_AUDIT");
  if (value == nullptr || value[0] == '\0') return Override::kNone;
  if (std::strcmp(value, "off") == 0) return Override::kOff;
  if (std::strcmp(value, "report") == 0) return Override::kReport;
  if (std::strcmp(value, "abort") == 0) return Override::kAbort;
  fmt::print(stderr, "acre: ACRE_AUDIT is '{}', not off, report or abort\n",
             value);
  return Override::kNone;
}

Override TheOverride() {
  static const Override override = ReadOverride();
  return override;
}

AuditPolicy InForce(AuditPolicy policy) {
  switch (TheOverride()) {
    case Override::kNone:
      break;
    case Override::kOff:
      return {.on_collection = false};
    case Override::kReport:
      policy.on_collection = true;
      policy.action = AuditAction::kReport;
      break;
    case Override::kAbort:
      policy.on_collection = true;
      policy.action = AuditAction::kAbort;
      break;
  }
  return policy;
}

// ----------------------------------------------------------------- reporting

std::atomic<AuditReporter> g_reporter{nullptr};

/// A finding that was told: the slot, and what it held.
struct Told {
  std::uintptr_t slot;
  std::uintptr_t address;

  friend bool operator<(const Told& a, const Told& b) {
    return a.slot != b.slot ? a.slot < b.slot : a.address < b.address;
  }
};
using ToldSet = std::vector<Told>;  // sorted

Told ToldOf(const Finding& finding) {
  return {reinterpret_cast<std::uintptr_t>(finding.slot),
          reinterpret_cast<std::uintptr_t>(finding.address)};
}

void Tell(const AuditReport& report, AuditAction action) {
  if (const AuditReporter reporter = g_reporter.load()) {
    reporter(report);
  } else {
    std::fputs(ToText(report, {.color = WantsColor(stderr)}).c_str(), stderr);
  }
  if (action == AuditAction::kAbort && NewFindings(report) != 0) {
    FailMisuse(
        "acre: audit of arena '%s': %zu new findings; ACRE_AUDIT=report "
        "or the arena's policy lets the program go on",
        report.arena.c_str(), NewFindings(report));
  }
}

// ------------------------------------------------------------------- watches

class Watch;

struct FoundLeak {
  Watch* watch = nullptr;
  std::uint64_t era = 0;  // of the watch: whose arena it was
  StoppedFinding finding = {};
};

/// From collections, which only add, to those who tell, which only take. What
/// finds no room is counted. Collections see either this ring or the next.
class Ring {
 public:
  explicit Ring(std::size_t size) : leaks_(size) {}

  /// With the world stopped. False where it is full.
  bool Add(const FoundLeak& leak) {
    const std::uint64_t end = end_.load();
    if (end - begin_.load() == leaks_.size()) return false;
    leaks_[end % leaks_.size()] = leak;
    end_.store(end + 1);
    return true;
  }
  bool is_empty() const { return begin_.load() == end_.load(); }
  std::size_t size() const { return leaks_.size(); }
  /// One at a time. Requires: not empty.
  FoundLeak Take() {
    const std::uint64_t begin = begin_.load();
    const FoundLeak leak = leaks_[begin % leaks_.size()];
    begin_.store(begin + 1);
    return leak;
  }

 private:
  std::atomic<std::uint64_t> begin_{0};
  std::atomic<std::uint64_t> end_{0};
  std::vector<FoundLeak> leaks_;
};

// Room for what one collection finds: at first, and at most.
constexpr std::size_t kFirstRing = 1024;
constexpr std::size_t kLargestRing = std::size_t{1} << 20;

std::atomic<Ring*> g_ring{nullptr};  // made with the first watch
std::atomic<std::size_t> g_waiting_count{0};
std::atomic<bool> g_is_hooked{false};
std::atomic<std::uint64_t> g_audited{0};
std::atomic<std::uint64_t> g_unchanged{0};
std::atomic<std::uint64_t> g_busy{0};
std::atomic<std::uint64_t> g_findings{0};
std::atomic<std::uint64_t> g_lost{0};

std::atomic<Watch*> g_watches{nullptr};  // the list of all
// Guards additions to the list, who takes from the ring, and what follows.
constinit std::mutex g_lock;
std::vector<FoundLeak>* g_waiting = nullptr;  // for threads of their arenas

void HookCollector();
void TellRing();

class Watch final : public ArenaWatch {
 public:
  void BeforeTake(Arena& arena) override {
    if (!g_is_hooked.load() && IsCollectorRunning()) HookCollector();
    TellPending();
    if (policy_.every_allocations == 0) return;
    if (++takes_ % policy_.every_allocations == 0) RunAudit(arena);
  }
  void BeforeFree(Arena& arena) override {
    TellPending();
    if (policy_.on_free) RunAudit(arena);
  }
  void BlockFreed(const void* block, std::size_t bytes) override {
    if (told_.load() == nullptr) return;
    const auto begin = reinterpret_cast<std::uintptr_t>(block);
    if (IsTold(begin, bytes)) {
      Forget([=](const Told& told) { return told.slot - begin < bytes; });
    }
  }
  void BeforeReset(Arena& arena) override {
    TellPending();
    if (policy_.on_reset) RunAudit(arena);
  }
  void AfterReset(Arena&) override {
    if (told_.load() == nullptr) return;
    Forget([](const Told& told) {
      const Location where = Locate(reinterpret_cast<const void*>(told.slot));
      return where.place != Place::kLive;
    });
  }
  void Ended() noexcept override { entry_.store(nullptr); }

  void Start(const ArenaEntry& entry) {
    ++era_;
    takes_ = 0;
    checksum_.store(0);
    borrows_.store(false);
    delete told_.exchange(nullptr);
    lost_.store(0);
    set_policy(kDefaultAuditPolicy);
    entry_.store(&entry);
  }
  bool is_free() const { return entry_.load() == nullptr; }

  /// The arena, while it lives.
  Arena* arena() const {
    const ArenaEntry* entry = entry_.load();
    return entry == nullptr ? nullptr : ArenaIn(*entry);
  }
  std::uint64_t era() const { return era_; }

  void set_policy(const AuditPolicy& policy) {
    policy_ = InForce(policy);
    audits_collections_.store(policy_.on_collection);
  }
  const AuditPolicy& policy() const { return policy_; }

  /// In a collection, with the world stopped.
  void AuditStopped() {
    const Arena* arena = this->arena();
    if (arena == nullptr || !audits_collections_.load()) return;
    if (IsUpdating(*arena)) {
      g_busy.fetch_add(1);
      return;
    }
    const std::uint64_t checksum = ChecksumOf(*arena);
    if (checksum == checksum_.load()) {
      g_unchanged.fetch_add(1);
      return;
    }
    g_audited.fetch_add(1);
    const std::uint64_t lost = g_lost.load();
    StoppedSweep(*arena, &KeepFor, this).Run();
    borrows_.store(BorrowedSweep(*arena, &KeepFor, this).IsNeeded());
    if (g_lost.load() == lost) checksum_.store(checksum);
  }

  /// In a collection, when it has marked: whether an arena has changed or not,
  /// what it borrows may be held no longer.
  void AuditMarked() {
    const Arena* arena = this->arena();
    if (arena == nullptr || !audits_collections_.load() || !borrows_.load() ||
        IsUpdating(*arena)) {
      return;
    }
    BorrowedSweep(*arena, &KeepFor, this).Run();
  }

  /// Those of its findings in the ring.
  void TellFound(const std::vector<StoppedFinding>& found);

  Watch* next = nullptr;  // in g_watches

 private:
  /// Set while it lives, whatever is thrown meanwhile.
  class Auditing {
   public:
    explicit Auditing(bool& flag) : flag_(flag), outer_(flag) { flag_ = true; }
    Auditing(const Auditing&) = delete;
    Auditing& operator=(const Auditing&) = delete;
    ~Auditing() { flag_ = outer_; }

   private:
    bool& flag_;
    const bool outer_;
  };

  void TellPending() {
    const bool is_pending =
        !g_ring.load()->is_empty() || g_waiting_count.load() != 0;
    if (is_pending && !is_auditing_) TellRing();
  }

  static void KeepFor(void* self, const StoppedFinding& finding) {
    static_cast<Watch*>(self)->Keep(finding);
  }
  void Keep(const StoppedFinding& finding) {
    const ToldSet* told = told_.load();
    const Told it{~finding.hidden_slot, ~finding.hidden_address};
    if (told != nullptr && std::binary_search(told->begin(), told->end(), it)) {
      return;
    }
    if (g_ring.load()->Add({this, era_, finding})) {
      g_findings.fetch_add(1);
    } else {
      g_lost.fetch_add(1);
      lost_.fetch_add(1);
    }
  }

  /// Takes out what was told before, and remembers the rest.
  void KeepNew(std::vector<Finding>& findings) {
    const std::lock_guard<std::mutex> hold(g_lock);
    std::set<Told> told;
    if (const ToldSet* old = told_.load()) told = {old->begin(), old->end()};
    std::erase_if(findings, [&](const Finding& finding) {
      return !told.insert(ToldOf(finding)).second;
    });
    Replace(ToldSet(told.begin(), told.end()));
  }

  /// True where a slot in these bytes was told.
  bool IsTold(std::uintptr_t begin, std::size_t bytes) const {
    const std::lock_guard<std::mutex> hold(g_lock);
    const ToldSet* told = told_.load();
    if (told == nullptr) return false;
    const auto first =
        std::lower_bound(told->begin(), told->end(), Told{begin, 0});
    return first != told->end() && first->slot - begin < bytes;
  }

  /// Memory that is used for something else now may be told anew.
  template <class Predicate>
  void Forget(Predicate is_gone) {
    const std::lock_guard<std::mutex> hold(g_lock);
    ToldSet told;
    if (const ToldSet* old = told_.load()) told = *old;
    if (std::erase_if(told, is_gone) == 0) return;
    Replace(std::move(told));
    checksum_.store(0);  // the same bytes would be news
  }

  /// A collection may look at any moment, at the old set or at the new one.
  void Replace(ToldSet told) {
    delete told_.exchange(told.empty() ? nullptr
                                       : new ToldSet(std::move(told)));
  }

  void RunAudit(Arena& arena) {
    if (is_auditing_) return;
    const Auditing auditing(is_auditing_);
    AuditReport report = AuditAll(arena);
    std::erase_if(report.findings, [](const Finding& finding) {
      // An object whose constructor is still running.
      constexpr std::uintptr_t kFresh = 0xACACACACACACACAC;
      return reinterpret_cast<std::uintptr_t>(finding.address) == kFresh;
    });
    KeepNew(report.findings);
    if (!report.findings.empty()) TellFindings(report);
  }

  void TellFindings(AuditReport& report) {
    ApplyBaseline(report);
    report.leak_count =
        report.omitted + static_cast<std::size_t>(std::count_if(
                             report.findings.begin(), report.findings.end(),
                             [](const Finding& f) { return f.is_leak(); }));
    const Auditing auditing(is_auditing_);  // the reporter may throw
    Tell(report, policy_.action);
  }

  std::atomic<const ArenaEntry*> entry_{nullptr};  // null: free for another
  std::uint64_t era_ = 0;
  AuditPolicy policy_;
  std::atomic<bool> audits_collections_{false};
  std::size_t takes_ = 0;
  bool is_auditing_ = false;
  std::atomic<std::uint64_t> checksum_{0};  // of the arena, when swept last
  std::atomic<bool> borrows_{false};        // from the collected heap, by then
  std::atomic<std::size_t> lost_{0};        // findings that found no room
  std::atomic<const ToldSet*> told_{nullptr};  // owned, replaced as a whole
};

void OnCollection(CollectionEvent event) {
  for (Watch* watch = g_watches.load(); watch != nullptr; watch = watch->next) {
    if (event == CollectionEvent::kStopped) {
      watch->AuditStopped();
    } else {
      watch->AuditMarked();
    }
  }
}

/// "Node[3]", or what else the row is whose element holds the slot.
std::string RowText(const StoppedFinding& stopped, std::size_t index) {
  std::string text = TypeText(stopped.row_type->name);
  if (stopped.is_held_outside) text = "(held from outside) " + text;
  return index == 0 && !stopped.is_held_outside
             ? text
             : text + fmt::format("[{}]", index);
}

/// As far as it is known without a walk: the field, and the object around it,
/// which may be gone by now and is not looked at.
void TellPlace(const StoppedFinding& stopped, Finding& finding) {
  const auto* slot = static_cast<const char*>(finding.slot);
  const auto* row = reinterpret_cast<const char*>(~stopped.hidden_row);
  const Location where = Locate(slot);
  const auto* end = static_cast<const char*>(where.block) + where.block_bytes;
  finding.path = TypeText(stopped.row_type->name);
  if (where.place != Place::kLive || slot < row || slot >= end ||
      where.block == nullptr || row < static_cast<const char*>(where.block)) {
    return;
  }
  const auto index =
      static_cast<std::size_t>(slot - row) / stopped.row_type->size;
  const char* object = row + index * stopped.row_type->size;
  finding.field = PathInside(*stopped.row_type, object, slot);
  finding.path = RowText(stopped, index) + finding.field;
}

std::string TargetText(const StoppedFinding& stopped) {
  if (stopped.target == Target::kCollectedArena) {
    return "a collected arena, before this collection";
  }
  if (stopped.hidden_base == 0) {
    return "memory of the collected heap, where the object was freed before";
  }
  return fmt::format(
      "collected object of {} bytes{} at {}, +{}, {}", stopped.target_bytes,
      stopped.is_pointer_free ? " without pointers" : "",
      reinterpret_cast<const void*>(~stopped.hidden_base),
      ~stopped.hidden_address - ~stopped.hidden_base,
      stopped.is_borrowed ? "which nobody held: this collection has freed it"
                          : "before this collection");
}

Finding FindingFrom(const StoppedFinding& stopped) {
  Finding finding;
  finding.kind = stopped.kind;
  finding.target = stopped.target;
  finding.slot = reinterpret_cast<const void*>(~stopped.hidden_slot);
  finding.address = reinterpret_cast<const void*>(~stopped.hidden_address);
  finding.type = stopped.is_borrowed ? std::string("what it borrows")
                                     : TypeText(stopped.type->name);
  TellPlace(stopped, finding);
  finding.what = TargetText(stopped);
  finding.hint = stopped.is_borrowed
                     ? "borrowed promises that the target is kept alive: keep "
                       "it where the collector looks"
                     : HintFor(stopped.target);
  return finding;
}

void Watch::TellFound(const std::vector<StoppedFinding>& found) {
  Arena* arena = this->arena();
  AuditReport report;
  report.arena = arena != nullptr ? arena->name() : "(gone)";
  report.note = "found at a collection, with the world stopped";
  report.omitted = lost_.exchange(0);
  if (report.omitted != 0) {
    report.note +=
        "; those not listed found no room, and their targets are "
        "gone by now: AuditAll shows where they were";
  }
  for (const StoppedFinding& stopped : found) {
    report.findings.push_back(FindingFrom(stopped));
  }
  KeepNew(report.findings);
  if (report.findings.empty()) return;
  if (arena != nullptr && IsUsedHere(*arena)) {
    detail::TellPaths(*arena, report.findings);
  }
  TellFindings(report);
}

/// Where the ring was full, the next one has room for four times as much.
/// Requires g_lock.
void GrowRing(std::size_t taken) {
  Ring* ring = g_ring.load();
  if (taken < ring->size() || ring->size() == kLargestRing) return;
  Ring* larger = new Ring(std::min(4 * ring->size(), kLargestRing));
  g_ring.store(larger);
  // A collection in between has added to the old one.
  while (!ring->is_empty()) larger->Add(ring->Take());
  delete ring;
}

/// Tells what concerns arenas of this thread, arenas that are gone, and what is
/// to stop the program; the rest waits for its threads.
void TellRing() {
  if (g_ring.load() == nullptr) return;
  std::vector<std::pair<Watch*, std::vector<StoppedFinding>>> found;
  {
    const std::lock_guard<std::mutex> hold(g_lock);
    if (g_waiting == nullptr) g_waiting = new std::vector<FoundLeak>;
    std::vector<FoundLeak> leaks;
    leaks.swap(*g_waiting);
    Ring& ring = *g_ring.load();
    while (!ring.is_empty()) leaks.push_back(ring.Take());
    GrowRing(leaks.size());
    for (const FoundLeak& leak : leaks) {
      if (leak.watch->era() != leak.era) continue;  // another arena's by now
      const Arena* arena = leak.watch->arena();
      if (arena != nullptr && !IsUsedHere(*arena) &&
          leak.watch->policy().action != AuditAction::kAbort) {
        g_waiting->push_back(leak);
        continue;
      }
      if (found.empty() || found.back().first != leak.watch) {
        found.emplace_back(leak.watch, std::vector<StoppedFinding>());
      }
      found.back().second.push_back(leak.finding);
    }
    g_waiting_count.store(g_waiting->size());
  }
  for (auto& [watch, findings] : found) watch->TellFound(findings);
}

void HookCollector() {
  if (!RunAfterCollections(&TellRing)) return;
  g_is_hooked.store(AddCollectionHook(&OnCollection));
}

Watch* StartWatch(const ArenaEntry& entry) {
  const std::lock_guard<std::mutex> hold(g_lock);
  if (g_ring.load() == nullptr) g_ring.store(new Ring(kFirstRing));
  for (Watch* watch = g_watches.load(); watch != nullptr; watch = watch->next) {
    if (!watch->is_free()) continue;
    watch->Start(entry);
    return watch;
  }
  auto* watch = new Watch;
  watch->Start(entry);
  watch->next = g_watches.load();
  g_watches.store(watch);
  return watch;
}

ArenaWatch* MakeWatch(Arena& arena, const ArenaEntry& entry) {
  Watch* watch = StartWatch(entry);
  // Its first chunk will come from the collector anyway. Each time: the host
  // may have set a callback of its own since.
  const bool uses_collector =
      arena.options().source == nullptr || arena.is_collected();
  if (uses_collector || IsCollectorRunning()) HookCollector();
  return watch;
}

Watch* FindWatch(Arena& arena) {
  // Only MakeWatch makes watches.
  return static_cast<Watch*>(WatchOf(arena));
}

// Before every static arena.
__attribute__((constructor(101))) void Install() {
  if (!kChecked) return;
  SetWatchMaker(&MakeWatch);
  std::atexit(&FlushAudits);
}

}  // namespace
}  // namespace detail

void SetAuditPolicy(Arena& arena, const AuditPolicy& policy) {
  if (auto* watch = detail::FindWatch(arena)) watch->set_policy(policy);
}

AuditPolicy AuditPolicyOf(Arena& arena) {
  const auto* watch = detail::FindWatch(arena);
  return watch == nullptr ? AuditPolicy{.on_collection = false}
                          : watch->policy();
}

AuditReporter SetAuditReporter(AuditReporter reporter) noexcept {
  return detail::g_reporter.exchange(reporter);
}

void FlushAudits() { detail::TellRing(); }

CollectionAudits CollectionAuditsSoFar() noexcept {
  return {detail::g_audited, detail::g_unchanged, detail::g_busy,
          detail::g_findings, detail::g_lost};
}

}  // namespace acre::inline ACRE_ABI

// Whoever links libacre-audit asks for this name, and gets this file.
extern "C" const int acre_audit_automatic;
extern "C" const int acre_audit_automatic = 1;
