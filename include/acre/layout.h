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
// template uses its injected name, without arguments). A field may carry a
// note:
//
//   owned(child)               FreeGraph follows this pointer
//   borrowed(table)            points outside on purpose: not copied, not
//                              freed, not audited; anything pointer-like goes
//   reviewed(field, "reason")  findings here are accepted
//   opaque(name, bytes)        a hole of up to `bytes` bytes at this place:
//                              bit-fields, over-aligned padding
//   base(Base)                 a base class, itself registered
//
// Fields must be in declaration order. A registration that leaves a field out
// does not compile where the type is used, unless the field hides in padding
// smaller than itself would need (then it is copied as bytes, but not seen).
// Up to 340 fields. Inherited fields may also be listed by name.
//
// ACRE_PLAIN(T) declares a trivially copyable third-party type to be data
// without pointers: ACRE_PLAIN(glm::vec3), at global scope.

#ifndef ACRE_LAYOUT_H_
#define ACRE_LAYOUT_H_

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

namespace detail {

/// A type list and its fields; deliberately no std::tuple, which costs 7 s for
/// 20 structs of 60 fields. The fields' layouts are filled in when a type graph
/// is walked (detail/shape.h): asked for here, inside acre_layout itself, they
/// would find a self-referring type still unregistered.
template <class... M>
struct LayoutFields {
  FieldLayout fields[sizeof...(M) == 0 ? 1 : sizeof...(M)];
  static constexpr std::size_t kCount = sizeof...(M);
};

template <class M>
struct Field : FieldLayout {};

/// The type of an opaque hole.
struct Hole {};

template <class M>
consteval Field<M> MakeField(const char* name, std::size_t offset,
                             FieldNote note = FieldNote::kNone,
                             const char* reason = "") {
  Field<M> field;
  field.name = name;
  field.offset = static_cast<std::uint32_t>(offset);
  field.size = std::is_empty_v<M> ? 0 : sizeof(M);
  field.align = alignof(M);
  field.note = note;
  field.reason = reason;
  return field;
}

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
  return OffsetOf<T>(
      [](const T& object) -> const void* {
        return &static_cast<const Base&>(object);
      },
      alignof(Base));
}

consteval Field<Hole> MakeHole(const char* name, std::size_t bytes) {
  Field<Hole> field;
  field.name = name;
  field.size = static_cast<std::uint32_t>(bytes);
  field.note = FieldNote::kOpaque;
  return field;
}

template <class... M>
consteval LayoutFields<M...> MakeFields(Field<M>... fields) {
  return {{static_cast<const FieldLayout&>(fields)...}};
}

template <class T>
concept HasLayout = requires {
  acre_layout(static_cast<LayoutTag<T>*>(nullptr));
};

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

#define ACRE_MEMBER_(f, ...)                     \
  ::acre::detail::MakeField<decltype(AcreT::f)>( \
      #f, offsetof(AcreT, f) __VA_OPT__(, ) __VA_ARGS__)
#define ACRE_NOTE_owned(f) ACRE_MEMBER_(f, ::acre::FieldNote::kOwned)
#define ACRE_NOTE_borrowed(f) ACRE_MEMBER_(f, ::acre::FieldNote::kBorrowed)
#define ACRE_NOTE_reviewed(f, reason) \
  ACRE_MEMBER_(f, ::acre::FieldNote::kReviewed, reason)
#define ACRE_NOTE_opaque(name, bytes) ::acre::detail::MakeHole(#name, bytes)
#define ACRE_NOTE_base(...)               \
  ::acre::detail::MakeField<__VA_ARGS__>( \
      #__VA_ARGS__, ::acre::detail::BaseOffset<AcreT, __VA_ARGS__>())

#define ACRE_FIELD_0(f) ACRE_MEMBER_(f)
#define ACRE_FIELD_1(note) ACRE_CAT2_(ACRE_NOTE_, note)
#define ACRE_FIELD_(x) ACRE_CAT_(ACRE_FIELD_, ACRE_IS_NOTE_(x))(x)

// ---- for each field: recursion by deferred expansion, 4^4 rescans
#define ACRE_PARENS_ ()
#define ACRE_EXPAND_(...) ACRE_E4_(ACRE_E4_(ACRE_E4_(ACRE_E4_(__VA_ARGS__))))
#define ACRE_E4_(...) ACRE_E3_(ACRE_E3_(ACRE_E3_(ACRE_E3_(__VA_ARGS__))))
#define ACRE_E3_(...) ACRE_E2_(ACRE_E2_(ACRE_E2_(ACRE_E2_(__VA_ARGS__))))
#define ACRE_E2_(...) ACRE_E1_(ACRE_E1_(ACRE_E1_(ACRE_E1_(__VA_ARGS__))))
#define ACRE_E1_(...) __VA_ARGS__
#define ACRE_FOR_(f, ...) \
  ACRE_FIELD_(f) __VA_OPT__(, ACRE_AGAIN_ ACRE_PARENS_(__VA_ARGS__))
#define ACRE_AGAIN_() ACRE_FOR_

// offsetof of a class that is not standard-layout works on both compilers and
// warns on both; virtual bases, where it would not, are rejected elsewhere.
#define ACRE_LAYOUT_BODY_(T, ...)                          \
  acre_layout(::acre::LayoutTag<T>*) {                     \
    using AcreT [[maybe_unused]] = T;                      \
    return ::acre::detail::MakeFields(                     \
        __VA_OPT__(ACRE_EXPAND_(ACRE_FOR_(__VA_ARGS__)))); \
  }
#define ACRE_QUIET_              \
  _Pragma("GCC diagnostic push") \
      _Pragma("GCC diagnostic ignored \"-Winvalid-offsetof\"")
#define ACRE_UNQUIET_ _Pragma("GCC diagnostic pop")

#define ACRE_LAYOUT(T, ...)                                      \
  ACRE_QUIET_ [[maybe_unused]] constexpr auto ACRE_LAYOUT_BODY_( \
      T __VA_OPT__(, ) __VA_ARGS__) ACRE_UNQUIET_
#define ACRE_LAYOUT_INSIDE(T, ...)                     \
  ACRE_QUIET_ friend constexpr auto ACRE_LAYOUT_BODY_( \
      T __VA_OPT__(, ) __VA_ARGS__) ACRE_UNQUIET_

#define ACRE_PLAIN(...)                                      \
  template <>                                                \
  inline constexpr bool acre::kPlain<__VA_ARGS__> = true;    \
  static_assert(::std::is_trivially_copyable_v<__VA_ARGS__>, \
                "ACRE_PLAIN is for trivially copyable data")

#endif  // ACRE_LAYOUT_H_
