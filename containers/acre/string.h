// SPDX-License-Identifier: MIT
//
// String: characters in an arena, up to 23 of them inside the handle itself.
// 32 bytes. Always NUL-terminated.
//
//   arena.New<Player>()->name = "Ann";        // inline, no allocation
//   acre::String text(arena, "a longer text that needs storage");
//
// Find and take parts through view(), which has all of std::string_view. There
// is no insert, erase or replace in the middle: build the new text, and assign.
//
// Ownership, binding, invalidation: as Vector (<acre/vector.h>). Short strings
// need no arena at all. A String never points into itself: its bytes may be
// moved. Bounds: at most 2^32 - 2 characters. Threads: as the arena.

#ifndef ACRE_STRING_H_
#define ACRE_STRING_H_

#include <compare>
#include <cstring>
#include <iosfwd>
#include <iterator>
#include <string_view>
#include <type_traits>
#include <utility>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/handle.h"
#include "acre/detail/text.h"
#include "acre/element.h"
#include "acre/failure.h"

namespace acre::inline ACRE_ABI {

class String {
 public:
  using value_type = char;
  using size_type = std::size_t;
  using iterator = char*;
  using const_iterator = const char*;
  using reverse_iterator = std::reverse_iterator<iterator>;
  using const_reverse_iterator = std::reverse_iterator<const_iterator>;

  /// Characters that fit inside the handle.
  static constexpr size_type kInlineCapacity = 23;

  String() noexcept = default;
  explicit String(Arena& arena) noexcept : arena_(&arena) {}
  String(Arena& arena, std::string_view text) : arena_(&arena) { Start(text); }
  String(Arena& arena, size_type count, char c) : arena_(&arena) {
    resize(count, c);
  }
  /// Implicit, as for std::string. More than 23 characters need an arena: the
  /// one that this String lies in.
  String(std::string_view text) { Start(text); }                // NOLINT
  String(const char* text) : String(std::string_view(text)) {}  // NOLINT
  /// From std::string and whatever else converts to std::string_view.
  template <class S>
  requires(!std::is_same_v<S, String> && !std::is_same_v<S, std::string_view> &&
           !std::is_convertible_v<const S&, const char*> &&
           std::is_convertible_v<const S&, std::string_view>)
      String(const S& text)  // NOLINT
      : String(std::string_view(text)) {}

  String(String&& other) noexcept { Steal(other); }
  String& operator=(String&& other) noexcept;
  String& operator=(std::string_view text) { return assign(text); }
  String& operator=(const char* text) { return assign(std::string_view(text)); }
  template <class S>
  requires(!std::is_same_v<S, String> && !std::is_same_v<S, std::string_view> &&
           !std::is_convertible_v<const S&, const char*> &&
           std::is_convertible_v<const S&, std::string_view>) String&
  operator=(const S& text) {
    return assign(std::string_view(text));
  }
  String(const String&) = delete;
  String& operator=(const String&) = delete;

  /// Gives the storage back; the String is empty, bound and usable.
  void Release() noexcept {
    CheckPlace();
    if (!is_inline()) GiveFar();
    rep_ = {};
  }
  Arena* arena() const noexcept { return arena_; }

  // ----------------------------------------------------------------- access
  std::string_view view() const noexcept { return {data(), size()}; }
  operator std::string_view() const noexcept { return view(); }  // NOLINT
  const char* c_str() const noexcept { return data(); }
  const char* data() const noexcept {
    CheckPlace();
    if (is_inline()) return rep_.chars;
    CheckLive();
    return far().data;
  }
  char* data() noexcept {
    return const_cast<char*>(std::as_const(*this).data());
  }
  size_type size() const noexcept {
    CheckPlace();
    return is_inline() ? kInlineCapacity - rep_.tag() : far().size;
  }
  size_type length() const noexcept { return size(); }
  bool empty() const noexcept { return size() == 0; }
  size_type capacity() const noexcept {
    return is_inline() ? kInlineCapacity : far().capacity - 1;
  }
  static constexpr size_type max_size() noexcept {
    return detail::kVectorMaxSize - 1;
  }
  iterator begin() noexcept { return data(); }
  iterator end() noexcept { return data() + size(); }
  const_iterator begin() const noexcept { return data(); }
  const_iterator end() const noexcept { return data() + size(); }
  const_iterator cbegin() const noexcept { return begin(); }
  const_iterator cend() const noexcept { return end(); }
  reverse_iterator rbegin() noexcept { return reverse_iterator(end()); }
  reverse_iterator rend() noexcept { return reverse_iterator(begin()); }
  const_reverse_iterator rbegin() const noexcept {
    return const_reverse_iterator(end());
  }
  const_reverse_iterator rend() const noexcept {
    return const_reverse_iterator(begin());
  }
  char& operator[](size_type i) { return data()[i]; }
  const char& operator[](size_type i) const { return data()[i]; }
  /// Throws: std::out_of_range.
  const char& at(size_type i) const {
    if (i >= size()) detail::FailOutOfRange("String::at", i, size());
    return data()[i];
  }
  char& at(size_type i) {
    return const_cast<char&>(std::as_const(*this).at(i));
  }
  char& front() { return data()[0]; }
  const char& front() const { return data()[0]; }
  char& back() { return data()[size() - 1]; }
  const char& back() const { return data()[size() - 1]; }
  bool starts_with(std::string_view text) const noexcept {
    return view().starts_with(text);
  }
  bool ends_with(std::string_view text) const noexcept {
    return view().ends_with(text);
  }

  // -------------------------------------------------------------- modifiers
  /// `text` may be part of this String.
  String& assign(std::string_view text);
  String& append(std::string_view text);
  String& append(size_type count, char c);
  String& operator+=(std::string_view text) { return append(text); }
  String& operator+=(char c) { return append({&c, 1}); }
  void push_back(char c) { append({&c, 1}); }
  void pop_back() noexcept { SetSize(size() - 1); }
  void reserve(size_type characters);
  void resize(size_type characters, char fill = '\0');
  void clear() noexcept {
    if (!IsLive()) return Release();
    SetSize(0);
  }
  void swap(String& other) noexcept;
  friend void swap(String& a, String& b) noexcept { a.swap(b); }

  /// Needs <ostream>.
  template <class Traits>
  friend std::basic_ostream<char, Traits>& operator<<(
      std::basic_ostream<char, Traits>& out, const String& text) {
    return out << text.view();
  }

  friend bool operator==(const String& a, const String& b) noexcept {
    return detail::SameText(a.view(), b.view());
  }
  friend auto operator<=>(const String& a, const String& b) noexcept {
    return a.view() <=> b.view();
  }
  /// With anything that converts to std::string_view.
  template <class S>
  requires(!std::is_same_v<S, String> &&
           std::is_convertible_v<const S&, std::string_view>) friend bool
  operator==(const String& a, const S& b) noexcept {
    return detail::SameText(a.view(), std::string_view(b));
  }
  template <class S>
  requires(!std::is_same_v<S, String> &&
           std::is_convertible_v<const S&, std::string_view>) friend auto
  operator<=>(const String& a, const S& b) noexcept {
    return a.view() <=> std::string_view(b);
  }

 private:
  friend struct detail::Shape<String>;

  //   inline | chars 23                                     | 23 - size |
  //   far    | data 8 | size 4 | capacity 4 | stamp 7       | 0xFF      |
  // The inline tag is the terminating NUL of a String of 23 characters.
  struct Far {
    char* data;
    std::uint32_t size;
    std::uint32_t capacity;  // bytes of the block, the NUL included
    std::uint64_t stamp : 56;
    std::uint64_t far_tag : 8;  // kFarTag
  };
  struct Rep {
    alignas(8) char chars[24] = {0, 0, 0, 0, 0, 0, 0, 0,
                                 0, 0, 0, 0, 0, 0, 0, 0,
                                 0, 0, 0, 0, 0, 0, 0, kInlineCapacity};
    unsigned char tag() const {
      return static_cast<unsigned char>(chars[kInlineCapacity]);
    }
  };
  static constexpr unsigned char kFarTag = 0xFF;
  static_assert(sizeof(Far) == sizeof(Rep));

  bool is_inline() const noexcept { return rep_.tag() != kFarTag; }
  Far far() const noexcept {
    Far far;
    std::memcpy(&far, rep_.chars, sizeof far);
    return far;
  }
  void SetFar(const Far& far) noexcept {
    std::memcpy(rep_.chars, &far, sizeof far);
  }
  /// False where Reset or Rewind has ended the storage.
  bool IsLive() const noexcept {
    CheckPlace();
    if (is_inline()) return true;
    if constexpr (kChecked) detail::CheckArena(this, arena_, "String");
    return arena_->IsLive(far().stamp);
  }
  void CheckLive() const noexcept {
    if constexpr (kChecked) {
      const Far storage = far();
      detail::CheckUse(this, arena_, storage.data, storage.stamp, "String");
    }
  }
  /// By the tag: the first word of a freed block is a link.
  void CheckPlace() const noexcept {
    if constexpr (kChecked) {
      if (rep_.tag() > kInlineCapacity && is_inline()) {
        detail::FailPlace(this, "String");
      }
    }
  }
  /// assign, of a String just made.
  ACRE_INLINE void Start(std::string_view text) {
    if (ACRE_UNLIKELY(text.size() > kInlineCapacity)) {
      assign(text);
      return;
    }
    detail::CopyShort(rep_.chars, text.data(), text.size());
    rep_.chars[kInlineCapacity] =
        static_cast<char>(kInlineCapacity - text.size());
  }
  void GiveFar() noexcept;
  void SetSize(size_type size) noexcept;
  void Steal(String& other) noexcept;
  void Grow(size_type characters);

  Arena* arena_ = nullptr;  // null: not bound yet
  Rep rep_;
};
static_assert(sizeof(String) == 32);

/// How layouts see a String.
template <>
struct detail::Shape<String> : detail::PlainShape {
  static constexpr TypeKind kKind = TypeKind::kHandle;
  static constexpr bool kHasSlots = true;
  static constexpr bool kHasHandles = true;
  static constexpr const TypeLayout* (*kElement)() = &GetLayout<char>;

  static void BindTo(void* handle, Arena* arena) {
    auto& string = *static_cast<String*>(handle);
    if (string.is_inline()) {
      string.arena_ = arena;
    } else {
      Bind(handle, string.arena_, string.far().data, arena);
    }
  }
  static void Release(void* handle) { static_cast<String*>(handle)->Release(); }
  static HandleStorage Storage(const void* handle);
  static ElementRun InUse(const void* handle) {
    const auto& string = *static_cast<const String*>(handle);
    if (string.is_inline()) return {};
    const String::Far far = string.far();
    return {far.data, std::size_t{far.size} + 1};
  }
  static ElementRun NextRun(const void* handle, std::size_t* cursor);
  static void Adopt(void* handle, Arena* arena, void* block,
                    std::size_t bytes) {
    auto& string = *static_cast<String*>(handle);
    string.arena_ = arena;
    if (!string.is_inline()) AdoptFar(string, block, bytes);
  }
  static StorageCopy CopyStorage(void* handle, Arena* arena);
  static constexpr TypeOps kHandleOps{.form = HandleForm::kString,
                                      .bind = &BindTo,
                                      .release = &Release,
                                      .storage = &Storage,
                                      .in_use = &InUse,
                                      .next_run = &NextRun,
                                      .adopt = &Adopt,
                                      .copy_storage = &CopyStorage};
  static constexpr const TypeOps* kOps = &kHandleOps;

 private:
  static void AdoptFar(String& string, void* block, std::size_t bytes);
};

}  // namespace acre::inline ACRE_ABI

template <>
struct std::hash<acre::String> {
  std::size_t operator()(const acre::String& text) const noexcept {
    return std::hash<std::string_view>()(text.view());
  }
};

#endif  // ACRE_STRING_H_
