// SPDX-License-Identifier: MIT

#include "pages/page_notes.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>

#include "acre/detail/gc_events.h"
#include "core/commons.h"
#include "core/poison.h"
#include "sources/page.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

// Smaller chunks are summed up sooner than the kernel is asked: a page takes
// 0.3 us, a call 1.2 and a fault as much.
constexpr std::ptrdiff_t kAskedBytes = std::ptrdiff_t{128} << 10;
// Rows of pages that the kernel names in one call.
constexpr std::size_t kRows = 128;
// As often the kernel may give up watching a chunk before it is not asked any
// more: a collected arena's chunk may be where a dead one was.
constexpr unsigned kMostFailures = 3;

PageTracker& Tracker() {
  static PageTracker& tracker =
      Common<PageTracker>("pages." ACRE_ABI_TEXT, sizeof(PageTracker));
  return tracker;
}

// Debug builds run this at each collection.
#if defined(__clang__)
#define ACRE_FAST_IN_DEBUG
#else
#define ACRE_FAST_IN_DEBUG __attribute__((optimize("O2")))
#endif

constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15u;  // 2^64 / phi

/// A word of memory of any type.
using AnyWord [[gnu::may_alias]] = std::uint64_t;

/// Four lanes, so that the products overlap: memory is what takes the time.
ACRE_READS_FREE_BLOCKS ACRE_FAST_IN_DEBUG std::uint64_t Sum(const char* begin,
                                                            std::size_t bytes) {
  // Loads, not memcpy: AddressSanitizer would check that.
  const auto* words = reinterpret_cast<const AnyWord*>(begin);
  const std::size_t count = bytes / sizeof(AnyWord);
  std::uint64_t lanes[4] = {1, 2, 3, 4};
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    for (std::size_t lane = 0; lane < 4; ++lane) {
      lanes[lane] = (lanes[lane] ^ words[i + lane]) * kMultiplier;
      lanes[lane] ^= lanes[lane] >> 32;
    }
  }
  for (; i < count; ++i) {
    lanes[0] = (lanes[0] ^ words[i]) * kMultiplier;
    lanes[0] ^= lanes[0] >> 32;
  }
  return (lanes[0] * 3 + lanes[1] * 5) ^ (lanes[2] * 7 + lanes[3] * 11) ^ count;
}

}  // namespace

bool PageNotes::Create(const char* begin, std::size_t bytes) {
  tracker_ = &Tracker();
  shift_ = static_cast<unsigned>(std::countr_zero(PageBytes()));
  first_ = reinterpret_cast<std::uintptr_t>(begin) >> shift_;
  begin_ = end_ = begin;
  failures_ = 0;
  return Extend(bytes);
}

bool PageNotes::Extend(std::size_t bytes) {
  const std::size_t count = PageOf(begin_ + bytes - 1) + 1;
  auto* const sums = static_cast<std::uint64_t*>(
      std::calloc(count, sizeof(std::uint64_t) + 1));
  if (sums == nullptr) return false;
  auto* const notes = reinterpret_cast<std::uint8_t*>(sums + count);
  std::memset(notes, kWritten, count);
  if (count_ != 0) {
    std::memcpy(sums, sums_, count_ * sizeof(std::uint64_t));
    std::memcpy(notes, notes_, count_);
    notes[count_ - 1] |= kWritten;
  }
  std::free(sums_);
  sums_ = sums;
  notes_ = notes;
  count_ = count;
  end_ = begin_ + bytes;
  return true;
}

void PageNotes::Destroy() noexcept {
  if (watched_.begin != nullptr) tracker_->Unwatch(watched_);
  watched_ = {};
  std::free(sums_);
  sums_ = nullptr;
  notes_ = nullptr;
  count_ = 0;
}

bool PageNotes::NoteSome(const char* begin, const char* top,
                         const AuditedPages& pages) noexcept {
  if (begin == top) return false;
  std::memset(notes_ + PageOf(begin), 0, PageOf(top - 1) + 1 - PageOf(begin));
  bool is_any = false;
  for (const char* end = nullptr; pages.NextPart(&begin, top, &end);
       begin = end) {
    Add(begin, kWritten);
    is_any = true;
  }
  return is_any;
}

void PageNotes::NoteAll() noexcept {
  for (std::size_t i = 0; i < count_; ++i) notes_[i] |= kWritten;
}

void PageNotes::LetGo() noexcept {
  failures_ = kMostFailures;
  if (watched_.begin == nullptr) return;
  tracker_->Unwatch(watched_);
  watched_ = {};
  NoteAll();
}

/// Lets the kernel note what is written from now on.
bool PageNotes::Watch() noexcept {
  if (failures_ == kMostFailures) return false;
  const std::size_t page = std::size_t{1} << shift_;
  const auto start = reinterpret_cast<std::uintptr_t>(begin_);
  char* const begin = const_cast<char*>(begin_) + (-start & (page - 1));
  char* const end = const_cast<char*>(end_) -
                    (reinterpret_cast<std::uintptr_t>(end_) & (page - 1));
  if (end - begin < kAskedBytes) return false;
  if (watched_.begin == begin && watched_.end == end) return true;
  // A chunk that has become longer is watched anew, as a whole.
  if (!tracker_->Watch({begin, end})) {
    if (watched_.begin != nullptr) tracker_->Unwatch(watched_);
    failures_ = kMostFailures;
    watched_ = {};
    NoteAll();
    return false;
  }
  watched_ = {begin, end};
  NoteAll();
  return true;
}

/// Notes what was written in the watched pages before `end`, which count as not
/// written from now on. False where the kernel does not know.
bool PageNotes::AskKernel(const char* end) noexcept {
  PageRange found[kRows];
  NoteStackUse(found);
  PageRange rest = {watched_.begin, const_cast<char*>(end)};
  while (rest.begin < rest.end) {
    const long count = tracker_->Scan(rest, true, found, kRows, &rest.begin);
    if (count < 0) return false;
    for (long i = 0; i < count; ++i) {
      NoteChange(found[i].begin,
                 static_cast<std::size_t>(found[i].end - found[i].begin));
    }
  }
  return true;
}

/// Notes which of the pages [from, to) hold something else than before.
void PageNotes::Compare(std::size_t from, std::size_t to, const char* begin,
                        const char* top) noexcept {
  for (std::size_t page = from; page < to; ++page) {
    const char* const at = std::max(begin, AddressOf(page));
    const char* const end = std::min(top, AddressOf(page + 1));
    const std::uint64_t sum = Sum(at, static_cast<std::size_t>(end - at));
    if (sums_[page] == sum) continue;
    sums_[page] = sum;
    notes_[page] |= kWritten;
  }
}

bool PageNotes::FindWritten(const char* begin, const char* top) noexcept {
  if (count_ == 0 || top <= begin) return false;
  const std::size_t first = PageOf(begin);
  const std::size_t end = PageOf(top - 1) + 1;
  std::size_t asked = end;  // the pages [asked, known) are the kernel's
  std::size_t known = end;
  if (Watch()) {
    const char* const last =
        std::min<const char*>(watched_.end, AddressOf(PageOf(top - 1) + 1));
    if (last <= watched_.begin || AskKernel(last)) {
      asked = std::min(PageOf(watched_.begin), end);
      known = std::max(asked, std::min(PageOf(last - 1) + 1, end));
    } else {
      ++failures_;
      watched_ = {};
      NoteAll();
    }
  }
  Compare(first, asked, begin, top);
  Compare(known, end, begin, top);
  return AnyIn(begin, top, kWritten);
}

std::size_t PageNotes::Choose(const char* begin, const char* top,
                              std::uint8_t notes) noexcept {
  if (count_ == 0 || top <= begin) return 0;
  std::size_t chosen = 0;
  const std::size_t end = PageOf(top - 1) + 1;
  for (std::size_t page = PageOf(begin); page < end; ++page) {
    const bool is_chosen = (notes_[page] & notes) != 0;
    chosen += is_chosen;
    notes_[page] = is_chosen
                       ? std::uint8_t{kChosen}
                       : static_cast<std::uint8_t>(notes_[page] & ~kChosen);
  }
  return chosen;
}

bool PageNotes::NextRow(std::uint8_t notes, const char* top, const char** from,
                        const char** to) const noexcept {
  if (count_ == 0 || top <= *from) return false;
  const std::size_t end = PageOf(top - 1) + 1;
  std::size_t page = PageOf(*from);
  while (page < end && (notes_[page] & notes) == 0) ++page;
  if (page == end) return false;
  *from = std::max(*from, AddressOf(page));
  while (page < end && (notes_[page] & notes) != 0) ++page;
  *to = std::min(top, AddressOf(page));
  return true;
}

bool PageNotes::AnyIn(const char* begin, const char* end,
                      std::uint8_t notes) const noexcept {
  if (count_ == 0 || end <= begin) return false;
  const std::uint8_t* const last = notes_ + PageOf(end - 1);
  for (const std::uint8_t* note = notes_ + PageOf(begin); note <= last;
       ++note) {
    if ((*note & notes) != 0) return true;
  }
  return false;
}

}  // namespace acre::inline ACRE_ABI::detail
