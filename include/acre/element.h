// SPDX-License-Identifier: MIT
//
// Element<T>: may T live in an arena? Decided at compile time, over the whole
// graph of types that T reaches, pointees included.
//
//   static_assert(acre::Element<Player>);
//   static_assert(acre::Validate<World>() ==
//       "World.players[].inventory: std::unordered_map, use acre::Map");
//
// T is an element when it
//  1. is trivially destructible: Reset runs no destructors;
//  2. may be moved by copying its bytes: growth and deep copy do so. acre
//     cannot see a pointer of a struct into itself; do not write one;
//  3. reaches only: numbers, enums, std::byte, complex, duration, time_point,
//     bitset, monostate; pointers to elements; span, string_view, array,
//     optional, pair, tuple and variant of elements, C arrays of them as
//     fields; acre's containers; structs registered with ACRE_LAYOUT or
//     ACRE_PLAIN.
// Every function that puts a T into an arena checks this, and the compiler's
// error shows the path to the offence and the fix.

#ifndef ACRE_ELEMENT_H_
#define ACRE_ELEMENT_H_

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

#include "acre/config.h"
#include "acre/detail/gaps.h"
#include "acre/detail/shape.h"
#include "acre/detail/type_name.h"
#include "acre/layout.h"
#include "acre/type_layout.h"

namespace acre::inline ACRE_ABI {
namespace detail {

/// What to do about a type that has no layout.
template <class T>
consteval std::string_view Unregistered() {
  if constexpr (!std::is_class_v<T>) {
    return "unknown type, declare it ACRE_PLAIN where it holds no pointer";
  } else if constexpr (std::is_aggregate_v<T>) {
    if constexpr (!std::is_trivially_copyable_v<T>) {
      return "unregistered type, add ACRE_LAYOUT in its namespace";
    }
    return "unregistered type, add ACRE_LAYOUT in its namespace, or ACRE_PLAIN "
           "where it is another library's data without pointers";
  } else {
    if constexpr (!std::is_trivially_copyable_v<T>) {
      return "unregistered type, add ACRE_LAYOUT_INSIDE in the class, or "
             "ACRE_LAYOUT behind it where all its members are public";
    }
    return "unregistered type, add ACRE_LAYOUT_INSIDE in the class, "
           "ACRE_LAYOUT behind it where all its members are public, or "
           "ACRE_PLAIN where it is another library's data without pointers";
  }
}

/// Of a type without a shape, and of a registered one that is no element all
/// the same. A function of its own, since what it asks costs time where it is
/// compiled, and elements never get here.
template <class T>
consteval std::string_view OffenceOfOther() {
  constexpr std::string_view kRejection = RejectionOf<T>();
  if constexpr (!Shape<T>::kKnown && !kRejection.empty()) {
    return kRejection;
  } else if constexpr (std::is_union_v<T>) {
    return "union, use std::variant";
  } else if constexpr (std::is_polymorphic_v<T>) {
    return "polymorphic type, use an enum or std::variant";
  } else {
    return Unregistered<T>();
  }
}

template <std::size_t N>
constexpr FieldList ListOf(const std::array<FieldLayout, N>& fields) {
  return {fields.data(), N};
}

template <class T>
consteval Gap RegistrationGap() {
  using S = Shape<T>;
  constexpr FieldList kFields = ListOf(S::kFields);
  const Gap disorder = FindDisorder(kFields, S::kUsedSizes.data());
  if (!disorder.offence.empty()) return disorder;
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    if (S::kIsRefs[i] && kFields[i].note == FieldNote::kBorrowed) {
      return {
          "a GcRef or GcWeakRef has a slot of its own, so it can be neither "
          "borrowed nor transient:",
          kFields[i].name};
    }
    if (kFields[i].is_transient && S::kIsSlot[i]) {
      return {
          "a transient field keeps its value while the arena goes back, so "
          "it can be plain data or borrowed, no pointer or container:",
          kFields[i].name};
    }
  }
  const Gap gap = FindGap(kFields, sizeof(T), alignof(T), false);
  if (gap.offence.empty()) return gap;
  // Asked only here: it would cost every struct.
  if (!kListsAll<T, typename S::Types>) return gap;
  return FindGap(kFields, sizeof(T), alignof(T), true);
}

template <class T>
consteval Gap Offence() {
  if constexpr (kHostValue<std::remove_const_t<T>> != nullptr) {
    return {kHostValue<std::remove_const_t<T>>};
  } else if constexpr (std::is_reference_v<T>) {
    return {"reference, use a pointer"};
  } else if constexpr (std::is_void_v<T>) {
    return {"void, give it a type"};
  } else if constexpr (std::is_function_v<std::remove_pointer_t<T>> ||
                       std::is_member_function_pointer_v<T>) {
    return {"function pointer, use an enum or declare it borrowed"};
  } else if constexpr (std::is_pointer_v<T> &&
                       std::is_void_v<std::remove_pointer_t<T>>) {
    return {"void*, give it a type or declare it borrowed"};
  } else if constexpr (std::is_pointer_v<T> &&
                       std::is_same_v<
                           std::remove_cv_t<std::remove_pointer_t<T>>, char>) {
    return {"char*, use acre::String or a borrowed std::string_view"};
  } else if constexpr (kIsOpenArray<T>) {
    return {"flexible array member, use acre::Vector or a std::span"};
  } else if constexpr (!Complete<T>) {
    return {"incomplete type, define it before its first use in an arena"};
  } else if constexpr (std::is_volatile_v<T>) {
    return {"volatile, keep device memory outside the arena"};
  } else if constexpr (!Shape<T>::kKnown || std::is_union_v<T> ||
                       std::is_polymorphic_v<T>) {
    return {OffenceOfOther<T>()};
  } else if constexpr (HasLayout<T> && !kPlain<T>) {
    return RegistrationGap<T>();
  } else {
    return {};
  }
}

template <class T>
consteval std::string_view WeakOffence() {
  if constexpr (std::is_object_v<T> && Complete<T>) {
    if constexpr (!std::is_trivially_destructible_v<T>) {
      return "has a destructor, Reset would not run it";
    }
  }
  return {};
}

constexpr std::uint64_t HashShape(const TypeLayout& type) {
  std::uint64_t hash = HashName(type.name) ^ (type.size * 31 + type.align);
  if (type.kind == TypeKind::kStruct) {
    for (const FieldLayout& field : type.fields) {
      hash = HashName(field.name, hash ^ field.offset);
    }
    // Types of one name in two anonymous namespaces may differ in this alone.
    for (const FieldLayout& slot : type.slots) hash = hash * 31 + slot.offset;
  }
  return hash;
}

template <class T>
consteval TypeLayout MakeLayout() {
  using S = Shape<T>;
  TypeLayout type;
  type.name = TypeName<T>();
  if constexpr (Complete<T> && std::is_object_v<T>) {
    type.size = sizeof(T);
    type.align = alignof(T);
  }
  type.count = S::kCount;
  type.kind = S::kKind;
  type.has_slots = S::kHasSlots;
  type.has_handles = S::kHandles != 0;
  type.has_refs = (S::kHandles & kRefs) != 0;
  const Gap gap = Offence<T>();
  type.offence = gap.offence;
  type.offence_field = gap.field;
  type.weak = WeakOffence<T>();
  type.fields = ListOf(S::kFields);
  if constexpr (requires { S::kSlots; }) type.slots = ListOf(S::kSlots);
  type.element = S::kElement;
  type.ops = S::kOps;
  type.id = HashShape(type);
  return type;
}

template <class T>
inline constexpr TypeLayout kLayoutOf = MakeLayout<T>();

template <class T>
constexpr const TypeLayout* GetLayout() {
  return &kLayoutOf<std::remove_const_t<T>>;
}

/// A message built at compile time.
struct Text {
  char chars[512]{};
  std::size_t size = 0;

  constexpr void Add(std::string_view text) {
    for (char c : text) {
      if (size + 1 < sizeof chars) chars[size++] = c;
    }
  }
  constexpr std::string_view view() const { return {chars, size}; }
};

/// The same in pieces, each a literal of the source: clang prints those.
struct Pieces {
  static constexpr std::size_t kMost = 40;
  const char* texts[kMost]{};
  std::size_t size = 0;

  constexpr void Add(const char* text) {
    if (size < kMost) texts[size++] = text;
  }
};

/// The breadth-first walk over a graph of types: each type once, so that
/// recursive types end, and the shortest path is the one that is told.
class TypeWalk {
 public:
  constexpr explicit TypeWalk(const TypeLayout* root)
      : seen_(new Seen[kFirst]), table_(new std::uint32_t[2 * kFirst]{}) {
    Add(root, 0, {});
  }
  TypeWalk(const TypeWalk&) = delete;
  constexpr ~TypeWalk() {
    delete[] seen_;
    delete[] table_;
  }

  /// True where no type offends. Otherwise Tell() says which.
  constexpr bool Run() {
    for (std::size_t i = 0; i < size_; ++i) {
      const TypeLayout& type = *seen_[i].type;
      if (!type.offence.empty()) {
        hit_ = i;
        return false;
      }
      if (!type.weak.empty() && hit_ == kNone) hit_ = i;
      for (const FieldLayout& field : type.fields) {
        if (field.note == FieldNote::kBorrowed ||
            field.note == FieldNote::kOpaque) {
          continue;
        }
        Add(field.type(), i, field.name);
      }
    }
    return hit_ == kNone;
  }

  /// The path to the offence that Run() found, and the fix.
  constexpr Text Tell() const {
    const TypeLayout& type = *seen_[hit_].type;
    Text text;
    AddPath(text, hit_);
    text.Add(": ");
    text.Add(type.offence.empty() ? type.weak : type.offence);
    if (!type.offence_field.empty()) {
      text.Add(" '");
      text.Add(type.offence_field);
      text.Add("'");
    }
    return text;
  }

  /// The same without the root, whose name is no literal: "players", "[]",
  /// ": ", "std::map, use acre::Map".
  constexpr Pieces TellPieces() const {
    const TypeLayout& type = *seen_[hit_].type;
    Pieces pieces;
    AddPath(pieces, hit_);
    pieces.Add(": ");
    pieces.Add((type.offence.empty() ? type.weak : type.offence).data());
    if (!type.offence_field.empty()) pieces.Add(type.offence_field.data());
    return pieces;
  }

 private:
  static constexpr std::size_t kNone = ~std::size_t{0};
  static constexpr std::size_t kFirst = 64;
  struct Seen {
    const TypeLayout* type = nullptr;
    std::size_t parent = 0;  // index into seen_
    std::string_view label = {};
  };

  constexpr void Add(const TypeLayout* type, std::size_t parent,
                     std::string_view label) {
    const bool is_leaf = type->kind == TypeKind::kPlain &&
                         type->fields.empty() && type->offence.empty() &&
                         type->weak.empty();
    if (is_leaf) return;
    // By id: g++ with -fsanitize=undefined compares no addresses of inline
    // variables at compile time.
    std::size_t at = SlotOf(type->id);
    if (table_[at] != 0) return;
    if (size_ == capacity_) {
      Grow();
      at = SlotOf(type->id);
    }
    seen_[size_++] = {type, parent, label};
    table_[at] = static_cast<std::uint32_t>(size_);
  }

  /// Where the type of this id is entered in table_, or would be.
  constexpr std::size_t SlotOf(std::uint64_t id) const {
    std::size_t at = id % (2 * capacity_);
    while (table_[at] != 0 && seen_[table_[at] - 1].type->id != id) {
      at = (at + 1) % (2 * capacity_);
    }
    return at;
  }

  constexpr void Grow() {
    Seen* larger = new Seen[2 * capacity_];
    for (std::size_t i = 0; i < size_; ++i) larger[i] = seen_[i];
    delete[] seen_;
    seen_ = larger;
    capacity_ *= 2;
    delete[] table_;
    table_ = new std::uint32_t[2 * capacity_]{};
    for (std::size_t i = 0; i < size_; ++i) {
      table_[SlotOf(seen_[i].type->id)] = static_cast<std::uint32_t>(i + 1);
    }
  }

  constexpr void AddPath(Text& text, std::size_t at) const {
    const Seen& step = seen_[at];
    if (at == 0) return text.Add(step.type->name);
    AddPath(text, step.parent);
    if (step.label == "->") return;
    const char c = step.label[0];
    if (c != '[' && c != '.' && c != '{' && c != '<') text.Add(".");
    text.Add(step.label);
  }

  // Long paths lose what is in the middle of them, not the offence.
  constexpr void AddPath(Pieces& pieces, std::size_t at) const {
    if (at == 0) return;
    AddPath(pieces, seen_[at].parent);
    if (pieces.size + 4 == Pieces::kMost) return pieces.Add("...");
    if (pieces.size + 4 > Pieces::kMost) return;
    if (seen_[at].label != "->") pieces.Add(seen_[at].label.data());
  }

  Seen* seen_;            // owned, [0, size_) are valid
  std::uint32_t* table_;  // owned, 2 * capacity_: 1 + index into seen_, or 0
  std::size_t size_ = 0;
  std::size_t capacity_ = kFirst;
  std::size_t hit_ = kNone;  // index into seen_
};

template <class T>
inline constexpr bool kIsElement = TypeWalk(GetLayout<T>()).Run();

template <class T>
requires(kIsNumber<T> ||
         std::is_enum_v<T>) inline constexpr bool kIsElement<T> =
    !std::is_volatile_v<T> && kHostValue<T> == nullptr;

// What pointers and pairs reach is what their parts reach: one walk for each
// struct, instead of one for every way to hold it.
template <class T>
requires(
    std::is_class_v<T>&& Complete<T>) inline constexpr bool kIsElement<T*> =
    kHostValue<T*> == nullptr && kIsElement<std::remove_const_t<T>>;
template <class A, class B>
inline constexpr bool kIsElement<std::pair<A, B>> =
    kIsElement<std::remove_const_t<A>>&& kIsElement<std::remove_const_t<B>>;

/// Empty for an element; else path and fix of the first offence.
template <class T>
inline constexpr Text kOffenceOf = [] {
  TypeWalk walk(GetLayout<T>());
  return walk.Run() ? Text{} : walk.Tell();
}();

}  // namespace detail

/// The layout of T, const or not. Constant; compare with SameType.
template <class T>
constexpr const TypeLayout& LayoutOf() {
  return *detail::GetLayout<T>();
}

/// Empty where T is an element; else path and fix of the first offence.
template <class T>
consteval std::string_view Validate() {
  if constexpr (detail::kIsElement<std::remove_const_t<T>>) {
    return {};
  } else {
    return detail::kOffenceOf<std::remove_const_t<T>>.view();
  }
}

/// Holds when T may live in an arena. Never a hard error; do not ask before T
/// is complete.
template <class T>
concept Element = detail::kIsElement<std::remove_const_t<T>>;

namespace detail {

// The path has to show in the compiler's own error, and neither compiler prints
// a computed text in a static_assert. g++ prints a class-type argument of a
// template as a string. clang prints that as a list of numbers, but in the note
// about a call that is not constant it prints arguments which are characters of
// literals with the whole literal. clang 22 leaves that note out, but there a
// static_assert may have a computed text (of C++26).
#if defined(__clang__) && __clang_major__ >= 22
template <class T>
struct RejectionText {
  static constexpr Text kText = [] {
    TypeWalk walk(GetLayout<T>());
    return walk.Run() ? Text{} : walk.Tell();
  }();
  constexpr std::size_t size() const { return kText.size; }
  constexpr const char* data() const { return kText.chars; }
};
template <class T>
consteval void Reject() {
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc++26-extensions"
  static_assert(kIsElement<T>, RejectionText<T>());
#pragma clang diagnostic pop
  static_assert(kIsElement<T>,
                "acre: this type cannot live in an arena (path and fix above)");
}
#elif defined(__clang__)
template <class T>
inline constexpr Pieces kPiecesOf = [] {
  TypeWalk walk(GetLayout<T>());
  return walk.Run() ? Pieces{} : walk.TellPieces();
}();

inline bool path_and_fix_in_the_next_note = false;
template <class... Chars>
constexpr bool ThisTypeCannotLiveInAnArena(const Chars&...) {
  return path_and_fix_in_the_next_note;
}
template <class T, std::size_t... I>
consteval void Tell(std::index_sequence<I...>) {
  static_assert(ThisTypeCannotLiveInAnArena(*kPiecesOf<T>.texts[I]...));
}
template <class T>
consteval void Reject() {
  static_assert(kIsElement<T>,
                "acre: this type cannot live in an arena (path and fix below)");
  Tell<T>(std::make_index_sequence<kPiecesOf<T>.size>{});
}
#else
template <std::size_t N>
struct Message {
  char text[N];
};
template <Message M>
struct Offending {
  static constexpr bool kIsElement = sizeof M.text == 1;
};
template <class T>
consteval auto MessageOf() {
  Message<kOffenceOf<T>.size + 1> message{};
  for (std::size_t i = 0; i < kOffenceOf<T>.size; ++i) {
    message.text[i] = kOffenceOf<T>.chars[i];
  }
  return message;
}
template <class T>
consteval void Reject() {
  static_assert(Offending<MessageOf<T>()>::kIsElement,
                "acre: this type cannot live in an arena (path and fix below)");
}
#endif

/// The compiler's error, with path and fix, where T is no element, or one that
/// is an element as a field alone.
template <class T>
consteval bool RequireElement() {
  static_assert(!std::is_array_v<T>,
                "acre: a C array is an element as a field only: wrap it in "
                "std::array or a struct");
  if constexpr (!kIsElement<T>) Reject<T>();
  return true;
}

/// The same for what lies in an array or a container.
template <class T>
consteval bool RequireItem() {
  static_assert(!std::is_const_v<T>,
                "acre: no const elements: arrays and containers write and move "
                "theirs; let the span, pointer or reference to them be const");
  return RequireElement<T>();
}

}  // namespace detail
}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_ELEMENT_H_
