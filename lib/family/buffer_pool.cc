// SPDX-License-Identifier: MIT

#include "acre/buffer_pool.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "acre/detail/size_class.h"

namespace acre::inline ACRE_ABI {
namespace {

// A cache line: no two buffers share one, and the widest vectors are aligned.
constexpr std::size_t kUnit = 64;

void Touch(std::byte* byte) {
  *const_cast<volatile std::byte*>(byte) = std::byte{0};
}

std::size_t Rounded(std::size_t bytes) {
  return detail::RoundUp(std::max<std::size_t>(bytes, 1), kUnit);
}

}  // namespace

BufferPool::BufferPool(const BufferPoolOptions& options)
    : options_(options),
      source_(options.source != nullptr ? *options.source
                                        : MallocSource::Instance()) {
  const std::size_t bytes =
      std::min<std::size_t>(options.bytes, PTRDIFF_MAX / 2);
  capacity_ = detail::RoundUp(bytes, kUnit);
  SetAllFree();  // first: it may find no memory
  const std::size_t need = capacity_ + kChunkHeader + kUnit;
  memory_ = source_.Acquire(need, detail::RoundUp(need, kMaxAlignment));
  if (memory_.address == nullptr) Fail(options.bytes, 1);
  const auto address = reinterpret_cast<std::uintptr_t>(memory_.address);
  start_ = static_cast<std::byte*>(memory_.address) +
           (detail::RoundUp(address + kChunkHeader, kUnit) - address);
  if (options.prewarm) {
    for (std::size_t at = 0; at < capacity_; at += kMaxAlignment) {
      Touch(start_ + at);
    }
    if (capacity_ != 0) Touch(start_ + capacity_ - 1);
  }
}

BufferPool::~BufferPool() { source_.Release(memory_); }

void BufferPool::SetAllFree() {
  free_.clear();
  by_size_.clear();
  live_.clear();
  used_ = 0;
  if (capacity_ != 0) AddFree(0, capacity_);
}

void BufferPool::AddFree(std::size_t offset, std::size_t bytes) {
  free_.emplace(offset, bytes);
  by_size_.emplace(bytes, offset);
}

void BufferPool::RemoveFree(
    std::pmr::map<std::size_t, std::size_t>::iterator at) {
  by_size_.erase({at->second, at->first});
  free_.erase(at);
}

/// The start of a range cut off the smallest free one that fits, or null.
void* BufferPool::TakeRange(std::size_t asked, std::uint64_t* era) {
  const std::size_t bytes = Rounded(asked);
  const std::lock_guard hold(lock_);
  const auto best = by_size_.lower_bound({bytes, 0});
  if (best == by_size_.end()) return nullptr;
  const auto [found, offset] = *best;
  // First: what follows takes nodes that are there, and so do as many Releases
  // as there are buffers. Each may make a range more, two nodes, and has one of
  // live_.
  nodes_.Reserve(live_.size() + 2);
  live_.emplace(offset, asked);
  RemoveFree(free_.find(offset));
  if (found != bytes) AddFree(offset + bytes, found - bytes);
  used_ += bytes;
  if (era != nullptr) *era = era_;
  return start_ + offset;
}

void* BufferPool::Take(std::size_t bytes, Contents contents,
                       std::uint64_t* era) {
  if (bytes > capacity_ || bytes == 0) return nullptr;
  void* data = TakeRange(bytes, era);
  if (data != nullptr && contents == Contents::kZero) {
    std::memset(data, 0, bytes);
  }
  return data;
}

void BufferPool::Give(const void* data, std::size_t bytes) {
  if (bytes == 0) return;
  const std::lock_guard hold(lock_);
  GiveLocked(data, bytes);
}

void BufferPool::GiveBack(const void* data, std::size_t bytes,
                          std::uint64_t era) {
  const std::lock_guard hold(lock_);
  if (era == era_) GiveLocked(data, bytes);
}

void BufferPool::GiveLocked(const void* data, std::size_t bytes) {
  const auto offset =
      static_cast<std::size_t>(static_cast<const std::byte*>(data) - start_);
  const auto live = live_.find(offset);
  ACRE_CHECK(live != live_.end(),
             "Release(%p): not a buffer of '%s', or released already", data,
             name());
  ACRE_CHECK(live->second == bytes,
             "Release(%p) in '%s': the buffer has %zu bytes, %zu were given "
             "back",
             data, name(), live->second, bytes);
  const std::size_t size = Rounded(bytes);
  live_.erase(live);
  used_ -= size;
  std::size_t begin = offset;
  std::size_t end = offset + size;
  auto next = free_.lower_bound(offset);
  if (next != free_.begin()) {
    const auto before = std::prev(next);
    if (before->first + before->second == begin) {
      begin = before->first;
      RemoveFree(before);
    }
  }
  if (next != free_.end() && next->first == end) {
    end += next->second;
    RemoveFree(next);
  }
  AddFree(begin, end - begin);
}

void BufferPool::Reset() {
  const std::lock_guard hold(lock_);
  ++era_;
  SetAllFree();
}

BufferHandle BufferPool::Handle(const void* data, std::size_t bytes) const {
  const auto* p = static_cast<const std::byte*>(data);
  const std::lock_guard hold(lock_);
  const auto live = live_.find(static_cast<std::size_t>(p - start_));
  ACRE_CHECK(live != live_.end() && live->second == bytes,
             "HandleOf(%p): not a buffer of %zu bytes of '%s'", data, bytes,
             name());
  return {static_cast<std::size_t>(
              p - static_cast<const std::byte*>(memory_.address)),
          bytes};
}

BufferPoolStats BufferPool::stats() const {
  const std::lock_guard hold(lock_);
  return {capacity_, used_, by_size_.empty() ? 0 : by_size_.rbegin()->first,
          live_.size()};
}

void BufferPool::Fail(std::size_t count, std::size_t size) const {
  detail::FailOutOfMemory({name(),
                           count > SIZE_MAX / size ? SIZE_MAX : count * size,
                           memory_.size, capacity_});
}

}  // namespace acre::inline ACRE_ABI
