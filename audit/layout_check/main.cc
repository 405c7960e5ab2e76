// SPDX-License-Identifier: MIT
//
// acre-layout-check: compares the layouts that programs registered with acre
// with what the compiler says of the same types in its debug information. Here:
// the command line and the exit status.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "check.h"
#include "report.h"

namespace layout_check {
namespace {

constexpr int kAgree = 0;
constexpr int kDisagree = 1;
constexpr int kNotChecked = 2;  // outweighs kDisagree

constexpr std::string_view kUsage =
    R"(Usage: acre-layout-check [OPTION]... BINARY...

Compares every layout registered with acre (ACRE_LAYOUT, ACRE_LAYOUT_INSIDE,
ACRE_PLAIN, Boost.Describe) in linked programs and shared objects with the
compiler's own description of the type, the debug information that -g leaves.
Nothing is run. One line for each disagreement:

  hidden pointer   in an opaque hole, in plain data, in what is not listed
  missing field    not listed, it hides in padding
  no such field    listed; renamed or gone in one of the sources
  offset, size, type

The last line is "N layouts, M disagreements".

  --ignore=TYPE  leave the type out, by the name that --verbose shows; the
                 status is 2 where no binary has a layout of it. May be repeated
  --debug-directory=DIR
                 where debug information that was split off is looked for
                 beside the binary: by build ID, by path; /usr/lib/debug
  --json         one JSON object a line: "schema" is 1, "event" is "finding",
                 "summary", "not checked"; with --verbose "layout", "ignored"
  --verbose      also name every layout that agrees
  --help

Status: 0 all agree, 1 disagreements, 2 something could not be checked.
)";

struct Options {
  Format format;
  CheckOptions check{.ignored = {}, .debug_directory = "/usr/lib/debug"};
  std::vector<std::string> binaries;
  bool is_help = false;
};

void Complain(std::string_view text) {
  fmt::print(stderr, "acre-layout-check: {}\n", text);
}

/// False: an option that is not known.
bool ParseOption(std::string_view argument, Options* options) {
  constexpr std::string_view kIgnore = "--ignore=";
  constexpr std::string_view kDebugDirectory = "--debug-directory=";
  if (argument == "--help" || argument == "-h") {
    options->is_help = true;
  } else if (argument == "--json") {
    options->format.is_json = true;
  } else if (argument == "--verbose") {
    options->format.is_verbose = true;
  } else if (argument.starts_with(kIgnore)) {
    options->check.ignored.emplace_back(argument.substr(kIgnore.size()));
  } else if (argument.starts_with(kDebugDirectory)) {
    options->check.debug_directory = argument.substr(kDebugDirectory.size());
  } else {
    return false;
  }
  return true;
}

bool Parse(int count, char** arguments, Options* options) {
  bool is_options = true;
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = arguments[i];
    if (is_options && argument == "--") {
      is_options = false;
    } else if (is_options && argument == "--ignore" && i + 1 < count) {
      options->check.ignored.emplace_back(arguments[++i]);
    } else if (!is_options || !argument.starts_with('-')) {
      options->binaries.emplace_back(argument);
    } else if (!ParseOption(argument, options)) {
      Complain(fmt::format("no such option, or no value for it: {}", argument));
      return false;
    }
  }
  if (options->binaries.empty() && !options->is_help) {
    Complain("which binary? See --help");
    return false;
  }
  return true;
}

int CheckAll(const Options& options) {
  std::size_t layouts = 0;
  std::size_t disagreements = 0;
  bool is_checked = true;
  std::vector<std::string> unused = options.check.ignored;
  for (const std::string& binary : options.binaries) {
    const CheckResult result = Check(binary, options.check);
    if (!result.error.empty()) {
      Complain(fmt::format("{}: {}", binary, result.error));
      is_checked = false;
      continue;
    }
    fmt::print("{}", ResultText(options.format, binary, result));
    layouts += result.checked.size();
    disagreements += result.findings.size();
    is_checked = is_checked && result.unchecked.empty();
    for (const std::string& type : result.ignored) std::erase(unused, type);
  }
  for (const std::string& type : unused) {
    Complain(fmt::format("--ignore={}: no layout of this name", type));
    is_checked = false;
  }
  fmt::print("{}", SummaryText(options.format, layouts, disagreements));
  if (!is_checked) return kNotChecked;
  return disagreements == 0 ? kAgree : kDisagree;
}

}  // namespace
}  // namespace layout_check

int main(int argc, char** argv) {
  layout_check::Options options;
  if (!layout_check::Parse(argc, argv, &options)) {
    return layout_check::kNotChecked;
  }
  if (options.is_help) {
    fmt::print("{}", layout_check::kUsage);
    return layout_check::kAgree;
  }
  return layout_check::CheckAll(options);
}
