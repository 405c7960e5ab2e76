// SPDX-License-Identifier: MIT

#include "acre/detail/utf8.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

struct Lead {
  std::size_t length;  // of the sequence; 0: the byte starts none
  unsigned char low;   // the second byte lies in [low, high]
  unsigned char high;
};

/// Table 3-7 of the Unicode standard: leaves out overlong forms, surrogates,
/// and what lies above U+10FFFF.
Lead LeadOf(unsigned char byte) {
  if (byte < 0x80) return {1, 0, 0};
  if (byte < 0xC2) return {0, 0, 0};
  if (byte < 0xE0) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte < 0xF0) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte < 0xF4) return {4, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

std::size_t CharacterLength(std::string_view text) noexcept {
  if (text.empty()) return 0;
  const auto byte = [&](std::size_t i) {
    return static_cast<unsigned char>(text[i]);
  };
  const Lead lead = LeadOf(byte(0));
  if (lead.length > text.size()) return 0;
  for (std::size_t i = 1; i < lead.length; ++i) {
    const bool is_second = i == 1;
    if (byte(i) < (is_second ? lead.low : 0x80) ||
        byte(i) > (is_second ? lead.high : 0xBF)) {
      return 0;
    }
  }
  return lead.length;
}

}  // namespace acre::inline ACRE_ABI::detail
