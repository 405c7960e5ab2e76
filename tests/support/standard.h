// SPDX-License-Identifier: MIT
//
// What most of acre's sources include of the standard library and of fmt, and
// most tests. Where tests/run compiles the sources file by file it is parsed
// once; each includes what it uses all the same, and builds that compile
// without this see to it (--full). Nothing of acre belongs here.

#ifndef ACRE_TESTS_SUPPORT_STANDARD_H_
#define ACRE_TESTS_SUPPORT_STANDARD_H_

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#endif  // ACRE_TESTS_SUPPORT_STANDARD_H_
