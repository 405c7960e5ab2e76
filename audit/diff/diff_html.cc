// SPDX-License-Identifier: MIT
//
// Differences as an HTML page. Without its script it is a table all the same.

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "acre/detail/utf8.h"
#include "acre/diff.h"
#include "report/page.h"

namespace acre::inline ACRE_ABI {
namespace detail {
namespace {

constexpr std::string_view kStyle = R"css(
th { padding: 8px 14px; }
td.value { font-family: var(--mono); font-size: 12.5px;
  overflow-wrap: anywhere; }
td.path { font-family: var(--mono); font-size: 12.5px; overflow-wrap: anywhere;
  width: 50%; }
)css";

constexpr std::string_view kScript = R"js(
"use strict";
const rows = [...document.querySelectorAll("tbody tr")];
const search = document.getElementById("search");
const count = document.getElementById("shown");
search.hidden = false;
search.addEventListener("input", () => {
  const wanted = search.value.toLowerCase();
  let shown = 0;
  for (const row of rows) {
    row.hidden = !row.textContent.toLowerCase().includes(wanted);
    shown += row.hidden ? 0 : 1;
  }
  count.textContent = shown === rows.length ? "" : `${shown} of ${rows.length}`;
});
)js";

/// As text between tags. Bytes that are no UTF-8 are shown as \xNN.
std::string Escaped(std::string_view text) {
  std::string escaped;
  ForEachCharacter(
      text,
      [&](std::string_view character) {
        escaped += character == "&"   ? "&amp;"
                   : character == "<" ? "&lt;"
                   : character == ">" ? "&gt;"
                                      : character;
      },
      [&](unsigned char byte) { escaped += fmt::format("\\x{:02x}", byte); });
  return escaped;
}

}  // namespace
}  // namespace detail

std::string ToHtml(const DiffReport& report) {
  using detail::Escaped;
  const std::size_t all = report.differences.size() + report.omitted;
  std::string page;
  const auto add = [&](fmt::string_view format, const auto&... arguments) {
    page += fmt::vformat(format, fmt::make_format_args(arguments...));
  };
  page += detail::PageHead();
  page += "<title>Differences</title>\n<style>";
  page += detail::PageStyle();
  page += detail::kStyle;
  page += "</style>\n</head>\n<body>\n<main>\n";
  add("<div class=\"eyebrow\">Here and there</div>\n<h1>{}</h1>\n",
      all == 0   ? std::string("Equal")
      : all == 1 ? std::string("1 difference")
                 : fmt::format("{} differences", all));
  add("<dl class=\"facts\"><div><dt>Compared</dt><dd>{}</dd></div>"
      "<div><dt>Listed</dt><dd>{}</dd></div>"
      "<div><dt>Not listed</dt><dd>{}</dd></div></dl>\n",
      report.objects, report.differences.size(), report.omitted);
  page +=
      "<section><div class=\"bar\"><h2>Differences "
      "<small id=\"shown\"></small></h2><input id=\"search\" "
      "type=\"search\" placeholder=\"Path, type or value\" hidden></div>\n"
      "<div class=\"panel\"><table><thead><tr>";
  for (const char* const head : {"Path", "What", "Here", "There", "Type"}) {
    add("<th>{}</th>", head);
  }
  page += "</tr></thead><tbody>\n";
  for (const Difference& difference : report.differences) {
    add("<tr><td class=\"path\">{}</td><td><span class=\"tag\">{}</span></td>"
        "<td class=\"value\">{}</td><td class=\"value\">{}</td>"
        "<td class=\"value\">{}</td></tr>\n",
        Escaped(difference.path), NameOf(difference.kind),
        Escaped(difference.here), Escaped(difference.there),
        Escaped(difference.type));
  }
  page += "</tbody></table></div></section>\n</main>\n<script>";
  page += detail::kScript;
  page += "</script>\n</body>\n</html>\n";
  return page;
}

}  // namespace acre::inline ACRE_ABI
