// SPDX-License-Identifier: MIT

#include "automatic/environment.h"

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace acre::inline ACRE_ABI::detail {
namespace {

enum class Override : std::uint8_t { kNone, kOff, kReport, kAbort };

Override ReadOverride() {
  const char* value = std::getenv("ACRE_AUDIT");
  if (value == nullptr || value[0] == '\0') return Override::kNone;
  if (std::strcmp(value, "off") == 0) return Override::kOff;
  if (std::strcmp(value, "report") == 0) return Override::kReport;
  if (std::strcmp(value, "abort") == 0) return Override::kAbort;
  fmt::print(stderr, "acre: ACRE_AUDIT is '{}', not off, report or abort\n",
             value);
  return Override::kNone;
}

Override TheOverride() {
  static const Override override = ReadOverride();
  return override;
}

}  // namespace

AuditPolicy InForce(AuditPolicy policy) {
  if (!kChecked) {  // AuditAll would sweep what no record is of
    policy.on_reset = policy.on_free = false;
    policy.every_allocations = 0;
  }
  switch (TheOverride()) {
    case Override::kNone:
      break;
    case Override::kOff:
      return {.on_collection = false};
    case Override::kReport:
      policy.on_collection = true;
      policy.action = AuditAction::kReport;
      break;
    case Override::kAbort:
      policy.on_collection = true;
      policy.action = AuditAction::kAbort;
      break;
  }
  return policy;
}

}  // namespace acre::inline ACRE_ABI::detail
