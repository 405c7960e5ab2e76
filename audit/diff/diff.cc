// SPDX-License-Identifier: MIT

#include "acre/diff.h"

#include <fmt/format.h>

#include "acre/json_writer.h"
#include "diff/differ.h"

namespace acre::inline ACRE_ABI {

namespace detail {

DiffReport DiffOf(const TypeLayout& type, const void* here, const void* there,
                  const DiffOptions& options) {
  const StatePlans plans(type);
  DiffReport report;
  if (Differ(plans, options, false).Run(here, there, report)) return report;
  report = {};
  Differ(plans, options, true).Run(here, there, report);
  return report;
}

}  // namespace detail

std::string_view NameOf(DiffKind kind) noexcept {
  switch (kind) {
    case DiffKind::kValue:
      return "value";
    case DiffKind::kSize:
      return "size";
    case DiffKind::kPart:
      return "part";
    case DiffKind::kPointer:
      return "pointer";
    case DiffKind::kHere:
      return "only here";
    case DiffKind::kThere:
      return "only there";
  }
  return "?";
}

std::string ToText(const DiffReport& report) {
  std::string text;
  for (const Difference& difference : report.differences) {
    const bool is_one_sided = difference.kind == DiffKind::kHere ||
                              difference.kind == DiffKind::kThere;
    if (is_one_sided) {
      text += fmt::format("{}: {}\n", difference.path, NameOf(difference.kind));
    } else {
      text += fmt::format("{}: {} here, {} there\n", difference.path,
                          difference.here, difference.there);
    }
  }
  const std::size_t all = report.differences.size() + report.omitted;
  if (all == 0) {
    text += fmt::format("equal: {} objects\n", report.objects);
  } else {
    text += fmt::format("{} difference{}", all, all == 1 ? "" : "s");
    if (report.omitted != 0) {
      text += fmt::format(" ({} not listed)", report.omitted);
    }
    text += fmt::format(" in {} objects\n", report.objects);
  }
  return text;
}

std::string ToJsonLines(const DiffReport& report) {
  std::string text;
  JsonWriter json(text, {.bytes = JsonBytes::kShow});
  const auto line = [&](std::string_view record, auto fields) {
    json.BeginObject();
    json.Field("record", record);
    fields();
    json.EndObject();
    json.EndLine();
  };
  const std::size_t all = report.differences.size() + report.omitted;
  line("diff", [&] {
    json.Field("schema", "acre.diff");
    json.Field("version", 1);
    json.Field("differences", all);
    json.Field("omitted", report.omitted);
    json.Field("objects", report.objects);
  });
  for (const Difference& difference : report.differences) {
    line("difference", [&] {
      json.Field("path", difference.path);
      json.Field("kind", NameOf(difference.kind));
      json.Field("type", difference.type);
      json.Field("here", difference.here);
      json.Field("there", difference.there);
      json.Field("here_at", difference.here_at);
      json.Field("there_at", difference.there_at);
    });
  }
  line("summary", [&] {
    json.Field("differences", all);
    json.Field("omitted", report.omitted);
  });
  json.Flush();
  return text;
}

}  // namespace acre::inline ACRE_ABI
