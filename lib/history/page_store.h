// SPDX-License-Identifier: MIT
//
// PageStore: what pages held in the frames of a History. A page has a version
// for every frame before which it was written; frames without one share that of
// an older frame.
//
//   PageRow of a chunk:  | page 0 | page 1 | page 2 | ...
//                             |        |
//        newest version  -> frame 5  frame 1
//                             |
//                           frame 2       the page as it was in 2, 3 and 4
//
// The page as it is in a frame is its newest version that is no younger. A page
// without any is all zeros. Internal to acre.

#ifndef ACRE_LIB_HISTORY_PAGE_STORE_H_
#define ACRE_LIB_HISTORY_PAGE_STORE_H_

#include <cstddef>
#include <cstdint>

#include "acre/chunk_source.h"
#include "acre/config.h"
#include "history/source_array.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// Names a version; of the store that made it.
using VersionIndex = std::uint32_t;
inline constexpr VersionIndex kNoVersion = ~VersionIndex{0};

/// Frames as a store counts them: without gaps, and again after frames were
/// dropped from the end.
using FrameNumber = std::uint64_t;

/// Memory of which pages are kept. Its first page may begin, and its last end,
/// where a page of the system does not: then the rest of those is not touched.
struct PageRow {
  char* grid = nullptr;   // where page 0 would begin
  char* begin = nullptr;  // of the memory
  char* end = nullptr;

  struct Page {
    VersionIndex newest;
    std::uint32_t pass;  // of the Restore that has looked at it
  };
  SourceArray<Page> pages;
};

class PageStore {
 public:
  explicit PageStore(ChunkSource& source);
  PageStore(const PageStore&) = delete;
  PageStore& operator=(const PageStore&) = delete;
  /// Requires: all rows were freed.
  ~PageStore() { FreeSlabs(); }

  /// The row is this memory from now on, as long as before or longer. False,
  /// and nothing changed, where memory runs out.
  [[nodiscard]] bool SetMemory(PageRow& row, char* grid, char* begin,
                               char* end);
  /// Forgets all versions of its pages.
  void FreeRow(PageRow& row);

  /// Gives everything back. Requires: all rows were freed.
  void FreeSlabs();

  /// Pages that the bytes up to `end` take, of those that the row has.
  std::size_t PagesTo(const PageRow& row, const char* end) const;
  std::size_t PageAt(const PageRow& row, const char* p) const {
    return static_cast<std::size_t>(p - row.grid) / page_bytes_;
  }

  /// The page and its newest version will be looked at soon.
  void LookAhead(const PageRow& row, std::size_t page) const;

  /// Makes a version for that frame where the page is not as its newest one,
  /// which must be the one in force. Appends it to `made`. False where memory
  /// runs out.
  [[nodiscard]] bool Keep(PageRow& row, std::size_t page, FrameNumber frame,
                          SourceArray<VersionIndex>& made);
  /// Makes the page what it was in that frame. Once a pass.
  void Put(PageRow& row, std::size_t page, FrameNumber frame,
           std::uint32_t pass);
  /// The same for the page of a version, where the frame in force has another
  /// one: without looking at what is there.
  void PutOther(VersionIndex version, FrameNumber in_force, FrameNumber frame,
                std::uint32_t pass);

  /// A frame of which these are the versions is dropped: it was the newest, ...
  void DropNewest(const SourceArray<VersionIndex>& made);
  /// ... or it is the oldest that is left, and nothing before it is needed.
  void DropBefore(const SourceArray<VersionIndex>& made);

  ChunkSource& source() { return source_; }
  std::size_t page_bytes() const { return page_bytes_; }
  /// Held from the source, rows left out.
  std::size_t bytes() const;

 private:
  struct Version {
    FrameNumber frame;
    PageRow* row;  // null: not in use
    char* copy;
    std::uint32_t page;
    VersionIndex older;
  };

  [[nodiscard]] bool AddSlab();
  VersionIndex At(const PageRow& row, std::size_t page,
                  FrameNumber frame) const;
  void Write(PageRow& row, std::size_t page, const char* copy);
  bool IsAs(const PageRow& row, std::size_t page, const char* copy) const;
  void FreeVersion(VersionIndex version);
  char* Begin(const PageRow& row, std::size_t page) const;
  std::size_t Bytes(const PageRow& row, std::size_t page) const;
  const char* CopyOf(VersionIndex version) const {
    return version == kNoVersion ? nullptr : versions_[version].copy;
  }

  ChunkSource& source_;
  const std::size_t page_bytes_;
  SourceArray<Version> versions_;
  SourceArray<VersionIndex> free_;
  SourceArray<ChunkMemory> slabs_;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_LIB_HISTORY_PAGE_STORE_H_
