// SPDX-License-Identifier: MIT

#include "acre/detail/visit_set.h"

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "acre/detail/location.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

// A chunk gets a shadow when one in so many of its granules has a pair: below
// that, making and reading the shadow costs more than the table.
constexpr std::size_t kSparse = 64;

constexpr std::size_t kFirstEntries = 64;

}  // namespace

VisitSet::~VisitSet() {
  for (const Shadow& shadow : shadows_) std::free(shadow.cells);
}

std::uint64_t VisitSet::SearchTag(std::uint64_t key) {
  auto at = std::find(keys_.begin(), keys_.end(), key);
  if (at == keys_.end()) {
    if (keys_.size() == kTagMask) return 0;
    keys_.push_back(key);
    at = keys_.end() - 1;
  }
  last_key_ = key;
  last_tag_ = static_cast<std::uint64_t>(at - keys_.begin()) + 1;
  return last_tag_;
}

VisitSet::Shadow* VisitSet::SearchShadow(const char* p) {
  std::size_t low = 0;
  std::size_t count = shadows_.size();
  while (count > 0) {
    const std::size_t half = count / 2;
    const bool is_behind = shadows_[low + half].begin <= p;
    low = is_behind ? low + half + 1 : low;
    count = is_behind ? count - half - 1 : half;
  }
  if (low == 0) return nullptr;
  Shadow& shadow = shadows_[low - 1];
  if (static_cast<std::size_t>(p - shadow.begin) >= shadow.size) return nullptr;
  last_ = low - 1;
  return &shadow;
}

VisitSet::Shadow* VisitSet::AddShadow(const void* address) {
  const Location where = Locate(address);
  if (where.arena == nullptr) return nullptr;
  const auto at = std::upper_bound(
      shadows_.begin(), shadows_.end(), where.chunk_begin,
      [](const char* p, const Shadow& shadow) { return p < shadow.begin; });
  last_ = static_cast<std::size_t>(at - shadows_.begin());
  const auto size =
      static_cast<std::size_t>(where.chunk_end - where.chunk_begin);
  return &*shadows_.insert(at, {where.chunk_begin, size, nullptr, 0});
}

/// False while the chunk has too few pairs, or no memory is left for a shadow.
bool VisitSet::MakeCells(Shadow& shadow) {
  const std::size_t granules = shadow.size / kGranule + 1;
  if (++shadow.pairs < granules / kSparse) return false;
  shadow.cells =
      static_cast<std::uint64_t*>(std::calloc(granules, sizeof(std::uint64_t)));
  if (shadow.cells == nullptr) return false;
  MoveToShadow(shadow);
  return true;
}

/// Moves from the table what the shadow can hold.
void VisitSet::MoveToShadow(Shadow& shadow) {
  std::vector<Entry> old;
  old.swap(entries_);
  entry_count_ = 0;
  std::size_t kept = 0;
  for (Entry& entry : old) {
    if (entry.address == nullptr) continue;
    const auto offset = static_cast<std::size_t>(
        static_cast<const char*>(entry.address) - shadow.begin);
    if (offset < shadow.size && IsGranule(entry.address)) {
      std::uint64_t& cell = shadow.cells[GranuleOf(shadow, entry.address)];
      const std::uint64_t tag = TagOf(entry.key);
      if (cell == 0 && tag != 0) {
        cell = CellOf(entry.value, tag);
        entry.address = nullptr;
        continue;
      }
    }
    ++kept;
  }
  if (kept == 0) return;
  Resize(std::bit_ceil(std::max(kFirstEntries, 2 * kept)));
  for (const Entry& entry : old) {
    if (entry.address == nullptr) continue;
    entries_[SlotOf(entry.address, entry.key)] = entry;
    ++entry_count_;
  }
}

/// The entry of the pair, or the empty one where it belongs.
std::size_t VisitSet::SlotOf(const void* address, std::uint64_t key) const {
  const auto bits = reinterpret_cast<std::uintptr_t>(address);
  // Fibonacci hashing (Knuth, TAOCP 6.4): the top bits index.
  const int shift = 64 - std::countr_zero(entries_.size());
  auto at = static_cast<std::size_t>(
      ((bits >> 3) ^ key) * 0x9E3779B97F4A7C15u >> shift);
  for (;; at = (at + 1) & (entries_.size() - 1)) {
    const Entry& here = entries_[at];
    if (here.address == nullptr) return at;
    if (here.address == address && here.key == key) return at;
  }
}

void VisitSet::Resize(std::size_t size) {
  std::vector<Entry> old(size);
  old.swap(entries_);
  for (const Entry& entry : old) {
    if (entry.address != nullptr) {
      entries_[SlotOf(entry.address, entry.key)] = entry;
    }
  }
}

std::uint64_t VisitSet::InsertInTable(const void* address, std::uint64_t key) {
  if (2 * (entry_count_ + 1) > entries_.size()) {
    Resize(std::max(kFirstEntries, 2 * entries_.size()));
  }
  Entry& entry = entries_[SlotOf(address, key)];
  if (entry.address != nullptr) return entry.value;
  entry = {address, key, size_++};
  ++entry_count_;
  return kNone;
}

std::uint64_t VisitSet::FindInTable(const void* address,
                                    std::uint64_t key) const {
  if (entries_.empty()) return kNone;
  const Entry& entry = entries_[SlotOf(address, key)];
  return entry.address == nullptr ? kNone : entry.value;
}

std::vector<std::uint32_t> VisitSet::SortByAddress() {
  std::vector<Entry*> others;
  others.reserve(entry_count_);
  for (Entry& entry : entries_) {
    if (entry.address != nullptr) others.push_back(&entry);
  }
  std::sort(others.begin(), others.end(), [](const Entry* a, const Entry* b) {
    return a->address < b->address;
  });
  std::vector<std::uint32_t> order;
  order.reserve(size_);
  auto next = others.begin();
  const auto take_other = [&] {
    Entry& entry = **next++;
    const std::size_t rank = order.size();
    order.push_back(static_cast<std::uint32_t>(entry.value));
    entry.value = rank;
  };
  for (const Shadow& shadow : shadows_) {
    if (shadow.cells == nullptr) continue;
    for (std::size_t i = 0; i <= shadow.size / kGranule; ++i) {
      std::uint64_t& cell = shadow.cells[i];
      if (cell == 0) continue;
      while (next != others.end() &&
             static_cast<const char*>((*next)->address) <
                 shadow.begin + i * kGranule) {
        take_other();
      }
      const std::size_t rank = order.size();
      order.push_back(static_cast<std::uint32_t>(cell >> kTagBits));
      cell = CellOf(rank, cell & kTagMask);
    }
  }
  while (next != others.end()) take_other();
  return order;
}

}  // namespace acre::inline ACRE_ABI::detail
