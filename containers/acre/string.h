// SPDX-License-Identifier: MIT
//
// String: characters in an arena, up to 23 of them inside the handle itself.
// 32 bytes. Always NUL-terminated.
//
//   arena.New<Player>()->name = "Ann";        // inline, no allocation
//   acre::String text(arena, "a longer text that needs storage");
//
// std::string's interface; view() has all of std::string_view. Parts are views,
// from substr too: they end when the text is changed.
//
// Of std::string there is not: allocators (an Arena is given instead); copying
// (s = t.view()); operator+, whose result would have no arena (append);
// operator>> and getline (read into a std::string, and assign); lists of
// characters; iterators and counts for a constructor without an arena, since
// {"a", "b"} in a list of pairs would mean one; std::erase and std::erase_if,
// which cannot be added to std.
//
// Ownership, binding, invalidation: as Vector (<acre/vector.h>). Short strings
// need no arena at all. A String never points into itself: its bytes may be
// moved. Bounds: at most 2^32 - 2 characters. Threads: as the arena.

#ifndef ACRE_STRING_H_
#define ACRE_STRING_H_

#include <compare>
#include <concepts>
#include <cstring>
#include <iosfwd>
#include <string_view>
#include <type_traits>
#include <utility>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/handle.h"
#include "acre/detail/iterators.h"
#include "acre/detail/text.h"
#include "acre/element.h"
#include "acre/failure.h"

namespace acre::inline ACRE_ABI {

class String {
 public:
  using value_type = char;
  using traits_type = std::char_traits<char>;
  using size_type = std::size_t;
  using difference_type = std::ptrdiff_t;
  using reference = char&;
  using const_reference = const char&;
  using pointer = char*;
  using const_pointer = const char*;
  using iterator = char*;
  using const_iterator = const char*;
  using reverse_iterator = std::reverse_iterator<iterator>;
  using const_reverse_iterator = std::reverse_iterator<const_iterator>;

  static constexpr size_type npos = std::string_view::npos;
  /// Characters that fit inside the handle.
  static constexpr size_type kInlineCapacity = detail::kInlineText;

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
  const_reverse_iterator crbegin() const noexcept { return rbegin(); }
  const_reverse_iterator crend() const noexcept { return rend(); }
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
  bool starts_with(char c) const noexcept { return view().starts_with(c); }
  bool ends_with(std::string_view text) const noexcept {
    return view().ends_with(text);
  }
  bool ends_with(char c) const noexcept { return view().ends_with(c); }
  /// Throws: std::out_of_range.
  std::string_view substr(size_type pos = 0, size_type count = npos) const {
    return view().substr(Within(pos, "String::substr"), count);
  }
  size_type copy(char* to, size_type count, size_type pos = 0) const {
    return view().copy(to, count, Within(pos, "String::copy"));
  }
  // What std::string_view takes: a text or a character, and where to begin.
  template <class... Args>
  int compare(const Args&... args) const {
    return view().compare(args...);
  }
  template <class... Args>
  size_type find(const Args&... args) const {
    return view().find(args...);
  }
  template <class... Args>
  size_type rfind(const Args&... args) const {
    return view().rfind(args...);
  }
  template <class... Args>
  size_type find_first_of(const Args&... args) const {
    return view().find_first_of(args...);
  }
  template <class... Args>
  size_type find_last_of(const Args&... args) const {
    return view().find_last_of(args...);
  }
  template <class... Args>
  size_type find_first_not_of(const Args&... args) const {
    return view().find_first_not_of(args...);
  }
  template <class... Args>
  size_type find_last_not_of(const Args&... args) const {
    return view().find_last_not_of(args...);
  }

  // -------------------------------------------------------------- modifiers
  /// `text` may be part of this String.
  String& assign(std::string_view text);
  String& assign(const char* text, size_type size) {
    return assign(std::string_view(text, size));
  }
  String& assign(size_type count, char c) {
    clear();
    return append(count, c);
  }
  /// Requires: not of this String.
  template <std::input_iterator I>
  String& assign(I first, I last) {
    clear();
    return append(first, last);
  }
  String& append(std::string_view text);
  String& append(const char* text, size_type size) {
    return append(std::string_view(text, size));
  }
  String& append(size_type count, char c);
  /// Requires: not of this String.
  template <std::input_iterator I>
  String& append(I first, I last) {
    for (; first != last; ++first) push_back(*first);
    return *this;
  }
  /// Characters [pos, pos + count), as far as there are any, become `text`,
  /// which may be part of this String. Linear. Throws: std::out_of_range where
  /// pos is beyond the end.
  String& replace(size_type pos, size_type count, std::string_view text);
  String& replace(const_iterator first, const_iterator last,
                  std::string_view text) {
    return replace(IndexOf(first), static_cast<size_type>(last - first), text);
  }
  String& insert(size_type pos, std::string_view text) {
    return replace(pos, 0, text);
  }
  String& insert(size_type pos, size_type count, char c);
  template <std::same_as<char> C>
  iterator insert(const_iterator at, C c) {
    const size_type i = IndexOf(at);
    insert(i, 1, c);
    return begin() + i;
  }
  String& erase(size_type pos = 0, size_type count = npos) {
    return replace(pos, count, {});
  }
  /// Of iterators. (A template, or erase(0) might be meant by null.)
  template <class I>
  requires std::is_pointer_v<I> iterator erase(I at) {
    return erase(at, at + 1);
  }
  iterator erase(const_iterator first, const_iterator last) {
    const size_type i = IndexOf(first);
    replace(first, last, {});
    return begin() + i;
  }
  String& operator+=(std::string_view text) { return append(text); }
  String& operator+=(char c) { return append({&c, 1}); }
  void push_back(char c) { append({&c, 1}); }
  void pop_back() noexcept { SetSize(size() - 1); }
  void reserve(size_type characters);
  void resize(size_type characters, char fill = '\0');
  /// Back into the handle where the text fits; else as Vector's.
  void shrink_to_fit();
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
  // The inline tag is the terminating NUL of a String of 23 characters. The far
  // one is the last byte whichever byte of a number comes first: bit-fields are
  // laid out in the direction of the bytes.
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
  /// `pos`, which must not be beyond the end.
  size_type Within(size_type pos, const char* what) const {
    if (pos > size()) detail::FailOutOfRange(what, pos, size());
    return pos;
  }
  size_type IndexOf(const_iterator at) const {
    return static_cast<size_type>(at - begin());
  }
  /// Makes room for `size` characters instead of the `count` at pos.
  char* Open(size_type pos, size_type count, size_type size);
  void GiveFar() noexcept;
  void SetSize(size_type size) noexcept;
  void Steal(String& other) noexcept;
  void Grow(size_type characters);
  void GrowOnce(size_type characters);

  Arena* arena_ = nullptr;  // null: not bound yet
  Rep rep_;
};
static_assert(sizeof(String) == 32);

/// How layouts see a String.
template <>
struct detail::Shape<String> : detail::PlainShape {
  static constexpr TypeKind kKind = TypeKind::kHandle;
  static constexpr bool kHasSlots = true;
  static constexpr unsigned kHandles = kContainers;
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
  static bool IsSound(const void* handle, const SavedBytes& bytes,
                      HandleStorage* storage);
  static constexpr TypeOps kHandleOps{.form = HandleForm::kString,
                                      .bind = &BindTo,
                                      .release = &Release,
                                      .storage = &Storage,
                                      .in_use = &InUse,
                                      .next_run = &NextRun,
                                      .adopt = &Adopt,
                                      .copy_storage = &CopyStorage,
                                      .is_sound = &IsSound};
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
