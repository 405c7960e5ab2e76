// SPDX-License-Identifier: MIT

#include "saved/saved_blocks.h"

#include "acre/chunk_source.h"
#include "acre/detail/size_class.h"

namespace acre::inline ACRE_ABI::detail {

std::size_t RoomOf(std::size_t bytes, std::size_t align) {
  return BlockFor(bytes, align).bytes;
}

// -------------------------------------------------------------------- writing

void BlockListWriter::Add(const SavedBlock& block, std::size_t room) {
  if (end_ == 0) end_ = kChunkHeader;
  AddNumber((block.offset - end_) / kGranule);
  AddNumber(std::uint64_t{block.type} * 4 +
            static_cast<std::uint64_t>(block.kind));
  AddNumber(block.bytes);
  end_ = block.offset + room;
}

void BlockListWriter::AddNumber(std::uint64_t number) {
  for (; number >= 128; number >>= 7) {
    text_ += static_cast<char>(number % 128 + 128);
  }
  text_ += static_cast<char>(number);
}

// -------------------------------------------------------------------- reading

bool BlockListReader::ReadNumber(std::uint64_t* number) {
  *number = 0;
  for (unsigned shift = 0; shift < 63 && !text_.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(text_[0]);
    text_.remove_prefix(1);
    *number |= std::uint64_t{byte % 128u} << shift;
    if (byte < 128) return true;
  }
  return is_sound_ = false;
}

bool BlockListReader::Next(SavedBlock* block) {
  if (text_.empty() || !is_sound_) return false;
  if (end_ == 0) end_ = kChunkHeader;
  std::uint64_t gap;
  std::uint64_t type;
  if (!ReadNumber(&gap) || !ReadNumber(&type) || !ReadNumber(&block->bytes)) {
    return false;
  }
  is_sound_ = false;
  if (gap > image_bytes_ / kGranule || type / 4 >= plans_.size()) return false;
  block->offset = end_ + gap * kGranule;
  block->type = static_cast<std::uint32_t>(type / 4);
  block->kind = static_cast<SavedBlockKind>(type % 4);
  block->has_owner = false;
  std::size_t room = 0;
  if (!IsPossible(*block, &room)) return false;
  end_ = block->offset + room;
  return is_sound_ = true;
}

bool BlockListReader::IsPossible(const SavedBlock& block,
                                 std::size_t* room) const {
  if (block.offset > image_bytes_ ||
      block.bytes > image_bytes_ - block.offset || block.bytes == 0) {
    return false;
  }
  const SavedPlan& plan = plans_[block.type];
  std::size_t size = 1;
  if (block.kind == SavedBlockKind::kObjects) {
    size = plan.type->size;
  } else if (plan.type->kind != TypeKind::kHandle) {
    return false;
  } else if (block.kind == SavedBlockKind::kRow) {
    size = plan.type->element()->size;
  }
  const std::size_t align = AlignOf(block.kind, plan);
  const SizeClass room_class = BlockFor(block.bytes, align);
  *room = room_class.bytes;
  return block.bytes % size == 0 &&
         block.offset % BlockAlign(room_class, align) == 0 &&
         *room <= image_bytes_ - block.offset;
}

}  // namespace acre::inline ACRE_ABI::detail
