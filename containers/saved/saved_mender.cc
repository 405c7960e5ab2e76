// SPDX-License-Identifier: MIT

#include "saved/saved_mender.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "acre/detail/size_class.h"
#include "acre/detail/table_rep.h"
#include "acre/detail/walk.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

/// Zeros the bytes of a choice that its live part does not have: those that
/// another part left, and those behind the number that tells which part lives.
void ClearUnused(const TypeLayout& type, char* choice) {
  std::size_t room = 0;  // of the parts; the number follows
  std::size_t align = 1;
  for (const FieldLayout& field : type.fields) {
    room = std::max(room, field.type()->size);
    align = std::max(align, field.type()->align);
  }
  room = RoundUp(room, align);
  const ActivePart live = type.ops->active(choice);
  std::size_t begin = 0;
  std::size_t end = 0;
  if (live.object != nullptr) {
    const TypeLayout& part = *type.fields[live.index].type();
    begin = static_cast<std::size_t>(static_cast<const char*>(live.object) -
                                     choice);
    // The one byte of an empty class is none of it.
    end = begin + (part.name == "std::monostate" ? 0 : part.size);
  }
  if (end > room) return;  // the number stands before: another library's
  std::memset(choice, 0, begin);
  std::memset(choice + end, 0, room - end);
  for (char* at = choice + room + 1; at < choice + type.size; ++at) {
    const char before = std::exchange(*at, 0);
    const ActivePart now = type.ops->active(choice);
    // The number is longer than a byte.
    if (now.object != live.object || now.index != live.index) *at = before;
  }
}

}  // namespace

bool SavedMender::Mend(const SavedBlock& block) {
  char* const data = home_.image() + block.offset;
  // Whole granules were copied; what is behind the last byte is nobody's.
  if constexpr (!kChecked) {
    std::memset(data + block.bytes, 0, -block.bytes % kGranule);
  }
  const SavedPlan& plan = plans_[block.type];
  if (block.kind == SavedBlockKind::kTable) {
    return MendTable(plan, data, block.bytes);
  }
  return !plan.is_mended() ||
         MendRow(plan, data, block.bytes / plan.type->size);
}

bool SavedMender::MendTable(const SavedPlan& plan, char* storage,
                            std::size_t bytes) {
  bool is_fine = true;
  const SavedTable table(*plan.type, storage, bytes);
  table.ForEachSlot([&](const char* slot, bool is_used) {
    char* const element = const_cast<char*>(slot);
    if (!is_used) {
      std::memset(element, 0, plan.type->size);
    } else if (plan.is_mended() && is_fine) {
      key_begin_ = element;
      key_end_ = element + plan.key_bytes;
      is_fine = MendObject(plan, element);
    }
  });
  key_begin_ = key_end_ = nullptr;
  return is_fine;
}

bool SavedMender::MendRow(const SavedPlan& plan, char* data,
                          std::size_t count) {
  if (!plan.is_mended()) return true;
  for (std::size_t i = 0; i < count; ++i) {
    if (!MendObject(plan, data + i * plan.type->size)) return false;
  }
  return true;
}

bool SavedMender::MendObject(const SavedPlan& plan, char* object) {
  for (const SavedGap& gap : plan.gaps) {
    std::memset(object + gap.offset, 0, gap.size);
  }
  for (const SavedStep& step : plan.mended) {
    if (!MendStep(plan, step, object + step.offset)) return false;
  }
  return true;
}

bool SavedMender::MendStep(const SavedPlan& plan, const SavedStep& step,
                           char* slot) {
  switch (step.kind) {
    case SavedKind::kBorrowed:
      if (LeadsSomewhere(step, slot)) {
        const bool is_in_key = slot >= key_begin_ && slot < key_end_;
        const bool is_reference = step.type->name.ends_with('&');
        if (!may_drop_ || is_in_key || is_reference) return false;
      }
      ClearField(step, slot, arena_);
      return true;
    case SavedKind::kTransient:
      ClearField(step, slot, arena_);
      return true;
    case SavedKind::kView:
      if (step.type->ops->view(slot).count == 0) {
        std::memset(slot, 0, step.size);
      }
      return true;
    case SavedKind::kHandle:
      if (IsTable(*step.type)) {
        // The groups that empty tables look into lie in the home as well.
        auto& rep = *reinterpret_cast<TableRep*>(slot);
        if (!rep.has_table()) {
          rep.control =
              reinterpret_cast<std::uint8_t*>(home_.base() + kEmptyTableAt);
        }
      }
      return true;
    case SavedKind::kChoice:
      ClearUnused(*step.type, slot);
      break;
    case SavedKind::kTuple:
    case SavedKind::kArray:
      break;
    case SavedKind::kPointer:
    case SavedKind::kBool:
      return true;
  }
  bool is_fine = true;
  ForEachPart(plan, step, slot, [&](const SavedPlan& part, char* object) {
    is_fine = is_fine && MendRow(part, object, 1);
  });
  return is_fine;
}

}  // namespace acre::inline ACRE_ABI::detail
