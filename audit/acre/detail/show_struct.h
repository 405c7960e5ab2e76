// SPDX-License-Identifier: MIT
//
// ShowStruct: the fields of a registered struct, by name, as its layout lists
// them: {name: "Ann", hp: 100}. Internal to acre.

#ifndef ACRE_DETAIL_SHOW_STRUCT_H_
#define ACRE_DETAIL_SHOW_STRUCT_H_

#include "acre/detail/show.h"
#include "acre/fields.h"

namespace acre::inline ACRE_ABI::detail {

template <class Out, class T>
Out ShowStruct(Out out, const T& object) {
  const char* before = "";
  out = ShowLiteral(out, "{");
  ForEachField(object, [&](const Field& field, const auto& value) {
    out = ShowLiteral(ShowLiteral(out, before), field.name);
    out = Show(ShowLiteral(out, ": "), value);
    before = ", ";
  });
  return ShowLiteral(out, "}");
}

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_SHOW_STRUCT_H_
