// SPDX-License-Identifier: MIT

#include "saved/saved_copy.h"

#include <algorithm>
#include <cstring>

#include "acre/detail/table_rep.h"
#include "acre/detail/walk.h"
#include "copy/graph_copier.h"

namespace acre::inline ACRE_ABI::detail {

void MendEmptyTable(const SavedHome& home, char* table) {
  auto& rep = *reinterpret_cast<TableRep*>(table);
  if (rep.has_table()) return;
  rep.control = reinterpret_cast<std::uint8_t*>(home.base() + kEmptyTableAt);
}

bool SavedCopy::Run(const Arena& arena, const void* root, SavedHome& home,
                    Arena& copy) {
  home_ = &home;
  GraphCopier copier(copy, &arena);
  if (!copier.Run(*plans_.root().type, root)) return false;
  const auto offset_of = [&](const void* address) {
    return static_cast<std::size_t>(static_cast<const char*>(address) -
                                    home.image());
  };
  std::vector<std::uint32_t> numbers;  // of types, by those of the copier
  const auto number_of = [&](const CopyPlan& plan) {
    constexpr std::uint32_t kUnknown = UINT32_MAX;
    if (numbers.size() <= plan.number)
      numbers.resize(plan.number + 1, kUnknown);
    std::uint32_t& number = numbers[plan.number];
    if (number == kUnknown) number = plans_.Of(*plan.type).number;
    return number;
  };
  copier.ForEachCopy([&](const char* block, std::size_t bytes,
                         CopyNote::Kind kind, const CopyPlan& plan) {
    SavedBlock saved{offset_of(block), bytes, number_of(plan)};
    if (kind == CopyNote::Kind::kStorage) {
      saved.kind =
          plan.is_table ? SavedBlockKind::kTable : SavedBlockKind::kRow;
    }
    blocks_.push_back(saved);
  });
  const auto is_before = [](const SavedBlock& a, const SavedBlock& b) {
    return a.offset < b.offset;
  };
  if (!std::is_sorted(blocks_.begin(), blocks_.end(), is_before)) {
    std::sort(blocks_.begin(), blocks_.end(), is_before);
  }
  root_ = offset_of(copier.copy());
  bytes_ = kChunkHeader + copy.stats().current_used;
  return MendAll();
}

bool SavedCopy::MendAll() {
  for (const SavedBlock& block : blocks_) {
    char* const data = home_->image() + block.offset;
    // Whole granules were copied; what is behind the last byte is nobody's.
    if constexpr (!kChecked) {
      std::memset(data + block.bytes, 0, -block.bytes % kGranule);
    }
    const SavedPlan& plan = plans_[block.type];
    if (!plan.is_mended) continue;
    if (block.kind == SavedBlockKind::kTable) {
      bool is_fine = true;
      SavedTable(*plan.type, data, block.bytes).ForEach([&](const char* entry) {
        is_fine = is_fine && Mend(plan, const_cast<char*>(entry));
      });
      if (!is_fine) return false;
    } else if (!MendRow(plan, data, block.bytes / plan.type->size)) {
      return false;
    }
  }
  return true;
}

bool SavedCopy::MendRow(const SavedPlan& plan, char* data, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (!Mend(plan, data + i * plan.type->size)) return false;
  }
  return true;
}

bool SavedCopy::Mend(const SavedPlan& plan, char* object) {
  return std::all_of(plan.steps.begin(), plan.steps.end(),
                     [&](const SavedStep& step) {
                       return MendStep(plan, step, object + step.offset);
                     });
}

bool SavedCopy::MendStep(const SavedPlan& plan, const SavedStep& step,
                         char* slot) {
  switch (step.kind) {
    case SavedKind::kBorrowed:
      if (!IsZero(slot, step.size) && !may_drop_) return false;
      if (step.type->name.ends_with('&')) return false;
      std::memset(slot, 0, step.size);
      return true;
    case SavedKind::kTransient:
      std::memset(slot, 0, step.size);
      return true;
    case SavedKind::kView:
      if (step.type->ops->view(slot).count == 0) {
        std::memset(slot, 0, step.size);
      }
      return true;
    case SavedKind::kHandle:
      if (IsTable(*step.type)) MendEmptyTable(*home_, slot);
      return true;
    case SavedKind::kChoice: {
      const ActivePart active = step.type->ops->active(slot);
      if (active.object == nullptr) return true;
      return Mend(*plan.parts[step.first_part + active.index],
                  static_cast<char*>(const_cast<void*>(active.object)));
    }
    case SavedKind::kTuple:
      for (std::size_t i = 0; i < step.type->fields.size(); ++i) {
        const void* const part = step.type->ops->part(slot, i);
        if (!Mend(*plan.parts[step.first_part + i],
                  static_cast<char*>(const_cast<void*>(part)))) {
          return false;
        }
      }
      return true;
    case SavedKind::kArray:
      return MendRow(*step.plan, slot, step.type->count);
    case SavedKind::kPointer:
    case SavedKind::kBool:
      return true;
  }
  return true;
}

}  // namespace acre::inline ACRE_ABI::detail
