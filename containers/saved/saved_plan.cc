// SPDX-License-Identifier: MIT

#include "saved/saved_plan.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>

#include "acre/detail/parts.h"
#include "acre/detail/state_plan.h"
#include "acre/detail/walk.h"
#include "acre/element.h"
#include "acre/string.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

// Longer arrays are one step.
constexpr std::size_t kMaxUnrolled = 16;

/// Appends the bytes that are something.
void AddCovered(const TypeLayout& type, std::size_t offset,
                std::vector<SavedGap>& covered) {
  const auto add = [&](std::size_t begin, std::size_t size) {
    covered.push_back(
        {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(size)});
  };
  if (IsChoice(type) || IsTuple(type)) return add(offset, type.size);
  if (IsArray(type) && type.count <= kMaxUnrolled) {
    for (std::size_t i = 0; i < type.count; ++i) {
      AddCovered(*type.element(), offset + i * type.element()->size, covered);
    }
    return;
  }
  if (type.kind != TypeKind::kStruct) return add(offset, ValueBytes(type));
  for (std::size_t i = 0; i < type.fields.size(); ++i) {
    const FieldLayout& field = type.fields[i];
    if (field.note == FieldNote::kOpaque) {
      const HoleBytes hole = HoleAt(type, i);
      add(offset + hole.offset, hole.size);
    } else if (field.note == FieldNote::kBorrowed) {
      add(offset + field.offset, field.size != 0 ? field.size : sizeof(void*));
    } else {
      AddCovered(*field.type(), offset + field.offset, covered);
    }
  }
}

/// What of an object is nothing's. A part's padding may be another's place: so
/// it is asked for all at once.
std::vector<SavedGap> GapsOf(const TypeLayout& type) {
  std::vector<SavedGap> covered;
  AddCovered(type, 0, covered);
  std::sort(covered.begin(), covered.end(),
            [](const auto& a, const auto& b) { return a.offset < b.offset; });
  covered.push_back({static_cast<std::uint32_t>(type.size), 0});
  std::vector<SavedGap> gaps;
  std::uint32_t end = 0;
  for (const SavedGap& next : covered) {
    if (next.offset > end) gaps.push_back({end, next.offset - end});
    end = std::max(end, next.offset + next.size);
  }
  return gaps;
}

bool IsReference(const FieldLayout& field) {
  return field.size == 0 || field.type()->name.ends_with('&');
}

}  // namespace

SavedPlans::SavedPlans(const TypeLayout& root) {
  Know(root);
  for (std::size_t i = 0; i < in_order_.size(); ++i) {
    const TypeLayout& type = *in_order_[i]->type;
    for (const FieldLayout& field : type.fields) {
      if (IsFollowed(field) && !IsReference(field)) Know(*field.type());
    }
    if (type.element != nullptr) Know(*type.element());
    if (type.kind != TypeKind::kHandle) continue;
    if (HasOwnForm(type)) {
      // Whatever its storage is a row of.
      Know(LayoutOf<char>());
      Know(LayoutOf<std::uint32_t>());
    }
    if (IsTable(type)) {
      std::size_t& key_bytes = Know(*type.element()).key_bytes;
      key_bytes = std::max(key_bytes, type.fields[0].type()->size);
    }
    if (type.ops->rehash != nullptr || type.ops->reseed != nullptr) {
      Know(*type.element()).is_rehashed = true;
      has_rehashed_ = true;
    }
    has_seeds_ = has_seeds_ || type.ops->reseed != nullptr;
    if (type.ops->is_sound == nullptr && unsaved_ == nullptr) unsaved_ = &type;
  }
  for (std::size_t i = 0; i < in_order_.size(); ++i) {
    Filled(*in_order_[i]->type);
  }
}

SavedPlan& SavedPlans::Know(const TypeLayout& type) {
  std::unique_ptr<SavedPlan>& plan = plans_[type.id];
  if (plan == nullptr) {
    plan = std::make_unique<SavedPlan>();
    plan->type = &type;
    plan->number = static_cast<std::uint32_t>(in_order_.size());
    in_order_.push_back(plan.get());
  }
  return *plan;
}

/// Types nest by value only so deep, so this ends.
SavedPlan& SavedPlans::Filled(const TypeLayout& type) {
  SavedPlan& plan = Know(type);
  if (!plan.is_filled) {
    plan.is_filled = true;
    plan.is_pointer = type.kind == TypeKind::kPointer;
    Add(plan, type, 0);
    plan.gaps = GapsOf(type);
  }
  return plan;
}

void SavedPlans::AddFields(SavedPlan& plan, const TypeLayout& type,
                           std::size_t offset) {
  for (std::size_t i = 0; i < type.fields.size(); ++i) {
    const FieldLayout& field = type.fields[i];
    SavedStep step{SavedKind::kTransient,
                   static_cast<std::uint32_t>(offset + field.offset),
                   field.size};
    if (field.note == FieldNote::kOpaque) {
      if (!field.is_transient) continue;
      const HoleBytes hole = HoleAt(type, i);
      step.offset = static_cast<std::uint32_t>(offset + hole.offset);
      step.size = static_cast<std::uint32_t>(hole.size);
      plan.steps.push_back(step);
      plan.mended.push_back(step);
    } else if (field.note == FieldNote::kBorrowed) {
      // Of a reference the layout says nothing: it is a pointer's place.
      if (step.size == 0) step.size = sizeof(void*);
      const bool is_reference = IsReference(field);
      step.kind = field.is_transient && !is_reference ? SavedKind::kTransient
                                                      : SavedKind::kBorrowed;
      step.type = field.type();
      plan.steps.push_back(step);
      plan.mended.push_back(step);
    } else if (field.is_transient) {
      step.type = field.type();
      plan.steps.push_back(step);
      plan.mended.push_back(step);
    } else {
      Add(plan, *field.type(), offset + field.offset);
    }
  }
}

/// A choice or a tuple: each of its parts has a plan.
void SavedPlans::AddParts(SavedPlan& plan, SavedStep step) {
  bool has_steps = false;
  bool has_values = step.kind == SavedKind::kChoice;
  bool is_mended = has_values;
  step.first_part = static_cast<std::uint32_t>(plan.parts.size());
  std::vector<const SavedPlan*> parts;
  for (const FieldLayout& field : step.type->fields) {
    const SavedPlan& part = Filled(*field.type());
    has_steps = has_steps || !part.steps.empty();
    has_values = has_values || !part.values.empty();
    is_mended = is_mended || part.is_mended();
    parts.push_back(&part);
  }
  plan.parts.insert(plan.parts.end(), parts.begin(), parts.end());
  if (has_steps) plan.steps.push_back(step);
  if (has_values) plan.values.push_back(step);
  if (is_mended) plan.mended.push_back(step);
}

void SavedPlans::AddArray(SavedPlan& plan, const TypeLayout& type,
                          std::size_t offset) {
  const TypeLayout& element = *type.element();
  const SavedPlan& part = Filled(element);
  if (type.count <= kMaxUnrolled) {
    for (std::size_t i = 0; i < type.count; ++i) {
      Add(plan, element, offset + i * element.size);
    }
    return;
  }
  const SavedStep step{SavedKind::kArray, static_cast<std::uint32_t>(offset),
                       static_cast<std::uint32_t>(type.size), &type, &part};
  if (!part.steps.empty()) plan.steps.push_back(step);
  if (!part.values.empty()) plan.values.push_back(step);
  if (part.is_mended()) plan.mended.push_back(step);
}

void SavedPlans::Add(SavedPlan& plan, const TypeLayout& type,
                     std::size_t offset) {
  SavedStep step{SavedKind::kPointer, static_cast<std::uint32_t>(offset),
                 static_cast<std::uint32_t>(type.size), &type};
  if (IsChoice(type)) {
    step.kind = SavedKind::kChoice;
    return AddParts(plan, step);
  }
  if (IsTuple(type)) {
    step.kind = SavedKind::kTuple;
    return AddParts(plan, step);
  }
  if (IsArray(type)) return AddArray(plan, type, offset);
  switch (type.kind) {
    case TypeKind::kPlain:
      if (type.name != "bool") return;
      step.kind = SavedKind::kBool;
      return plan.values.push_back(step);
    case TypeKind::kStruct:
      return AddFields(plan, type, offset);
    case TypeKind::kHandle:
      step.kind = SavedKind::kHandle;
      if (IsTable(type)) step.key = &Know(*type.fields[0].type());
      break;
    case TypeKind::kView:
      step.kind = SavedKind::kView;
      break;
    case TypeKind::kPointer:
    case TypeKind::kArray:
    case TypeKind::kTuple:
    case TypeKind::kChoice:
      break;
  }
  step.plan = &Know(*type.element());
  plan.steps.push_back(step);
  const bool is_table = step.kind == SavedKind::kHandle && IsTable(type);
  if (step.kind == SavedKind::kView || is_table) plan.mended.push_back(step);
}

std::size_t AlignOf(SavedBlockKind kind, const SavedPlan& plan) {
  const TypeLayout& type = *plan.type;
  if (kind != SavedBlockKind::kTable) return type.align;
  return SlotShape{type.size, type.align}.table_align();
}

namespace {

/// True where the text of a short String lies there, `count` characters of it
/// at least.
bool HoldsText(SavedBlockKind kind, const SavedPlan& plan, const char* memory,
               std::size_t bytes, std::size_t offset, std::size_t count) {
  const TypeLayout& row = *plan.type;
  const char* object = memory + (offset - offset % row.size);
  if (kind == SavedBlockKind::kTable) {
    object = SavedTable(row, memory, bytes).Around(memory + offset);
    if (object == nullptr) return false;
  }
  const auto inside = static_cast<std::size_t>(memory + offset - object);
  const PartAt part = InnermostPart(row, object, inside);
  if (part.type->kind != TypeKind::kHandle ||
      part.type->ops->form != HandleForm::kString) {
    return false;
  }
  // It may be a long one, and need not be a sound one yet.
  HandleStorage storage;
  const SavedBytes no_bytes{
      nullptr, [](const void*, const void*, std::size_t) -> const void* {
        return nullptr;
      }};
  if (!Shape<String>::IsSound(part.object, no_bytes, &storage)) return false;
  const std::string_view text =
      reinterpret_cast<const String*>(part.object)->view();
  const char* const begin = memory + offset;
  return storage.block == nullptr && begin >= text.data() &&
         begin + count <= text.data() + text.size();
}

}  // namespace

bool BlockHolds(SavedBlockKind kind, const SavedPlan& plan, const char* memory,
                std::size_t bytes, std::size_t offset, const TypeLayout& type,
                std::size_t count, bool is_text) {
  if (is_text && HoldsText(kind, plan, memory, bytes, offset, count)) {
    return true;
  }
  if (reinterpret_cast<std::uintptr_t>(memory + offset) % type.align != 0) {
    return false;
  }
  const TypeLayout& row = *plan.type;
  if (kind == SavedBlockKind::kTable) {
    const char* const element =
        SavedTable(row, memory, bytes).Around(memory + offset);
    return element != nullptr &&
           HoldsExactly(row, element,
                        static_cast<std::size_t>(memory + offset - element),
                        type, count);
  }
  // Rows of them, or bytes of numbers.
  if (offset % row.size == 0 && SameType(row, type)) return true;
  if (IsByte(type) && IsAnyBytes(row)) return true;
  const std::size_t inside = offset % row.size;
  return HoldsExactly(row, memory + (offset - inside), inside, type, count);
}

namespace {

bool IsZero(const char* bytes, std::size_t size) {
  return std::all_of(bytes, bytes + size, [](char c) { return c == 0; });
}

/// A container of which the bytes may be anything.
void MakeEmpty(const TypeLayout& handle, void* slot, Arena& arena) {
  if (handle.ops->form == HandleForm::kString) {
    ::new (slot) String(arena);
    return;
  }
  std::memset(slot, 0, handle.size);
  handle.ops->adopt(slot, &arena, nullptr, 0);
}

}  // namespace

bool LeadsSomewhere(const SavedStep& step, const char* field) {
  const TypeLayout& type = *step.type;
  if (type.name.ends_with('&')) return true;
  if (!type.has_slots) return !IsZero(field, step.size);
  bool leads = false;
  auto visit = [&](const Slot& slot) {
    if (slot.type->kind == TypeKind::kHandle) {
      leads = leads || slot.type->ops->storage(slot.address).block != nullptr;
    } else {
      leads = leads || PointedTo(slot).data != nullptr;
    }
  };
  ForEachSlot(type, const_cast<char*>(field), visit);
  return leads;
}

void ClearField(const SavedStep& step, char* field, Arena& arena) {
  std::memset(field, 0, step.size);
  if (step.type == nullptr || !step.type->has_handles) return;
  auto empty = [&](const Slot& slot) {
    if (slot.type->kind == TypeKind::kHandle) {
      MakeEmpty(*slot.type, slot.address, arena);
    }
  };
  ForEachSlot(*step.type, field, empty);
}

}  // namespace acre::inline ACRE_ABI::detail
