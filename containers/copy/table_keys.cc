// SPDX-License-Identifier: MIT

#include "copy/table_keys.h"

#include <algorithm>

#include "acre/detail/path.h"
#include "acre/detail/walk.h"
#include "acre/failure.h"

namespace acre::inline ACRE_ABI::detail {

void TableKeys::Add(const TypeLayout& type, void* handle) {
  tables_.push_back({&type, static_cast<char*>(handle)});
}

void TableKeys::AddPointer(void* slot, const TypeLayout* view) {
  pointers_.push_back({static_cast<char*>(slot), view});
}

void TableKeys::TakeFrom(TableKeys& other) {
  tables_.insert(tables_.end(), other.tables_.begin(), other.tables_.end());
  pointers_.insert(pointers_.end(), other.pointers_.begin(),
                   other.pointers_.end());
}

void TableKeys::Run() { ACRE_CHECK(TryRun(), "DeepCopy: %s", what_.c_str()); }

bool TableKeys::TryRun() {
  if (tables_.empty()) return true;
  for (Table& table : tables_) {
    const HandleStorage storage = table.type->ops->storage(table.handle);
    table.begin = static_cast<char*>(storage.block);
    table.end = table.begin + storage.bytes;
  }
  std::sort(tables_.begin(), tables_.end(),
            [](const auto& a, const auto& b) { return a.begin < b.begin; });
  if (!SortPointers()) return false;
  // The entries of a table move with the tables in them: those come first.
  std::vector<std::size_t> order(tables_.size());
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    order[i] = i;
    for (Table* around = Around(tables_[i].handle); around != nullptr;
         around = Around(around->handle)) {
      ++tables_[i].depth;
    }
  }
  std::stable_sort(order.begin(), order.end(), [this](auto a, auto b) {
    return tables_[a].depth > tables_[b].depth;
  });
  for (const std::size_t i : order) Rehash(tables_[i]);
  return true;
}

/// The table in whose entries the address lies, or null.
TableKeys::Table* TableKeys::Around(const char* address) {
  auto behind = std::upper_bound(
      tables_.begin(), tables_.end(), address,
      [](const char* p, const Table& table) { return p < table.begin; });
  if (behind == tables_.begin()) return nullptr;
  Table& table = *std::prev(behind);
  return address < table.end ? &table : nullptr;
}

/// Which pointers lead into which table, and which lie in it.
bool TableKeys::SortPointers() {
  for (Pointer& pointer : pointers_) {
    Table* target = Around(ValueOf(pointer));
    if (target == nullptr) continue;
    target->pointers_into.push_back(&pointer);
    Table* holder = Around(pointer.slot);
    if (holder == nullptr) continue;
    holder->pointers_in.push_back(&pointer);
    // Counted from the end: a table starts with its controls.
    const TypeLayout& entry = *holder->type->element();
    const auto to_end = static_cast<std::size_t>(holder->end - pointer.slot);
    const std::size_t offset = (entry.size - to_end % entry.size) % entry.size;
    const bool is_set = holder->type->fields.size() == 1;
    const bool is_key = is_set || offset < entry.fields.back().offset;
    if (is_key) {
      what_ = Joined({"a key in ", TypeText(holder->type->name),
                      " points into an entry of ", TypeText(target->type->name),
                      ", which is to move because its own keys hold pointers"});
      return false;
    }
  }
  return true;
}

void TableKeys::Rehash(Table& table) {
  moves_.clear();
  const auto note = [](void* self, const void* from, void* to) {
    static_cast<TableKeys*>(self)->moves_.push_back(
        {static_cast<const char*>(from), static_cast<char*>(to)});
  };
  const TypeOps& ops = *table.type->ops;
  const auto rehash = ops.rehash != nullptr ? ops.rehash : ops.reseed;
  rehash(table.handle, note, this);
  for (Pointer* pointer : table.pointers_in) {
    pointer->slot = Moved(pointer->slot);
  }
  for (Pointer* pointer : table.pointers_into) {
    SetValue(*pointer, Moved(ValueOf(*pointer)));
  }
}

/// Where an address in an entry is now. Entries are told in their old order.
char* TableKeys::Moved(const char* address) const {
  const auto behind = std::upper_bound(
      moves_.begin(), moves_.end(), address,
      [](const char* p, const Move& move) { return p < move.from; });
  const Move& move = *std::prev(behind);
  return move.to + (address - move.from);
}

const char* TableKeys::ValueOf(const Pointer& pointer) {
  return static_cast<const char*>(
      pointer.view == nullptr ? *reinterpret_cast<void**>(pointer.slot)
                              : pointer.view->ops->view(pointer.slot).data);
}

void TableKeys::SetValue(const Pointer& pointer, char* value) {
  if (pointer.view == nullptr) {
    *reinterpret_cast<void**>(pointer.slot) = value;
  } else {
    pointer.view->ops->set_view(pointer.slot, value);
  }
}

}  // namespace acre::inline ACRE_ABI::detail
