// SPDX-License-Identifier: MIT
//
// Maps and Sets.

#include <utility>

#include "json_builder.h"
#include "json_links.h"
#include "json_walk.h"

namespace acre::inline ACRE_ABI::detail {

void JsonBuilder::RenewTable(const JsonType& type, void* table) {
  std::size_t cursor = 0;
  const ElementRun run = type.layout()->ops->next_run(table, &cursor);
  if (run.data != nullptr) Renew(type, table);
}

bool JsonBuilder::ReadMap(const JsonType& type, void* slot) {
  if (!IsTextKey(type.key().kind)) return ReadPairs(type, slot, false);
  if (Peek() != '{') return Expected("an object");
  RenewTable(type, slot);
  const std::size_t count = tokens_.CountOf(at_.opening);
  if (count != 0) {
    if (!Charge(count, type.element_size)) return false;
    type.ops->reserve(slot, count);
  }
  return ReadOnce(type, slot, [&](const std::vector<bool>& skipped) {
    return ReadEntries(type, slot, skipped);
  });
}

JsonBuilder::Result JsonBuilder::ReadEntries(const JsonType& type, void* map,
                                             const std::vector<bool>& skipped) {
  struct Key {
    JsonBuilder* builder;
    const JsonType* type;
    std::string_view text;
  };
  const JsonType& key_type = type.key();
  const bool is_text =
      key_type.kind == JsonKind::kText || key_type.kind == JsonKind::kTextView;
  const Form form = is_text ? Form::kKey : Form::kNumber;
  std::size_t ordinal = 0;
  bool is_fine = true;
  bool has_more = Open();
  if (!has_more && !TakeClosing('}')) return Result::kError;
  if (!skipped.empty()) type.ops->reserve(map, skipped.size());
  for (; has_more; ++ordinal, has_more = HasNext('}', &is_fine)) {
    std::string_view name;
    if (!TakeName(&name)) return Result::kError;
    if (!skipped.empty() && skipped[ordinal]) {
      if (!Skip()) return Result::kError;
      continue;
    }
    JsonEntry entry;
    if (type.ops->insert_text != nullptr) {
      if (name.size() > String::kInlineCapacity &&
          !Charge(1, name.size() + 1)) {
        levels_.push_back({ordinal, form});
        return Result::kError;
      }
      entry = type.ops->insert_text(map, name);
    } else {
      Key key{this, &key_type, name};
      entry = type.ops->insert(
          map,
          [](void* context, void* made) {
            const Key& source = *static_cast<Key*>(context);
            return source.builder->ReadKeyText(*source.type, source.text, made);
          },
          &key);
    }
    if (entry.value == nullptr) {
      levels_.push_back({ordinal, form});
      names_member_ = true;
      return Result::kError;
    }
    if (!entry.is_new) {
      FailAtName(ordinal, "the key is there twice");
      levels_.back().form = form;
      return Result::kDuplicate;
    }
    if (!ReadAt(ordinal, form, type.element_kind, type.element, entry.value)) {
      return Result::kError;
    }
  }
  return is_fine ? Result::kFine : Result::kError;
}

bool JsonBuilder::IsLate(const JsonType& type, const JsonType& key_type,
                         void* table) {
  if (!PlanOf(key_type).has_pointers) return false;
  if (late_.size() != stop_.late) late_.push_back({&type, table, at_});
  return true;
}

void JsonBuilder::NoteEntry(const void* table, std::size_t ordinal,
                            const void* entry) {
  if (!has_links_) return;
  std::vector<const void*>& entries = entries_[table];
  entries.resize(ordinal + 1);
  entries[ordinal] = entry;
}

bool JsonBuilder::ReadKey(const KeySource& source, void* key) {
  const bool before = std::exchange(resolves_at_once_, true);
  const bool is_fine = Read(source.kind, source.type, key);
  resolves_at_once_ = before;
  return is_fine;
}

bool JsonBuilder::ReadPairs(const JsonType& type, void* map, bool is_late) {
  if (Peek() != '[') return Expected("a list of pairs");
  if (!is_late && IsLate(type, type.key(), map)) {
    return late_.size() != stop_.late && Skip();
  }
  RenewTable(type, map);
  const std::size_t count = tokens_.CountOf(at_.opening);
  if (!Open()) return TakeClosing(']');
  if (!Charge(count, type.element_size)) return false;
  type.ops->reserve(map, count);
  std::size_t ordinal = 0;
  bool is_fine = true;
  do {
    if (!ReadPair(type, map, ordinal)) {
      levels_.push_back({ordinal, Form::kIndex});
      return false;
    }
    ++ordinal;
  } while (HasNext(']', &is_fine));
  return is_fine;
}

bool JsonBuilder::ReadPair(const JsonType& type, void* map,
                           std::size_t ordinal) {
  if (Peek() != '[' || tokens_.CountOf(at_.opening) != 2) {
    return Expected("a pair of key and value");
  }
  Open();
  KeySource source{this, type.key().kind, type.key};
  const JsonEntry entry = type.ops->insert(
      map,
      [](void* context, void* key) {
        const auto& from = *static_cast<KeySource*>(context);
        return from.builder->ReadKey(from, key);
      },
      &source);
  if (entry.value == nullptr || !entry.is_new) {
    levels_.push_back({0, Form::kIndex});
    return entry.value != nullptr && Fail("the key is there twice");
  }
  NoteEntry(map, ordinal,
            static_cast<const char*>(entry.value) - type.value_offset);
  bool is_fine = true;
  if (!HasNext(']', &is_fine)) return Offence();
  return ReadAt(1, Form::kIndex, type.element_kind, type.element,
                entry.value) &&
         TakeClosing(']');
}

bool JsonBuilder::ReadSet(const JsonType& type, void* slot, bool is_late) {
  if (Peek() != '[') return Expected("a list");
  if (!is_late && IsLate(type, type.element(), slot)) {
    return late_.size() != stop_.late && Skip();
  }
  RenewTable(type, slot);
  const std::size_t count = tokens_.CountOf(at_.opening);
  if (!Open()) return TakeClosing(']');
  if (!Charge(count, type.element_size)) return false;
  type.ops->reserve(slot, count);
  std::size_t ordinal = 0;
  bool is_fine = true;
  do {
    KeySource source{this, type.element_kind, type.element};
    const JsonEntry entry = type.ops->insert(
        slot,
        [](void* context, void* key) {
          const auto& from = *static_cast<KeySource*>(context);
          return from.builder->ReadKey(from, key);
        },
        &source);
    if (entry.value == nullptr || !entry.is_new) {
      levels_.push_back({ordinal, Form::kIndex});
      return entry.value != nullptr && Fail("the element is there twice");
    }
    NoteEntry(slot, ordinal, entry.value);
    ++ordinal;
  } while (HasNext(']', &is_fine));
  return is_fine;
}

}  // namespace acre::inline ACRE_ABI::detail
