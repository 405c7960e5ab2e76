// SPDX-License-Identifier: MIT
//
// The fields of registered structs, for code that works on all of them:
// inspectors, protocols, formats.
//
//   acre::ForEachField(player, [&](const acre::Field& field, auto& value) {
//     inspector.Row(field.name, value);  // with an overload for each type
//   });
//
// In the order of the layout; those of a registered base stand among the
// struct's own (their names may be the same). Passed over are opaque holes,
// members that are references, and empty bases without a layout. A visitor that
// returns bool ends the walk by false.
//
// Types that are known at run time only, from a TypeLayout. There a base is one
// part, and what pointers lead to is a part of theirs:
//
//   void Show(const acre::TypeLayout& type, const void* object) {
//     acre::ForEachPart(type, object, [](const acre::Part& part) {
//       if (const int* number = part.as<int>()) return Show(*number);
//       // Not without end, where pointers lead in a circle; nor blindly.
//       if (part.type.kind != acre::TypeKind::kPointer) {
//         Show(part.type, part.object);
//       }
//     });
//   }
//
// Cost: that of the statements written by hand, and a table of the names; at
// run time a loop over the layout. Nothing is allocated.
// Threads: as the object.

#ifndef ACRE_FIELDS_H_
#define ACRE_FIELDS_H_

#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

#include "acre/config.h"
#include "acre/detail/shape.h"
#include "acre/element.h"
#include "acre/layout.h"
#include "acre/type_layout.h"

namespace acre::inline ACRE_ABI {

/// A field of a struct, as its layout lists it. Static storage.
struct Field {
  std::string_view name;
  std::size_t offset = 0;  ///< in the struct that is walked, in bytes
  FieldNote note = FieldNote::kNone;
  std::string_view reason = {};  ///< of kReviewed
  const char* json = nullptr;    ///< of json_name; empty: json_skip; else null
  bool is_transient = false;     ///< has that note, beside any other
};

namespace detail {

/// Checked builds: fails where the storage of a container is gone.
void CheckStorage(const TypeLayout& type, const void* handle);

/// A visitor's answer: whether to go on.
template <class Visitor, class... Args>
constexpr bool GoesOn(Visitor& visitor, Args&&... args) {
  static_assert(std::is_invocable_v<Visitor&, Args...>,
                "acre: a visitor takes (const acre::Field&, T& value) for each "
                "type of the fields, (const acre::Field&, "
                "std::type_identity<T>), or (const acre::Part&)");
  using Result = std::invoke_result_t<Visitor&, Args...>;
  if constexpr (std::is_void_v<Result>) {
    visitor(std::forward<Args>(args)...);
    return true;
  } else {
    static_assert(std::is_same_v<Result, bool>,
                  "acre: a visitor of fields returns nothing, or bool: whether "
                  "to go on");
    return visitor(std::forward<Args>(args)...);
  }
}

template <class T>
inline constexpr bool kHasFields = HasLayout<T> && !kPlain<T>;

template <class T>
inline constexpr auto kListedOf =
    acre_layout(static_cast<LayoutTag<T>*>(nullptr));

/// What base(M) in the layout of T may name: no base that there is twice.
// The one cast that reaches private bases.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
template <class M, class T>
concept OneBaseOf = std::is_class_v<M> && std::is_base_of_v<M, T> &&
    requires(const T& object) {
  (const M&)object;
};
#pragma GCC diagnostic pop

/// Whether the I-th entry of T's list is a base. The address of a base is no
/// member's of the same type.
template <class T, class M, std::size_t I>
consteval bool IsBaseAt() {
  if constexpr (OneBaseOf<M, T>) {
    return kListedOf<T>.fields[I].offset == BaseOffset<T, M>();
  } else {
    return false;
  }
}

template <class T, std::size_t I, std::size_t Start>
inline constexpr Field kFieldAt{
    kListedOf<T>.fields[I].name, Start + kListedOf<T>.fields[I].offset,
    kListedOf<T>.fields[I].note, kListedOf<T>.fields[I].reason,
    kListedOf<T>.fields[I].json, kListedOf<T>.fields[I].is_transient};

/// Calls visit(field, std::type_identity<M>()) for every field of the T that
/// lies Start bytes into what is walked.
template <class T, std::size_t Start, class Visit>
constexpr bool WalkFields(Visit& visit);

template <class T, class M, std::size_t I, std::size_t Start, class Visit>
constexpr bool WalkField(Visit& visit) {
  constexpr bool kIsBase = IsBaseAt<T, M, I>();
  constexpr bool kIsNothing = std::is_same_v<M, Hole> ||
                              std::is_reference_v<M> ||
                              (kIsBase && !kHasFields<M> && std::is_empty_v<M>);
  if constexpr (kIsNothing) {
    return true;
  } else if constexpr (kIsBase && kHasFields<M>) {
    return WalkFields<M, Start + kListedOf<T>.fields[I].offset>(visit);
  } else {
    return visit(kFieldAt<T, I, Start>, std::type_identity<M>());
  }
}

// An array, not a fold: clang 14 nests at most 256 deep.
template <class T, std::size_t Start, class Visit, class... M, std::size_t... I>
constexpr bool WalkListed(Visit& visit, const LayoutFields<M...>&,
                          std::index_sequence<I...>) {
  bool goes_on = true;
  const bool each[] = {
      true, (goes_on = goes_on && WalkField<T, M, I, Start, Visit>(visit))...};
  static_cast<void>(each);
  return goes_on;
}
template <class T, std::size_t Start, class Visit>
constexpr bool WalkFields(Visit& visit) {
  static_assert(kHasFields<T>,
                "acre: fields are walked of structs that have an ACRE_LAYOUT");
  constexpr std::size_t kCount = [] {
    return []<class... M>(const LayoutFields<M...>&) {
      return sizeof...(M);
    }(kListedOf<T>);
  }();
  return WalkListed<T, Start, Visit>(visit, kListedOf<T>,
                                     std::make_index_sequence<kCount>());
}

}  // namespace detail

/// A struct whose fields can be walked.
template <class T>
concept HasFields = detail::kHasFields<std::remove_cvref_t<T>>;

/// Calls visitor(const Field&, M& value) for every field of `object`; `value`
/// is const where the object or the member is. False where the visitor ended
/// the walk.
template <class T, class Visitor>
bool ForEachField(T& object, Visitor&& visitor) {
  using Byte = std::conditional_t<std::is_const_v<T>, const char, char>;
  auto* const bytes = reinterpret_cast<Byte*>(&object);
  const auto visit = [&]<class M>(const Field& field, std::type_identity<M>) {
    using Value = std::conditional_t<std::is_const_v<T>, const M, M>;
    return detail::GoesOn(visitor, field,
                          *reinterpret_cast<Value*>(bytes + field.offset));
  };
  return detail::WalkFields<std::remove_const_t<T>, 0>(visit);
}

/// The same without an object, in constants too: visitor(const Field&,
/// std::type_identity<M>).
template <class T, class Visitor>
constexpr bool ForEachFieldOf(Visitor&& visitor) {
  const auto visit = [&]<class M>(const Field& field, std::type_identity<M> m) {
    return detail::GoesOn(visitor, field, m);
  };
  return detail::WalkFields<std::remove_cvref_t<T>, 0>(visit);
}

/// How many those are.
template <class T>
consteval std::size_t FieldCount() {
  std::size_t count = 0;
  ForEachFieldOf<T>([&](const Field&, auto) { ++count; });
  return count;
}

/// A part of an object whose type is known at run time only.
struct Part {
  std::string_view name;     ///< of a field; empty for all others
  std::size_t index;         ///< among those visited; of an alternative its own
  const TypeLayout& type;    ///< of the part itself
  const void* object;        ///< where it lies
  const FieldLayout* field;  ///< of a registered struct; else null

  /// The part as a T; null where it is no T.
  template <class T>
  const T* as() const {
    if (!SameType(type, LayoutOf<T>())) return nullptr;
    return static_cast<const T*>(object);
  }
};

/// Calls visitor(const Part&) for every part of an object of that type:
///   structs, pairs, tuples   their fields; holes and references are passed
///                            over. A base is one field, named as in the layout
///   arrays, views, Vectors,  the elements; entries of Maps are pairs, elements
///   Sets, Maps, Strings      of Strings are chars
///   optional, variant        the live one, if any
///   pointers                 what they point to, if to anything: one object,
///                            of size 0 where its type is not defined
///   all others               none; void* and function pointers among them
/// False where the visitor ended the walk. Where a `borrowed` pointer or view
/// leads is for the caller to know (Part::field has the note). The object must
/// be live (checked builds verify it of containers) and not change meanwhile.
template <class Visitor>
bool ForEachPart(const TypeLayout& type, const void* object,
                 Visitor&& visitor) {
  const auto* const bytes = static_cast<const char*>(object);
  std::size_t index = 0;
  const auto each = [&](const TypeLayout& element, ElementRun run) {
    const auto* at = static_cast<const char*>(run.data);
    for (std::size_t i = 0; i < run.count; ++i, at += element.size) {
      const Part part{{}, index++, element, at, nullptr};
      if (!detail::GoesOn(visitor, part)) return false;
    }
    return true;
  };
  // Arrays, choices and tuples of plain data are plain data, too.
  const TypeOps* const ops = type.ops;
  if (type.kind == TypeKind::kStruct) {
    for (const FieldLayout& field : type.fields) {
      if (field.note == FieldNote::kOpaque) continue;
      if (field.type()->name.ends_with('&')) continue;
      const bool is_pair = field.name[0] == '.';
      const Part part{field.name.substr(is_pair ? 1 : 0), index++,
                      *field.type(), bytes + field.offset,
                      is_pair ? nullptr : &field};
      if (!detail::GoesOn(visitor, part)) return false;
    }
    return true;
  }
  if (type.kind == TypeKind::kPointer) {
    const void* const to = *static_cast<void* const*>(object);
    return to == nullptr || each(*type.element(), {to, 1});
  }
  if (type.kind == TypeKind::kView) {
    return each(*type.element(), ops->view(object));
  }
  if (type.kind == TypeKind::kHandle) {
    if constexpr (kChecked) detail::CheckStorage(type, object);
    std::size_t cursor = 0;
    for (;;) {
      const ElementRun run = ops->next_run(object, &cursor);
      if (run.data == nullptr) return true;
      if (!each(*type.element(), run)) return false;
    }
  }
  if (ops != nullptr && ops->active != nullptr) {
    const ActivePart active = ops->active(object);
    if (active.object == nullptr) return true;
    index = active.index;
    return each(*type.fields[active.index].type(), {active.object, 1});
  }
  if (ops != nullptr && ops->part != nullptr) {
    for (; index < type.fields.size();) {
      const void* const at = ops->part(object, index);
      const TypeLayout& item = *type.fields[index].type();
      const Part part{{}, index++, item, at, nullptr};
      if (!detail::GoesOn(visitor, part)) return false;
    }
    return true;
  }
  return type.element == nullptr || each(*type.element(), {object, type.count});
}

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_FIELDS_H_
