// SPDX-License-Identifier: MIT
//
// Death tests: runs a statement in a forked child and checks that the child
// aborts with a message that matches a regular expression.
//
//   CHECK_DIES(arena.Free(p), "double Free");

#ifndef ACRE_TESTS_SUPPORT_DEATH_H_
#define ACRE_TESTS_SUPPORT_DEATH_H_

#include <functional>
#include <string>

namespace acre_test {

/// What the child wrote to standard error; `died` is false where it returned.
struct Death {
  bool died = false;
  std::string text;
};

Death RunInChild(const std::function<void()>& body);
bool Matches(const Death& death, const std::string& pattern);

}  // namespace acre_test

#define CHECK_DIES(statement, pattern)               \
  do {                                               \
    const ::acre_test::Death death_ =                \
        ::acre_test::RunInChild([&] { statement; }); \
    INFO("child: " << death_.text);                  \
    CHECK(::acre_test::Matches(death_, pattern));    \
  } while (false)

#endif  // ACRE_TESTS_SUPPORT_DEATH_H_
