// SPDX-License-Identifier: MIT

#include "saved/saved_writer.h"

#include <cstring>

#include "acre/detail/blocks.h"
#include "acre/detail/size_class.h"
#include "acre/detail/walk.h"

namespace acre::inline ACRE_ABI::detail {

std::size_t SavedWriter::Place() {
  std::size_t end = kChunkHeader;
  for (FoundBlock& block : finder_.blocks()) {
    const std::size_t align = AlignOf(block.kind, *block.plan);
    const SizeClass room = BlockFor(block.bytes, align);
    const std::size_t offset = RoundUp(end, BlockAlign(room, align));
    // Until there is a home, counted from its image.
    block.image = reinterpret_cast<char*>(offset);
    end = offset + room.bytes;
  }
  return end;
}

bool SavedWriter::Write(SavedHome& home, Arena& arena, const void* root) {
  home_ = &home;
  arena_ = &arena;
  for (FoundBlock& block : finder_.blocks()) {
    block.image = home.image() + reinterpret_cast<std::uintptr_t>(block.image);
  }
  for (const FoundBlock& block : finder_.blocks()) {
    // Storage is copied with its container.
    if (block.kind != SavedBlockKind::kObjects) continue;
    const TypeLayout& type = *block.plan->type;
    Blocks::NoteFilled(arena, block.image, block.bytes, type.align, &type);
    std::memcpy(block.image, block.begin, block.bytes);
    TakeRow({block.image, block.bytes / type.size, block.plan});
    while (!rows_.empty()) TakeRow(rows_.Pop());
  }
  pending_.Drain([this](const Pending& pending) { Finish(pending); });
  root_ = Follow(static_cast<const char*>(root), nullptr, nullptr);
  keys_.AddPointer(&root_, nullptr);
  return keys_.TryRun();
}

void SavedWriter::TakeRow(const Row& row) {
  if (row.plan->steps.empty()) return;
  char* at = row.data;
  for (std::size_t i = 0; i < row.count; ++i) {
    TakeObject(*row.plan, at);
    at += row.plan->type->size;
  }
}

void SavedWriter::TakeObject(const SavedPlan& plan, char* object) {
  for (const SavedStep& step : plan.steps) {
    TakeStep(plan, step, object + step.offset);
  }
}

void SavedWriter::TakeStep(const SavedPlan& plan, const SavedStep& step,
                           char* slot) {
  switch (step.kind) {
    case SavedKind::kPointer:
      return TakePointer(slot);
    case SavedKind::kView:
      return TakeView(step, slot);
    case SavedKind::kHandle:
      return TakeHandle(step, slot);
    case SavedKind::kBorrowed:
    case SavedKind::kTransient:
      return;  // SavedMender's
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

void SavedWriter::TakePointer(char* slot) {
  const char* target;
  std::memcpy(&target, slot, sizeof target);
  if (target == nullptr) return;
  finder_.Prefetch(target);
  Finish(pending_.Exchange({slot, target}));
}

void SavedWriter::Finish(const Pending& pending) {
  if (pending.slot == nullptr) return;
  char* const image = Follow(pending.target, pending.slot, nullptr);
  std::memcpy(pending.slot, &image, sizeof image);
}

void SavedWriter::TakeView(const SavedStep& step, char* slot) {
  const ElementRun run = step.type->ops->view(slot);
  char* const image =
      run.count == 0
          ? nullptr
          : Follow(static_cast<const char*>(run.data), slot, step.type);
  if (image == nullptr) {
    std::memset(slot, 0, step.size);
  } else {
    step.type->ops->set_view(slot, image);
  }
}

/// Where what the pointer or view leads to will lie; null: nowhere.
char* SavedWriter::Follow(const char* source, char* slot,
                          const TypeLayout* view) {
  const FoundBlock* const block = finder_.Find(source);
  if (block == nullptr) return nullptr;
  if (block->kind == SavedBlockKind::kTable && slot != nullptr) {
    keys_.AddPointer(slot, view);
  }
  return block->image + (source - block->begin);
}

void SavedWriter::TakeHandle(const SavedStep& step, char* slot) {
  const TypeLayout& type = *step.type;
  const HandleStorage storage = type.ops->storage(slot);
  const bool is_table = IsTable(type);
  if (storage.block == nullptr || storage.used == 0) {
    return type.ops->adopt(slot, arena_, nullptr, 0);
  }
  const auto* const source = static_cast<const char*>(storage.block);
  char* const image = finder_.Find(source)->image;
  Blocks::NoteFilled(*arena_, image, storage.used, storage.align, storage.type);
  Blocks::NoteStorage(*arena_, image, is_table ? &type : nullptr);
  std::memcpy(image, source, storage.used);
  type.ops->adopt(slot, arena_, image, storage.used);
  if (type.ops->rehash != nullptr) keys_.Add(type, slot);
  const SavedPlan& element = plans_.OfStorage(step, storage);
  if (element.steps.empty()) return;
  const auto take = [this](const Row& row) { TakeRow(row); };
  if (is_table) {
    SavedTable(*element.type, image, storage.used)
        .ForEach([&](const char* entry) {
          rows_.WalkOrKeep({const_cast<char*>(entry), 1, &element}, take);
        });
  } else {
    rows_.WalkOrKeep({image, storage.used / element.type->size, &element},
                     take);
  }
}

}  // namespace acre::inline ACRE_ABI::detail
