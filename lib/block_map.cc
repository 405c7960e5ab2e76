// SPDX-License-Identifier: MIT

#include "block_map.h"

#include <bit>
#include <cstdlib>
#include <cstring>

#include "acre/detail/size_class.h"
#include "acre/failure.h"

namespace acre::inline ACRE_ABI::detail {

namespace {
constexpr std::size_t kWordBits = 64;
}  // namespace

bool BlockMap::Create(char* begin, std::size_t capacity) {
  begin_ = begin;
  granules_ = capacity / kGranule + 1;
  infos_ = static_cast<BlockInfo*>(std::calloc(granules_, sizeof(BlockInfo)));
  starts_ = static_cast<std::uint64_t*>(
      std::calloc(granules_ / kWordBits + 1, sizeof(std::uint64_t)));
  if (infos_ != nullptr && starts_ != nullptr) return true;
  Destroy();
  return false;
}

bool BlockMap::Extend(std::size_t capacity) {
  const std::size_t granules = capacity / kGranule + 1;
  const std::size_t old_words = granules_ / kWordBits + 1;
  const std::size_t words = granules / kWordBits + 1;
  auto* starts = static_cast<std::uint64_t*>(
      std::realloc(starts_, words * sizeof(std::uint64_t)));
  if (starts == nullptr) return false;
  std::memset(starts + old_words, 0,
              (words - old_words) * sizeof(std::uint64_t));
  starts_ = starts;
  void* infos =
      std::realloc(static_cast<void*>(infos_), granules * sizeof(BlockInfo));
  if (infos == nullptr) return false;
  infos_ = static_cast<BlockInfo*>(infos);
  std::memset(static_cast<void*>(infos_ + granules_), 0,
              (granules - granules_) * sizeof(BlockInfo));
  granules_ = granules;
  return true;
}

void BlockMap::Destroy() {
  std::free(infos_);
  std::free(starts_);
  infos_ = nullptr;
  starts_ = nullptr;
  granules_ = 0;
}

void BlockMap::Clear(const char* from) {
  const std::size_t granule = GranuleOf(from);
  if (granule >= granules_) return;
  std::size_t w = granule / kWordBits;
  starts_[w] &= (std::uint64_t{1} << granule % kWordBits) - 1;
  for (++w; w * kWordBits < granules_; ++w) starts_[w] = 0;
}

std::size_t BlockMap::GranuleOf(const char* p) const {
  return static_cast<std::size_t>(p - begin_) / kGranule;
}

BlockInfo& BlockMap::At(const char* p) {
  const std::size_t granule = GranuleOf(p);
  ACRE_DCHECK(granule < granules_);
  starts_[granule / kWordBits] |= std::uint64_t{1} << granule % kWordBits;
  return infos_[granule];
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
  std::size_t w = granule / kWordBits;
  std::uint64_t word = starts_[w] << (kWordBits - 1 - granule % kWordBits);
  std::size_t top = granule;  // the granule that word's top bit stands for
  while (word == 0) {
    if (w == 0) return nullptr;
    word = starts_[--w];
    top = w * kWordBits + kWordBits - 1;
  }
  return begin_ +
         (top - static_cast<std::size_t>(std::countl_zero(word))) * kGranule;
}

}  // namespace acre::inline ACRE_ABI::detail
