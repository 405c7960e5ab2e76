// SPDX-License-Identifier: MIT

#include "core/block_map.h"

#include <bit>
#include <cstdlib>
#include <cstring>

#include "acre/detail/size_class.h"
#include "acre/failure.h"

namespace acre::inline ACRE_ABI::detail {

namespace {
constexpr std::size_t kWordBits = 64;

/// Words for a bit each of `count`.
constexpr std::size_t WordsFor(std::size_t count) {
  return count / kWordBits + 1;
}

/// The highest set bit at or below `bit`, or `none`.
std::size_t LastSet(const std::uint64_t* words, std::size_t bit,
                    std::size_t none) {
  std::size_t w = bit / kWordBits;
  std::uint64_t word = words[w] << (kWordBits - 1 - bit % kWordBits);
  std::size_t top = bit;  // what the top bit of `word` stands for
  while (word == 0) {
    if (w == 0) return none;
    word = words[--w];
    top = w * kWordBits + kWordBits - 1;
  }
  return top - static_cast<std::size_t>(std::countl_zero(word));
}
}  // namespace

bool BlockMap::Create(char* begin, std::size_t capacity) {
  begin_ = begin;
  granules_ = capacity / kGranule + 1;
  infos_ = static_cast<BlockInfo*>(std::calloc(granules_, sizeof(BlockInfo)));
  starts_ = static_cast<std::uint64_t*>(
      std::calloc(Words() + WordsFor(Words()), sizeof(std::uint64_t)));
  if (starts_ != nullptr) summary_ = starts_ + Words();
  if (infos_ != nullptr && starts_ != nullptr &&
      pages_.Create(begin, capacity)) {
    return true;
  }
  Destroy();
  return false;
}

bool BlockMap::Extend(std::size_t capacity) {
  const std::size_t granules = capacity / kGranule + 1;
  const std::size_t old_words = Words();
  const std::size_t words = WordsFor(granules);
  auto* starts = static_cast<std::uint64_t*>(
      std::realloc(starts_, (words + WordsFor(words)) * sizeof(std::uint64_t)));
  if (starts == nullptr) return false;
  starts_ = starts;
  std::memset(starts + old_words, 0,
              (words + WordsFor(words) - old_words) * sizeof(std::uint64_t));
  summary_ = starts_ + old_words;
  void* infos =
      std::realloc(static_cast<void*>(infos_), granules * sizeof(BlockInfo));
  if (infos == nullptr) {
    MakeSummary();  // as it was
    return false;
  }
  infos_ = static_cast<BlockInfo*>(infos);
  std::memset(static_cast<void*>(infos_ + granules_), 0,
              (granules - granules_) * sizeof(BlockInfo));
  granules_ = granules;
  summary_ = starts_ + Words();
  MakeSummary();
  return pages_.Extend(capacity);
}

std::size_t BlockMap::Words() const { return WordsFor(granules_); }

void BlockMap::MakeSummary() {
  std::memset(summary_, 0, WordsFor(Words()) * sizeof(std::uint64_t));
  for (std::size_t w = 0; w < Words(); ++w) {
    if (starts_[w] != 0) {
      summary_[w / kWordBits] |= std::uint64_t{1} << w % kWordBits;
    }
  }
}

void BlockMap::Destroy() {
  std::free(infos_);
  std::free(starts_);
  infos_ = nullptr;
  starts_ = nullptr;
  summary_ = nullptr;
  granules_ = 0;
  pages_.Destroy();
}

void BlockMap::Clear(const char* from) {
  const std::size_t granule = GranuleOf(from);
  if (granule >= granules_) return;
  std::size_t w = granule / kWordBits;
  starts_[w] &= (std::uint64_t{1} << granule % kWordBits) - 1;
  // A bit too many in the summary costs a step; it need not be taken out, but
  // for those of words that are all clear now.
  ++w;
  std::uint64_t gone = ~std::uint64_t{0} << w % kWordBits;
  for (std::size_t s = w / kWordBits; s < WordsFor(Words()); ++s) {
    for (std::uint64_t bits = summary_[s] & gone; bits != 0; bits &= bits - 1) {
      starts_[s * kWordBits +
              static_cast<std::size_t>(std::countr_zero(bits))] = 0;
    }
    summary_[s] &= ~gone;
    gone = ~std::uint64_t{0};
  }
}

std::size_t BlockMap::GranuleOf(const char* p) const {
  return static_cast<std::size_t>(p - begin_) / kGranule;
}

BlockMap::Part BlockMap::InfosTo(const char* top) const {
  auto* const begin = reinterpret_cast<char*>(infos_);
  return {begin, begin + GranuleOf(top) * sizeof(BlockInfo)};
}

BlockMap::Part BlockMap::StartsTo(const char* top) const {
  auto* const begin = reinterpret_cast<char*>(starts_);
  const std::size_t words = (GranuleOf(top) + kWordBits - 1) / kWordBits;
  return {begin, begin + words * sizeof(std::uint64_t)};
}

BlockInfo& BlockMap::At(const char* p) {
  const std::size_t granule = GranuleOf(p);
  ACRE_DCHECK(granule < granules_);
  const std::size_t w = granule / kWordBits;
  starts_[w] |= std::uint64_t{1} << granule % kWordBits;
  summary_[w / kWordBits] |= std::uint64_t{1} << w % kWordBits;
  pages_.NoteChange(p, 1);
  return infos_[granule];
}

bool BlockMap::Show(const char* p, BlockView* block, std::uint16_t pass) const {
  const BlockInfo& info = Get(p);
  const auto state = static_cast<BlockState>(info.state);
  if (state == BlockState::kNone) return false;
  *block = {const_cast<char*>(p), info.bytes,
            info.taken_as(),      info.is_table != 0 ? info.type : nullptr,
            info.is_storage != 0, state == BlockState::kFreed,
            info.pass == pass};
  return true;
}

bool BlockMap::IsStart(const char* p) const {
  const std::size_t granule = GranuleOf(p);
  return p >= begin_ && granule < granules_ &&
         (p - begin_) % static_cast<std::ptrdiff_t>(kGranule) == 0 &&
         (starts_[granule / kWordBits] >> granule % kWordBits & 1) != 0;
}

const char* BlockMap::NextStart(const char* p) const {
  if (starts_ == nullptr) return nullptr;
  const std::size_t granule = GranuleOf(p + kGranule - 1);
  std::size_t w = granule / kWordBits;
  std::uint64_t mask = ~std::uint64_t{0} << granule % kWordBits;
  for (; w * kWordBits < granules_; ++w, mask = ~std::uint64_t{0}) {
    const std::uint64_t word = starts_[w] & mask;
    if (word == 0) continue;
    return begin_ +
           (w * kWordBits + static_cast<std::size_t>(std::countr_zero(word))) *
               kGranule;
  }
  return nullptr;
}

const char* BlockMap::StartOf(const char* p) const {
  if (p < begin_ || starts_ == nullptr) return nullptr;
  const std::size_t granule = GranuleOf(p);
  if (granule >= granules_) return nullptr;
  // In this word, or in the last one before it that has a start.
  std::size_t w = granule / kWordBits;
  std::size_t bit = granule % kWordBits;
  for (;;) {
    const std::uint64_t word = starts_[w] << (kWordBits - 1 - bit);
    if (word != 0) {
      const auto zeros = static_cast<std::size_t>(std::countl_zero(word));
      return begin_ + (w * kWordBits + bit - zeros) * kGranule;
    }
    if (w == 0) return nullptr;
    w = LastSet(summary_, w - 1, SIZE_MAX);
    if (w == SIZE_MAX) return nullptr;
    bit = kWordBits - 1;
  }
}

}  // namespace acre::inline ACRE_ABI::detail
