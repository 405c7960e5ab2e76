// SPDX-License-Identifier: MIT
//
// Numbers, names, texts, keys, and values of any shape.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>

#include "json_builder.h"
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

/// Of each kind the largest integer, and that below zero, without its sign.
constexpr std::uint64_t kLimits[2][8] = {
    {0x7F, 0x7FFF, 0x7FFFFFFF, INT64_MAX, 0xFF, 0xFFFF, 0xFFFFFFFF, UINT64_MAX},
    {0x80, 0x8000, 0x80000000, std::uint64_t{1} << 63, 0, 0, 0, 0}};

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

// ---- numbers, words and texts

bool JsonBuilder::ReadInteger(JsonKind kind, void* slot) {
  // What most are: up to 18 digits, and the next token on their heels.
  const char* const start = tokens_.Start(at_.token);
  const bool is_negative = *start == '-';
  const char* const first = start + is_negative;
  std::uint64_t digits = 0;
  const char* const stop = TakeDigits(first, &digits);
  const auto form = static_cast<std::size_t>(kind) -
                    static_cast<std::size_t>(JsonKind::kInt8);
  const auto count = static_cast<std::size_t>(stop - first);
  if (ACRE_LIKELY(count - 1 < 18 && (*first != '0' || count == 1) &&
                  stop == tokens_.Start(at_.token + 1) &&
                  digits <= kLimits[is_negative][form])) {
    ++at_.token;
    StoreInteger(kind, is_negative ? 0 - digits : digits, slot);
    return true;
  }
  return ReadOtherInteger(kind, slot);
}

bool JsonBuilder::ReadOtherInteger(JsonKind kind, void* slot) {
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
      const JsonNumber whole = ParseWhole(tokens_.Start(at_.token), end);
      if (whole.form == JsonNumber::Form::kNone) {
        return Expected(NameOfInteger(kind));
      }
      bits = whole.integer;
      fits = whole.form == JsonNumber::Form::kUnsigned ? bits <= range.most
             : whole.form == JsonNumber::Form::kNegative
                 ? static_cast<std::int64_t>(bits) >= range.least
                 : false;
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

/// What is no number: text that stands for one, or an error.
bool JsonBuilder::ReadOddDouble(double* value) {
  const char c = Peek();
  if (c == '-' || (c >= '0' && c <= '9')) return Offence();
  if (c != '"') return Expected("a number");
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
  if (const Enumerator* found = FindEnumerator(type, name)) {
    StoreInteger(type.number, static_cast<std::uint64_t>(found->value), slot);
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
  WillMake();
  const std::span<char> made = arena_.NewArray<char>(text.size());
  made_.push_back({made.data(), text.size(), &FreeText});
  std::memcpy(made.data(), text.data(), text.size());
  return made.data();
}

bool JsonBuilder::ReadText(JsonKind kind, GetJsonType get_type, void* slot) {
  if (ACRE_UNLIKELY(Peek() != '"')) {
    if (kind == JsonKind::kCText && IsNull()) {
      std::memset(slot, 0, sizeof(const char*));
      return TakeNull();
    }
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
      std::memcpy(slot, &made, sizeof(std::string_view));
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

bool JsonBuilder::ReadNamed(const JsonType& type, void* slot) {
  if (IsNull()) {
    std::memset(slot, 0, sizeof(const void*));
    return TakeNull();
  }
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
  if (ACRE_UNLIKELY(!json->is_null())) json->Release();
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
      JsonMaker::SetBool(*json, true);
      return TakeWord("true");
    case 'f':
      JsonMaker::SetBool(*json, false);
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
    JsonMaker::SetDouble(*json, number.real);
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

// ---- keys

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
      std::memcpy(key, &made, sizeof(std::string_view));
      return true;
    }
    default:
      break;
  }
  JsonKind kind = type.kind;
  if (kind == JsonKind::kEnum) {
    if (const Enumerator* found = FindEnumerator(type, text)) {
      StoreInteger(type.number, static_cast<std::uint64_t>(found->value), key);
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

}  // namespace acre::inline ACRE_ABI::detail
