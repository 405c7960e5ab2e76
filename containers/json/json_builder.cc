// SPDX-License-Identifier: MIT

#include "json_builder.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <utility>

#include "json_links.h"
#include "json_maker.h"
#include "json_number.h"
#include "json_walk.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

struct Range {
  std::int64_t least;
  std::uint64_t most;
};

template <class T>
constexpr Range kRangeOf{std::numeric_limits<T>::min(),
                         std::numeric_limits<T>::max()};

Range RangeOf(JsonKind kind) {
  switch (kind) {
    case JsonKind::kInt8:
      return kRangeOf<std::int8_t>;
    case JsonKind::kInt16:
      return kRangeOf<std::int16_t>;
    case JsonKind::kInt32:
      return kRangeOf<std::int32_t>;
    case JsonKind::kInt64:
      return kRangeOf<std::int64_t>;
    case JsonKind::kUint8:
      return kRangeOf<std::uint8_t>;
    case JsonKind::kUint16:
      return kRangeOf<std::uint16_t>;
    case JsonKind::kUint32:
      return kRangeOf<std::uint32_t>;
    default:
      return kRangeOf<std::uint64_t>;
  }
}

std::string_view NameOfInteger(JsonKind kind) {
  constexpr std::string_view kNames[] = {"int8",  "int16",  "int32",  "int64",
                                         "uint8", "uint16", "uint32", "uint64"};
  return kNames[static_cast<std::size_t>(kind) -
                static_cast<std::size_t>(JsonKind::kInt8)];
}

void StoreInteger(JsonKind kind, std::uint64_t bits, void* slot) {
  const auto store = [&]<class T>(T value) {
    value = static_cast<T>(bits);
    std::memcpy(slot, &value, sizeof value);
  };
  switch (kind) {
    case JsonKind::kInt8:
    case JsonKind::kUint8:
      return store(std::uint8_t{});
    case JsonKind::kInt16:
    case JsonKind::kUint16:
      return store(std::uint16_t{});
    case JsonKind::kInt32:
    case JsonKind::kUint32:
      return store(std::uint32_t{});
    default:
      return store(std::uint64_t{});
  }
}

bool IsIn(const Range& range, std::int64_t value) {
  return value < 0 ? value >= range.least
                   : static_cast<std::uint64_t>(value) <= range.most;
}

void FreeText(Arena& arena, void* made, std::size_t count) {
  arena.Free(std::span<char>(static_cast<char*>(made), count));
}

}  // namespace

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
  void* object = nullptr;
  if (Charge(1, root_type_->size)) {
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

// ---- numbers, words and texts

bool JsonBuilder::ReadInteger(JsonKind kind, void* slot) {
  const char c = Peek();
  if (c != '-' && (c < '0' || c > '9')) return Expected(NameOfInteger(kind));
  const char* end = nullptr;
  const JsonNumber number = ParseNumber(tokens_.Start(at_.token), &end);
  if (number.form == JsonNumber::Form::kNone ||
      !tokens_.EndsAt(at_.token, end)) {
    return Offence();
  }
  const Range range = RangeOf(kind);
  std::uint64_t bits = number.integer;
  bool fits = false;
  switch (number.form) {
    case JsonNumber::Form::kUnsigned:
      fits = bits <= range.most;
      break;
    case JsonNumber::Form::kNegative:
      fits = static_cast<std::int64_t>(bits) >= range.least;
      break;
    default: {
      // Below 2^53 a whole double is what its text says.
      if (std::fabs(number.real) >= 0x1p53) break;
      if (number.real != std::trunc(number.real)) {
        return Expected(NameOfInteger(kind));
      }
      const auto whole = static_cast<std::int64_t>(number.real);
      fits = IsIn(range, whole);
      bits = static_cast<std::uint64_t>(whole);
    }
  }
  if (!fits) {
    return Expected(std::string(NameOfInteger(kind)) + " (" +
                    std::to_string(range.least) + " to " +
                    std::to_string(range.most) + ')');
  }
  ++at_.token;
  StoreInteger(kind, bits, slot);
  return true;
}

ACRE_INLINE bool JsonBuilder::ReadDouble(double* value) {
  const char* const start = tokens_.Start(at_.token);
  const char* end = nullptr;
  if (ACRE_LIKELY(ParseDouble(start, &end, value) &&
                  tokens_.EndsAt(at_.token, end))) {
    ++at_.token;
    return true;
  }
  if (*start == '-' || (*start >= '0' && *start <= '9')) return Offence();
  if (*start != '"') return Expected("a number");
  const JsonAt before = at_;
  std::string_view text;
  if (!TakeText(&text)) return false;
  if (text == "NaN") {
    *value = std::numeric_limits<double>::quiet_NaN();
    return true;
  }
  if (text == "Infinity" || text == "-Infinity") {
    *value = std::numeric_limits<double>::infinity();
    if (text[0] == '-') *value = -*value;
    return true;
  }
  at_ = before;
  return Expected("a number");
}

bool JsonBuilder::ReadEnum(const JsonType& type, void* slot) {
  const char c = Peek();
  if (c == '-' || (c >= '0' && c <= '9')) return ReadInteger(type.number, slot);
  if (c != '"') return Expected("a name of " + std::string(type.name));
  std::string_view name;
  if (!TakeText(&name)) return false;
  for (std::size_t i = 0; i < type.enumerator_count; ++i) {
    if (name != type.enumerators[i].name) continue;
    StoreInteger(type.number,
                 static_cast<std::uint64_t>(type.enumerators[i].value), slot);
    return true;
  }
  std::string names;
  for (std::size_t i = 0; i < std::min(type.enumerator_count, 8U); ++i) {
    if (i != 0) names += ", ";
    names += type.enumerators[i].name;
  }
  if (type.enumerator_count > 8) names += ", ...";
  return Expected(std::string(type.name) + " (" + names + ')');
}

void* JsonBuilder::MakeText(std::string_view text) {
  const std::span<char> made = arena_.NewArray<char>(text.size());
  made_.push_back({made.data(), text.size(), &FreeText});
  std::memcpy(made.data(), text.data(), text.size());
  return made.data();
}

bool JsonBuilder::ReadText(JsonKind kind, GetJsonType get_type, void* slot) {
  if (ACRE_UNLIKELY(Peek() != '"')) {
    if (kind == JsonKind::kCText && IsNull()) return TakeNull();
    return Expected("a text");
  }
  std::string_view text;
  if (!TakeText(&text)) return false;
  switch (kind) {
    case JsonKind::kText:
      if (text.size() > String::kInlineCapacity &&
          !Charge(1, text.size() + 1)) {
        return false;
      }
      static_cast<String*>(slot)->assign(text);
      return true;
    case JsonKind::kTextView: {
      if (!Charge(1, text.size())) return false;
      const std::string_view made(static_cast<const char*>(MakeText(text)),
                                  text.size());
      std::memcpy(slot, &made, sizeof made);
      return true;
    }
    case JsonKind::kCText: {
      if (text.find('\0') != std::string_view::npos) {
        return Expected("a text without \\u0000");
      }
      if (!Charge(1, text.size() + 1)) return false;
      std::string ended(text);
      const void* const made = MakeText({ended.c_str(), ended.size() + 1});
      std::memcpy(slot, &made, sizeof made);
      return true;
    }
    default: {
      const std::size_t room = get_type().count;
      if (text.size() > room || text.find('\0') != std::string_view::npos) {
        return Expected("a text of at most " + std::to_string(room) +
                        " bytes, none of them zero");
      }
      std::memset(slot, 0, room);
      std::memcpy(slot, text.data(), text.size());
      return true;
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
      const auto narrow = static_cast<float>(value);
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
      return ReadSet(type(), slot);
    case JsonKind::kTuple:
      return ReadTuple(type(), slot);
    case JsonKind::kMap:
      return ReadMap(type(), slot);
    case JsonKind::kStruct:
      return ReadStruct(type(), static_cast<char*>(slot));
    case JsonKind::kOptional: {
      if (IsNull()) return TakeNull();
      const JsonType& optional = type();
      return Read(optional.element_kind, optional.element,
                  optional.ops->engage(slot, 0));
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

bool JsonBuilder::ReadNamed(const JsonType& type, void* slot) {
  if (IsNull()) return TakeNull();
  if (Peek() != '"') return Expected("a name of " + std::string(type.name));
  const JsonAt before = at_;
  std::string_view name;
  if (!TakeText(&name)) return false;
  const void* const target = type.ops->find_name(name);
  if (target == nullptr) {
    at_ = before;
    return Expected("a name of " + std::string(type.name));
  }
  std::memcpy(slot, &target, sizeof target);
  return true;
}

// ---- values of any shape

bool JsonBuilder::ReadAny(Json* json) {
  switch (Peek()) {
    case '{':
      return ReadAnyObject(json);
    case '[':
      return ReadAnyArray(json);
    case '"': {
      std::string_view text;
      if (!TakeText(&text) || !Charge(1, text.size())) return false;
      JsonMaker::SetText(*json, arena_, text);
      return true;
    }
    case 't':
      *json = true;
      return TakeWord("true");
    case 'f':
      *json = false;
      return TakeWord("false");
    case 'n':
      return TakeNull();
    default:
      break;
  }
  const char* end = nullptr;
  const JsonNumber number = ParseNumber(tokens_.Start(at_.token), &end);
  if (number.form == JsonNumber::Form::kNone ||
      !tokens_.EndsAt(at_.token, end)) {
    return Offence();
  }
  ++at_.token;
  if (number.form == JsonNumber::Form::kDouble) {
    *json = number.real;
  } else {
    JsonMaker::SetInteger(*json, number.form == JsonNumber::Form::kNegative,
                          number.integer);
  }
  return true;
}

bool JsonBuilder::ReadAnyArray(Json* json) {
  const std::size_t count = tokens_.CountOf(at_.opening);
  if (!Charge(1, JsonMaker::ArrayBytes(count))) return false;
  Json* element = JsonMaker::SetArray(*json, arena_, count);
  if (!Open()) return TakeClosing(']');
  std::size_t ordinal = 0;
  bool is_fine = true;
  do {
    if (!ReadAny(element)) {
      levels_.push_back({ordinal, Form::kIndex});
      return false;
    }
    ++element;
    ++ordinal;
  } while (HasNext(']', &is_fine));
  return is_fine;
}

bool JsonBuilder::ReadAnyObject(Json* json) {
  const std::size_t count = tokens_.CountOf(at_.opening);
  if (!Charge(1, JsonMaker::ObjectBytes(count))) return false;
  JsonMaker::SetObject(*json, arena_, count);
  if (!Open()) return TakeClosing('}');
  std::size_t ordinal = 0;
  bool is_fine = true;
  do {
    std::string_view name;
    if (!TakeName(&name)) return false;
    Json* value = JsonMaker::AddMember(*json, arena_, name);
    if (value == nullptr) {
      if (rules_.refuse_duplicates) {
        return FailAtName(ordinal, "the name is there twice");
      }
      value = json->find(name);
      value->Release();
    }
    if (!ReadAny(value)) {
      levels_.push_back({ordinal, Form::kKey});
      return false;
    }
    ++ordinal;
  } while (HasNext('}', &is_fine));
  return is_fine;
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

/// The index of a field; `count` where there is none of that name.
std::size_t FindField(const JsonType& type, std::string_view name) {
  for (std::size_t i = 0; i < type.field_count; ++i) {
    if (type.fields[i].name == name) return i;
  }
  return type.field_count;
}

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

/// Members of one name are found while they are read; what there is by then is
/// taken back, and only the last ones are read.
template <class ReadAll>
bool JsonBuilder::ReadOnce(const JsonType& type, void* object,
                           ReadAll read_all) {
  const State before = state();
  const JsonAt start = at_;
  static const std::vector<bool> kNone;
  const Result result = read_all(kNone);
  if (result != Result::kDuplicate) return result == Result::kFine;
  if (rules_.refuse_duplicates) return false;
  Return(before);
  prefixes_ = {};
  at_ = start;
  levels_.clear();
  names_member_ = false;
  type.ops->renew(object, arena_);
  return read_all(Repeated()) == Result::kFine;
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
      if (seen.has(i) || type.fields[i].kind == JsonKind::kOptional) continue;
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
  if (count == 0) return ReadElements(type, nullptr);
  if (!Charge(count, type.element_size)) return false;
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
    return ReadAt(0, Form::kField, alternative.kind, alternative.type,
                  type.ops->engage(slot, i)) &&
           TakeClosing('}');
  }
  return FailAtName(0, "no alternative has this name; there are: " + tags);
}

// ---- tables

bool JsonBuilder::ReadKeyText(const JsonType& type, std::string_view text,
                              void* key) {
  switch (type.kind) {
    case JsonKind::kText:
      static_cast<String*>(key)->assign(text);
      return true;
    case JsonKind::kTextView: {
      if (!Charge(1, text.size())) return false;
      const std::string_view made(static_cast<const char*>(MakeText(text)),
                                  text.size());
      std::memcpy(key, &made, sizeof made);
      return true;
    }
    default:
      break;
  }
  JsonKind kind = type.kind;
  if (kind == JsonKind::kEnum) {
    for (std::size_t i = 0; i < type.enumerator_count; ++i) {
      if (text != type.enumerators[i].name) continue;
      StoreInteger(type.number,
                   static_cast<std::uint64_t>(type.enumerators[i].value), key);
      return true;
    }
    kind = type.number;
  }
  const Range range = RangeOf(kind);
  const char* const end = text.data() + text.size();
  std::uint64_t bits = 0;
  bool fits = false;
  if (text.starts_with('-')) {
    std::int64_t value = 0;
    const auto [to, result] = std::from_chars(text.data(), end, value);
    fits = to == end && result == std::errc() && IsIn(range, value);
    bits = static_cast<std::uint64_t>(value);
  } else {
    const auto [to, result] = std::from_chars(text.data(), end, bits);
    fits = to == end && result == std::errc() && bits <= range.most;
  }
  if (!fits) {
    return Expected("a key of type " + std::string(type.name));
  }
  StoreInteger(kind, bits, key);
  return true;
}

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

namespace {

/// A key that stands in the text as a value.
struct KeySource {
  JsonBuilder* builder;
  JsonKind kind;
  GetJsonType type;
};

}  // namespace

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

// ---- pointers

/// An object whose one member is "$ref": leaves at_ where it is if there is
/// none.
bool JsonBuilder::ReadReference(const void** slot, GetJsonType type,
                                bool* is_reference) {
  *is_reference = Peek() == '{' && tokens_.CountOf(at_.opening) == 1 &&
                  tokens_.IsText(at_.token + 1, "$ref") &&
                  tokens_[at_.token + 3] == '"';
  if (!*is_reference) return true;
  std::string_view path;
  Open();
  const JsonAt start = at_;
  if (!TakeName(&path) || !TakeText(&path) || !TakeClosing('}')) return false;
  if (path.data() == room_.data()) path = paths_.emplace_back(path);
  if (resolves_at_once_) {
    *slot = Resolve(path, type());
    if (*slot == nullptr) at_ = start;
    return *slot != nullptr;
  }
  if (links_.size() == stop_.link) return Fail("");
  links_.push_back({slot, type, path});
  return true;
}

bool JsonBuilder::ReadPointer(const JsonType& type, void* slot) {
  if (IsNull()) return TakeNull();
  bool is_reference = false;
  if (!ReadReference(static_cast<const void**>(slot), type.element,
                     &is_reference)) {
    return false;
  }
  if (is_reference) return true;
  const JsonType& target = type.element();
  if (!Charge(1, target.size)) return false;
  void* const object = type.ops->make(arena_);
  made_.push_back({object, 1, type.ops->free});
  std::memcpy(slot, &object, sizeof object);
  return Read(type.element_kind, type.element, object);
}

bool JsonBuilder::FillLate() {
  resolves_at_once_ = true;
  for (std::size_t i = 0; i < late_.size(); ++i) {
    const Late late = late_[i];
    at_ = late.at;
    const bool is_fine = late.type->kind == JsonKind::kSet
                             ? ReadSet(*late.type, late.table)
                             : ReadPairs(*late.type, late.table);
    if (is_fine) continue;
    failed_.late = i;
    return false;
  }
  resolves_at_once_ = false;
  return true;
}

bool JsonBuilder::ResolveLinks() {
  for (std::size_t i = 0; i < links_.size(); ++i) {
    const Link& link = links_[i];
    *link.slot = Resolve(link.path, link.type());
    if (*link.slot != nullptr) continue;
    failed_.link = i;
    return false;
  }
  return true;
}

namespace {

/// The object, or the base of it, that has that layout; else null.
const void* AsType(const TypeLayout& type, const void* object,
                   std::uint64_t id) {
  if (type.id == id) return object;
  const void* found = nullptr;
  ForEachBase(type, object, [&](std::uint64_t base_id, const void* base) {
    if (base_id == id && found == nullptr) found = base;
  });
  return found;
}

/// The next part of a path, with ~0 and ~1 replaced; `room` holds it.
std::string_view NextSegment(std::string_view& path, std::string& room) {
  path.remove_prefix(1);
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  if (segment.find('~') == std::string_view::npos) return segment;
  room.clear();
  for (std::size_t i = 0; i < segment.size(); ++i) {
    if (segment[i] != '~' || i + 1 == segment.size()) {
      room += segment[i];
    } else {
      room += segment[++i] == '1' ? '/' : '~';
    }
  }
  return room;
}

bool ReadIndex(std::string_view segment, std::size_t* index) {
  const char* const end = segment.data() + segment.size();
  const auto [to, result] = std::from_chars(segment.data(), end, *index);
  return result == std::errc() && to == end &&
         (segment.size() == 1 || segment[0] != '0');
}

/// What stands where an optional or a pointer does, or null.
const void* Through(const JsonType*& type, const void* object) {
  const void* part = nullptr;
  if (type->kind == JsonKind::kOptional) {
    if (type->ops->active(object, &part) < 0) return nullptr;
  } else {
    part = *static_cast<const void* const*>(object);
  }
  type = &type->element();
  return part;
}

bool IsPassedThrough(JsonKind kind) {
  return kind == JsonKind::kOptional || kind == JsonKind::kPointer;
}

}  // namespace

const void* JsonBuilder::Step(const JsonType*& type, const void* object,
                              std::string_view segment) {
  const auto* const bytes = static_cast<const char*>(object);
  std::size_t index = 0;
  switch (type->kind) {
    case JsonKind::kStruct: {
      const std::size_t i = FindField(*type, segment);
      if (i == type->field_count) return nullptr;
      const JsonField& field = type->fields[i];
      type = &field.type();
      return bytes + field.offset;
    }
    case JsonKind::kTuple:
      if (!ReadIndex(segment, &index) || index >= type->field_count) {
        return nullptr;
      }
      object = TuplePart(*type, object, index);
      type = &type->fields[index].type();
      return object;
    case JsonKind::kVariant: {
      const void* part = nullptr;
      const int active = type->ops->active(object, &part);
      if (active < 0) return nullptr;
      const auto i = static_cast<std::size_t>(active);
      if (TagOf(*type, i) != segment) return nullptr;
      type = &type->fields[i].type();
      return part;
    }
    case JsonKind::kArray:
    case JsonKind::kList:
    case JsonKind::kView: {
      if (!ReadIndex(segment, &index)) return nullptr;
      const void* found = nullptr;
      const std::size_t size = type->element_size;
      ForEachElementRun(
          *type, object, [&](const void* first, std::size_t count) {
            if (index < count) {
              found = static_cast<const char*>(first) + index * size;
            }
            return false;  // they lie in one run
          });
      type = &type->element();
      return found;
    }
    case JsonKind::kMap: {
      if (!IsTextKey(type->key().kind)) break;
      struct Key {
        JsonBuilder* builder;
        const JsonType* type;
        std::string_view text;
      } key{this, &type->key(), segment};
      const State before = state();
      const void* const value = type->ops->find(
          object,
          [](void* context, void* made) {
            const Key& source = *static_cast<Key*>(context);
            return source.builder->ReadKeyText(*source.type, source.text, made);
          },
          &key);
      Return(before);  // a key that is a view was made for this
      tells_found_ = false;
      type = &type->element();
      return value;
    }
    default:
      break;
  }
  return nullptr;
}

bool JsonBuilder::GoTo(std::string_view path) {
  std::string room;
  at_ = {};
  while (!path.empty()) {
    const std::string_view segment = NextSegment(path, room);
    const bool is_object = Peek() == '{';
    if (!is_object && Peek() != '[') return false;
    bool is_fine = true;
    bool has_more = Open();
    std::size_t index = 0;
    if (!is_object && !ReadIndex(segment, &index)) return false;
    for (;; has_more = HasNext(is_object ? '}' : ']', &is_fine)) {
      if (!has_more) return false;
      std::string_view name;
      if (is_object && !TakeName(&name)) return false;
      if (is_object ? name == segment : index-- == 0) break;
      if (!Skip()) return false;
    }
  }
  return true;
}

/// Elements of tables whose keys are no texts are where their keys put them:
/// what the text has at their place is looked up.
const void* JsonBuilder::FindInTable(const JsonType*& type, const void* table,
                                     std::string_view element_path,
                                     std::string_view* rest) {
  if (!GoTo(element_path)) return nullptr;
  const bool is_set = type->kind == JsonKind::kSet;
  std::string room;
  std::string_view part;
  if (!is_set) {
    if (rest->empty()) return nullptr;
    part = NextSegment(*rest, room);
    if ((part != "0" && part != "1") || Peek() != '[') return nullptr;
    Open();
  }
  const GetJsonType key_type = is_set ? type->element : type->key;
  KeySource source{this, key_type().kind, key_type};
  const bool at_once = std::exchange(resolves_at_once_, true);
  const State before = state();
  const void* found = type->ops->find(
      table,
      [](void* context, void* key) {
        const auto& from = *static_cast<KeySource*>(context);
        return from.builder->Read(from.kind, from.type, key);
      },
      &source);
  resolves_at_once_ = at_once;
  Return(before);
  levels_.clear();
  tells_found_ = false;
  if (found != nullptr && part == "0") {
    found = static_cast<const char*>(found) - type->value_offset;
  }
  type = is_set || part == "1" ? &type->element() : &type->key();
  return found;
}

const void* JsonBuilder::Resolve(std::string_view path,
                                 const JsonType& wanted) {
  const auto fail = [&](const std::string& why) -> const void* {
    Fail("the reference \"" + std::string(path) + "\" " + why);
    return nullptr;
  };
  if (!path.empty() && path[0] != '/') {
    return fail("is no JSON Pointer: they are empty or begin with a '/'");
  }
  const std::uint64_t id = wanted.layout()->id;
  const JsonType* type = root_type_;
  const void* object = root_;
  std::string_view rest = path;
  std::string room;
  // Most often beside where one led lately.
  const std::string_view prefix =
      path.empty() ? path : path.substr(0, path.rfind('/'));
  const unsigned last =
      prefix.empty() ? 0 : static_cast<unsigned char>(prefix.back());
  Prefix& known = prefixes_[(prefix.size() + last) % prefixes_.size()];
  if (known.type != nullptr && prefix == known.path) {
    type = known.type;
    object = known.object;
    rest.remove_prefix(prefix.size());
  }
  while (!rest.empty()) {
    while (object != nullptr && IsPassedThrough(type->kind)) {
      object = Through(type, object);
    }
    if (rest.size() == path.size() - prefix.size()) {
      known = {prefix, object == nullptr ? nullptr : type, object};
    }
    const std::string_view segment = NextSegment(rest, room);
    const bool is_table =
        type->kind == JsonKind::kSet ||
        (type->kind == JsonKind::kMap && !IsTextKey(type->key().kind));
    if (object != nullptr && is_table) {
      object = FindInTable(type, object,
                           path.substr(0, path.size() - rest.size()), &rest);
    } else if (object != nullptr) {
      object = Step(type, object, segment);
    }
    if (object == nullptr) return fail("leads nowhere");
  }
  for (;;) {
    const void* const found = AsType(*type->layout(), object, id);
    if (found != nullptr) return found;
    if (!IsPassedThrough(type->kind)) break;
    const JsonType* const outer = type;
    object = Through(type, object);
    if (object != nullptr) continue;
    type = outer;
    break;
  }
  return fail("leads to what is no " + std::string(wanted.name));
}

}  // namespace acre::inline ACRE_ABI::detail
