// SPDX-License-Identifier: MIT
//
// What most unit tests include of others' headers, compiled once a build: half
// of the time that a short test takes. Tests include what they use all the
// same. Nothing of acre belongs here: tests see its headers in an order of
// their own, and g++ forgets the `#pragma GCC diagnostic` of what is
// precompiled.

#ifndef ACRE_TESTS_SUPPORT_PRECOMPILED_H_
#define ACRE_TESTS_SUPPORT_PRECOMPILED_H_

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <complex>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <memory_resource>
#include <optional>
#include <random>
#include <ranges>
#include <set>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#endif  // ACRE_TESTS_SUPPORT_PRECOMPILED_H_
