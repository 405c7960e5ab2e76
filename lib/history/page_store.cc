// SPDX-License-Identifier: MIT

#include "history/page_store.h"

#include <algorithm>
#include <cstring>

#include "core/poison.h"
#include "history/raw_memory.h"
#include "sources/page.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

constexpr std::size_t kSlabPages = 64;
// Copies begin at cache lines.
constexpr std::size_t kLine = 64;

alignas(kLine) constexpr char kZeros[4096] = {};

ACRE_READS_FREE_BLOCKS bool AreZeros(const char* p, std::size_t bytes) {
  for (std::size_t at = 0; at < bytes; at += sizeof kZeros) {
    if (!AreSameRaw(p + at, kZeros, std::min(bytes - at, sizeof kZeros))) {
      return false;
    }
  }
  return true;
}

ACRE_READS_FREE_BLOCKS void Zero(char* p, std::size_t bytes) {
  for (std::size_t at = 0; at < bytes; at += sizeof kZeros) {
    CopyRaw(p + at, kZeros, std::min(bytes - at, sizeof kZeros));
  }
}

}  // namespace

PageStore::PageStore(ChunkSource& source)
    : source_(source), page_bytes_(PageBytes()) {}

void PageStore::FreeSlabs() {
  for (const ChunkMemory& slab : slabs_) source_.Release(slab);
  slabs_.Free(source_);
  free_.Free(source_);
  versions_.Free(source_);
}

std::size_t PageStore::bytes() const {
  std::size_t bytes = versions_.bytes() + free_.bytes() + slabs_.bytes();
  for (const ChunkMemory& slab : slabs_) bytes += slab.size;
  return bytes;
}

bool PageStore::SetMemory(PageRow& row, char* grid, char* begin, char* end) {
  const std::size_t pages =
      (static_cast<std::size_t>(end - grid) + page_bytes_ - 1) / page_bytes_;
  if (!row.pages.Reserve(source_, pages)) return false;
  while (row.pages.size() < pages) row.pages.Push({kNoVersion, 0});
  row.grid = grid;
  row.begin = begin;
  row.end = end;
  return true;
}

void PageStore::FreeRow(PageRow& row) {
  for (const PageRow::Page& page : row.pages) {
    for (VersionIndex v = page.newest; v != kNoVersion;) {
      const VersionIndex older = versions_[v].older;
      FreeVersion(v);
      v = older;
    }
  }
  row.pages.Free(source_);
  row.grid = row.begin = row.end = nullptr;
}

std::size_t PageStore::PagesTo(const PageRow& row, const char* end) const {
  if (end <= row.begin) return 0;
  const auto bytes = static_cast<std::size_t>(end - row.grid);
  return std::min((bytes + page_bytes_ - 1) / page_bytes_, row.pages.size());
}

char* PageStore::Begin(const PageRow& row, std::size_t page) const {
  return std::max(row.grid + page * page_bytes_, row.begin);
}

std::size_t PageStore::Bytes(const PageRow& row, std::size_t page) const {
  char* const end = std::min(row.grid + (page + 1) * page_bytes_, row.end);
  return static_cast<std::size_t>(end - Begin(row, page));
}

bool PageStore::IsAs(const PageRow& row, std::size_t page,
                     const char* copy) const {
  const char* const p = Begin(row, page);
  const std::size_t bytes = Bytes(row, page);
  return copy != nullptr ? AreSameRaw(p, copy, bytes) : AreZeros(p, bytes);
}

// The processor's own prefetchers begin anew at each page, and need some lines
// to see where it goes.
void PageStore::LookAhead(const PageRow& row, std::size_t page) const {
  constexpr std::size_t kLines = 8;
  const char* const live = Begin(row, page);
  const char* const copy = CopyOf(row.pages[page].newest);
  for (std::size_t i = 0; i < kLines; ++i) {
    __builtin_prefetch(live + i * kLine);
    if (copy != nullptr) __builtin_prefetch(copy + i * kLine);
  }
}

bool PageStore::AddSlab() {
  const std::size_t count = versions_.size() + kSlabPages;
  if (count >= kNoVersion || !versions_.Reserve(source_, count) ||
      !free_.Reserve(source_, count) ||
      !slabs_.Reserve(source_, slabs_.size() + 1)) {
    return false;
  }
  const std::size_t bytes = kSlabPages * page_bytes_ + kChunkHeader + kLine;
  const ChunkMemory memory = source_.Acquire(bytes, bytes);
  if (memory.address == nullptr) return false;
  slabs_.Push(memory);
  const auto start =
      reinterpret_cast<std::uintptr_t>(memory.address) + kChunkHeader;
  char* copy = static_cast<char*>(memory.address) + kChunkHeader +
               (kLine - start % kLine) % kLine;
  for (std::size_t i = 0; i < kSlabPages; ++i, copy += page_bytes_) {
    free_.Push(static_cast<VersionIndex>(versions_.size()));
    versions_.Push({0, nullptr, copy, 0, kNoVersion});
  }
  return true;
}

void PageStore::FreeVersion(VersionIndex version) {
  versions_[version].row = nullptr;
  free_.Push(version);
}

bool PageStore::Keep(PageRow& row, std::size_t page, FrameNumber frame,
                     SourceArray<VersionIndex>& made) {
  VersionIndex& newest = row.pages[page].newest;
  if (IsAs(row, page, CopyOf(newest))) return true;
  if (!made.Reserve(source_, made.size() + 1)) return false;
  if (free_.empty() && !AddSlab()) return false;
  const VersionIndex version = free_.Pop();
  Version& v = versions_[version];
  v.frame = frame;
  v.row = &row;
  v.page = static_cast<std::uint32_t>(page);
  v.older = newest;
  CopyRaw(v.copy, Begin(row, page), Bytes(row, page));
  newest = version;
  made.Push(version);
  return true;
}

VersionIndex PageStore::At(const PageRow& row, std::size_t page,
                           FrameNumber frame) const {
  VersionIndex version = row.pages[page].newest;
  while (version != kNoVersion && versions_[version].frame > frame) {
    version = versions_[version].older;
  }
  return version;
}

void PageStore::Write(PageRow& row, std::size_t page, const char* copy) {
  if (copy != nullptr) {
    CopyRaw(Begin(row, page), copy, Bytes(row, page));
  } else {
    Zero(Begin(row, page), Bytes(row, page));
  }
}

void PageStore::Put(PageRow& row, std::size_t page, FrameNumber frame,
                    std::uint32_t pass) {
  if (row.pages[page].pass == pass) return;
  row.pages[page].pass = pass;
  const char* const copy = CopyOf(At(row, page, frame));
  // What is not written stays unmarked by the kernel, and in no cache.
  if (!IsAs(row, page, copy)) Write(row, page, copy);
}

void PageStore::PutOther(VersionIndex version, FrameNumber in_force,
                         FrameNumber frame, std::uint32_t pass) {
  PageRow& row = *versions_[version].row;
  const std::size_t page = versions_[version].page;
  if (row.pages[page].pass == pass) return;
  const VersionIndex wanted = At(row, page, frame);
  if (wanted == At(row, page, in_force)) return;
  row.pages[page].pass = pass;
  Write(row, page, CopyOf(wanted));
}

void PageStore::DropNewest(const SourceArray<VersionIndex>& made) {
  for (const VersionIndex version : made) {
    const Version& v = versions_[version];
    v.row->pages[v.page].newest = v.older;
    FreeVersion(version);
  }
}

void PageStore::DropBefore(const SourceArray<VersionIndex>& made) {
  for (const VersionIndex version : made) {
    const VersionIndex older = versions_[version].older;
    if (older == kNoVersion) continue;
    FreeVersion(older);
    versions_[version].older = kNoVersion;
  }
}

}  // namespace acre::inline ACRE_ABI::detail
