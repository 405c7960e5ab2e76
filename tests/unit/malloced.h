// SPDX-License-Identifier: MIT
//
// Memory of malloc where no chunk of an arena was that has ended: of that an
// audit would tell.

#ifndef ACRE_TESTS_UNIT_MALLOCED_H_
#define ACRE_TESTS_UNIT_MALLOCED_H_

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdlib>
#include <vector>

#include "acre/detail/life.h"

namespace acre_test {

class Malloced {
 public:
  explicit Malloced(std::size_t bytes) {
    acre::detail::Gone gone;
    do {
      all_.push_back(std::malloc(bytes));
      REQUIRE(all_.back() != nullptr);
      REQUIRE(all_.size() < 100'000);
    } while (acre::detail::FindGone(get() + bytes / 2, &gone));
  }
  Malloced(const Malloced&) = delete;
  Malloced& operator=(const Malloced&) = delete;
  ~Malloced() {
    for (void* block : all_) std::free(block);
  }
  char* get() const { return static_cast<char*>(all_.back()); }

 private:
  std::vector<void*> all_;
};

}  // namespace acre_test

#endif  // ACRE_TESTS_UNIT_MALLOCED_H_
