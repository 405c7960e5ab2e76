// SPDX-License-Identifier: MIT
//
// Shape<T>: how a C++ type is described as a TypeLayout. One specialisation
// per family of types; the containers add theirs. Internal to acre.
//
// A Shape gives: kKind, kFields (its parts), kHasSlots and kHandles (by
// value, so this recursion ends), and where they apply kCount, kElement, kOps.
// Templates of std that live in heavy headers (optional, variant, tuple,
// bitset, complex, chrono) are recognised by name and used through their
// public interface, so that nobody pays for headers he does not use.

#ifndef ACRE_DETAIL_SHAPE_H_
#define ACRE_DETAIL_SHAPE_H_

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "acre/config.h"
#include "acre/detail/type_name.h"
#include "acre/layout.h"
#include "acre/type_layout.h"

namespace acre::inline ACRE_ABI::detail {

template <class T>
constexpr const TypeLayout* GetLayout();

template <class T>
concept Complete = requires {
  sizeof(T);
};

/// What has storage, and GcRefs and GcWeakRefs. For Shape::kHandles.
inline constexpr unsigned kContainers = 1;
inline constexpr unsigned kRefs = 2;

/// The common part of all shapes, and the shape of plain data.
struct PlainShape {
  static constexpr bool kKnown = true;
  static constexpr TypeKind kKind = TypeKind::kPlain;
  static constexpr bool kHasSlots = false;
  static constexpr unsigned kHandles = 0;  // which handles it holds by value
  static constexpr bool kBorrows = false;  // holds a borrowed field by value
  static constexpr std::size_t kCount = 1;
  static constexpr std::array<FieldLayout, 0> kFields{};
  static constexpr const TypeLayout* (*kElement)() = nullptr;
  static constexpr const TypeOps* kOps = nullptr;
};

/// Not known: an unregistered struct, or something that cannot be described.
template <class T>
struct Shape : PlainShape {
  static constexpr bool kKnown = false;
};

template <class M>
inline constexpr std::uint32_t kSizeIn = [] {
  if constexpr (Complete<M>) return std::uint32_t{sizeof(M)};
  return std::uint32_t{0};
}();
template <class M>
inline constexpr std::uint32_t kAlignIn = [] {
  if constexpr (Complete<M>) return std::uint32_t{alignof(M)};
  return std::uint32_t{1};
}();

/// One part of a type. A macro, not a template: clang 14 instantiates GetLayout
/// wherever its address is taken in a constant, and a function template that
/// took it would be asked for again, half instantiated, by recursive types.
#define ACRE_PART_(label, offset, ...)                                   \
  ::acre::FieldLayout {                                                  \
    label, static_cast<std::uint32_t>(offset),                           \
        ::acre::detail::kSizeIn<__VA_ARGS__>,                            \
        ::acre::detail::kAlignIn<__VA_ARGS__>, ::acre::FieldNote::kNone, \
        false, {}, &::acre::detail::GetLayout<__VA_ARGS__>               \
  }

/// Volatile parts have layouts too: those say that they are no elements.
inline const void* Plain(const volatile void* part) {
  return const_cast<const void*>(part);
}

template <class T>
inline constexpr bool kSlotsIn = Shape<std::remove_cv_t<T>>::kHasSlots;
template <class T>
inline constexpr unsigned kHandlesOf = Shape<std::remove_cv_t<T>>::kHandles;
template <class T>
inline constexpr bool kHandlesIn = kHandlesOf<T> != 0;
template <class T>
inline constexpr bool kContainersIn = (kHandlesOf<T> & kContainers) != 0;
template <class T>
inline constexpr bool kRefsIn = (kHandlesOf<T> & kRefs) != 0;
/// What has no slots, borrowed or transient fields in it is plain data.
template <class T>
inline constexpr bool kBorrowsIn = Shape<std::remove_cv_t<T>>::kBorrows;
template <class T>
inline constexpr bool kIsWalked = kSlotsIn<T> || kBorrowsIn<T>;

/// A reference that holds something by its place: GcRef, GcWeakRef, and what is
/// made of one.
template <class T>
inline constexpr bool kIsRef = false;
template <class T, std::size_t N>
inline constexpr bool kIsRef<T[N]> = kIsRef<T>;
template <class T, std::size_t N>
inline constexpr bool kIsRef<std::array<T, N>> = kIsRef<T>;

/// Numbers that the compiler has beside those of the standard: std's traits
/// know them in GNU modes only.
template <class T>
inline constexpr bool kIsNumber = std::is_arithmetic_v<T>;
#ifdef __SIZEOF_INT128__
__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 Uint128;
template <>
inline constexpr bool kIsNumber<Int128> = true;
template <>
inline constexpr bool kIsNumber<Uint128> = true;
#endif
#ifdef __SIZEOF_FLOAT128__
__extension__ typedef __float128 Float128;
template <>
inline constexpr bool kIsNumber<Float128> = true;
#endif

/// `data[]` at the end of a struct, or GNU's `data[0]`.
template <class T>
inline constexpr bool kIsOpenArray = std::is_unbounded_array_v<T>;
template <class T>
requires(std::is_object_v<T>&& Complete<T> && !std::is_class_v<T> &&
         sizeof(T) == 0) inline constexpr bool kIsOpenArray<T> = true;

constexpr bool IsPlainStd(std::string_view name) {
  return IsStdTemplate(name, "bitset<") || IsStdTemplate(name, "complex<") ||
         IsStdTemplate(name, "chrono::duration<") ||
         IsStdTemplate(name, "chrono::time_point<");
}

template <class T>
concept PlainData = kIsNumber<T> || std::is_enum_v<T> ||
    std::is_null_pointer_v<T> || std::is_member_object_pointer_v<T> ||
    kPlain<T> ||
    (std::is_class_v<T> && !HasLayout<T> &&
     ((Complete<T> && std::is_empty_v<T> && std::is_trivially_copyable_v<T>) ||
      IsPlainStd(TypeName<T>())));

template <PlainData T>
struct Shape<T> : PlainShape {};

// ---- pointers and views

template <class T>
requires std::is_object_v<T>
struct Shape<T*> : PlainShape {
  static constexpr TypeKind kKind = TypeKind::kPointer;
  static constexpr bool kHasSlots = true;
  static constexpr std::array<FieldLayout, 1> kFields{ACRE_PART_("->", 0, T)};
  static constexpr const TypeLayout* (*kElement)() = &GetLayout<T>;
};

template <class View, class T>
struct ViewShape : PlainShape {
  static constexpr TypeKind kKind = TypeKind::kView;
  static constexpr bool kHasSlots = true;
  static constexpr std::array<FieldLayout, 1> kFields{ACRE_PART_("[]", 0, T)};
  static constexpr const TypeLayout* (*kElement)() = &GetLayout<T>;

  static ElementRun Read(const void* object) {
    const View& view = *static_cast<const View*>(object);
    return {Plain(view.data()), view.size()};
  }
  static void Write(void* object, const void* data) {
    View& view = *static_cast<View*>(object);
    using Data = std::remove_cv_t<T>;
    view = View(const_cast<Data*>(static_cast<const Data*>(data)), view.size());
  }
  static constexpr TypeOps kViewOps{.view = &Read, .set_view = &Write};
  static constexpr const TypeOps* kOps = &kViewOps;
};

template <class T, std::size_t N>
struct Shape<std::span<T, N>> : ViewShape<std::span<T, N>, T> {};
template <>
struct Shape<std::string_view> : ViewShape<std::string_view, char> {};

// ---- arrays

template <class T, std::size_t N>
struct ArrayShape : PlainShape {
  static constexpr TypeKind kKind =
      kIsWalked<T> ? TypeKind::kArray : TypeKind::kPlain;
  static constexpr bool kBorrows = kBorrowsIn<T>;
  static constexpr bool kHasSlots = kSlotsIn<T>;
  static constexpr unsigned kHandles = kHandlesOf<T>;
  static constexpr std::size_t kCount = N;
  static constexpr std::array<FieldLayout, 1> kFields{ACRE_PART_("[]", 0, T)};
  static constexpr const TypeLayout* (*kElement)() = &GetLayout<T>;
};
template <class T, std::size_t N>
struct Shape<T[N]> : ArrayShape<T, N> {};
template <class T, std::size_t N>
struct Shape<std::array<T, N>> : ArrayShape<T, N> {};

// ---- structs: registered ones and std::pair

/// An empty member or base shares its address with what comes next. A reference
/// lies there as a pointer, though sizeof tells of what it refers to.
template <class M>
inline constexpr std::uint32_t kFieldSize = std::is_reference_v<M>
                                                ? sizeof(void*)
                                            : std::is_empty_v<M> ? 0
                                                                 : kSizeIn<M>;
template <class M>
inline constexpr std::uint32_t kFieldAlign = std::is_reference_v<M>
                                                 ? alignof(void*)
                                                 : alignof(M);

/// Bytes before the tail padding, in which a class may put what comes next.
template <class M>
inline constexpr std::uint32_t kUsedSize = [] {
  if constexpr (requires { Shape<std::remove_cv_t<M>>::kUsed; }) {
    return Shape<std::remove_cv_t<M>>::kUsed;
  } else {
    return kFieldSize<M>;
  }
}();

template <class T, class Fields>
struct RegisteredShape;
template <class T, class... M>
struct RegisteredShape<T, LayoutFields<M...>> : PlainShape {
  using Types = LayoutFields<M...>;
  static constexpr TypeKind kKind = TypeKind::kStruct;
  // Of a type that leads to one that holds it by value the slots are asked for
  // while its fields are made: they may not ask for those. And clang looks at
  // what is behind an `auto` before it knows the members that follow.
  static constexpr auto kListed =
      acre_layout(static_cast<LayoutTag<T>*>(nullptr));
  static constexpr std::array<FieldLayout, sizeof...(M)> kFields = [] {
    constexpr const TypeLayout* (*kTypes[])() = {&GetLayout<M>..., nullptr};
    constexpr std::uint32_t kSizes[] = {kFieldSize<M>..., 0};
    constexpr std::uint32_t kAligns[] = {kFieldAlign<M>..., 0};
    std::array<FieldLayout, sizeof...(M)> fields{};
    for (std::size_t i = 0; i < sizeof...(M); ++i) {
      const ListedField& listed = kListed.fields[i];
      const bool is_hole = listed.note == FieldNote::kOpaque;
      fields[i].name = listed.name;
      fields[i].offset = static_cast<std::uint32_t>(listed.offset);
      fields[i].size =
          is_hole ? static_cast<std::uint32_t>(listed.hole) : kSizes[i];
      fields[i].align = kAligns[i];
      fields[i].note = listed.note;
      fields[i].is_transient = listed.is_transient;
      fields[i].reason = listed.reason;
      fields[i].type = kTypes[i];
    }
    return fields;
  }();
  static constexpr std::array<bool, sizeof...(M)> kIsRefs{kIsRef<M>...};
  static constexpr std::array<bool, sizeof...(M)> kIsSlot = [] {
    constexpr bool kIn[] = {kSlotsIn<M>..., false};
    std::array<bool, sizeof...(M)> is_slot{};
    for (std::size_t i = 0; i < sizeof...(M); ++i) {
      is_slot[i] = kIn[i] && kListed.fields[i].note != FieldNote::kBorrowed;
    }
    return is_slot;
  }();
  /// Of each field; of the whole.
  static constexpr std::array<std::uint32_t, sizeof...(M)> kUsedSizes{
      kUsedSize<M>...};
  static constexpr std::uint32_t kUsed = [] {
    if constexpr (sizeof...(M) == 0) {
      return std::uint32_t{sizeof(T)};
    } else {
      const ListedField& last = kListed.fields[sizeof...(M) - 1];
      if (last.note == FieldNote::kOpaque) return std::uint32_t{sizeof(T)};
      return static_cast<std::uint32_t>(last.offset) +
             kUsedSizes[sizeof...(M) - 1];
    }
  }();
  static constexpr std::size_t kSlotCount = [] {
    std::size_t count = 0;
    for (bool is_slot : kIsSlot) count += is_slot;
    return count;
  }();
  static constexpr std::array<FieldLayout, kSlotCount> kSlots = [] {
    std::array<FieldLayout, kSlotCount> slots{};
    std::size_t count = 0;
    for (std::size_t i = 0; i < sizeof...(M); ++i) {
      if (kIsSlot[i]) slots[count++] = kFields[i];
    }
    return slots;
  }();
  static constexpr bool kHasSlots = kSlotCount != 0;
  static constexpr bool kBorrows = [] {
    constexpr bool kIn[] = {kBorrowsIn<M>..., false};
    for (std::size_t i = 0; i < sizeof...(M); ++i) {
      if (kIn[i] || kListed.fields[i].note == FieldNote::kBorrowed ||
          kListed.fields[i].is_transient) {
        return true;
      }
    }
    return false;
  }();
  // No fold: clang 14 nests at most 256 deep.
  static constexpr unsigned kHandles = [] {
    unsigned handles = 0;
    for (unsigned of_field : {0u, kHandlesOf<M>...}) handles |= of_field;
    return handles;
  }();
};
template <HasLayout T>
requires(!kPlain<T>) struct Shape<T>
    : RegisteredShape<
          T, decltype(acre_layout(static_cast<LayoutTag<T>*>(nullptr)))> {
};

template <class A, class B>
struct Shape<std::pair<A, B>> : PlainShape {
  static constexpr TypeKind kKind = TypeKind::kStruct;
  static constexpr bool kHasSlots = kSlotsIn<A> || kSlotsIn<B>;
  static constexpr bool kBorrows = kBorrowsIn<A> || kBorrowsIn<B>;
  static constexpr unsigned kHandles = kHandlesOf<A> | kHandlesOf<B>;
  static constexpr std::size_t kSecond =
      (sizeof(A) + alignof(B) - 1) / alignof(B) * alignof(B);
  static constexpr std::array<FieldLayout, 2> kFields{
      ACRE_PART_(".first", 0, A), ACRE_PART_(".second", kSecond, B)};
  static constexpr std::size_t kSlotCount = kSlotsIn<A> + kSlotsIn<B>;
  static constexpr std::array<FieldLayout, kSlotCount> kSlots = [] {
    std::array<FieldLayout, kSlotCount> slots{};
    std::size_t i = 0;
    if constexpr (kSlotsIn<A>) slots[i++] = kFields[0];
    if constexpr (kSlotsIn<B>) slots[i++] = kFields[1];
    static_cast<void>(i);
    return slots;
  }();
};

// ---- optional, variant, tuple: by name, through their interface

template <class T>
concept StdOptional = IsStdTemplate(TypeName<T>(), "optional<");
template <class T>
concept StdVariant = IsStdTemplate(TypeName<T>(), "variant<");
template <class T>
concept StdTuple = IsStdTemplate(TypeName<T>(), "tuple<");

template <StdOptional T>
struct Shape<T> : PlainShape {
  using Value = typename T::value_type;
  static constexpr TypeKind kKind =
      kIsWalked<Value> ? TypeKind::kChoice : TypeKind::kPlain;
  static constexpr bool kBorrows = kBorrowsIn<Value>;
  static constexpr bool kHasSlots = kSlotsIn<Value>;
  static constexpr unsigned kHandles = kHandlesOf<Value>;
  static constexpr std::array<FieldLayout, 1> kFields{
      ACRE_PART_(".value()", 0, Value)};

  // A collection may strike while the object around this one is being made, and
  // its audit finds a flag that is neither true nor false: has_value() may not
  // be asked. In libstdc++ and libc++ the flag is the byte behind the value.
  static ActivePart Active(const void* object) {
    static_assert(sizeof(T) > sizeof(Value));
    const auto* bytes = static_cast<const unsigned char*>(object);
    if (bytes[sizeof(Value)] != 1) return {};
    return {Plain(&**static_cast<const T*>(object)), 0};
  }
  static constexpr TypeOps kChoiceOps{.active = &Active};
  static constexpr const TypeOps* kOps = &kChoiceOps;
};

template <template <class...> class V, class... A>
requires StdVariant<V<A...>>
struct Shape<V<A...>> : PlainShape {
  static constexpr bool kHasSlots = (kSlotsIn<A> || ...);
  static constexpr bool kBorrows = (kBorrowsIn<A> || ...);
  static constexpr unsigned kHandles = (kHandlesOf<A> | ...);
  static constexpr TypeKind kKind =
      kHasSlots || kBorrows ? TypeKind::kChoice : TypeKind::kPlain;
  static constexpr std::array<FieldLayout, sizeof...(A)> kFields{
      ACRE_PART_("<alternative>", 0, A)...};

  static ActivePart Active(const void* object) {
    const auto& value = *static_cast<const V<A...>*>(object);
    if (value.valueless_by_exception()) return {};
    return Find(value, std::index_sequence_for<A...>{});
  }
  template <std::size_t... I>
  static ActivePart Find(const V<A...>& value, std::index_sequence<I...>) {
    const void* object = nullptr;
    static_cast<void>(
        ((value.index() == I && (object = Plain(get_if<I>(&value)), true)) ||
         ...));
    return {object, static_cast<unsigned>(value.index())};
  }
  static constexpr TypeOps kChoiceOps{.active = &Active};
  static constexpr const TypeOps* kOps = &kChoiceOps;
};

template <template <class...> class V, class... A>
requires StdTuple<V<A...>>
struct Shape<V<A...>> : PlainShape {
  static constexpr bool kHasSlots = (kSlotsIn<A> || ... || false);
  static constexpr bool kBorrows = (kBorrowsIn<A> || ... || false);
  static constexpr unsigned kHandles = (kHandlesOf<A> | ... | 0u);
  static constexpr TypeKind kKind =
      kHasSlots || kBorrows ? TypeKind::kTuple : TypeKind::kPlain;
  static constexpr std::array<FieldLayout, sizeof...(A)> kFields{
      ACRE_PART_("<item>", 0, A)...};

  static const void* At(const void* object, std::size_t index) {
    return Find(*static_cast<const V<A...>*>(object), index,
                std::index_sequence_for<A...>{});
  }
  template <std::size_t... I>
  static const void* Find(const V<A...>& value, std::size_t index,
                          std::index_sequence<I...>) {
    const void* part = nullptr;
    static_cast<void>(
        ((index == I && (part = Plain(&get<I>(value)), true)) || ...));
    return part;
  }
  static constexpr TypeOps kTupleOps{.part = &At};
  static constexpr const TypeOps* kOps = &kTupleOps;
};

}  // namespace acre::inline ACRE_ABI::detail

// Defines GetLayout, which the shapes refer to.
#include "acre/element.h"  // IWYU pragma: keep

#endif  // ACRE_DETAIL_SHAPE_H_
