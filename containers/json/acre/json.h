// SPDX-License-Identifier: MIT
//
// Json: a value of any shape in an arena, for documents without a schema.
// 16 bytes.
//
//   acre::JsonOr<acre::Json*> doc = acre::FromJson<acre::Json>(arena, text);
//   for (const acre::Json& thing : doc->at("things"))
//   Use(thing["hp"].get<int>());
//   (*doc)["name"] = "Ann";                        // objects grow by asking
//   acre::Json& list = (*doc)["list"];
//   list.push_back(1.5);
//   std::string text = *acre::ToJson(**doc);
//
// Null, bool, int64, uint64, double, text, array, or object. Members stand in
// the order in which they came. Texts of up to 15 bytes lie in the value
// itself.
//
// A value is not moved into a part of itself (checked builds verify it).
// Ownership: owns its storage, and all that is inside; released by assignment,
// erase, Arena::Free of what it lies in. Not copyable: DeepCopy, or Clone of
// <acre/deep_copy.h>, does that. Has no destructor.
// Binding: to the arena that it lies in, or that its storage is of; so a Json
// on a stack can be read, moved and hold short values, but not grow: make it by
// arena.New<Json>().
// Invalidates: whatever makes an array or object longer, its elements' and
// members' addresses; as std::vector.
// Bounds: 2^31 elements, 2^32 - 1 bytes of text. Complexity: of a member,
// constant; erasing is linear. Misuse: another kind than is asked for, a member
// or element that is not there; at() and get() tell which. Threads: as the
// arena.

#ifndef ACRE_JSON_H_
#define ACRE_JSON_H_

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <type_traits>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/handle.h"
#include "acre/detail/shape.h"
#include "acre/element.h"
#include "acre/from_json.h"
#include "acre/to_json.h"

namespace acre::inline ACRE_ABI {

namespace detail {
class JsonMaker;
struct JsonHandle;

template <class S>
concept JsonTextLike = std::is_convertible_v<const S&, std::string_view> &&
    !std::same_as<S, std::nullptr_t>;
}  // namespace detail

class Json {
 public:
  enum class Kind : std::uint8_t {
    kNull,
    kBool,
    kInt,   ///< an integer below zero, or any that was given as signed
    kUint,  ///< one that was given as unsigned, or does not fit int64
    kDouble,
    kText,
    kArray,
    kObject,
  };
  struct Member;

  // ----------------------------------------------------------- construction
  Json() noexcept = default;
  // Templates, so that a literal 0 is a number, and no pointer is a bool.
  Json(std::same_as<std::nullptr_t> auto) noexcept {}  // NOLINT
  Json(std::same_as<bool> auto value) noexcept;        // NOLINT
  template <class T>
  requires(std::integral<T> && !std::same_as<T, bool>) Json(T value)
  noexcept;                                       // NOLINT
  Json(std::floating_point auto value) noexcept;  // NOLINT
  /// From texts, std::string's too. More than 15 bytes need an arena: the one
  /// that this Json lies in.
  template <detail::JsonTextLike S>
  Json(const S& text) {  // NOLINT
    SetText(nullptr, std::string_view(text));
  }
  Json(Arena& arena, std::string_view text);
  Json(Arena&, std::same_as<std::nullptr_t> auto) noexcept {}
  /// Null. (A value that has no storage keeps no arena.)
  explicit Json(Arena&) noexcept {}
  /// An empty array, or object.
  static Json Array() noexcept { return Json(Tag::kArray); }
  static Json Object() noexcept { return Json(Tag::kObject); }

  Json(Json&& other) noexcept {
    std::memcpy(bytes_, other.bytes_, sizeof bytes_);
    other.Forget();
  }
  Json& operator=(Json&& other) noexcept;
  template <detail::JsonTextLike S>
  Json& operator=(const S& text) {
    AssignText(std::string_view(text));
    return *this;
  }
  Json(const Json&) = delete;
  Json& operator=(const Json&) = delete;

  /// Gives the storage back; null afterwards.
  void Release() noexcept;

  // ------------------------------------------------------------------ kinds
  Kind kind() const noexcept;
  bool is_null() const noexcept { return tag() == Tag::kNull; }
  bool is_bool() const noexcept { return tag() == Tag::kBool; }
  bool is_number() const noexcept {
    return tag() >= Tag::kInt && tag() <= Tag::kDouble;
  }
  bool is_text() const noexcept {
    return tag() == Tag::kText || tag() >= Tag::kShortText;
  }
  bool is_array() const noexcept { return tag() == Tag::kArray; }
  bool is_object() const noexcept { return tag() == Tag::kObject; }

  // ----------------------------------------------------------------- values

  /// The value as a bool, a number or a std::string_view, which ends when this
  /// changes or moves. A number as any type that holds it: an integer exactly.
  template <class T>
  T get() const {
    const std::optional<T> value = get_if<T>();
    if (!value) FailKind(NameOf<T>());
    return *value;
  }
  /// As get; nothing where it is none, or does not fit.
  template <class T>
  std::optional<T> get_if() const;
  /// The same with a value instead.
  template <class T>
  T get_or(T other) const {
    const std::optional<T> value = get_if<T>();
    return value ? *value : other;
  }

  // --------------------------------------------------------------- elements

  /// Elements or members; 0 of everything else.
  std::size_t size() const noexcept {
    return is_array() || is_object() ? count() : 0;
  }
  bool empty() const noexcept { return size() == 0; }

  /// Elements of an array; none of everything else.
  Json* begin() noexcept { return is_array() ? items() : nullptr; }
  Json* end() noexcept { return begin() + (is_array() ? count() : 0); }
  const Json* begin() const noexcept {
    return const_cast<Json*>(this)->begin();
  }
  const Json* end() const noexcept { return const_cast<Json*>(this)->end(); }

  /// An element of an array. Misuse where there is none.
  template <std::integral I>
  Json& operator[](I index) {
    return at(static_cast<std::size_t>(index));
  }
  template <std::integral I>
  const Json& operator[](I index) const {
    return at(static_cast<std::size_t>(index));
  }
  Json& at(std::size_t index);
  const Json& at(std::size_t index) const {
    return const_cast<Json*>(this)->at(index);
  }
  /// Makes an array of null. Returns the new element.
  Json& push_back(Json value);
  void reserve(std::size_t count);
  void erase(std::size_t index);
  void clear() noexcept;

  // ---------------------------------------------------------------- members

  /// The members of an object; none of everything else.
  Member* members_begin() noexcept;
  Member* members_end() noexcept;
  template <class M>
  class Members;
  /// for (auto& [name, value] : json.members())
  Members<Member> members() noexcept;
  Members<const Member> members() const noexcept;

  /// The member's value, or null where there is none (or no object).
  Json* find(std::string_view name) noexcept;
  const Json* find(std::string_view name) const noexcept {
    return const_cast<Json*>(this)->find(name);
  }
  bool contains(std::string_view name) const noexcept {
    return find(name) != nullptr;
  }
  /// The member's value. Misuse where there is none.
  Json& at(std::string_view name);
  const Json& at(std::string_view name) const {
    return const_cast<Json*>(this)->at(name);
  }
  template <detail::JsonTextLike S>
  const Json& operator[](const S& name) const {
    return at(std::string_view(name));
  }
  /// The member's value, a new null where there was none. Makes an object of
  /// null.
  template <detail::JsonTextLike S>
  Json& operator[](const S& name) {
    return FindOrAdd(std::string_view(name));
  }
  /// Whether there was one.
  bool erase(std::string_view name);

  // -------------------------------------------------------------- documents

  /// What a JSON Pointer (RFC 6901) leads to, or null: "/things/3/hp".
  Json* Find(std::string_view path) noexcept;
  const Json* Find(std::string_view path) const noexcept {
    return const_cast<Json*>(this)->Find(path);
  }
  /// RFC 7396: members of the patch replace ours, null takes ours away. What
  /// the patch has is moved out of it where it is of this arena, else copied.
  /// Misuse where this is a part of the patch.
  void MergePatch(Json&& patch);

  /// Numbers by value, whatever they are stored as; objects whatever the order
  /// of their members.
  friend bool operator==(const Json& a, const Json& b) { return Equal(a, b); }
  template <detail::JsonTextLike S>
  friend bool operator==(const Json& a, const S& text) {
    return a.is_text() && a.text() == std::string_view(text);
  }

 private:
  friend class detail::JsonMaker;
  friend struct detail::JsonHandle;

  /// The last byte. From kShortText on its lower half is a length.
  enum class Tag : std::uint8_t {
    kNull,
    kBool,  // payload 0 or 1
    kInt,   // payload: the value
    kUint,
    kDouble,
    kText,    // payload: the storage, of count() bytes
    kArray,   // payload: the storage, or null; count() elements
    kObject,  // the same; count() members
    kHeader,  // of a storage with an index, which is the payload
    kShortText = 0x10,
  };
  static constexpr std::size_t kShort = 15;  // bytes in the value itself

  explicit Json(Tag tag) noexcept { set_tag(tag); }
  Json(Tag tag, std::uint64_t payload) noexcept {
    set_payload(payload);
    set_tag(tag);
  }

  Tag tag() const noexcept { return static_cast<Tag>(bytes_[15]); }
  void set_tag(Tag tag) noexcept {
    bytes_[15] = static_cast<unsigned char>(tag);
  }
  std::uint64_t payload() const noexcept {
    std::uint64_t word;
    std::memcpy(&word, bytes_, sizeof word);
    return word;
  }
  void set_payload(std::uint64_t word) noexcept {
    std::memcpy(bytes_, &word, sizeof word);
  }
  std::uint32_t count() const noexcept {
    std::uint32_t count;
    std::memcpy(&count, bytes_ + 8, sizeof count);
    return count;
  }
  void set_count(std::size_t value) noexcept {
    const auto count = static_cast<std::uint32_t>(value);
    std::memcpy(bytes_ + 8, &count, sizeof count);
  }
  void* storage() const noexcept {
    return reinterpret_cast<void*>(static_cast<std::uintptr_t>(payload()));
  }
  /// Whether the payload is a storage, or null for none yet.
  bool may_have_storage() const noexcept {
    return tag() >= Tag::kText && tag() <= Tag::kHeader;
  }
  void Forget() noexcept { std::memset(bytes_, 0, sizeof bytes_); }

  // Storage of arrays and objects: a header, then elements, or names and values
  // by turns, then nulls up to the capacity, which is the header's count.
  Json* header() const noexcept { return static_cast<Json*>(storage()); }
  Json* items() const noexcept {
    Json* const first = header();
    return first == nullptr ? nullptr : first + 1;
  }
  std::size_t used() const noexcept {
    return is_object() ? 2 * std::size_t{count()} : count();
  }
  std::size_t capacity() const noexcept {
    return header() == nullptr ? 0 : header()->count();
  }
  std::string_view text() const noexcept;
  /// Requires: nothing to release.
  void SetText(Arena* arena, std::string_view text) {
    if (text.size() > kShort) return SetLongText(arena, text);
    std::memset(bytes_, 0, sizeof bytes_);
    if (!text.empty()) std::memcpy(bytes_, text.data(), text.size());
    bytes_[15] = static_cast<unsigned char>(
        static_cast<std::size_t>(Tag::kShortText) | text.size());
  }
  void SetLongText(Arena* arena, std::string_view text);
  void AssignText(std::string_view text);
  Json& FindOrAdd(std::string_view name);
  bool Holds(const Json* inner) const;
  void Merge(Json& patch);
  void SetStamp(std::uint64_t stamp) noexcept;
  std::uint64_t StampIn(const Arena& arena) const noexcept;
  Arena* home() const noexcept;
  Arena& HomeToGrow(std::size_t more);
  void Grow(Arena& arena, std::size_t capacity);
  Json& Append(Arena& arena, std::string_view name);
  void AddToIndex(std::size_t member) noexcept;
  void MakeIndex(Arena& arena);
  void RefillIndex() noexcept;
  std::size_t IndexOf(std::string_view name) const noexcept;
  void CheckLive() const {
    if constexpr (kChecked) CheckLiveSlow();
  }
  void CheckLiveSlow() const;
  [[noreturn]] ACRE_COLD void FailKind(const char* wanted) const;

  std::optional<std::int64_t> Signed() const noexcept;
  std::optional<std::uint64_t> Unsigned() const noexcept;
  std::optional<double> Real() const noexcept;
  static bool Equal(const Json& first, const Json& second);
  static bool EqualAlone(const Json& a, const Json& b);
  template <class T>
  static constexpr const char* NameOf() {
    if constexpr (std::is_same_v<T, bool>) return "a bool";
    if constexpr (std::is_arithmetic_v<T>) return "a number that fits";
    return "a text";
  }

  alignas(8) unsigned char bytes_[16] = {};
};
static_assert(sizeof(Json) == 16);

/// A member of an object: its name, and its value, which may be changed.
struct Json::Member {
  std::string_view name() const noexcept { return name_.text(); }
  Json& value() noexcept { return value_; }
  const Json& value() const noexcept { return value_; }
  template <std::size_t I>
  decltype(auto) get() {
    if constexpr (I == 0) {
      return name();
    } else {
      return value();
    }
  }
  template <std::size_t I>
  decltype(auto) get() const {
    if constexpr (I == 0) {
      return name();
    } else {
      return value();
    }
  }

 private:
  friend class Json;
  Json name_;
  Json value_;
};

template <class M>
class Json::Members {
 public:
  M* begin() const noexcept { return begin_; }
  M* end() const noexcept { return end_; }

 private:
  friend class Json;
  M* begin_ = nullptr;
  M* end_ = nullptr;
};

Json::Json(std::same_as<bool> auto value) noexcept
    : Json(Tag::kBool, static_cast<std::uint64_t>(value)) {}
template <class T>
requires(std::integral<T> && !std::same_as<T, bool>) Json::Json(T value)
noexcept
    : Json(std::signed_integral<T> ? Tag::kInt : Tag::kUint,
           static_cast<std::uint64_t>(value)) {}
Json::Json(std::floating_point auto value) noexcept {
  const auto real = static_cast<double>(value);
  std::memcpy(bytes_, &real, sizeof real);
  set_tag(Tag::kDouble);
}

inline Json::Member* Json::members_begin() noexcept {
  return is_object() ? reinterpret_cast<Member*>(items()) : nullptr;
}
inline Json::Member* Json::members_end() noexcept {
  return members_begin() + (is_object() ? count() : 0);
}
inline Json::Members<Json::Member> Json::members() noexcept {
  Members<Member> members;
  members.begin_ = members_begin();
  members.end_ = members_end();
  return members;
}
inline Json::Members<const Json::Member> Json::members() const noexcept {
  Members<const Member> members;
  members.begin_ = const_cast<Json*>(this)->members_begin();
  members.end_ = const_cast<Json*>(this)->members_end();
  return members;
}

template <class T>
std::optional<T> Json::get_if() const {
  if constexpr (std::is_same_v<T, bool>) {
    if (!is_bool()) return std::nullopt;
    return payload() != 0;
  } else if constexpr (std::is_same_v<T, std::string_view>) {
    if (!is_text()) return std::nullopt;
    return text();
  } else if constexpr (std::signed_integral<T>) {
    const std::optional<std::int64_t> value = Signed();
    if (!value || static_cast<std::int64_t>(static_cast<T>(*value)) != *value) {
      return std::nullopt;
    }
    return static_cast<T>(*value);
  } else if constexpr (std::unsigned_integral<T>) {
    const std::optional<std::uint64_t> value = Unsigned();
    if (!value ||
        static_cast<std::uint64_t>(static_cast<T>(*value)) != *value) {
      return std::nullopt;
    }
    return static_cast<T>(*value);
  } else {
    static_assert(std::floating_point<T>,
                  "acre: a Json is got as bool, a number or a "
                  "std::string_view");
    const std::optional<double> value = Real();
    if (!value) return std::nullopt;
    // A finite number does not become infinite.
    const auto real = static_cast<T>(*value);
    if (real - real != 0 && *value - *value == 0) return std::nullopt;
    return real;
  }
}

namespace detail {

/// How layouts see a Json; see TypeOps.
struct JsonHandle {
  static void Bind(void*, Arena*) {}
  static void Release(void* handle) { static_cast<Json*>(handle)->Release(); }
  static HandleStorage Storage(const void* handle);
  static ElementRun InUse(const void* handle);
  static ElementRun NextRun(const void* handle, std::size_t* cursor);
  static void Adopt(void* handle, Arena* arena, void* block, std::size_t bytes);
  static StorageCopy CopyStorage(void* handle, Arena* arena);
  static std::uint64_t Digest(const void* handle);
  static void Reseed(void* handle,
                     void (*moved)(void* context, const void* from, void* to),
                     void* context);
  static bool IsSound(const void* handle, const SavedBytes& bytes,
                      HandleStorage* storage);
  static constexpr TypeOps kOps{.bind = &Bind,
                                .release = &Release,
                                .storage = &Storage,
                                .in_use = &InUse,
                                .next_run = &NextRun,
                                .adopt = &Adopt,
                                .copy_storage = &CopyStorage,
                                .reseed = &Reseed,
                                .is_sound = &IsSound,
                                .digest = &Digest};
};

// A template, whose members wait: its elements have the very layout that is
// made from it.
template <std::same_as<Json> T>
struct Shape<T> : PlainShape {
  static constexpr TypeKind kKind = TypeKind::kHandle;
  static constexpr bool kHasSlots = true;
  static constexpr unsigned kHandles = kContainers;
  static constexpr std::array<FieldLayout, 1> kFields{ACRE_PART_("[]", 0, T)};
  static constexpr const TypeLayout* (*kElement)() = &GetLayout<T>;
  static constexpr const TypeOps* kOps = &JsonHandle::kOps;
  static void BindTo(void*, Arena*) {}
  static void Release(void* handle) { JsonHandle::Release(handle); }
};

}  // namespace detail

}  // namespace acre::inline ACRE_ABI

template <>
struct std::tuple_size<acre::Json::Member>
    : std::integral_constant<std::size_t, 2> {};
template <>
struct std::tuple_element<0, acre::Json::Member> {
  using type = std::string_view;
};
template <>
struct std::tuple_element<1, acre::Json::Member> {
  using type = acre::Json;
};

#endif  // ACRE_JSON_H_
