// SPDX-License-Identifier: MIT

#include "copy/copier.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "acre/detail/blocks.h"
#include "acre/detail/table_rep.h"
#include "acre/element.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

char* ToPointer(std::uint64_t value) {
  return value == VisitSet::kNone ? nullptr : reinterpret_cast<char*>(value);
}

}  // namespace

void* Copier::Run(const TypeLayout& type, const void* root) {
  root_ = root;
  root_type_ = &type;
  Add(type, root, 1);
  return RunPlaced() ? root_copy_ : nullptr;
}

void Copier::Place(const TypeLayout& type, const void* source,
                   std::size_t count, void* to) {
  if (count == 0) return;
  std::memcpy(to, source, count * type.size);
  // A pointer to it would be taken for one to another object.
  if (marks_.Of(source) != nullptr) uses_marks_ = false;
  const std::size_t number = items_.size();
  AddItem(type, source, count);
  if (items_.size() == number) return;  // seen before; the first copy stays
  items_[number].copy = static_cast<char*>(to);
  items_[number].is_placed = true;
}

void Copier::RehashLater(const TypeLayout& type, void* handle) {
  if (type.ops->rehash == nullptr) return;
  may_rehash_ = true;
  table_keys_.Add(type, handle);
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
#if ACRE_EXCEPTIONS
  try {
#endif
    if (!Allocate()) return false;
    Rewrite();
    return true;
#if ACRE_EXCEPTIONS
  } catch (...) {
    if (is_taking_) GiveBack();
    throw;
  }
#endif
}

// ---------------------------------------------------------------- discover

void Copier::Discover() {
  std::size_t extension = 0;
  for (;;) {
    if (WalkRow()) continue;
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
    } else if (!EnterMarked()) {
      const std::size_t known = items_.size() + extensions_.size();
      FinishPending();
      if (known == items_.size() + extensions_.size() && rows_.empty() &&
          !EnterMarked()) {
        return;
      }
    }
  }
}

/// Enters what is marked and was not entered yet; false where nothing was.
bool Copier::EnterMarked() {
  const auto enter = [this](const Object& object) {
    if (object.address == nullptr) return;
    ForEachSlotIn(*numbered_[object.type].type, {object.address, 1}, *this);
    while (WalkRow()) {
    }
  };
  bool found = false;
  for (std::size_t i = 0; i < marks_.size(); ++i) {
    if (!marks_[i].HasPending()) continue;
    found = true;
    marks_[i].EnterPending([&](const char* object, unsigned type) {
      __builtin_prefetch(object);
      enter(objects_.Exchange({object, type}));
    });
  }
  objects_.Drain(enter);
  return found;
}

/// For ChunkMarks; 0 where there are too many types.
unsigned Copier::NumberOf(const TypeLayout& type, bool is_storage) {
  const auto is_it = [&](unsigned number) {
    const Numbered& known = numbered_[number];
    return known.type != nullptr && known.is_storage == is_storage &&
           SameType(*known.type, type);
  };
  unsigned& asked_last = asked_last_[is_storage ? 1 : 0];
  if (is_it(asked_last)) return asked_last;
  unsigned number = 1;
  while (number <= last_number_ && !is_it(number)) ++number;
  if (number > last_number_) {
    if (last_number_ == ChunkMarks::kMaxTypes || is_rewriting_) return 0;
    last_number_ = number;
    numbered_[number] = {&type, is_storage};
  }
  return asked_last = number;
}

/// Walks the elements of a container, now or later.
void Copier::WalkRuns(const TypeLayout& handle, void* object) {
  const TypeLayout& element = *handle.element();
  if (!element.has_slots) return;
  ForEachRun(handle, object, [&](ElementRun run, std::size_t) {
    rows_.WalkOrKeep({&element, run}, [this](const Row& row) {
      ForEachSlotIn(*row.type, row.run, *this);
    });
  });
}

/// False where none waits.
bool Copier::WalkRow() {
  if (rows_.empty()) return false;
  const Row row = rows_.Pop();
  ForEachSlotIn(*row.type, row.run, *this);
  return true;
}

void Copier::operator()(const Slot& slot) {
  if (is_rewriting_) return RewriteSlot(slot);
  switch (slot.type->kind) {
    case TypeKind::kPointer:
      if (*static_cast<void* const*>(slot.address) != nullptr) {
        FinishLater(slot.address, *slot.type->element());
      }
      return;
    case TypeKind::kView:
      return DiscoverView(slot);
    default:
      return DiscoverHandle(slot);
  }
}

bool Copier::IsCopied(const void* target) {
  if (marks_.Of(target) != nullptr) return true;
  if (outside_ == OutsideArenas::kIsCopied)
    return !static_storage_.Holds(target);
  const auto offset = static_cast<std::size_t>(
      static_cast<const char*>(target) - static_cast<const char*>(root_));
  return root_type_ != nullptr && offset < root_type_->size;
}

void Copier::FinishLater(void* slot, const TypeLayout& type) {
  const void* target = *static_cast<void* const*>(slot);
  if (const ChunkMarks* marks = marks_.Of(target)) marks->Prefetch(target);
  if (is_rewriting_) PrefetchCopy(ahead_.Middle());
  Finish(ahead_.Exchange({slot, &type}));
}

/// The marks have come by now; next is what they lead to.
void Copier::PrefetchCopy(const Pending& pending) {
  if (pending.slot == nullptr) return;
  const void* target = *static_cast<void* const*>(pending.slot);
  const ChunkMarks* marks = marks_.Of(target);
  if (marks == nullptr) return;
  const std::size_t rank = marks->RankOf(target, NumberOf(*pending.type));
  if (rank != ChunkMarks::kNoRank) __builtin_prefetch(&copies_[rank]);
}

void Copier::FinishPending() {
  ahead_.Drain([this](const Pending& pending) { Finish(pending); });
}

void Copier::Finish(const Pending& pending) {
  if (pending.slot == nullptr) return;
  void*& target = *static_cast<void**>(pending.slot);
  if (!is_rewriting_) {
    if (IsCopied(target)) Add(*pending.type, target, 1);
  } else if (char* copy = CopyOf(target, *pending.type)) {
    target = copy;
    if (may_rehash_) table_keys_.AddPointer(pending.slot, nullptr);
  }
}

void Copier::DiscoverView(const Slot& slot) {
  const ElementRun run = slot.type->ops->view(slot.address);
  if (run.count == 0 || !IsCopied(run.data)) return;
  Add(*slot.type->element(), run.data, run.count);
}

void Copier::Add(const TypeLayout& type, const void* source,
                 std::size_t count) {
  ChunkMarks* marks = count == 1 && uses_marks_ ? marks_.Of(source) : nullptr;
  if (marks != nullptr) {
    switch (marks->Mark(source, NumberOf(type))) {
      case ChunkMarks::Seen::kNow:
        if (type.has_slots) marks->SetPending(source);
        return;
      case ChunkMarks::Seen::kBefore:
        return;
      case ChunkMarks::Seen::kNoPlace:
        break;
    }
  }
  AddItem(type, source, count);
}

/// A pointer and a view may share an address and a type: the item grows to the
/// longer one, and what was not walked yet is walked as its extension.
void Copier::AddItem(const TypeLayout& type, const void* source,
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
                    &type, type.align, nullptr, false});
}

/// The storage is an item without slots; the elements in it are items too.
void Copier::DiscoverHandle(const Slot& slot) {
  const TypeLayout& handle = *slot.type;
  if (IsRef(handle)) return refs_.Count(handle);
  const HandleStorage storage = handle.ops->storage(slot.address);
  if (storage.block == nullptr || storage.used == 0) return;
  may_rehash_ = may_rehash_ || handle.ops->rehash != nullptr;
  if (ChunkMarks* marks = uses_marks_ ? marks_.Of(storage.block) : nullptr) {
    const unsigned number = NumberOf(handle, true);
    switch (marks->Mark(storage.block, number)) {
      case ChunkMarks::Seen::kNow:
        storages_.push_back({storage.block, storage.used, storage.type,
                             storage.align, number,
                             IsTable(handle) ? handle.element() : nullptr});
        return WalkRuns(handle, slot.address);
      case ChunkMarks::Seen::kBefore:
        return;
      case ChunkMarks::Seen::kNoPlace:
        break;
    }
  }
  if (!visited_.InsertStorage(storage.block, handle)) return;
  items_.push_back({static_cast<const char*>(storage.block), storage.used,
                    nullptr, 0, storage.type, storage.align, nullptr, false,
                    IsTable(handle) ? handle.element() : nullptr});
  const TypeLayout& element = *handle.element();
  if (!element.has_slots) return;
  ForEachRun(handle, slot.address, [&](ElementRun run, std::size_t) {
    if (run.count != 0) Add(element, run.data, run.count);
  });
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

Copier::Source Copier::SourceOf(Item& item) {
  return {item.source, item.bytes, item.align,           item.block_type,
          &item,       0,          item.type == nullptr, item.table};
}

/// Of what takes the same bytes the type around the others comes first.
unsigned Copier::DepthIn(const Source& source) {
  return source.block_type == nullptr ? 0 : DepthOf(*source.block_type);
}

/// Calls visit(const Source&) by address, the longer first; storage before the
/// elements in it.
template <class Visit>
void Copier::ForEachByAddress(Visit visit) {
  const auto comes_first = [](const Source& x, const Source& y) {
    if (x.bytes != y.bytes) return x.bytes > y.bytes;
    if (x.is_placed() != y.is_placed()) return x.is_placed();
    if (x.is_storage != y.is_storage) return x.is_storage;
    return DepthIn(x) > DepthIn(y);
  };
  std::size_t next = 0;      // of items_
  std::vector<Source> same;  // those at one address
  const auto visit_same = [&] {
    std::stable_sort(same.begin(), same.end(), comes_first);
    for (const Source& source : same) visit(source);
    same.clear();
  };
  const auto visit_items_before = [&](const char* limit) {
    while (next < items_.size() &&
           (limit == nullptr || items_[next].source < limit)) {
      const char* begin = items_[next].source;
      const bool is_single =
          next + 1 == items_.size() || items_[next + 1].source != begin;
      if (is_single) {
        visit(SourceOf(items_[next++]));
        continue;
      }
      while (next < items_.size() && items_[next].source == begin) {
        same.push_back(SourceOf(items_[next++]));
      }
      visit_same();
    }
  };
  std::size_t rank = 0;
  for (std::size_t i = 0; i < marks_.size(); ++i) {
    marks_[i].ForEachMarked([&](const char* object, unsigned number) {
      if (next < items_.size() && items_[next].source <= object) {
        visit_items_before(object);
      }
      // Storage was noted in the order in which it was met.
      if (rank + kAhead < storage_at_.size()) {
        __builtin_prefetch(storages_.data() + storage_at_[rank + kAhead]);
      }
      const TypeLayout& type = *numbered_[number].type;
      Source source{object,  type.size, type.align, &type,
                    nullptr, rank++,    false};
      if (numbered_[number].is_storage) {
        const Storage& storage = storages_[storage_at_[source.rank] - 1];
        source.bytes = storage.bytes;
        source.align = storage.align;
        source.block_type = storage.block_type;
        source.is_storage = true;
        source.table = storage.table;
      }
      if (next == items_.size() || items_[next].source != object) {
        return visit(source);
      }
      while (next < items_.size() && items_[next].source == object) {
        same.push_back(SourceOf(items_[next++]));
      }
      same.push_back(source);
      visit_same();
    });
  }
  visit_items_before(nullptr);
}

/// Calls visit(const Extent&) for each; false from it ends the way.
template <class Visit>
void Copier::ForEachExtent(Visit visit) {
  Extent extent;
  const char* end = nullptr;
  bool goes_on = true;
  const auto finish = [&] {
    if (!extent.members.empty() && goes_on) goes_on = visit(extent);
    extent.members.clear();
  };
  ForEachByAddress([&](const Source& source) {
    const bool sticks_out = !extent.members.empty() && source.end() > end;
    if (extent.members.empty() || source.begin >= end ||
        (sticks_out && extent.members[0].is_placed())) {
      finish();
      extent.bytes = source.bytes;
      extent.align = source.align;
      extent.block_type = source.block_type;
      end = source.end();
    } else if (sticks_out) {
      // Overlapping, not nested: one block of no type.
      end = source.end();
      extent.bytes = static_cast<std::size_t>(end - extent.members[0].begin);
      extent.block_type = nullptr;
    }
    extent.align = std::max(extent.align, source.align);
    extent.members.push_back(source);
  });
  finish();
}

bool Copier::Allocate() {
  SortItems();
  marks_.SortByAddress();
  std::size_t count = 0;
  for (std::size_t i = 0; i < marks_.size(); ++i) {
    count = marks_[i].AssignRanks(count);
  }
  copies_.resize(count);
  storage_at_.resize(count);
  for (std::size_t i = 0; i < storages_.size(); ++i) {
    const Storage& storage = storages_[i];
    storage_at_[marks_.Of(storage.block)
                    ->RankOf(storage.block, storage.number)] =
        static_cast<std::uint32_t>(i + 1);
  }
  is_taking_ = true;
  bool has_memory = true;
  ForEachExtent([&](const Extent& extent) {
    return has_memory = AllocateExtent(extent);
  });
  if (has_memory && refs_.Reserve()) return true;
  if (has_memory) failed_bytes_ = kSlotBytes;
  GiveBack();
  return false;
}

bool Copier::AllocateExtent(const Extent& extent) {
  const Source& first = extent.members[0];
  char*& copy = CopyOf(first);
  if (!first.is_placed()) {
    copy = static_cast<char*>(
        Blocks::TryTake(arena_, extent.bytes, extent.align, extent.block_type));
    if (copy == nullptr) {
      failed_bytes_ = extent.bytes;
      return false;
    }
    if (ACRE_UNLIKELY(arena_.is_traced()) && extent.block_type == nullptr) {
      NoteMembers(extent, copy);
    }
    std::memcpy(copy, first.begin, extent.bytes);
  }
  for (const Source& member : extent.members) {
    if (!member.is_placed())
      CopyOf(member) = copy + (member.begin - first.begin);
    if (member.is_storage && CopyOf(member) == copy && !first.is_placed()) {
      Blocks::NoteStorage(arena_, copy);
    }
  }
  return true;
}

/// What is traced in a block of no type: what lies in it.
void Copier::NoteMembers(const Extent& extent, char* copy) {
  // Nothing yet.
  Blocks::NoteRow(arena_, copy, extent.bytes, extent.bytes,
                  LayoutOf<std::byte>());
  for (const Source& member : extent.members) {
    char* const at = copy + (member.begin - extent.members[0].begin);
    if (member.table != nullptr) {
      NoteTableRow(arena_, at, member.bytes, *member.table);
    } else if (member.block_type != nullptr) {
      Blocks::AddRow(arena_, at, member.bytes, 0, *member.block_type);
    }
  }
}

void Copier::GiveBack() {
  refs_.GiveBack();
  ForEachExtent([this](const Extent& extent) {
    const Source& first = extent.members[0];
    if (first.is_placed()) return true;
    char* const copy = std::exchange(CopyOf(first), nullptr);
    if (copy == nullptr) return false;  // the one that failed
    Blocks::Give(arena_, copy, extent.bytes, extent.align, extent.block_type);
    return true;
  });
}

// -------------------------------------------------------------------- rewrite

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
  std::size_t rank = 0;
  for (std::size_t i = 0; i < marks_.size(); ++i) {
    marks_[i].ForEachMarked([&](const char*, unsigned number) {
      const auto& [type, is_storage] = numbered_[number];
      // Storage is rewritten through its handle.
      if (type->has_slots && !is_storage) {
        ForEachSlotIn(*type, {copies_[rank], 1}, *this);
        while (WalkRow()) {
        }
      }
      ++rank;
    });
  }
  while (WalkRow()) {
  }
  FinishPending();
  if (root_type_ != nullptr) {
    root_copy_ = CopyOf(root_, *root_type_);
    // It may be an entry that moves.
    table_keys_.AddPointer(&root_copy_, nullptr);
  }
  refs_.LeavePlaces();
  table_keys_.Run();
}

char* Copier::CopyOfMarked(const void* source, unsigned number) {
  const ChunkMarks* marks = marks_.Of(source);
  if (marks == nullptr) return nullptr;
  const std::size_t rank = marks->RankOf(source, number);
  return rank == ChunkMarks::kNoRank ? nullptr : copies_[rank];
}

/// Null where `source` is no copied object: a kept pointer, or a slot that was
/// rewritten already as part of another item.
char* Copier::CopyOf(const void* source, const TypeLayout& key) {
  if (char* copy = CopyOfMarked(source, NumberOf(key))) return copy;
  return ToPointer(visited_.Find(source, key));
}

void Copier::RewriteSlot(const Slot& slot) {
  const TypeLayout& type = *slot.type;
  if (type.kind == TypeKind::kHandle) return RewriteHandle(slot);

  if (type.kind == TypeKind::kPointer) {
    if (*static_cast<void**>(slot.address) == nullptr) return;
    return FinishLater(slot.address, *type.element());
  }
  const ElementRun run = type.ops->view(slot.address);
  if (run.count == 0) return;
  if (char* copy = CopyOf(run.data, *type.element())) {
    type.ops->set_view(slot.address, copy);
    if (may_rehash_) table_keys_.AddPointer(slot.address, &type);
  }
}

void Copier::RewriteHandle(const Slot& slot) {
  const TypeLayout& handle = *slot.type;
  if (IsRef(handle)) return refs_.Copy(handle, slot.address);
  const HandleStorage storage = handle.ops->storage(slot.address);
  if (storage.block == nullptr) {
    return handle.ops->adopt(slot.address, &arena_, nullptr, 0);
  }
  // Room without elements is not copied.
  if (storage.used == 0) {
    return handle.ops->adopt(slot.address, &arena_, nullptr, 0);
  }
  char* copy = CopyOfMarked(storage.block, NumberOf(handle, true));
  const bool is_marked = copy != nullptr;
  if (!is_marked) {
    copy = ToPointer(visited_.FindStorage(storage.block, handle));
  }
  if (copy == nullptr) return;  // rewritten already
  handle.ops->adopt(slot.address, &arena_, copy, storage.used);
  RehashLater(handle, slot.address);
  if (is_marked) WalkRuns(handle, slot.address);
}

}  // namespace acre::inline ACRE_ABI::detail
