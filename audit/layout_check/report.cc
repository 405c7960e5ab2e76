// SPDX-License-Identifier: MIT

#include "report.h"

#include <fmt/format.h>

namespace layout_check {
namespace {

/// A JSON string, quotes included.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += {'\\', c};
    } else if (static_cast<unsigned char>(c) < ' ') {
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string PlaceText(const Place& place) {
  return place.file.empty() ? "unknown place"
                            : fmt::format("{}:{}", place.file, place.line);
}

std::string FindingText(bool is_json, std::string_view binary,
                        const Finding& finding) {
  if (!is_json) {
    return fmt::format(
        "{}: {}{}{}: {}: the layout says {}, the compiler {} ({})\n", binary,
        finding.type, finding.field.empty() ? "" : ".", finding.field,
        finding.kind, finding.layout, finding.compiler,
        PlaceText(finding.place));
  }
  return fmt::format(
      "{{\"schema\":{},\"event\":\"finding\",\"binary\":{},\"kind\":{},"
      "\"type\":{},\"field\":{},\"layout\":{},\"compiler\":{},\"file\":{},"
      "\"line\":{}}}\n",
      kSchema, Quoted(binary), Quoted(finding.kind), Quoted(finding.type),
      Quoted(finding.field), Quoted(finding.layout), Quoted(finding.compiler),
      Quoted(finding.place.file), finding.place.line);
}

std::string CheckedText(bool is_json, std::string_view binary,
                        const Checked& checked) {
  if (!is_json) {
    return fmt::format("{}: {}: {} bytes, {} fields, {} definitions ({})\n",
                       binary, checked.type, checked.size, checked.fields,
                       checked.definitions, PlaceText(checked.place));
  }
  return fmt::format(
      "{{\"schema\":{},\"event\":\"layout\",\"binary\":{},\"type\":{},"
      "\"size\":{},\"fields\":{},\"definitions\":{},\"file\":{},"
      "\"line\":{}}}\n",
      kSchema, Quoted(binary), Quoted(checked.type), checked.size,
      checked.fields, checked.definitions, Quoted(checked.place.file),
      checked.place.line);
}

/// Layouts that were left out, `event` says why.
std::string LeftOutText(bool is_json, std::string_view binary,
                        std::string_view event, std::string_view what) {
  if (!is_json) return fmt::format("{}: {}: {}\n", binary, event, what);
  return fmt::format(
      "{{\"schema\":{},\"event\":\"{}\",\"binary\":{},\"what\":{}}}\n", kSchema,
      event, Quoted(binary), Quoted(what));
}

}  // namespace

std::string ResultText(Format format, std::string_view binary,
                       const CheckResult& result) {
  std::string text;
  if (format.is_verbose) {
    for (const Checked& checked : result.checked) {
      text += CheckedText(format.is_json, binary, checked);
    }
    for (const std::string& type : result.ignored) {
      text += LeftOutText(format.is_json, binary, "ignored", type);
    }
  }
  for (const std::string& what : result.unchecked) {
    text += LeftOutText(format.is_json, binary, "not checked", what);
  }
  for (const Finding& finding : result.findings) {
    text += FindingText(format.is_json, binary, finding);
  }
  return text;
}

std::string SummaryText(Format format, std::size_t layouts,
                        std::size_t disagreements) {
  if (!format.is_json) {
    return fmt::format("{} layouts, {} disagreements\n", layouts,
                       disagreements);
  }
  return fmt::format(
      "{{\"schema\":{},\"event\":\"summary\",\"layouts\":{},"
      "\"disagreements\":{}}}\n",
      kSchema, layouts, disagreements);
}

}  // namespace layout_check
