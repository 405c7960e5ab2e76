// SPDX-License-Identifier: MIT
//
// The work list and the slots.

#include "auditor.h"

#include <algorithm>
#include <utility>

#include "acre/detail/parts.h"

namespace acre::inline ACRE_ABI::detail {

AuditReport Auditor::Run(std::span<const AuditRoot> roots) {
  WalkFrom(roots);
  return std::move(report_);
}

void Auditor::WalkFrom(std::span<const AuditRoot> roots) {
  for (const AuditRoot& root : roots) {
    Start(static_cast<const char*>(root.object), *root.type, 1);
  }
  WalkAll();
}

void Auditor::operator()(const Slot& slot) {
  if (!wanted_.empty()) TellWanted(slot);
  if (slot.type->kind == TypeKind::kHandle) return FollowHandle(slot);
  const ElementRun run = PointedTo(slot);
  Follow(slot, run.data, run.count);
}

void Auditor::Start(const char* data, const TypeLayout& type,
                    std::size_t count) {
  if (count == 0) return;
  if (Visit(data, type, count) >= count) return;
  Push({data, &type, count, 0}, {0, data, 0, Via::kStart});
}

void Auditor::WalkAll() {
  while (TakeNext()) {
    ++report_.objects;
    const Item item = current_;
    Cover(item.data, *item.type, item.count);
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

bool Auditor::VisitStorage(const HandleStorage& storage,
                           const TypeLayout& handle) {
  if (meets_) return MeetBlock(arena_, storage.block, pass_);
  const auto* block = static_cast<const char*>(storage.block);
  CoveredWords* covered = covers_ ? covered_.Of(block) : nullptr;
  if (kChecked && covered != nullptr) {  // and nothing else covers a storage
    if (covered->IsCovered(block)) return false;
  } else {
    if (!visited_.InsertStorage(block, handle)) return false;
    walked_.push_back(1);
  }
  if (covered != nullptr) covered->Cover(block, storage.bytes);
  return true;
}

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
  if (!type.has_slots) {
    if (!IsByte(type)) Cover(static_cast<const char*>(address), type, count);
    if (record_) {
      raw_origins_.try_emplace(address, RawOrigin{next_ - 1, slot.address});
    }
    return;
  }
  Enter(slot, address, type, count);
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
  if (!VisitStorage(storage, handle) || !element.has_slots) return;
  const Via via = IsTable(handle) ? Via::kMapEntry : Via::kElements;
  ForEachRun(handle, slot.address, [&](ElementRun run, std::size_t ordinal) {
    Push({static_cast<const char*>(run.data), &element, run.count, 0}, slot,
         via, ordinal);
  });
}

}  // namespace acre::inline ACRE_ABI::detail
