// SPDX-License-Identifier: MIT
//
// Any bytes as JSON, for libFuzzer: clang++, -Dfuzzers=true, then
//   build/tests/json_fuzzer -max_len=4096 -max_total_time=60
//
// What is read can be written, and reads back as the same; what is refused
// leaves nothing behind.

#define DOCTEST_CONFIG_DISABLE

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "unit/json_types.h"

namespace {

[[noreturn]] void Fail(const char* what, std::string_view text) {
  std::fprintf(stderr, "%s: %.*s\n", what, static_cast<int>(text.size()),
               text.data());
  std::abort();
}

template <class T>
void Check(std::string_view text) {
  constexpr acre::JsonStyle kStyle{.not_finite = acre::JsonNotFinite::kText,
                                   .sort_keys = true};
  acre::Arena arena;
  const acre::JsonOr<T*> read = acre::FromJson<T>(arena, text);
  if (!read) {
    if (arena.stats().live() != 0) Fail("something stays", text);
    if (read.error().line == 0) Fail("an error without a place", text);
    return;
  }
  const acre::JsonOr<std::string> written = acre::ToJson(**read, kStyle);
  if (!written) Fail("what was read cannot be written", text);
  acre::Arena other;
  const acre::JsonOr<T*> again = acre::FromJson<T>(other, *written);
  if (!again) Fail("what was written cannot be read", *written);
  if (*acre::ToJson(**again, kStyle) != *written) {
    Fail("what was written reads as something else", *written);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Check<acre::Json>(text);
  Check<json_test::All>(text);
  Check<json_test::Node>(text);
  return 0;
}
