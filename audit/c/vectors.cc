// SPDX-License-Identifier: MIT
//
// The C API: vectors.

#include <algorithm>
#include <cmath>
#include <compare>
#include <string_view>
#include <utility>

#include "acre/acre.h"
#include "calls.h"

namespace acre::c_api {
namespace {

int FailIndex(const acre_ref& vector, const char* what, std::size_t index,
              std::size_t size) {
  return Fail(ACRE_OUT_OF_RANGE,
              "acre: arena '%s': %s %zu of a vector of %zu elements",
              ArenaOf(vector).name(), what, index, size);
}

// ------------------------------------------------------------------- sorting

bool IsSortable(const Value& value) {
  const double* const number = std::get_if<double>(&value);
  return value.index() < ACRE_MAP &&
         (number == nullptr || !std::isnan(*number));
}

/// Integers and doubles stand in one row.
std::size_t RowOf(const Value& value) {
  return value.index() == ACRE_DOUBLE ? std::size_t{ACRE_INT} : value.index();
}

/// Exactly, where the integer is no double. Requires: no NaN.
std::weak_ordering Compare(std::int64_t integer, double number) {
  constexpr double kEnd = 9223372036854775808.0;  // 2^63
  if (number >= kEnd) return std::weak_ordering::less;
  if (number < -kEnd) return std::weak_ordering::greater;
  const double whole = std::floor(number);
  const auto order = integer <=> static_cast<std::int64_t>(whole);
  if (order != 0) return order;
  return whole < number ? std::weak_ordering::less
                        : std::weak_ordering::equivalent;
}

std::weak_ordering CompareNumbers(const Value& a, const Value& b) {
  const auto* const a_integer = std::get_if<std::int64_t>(&a);
  const auto* const b_integer = std::get_if<std::int64_t>(&b);
  if (a_integer != nullptr && b_integer != nullptr) {
    return *a_integer <=> *b_integer;
  }
  if (a_integer != nullptr) return Compare(*a_integer, std::get<double>(b));
  if (b_integer != nullptr) {
    return 0 <=> Compare(*b_integer, std::get<double>(a));
  }
  const double x = std::get<double>(a);
  const double y = std::get<double>(b);
  return x < y   ? std::weak_ordering::less
         : y < x ? std::weak_ordering::greater
                 : std::weak_ordering::equivalent;
}

/// By bytes without a sign, as UTF-8 wants it.
bool IsTextLess(std::string_view a, std::string_view b) { return a < b; }

bool IsLess(const Value& a, const Value& b) {
  const std::size_t row = RowOf(a);
  if (row != RowOf(b)) return row < RowOf(b);
  switch (row) {
    case ACRE_BOOL:
      return !std::get<bool>(a) && std::get<bool>(b);
    case ACRE_INT:
      return CompareNumbers(a, b) < 0;
    case ACRE_CHAR:
      return std::get<char32_t>(a) < std::get<char32_t>(b);
    case ACRE_TEXT:
      return IsTextLess(std::get<Text*>(a)->text, std::get<Text*>(b)->text);
    case ACRE_SYMBOL:
      return IsTextLess(std::get<Symbol*>(a)->text, std::get<Symbol*>(b)->text);
    case ACRE_BYTES:
      return IsTextLess(std::get<Bytes*>(a)->text, std::get<Bytes*>(b)->text);
    default:
      return false;
  }
}

/// Takes elements out.
void Cut(Arena& arena, Vector<Value>& items, std::size_t index,
         std::size_t count) {
  const auto first = items.begin() + static_cast<std::ptrdiff_t>(index);
  const auto last = first + static_cast<std::ptrdiff_t>(count);
  for (auto at = first; at != last; ++at) Free(arena, *at);
  items.erase(first, last);
}

/// Calls f(vector), to change it.
template <class F>
int Change(const acre_ref* vector, F f) {
  return Call([&]() -> int {
    VectorObject* object = nullptr;
    const int status = OpenToChange(vector, &object);
    return status == ACRE_OK ? f(object->items) : status;
  });
}

/// The same with a value to put in.
template <class F>
int ChangeWith(const acre_ref* vector, const acre_value* value, F f) {
  return Call([&]() -> int {
    VectorObject* object = nullptr;
    int status = OpenToChange(vector, &object);
    if (status != ACRE_OK) return status;
    Arena& arena = ArenaOf(*vector);
    if ((status = CheckValue(arena, *value)) != ACRE_OK) return status;
    MadeValue made(arena, *value);
    status = f(object->items, made);
    if (KindAt(*vector) != kFreed) return status;
    // A finalizer has freed it meanwhile.
    EmptyVector(arena, *object);
    return OpenToChange(vector, &object);
  });
}

}  // namespace

void EmptyVector(Arena& arena, VectorObject& vector) {
  Cut(arena, vector.items, 0, vector.items.size());
  vector.items.Release();
}

}  // namespace acre::c_api

using namespace acre;         // NOLINT(google-build-using-namespace)
using namespace acre::c_api;  // NOLINT(google-build-using-namespace)

int acre_vector_new(acre_arena* arena, acre_ref* vector) {
  return New<VectorObject>(arena, vector);
}

int acre_vector_size(const acre_ref* vector, size_t* size) {
  ACRE_C_REQUIRE(size);
  return CallReader([&]() -> int {
    VectorObject* object = nullptr;
    const int status = Open(vector, &object);
    if (status == ACRE_OK) *size = object->items.size();
    return status;
  });
}

int acre_vector_get(const acre_ref* vector, size_t index, acre_value* value) {
  ACRE_C_REQUIRE(value);
  return CallReader([&]() -> int {
    VectorObject* object = nullptr;
    const int status = Open(vector, &object);
    if (ACRE_UNLIKELY(status != ACRE_OK)) return status;
    if (ACRE_UNLIKELY(index >= object->items.size())) {
      return FailIndex(*vector, "element", index, object->items.size());
    }
    View(ArenaOf(*vector), object->items[index], value);
    return ACRE_OK;
  });
}

int acre_vector_set(const acre_ref* vector, size_t index,
                    const acre_value* value) {
  ACRE_C_REQUIRE(value);
  return ChangeWith(
      vector, value, [&](Vector<Value>& items, MadeValue& made) -> int {
        if (index >= items.size()) {
          return FailIndex(*vector, "element", index, items.size());
        }
        made.Replace(items[index]);
        return ACRE_OK;
      });
}

int acre_vector_push(const acre_ref* vector, const acre_value* value) {
  ACRE_C_REQUIRE(value);
  return ChangeWith(vector, value,
                    [](Vector<Value>& items, MadeValue& made) -> int {
                      items.push_back(made.value());
                      made.Placed();
                      return ACRE_OK;
                    });
}

int acre_vector_insert(const acre_ref* vector, size_t index,
                       const acre_value* value) {
  ACRE_C_REQUIRE(value);
  return ChangeWith(
      vector, value, [&](Vector<Value>& items, MadeValue& made) -> int {
        if (index > items.size()) {
          return FailIndex(*vector, "place", index, items.size());
        }
        items.insert(items.begin() + static_cast<std::ptrdiff_t>(index),
                     made.value());
        made.Placed();
        return ACRE_OK;
      });
}

int acre_vector_erase(const acre_ref* vector, size_t index, size_t count) {
  return Change(vector, [&](Vector<Value>& items) -> int {
    if (index > items.size() || count > items.size() - index) {
      return FailIndex(
          *vector, index > items.size() ? "place" : "elements up to",
          index > items.size() ? index : index + count, items.size());
    }
    Cut(ArenaOf(*vector), items, index, count);
    return ACRE_OK;
  });
}

int acre_vector_resize(const acre_ref* vector, size_t size) {
  return Change(vector, [&](Vector<Value>& items) -> int {
    if (size < items.size()) {
      Cut(ArenaOf(*vector), items, size, items.size() - size);
    }
    items.resize(size);
    return ACRE_OK;
  });
}

int acre_vector_reserve(const acre_ref* vector, size_t size) {
  return Change(vector, [&](Vector<Value>& items) -> int {
    items.reserve(size);
    return ACRE_OK;
  });
}

int acre_vector_sort(const acre_ref* vector) {
  return Change(vector, [&](Vector<Value>& items) -> int {
    const auto odd = std::find_if_not(items.begin(), items.end(), IsSortable);
    if (odd != items.end()) {
      return Fail(ACRE_WRONG_KIND,
                  "acre: arena '%s': element %td of a vector to be sorted is a "
                  "%s",
                  ArenaOf(*vector).name(), odd - items.begin(),
                  odd->index() == ACRE_DOUBLE
                      ? "NaN"
                      : acre_kind_name(static_cast<uint32_t>(odd->index())));
    }
    std::stable_sort(items.begin(), items.end(), IsLess);
    return ACRE_OK;
  });
}
