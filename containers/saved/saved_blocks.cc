// SPDX-License-Identifier: MIT

#include "saved/saved_blocks.h"

#include "acre/chunk_source.h"
#include "acre/detail/group.h"
#include "acre/detail/size_class.h"

namespace acre::inline ACRE_ABI::detail {

// -------------------------------------------------------------------- writing

void BlockListWriter::Add(const SavedBlock& block, const SavedPlan& plan) {
  AddNumber((block.offset - end_) / kGranule);
  AddNumber(std::uint64_t{block.type} * 4 +
            static_cast<std::uint64_t>(block.kind));
  AddNumber(block.bytes);
  end_ = block.offset + BlockFor(block.bytes, AlignOf(block.kind, plan)).bytes;
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

BlockListReader::BlockListReader(std::string_view text, const SavedPlans& plans,
                                 std::uint64_t image_bytes)
    : text_(text), image_bytes_(image_bytes), end_(kChunkHeader) {
  for (std::size_t i = 0; i < plans.size(); ++i) {
    for (const auto kind : {SavedBlockKind::kObjects, SavedBlockKind::kTable}) {
      const bool is_table = kind == SavedBlockKind::kTable;
      const std::size_t size = is_table ? kGroupBytes : plans[i].type->size;
      const std::size_t align = AlignOf(kind, plans[i]);
      const SizeClass one = BlockFor(size, align);
      shapes_.push_back({size, align, one.bytes, BlockAlign(one, align)});
    }
  }
}

bool BlockListReader::Next(SavedBlock* block) {
  if (text_.empty() || !is_sound_) return false;
  std::uint64_t gap;
  std::uint64_t type;
  if (!ReadNumber(&gap) || !ReadNumber(&type) || !ReadNumber(&block->bytes)) {
    return false;
  }
  is_sound_ = false;
  constexpr auto kKinds = static_cast<unsigned>(SavedBlockKind::kTable);
  if (gap > image_bytes_ / kGranule || type / 4 >= shapes_.size() / 2 ||
      type % 4 > kKinds) {
    return false;
  }
  block->offset = end_ + gap * kGranule;
  block->type = static_cast<std::uint32_t>(type / 4);
  block->kind = static_cast<SavedBlockKind>(type % 4);
  block->has_owner = false;
  const bool is_table = block->kind == SavedBlockKind::kTable;
  const Shape& shape = shapes_[type / 4 * 2 + (is_table ? 1 : 0)];
  std::uint64_t room = shape.room;
  std::uint64_t align = shape.room_align;
  if (block->bytes != shape.size) {
    // Larger than the image it is nowhere in it; a class has an end, too.
    if (block->bytes < shape.size || block->bytes > image_bytes_ ||
        (!is_table && block->bytes % shape.size != 0)) {
      return false;
    }
    const SizeClass size = BlockFor(block->bytes, shape.align);
    room = size.bytes;
    align = BlockAlign(size, shape.align);
  }
  if (block->offset > image_bytes_ || room > image_bytes_ - block->offset ||
      (block->offset & (align - 1)) != 0) {
    return false;
  }
  end_ = block->offset + room;
  return is_sound_ = true;
}

}  // namespace acre::inline ACRE_ABI::detail
