// SPDX-License-Identifier: MIT

#include "saved/saved_reader.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

#include "acre/detail/blocks.h"
#include "acre/detail/handle.h"
#include "acre/detail/path.h"
#include "acre/detail/size_class.h"
#include "acre/detail/walk.h"
#include "acre/string.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

std::uint64_t NumberOf(const void* address) {
  return reinterpret_cast<std::uintptr_t>(address);
}

/// Most often one.
std::size_t CountOf(const SavedBlock& block, const SavedPlan& plan) {
  const std::size_t size = plan.type->size;
  return block.bytes == size ? 1 : block.bytes / size;
}

}  // namespace

SaveError SavedReader::Run(std::string_view list, std::uint64_t count,
                           std::uint64_t root) {
  is_moved_ = NumberOf(image_.bytes) != image_.saved_at;
  const bool has_index = verifies_ || plans_.has_rehashed();
  bool is_sound = !has_index || MakeIndex(list, count);
  // Checked builds know every block: before anything is made of it. Of storage
  // its container tells the rest.
  if constexpr (kChecked) {
    is_sound = is_sound && ForEachBlock(list, [&](const SavedBlock& block) {
                 const SavedPlan& plan = plans_[block.type];
                 const bool is_storage = block.kind != SavedBlockKind::kObjects;
                 Blocks::NoteFilled(arena_, image_.bytes + block.offset,
                                    block.bytes, AlignOf(block.kind, plan),
                                    is_storage ? nullptr : plan.type);
               });
  }
  is_sound =
      is_sound && ForEachBlock(list, [&](const SavedBlock& block) {
        if (block.kind != SavedBlockKind::kObjects || error_) return;
        const SavedPlan& plan = plans_[block.type];
        TakeRow({image_.bytes + block.offset, CountOf(block, plan), &plan, 0});
        while (!rows_.empty() && !error_) TakeRow(rows_.Pop());
      });
  pending_.Drain([this](const Pending& pending) { Finish(pending); });
  if (!is_sound) {
    error_ = {};
    error_.what = "the list of its blocks is damaged";
  }
  if (verifies_ && !error_) CheckRest(root);
  root_ = image_.bytes + root;
  keys_.AddPointer(&root_, nullptr);
  if (!error_ && !keys_.TryRun()) error_.what = keys_.what();
  return std::move(error_);
}

/// False where the list cannot be.
template <class Visit>
bool SavedReader::ForEachBlock(std::string_view list, Visit visit) {
  BlockListReader reader(list, plans_, image_.size);
  for (SavedBlock block; reader.Next(&block);) visit(block);
  return reader.is_sound();
}

/// Where addresses have to be found.
bool SavedReader::MakeIndex(std::string_view list, std::uint64_t count) {
  // What the header says is not believed further than the list goes.
  if (count > list.size() / 3 || count >= UINT32_MAX) return false;
  blocks_.reserve(count);
  starts_.resize(image_.size / kGranule);
  codes_.resize(image_.size / kGranule);
  const bool is_sound = ForEachBlock(list, [&](const SavedBlock& block) {
    const std::size_t granule = block.offset / kGranule;
    blocks_.push_back(block);
    starts_[granule] = static_cast<std::uint32_t>(blocks_.size());
    if (block.kind == SavedBlockKind::kObjects) {
      codes_[granule] = CodeOf(block.type);
    }
  });
  return is_sound && blocks_.size() == count;
}

/// What only the whole tells.
void SavedReader::CheckRest(std::uint64_t root) {
  CheckOwners();
  plan_ = nullptr;
  const std::size_t block = BlockAt(root);
  const bool is_block = block != kNone && blocks_[block].offset == root &&
                        blocks_[block].kind == SavedBlockKind::kObjects &&
                        blocks_[block].type == 0;
  // A root that is a part of something, or has a part's address.
  if (!is_block && !error_) {
    Follow(plans_.root(), image_.saved_at + root, 1, nullptr, nullptr);
  }
  CheckLater();
}

// -------------------------------------------------------------------- objects

void SavedReader::TakeRow(const Row& row) {
  const SavedPlan& plan = *row.plan;
  if (!MustTake(plan)) return;
  if (plan.is_pointer && codes_.empty()) return MovePointers(row);
  const SavedPlan* const around = std::exchange(plan_, &plan);
  char* const outer = object_;
  const std::size_t key_bytes = std::exchange(key_bytes_, row.key_bytes);
  char* at = row.data;
  for (std::size_t i = 0; i < row.count && !error_; ++i) {
    object_ = at;
    head_ = row.has_head && i == 0 ? at : nullptr;
    TakeObject(plan, at);
    at += plan.type->size;
  }
  plan_ = around;
  object_ = outer;
  key_bytes_ = key_bytes;
}

/// Of which nothing is asked but where they lead now.
void SavedReader::MovePointers(const Row& row) {
  for (std::size_t i = 0; i < row.count; ++i) {
    MovePointer(row.data + i * sizeof(void*));
  }
}

void SavedReader::TakeObject(const SavedPlan& plan, char* object) {
  if (verifies_) {
    for (const SavedStep& value : plan.values) {
      TakeValue(plan, value, object + value.offset);
    }
    if (error_) return;
  }
  for (const SavedStep& step : plan.steps) {
    TakeStep(plan, step, object + step.offset);
  }
}

void SavedReader::TakeStep(const SavedPlan& plan, const SavedStep& step,
                           char* slot) {
  if (error_) return;
  switch (step.kind) {
    case SavedKind::kPointer:
      return TakePointer(step, slot);
    case SavedKind::kView:
      return TakeView(step, slot);
    case SavedKind::kHandle:
      return TakeHandle(step, slot);
    case SavedKind::kBorrowed:
    case SavedKind::kTransient:
      return ClearField(step, slot, arena_);
    case SavedKind::kChoice:
    case SavedKind::kTuple:
    case SavedKind::kArray:
      return ForEachPart(plan, step, slot,
                         [this](const SavedPlan& part, char* object) {
                           TakeObject(part, object);
                         });
    case SavedKind::kBool:
      return;
  }
}

/// What would not be a value of its type.
void SavedReader::TakeValue(const SavedPlan& plan, const SavedStep& step,
                            char* value) {
  const TypeLayout& type = *step.type;
  switch (step.kind) {
    case SavedKind::kBool:
      if (static_cast<unsigned char>(*value) > 1) {
        Fail(value, "is neither true nor false");
      }
      return;
    case SavedKind::kChoice: {
      if (IsOptional(type) &&
          static_cast<unsigned char>(value[type.fields[0].size]) > 1) {
        return Fail(value, "is neither empty nor not");
      }
      const ActivePart active = type.ops->active(value);
      if (active.object == nullptr && active.index != 0) {
        return Fail(value, "has no such alternative");
      }
      break;
    }
    case SavedKind::kTuple:
    case SavedKind::kArray:
      break;
    case SavedKind::kPointer:
    case SavedKind::kView:
    case SavedKind::kHandle:
    case SavedKind::kBorrowed:
    case SavedKind::kTransient:
      return;
  }
  ForEachPart(plan, step, value, [this](const SavedPlan& part, char* object) {
    TakeValues(part, object);
  });
}

void SavedReader::TakeValues(const SavedPlan& plan, const char* object) {
  for (const SavedStep& value : plan.values) {
    TakeValue(plan, value, const_cast<char*>(object) + value.offset);
  }
}

// ------------------------------------------------------------------- pointers

void SavedReader::TakePointer(const SavedStep& step, char* slot) {
  const std::uint64_t address = MovePointer(slot);
  if (codes_.empty() || address == 0) return;
  const std::uint64_t granule = (address - image_.saved_at) / kGranule;
  if (granule < codes_.size()) __builtin_prefetch(&codes_[granule]);
  Finish(pending_.Exchange(
      {slot, address, step.plan, plan_, object_, key_bytes_}));
}

/// A pointer of which the index has come from memory.
void SavedReader::Finish(const Pending& pending) {
  if (pending.slot == nullptr || error_) return;
  const std::uint64_t offset = pending.address - image_.saved_at;
  // Most lead to the start of an object of that very type.
  const std::uint8_t code = CodeOf(pending.target->number);
  if (ACRE_LIKELY(offset < image_.size && offset % kGranule == 0 &&
                  codes_[offset / kGranule] == code && code != kOtherCode)) {
    return;
  }
  const SavedPlan* const plan = std::exchange(plan_, pending.plan);
  char* const object = std::exchange(object_, pending.object);
  const std::size_t key_bytes = std::exchange(key_bytes_, pending.key_bytes);
  Follow(*pending.target, pending.address, 1, pending.slot, nullptr);
  plan_ = plan;
  object_ = object;
  key_bytes_ = key_bytes;
}

void SavedReader::TakeView(const SavedStep& step, char* slot) {
  const ElementRun run = step.type->ops->view(slot);
  if (run.count == 0 || run.data == nullptr) {
    // Of a fixed number of elements it is a pointer, and may be null.
    const bool is_pointer = step.size == sizeof(void*);
    if (run.count != 0 && !is_pointer) {
      return Fail(slot, "has elements nowhere");
    }
    return step.type->ops->set_view(slot, nullptr);
  }
  if (run.count > image_.size / step.plan->type->size) {
    return Fail(slot, "has more elements than the file");
  }
  if (!Follow(*step.plan, NumberOf(run.data), run.count, slot, step.type))
    return;
  step.type->ops->set_view(slot, Now(run.data));
}

/// A pointer, or a view of that type, to `count` objects. False where they are
/// not there.
bool SavedReader::Follow(const SavedPlan& target, std::uint64_t address,
                         std::size_t count, char* slot,
                         const TypeLayout* view) {
  if (starts_.empty()) return true;
  const auto tell = [&] {
    char text[24];
    std::snprintf(text, sizeof text, "0x%llx",
                  static_cast<unsigned long long>(address));
    Fail(slot, Joined({"leads to ", text, ", where no ",
                       TypeText(target.type->name), " lies"}));
    return false;
  };
  const std::uint64_t offset = address - image_.saved_at;
  const std::size_t number = BlockAt(offset);
  if (number == kNone) return !verifies_ || tell();
  const SavedBlock& block = blocks_[number];
  const std::size_t inside = offset - block.offset;
  const SavedPlan& plan = plans_[block.type];
  const bool is_table = block.kind == SavedBlockKind::kTable;
  if (is_table && plan.is_rehashed && slot != nullptr) {
    if (slot < object_ + key_bytes_ && slot >= object_) {
      Fail(slot, "a key points into the entries of a table that is to move");
      return false;
    }
    keys_.AddPointer(slot, view);
  }
  if (!verifies_) return true;
  const bool is_text = view != nullptr && IsStringView(*view);
  const std::size_t bytes = count * target.type->size;
  if (inside > block.bytes || bytes > block.bytes - inside) return tell();
  if (is_table) {
    later_.push_back({number, inside, count, &target, plan_, is_text});
    return true;
  }
  const bool is_simple = block.kind == SavedBlockKind::kObjects &&
                         &plan == &target && inside % target.type->size == 0;
  return is_simple ||
         BlockHolds(block.kind, plan, image_.bytes + block.offset, block.bytes,
                    inside, *target.type, count, is_text) ||
         tell();
}

/// The block around it, or kNone.
std::size_t SavedReader::BlockAt(std::uint64_t offset) const {
  if (offset >= image_.size) return kNone;
  if (offset % kGranule == 0) {
    const std::uint32_t start = starts_[offset / kGranule];
    if (start != 0) return start - 1;
  }
  const auto behind = std::upper_bound(
      blocks_.begin(), blocks_.end(), offset,
      [](std::uint64_t at, const SavedBlock& b) { return at < b.offset; });
  if (behind == blocks_.begin()) return kNone;
  const auto block = std::prev(behind);
  if (offset - block->offset >= block->bytes) return kNone;
  return static_cast<std::size_t>(block - blocks_.begin());
}

/// What leads into tables, now that these are known to be sound.
void SavedReader::CheckLater() {
  for (const Later& later : std::exchange(later_, {})) {
    const SavedBlock& block = blocks_[later.block];
    if (!block.has_owner ||
        !BlockHolds(block.kind, plans_[block.type], image_.bytes + block.offset,
                    block.bytes, later.offset, *later.plan->type, later.count,
                    later.is_text)) {
      error_.path = later.in == nullptr ? "" : TypeText(later.in->type->name);
      error_.what = Joined({"a pointer leads into a table, where no ",
                            TypeText(later.plan->type->name), " lies"});
      return;
    }
  }
}

// ----------------------------------------------------------------- containers

void SavedReader::TakeHandle(const SavedStep& step, char* slot) {
  HandleStorage storage;
  const TypeOps& ops = *step.type->ops;
  const SavedBytes bytes{this, &FindBytes, slot == head_};
  bool is_sound;
  if (ops.form == HandleForm::kVector) {
    is_sound = IsSoundVector(*reinterpret_cast<VectorRep*>(slot),
                             *step.plan->type, &storage);
  } else if (ops.form == HandleForm::kString) {
    is_sound = Shape<String>::IsSound(slot, bytes, &storage);
  } else {
    is_sound = ops.is_sound(slot, bytes, &storage);
  }
  if (!is_sound)
    return Fail(slot, Joined({"is no ", TypeText(step.type->name)}));
  if (storage.block == nullptr) return ops.adopt(slot, &arena_, nullptr, 0);
  const SavedPlan& element = plans_.OfStorage(step, storage);
  if (verifies_ && !Claim(step, element, storage, slot)) return;
  char* const block = Now(storage.block);
  if constexpr (kChecked) {
    Blocks::NoteFilled(arena_, block, storage.bytes, storage.align,
                       storage.type);
    Blocks::NoteStorage(arena_, block,
                        IsTable(*step.type) ? step.type : nullptr);
  }
  if (ops.form == HandleForm::kVector) {
    auto& rep = *reinterpret_cast<VectorRep*>(slot);
    rep = {block, &arena_, rep.size, rep.capacity, arena_.stamp()};
  } else {
    ops.adopt(slot, &arena_, block, storage.bytes);
  }
  const bool must_rehash =
      (is_moved_ && ops.rehash != nullptr) || ops.reseed != nullptr;
  // Of a Json, where it has elements.
  if (must_rehash && &element == step.plan) keys_.Add(*step.type, slot);
  TakeElements(step, element, storage, block);
}

void SavedReader::TakeElements(const SavedStep& step, const SavedPlan& element,
                               const HandleStorage& storage, char* block) {
  if (!MustTake(element)) return;
  if (element.is_pointer && codes_.empty()) {
    return MovePointers({block, storage.used / sizeof(void*), &element, 0});
  }
  const auto take = [this](const Row& row) { TakeRow(row); };
  if (!IsTable(*step.type)) {
    rows_.WalkOrKeep({block, storage.used / element.type->size, &element, 0,
                      HasOwnForm(*step.type)},
                     take);
    return;
  }
  SavedTable(*element.type, block, storage.bytes)
      .ForEach([&](const char* entry) {
        rows_.WalkOrKeep(
            {const_cast<char*>(entry), 1, &element, step.key->type->size},
            take);
      });
}

/// The storage is one of the blocks, and no other container's.
bool SavedReader::Claim(const SavedStep& step, const SavedPlan& element,
                        const HandleStorage& storage, char* slot) {
  const std::uint64_t offset = NumberOf(storage.block) - image_.saved_at;
  const std::size_t number = BlockAt(offset);
  if (number != kNone) {
    SavedBlock& block = blocks_[number];
    const bool fits =
        block.offset == offset && !block.has_owner &&
        block.kind == (IsTable(*step.type) ? SavedBlockKind::kTable
                                           : SavedBlockKind::kRow) &&
        block.type == element.number && block.bytes == storage.bytes &&
        storage.used == storage.bytes;
    block.has_owner = block.has_owner || fits;
    if (fits) return true;
  }
  Fail(slot, "has its elements where no storage of such a container lies");
  return false;
}

const void* SavedReader::FindBytes(const void* self, const void* saved,
                                   std::size_t bytes) {
  const auto& reader = *static_cast<const SavedReader*>(self);
  const std::uint64_t offset = NumberOf(saved) - reader.image_.saved_at;
  if (offset > reader.image_.size || bytes > reader.image_.size - offset) {
    return nullptr;
  }
  if (reader.verifies_) {
    const std::size_t number = reader.BlockAt(offset);
    if (number == kNone) return nullptr;
    const SavedBlock& block = reader.blocks_[number];
    if (bytes > block.offset + block.bytes - offset) return nullptr;
  }
  return reader.image_.bytes + offset;
}

void SavedReader::CheckOwners() {
  for (const SavedBlock& block : blocks_) {
    if (block.kind == SavedBlockKind::kObjects || block.has_owner) continue;
    error_.what = "it has storage without a container, at byte " +
                  std::to_string(block.offset);
    return;
  }
}

// --------------------------------------------------------------------- errors

void SavedReader::Fail(const char* slot, std::string what) {
  if (error_) return;
  error_.what = std::move(what);
  if (plan_ == nullptr) {
    error_.path = TypeText(plans_.root().type->name);
    return;
  }
  // What an optional or a variant holds is not believed.
  error_.path = TypeText(plan_->type->name) +
                PathInside(*plan_->type, object_, slot, false);
  error_.what +=
      " (byte " +
      std::to_string(static_cast<std::uint64_t>(object_ - image_.bytes)) +
      " of the image)";
}

}  // namespace acre::inline ACRE_ABI::detail
