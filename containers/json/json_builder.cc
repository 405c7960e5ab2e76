// SPDX-License-Identifier: MIT

#include "json_builder.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "json_links.h"
#include "json_number.h"
#include "json_walk.h"

namespace acre::inline ACRE_ABI::detail {

JsonBuilder::~JsonBuilder() { Return({}); }

void JsonBuilder::Return(const State& state) {
  while (made_.size() > state.made) {
    const Made made = made_.back();
    made_.pop_back();
    made.free(arena_, made.block, made.count);
  }
  links_.resize(state.links, Link{});
  late_.resize(state.late, Late{});
  memory_ = state.memory;
}

void* JsonBuilder::Build(GetJsonType pointer_type) {
  const JsonType& pointer = pointer_type();
  root_type_ = &pointer.element();
  has_links_ = PlanOf(*root_type_).has_pointers;
  void* object = nullptr;
  if (Charge(1, root_type_->size)) {
    WillMake();
    object = pointer.ops->make(arena_);
    made_.push_back({object, 1, pointer.ops->free});
    root_ = object;
    if (Read(pointer.element_kind, pointer.element, object) &&
        (at_.token == tokens_.size() || Offence()) && FillLate() &&
        ResolveLinks()) {
      return object;
    }
  }
  std::reverse(levels_.begin(), levels_.end());
  return nullptr;
}

// ---- tokens

bool JsonBuilder::TakeWord(std::string_view word) {
  const char* const start = tokens_.Start(at_.token);
  if (std::strncmp(start, word.data(), word.size()) != 0 ||
      !tokens_.EndsAt(at_.token, start + word.size())) {
    return Offence();
  }
  ++at_.token;
  return true;
}

bool JsonBuilder::Skip() {
  // The brackets around, innermost last; what is behind a value is theirs.
  std::vector<char> brackets;
  for (;;) {
    bool is_fine = true;
    const char c = Peek();
    if (c == '{' || c == '[') {
      const char bracket = c == '{' ? '}' : ']';
      if (Open()) {
        brackets.push_back(bracket);
        std::string_view name;
        if (c == '{' && !TakeName(&name)) return false;
        continue;
      }
      if (Peek() != bracket) return Offence();
      ++at_.token;
    } else if (c == '"') {
      std::string_view text;
      is_fine = TakeText(&text);
    } else if (c == 't') {
      is_fine = TakeWord("true");
    } else if (c == 'f') {
      is_fine = TakeWord("false");
    } else if (c == 'n') {
      is_fine = TakeNull();
    } else {
      const char* end = nullptr;
      is_fine = (ParseNumber(tokens_.Start(at_.token), &end).form !=
                     JsonNumber::Form::kNone &&
                 tokens_.EndsAt(at_.token, end)) ||
                Offence();
      ++at_.token;
    }
    for (;;) {
      if (!is_fine) return false;
      if (brackets.empty()) return true;
      const char bracket = brackets.back();
      if (HasNext(bracket, &is_fine)) {
        std::string_view name;
        if (bracket == '}' && !TakeName(&name)) return false;
        break;
      }
      brackets.pop_back();
    }
  }
}

bool JsonBuilder::Read(JsonKind kind, GetJsonType type, void* slot) {
  switch (kind) {
    case JsonKind::kNull:
      return IsNull() ? TakeNull() : Expected("null");
    case JsonKind::kBool: {
      const bool value = Peek() == 't';
      if (!value && Peek() != 'f') return Expected("true or false");
      if (!TakeWord(value ? "true" : "false")) return false;
      std::memcpy(slot, &value, sizeof value);
      return true;
    }
    case JsonKind::kInt8:
    case JsonKind::kInt16:
    case JsonKind::kInt32:
    case JsonKind::kInt64:
    case JsonKind::kUint8:
    case JsonKind::kUint16:
    case JsonKind::kUint32:
    case JsonKind::kUint64:
      return ReadInteger(kind, slot);
    case JsonKind::kDouble: {
      double value = 0;
      if (!ReadDouble(&value)) return false;
      std::memcpy(slot, &value, sizeof value);
      return true;
    }
    case JsonKind::kFloat: {
      double value = 0;
      const JsonAt before = at_;
      if (!ReadDouble(&value)) return false;
      auto narrow = static_cast<float>(value);
      if (std::isfinite(value) && double{narrow} != value) {
        // Rounded a second time it may be another.
        narrow = std::strtof(tokens_.Start(before.token), nullptr);
      }
      if (std::isinf(narrow) && std::isfinite(value)) {
        at_ = before;
        return Expected("float (up to 3.4028235e+38)");
      }
      std::memcpy(slot, &narrow, sizeof narrow);
      return true;
    }
    case JsonKind::kEnum:
      return ReadEnum(type(), slot);
    case JsonKind::kText:
    case JsonKind::kTextView:
    case JsonKind::kCText:
    case JsonKind::kChars:
      return ReadText(kind, type, slot);
    case JsonKind::kList:
    case JsonKind::kView:
    case JsonKind::kArray:
      return ReadList(type(), slot);
    case JsonKind::kSet:
      return ReadSet(type(), slot, false);
    case JsonKind::kTuple:
      return ReadTuple(type(), slot);
    case JsonKind::kMap:
      return ReadMap(type(), slot);
    case JsonKind::kStruct:
      return ReadStruct(type(), static_cast<char*>(slot));
    case JsonKind::kOptional: {
      const JsonType& optional = type();
      Renew(optional, slot);
      if (IsNull()) return TakeNull();
      void* const value = optional.ops->engage(slot, 0);
      BindHandles(*optional.element().layout(), value, &arena_);
      return Read(optional.element_kind, optional.element, value);
    }
    case JsonKind::kVariant:
      return ReadVariant(type(), slot);
    case JsonKind::kPointer:
      return ReadPointer(type(), slot);
    case JsonKind::kAny:
      return ReadAny(static_cast<Json*>(slot));
    case JsonKind::kNamed:
      return ReadNamed(type(), slot);
    case JsonKind::kNone:
      break;
  }
  return Fail("JSON has no form for this");
}

void JsonBuilder::Renew(const JsonType& type, void* slot) {
  if (type.ops->renew != nullptr) type.ops->renew(slot, arena_);
}

// ---- structs

namespace {

/// Which fields there were.
class Seen {
 public:
  explicit Seen(std::size_t count) {
    if (ACRE_UNLIKELY(count > 64)) {
      more_ = std::make_unique<std::uint64_t[]>(count / 64);
    }
  }
  /// Whether it was there before.
  ACRE_INLINE bool Add(std::size_t i) {
    std::uint64_t& word = i < 64 ? first_ : more_[i / 64 - 1];
    const std::uint64_t bit = std::uint64_t{1} << (i % 64);
    const bool was = (word & bit) != 0;
    word |= bit;
    return was;
  }
  bool has(std::size_t i) const {
    return ((i < 64 ? first_ : more_[i / 64 - 1]) >> (i % 64) & 1) != 0;
  }

 private:
  std::uint64_t first_ = 0;
  std::unique_ptr<std::uint64_t[]> more_;
};

}  // namespace

std::vector<bool> JsonBuilder::Repeated() {
  std::vector<std::pair<std::string, std::size_t>> names;
  const JsonAt before = at_;
  bool is_fine = true;
  Open();
  do {
    std::string_view name;
    is_fine = TakeName(&name);
    if (!is_fine) break;
    names.emplace_back(name, names.size());
    is_fine = Skip();
  } while (is_fine && HasNext('}', &is_fine));
  at_ = before;
  std::sort(names.begin(), names.end());
  std::vector<bool> repeated(names.size());
  for (std::size_t i = 0; i + 1 < names.size(); ++i) {
    if (names[i].first == names[i + 1].first) repeated[names[i].second] = true;
  }
  return repeated;
}

bool JsonBuilder::ReadStruct(const JsonType& type, char* object) {
  if (Peek() != '{') {
    return Expected("an object for " + std::string(type.name));
  }
  return ReadOnce(type, object, [&](const std::vector<bool>& skipped) {
    return ReadMembers(type, object, skipped);
  });
}

/// Whether the text at at_ is the name of that field, without escapes.
ACRE_INLINE bool JsonBuilder::IsName(const JsonField& field) const {
  const char* const start = tokens_.Start(at_.token);
  auto head = Load<std::uint64_t>(start + 1);
  if constexpr (std::endian::native == std::endian::big) {
    head = __builtin_bswap64(head);
  }
  if (((head ^ field.head) & field.head_mask) != 0 || start[0] != '"') {
    return false;
  }
  return field.name.size() < 8 || tokens_.IsText(at_.token, field.name);
}

JsonBuilder::Result JsonBuilder::ReadMembers(const JsonType& type, char* object,
                                             const std::vector<bool>& skipped) {
  Seen seen(type.field_count);
  std::size_t next = 0;
  std::size_t ordinal = 0;
  bool is_fine = true;
  bool has_more = Open();
  if (!has_more && !TakeClosing('}')) return Result::kError;
  for (; has_more; ++ordinal, has_more = HasNext('}', &is_fine)) {
    std::size_t i = next;
    // Most often the next field is next.
    if (ACRE_LIKELY(i < type.field_count && IsName(type.fields[i]))) {
      ++at_.token;
      if (!TakeColon()) return Result::kError;
    } else {
      std::string_view name;
      if (!TakeName(&name)) return Result::kError;
      i = FindField(type, name);
    }
    if (ACRE_UNLIKELY(i == type.field_count)) {
      if (!rules_.ignore_unknown) {
        FailAtName(ordinal, std::string(type.name) + " has no such field");
        return Result::kError;
      }
      if (!Skip()) return Result::kError;
      continue;
    }
    const JsonField& field = type.fields[i];
    if (!skipped.empty() && skipped[ordinal]) {
      if (!Skip()) return Result::kError;
      continue;
    }
    if (ACRE_UNLIKELY(seen.Add(i))) {
      FailAtName(ordinal, "the name is there twice");
      return Result::kDuplicate;
    }
    if (ACRE_UNLIKELY(!field.is_read)) {
      if (!Skip()) return Result::kError;
    } else if (!ReadAt(ordinal, Form::kField, field.kind, field.type,
                       object + field.offset)) {
      return Result::kError;
    }
    next = i + 1;
  }
  if (!is_fine) return Result::kError;
  if (rules_.require_fields) {
    for (std::size_t i = 0; i < type.field_count; ++i) {
      if (seen.has(i) || type.fields[i].kind == JsonKind::kOptional ||
          !type.fields[i].is_read) {
        continue;
      }
      Fail(std::string(type.name) + " lacks its field " +
           std::string(type.fields[i].name));
      return Result::kError;
    }
  }
  return Result::kFine;
}

// ---- lists

bool JsonBuilder::ReadList(const JsonType& type, void* slot) {
  if (Peek() != '[') return Expected("a list");
  const std::size_t count = tokens_.CountOf(at_.opening);
  if (type.kind == JsonKind::kArray) {
    if (count == type.count)
      return ReadElements(type, static_cast<char*>(slot));
    return Fail("expected " + std::to_string(type.count) + " elements, found " +
                std::to_string(count));
  }
  if (type.kind == JsonKind::kList &&
      static_cast<const VectorRep*>(slot)->size != 0) {
    Renew(type, slot);
  }
  if (count == 0) return ReadElements(type, nullptr);
  if (!Charge(count, type.element_size)) return false;
  WillMake();
  void* const first = type.ops->resize(slot, arena_, count);
  if (type.kind == JsonKind::kView) {
    made_.push_back({first, count, type.ops->free});
  }
  return ReadElements(type, static_cast<char*>(first));
}

/// There is room for as many as the commas say.
bool JsonBuilder::ReadElements(const JsonType& type, char* first) {
  std::size_t ordinal = 0;
  bool is_fine = true;
  if (!Open()) return TakeClosing(']');
  if (type.element_kind == JsonKind::kDouble) {
    // Long lists of numbers are common.
    auto* value = reinterpret_cast<double*>(first);
    do {
      if (ACRE_UNLIKELY(!ReadDouble(value))) {
        levels_.push_back({ordinal, Form::kIndex});
        return false;
      }
      ++value;
      ++ordinal;
    } while (HasNext(']', &is_fine));
    return is_fine;
  }
  do {
    if (!ReadAt(ordinal, Form::kIndex, type.element_kind, type.element,
                first + ordinal * type.element_size)) {
      return false;
    }
    ++ordinal;
  } while (HasNext(']', &is_fine));
  return is_fine;
}

bool JsonBuilder::ReadTuple(const JsonType& type, void* slot) {
  if (Peek() != '[') return Expected("a list");
  const std::size_t count = tokens_.CountOf(at_.opening);
  if (count != type.field_count) {
    return Fail("expected " + std::to_string(type.field_count) +
                " elements, found " + std::to_string(count));
  }
  if (!Open()) return TakeClosing(']');
  std::size_t i = 0;
  bool is_fine = true;
  do {
    if (!ReadAt(i, Form::kIndex, type.fields[i].kind, type.fields[i].type,
                const_cast<void*>(TuplePart(type, slot, i)))) {
      return false;
    }
    ++i;
  } while (HasNext(']', &is_fine));
  return is_fine;
}

bool JsonBuilder::ReadVariant(const JsonType& type, void* slot) {
  Renew(type, slot);
  std::string tags;
  for (std::size_t i = 0; i < type.field_count; ++i) {
    if (type.fields[i].kind == JsonKind::kNull) {
      if (!IsNull()) continue;
      type.ops->engage(slot, i);
      return TakeNull();
    }
    tags += (tags.empty() ? "" : ", ") + std::string(TagOf(type, i));
  }
  if (Peek() != '{' || tokens_.CountOf(at_.opening) != 1) {
    return Expected("an object with one member, named as one of: " + tags);
  }
  std::string_view tag;
  Open();
  if (!TakeName(&tag)) return false;
  for (std::size_t i = 0; i < type.field_count; ++i) {
    const JsonField& alternative = type.fields[i];
    if (alternative.kind == JsonKind::kNull || TagOf(type, i) != tag) continue;
    void* const value = type.ops->engage(slot, i);
    BindHandles(*alternative.type().layout(), value, &arena_);
    return ReadAt(0, Form::kField, alternative.kind, alternative.type, value) &&
           TakeClosing('}');
  }
  return FailAtName(0, "no alternative has this name; there are: " + tags);
}

}  // namespace acre::inline ACRE_ABI::detail
