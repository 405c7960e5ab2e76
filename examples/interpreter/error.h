// SPDX-License-Identifier: MIT

#ifndef ACRE_EXAMPLES_INTERPRETER_ERROR_H_
#define ACRE_EXAMPLES_INTERPRETER_ERROR_H_

#include <stdexcept>
#include <string>

namespace scheme {

/// Where something stands in a program; line 0: not known yet.
struct Place {
  int line = 0;
  int column = 0;
};

/// What is wrong with a program. The place is filled in by whoever knows it
/// first.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& text, Place place = {})
      : std::runtime_error(text), place_(place) {}

  Place place() const { return place_; }
  void SetPlace(Place place) {
    if (place_.line == 0) place_ = place;
  }

 private:
  Place place_;
};

}  // namespace scheme

#endif  // ACRE_EXAMPLES_INTERPRETER_ERROR_H_
