// SPDX-License-Identifier: MIT

#include "json.h"

#include <fmt/format.h>

#include <iterator>
#include <string_view>

namespace web {
namespace {

void WriteText(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}",
                     static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace

void Write(const Json& value, std::string& out) {
  const char* comma = "";
  switch (value.kind) {
    case JsonKind::kNull:
      out += "null";
      return;
    case JsonKind::kNumber:
      fmt::format_to(std::back_inserter(out), "{}", value.number);
      return;
    case JsonKind::kText:
      return WriteText(value.text.view(), out);
    case JsonKind::kList:
      out += '[';
      for (const Json& item : value.items) {
        out += comma;
        Write(item, out);
        comma = ",";
      }
      out += ']';
      return;
    case JsonKind::kObject:
      out += '{';
      for (const auto& [name, field] : value.fields) {
        out += comma;
        WriteText(name.view(), out);
        out += ':';
        Write(*field, out);
        comma = ",";
      }
      out += '}';
      return;
  }
}

}  // namespace web
