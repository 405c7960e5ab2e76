// SPDX-License-Identifier: MIT
//
// Bars: what acre is to reach, cell by cell, as ratios to peers of the same
// run or as numbers of their own.

#ifndef ACRE_PERF_BARS_H_
#define ACRE_PERF_BARS_H_

#include <string>
#include <vector>

#include "results.h"

namespace perf {

struct Bar {
  const char* cells;    ///< regular expression, all of group/cell
  const char* subject;  ///< acre's implementation
  /// Regular expression, all of an implementation's name; the best of those
  /// that match is the peer. ".*" is all peers; "" makes `limit` absolute.
  const char* peers;
  double limit;  ///< of subject / peer, or of the subject
  /// True: of the geometric mean over the cells, not of each.
  bool is_mean = false;
};

/// A bar applied to a cell.
struct Verdict {
  std::string cell;
  std::string subject;
  double reached;  ///< of the subject; NaN for a mean
  std::string peer;
  double peer_reached;
  Ratio ratio;
  const Bar* bar;  ///< null: no bar is set for this cell
  bool is_met;
};

/// Every bar on every cell it is for, then every cell without a bar against
/// its best peer. Peers that are absent leave verdicts out.
std::vector<Verdict> Judge(const Results& results);

/// The peer with the least median, or null.
const Series* BestPeer(const Cell& cell, const char* peers);

}  // namespace perf

#endif  // ACRE_PERF_BARS_H_
