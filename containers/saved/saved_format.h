// SPDX-License-Identifier: MIT
//
// The format of saved arenas. Numbers are those of the machine; who has others
// does not read it.
//
//   | header | types: text | blocks: list | sums | nothing ... | image ... |
//   0        kHeaderBytes                                       ^ a multiple of
//                                                                 kHomeBytes
//   types    what the root's type reaches, in words: see saved_types.h
//   blocks   what lies in the image: see saved_blocks.h
//   sums     a checksum for each kSumBytes of the image
//   image    16 bytes of nobody's, then block after block, as they lie in
//            memory at `base` + kHomeBytes
//
// Internal to acre.

#ifndef ACRE_CONTAINERS_SAVED_SAVED_FORMAT_H_
#define ACRE_CONTAINERS_SAVED_SAVED_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "acre/config.h"
#include "acre/hash.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

inline constexpr char kSavedMagic[8] = {'a', 'c', 'r', 'e', '\r', '\n', 26, 0};
/// Raised with every change, of containers in memory too.
inline constexpr std::uint32_t kSavedVersion = 2;
inline constexpr std::size_t kHeaderBytes = 256;
/// Between the Arena and the image; a multiple of every page.
inline constexpr std::size_t kHomeBytes = std::size_t{64} << 10;
inline constexpr std::size_t kSumBytes = std::size_t{64} << 10;

/// Bytes of a file.
struct SavedPart {
  std::uint64_t at = 0;
  std::uint64_t bytes = 0;
  std::uint64_t sum = 0;  // of an image: none
};

struct SavedHeader {
  char magic[8];
  std::uint32_t version;
  std::uint32_t byte_order;  // kByteOrder
  std::uint32_t pointer_bytes;
  std::uint32_t is_checked;
  std::uint64_t file_bytes;
  std::uint64_t base;   // of the home
  std::uint64_t stamp;  // of all handles
  std::uint64_t root;   // in the image
  std::uint64_t block_count;
  SavedPart types;
  SavedPart blocks;
  SavedPart sums;
  SavedPart image;
  std::uint64_t sum;  // of all before
};
static_assert(sizeof(SavedHeader) <= kHeaderBytes);
static_assert(std::has_unique_object_representations_v<SavedHeader>);

inline constexpr std::uint32_t kByteOrder = 0x01020304;

/// For bytes that were damaged by chance.
inline std::uint64_t SumOf(const void* bytes, std::size_t size) {
  return Mix(HashBytes(static_cast<const char*>(bytes), size, size), kMix0);
}
inline std::uint64_t SumOf(const SavedHeader& header) {
  return SumOf(&header, offsetof(SavedHeader, sum));
}

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_SAVED_SAVED_FORMAT_H_
