// SPDX-License-Identifier: MIT
//
// The list of blocks in an image, in the order in which they lie there. Of each
// three numbers, seven bits a byte, the last byte of a number below 128:
//
//   granules between the block and the end of the one before
//   type * 4 + SavedBlockKind    the type: its number in SavedPlans
//   bytes
//
// Internal to acre.

#ifndef ACRE_CONTAINERS_SAVED_SAVED_BLOCKS_H_
#define ACRE_CONTAINERS_SAVED_SAVED_BLOCKS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "acre/chunk_source.h"
#include "acre/config.h"
#include "saved/saved_plan.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

struct SavedBlock {
  std::uint64_t offset = 0;  // in the image
  std::uint64_t bytes = 0;
  std::uint32_t type = 0;
  SavedBlockKind kind = SavedBlockKind::kObjects;
  bool has_owner = false;  // of storage: its container was met
};

class BlockListWriter {
 public:
  /// Requires: in order. `plan`: of the block's type.
  void Add(const SavedBlock& block, const SavedPlan& plan);
  const std::string& text() const { return text_; }

 private:
  void AddNumber(std::uint64_t number);

  std::string text_;
  std::uint64_t end_ = kChunkHeader;  // of the block before
};

/// Reads a list that may say anything. Every block that it returns lies behind
/// the one before and within `image_bytes`, and holds whole objects of one of
/// the types.
class BlockListReader {
 public:
  BlockListReader(std::string_view text, const SavedPlans& plans,
                  std::uint64_t image_bytes);

  /// False at the end, and where the list cannot be: is_sound() tells.
  bool Next(SavedBlock* block);
  bool is_sound() const { return is_sound_; }

 private:
  /// Of one object, or of the smallest table, and the room that it takes.
  struct Shape {
    std::size_t size;
    std::size_t align;
    std::size_t room;
    std::size_t room_align;
  };
  bool ReadNumber(std::uint64_t* number);

  std::string_view text_;
  std::vector<Shape> shapes_;  // by type, of objects and of tables
  const std::uint64_t image_bytes_;
  std::uint64_t end_;  // of the block before
  bool is_sound_ = true;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_SAVED_SAVED_BLOCKS_H_
