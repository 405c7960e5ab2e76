// SPDX-License-Identifier: MIT
//
// The unit tests of release builds run once more with a part of every arena
// audited (ACRE_AUDIT_ONE_IN): nothing a program does may come out otherwise.
// For the few cases that are about what an audited arena does not promise.

#ifndef ACRE_TESTS_SUPPORT_AUDITED_H_
#define ACRE_TESTS_SUPPORT_AUDITED_H_

#include <cstdlib>

namespace acre_test {

inline bool IsAuditedByDefault() {
  return std::getenv("ACRE_AUDIT_ONE_IN") != nullptr;
}

}  // namespace acre_test

#endif  // ACRE_TESTS_SUPPORT_AUDITED_H_
