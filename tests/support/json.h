// SPDX-License-Identifier: MIT
//
// A strict reader of JSON for tests: takes what RFC 8259 allows and nothing
// else. Text must be UTF-8; keys must not come twice.
//
//   acre_test::Json json;
//   std::string error;
//   REQUIRE_MESSAGE(acre_test::ParseJson(text, &json, &error), error);
//   CHECK(json["arena"].text == "level");

#ifndef ACRE_TESTS_SUPPORT_JSON_H_
#define ACRE_TESTS_SUPPORT_JSON_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace acre_test {

struct Json {
  enum class Kind { kNull, kBool, kNumber, kText, kArray, kObject };

  Kind kind = Kind::kNull;
  bool is_true = false;                // of a kBool
  double number = 0;                   // of a kNumber
  std::string text = {};               // of a kText: UTF-8
  std::vector<Json> items = {};        // of a kArray; values of a kObject
  std::vector<std::string> keys = {};  // of a kObject, in order

  bool Has(std::string_view key) const;
  /// The value of a key; null where there is none.
  const Json& operator[](std::string_view key) const;
  const Json& operator[](std::size_t i) const;
  /// Of a kNumber that is a whole one; npos for everything else.
  std::size_t whole() const;
};

/// One value, and nothing behind it but white space. False: `error` says why,
/// and where.
bool ParseJson(std::string_view text, Json* json, std::string* error);

/// True where all of it is UTF-8.
bool IsUtf8(std::string_view text);

}  // namespace acre_test

#endif  // ACRE_TESTS_SUPPORT_JSON_H_
