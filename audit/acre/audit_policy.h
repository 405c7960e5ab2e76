// SPDX-License-Identifier: MIT
//
// Audits that run by themselves, in checked builds. Linking libacre-audit is
// enough: every arena is audited at each collection, with the world stopped,
// before the collector takes what leaked pointers lead to. What was found is
// reported (text on stderr, unless you set a reporter) as soon as the world
// runs again.
//
// gold, g++ -flto, and lld with --as-needed drop a library that nothing calls:
// add -Wl,-u,acre_audit_automatic, or --no-as-needed, as the pkg-config file
// does. Without an auditor the first arena on the collected heap says so, once,
// on stderr, unless ACRE_AUDIT is off. An arena whose source needs no
// collector, and that is older than the collector, is audited from the next
// block on that it hands out. Where the process has several copies of acre, an
// arena has the auditor of the copy that made it, or else one of another copy
// of the same version and mode. The functions below are about their own copy's;
// policies of arenas are about whichever it is.
//
//   acre::SetAuditPolicy(arena, {.on_reset = true});
//
//   ACRE_AUDIT=off ./game      # no audit runs by itself
//   ACRE_AUDIT=report ./game   # every arena at each collection, go on
//   ACRE_AUDIT=abort ./game    # the same, stop at the first new finding
//
// The variable overrides what the program says: "off" every audit that runs by
// itself, the others only the action (kKeep too), and that collections are
// audited. Another value is told on stderr, and ignored. A finding is reported
// once, until the block around its pointer is freed or given up. Findings of a
// baseline (<acre/baseline.h>) are reported, but do not stop.
//
// Release builds audit a part of those arenas whose options say so:
//
//   acre::Arena arena({.audit_one_in = 1000});  // one page in a thousand
//   ACRE_AUDIT_ONE_IN=1000 ./game               // of arenas that do not say
//
// Of the pages that are audited they know the blocks, as checked builds do of
// all: what is told is there. It is told by whoever comes first: a block that
// the arena hands out by its slow path, the thread that runs finalizers,
// FlushAudits, exit; of kHostLocked arenas by the next use that comes by the
// slow path, or FlushAudits. tests/perf/RESULTS.md has what it costs. All pages
// (audit_one_in = 1) are looked at as below; where there are fewer, each time.
//
// A host that sets a callback for events of the collector after its first arena
// chains to the one before, as acre does; else audits stop until the next arena
// is made.
//
// Findings at a collection are told by the thread that uses the arena, which
// may walk it for the path: by the next New, Free or Reset, by FlushAudits, or
// where that thread runs finalizers. After three more collections, at exit, or
// where the program is to stop, whoever runs finalizers tells them, with the
// field, but without the way from the roots. ArenaUse::kHostLocked: the use
// that comes next tells, whatever thread it is.
// At a collection leaks are looked for, in objects of registered types and in
// containers, wherever their handles lie; and borrowed fields whose target the
// collector frees, since nothing else holds it. An arena that another thread
// was changing at that moment is skipped (CollectionAuditsSoFar counts that);
// so is one whose user is a thread that the collector does not know and
// therefore does not stop (Scratch may be used there). A thread that is to be
// unregistered hands the arenas over that it goes on to use.
//
// What a collection looks at are pages that were written since the one before,
// and pages from where slots lead out of the arena, since what stands there may
// be something else by now: at each collection where they lead into memory of
// the collector, else where anything was written, or the heap has grown. (So
// what leads into the middle of a free run of its heap, and becomes a leak when
// that is given to somebody, is told when the arena is written next.)
//
// On Linux 6.7 and later the kernel tells which were written (userfaultfd,
// PAGEMAP_SCAN): a large arena to which nobody wrote costs next to nothing, but
// each page then costs a fault when it is written first. Else pages are
// compared, by a checksum, which reads all of the arena. Pages of an arena that
// has a History are compared, too.

#ifndef ACRE_AUDIT_POLICY_H_
#define ACRE_AUDIT_POLICY_H_

#include <cstddef>
#include <cstdint>

#include "acre/arena.h"
#include "acre/audit.h"
#include "acre/config.h"
#include "acre/page_tracking.h"

namespace acre::inline ACRE_ABI {

enum class AuditAction : std::uint8_t {
  kReport,  ///< tell, and go on
  kAbort,   ///< tell, and end the program where something is new
  kKeep,    ///< keep for TakeFindings; told where the arena ends before
};

struct AuditPolicy {
  bool on_collection = true;
  /// Before Reset, Rewind, and the arena's end: AuditAll.
  bool on_reset = false;
  /// Before Free and FreeGraph of a registered type: AuditAll.
  bool on_free = false;
  /// AuditAll before every n-th allocation. 0: never.
  std::size_t every_allocations = 0;
  AuditAction action = AuditAction::kReport;
  /// How collections know what was written since the one before. Where the
  /// kernel's help cannot be had pages are compared; kComparing does without
  /// it, from the next collection on and for good.
  PageTracking tracking = PageTracking::kKernel;
};

/// What an arena without a policy of its own has.
inline constexpr AuditPolicy kDefaultAuditPolicy{};

/// From now on. Release builds: for arenas with audit_one_in, and of the policy
/// what concerns collections. Threads: the arena's.
void SetAuditPolicy(Arena& arena, const AuditPolicy& policy);

/// The policy in force, ACRE_AUDIT included. Release builds: one of no audits
/// where the arena has no audit_one_in.
AuditPolicy AuditPolicyOf(Arena& arena);

/// Called with each report that has new findings, in place of printing it;
/// before the program ends where the action is kAbort. Null: print. Returns the
/// one before. The reporter may use arenas; what it leaks itself is reported
/// again. What it throws (or the misuse handler, where the action is kAbort)
/// comes out of the operation that tells: New, Free, Reset or FlushAudits.
/// Where nothing may be thrown (a finalizer, the end of an arena, exit) it is
/// kept, and comes out of the next of these.
using AuditReporter = void (*)(const AuditReport& report);
AuditReporter SetAuditReporter(AuditReporter reporter) noexcept;

/// Reports now what collections have found in arenas of the calling thread, and
/// in host-locked ones. Requires, where there are such: the caller holds the
/// lock of the host.
void FlushAudits();

/// What audits that ran by themselves have found in the arena, and nobody has
/// been told: all since the last call where the policy's action is kKeep, for a
/// host that shows findings in its own way; otherwise what waits to be told.
/// Beyond 1000, findings are counted in `omitted`; one that a collection had no
/// room for once more when it is found again. Release builds: nothing where the
/// arena has no audit_one_in.
/// Threads: the arena's; of a host-locked one whoever holds the lock.
AuditReport TakeFindings(Arena& arena);

/// What audits at collections have done, in this process.
struct CollectionAudits {
  std::uint64_t audited = 0;    ///< arenas walked
  std::uint64_t unchanged = 0;  ///< arenas found as they were
  std::uint64_t busy = 0;       ///< arenas skipped: in the middle of an update,
                                ///< or their thread was not stopped
  std::uint64_t findings = 0;   ///< leaks found
  std::uint64_t lost = 0;       ///< of those, more than could be kept to tell
};
CollectionAudits CollectionAuditsSoFar() noexcept;

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_AUDIT_POLICY_H_
