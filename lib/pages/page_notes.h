// SPDX-License-Identifier: MIT
//
// PageNotes: what is kept of each page of an audited chunk, so that an audit
// looks at what has changed since the last one. A byte of notes a page, and a
// sum of what the page held, for where the kernel does not tell who wrote.
//
// The kernel is asked for chunks of 128 KiB or more (PageTracker, one of the
// whole process); the pages of smaller ones, and of all where it refuses, are
// summed up anew each time.

#ifndef ACRE_LIB_PAGES_PAGE_NOTES_H_
#define ACRE_LIB_PAGES_PAGE_NOTES_H_

#include <cstddef>
#include <cstdint>

#include "acre/config.h"
#include "acre/detail/changed_pages.h"
#include "pages/audited_pages.h"
#include "pages/page_tracker.h"

namespace acre::inline ACRE_ABI::detail {

/// Threads: those of the arena, which stand while a collection audits it.
class PageNotes {
 public:
  /// False where memory ran out. All pages count as written.
  bool Create(const char* begin, std::size_t bytes);
  /// For a chunk that has become longer; what is new counts as written.
  bool Extend(std::size_t bytes);
  void Destroy() noexcept;

  /// All pages around these bytes count as written: a block came or went there.
  /// They may hold what they held, and be something else.
  void NoteChange(const char* begin, std::size_t bytes) {
    const std::size_t last = PageOf(begin + (bytes != 0 ? bytes - 1 : 0));
    for (std::size_t page = PageOf(begin); page <= last; ++page) {
      notes_[page] |= kWritten;
    }
  }
  /// All pages do: the records of blocks are others.
  void NoteAll() noexcept;
  /// Of the pages that hold a part of [begin, top) the audited ones, and no
  /// others, count as written. True where there are such.
  bool NoteSome(const char* begin, const char* top,
                const AuditedPages& pages) noexcept;
  /// As PageNote says.
  void Add(const char* p, std::uint8_t notes) { notes_[PageOf(p)] |= notes; }

  /// Notes which of the pages that hold [begin, top) were written since. True
  /// where some were, or count as written. Allocates nothing. Takes no lock of
  /// ours.
  bool FindWritten(const char* begin, const char* top) noexcept;
  /// Of the same pages, those with any of these notes are chosen, and lose all
  /// others. Returns how many.
  std::size_t Choose(const char* begin, const char* top,
                     std::uint8_t notes) noexcept;
  /// The next row of pages with any of these notes, as addresses below `top`,
  /// not before `*from`. False: none.
  bool NextRow(std::uint8_t notes, const char* top, const char** from,
               const char** to) const noexcept;
  bool AnyIn(const char* begin, const char* end,
             std::uint8_t notes) const noexcept;

  /// The kernel's help is left to somebody else, from now on.
  void LetGo() noexcept;

 private:
  std::size_t PageOf(const char* p) const {
    return (reinterpret_cast<std::uintptr_t>(p) >> shift_) - first_;
  }
  const char* AddressOf(std::size_t page) const {
    return reinterpret_cast<const char*>((first_ + page) << shift_);
  }
  bool Watch() noexcept;
  bool AskKernel(const char* end) noexcept;
  void Compare(std::size_t from, std::size_t to, const char* begin,
               const char* top) noexcept;

  std::uint8_t* notes_ = nullptr;  // count_ of them, owned
  std::uint64_t* sums_ = nullptr;  // the same; stands before the notes
  std::uintptr_t first_ = 0;       // the number of the first page
  std::size_t count_ = 0;
  unsigned shift_ = 0;
  unsigned failures_ = 0;        // of the kernel
  const char* begin_ = nullptr;  // of the chunk
  const char* end_ = nullptr;
  PageRange watched_;  // by the kernel; empty: none
  // Of all copies of acre: the kernel has one watcher for each page.
  PageTracker* tracker_ = nullptr;
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_LIB_PAGES_PAGE_NOTES_H_
