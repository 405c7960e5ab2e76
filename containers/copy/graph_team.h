// SPDX-License-Identifier: MIT
//
// GraphTeam: the first and the last pass of a copy of a graph by several
// threads. Internal to acre.
//
//   find   each member notes in chunks of its own (ChunkOwners), and tells the
//          others by mail what it meets in theirs
//   copy   chunk after chunk goes to whoever comes first
//
// Between the two one thread gets the memory, as for any copy.

#ifndef ACRE_CONTAINERS_COPY_GRAPH_TEAM_H_
#define ACRE_CONTAINERS_COPY_GRAPH_TEAM_H_

#include <memory>
#include <vector>

#include "acre/arena.h"
#include "acre/config.h"
#include "copy/copy_maps.h"
#include "copy/copy_plan.h"
#include "copy/copy_walker.h"
#include "copy/graph_finder.h"
#include "copy/ref_copies.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

class GraphTeam {
 public:
  /// As many as are worth it for the arena in which the root lies, up to
  /// `threads`; 1: no team is.
  static unsigned MembersFor(const void* root, unsigned threads);

  /// Closes the plans. `to`: of the copy.
  GraphTeam(CopyPlans& plans, const Arena& from, Arena& to, unsigned members);
  GraphTeam(const GraphTeam&) = delete;
  GraphTeam& operator=(const GraphTeam&) = delete;
  ~GraphTeam();

  /// False where there are no threads, where everything is a list or so, and as
  /// GraphFinder::Run: it is to be done by one thread. Requires: the root lies
  /// in `from`.
  bool Find(const char* root, CopyPlan& plan);

  /// After Find: what was found, by address, and how many references.
  void GiveTo(CopyMaps& maps, RefCopies& refs);
  bool has_wide() const;
  bool leads_into_table() const;

  /// False, and nothing done, where there are no threads for it. `maps`: as
  /// GiveTo filled them.
  bool Copy(const CopyJob& job, CopyMaps& maps, TableKeys& table_keys);

 private:
  struct Member;

  const CopyPlans& plans_;
  std::vector<std::unique_ptr<Member>> members_;
  ChunkOwners owners_;
  FinderMail mail_;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_COPY_GRAPH_TEAM_H_
