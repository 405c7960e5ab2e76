// SPDX-License-Identifier: MIT

#include "acre/detail/copier.h"

#include <algorithm>
#include <cstring>

#include "acre/detail/gc_query.h"

namespace acre::inline ACRE_ABI::detail {

void* Copier::Run(const TypeLayout& type, const void* root) {
  Add(type, root, 1);
  return RunPlaced() ? items_[0].copy : nullptr;
}

void* Copier::RunInto(const TypeLayout& type, const void* root, void* to) {
  Place(type, root, 1, to);
  return RunPlaced() ? to : nullptr;
}

void Copier::Place(const TypeLayout& type, const void* source,
                   std::size_t count, void* to) {
  if (count == 0) return;
  std::memcpy(to, source, count * type.size);
  const std::size_t number = items_.size();
  Add(type, source, count);
  if (items_.size() == number) return;  // seen before; the first copy stays
  items_[number].copy = static_cast<char*>(to);
  items_[number].is_placed = true;
}

void Copier::RehashLater(const TypeLayout& type, void* handle) {
  if (type.ops->rehash != nullptr) rehash_.push_back({&type, handle});
}

void Copier::AbandonPlaced() {
  auto empty = [this](const Slot& slot) {
    if (slot.type->kind == TypeKind::kHandle) {
      slot.type->ops->adopt(slot.address, &arena_, nullptr, 0);
    }
  };
  for (const Item& item : items_) {
    if (!item.is_placed || item.type == nullptr) continue;
    ForEachSlotIn(*item.type, {item.copy, item.count}, empty);
  }
}

bool Copier::RunPlaced() {
  Discover();
  if (!Allocate()) return false;
  CopyBytes();
  Rewrite();
  return true;
}

// ---------------------------------------------------------------- discover

void Copier::Discover() {
  std::size_t extension = 0;
  for (;;) {
    if (next_ != items_.size()) {
      const Item item = items_[next_++];
      if (item.type == nullptr) continue;
      ForEachSlotIn(*item.type, {item.source, item.count}, *this);
    } else if (extension != extensions_.size()) {
      const Extension more = extensions_[extension++];
      const Item item = items_[more.item];
      ForEachSlotIn(*item.type,
                    {item.source + more.first * item.type->size, more.count},
                    *this);
    } else {
      return;
    }
  }
}

void Copier::operator()(const Slot& slot) {
  if (is_rewriting_) return RewriteSlot(slot);
  switch (slot.type->kind) {
    case TypeKind::kPointer:
      return follow_ ? DiscoverPointer(slot) : static_cast<void>(0);
    case TypeKind::kView:
      return follow_ ? DiscoverView(slot) : static_cast<void>(0);
    default:
      return DiscoverHandle(slot);
  }
}

/// Static storage stays where it is; the cheap questions come first.
bool Copier::IsKept(const void* address) {
  if (ArenaOf(address) != nullptr || CollectedBase(address) != nullptr) {
    return false;
  }
  if (!process_) process_.emplace();
  return process_->IsStatic(address);
}

void Copier::DiscoverPointer(const Slot& slot) {
  const void* target = *static_cast<void* const*>(slot.address);
  if (target != nullptr && (visited_.IsInChunk(target) || !IsKept(target))) {
    Add(*slot.type->element(), target, 1);
  }
}

void Copier::DiscoverView(const Slot& slot) {
  const ElementRun run = slot.type->ops->view(slot.address);
  if (run.count != 0 && (visited_.IsInChunk(run.data) || !IsKept(run.data))) {
    Add(*slot.type->element(), run.data, run.count);
  }
}

/// A pointer and a view may share an address and a type: the item grows to the
/// longer one, and what was not walked yet is walked as its extension.
void Copier::Add(const TypeLayout& type, const void* source,
                 std::size_t count) {
  const std::size_t bytes = count * type.size;
  const std::uint32_t number = visited_.FindOrInsert(source, type);
  if (number != VisitSet::kNone) {
    Item& item = items_[number];
    if (item.is_placed || item.bytes >= bytes) return;
    const std::size_t seen = item.bytes / type.size;
    item.bytes = bytes;
    extensions_.push_back({number, seen, count - seen});
    return;
  }
  items_.push_back({static_cast<const char*>(source), bytes, &type, count,
                    &type, type.align, nullptr, false, false});
}

/// The storage is an item without slots; the elements in it are items too.
void Copier::DiscoverHandle(const Slot& slot) {
  const TypeLayout& handle = *slot.type;
  const HandleStorage storage = handle.ops->storage(slot.address);
  if (storage.block == nullptr || storage.used == 0) return;
  if (!visited_.InsertStorage(storage.block, handle)) return;
  items_.push_back({static_cast<const char*>(storage.block), storage.used,
                    nullptr, 0, storage.type, storage.align, nullptr, false,
                    false});
  const TypeLayout& element = *handle.element();
  if (!element.has_slots) return;
  std::size_t cursor = 0;
  for (;;) {
    const ElementRun run = handle.ops->next_run(slot.address, &cursor);
    if (run.data == nullptr) return;
    if (run.count != 0) Add(element, run.data, run.count);
  }
}

// ---------------------------------------------------------------- allocate

bool Copier::Allocate() {
  // By address, the longer first; storage before the elements in it.
  order_ = visited_.Order();
  const auto comes_first = [this](std::uint32_t a, std::uint32_t b) {
    const Item& x = items_[a];
    const Item& y = items_[b];
    if (x.bytes != y.bytes) return x.bytes > y.bytes;
    if (x.is_placed != y.is_placed) return x.is_placed;
    return x.type == nullptr && y.type != nullptr;
  };
  for (std::size_t i = 0; i < order_.size();) {
    std::size_t end = i + 1;
    while (end < order_.size() &&
           items_[order_[end]].source == items_[order_[i]].source) {
      ++end;
    }
    if (end - i > 1) {
      std::sort(order_.begin() + static_cast<std::ptrdiff_t>(i),
                order_.begin() + static_cast<std::ptrdiff_t>(end), comes_first);
    }
    i = end;
  }
  // Overlapping items that do not nest become one extent.
  const char* end = nullptr;
  Item* extent = nullptr;
  for (const std::uint32_t i : order_) {
    Item& item = items_[i];
    const char* item_end = item.source + item.bytes;
    const bool sticks_out = extent != nullptr && item_end > end;
    if (extent == nullptr || item.source >= end ||
        (sticks_out && extent->is_placed)) {
      extent = &item;
      item.is_extent = true;
      end = item_end;
    } else if (sticks_out) {
      extent->bytes = static_cast<std::size_t>(item_end - extent->source);
      extent->block_type = nullptr;
      end = item_end;
    }
    extent->align = std::max(extent->align, item.align);
  }
  return AllocateExtents();
}

bool Copier::AllocateExtents() {
  const Item* extent = nullptr;
  for (const std::uint32_t i : order_) {
    Item& item = items_[i];
    if (item.is_extent) {
      extent = &item;
      if (item.is_placed) continue;
      item.copy = static_cast<char*>(
          Blocks::TryTake(arena_, item.bytes, item.align, item.block_type));
      if (item.copy != nullptr) continue;
      failed_bytes_ = item.bytes;
      GiveBack();
      return false;
    }
    if (!item.is_placed) {
      item.copy = extent->copy + (item.source - extent->source);
    }
  }
  return true;
}

void Copier::GiveBack() {
  for (const Item& item : items_) {
    if (!item.is_extent || item.is_placed || item.copy == nullptr) continue;
    Blocks::Give(arena_, item.copy, item.bytes, item.align, item.block_type);
  }
}

// ----------------------------------------------------------- copy, rewrite

void Copier::CopyBytes() {
  for (const std::uint32_t i : order_) {
    const Item& item = items_[i];
    if (item.is_extent && !item.is_placed) {
      std::memcpy(item.copy, item.source, item.bytes);
    }
  }
}

void Copier::Rewrite() {
  is_rewriting_ = true;
  for (const std::uint32_t i : order_) {
    const Item& item = items_[i];
    if (item.type == nullptr || !item.type->has_slots) continue;
    ForEachSlotIn(*item.type, {item.copy, item.count}, *this);
  }
  for (const Extension& more : extensions_) {
    const Item& item = items_[more.item];
    ForEachSlotIn(*item.type,
                  {item.copy + more.first * item.type->size, more.count},
                  *this);
  }
  for (const Table& table : rehash_) table.type->ops->rehash(table.handle);
}

/// Null where `source` is no copied object: a kept pointer, or a slot that was
/// rewritten already as part of another item.
char* Copier::CopyOf(const void* source, const TypeLayout& key) {
  const std::uint32_t number = visited_.Find(source, key);
  return number == VisitSet::kNone ? nullptr : items_[number].copy;
}

void Copier::RewriteSlot(const Slot& slot) {
  const TypeLayout& type = *slot.type;
  if (type.kind == TypeKind::kHandle) return RewriteHandle(slot);
  if (!follow_) return;
  if (type.kind == TypeKind::kPointer) {
    void*& target = *static_cast<void**>(slot.address);
    if (target == nullptr) return;
    if (char* copy = CopyOf(target, *type.element())) target = copy;
    return;
  }
  const ElementRun run = type.ops->view(slot.address);
  if (run.count == 0) return;
  if (char* copy = CopyOf(run.data, *type.element())) {
    type.ops->set_view(slot.address, copy);
  }
}

void Copier::RewriteHandle(const Slot& slot) {
  const TypeLayout& handle = *slot.type;
  const HandleStorage storage = handle.ops->storage(slot.address);
  if (storage.block == nullptr) {
    return handle.ops->adopt(slot.address, &arena_, nullptr, 0);
  }
  // Room without elements is not copied.
  if (storage.used == 0) {
    return handle.ops->adopt(slot.address, &arena_, nullptr, 0);
  }
  const std::uint32_t number = visited_.FindStorage(storage.block, handle);
  if (number == VisitSet::kNone) return;  // rewritten already
  char* copy = items_[number].copy;
  handle.ops->adopt(slot.address, &arena_, copy, storage.used);
  RehashLater(handle, slot.address);
}

}  // namespace acre::inline ACRE_ABI::detail
