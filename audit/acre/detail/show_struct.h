// SPDX-License-Identifier: MIT
//
// ShowStruct: the fields of a registered struct, by name, as its layout lists
// them: {name: "Ann", hp: 100}. Internal to acre.

#ifndef ACRE_DETAIL_SHOW_STRUCT_H_
#define ACRE_DETAIL_SHOW_STRUCT_H_

#include <cstddef>
#include <type_traits>

#include "acre/detail/show.h"
#include "acre/layout.h"

namespace acre::inline ACRE_ABI::detail {

template <class Out, class T>
Out ShowFields(Out out, const T& object, bool* is_first);

template <class T>
inline constexpr bool kHasFields = HasLayout<T> && !kPlain<T>;

/// A base's address is no member's of the same type.
template <class T, class M>
bool IsBase([[maybe_unused]] const ListedField& listed) {
  if constexpr (std::is_class_v<M> && std::is_base_of_v<M, T>) {
    constexpr std::size_t kOffset = BaseOffset<T, M>();
    return listed.offset == kOffset;
  } else {
    return false;
  }
}

/// One of the fields of a T, which is of type M. Those of a base stand among
/// its own; where a base is no registered struct it is a field itself.
template <class Out, class T, class M>
Out ShowField(Out out, const T& object, const ListedField& listed,
              bool* is_first) {
  const auto* at = reinterpret_cast<const char*>(&object) + listed.offset;
  const auto& field = *reinterpret_cast<const M*>(at);
  if (IsBase<T, M>(listed)) {
    if constexpr (kHasFields<M>) return ShowFields(out, field, is_first);
    if constexpr (std::is_empty_v<M>) return out;
  }
  if (!*is_first) out = ShowLiteral(out, ", ");
  *is_first = false;
  out = ShowLiteral(ShowLiteral(out, listed.name), ": ");
  return Show(out, field);
}

/// Null where nothing is to be shown. No fold over the fields: clang 14 nests
/// at most 256 deep.
template <class Out, class T, class M>
constexpr auto FieldShower() {
  using Shower = Out (*)(Out, const T&, const ListedField&, bool*);
  if constexpr (std::is_same_v<M, Hole> || std::is_reference_v<M>) {
    return Shower{nullptr};
  } else {
    return Shower{&ShowField<Out, T, std::remove_cv_t<M>>};
  }
}

template <class Out, class T, class... M>
Out ShowEach(Out out, const T& object, const LayoutFields<M...>& listed,
             bool* is_first) {
  constexpr decltype(FieldShower<Out, T, int>()) kShowers[] = {
      FieldShower<Out, T, M>()..., nullptr};
  for (std::size_t i = 0; i < sizeof...(M); ++i) {
    if (kShowers[i] == nullptr) continue;
    out = kShowers[i](out, object, listed.fields[i], is_first);
  }
  return out;
}

template <class Out, class T>
Out ShowFields(Out out, const T& object, bool* is_first) {
  constexpr auto kListed = acre_layout(static_cast<LayoutTag<T>*>(nullptr));
  return ShowEach(out, object, kListed, is_first);
}

template <class Out, class T>
Out ShowStruct(Out out, const T& object) {
  bool is_first = true;
  out = ShowFields(ShowLiteral(out, "{"), object, &is_first);
  return ShowLiteral(out, "}");
}

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_SHOW_STRUCT_H_
