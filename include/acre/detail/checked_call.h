// SPDX-License-Identifier: MIT
//
// CheckedCall: calls a function whose arena ends with the call, and refuses, in
// checked builds, a result that points into it. Internal to acre.

#ifndef ACRE_DETAIL_CHECKED_CALL_H_
#define ACRE_DETAIL_CHECKED_CALL_H_

#include <type_traits>

#include "acre/config.h"
#include "acre/failure.h"

namespace acre::inline ACRE_ABI::detail {

/// Returns call(). `is_gone(const void*)` tells what the end takes away.
template <class IsGone, class Call>
decltype(auto) CheckedCall([[maybe_unused]] IsGone is_gone,
                           [[maybe_unused]] const char* arena, Call call) {
  using Result = decltype(call());
  [[maybe_unused]] const auto check = [&](const volatile void* result) {
    ACRE_CHECK(!is_gone(const_cast<const void*>(result)),
               "the result at %p lies in what ends here of arena '%s'; return "
               "it by value or DeepCopy it",
               const_cast<const void*>(result), arena);
  };
  if constexpr (kChecked && std::is_lvalue_reference_v<Result>) {
    auto&& result = call();
    check(__builtin_addressof(result));  // <memory> is heavy
    return static_cast<Result>(result);
  } else if constexpr (kChecked && std::is_pointer_v<Result> &&
                       !std::is_function_v<std::remove_pointer_t<Result>>) {
    Result result = call();
    check(result);
    return result;
  } else {
    return call();
  }
}

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_CHECKED_CALL_H_
