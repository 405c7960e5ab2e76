// SPDX-License-Identifier: MIT

#include "acre/json_error.h"

namespace acre::inline ACRE_ABI {

std::string JsonError::text() const {
  std::string text = path;
  if (!text.empty()) text += ": ";
  text += what;
  if (line != 0) {
    text += " (line " + std::to_string(line) + ", column " +
            std::to_string(column) + ')';
  }
  return text;
}

void detail::FailJsonValue(const JsonError& error) {
  FailMisuse("acre: JsonOr::value of what has none: %s", error.text().c_str());
}

}  // namespace acre::inline ACRE_ABI
