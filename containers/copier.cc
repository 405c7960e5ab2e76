// SPDX-License-Identifier: MIT

#include "acre/detail/copier.h"

#include <algorithm>
#include <cstring>

#include "acre/detail/gc_query.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

char* ToPointer(std::uint64_t value) {
  return value == VisitSet::kNone ? nullptr : reinterpret_cast<char*>(value);
}

}  // namespace

void* Copier::Run(const TypeLayout& type, const void* root) {
  Add(type, root, 1);
  return RunPlaced() ? CopyOf(root, type) : nullptr;
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
      if (next_ + kAhead < items_.size()) {
        __builtin_prefetch(items_[next_ + kAhead].source);
      }
      if (item.type == nullptr) continue;
      ForEachSlotIn(*item.type, {item.source, item.count}, *this);
    } else if (extension != extensions_.size()) {
      const Extension more = extensions_[extension++];
      const Item item = items_[more.item];
      ForEachSlotIn(*item.type,
                    {item.source + more.first * item.type->size, more.count},
                    *this);
    } else {
      const std::size_t known = items_.size() + extensions_.size();
      FinishPending();
      if (known == items_.size() + extensions_.size()) return;
    }
  }
}

void Copier::operator()(const Slot& slot) {
  if (is_rewriting_) return RewriteSlot(slot);
  switch (slot.type->kind) {
    case TypeKind::kPointer:
      if (follow_ && *static_cast<void* const*>(slot.address) != nullptr) {
        FinishLater(slot.address, *slot.type->element());
      }
      return;
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

void Copier::FinishLater(void* slot, const TypeLayout& type) {
  visited_.Prefetch(*static_cast<void* const*>(slot));
  Finish(ahead_.Exchange({slot, &type}));
}

void Copier::FinishPending() {
  ahead_.Drain([this](const Pending& pending) { Finish(pending); });
}

void Copier::Finish(const Pending& pending) {
  if (pending.slot == nullptr) return;
  void*& target = *static_cast<void**>(pending.slot);
  if (!is_rewriting_) {
    if (visited_.IsInChunk(target) || !IsKept(target)) {
      Add(*pending.type, target, 1);
    }
  } else if (char* copy = CopyOf(target, *pending.type)) {
    target = copy;
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
  const std::uint64_t number = visited_.FindOrInsert(source, type);
  if (number != VisitSet::kNone) {
    if (count == 1) return;  // without looking how many more
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

/// Puts items_ in the order of addresses: from here on every pass walks through
/// memory instead of jumping about.
void Copier::SortItems() {
  const std::vector<std::uint32_t> order = visited_.SortByAddress();
  std::vector<Item> sorted;
  sorted.reserve(items_.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i + kAhead < order.size()) {
      __builtin_prefetch(&items_[order[i + kAhead]]);
    }
    sorted.push_back(items_[order[i]]);
  }
  if (!extensions_.empty()) {
    std::vector<std::uint32_t> rank(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      rank[order[i]] = static_cast<std::uint32_t>(i);
    }
    for (Extension& more : extensions_) more.item = rank[more.item];
  }
  items_.swap(sorted);
}

/// Calls visit(Item&) by address, the longer first; storage before the elements
/// in it.
template <class Visit>
void Copier::ForEachByAddress(Visit visit) {
  const auto comes_first = [this](std::size_t a, std::size_t b) {
    const Item& x = items_[a];
    const Item& y = items_[b];
    if (x.bytes != y.bytes) return x.bytes > y.bytes;
    if (x.is_placed != y.is_placed) return x.is_placed;
    return x.type == nullptr && y.type != nullptr;
  };
  std::vector<std::size_t> same;  // items at one address
  for (std::size_t i = 0; i < items_.size();) {
    std::size_t end = i + 1;
    while (end < items_.size() && items_[end].source == items_[i].source) {
      ++end;
    }
    if (end - i == 1) {
      visit(items_[i++]);
      continue;
    }
    same.clear();
    for (; i < end; ++i) same.push_back(i);
    std::sort(same.begin(), same.end(), comes_first);
    for (const std::size_t n : same) visit(items_[n]);
  }
}

bool Copier::Allocate() {
  SortItems();
  // Overlapping items that do not nest become one extent.
  const char* end = nullptr;
  Item* extent = nullptr;
  ForEachByAddress([&](Item& item) {
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
  });
  return AllocateExtents();
}

bool Copier::AllocateExtents() {
  const Item* extent = nullptr;
  bool has_memory = true;
  ForEachByAddress([&](Item& item) {
    if (item.is_extent) {
      extent = &item;
      if (item.is_placed || !has_memory) return;
      item.copy = static_cast<char*>(
          Blocks::TryTake(arena_, item.bytes, item.align, item.block_type));
      if (item.copy == nullptr) {
        failed_bytes_ = item.bytes;
        has_memory = false;
      } else if (item.type == nullptr) {
        Blocks::NoteStorage(item.copy);
      }
    } else if (!item.is_placed && extent->copy != nullptr) {
      item.copy = extent->copy + (item.source - extent->source);
      if (item.type == nullptr && item.copy == extent->copy) {
        Blocks::NoteStorage(item.copy);
      }
    }
  });
  if (!has_memory) GiveBack();
  return has_memory;
}

void Copier::GiveBack() {
  for (const Item& item : items_) {
    if (!item.is_extent || item.is_placed || item.copy == nullptr) continue;
    Blocks::Give(arena_, item.copy, item.bytes, item.align, item.block_type);
  }
}

// ----------------------------------------------------------- copy, rewrite

void Copier::CopyBytes() {
  for (const Item& item : items_) {
    if (item.is_extent && !item.is_placed) {
      std::memcpy(item.copy, item.source, item.bytes);
    }
  }
}

void Copier::Rewrite() {
  is_rewriting_ = true;
  // From now on the set tells where the copy of an object is.
  visited_.Replace([this](std::uint64_t rank) {
    return reinterpret_cast<std::uintptr_t>(items_[rank].copy);
  });
  for (const Item& item : items_) {
    if (item.type == nullptr || !item.type->has_slots) continue;
    ForEachSlotIn(*item.type, {item.copy, item.count}, *this);
  }
  for (const Extension& more : extensions_) {
    const Item& item = items_[more.item];
    ForEachSlotIn(*item.type,
                  {item.copy + more.first * item.type->size, more.count},
                  *this);
  }
  FinishPending();
  for (const Table& table : rehash_) table.type->ops->rehash(table.handle);
}

/// Null where `source` is no copied object: a kept pointer, or a slot that was
/// rewritten already as part of another item.
char* Copier::CopyOf(const void* source, const TypeLayout& key) {
  return ToPointer(visited_.Find(source, key));
}

void Copier::RewriteSlot(const Slot& slot) {
  const TypeLayout& type = *slot.type;
  if (type.kind == TypeKind::kHandle) return RewriteHandle(slot);
  if (!follow_) return;
  if (type.kind == TypeKind::kPointer) {
    if (*static_cast<void**>(slot.address) == nullptr) return;
    return FinishLater(slot.address, *type.element());
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
  char* copy = ToPointer(visited_.FindStorage(storage.block, handle));
  if (copy == nullptr) return;  // rewritten already
  handle.ops->adopt(slot.address, &arena_, copy, storage.used);
  RehashLater(handle, slot.address);
}

}  // namespace acre::inline ACRE_ABI::detail
