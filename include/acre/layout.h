// SPDX-License-Identifier: MIT
//
// ACRE_LAYOUT: register the fields of a struct, in order, once.
//
//   struct Player {
//     acre::String name; acre::Vector<Item> items;
//     Player* target; std::int32_t hp;
//   };
//   ACRE_LAYOUT(Player, name, items, target, hp)
//
// Stands in the namespace of the type, after it. For private members and for
// class templates write ACRE_LAYOUT_INSIDE(Player, ...) in the class itself (a
// template uses its injected name, without arguments); or behind a template
//
//   template <class T> ACRE_LAYOUT(Node<T>, value, next)
//   template <class A, class B> ACRE_LAYOUT((Pair<A, B>), first, second)
//
// A field may carry a note:
//
//   owned(child)               FreeGraph follows this pointer
//   borrowed(table)            points outside on purpose: not copied, not
//                              freed, not audited; anything pointer-like goes
//   reviewed(field, "reason")  findings here are accepted
//   opaque(name, bytes)        a hole of up to `bytes` bytes at this place:
//                              bit-fields, over-aligned padding
//   base(Base)                 a base class, itself registered
//   json_name(field, "name")   its name in JSON (<acre/to_json.h>), or that a
//                              borrowed one stands there
//   json_skip(field)           is neither written to JSON nor read from it; of
//                              these two, the field may be another note
//   transient(field)           keeps its value when a History goes back; not
//                              part of what is compared or saved. Plain data,
//                              or borrowed: transient(borrowed(handle))
//
// Fields must be in declaration order. A registration that leaves a field out
// does not compile where the type is used, unless the field hides in padding
// smaller than itself would need, or shares its place in an anonymous union
// with one that is listed (then it is copied as bytes, but not seen;
// acre-layout-check tells, audit/README.md).
// Up to 340 fields. Inherited fields may also be listed by name.
//
// ACRE_PLAIN(T) declares a trivially copyable third-party type to be data
// without pointers: ACRE_PLAIN(glm::vec3), at global scope.
//
// ACRE_HOST_VALUE(SCM, "an object of Scheme: keep it in a GcRef") declares a
// type, often a pointer, to be a value of the host that only the collector
// keeps: it is no element, and the text is the fix that errors show. At global
// scope, before the type is first used in a struct that is registered.

#ifndef ACRE_LAYOUT_H_
#define ACRE_LAYOUT_H_

#include <concepts>
#include <cstddef>
#include <type_traits>

#include "acre/config.h"
#include "acre/type_layout.h"

namespace acre::inline ACRE_ABI {

/// Names a type without converting to anything: with a `T*` instead, a class
/// without a layout would silently use that of its base.
template <class T>
struct LayoutTag {};

/// Specialised by ACRE_PLAIN.
template <class T>
inline constexpr bool kPlain = false;

/// Specialised by ACRE_HOST_VALUE: what to do instead. Null: no host's value.
template <class T>
inline constexpr const char* kHostValue = nullptr;

namespace detail {

/// A field as the macro writes it. Plain aggregates of literals: 20 structs of
/// 60 fields cost 0.5 s more where each field is the result of a function.
struct ListedField {
  const char* name = "";
  std::size_t offset = 0;
  FieldNote note = FieldNote::kNone;
  const char* reason = "";
  std::size_t hole = 0;        // bytes of an opaque one
  const char* json = nullptr;  // its name there; empty: it is left out
  bool is_transient = false;

  constexpr ListedField Transient() const {
    ListedField field = *this;
    field.is_transient = true;
    return field;
  }
  constexpr ListedField Json(const char* json_name) const {
    ListedField field = *this;
    field.json = json_name;
    return field;
  }
};

/// The type of an opaque hole.
struct Hole {};

/// A type list and its fields; deliberately no std::tuple, which costs 7 s for
/// 20 structs of 60 fields. The fields' layouts are filled in when a type graph
/// is walked (detail/shape.h): asked for here, inside acre_layout itself, they
/// would find a self-referring type still unregistered.
template <class... M>
struct LayoutFields {
  ListedField fields[sizeof...(M) == 0 ? 1 : sizeof...(M)];
};

/// Storage to compare addresses in, at compile time; never read.
template <class T>
union Store {
  char bytes[sizeof(T)];
  T object;
  constexpr Store() : bytes{} {}
  constexpr ~Store() {}
};
template <class T>
inline constexpr Store<T> kStore;

/// Where in a T the part lies that `get(const T&)` returns the address of;
/// in multiples of `align`.
template <class T, class Get>
consteval std::size_t OffsetOf(Get get, std::size_t align) {
  const void* part = get(kStore<T>.object);
  std::size_t offset = 0;
  while (static_cast<const void*>(&kStore<T>.bytes[offset]) != part) {
    offset += align;
  }
  return offset;
}

template <class T, class Base>
consteval std::size_t BaseOffset() {
  // The one cast that reaches private bases.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
  return OffsetOf<T>(
      [](const T& object) -> const void* { return &(const Base&)object; },
      alignof(Base));
#pragma GCC diagnostic pop
}

template <class T>
concept HasLayout = requires {
  acre_layout(static_cast<LayoutTag<T>*>(nullptr));
};

// Found by every call that does not find the layout itself.
namespace elsewhere {
struct NotFound {};
NotFound acre_layout(const void*);

/// Asked inside of the layout of T, where using that is an error (its result
/// is not deduced yet): true only where a call would find another function.
template <class T>
concept IsElsewhere = requires {
  {
    acre_layout(static_cast<LayoutTag<T>*>(nullptr))
    } -> std::same_as<NotFound>;
};
}  // namespace elsewhere

// What ends in an array without a bound is larger than it says: neither copied
// nor audited as a whole. No trait tells; but nothing may stand behind it. g++
// says so of members, clang of bases. The name is the text of the error.
#ifdef __clang__
template <class T, bool IsBase>
struct UseVectorInsteadOfFlexibleArray : T {
  char end;
};
template <class T>
struct UseVectorInsteadOfFlexibleArray<T, false> {};
template <class T>
inline constexpr bool kEnds =
    sizeof(UseVectorInsteadOfFlexibleArray<T, std::is_class_v<T> &&
                                                  !std::is_final_v<T>>) > 0;
#else
template <class T>
struct UseVectorInsteadOfFlexibleArray {
  T object;
  char end;
};
template <class T>
inline constexpr bool kEnds = sizeof(UseVectorInsteadOfFlexibleArray<T>) > 0;
#endif

}  // namespace detail
}  // namespace acre::inline ACRE_ABI

// ---- one field: plain `f`, or a note `owned(f)`. ACRE_IS_NOTE_ is 1 where
// pasting the probe prefix to the argument yields a function-like macro.
#define ACRE_CAT_(a, b) ACRE_CAT2_(a, b)
#define ACRE_CAT2_(a, b) a##b
#define ACRE_SECOND_(a, b, ...) b
#define ACRE_SECOND_OF_(...) ACRE_SECOND_(__VA_ARGS__)
#define ACRE_IS_NOTE_(x) ACRE_SECOND_OF_(ACRE_CAT2_(ACRE_PROBE_, x), 0, 0)
#define ACRE_PROBE_owned(...) 0, 1
#define ACRE_PROBE_borrowed(...) 0, 1
#define ACRE_PROBE_reviewed(...) 0, 1
#define ACRE_PROBE_opaque(...) 0, 1
#define ACRE_PROBE_base(...) 0, 1
#define ACRE_PROBE_json_name(...) 0, 1
#define ACRE_PROBE_json_skip(...) 0, 1
#define ACRE_PROBE_transient(...) 0, 1

#define ACRE_MEMBER_(f, ...) \
  { #f, offsetof(AcreT, f) __VA_OPT__(, ) __VA_ARGS__ }
#define ACRE_NOTE_owned(f) ACRE_MEMBER_(f, ::acre::FieldNote::kOwned)
#define ACRE_NOTE_borrowed(f) ACRE_MEMBER_(f, ::acre::FieldNote::kBorrowed)
#define ACRE_NOTE_reviewed(f, reason) \
  ACRE_MEMBER_(f, ::acre::FieldNote::kReviewed, reason)
#define ACRE_NOTE_opaque(name, bytes) \
  { #name, 0, ::acre::FieldNote::kOpaque, "", bytes }
// clang-format off
#define ACRE_NOTE_base(...) \
  { #__VA_ARGS__, ::acre::detail::BaseOffset<AcreT, __VA_ARGS__>() }
// clang-format on

#define ACRE_NOTE_json_name(f, json_name) ACRE_INNER_(f).Json(json_name)
#define ACRE_NOTE_json_skip(f) ACRE_INNER_(f).Json("")
// A note in a note: the same macros once more, since none expands in itself.
#define ACRE_INNER_(x) \
  ::acre::detail::ListedField(ACRE_CAT3_(ACRE_INNER_, ACRE_IS_NOTE3_(x))(x))
#define ACRE_INNER_0(f) ACRE_MEMBER_(f)
#define ACRE_INNER_1(note) ACRE_CAT4_(ACRE_NOTE_, note)
#define ACRE_CAT3_(a, b) ACRE_CAT4_(a, b)
#define ACRE_CAT4_(a, b) a##b
#define ACRE_IS_NOTE3_(x) ACRE_SECOND3_OF_(ACRE_CAT4_(ACRE_PROBE_, x), 0, 0)
#define ACRE_SECOND3_OF_(...) ACRE_SECOND3_(__VA_ARGS__)
#define ACRE_SECOND3_(a, b, ...) b

// And a set of their own for transient, which may stand in those and around.
#define ACRE_NOTE_transient(f) ACRE_STAYS_(f).Transient()
#define ACRE_STAYS_(x) \
  ::acre::detail::ListedField(ACRE_CAT5_(ACRE_STAYS_, ACRE_IS_NOTE5_(x))(x))
#define ACRE_STAYS_0(f) ACRE_MEMBER_(f)
#define ACRE_STAYS_1(note) ACRE_CAT6_(ACRE_NOTE_, note)
#define ACRE_CAT5_(a, b) ACRE_CAT6_(a, b)
#define ACRE_CAT6_(a, b) a##b
#define ACRE_IS_NOTE5_(x) ACRE_SECOND5_OF_(ACRE_CAT6_(ACRE_PROBE_, x), 0, 0)
#define ACRE_SECOND5_OF_(...) ACRE_SECOND5_(__VA_ARGS__)
#define ACRE_SECOND5_(a, b, ...) b

#define ACRE_FIELD_0(f) ACRE_MEMBER_(f)
#define ACRE_FIELD_1(note) ACRE_CAT2_(ACRE_NOTE_, note)
#define ACRE_FIELD_(x) ACRE_CAT_(ACRE_FIELD_, ACRE_IS_NOTE_(x))(x)

// The type of each.
#define ACRE_TYPE_OF_owned(f) decltype(AcreT::f)
#define ACRE_TYPE_OF_borrowed(f) decltype(AcreT::f)
#define ACRE_TYPE_OF_reviewed(f, reason) decltype(AcreT::f)
#define ACRE_TYPE_OF_opaque(name, bytes) ::acre::detail::Hole
#define ACRE_TYPE_OF_base(...) __VA_ARGS__

#define ACRE_TYPE_OF_json_name(f, json_name) ACRE_INNER_TYPE_(f)
#define ACRE_TYPE_OF_json_skip(f) ACRE_INNER_TYPE_(f)
#define ACRE_INNER_TYPE_(x) ACRE_CAT3_(ACRE_INNER_TYPE_, ACRE_IS_NOTE3_(x))(x)
#define ACRE_INNER_TYPE_0(f) decltype(AcreT::f)
#define ACRE_INNER_TYPE_1(note) ACRE_CAT4_(ACRE_TYPE_OF_, note)

#define ACRE_TYPE_OF_transient(f) ACRE_STAYS_TYPE_(f)
#define ACRE_STAYS_TYPE_(x) ACRE_CAT5_(ACRE_STAYS_TYPE_, ACRE_IS_NOTE5_(x))(x)
#define ACRE_STAYS_TYPE_0(f) decltype(AcreT::f)
#define ACRE_STAYS_TYPE_1(note) ACRE_CAT6_(ACRE_TYPE_OF_, note)

#define ACRE_TYPE_0(f) decltype(AcreT::f)
#define ACRE_TYPE_1(note) ACRE_CAT2_(ACRE_TYPE_OF_, note)
#define ACRE_TYPE_(x) ACRE_CAT_(ACRE_TYPE_, ACRE_IS_NOTE_(x))(x)

// ---- for each field: 16 at a time, then again by deferred expansion. Every
// rescan passes over all that is there already, so few rescans matter: one
// field at a time made 20 structs of 60 fields 0.7 s slower. 25 rescans.
#define ACRE_PARENS_ ()
#define ACRE_EXPAND_(...) \
  ACRE_E_(ACRE_E_(ACRE_E_(ACRE_E_(ACRE_E_(__VA_ARGS__)))))
#define ACRE_E_(...) ACRE_1_(ACRE_1_(ACRE_1_(ACRE_1_(ACRE_1_(__VA_ARGS__)))))
#define ACRE_1_(...) __VA_ARGS__
#define ACRE_FOR_EACH_(macro, ...) \
  __VA_OPT__(ACRE_EXPAND_(ACRE_FOR_15_(macro, __VA_ARGS__)))
#define ACRE_FOR_15_(macro, f, ...) \
  macro(f) __VA_OPT__(, ACRE_FOR_14_(macro, __VA_ARGS__))
#define ACRE_FOR_14_(macro, f, ...) \
  macro(f) __VA_OPT__(, ACRE_FOR_13_(macro, __VA_ARGS__))
#define ACRE_FOR_13_(macro, f, ...) \
  macro(f) __VA_OPT__(, ACRE_FOR_12_(macro, __VA_ARGS__))
#define ACRE_FOR_12_(macro, f, ...) \
  macro(f) __VA_OPT__(, ACRE_FOR_11_(macro, __VA_ARGS__))
#define ACRE_FOR_11_(macro, f, ...) \
  macro(f) __VA_OPT__(, ACRE_FOR_10_(macro, __VA_ARGS__))
#define ACRE_FOR_10_(macro, f, ...) \
  macro(f) __VA_OPT__(, ACRE_FOR_9_(macro, __VA_ARGS__))
#define ACRE_FOR_9_(macro, f, ...) \
  macro(f) __VA_OPT__(, ACRE_FOR_8_(macro, __VA_ARGS__))
#define ACRE_FOR_8_(macro, f, ...) \
  macro(f) __VA_OPT__(, ACRE_FOR_7_(macro, __VA_ARGS__))
#define ACRE_FOR_7_(macro, f, ...) \
  macro(f) __VA_OPT__(, ACRE_FOR_6_(macro, __VA_ARGS__))
#define ACRE_FOR_6_(macro, f, ...) \
  macro(f) __VA_OPT__(, ACRE_FOR_5_(macro, __VA_ARGS__))
#define ACRE_FOR_5_(macro, f, ...) \
  macro(f) __VA_OPT__(, ACRE_FOR_4_(macro, __VA_ARGS__))
#define ACRE_FOR_4_(macro, f, ...) \
  macro(f) __VA_OPT__(, ACRE_FOR_3_(macro, __VA_ARGS__))
#define ACRE_FOR_3_(macro, f, ...) \
  macro(f) __VA_OPT__(, ACRE_FOR_2_(macro, __VA_ARGS__))
#define ACRE_FOR_2_(macro, f, ...) \
  macro(f) __VA_OPT__(, ACRE_FOR_1_(macro, __VA_ARGS__))
#define ACRE_FOR_1_(macro, f, ...) \
  macro(f) __VA_OPT__(, ACRE_FOR_0_(macro, __VA_ARGS__))
#define ACRE_FOR_0_(macro, f, ...) \
  macro(f) __VA_OPT__(, ACRE_AGAIN_ ACRE_PARENS_(macro, __VA_ARGS__))
#define ACRE_AGAIN_() ACRE_FOR_15_

// offsetof of a class that is not standard-layout works on both compilers and
// warns on both; virtual bases, where it would not, are rejected elsewhere.
// (Pair<A, B>) loses its parentheses.
#define ACRE_BARE_(T) ACRE_CAT_(ACRE_BARE_, ACRE_IS_BARE_(T))(T)
#define ACRE_IS_BARE_(T) ACRE_SECOND_OF_(ACRE_BARE_PROBE_ T, 0, 0)
#define ACRE_BARE_PROBE_(...) 0, 1
#define ACRE_BARE_0(T) T
#define ACRE_BARE_1(T) ACRE_1_ T

// The pragmas stand inside: in front of the function they would come between
// it and a `template <class T>` before the macro.
// clang-format off
#define ACRE_LAYOUT_BODY_(T, check, ...)                                 \
  acre_layout(::acre::LayoutTag<ACRE_BARE_(T)>*) {                       \
    using AcreT [[maybe_unused]] = ACRE_BARE_(T);                        \
    check                                                                \
    static_assert(::acre::detail::kEnds<AcreT>);                         \
    _Pragma("GCC diagnostic push")                                       \
    _Pragma("GCC diagnostic ignored \"-Winvalid-offsetof\"")             \
    return ::acre::detail::LayoutFields<                                 \
        ACRE_FOR_EACH_(ACRE_TYPE_, __VA_ARGS__)>{                        \
        {ACRE_FOR_EACH_(ACRE_FIELD_, __VA_ARGS__)}};                     \
    _Pragma("GCC diagnostic pop")                                        \
  }
// clang-format on
#define ACRE_CHECK_PLACE_                                           \
  static_assert(!::acre::detail::elsewhere::IsElsewhere<AcreT>,     \
                "acre: ACRE_LAYOUT stands in the namespace of its " \
                "type, behind it: move it there");

#define ACRE_LAYOUT(T, ...)                          \
  [[maybe_unused]] constexpr auto ACRE_LAYOUT_BODY_( \
      T, ACRE_CHECK_PLACE_ __VA_OPT__(, ) __VA_ARGS__)
#define ACRE_LAYOUT_INSIDE(T, ...) \
  friend constexpr auto ACRE_LAYOUT_BODY_(T, __VA_OPT__(, ) __VA_ARGS__)

#define ACRE_PLAIN(...)                                      \
  template <>                                                \
  inline constexpr bool acre::kPlain<__VA_ARGS__> = true;    \
  static_assert(::acre::detail::kEnds<__VA_ARGS__>);         \
  static_assert(::std::is_trivially_copyable_v<__VA_ARGS__>, \
                "ACRE_PLAIN is for trivially copyable data")

#define ACRE_HOST_VALUE(T, advice)                           \
  template <>                                                \
  inline constexpr const char* acre::kHostValue<T> = advice; \
  static_assert(!::std::is_arithmetic_v<T>,                  \
                "ACRE_HOST_VALUE would reject every number of this type")

#endif  // ACRE_LAYOUT_H_
