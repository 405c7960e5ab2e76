// SPDX-License-Identifier: MIT
//
// Audits that run by themselves. Each audited arena has a Watch, made with its
// first chunk. Watches are never freed, only used again: a collector callback
// goes through their list at any moment.
//
//   collection, world stopped:  changed arenas --StoppedSweep--> ring
//   later, on the arena's thread, or where finalizers run:
//                               ring --paths--> report --> reporter, or stderr
//
// The ring is allocated before: the callback must not.

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
#include "acre/detail/around_fork.h"
#include "acre/detail/gc_events.h"
#include "acre/detail/location.h"
#include "acre/detail/path.h"
#include "acre/detail/watch.h"
#include "acre/failure.h"
#include "automatic/environment.h"
#include "automatic/finding_ring.h"
#include "automatic/late_throw.h"
#include "automatic/stopped_audit.h"
#include "automatic/tell_stopped.h"
#include "baseline.h"
#include "classify.h"
#include "tell_paths.h"

namespace acre::inline ACRE_ABI {
namespace detail {
namespace {

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

// Room for what one collection finds: at first, and at most.
constexpr std::size_t kFirstRing = 1024;
constexpr std::size_t kLargestRing = std::size_t{1} << 20;
// Collections for which findings wait for a thread that may look into their
// arena. It may never come back to it.
constexpr std::uint64_t kPatience = 3;

std::atomic<Ring*> g_ring{nullptr};  // made with the first watch
std::atomic<std::size_t> g_waiting_count{0};
std::atomic<bool> g_is_hooked{false};
std::atomic<std::uint64_t> g_collections{0};
std::atomic<std::uint64_t> g_audited{0};
std::atomic<std::uint64_t> g_unchanged{0};
std::atomic<std::uint64_t> g_busy{0};
std::atomic<std::uint64_t> g_findings{0};
std::atomic<std::uint64_t> g_lost{0};

std::atomic<Watch*> g_watches{nullptr};  // the list of all
std::atomic<Watch*> g_ended{nullptr};    // those whose arenas have ended
Watch* g_free = nullptr;                 // more of them; under g_lock
// Guards additions to the list, who takes from the ring, and what follows.
constinit std::mutex g_lock;
std::vector<FoundLeak>* g_waiting = nullptr;  // for threads of their arenas

/// In place of the watch in use: the caller holds the lock of the host.
// NOLINTNEXTLINE(readability-identifier-naming): no address is a constexpr
const Watch* const kAllHostLocked =
    reinterpret_cast<const Watch*>(std::uintptr_t{1});

/// Whether findings wait for a thread that may look into their arena.
enum class Patience : std::uint8_t { kNone, kLong };

void HookCollector();
void TellRing(const Watch* in_use, Patience patience);

/// True while this thread tells: what that allocates and frees is not audited,
/// and nothing else is told meanwhile.
thread_local bool t_is_telling = false;

/// Sets it while it lives, whatever is thrown meanwhile.
class Telling {
 public:
  Telling() : outer_(t_is_telling) { t_is_telling = true; }
  Telling(const Telling&) = delete;
  Telling& operator=(const Telling&) = delete;
  ~Telling() { t_is_telling = outer_; }

 private:
  const bool outer_;
};

}  // namespace

// ------------------------------------------------------------------- watches

/// What the public functions here ask of a watch: several copies of acre may
/// have an auditor, and the arena's may be another one's.
class PolicyWatch : public ArenaWatch {
 public:
  virtual void set_policy(const AuditPolicy& policy) = 0;
  virtual const AuditPolicy& policy() const = 0;
  virtual AuditReport TakeKept(Arena& arena) = 0;

 protected:
  ~PolicyWatch() = default;
};

class Watch final : public PolicyWatch {
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
  void BeforeEnd(Arena& arena) noexcept override {
    RunKeeping([&] {
      TellPending(false);
      if (policy_.on_reset) RunAudit(arena);
      if (!kept_.findings.empty()) Tell(TakeAll(arena), AuditAction::kReport);
    });
  }
  void AfterReset(Arena&) override {
    if (told_.load() == nullptr) return;
    Forget([](const Told& told) {
      const Location where = Locate(reinterpret_cast<const void*>(told.slot));
      return where.place != Place::kLive;
    });
  }
  void Ended() noexcept override;

  void Start(const ArenaEntry& entry, const Arena& arena) {
    ++era_;
    name_ = arena.name();
    is_host_locked_ = arena.options().use == ArenaUse::kHostLocked;
    takes_ = 0;
    audit_.Start();
    delete told_.exchange(nullptr);
    lost_.store(0);
    kept_ = {};
    set_policy(kDefaultAuditPolicy);
    entry_.store(&entry);
  }

  /// The arena, while it lives.
  Arena* arena() const {
    const ArenaEntry* entry = entry_.load();
    return entry == nullptr ? nullptr : ArenaIn(*entry);
  }
  std::uint64_t era() const { return era_; }

  /// True where the calling thread may look into the arena, which lives.
  bool MayRead(const Arena& arena, const Watch* in_use) const {
    if (is_host_locked_) return in_use == this || in_use == kAllHostLocked;
    // Release builds do not know who uses it.
    return kChecked ? IsUsedHere(arena) : in_use == this;
  }

  /// Whether findings wait for such a thread; in release builds for its lock.
  bool Waits() const { return kChecked || is_host_locked_; }

  void set_policy(const AuditPolicy& policy) override {
    policy_ = InForce(policy);
    audits_collections_.store(policy_.on_collection);
    action_.store(policy_.action);
    audit_.set_tracking(policy_.tracking);
  }
  const AuditPolicy& policy() const override { return policy_; }
  AuditReport TakeKept(Arena& arena) override {
    is_taking_ = true;
    RunKeeping([&] { TellPending(false); });
    is_taking_ = false;
    return TakeAll(arena);
  }
  /// Any thread may ask.
  AuditAction action() const { return action_.load(); }

  /// In a collection, with the world stopped.
  void AuditStopped() {
    const Arena* arena = this->arena();
    if (!MayAudit(arena)) return;
    if (!Stands(*arena)) {
      g_busy.fetch_add(1);
      return;
    }
    const std::uint64_t lost = g_lost.load();
    const bool has_changed = audit_.Run(*arena, &IsKnownTo, &KeepFor, this);
    (has_changed ? g_audited : g_unchanged).fetch_add(1);
    if (g_lost.load() != lost) audit_.SweepAll();
  }

  /// In a collection, when it has marked.
  void AuditMarked() {
    const Arena* arena = this->arena();
    if (!MayAudit(arena) || !Stands(*arena)) return;
    audit_.RunMarked(*arena, &KeepFor, this);
  }

  /// Those of its findings in the ring. `may_read`: this thread may look into
  /// the arena.
  void TellFound(const std::vector<StoppedFinding>& found, bool may_read);

  Watch* next = nullptr;       // in g_watches
  Watch* next_free = nullptr;  // among those whose arenas have ended

 private:
  bool MayAudit(const Arena* arena) const {
    return arena != nullptr && audits_collections_.load() &&
           AreBlocksKnown(*arena);
  }
  void TellPending(bool may_throw = true) {
    if (t_is_telling) return;
    if (may_throw) ThrowLate();
    const bool is_pending =
        !g_ring.load()->is_empty() || g_waiting_count.load() != 0;
    if (is_pending) TellRing(this, Patience::kLong);
  }

  static bool IsKnownTo(const void* self, const StoppedFinding& finding) {
    return static_cast<const Watch*>(self)->IsKnown(finding);
  }
  bool IsKnown(const StoppedFinding& finding) const {
    const ToldSet* told = told_.load();
    return told != nullptr && std::binary_search(told->begin(), told->end(),
                                                 Told{~finding.hidden_slot,
                                                      ~finding.hidden_address});
  }

  static void KeepFor(void* self, const StoppedFinding& finding) {
    static_cast<Watch*>(self)->Keep(finding);
  }
  void Keep(const StoppedFinding& finding) {
    if (IsKnown(finding)) return;
    if (g_ring.load()->Add({this, era_, g_collections.load(), finding})) {
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
  }

  /// A collection may look at any moment, at the old set or at the new one.
  void Replace(ToldSet told) {
    delete told_.exchange(told.empty() ? nullptr
                                       : new ToldSet(std::move(told)));
  }

  void RunAudit(Arena& arena) {
    if (t_is_telling) return;
    const Telling telling;
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
    const Telling telling;
    if (arena() != nullptr && (is_taking_ || action() == AuditAction::kKeep)) {
      const std::lock_guard<std::mutex> hold(g_lock);
      AppendFindings(kept_, report);
    } else {
      Tell(report, action());
    }
  }

  AuditReport TakeAll(const Arena& arena) {
    AuditReport report;
    {
      const std::lock_guard<std::mutex> hold(g_lock);
      std::swap(report, kept_);
    }
    report.arena = arena.name();
    return report;
  }

  std::atomic<const ArenaEntry*> entry_{nullptr};  // null: free for another
  std::uint64_t era_ = 0;
  std::string name_;  // of the arena, which may be gone
  bool is_host_locked_ = false;
  AuditPolicy policy_;  // read by the thread that uses the arena
  std::atomic<AuditAction> action_{AuditAction::kReport};  // of policy_
  std::atomic<bool> audits_collections_{false};
  std::size_t takes_ = 0;
  StoppedAudit audit_;
  std::atomic<std::size_t> lost_{0};           // findings that found no room
  std::atomic<const ToldSet*> told_{nullptr};  // owned, replaced as a whole
  AuditReport kept_;                           // until they are taken
  std::atomic<bool> is_taking_{false};
};

namespace {

void OnCollection(CollectionEvent event) {
  if (event == CollectionEvent::kStopped) g_collections.fetch_add(1);
  for (Watch* watch = g_watches.load(); watch != nullptr; watch = watch->next) {
    if (event == CollectionEvent::kStopped) {
      watch->AuditStopped();
    } else {
      watch->AuditMarked();
    }
  }
}

}  // namespace

/// In a collection too: without a lock. Only whole lists are taken from there.
void Watch::Ended() noexcept {
  if (entry_.exchange(nullptr) == nullptr) return;
  next_free = g_ended.load();
  while (!g_ended.compare_exchange_weak(next_free, this)) {
  }
}

void Watch::TellFound(const std::vector<StoppedFinding>& found, bool may_read) {
  AuditReport report;
  report.arena = name_;
  report.note = "found at a collection, with the world stopped";
  report.omitted = lost_.exchange(0);
  if (report.omitted != 0) {
    report.note +=
        "; those not listed found no room, and their targets are "
        "gone by now: AuditAll shows where they were";
  }
  for (const StoppedFinding& stopped : found) {
    report.findings.push_back(FindingFrom(stopped, may_read));
  }
  KeepNew(report.findings);
  if (report.findings.empty()) return;
  const Arena* arena = this->arena();
  if (!kChecked) {
    report.note += "; a release build does not know the way from the roots";
  } else if (may_read && arena != nullptr) {
    detail::TellPaths(*arena, report.findings);
  } else if (arena != nullptr) {
    report.note +=
        "; told by a thread that does not use the arena: without the way from "
        "the roots";
  }
  TellFindings(report);
}

namespace {

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

/// What is to be told now, by watch, and whether this thread may look into the
/// arena; the rest waits. Requires g_lock.
struct ToTell {
  Watch* watch;
  bool may_read;
  std::vector<StoppedFinding> findings;
};
std::vector<ToTell> TakeFound(const Watch* in_use, Patience patience) {
  std::vector<ToTell> found;
  if (g_waiting == nullptr) g_waiting = new std::vector<FoundLeak>;
  std::vector<FoundLeak> leaks;
  leaks.swap(*g_waiting);
  Ring& ring = *g_ring.load();
  while (!ring.is_empty()) leaks.push_back(ring.Take());
  GrowRing(leaks.size());
  for (const FoundLeak& leak : leaks) {
    if (leak.watch->era() != leak.era) continue;  // another arena's by now
    const Arena* arena = leak.watch->arena();
    const bool may_read =
        arena != nullptr && leak.watch->MayRead(*arena, in_use);
    const bool may_wait = arena != nullptr && !may_read &&
                          leak.watch->Waits() && patience == Patience::kLong &&
                          leak.watch->action() != AuditAction::kAbort &&
                          g_collections.load() - leak.collection < kPatience;
    if (may_wait) {
      g_waiting->push_back(leak);
      continue;
    }
    if (found.empty() || found.back().watch != leak.watch) {
      found.push_back({leak.watch, may_read, {}});
    }
    found.back().findings.push_back(leak.finding);
  }
  g_waiting_count.store(g_waiting->size());
  return found;
}

/// Tells what concerns arenas of this thread, arenas that are gone, what has
/// waited long enough, and what is to stop the program. `in_use`: the watch of
/// the arena that is being used.
void TellRing(const Watch* in_use, Patience patience) {
  if (g_ring.load() == nullptr) return;
  std::vector<ToTell> found;
  {
    const std::lock_guard<std::mutex> hold(g_lock);
    found = TakeFound(in_use, patience);
  }
  for (const ToTell& tell : found) {
    tell.watch->TellFound(tell.findings, tell.may_read);
  }
}

/// Where the program runs finalizers.
void TellAfterCollection() {
  RunKeeping([] { TellRing(nullptr, Patience::kLong); });
}

void TellAtExit() {
  RunKeeping([] { TellRing(nullptr, Patience::kNone); });
}

void HookCollector() {
  if (!RunAfterCollections(&TellAfterCollection)) return;
  if (!PageSweep::MakeRoom()) return;  // there may be at the next allocation
  g_is_hooked.store(AddCollectionHook(&OnCollection));
}

__attribute__((constructor)) void TakeLockAroundFork() {
  TakeAroundFork(g_lock, LockRank::kAudit);
}

Watch* StartWatch(const ArenaEntry& entry, const Arena& arena) {
  const std::lock_guard<std::mutex> hold(g_lock);
  if (g_ring.load() == nullptr) g_ring.store(new Ring(kFirstRing));
  if (g_free == nullptr) g_free = g_ended.exchange(nullptr);
  if (Watch* const watch = g_free) {
    g_free = watch->next_free;
    watch->Start(entry, arena);
    return watch;
  }
  auto* watch = new Watch;
  watch->Start(entry, arena);
  watch->next = g_watches.load();
  g_watches.store(watch);
  return watch;
}

ArenaWatch* MakeWatch(Arena& arena, const ArenaEntry& entry) {
  Watch* watch = StartWatch(entry, arena);
  // Its first chunk will come from the collector anyway. Each time: the host
  // may have set a callback of its own since.
  const bool uses_collector =
      arena.options().source == nullptr || arena.is_collected();
  if (uses_collector || IsCollectorRunning()) HookCollector();
  return watch;
}

PolicyWatch* FindWatch(Arena& arena) {
  // Only MakeWatch makes watches, this copy's or another's.
  return static_cast<PolicyWatch*>(WatchOf(arena));
}

// Before every static arena.
__attribute__((constructor(101))) void Install() {
  SetWatchMaker(&MakeWatch);
  std::atexit(&TellAtExit);
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

AuditReport TakeFindings(Arena& arena) {
  auto* watch = detail::FindWatch(arena);
  return watch == nullptr ? AuditReport{.arena = arena.name()}
                          : watch->TakeKept(arena);
}

AuditReporter SetAuditReporter(AuditReporter reporter) noexcept {
  return detail::g_reporter.exchange(reporter);
}

void FlushAudits() {
  detail::ThrowLate();
  detail::TellRing(detail::kAllHostLocked, detail::Patience::kLong);
}

CollectionAudits CollectionAuditsSoFar() noexcept {
  return {detail::g_audited, detail::g_unchanged, detail::g_busy,
          detail::g_findings, detail::g_lost};
}

}  // namespace acre::inline ACRE_ABI

// Whoever links libacre-audit asks for this name, and gets this file. Without
// clang's redzone under ASan, as linkers tell of symbols whose sizes differ.
#ifdef __clang__
#define ACRE_OF_FOUR_BYTES __attribute__((no_sanitize("address")))
#else
#define ACRE_OF_FOUR_BYTES
#endif
extern "C" const int acre_audit_automatic;
extern "C" ACRE_OF_FOUR_BYTES const int acre_audit_automatic = 1;
