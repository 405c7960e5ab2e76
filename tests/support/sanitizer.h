// SPDX-License-Identifier: MIT
//
// ACRE_TEST_ASAN is 1 where a test is compiled for AddressSanitizer.

#ifndef ACRE_TESTS_SUPPORT_SANITIZER_H_
#define ACRE_TESTS_SUPPORT_SANITIZER_H_

#if defined(__SANITIZE_ADDRESS__)
#define ACRE_TEST_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ACRE_TEST_ASAN 1
#endif
#endif
#ifndef ACRE_TEST_ASAN
#define ACRE_TEST_ASAN 0
#endif

#endif  // ACRE_TESTS_SUPPORT_SANITIZER_H_
