// SPDX-License-Identifier: MIT
//
// SourceArray: a row of plain values in memory of a ChunkSource, for what must
// be able to run out of memory without a throw. Internal to acre.

#ifndef ACRE_LIB_HISTORY_SOURCE_ARRAY_H_
#define ACRE_LIB_HISTORY_SOURCE_ARRAY_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "acre/chunk_source.h"
#include "acre/config.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// Who owns it calls Free. Bytes behind size() are arbitrary.
template <class T>
class SourceArray {
  static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= 16);

 public:
  SourceArray() = default;
  SourceArray(const SourceArray&) = delete;
  SourceArray& operator=(const SourceArray&) = delete;

  /// Room for `count` values in all; false, and nothing changed, where memory
  /// runs out. Grows by a half at least.
  [[nodiscard]] bool Reserve(ChunkSource& source, std::size_t count) {
    if (count <= capacity_) return true;
    const std::size_t wanted = std::max(count, capacity_ + capacity_ / 2 + 16);
    if (wanted > PTRDIFF_MAX / 2 / sizeof(T)) return false;
    const std::size_t bytes = wanted * sizeof(T) + kChunkHeader;
    const ChunkMemory memory = source.Acquire(bytes, bytes);
    if (memory.address == nullptr) return false;
    T* data =
        reinterpret_cast<T*>(static_cast<char*>(memory.address) + kChunkHeader);
    if (size_ != 0) std::memcpy(data, data_, size_ * sizeof(T));
    if (data_ != nullptr) source.Release(memory_);
    memory_ = memory;
    data_ = data;
    capacity_ = wanted;
    return true;
  }

  /// Requires: size() is below what was reserved.
  void Push(const T& value) { data_[size_++] = value; }
  [[nodiscard]] bool Push(ChunkSource& source, const T& value) {
    if (size_ == capacity_ && !Reserve(source, size_ + 1)) return false;
    Push(value);
    return true;
  }
  T& Pop() { return data_[--size_]; }
  void Clear() { size_ = 0; }
  void Free(ChunkSource& source) {
    if (data_ != nullptr) source.Release(memory_);
    memory_ = {};
    data_ = nullptr;
    size_ = capacity_ = 0;
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::size_t bytes() const { return memory_.size; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }

 private:
  ChunkMemory memory_ = {};
  T* data_ = nullptr;  // behind the header of memory_
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_LIB_HISTORY_SOURCE_ARRAY_H_
