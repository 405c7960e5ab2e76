// SPDX-License-Identifier: MIT
//
// Sampler: what an arena of a release build keeps beside an ordinary one where
// collections are to audit a part of it (ArenaOptions::audit_one_in). Of its
// pages, 4 KiB each, one in n is audited: of blocks in those the block map of
// their chunk has records, as checked builds have them of all.
//
//   chunk:  | page | page | audited | page | page | ...
//                          ^ Arena::limit_ ends here for inline code; within,
//                            each block comes by the slow path and is recorded
//
// Free always comes by the slow path, which asks whether the block lies in an
// audited page; if so, it must be taken by the slow path, too. Free blocks of
// those pages have lists of their own, which go first: when a class gets one
// there, its other free blocks are held back and the room is hidden, so that
// inline code finds nothing of that class. Until it is taken, or a few blocks
// of other classes have come by the slow path for that.

#ifndef ACRE_LIB_CORE_SAMPLER_H_
#define ACRE_LIB_CORE_SAMPLER_H_

#include <cstddef>
#include <cstdint>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/size_class.h"
#include "core/chunk.h"
#include "pages/audited_pages.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

struct Sampler {
  static constexpr unsigned kPatience = 4;
  static constexpr std::size_t kRawElement = 1024;  // an entry of a table has
                                                    // no more, nearly always

  AuditedPages pages;
  bool is_tail_aside = false;      // see reclaim.cc
  unsigned hidden = 0;             // classes that are held back
  unsigned waits = 0;              // blocks taken since one was
  const char* last_end = nullptr;  // of the block recorded last
  const void* taken = nullptr;     // that block, if none was taken since
  std::size_t reclaim_at = 0;      // in place of Arena's, which is 0
  // What HideAudited found last: nothing audited from one to the other.
  const char* clear_from = nullptr;
  char* clear_to = nullptr;
  const Chunk* clear_in = nullptr;

  bool is_held[kClassCount] = {};
  FreeBlock* lists[kClassCount] = {};  // free blocks of audited pages
  FreeBlock* held[kClassCount] = {};   // others of classes that are held back
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_LIB_CORE_SAMPLER_H_
