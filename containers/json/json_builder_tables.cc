// SPDX-License-Identifier: MIT
//
// Maps and Sets.

#include "json_builder.h"
#include "json_links.h"
#include "json_walk.h"

namespace acre::inline ACRE_ABI::detail {

bool JsonBuilder::ReadMap(const JsonType& type, void* slot) {
  if (!IsTextKey(type.key().kind)) return ReadPairs(type, slot);
  if (Peek() != '{') return Expected("an object");
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
  if (resolves_at_once_ || !PlanOf(key_type).has_pointers) return false;
  if (late_.size() != stop_.late) late_.push_back({&type, table, at_});
  return true;
}

bool JsonBuilder::ReadPairs(const JsonType& type, void* map) {
  if (Peek() != '[') return Expected("a list of pairs");
  if (IsLate(type, type.key(), map))
    return late_.size() != stop_.late && Skip();
  const std::size_t count = tokens_.CountOf(at_.opening);
  if (!Open()) return TakeClosing(']');
  if (!Charge(count, type.element_size)) return false;
  type.ops->reserve(map, count);
  std::size_t ordinal = 0;
  bool is_fine = true;
  do {
    if (!ReadPair(type, map)) {
      levels_.push_back({ordinal, Form::kIndex});
      return false;
    }
    ++ordinal;
  } while (HasNext(']', &is_fine));
  return is_fine;
}

bool JsonBuilder::ReadPair(const JsonType& type, void* map) {
  if (Peek() != '[' || tokens_.CountOf(at_.opening) != 2) {
    return Expected("a pair of key and value");
  }
  Open();
  KeySource source{this, type.key().kind, type.key};
  const JsonEntry entry = type.ops->insert(
      map,
      [](void* context, void* key) {
        const auto& from = *static_cast<KeySource*>(context);
        return from.builder->ReadAt(0, Form::kIndex, from.kind, from.type, key);
      },
      &source);
  if (entry.value == nullptr) return false;
  if (!entry.is_new) {
    levels_.push_back({0, Form::kIndex});
    return Fail("the key is there twice");
  }
  bool is_fine = true;
  if (!HasNext(']', &is_fine)) return Offence();
  return ReadAt(1, Form::kIndex, type.element_kind, type.element,
                entry.value) &&
         TakeClosing(']');
}

bool JsonBuilder::ReadSet(const JsonType& type, void* slot) {
  if (Peek() != '[') return Expected("a list");
  if (IsLate(type, type.element(), slot)) {
    return late_.size() != stop_.late && Skip();
  }
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
          return from.builder->Read(from.kind, from.type, key);
        },
        &source);
    if (entry.value != nullptr && !entry.is_new) {
      Fail("the element is there twice");
    }
    if (entry.value == nullptr || !entry.is_new) {
      levels_.push_back({ordinal, Form::kIndex});
      return false;
    }
    ++ordinal;
  } while (HasNext(']', &is_fine));
  return is_fine;
}

}  // namespace acre::inline ACRE_ABI::detail
