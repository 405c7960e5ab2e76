// SPDX-License-Identifier: MIT
//
// The work list and the slots.

#include "auditor.h"

#include <algorithm>
#include <utility>

namespace acre::inline ACRE_ABI::detail {

AuditReport Auditor::Run(std::span<const AuditRoot> roots) {
  for (const AuditRoot& root : roots) {
    Start(static_cast<const char*>(root.object), *root.type, 1);
  }
  WalkAll();
  return std::move(report_);
}

void Auditor::operator()(const Slot& slot) {
  if (!wanted_.empty()) TellWanted(slot);
  switch (slot.type->kind) {
    case TypeKind::kPointer:
      return Follow(slot, *static_cast<void* const*>(slot.address), 1);
    case TypeKind::kView: {
      const ElementRun run = slot.type->ops->view(slot.address);
      return Follow(slot, run.count == 0 ? nullptr : run.data, run.count);
    }
    default:
      return FollowHandle(slot);
  }
}

void Auditor::Start(const char* data, const TypeLayout& type,
                    std::size_t count) {
  if (count == 0) return;
  if (follows_ && Visit(data, type, count) >= count) return;
  Push({data, &type, count, 0}, {0, data, 0, Via::kStart});
}

void Auditor::WalkAll() {
  while (TakeNext() || FinishPending()) {
    ++report_.objects;
    const Item item = current_;
    ForEachSlotIn(*item.type, {item.data, item.count}, *this);
  }
}

bool Auditor::TakeNext() {
  if (record_) {
    if (next_ == items_.size()) return false;
    current_ = items_[next_++];
    return true;
  }
  if (items_.empty()) return false;
  current_ = items_.back();
  items_.pop_back();
  return true;
}

void Auditor::Push(const Item& item, const Origin& origin) {
  items_.push_back(item);
  if (record_) origins_.push_back(origin);
}

void Auditor::Push(const Item& item, const Slot& slot, Via via,
                   std::size_t ordinal) {
  Push(item, Origin{next_ - 1, slot.address, ordinal, via});
}

/// How many elements from `address` on have been walked; counts `count` of
/// them as walked from now on.
std::size_t Auditor::Visit(const void* address, const TypeLayout& type,
                           std::size_t count) {
  const std::uint64_t number = visited_.FindOrInsert(address, type);
  if (number == VisitSet::kNone) {
    walked_.push_back(count);
    return 0;
  }
  if (count == 1) return 1;  // without looking how many more
  std::size_t& walked = walked_[number];
  return std::exchange(walked, std::max(walked, count));
}

/// False where the storage was walked before.
bool Auditor::VisitStorage(const void* block, const TypeLayout& handle) {
  if (kChecked && pass_ != 0 && classifier_.IsOwn(block)) {
    return MeetBlock(arena_, block, pass_);
  }
  if (!visited_.InsertStorage(block, handle)) return false;
  walked_.push_back(1);
  return true;
}

/// A pointer or view.
void Auditor::Follow(const Slot& slot, const void* address, std::size_t count) {
  if (address == nullptr) return;
  ++report_.pointers;
  const TypeLayout& type = *slot.type->element();
  const auto verdict = classifier_.Classify(address, {&type, count});
  if (verdict) {
    const bool is_end = slot.type->kind == TypeKind::kPointer &&
                        classifier_.IsEndOfArray(address, type);
    return is_end ? static_cast<void>(0) : Report(slot, address, *verdict);
  }
  if (meets_) Meet(address);
  if (!follows_) return;
  if (!type.has_slots) {
    if (record_) {
      raw_origins_.try_emplace(address, RawOrigin{next_ - 1, slot.address});
    }
    return;
  }
  if (record_) return Enter(slot, address, type, count);
  // The first pass wants to know nothing of the slot any more. It looks
  // ahead, as the objects lie scattered.
  visited_.Prefetch(address);
  __builtin_prefetch(address);
  Enter(ahead_.Exchange({address, &type, count}));
}

void Auditor::Enter(const Pending& pending) {
  if (pending.address == nullptr) return;
  const auto& [address, type, count] = pending;
  const std::size_t seen = Visit(address, *type, count);
  if (seen >= count) return;
  items_.push_back({static_cast<const char*>(address) + seen * type->size, type,
                    count - seen, seen});
}

/// Enters what waits; false where nothing new came of it.
bool Auditor::FinishPending() {
  ahead_.Drain([this](const Pending& pending) { Enter(pending); });
  return TakeNext();
}

void Auditor::Enter(const Slot& slot, const void* address,
                    const TypeLayout& type, std::size_t count) {
  const std::size_t seen = Visit(address, type, count);
  if (seen >= count) return;
  const Via via =
      slot.type->kind == TypeKind::kPointer ? Via::kPointer : Via::kElements;
  Push({static_cast<const char*>(address) + seen * type.size, &type,
        count - seen, seen},
       slot, via);
}

void Auditor::FollowHandle(const Slot& slot) {
  const TypeLayout& handle = *slot.type;
  const HandleStorage storage = handle.ops->storage(slot.address);
  if (storage.block == nullptr) return;
  ++report_.pointers;
  const TypeLayout& element = *handle.element();
  const auto verdict = classifier_.ClassifyStorage(storage, element);
  if (verdict) return Report(slot, storage.block, *verdict);
  if (!VisitStorage(storage.block, handle) || !element.has_slots) return;
  std::size_t cursor = 0;
  std::size_t ordinal = 0;
  const bool is_table =
      handle.fields.size() > 1 || handle.fields[0].name == "{key}";
  for (;;) {
    const ElementRun run = handle.ops->next_run(slot.address, &cursor);
    if (run.data == nullptr) return;
    Push({static_cast<const char*>(run.data), &element, run.count, 0}, slot,
         is_table ? Via::kMapEntry : Via::kElements, ordinal++);
  }
}

}  // namespace acre::inline ACRE_ABI::detail
