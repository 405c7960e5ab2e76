// SPDX-License-Identifier: MIT
//
// SavedHome: where a saved arena lies: the Arena itself, of which its
// containers have the address, and its first chunk, at a fixed distance. So
// nothing has to be rewritten where the whole lies at the address for which it
// was saved.
//
//   base                                    kHomeBytes
//   | Arena | empty table | nothing ....... | header 16 | blocks ... | room |
//                                           ^ the image, a file's or new memory
//
// Internal to acre.

#ifndef ACRE_CONTAINERS_SAVED_SAVED_HOME_H_
#define ACRE_CONTAINERS_SAVED_SAVED_HOME_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "acre/arena.h"
#include "acre/chunk_source.h"
#include "acre/config.h"
#include "saved/saved_format.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// Where in a home the control bytes of empty tables lie, which are zero.
inline constexpr std::size_t kEmptyTableAt = 4032;
static_assert(sizeof(Arena) <= kEmptyTableAt);

/// The chunk that is there, once; others come from elsewhere.
class HomeSource final : public ChunkSource {
 public:
  /// `more`: borrowed; null: there are no others.
  HomeSource(ChunkMemory first, ChunkSource* more)
      : first_(first), more_(more) {}

  ChunkMemory Acquire(std::size_t min_size, std::size_t wanted) override;
  void Release(ChunkMemory memory) noexcept override;
  std::size_t Extend(ChunkMemory memory, std::size_t min_more,
                     std::size_t wanted_more) override;
  /// The memory that is there stays as it is when it is given back.
  void KeepContents() { keeps_contents_ = true; }

 private:
  const ChunkMemory first_;
  ChunkSource* const more_;
  bool is_taken_ = false;
  bool keeps_contents_ = false;
};

class SavedHome {
 public:
  /// Where homes are looked for: addresses that the kernel, the collector,
  /// malloc and the sanitizers leave alone.
  static constexpr std::uintptr_t kFirst = 0x550000000000;
  static constexpr std::uintptr_t kEnd = 0x555500000000;
  static constexpr std::size_t kAlign = std::size_t{2} << 20;

  /// Room for an image of so many bytes at `address`, or, where something is
  /// there, elsewhere; null: at a place chosen at random. Null, and errno set,
  /// where the system refuses.
  static SavedHome* Make(const void* address, std::size_t image_bytes);
  SavedHome(const SavedHome&) = delete;
  SavedHome& operator=(const SavedHome&) = delete;
  ~SavedHome();

  char* base() const { return base_; }
  char* image() const { return base_ + kHomeBytes; }
  bool is_at(const void* address) const { return base_ == address; }

  /// Bytes of a file, copy on write, in place of the image's. False, and errno
  /// set, where the system refuses.
  bool MapFile(int fd, std::size_t at, std::size_t bytes);

  /// Where all of the image will be written: fewer page faults.
  void PreferHugePages();

  /// Makes the arena, of which the first `bytes` bytes are handed out, where
  /// the image's blocks lie, or will. Null where memory runs out.
  Arena* StartArena(const char* name, ChunkSource* more, std::size_t bytes);
  /// Ends the arena; the image stays as it is.
  void EndArena();

 private:
  SavedHome(char* base, std::size_t bytes, std::size_t image_bytes);

  char* const base_;
  const std::size_t bytes_;
  const std::size_t image_bytes_;
  std::string name_;
  HomeSource* source_ = nullptr;  // owned
  Arena* arena_ = nullptr;        // at base_
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_SAVED_SAVED_HOME_H_
