// SPDX-License-Identifier: MIT
//
// The style of the HTML report: one set of sizes, two of colours.

#include "page.h"

namespace acre::inline ACRE_ABI::detail {

/// The policy forbids all loading, should anything ever slip through.
std::string_view PageHead() {
  return R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none';
 style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
)html";
}

std::string_view PageStyle() {
  return R"css(
:root {
  color-scheme: light;
  --back: #f7f7f5; --surface: #ffffff; --sunken: #f1f1ee;
  --text: #1d2025; --muted: #666c75; --line: #e2e3e1; --strong-line: #cdcfcd;
  --accent: #2c5fb0; --red: #c62f28; --red-back: #fcecea;
  --amber: #96610a; --amber-back: #fbf3e0; --green: #27744a;
  --green-back: #e8f4ec;
  --freed: #a9afb8; --lost: #bfc4cb; --unused: #ececea; --other: #8d95a1;
  --t0: #4a78b8; --t1: #3c998d; --t2: #b9862f; --t3: #8769b6;
  --t4: #6f9a3e; --t5: #b5658c; --t6: #4c9fc6; --t7: #9c7350;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono",
    Menlo, Consolas, monospace;
}
:root[data-theme="dark"] {
  color-scheme: dark;
  --back: #131519; --surface: #1a1d22; --sunken: #21252b;
  --text: #e3e5e8; --muted: #949ba6; --line: #2a2e35; --strong-line: #3b414a;
  --accent: #7ea9ef; --red: #ff7167; --red-back: #38201f;
  --amber: #e0aa48; --amber-back: #322a19; --green: #68c290;
  --green-back: #1b2e24;
  --freed: #646c78; --lost: #4b525c; --unused: #24282e; --other: #757d89;
  --t0: #6797da; --t1: #4fb3a6; --t2: #d3a24a; --t3: #a58ad2;
  --t4: #8db65c; --t5: #d184a9; --t6: #6ab9de; --t7: #ba9070;
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--back); color: var(--text);
  font: 14px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans",
    "DejaVu Sans", sans-serif;
  -webkit-text-size-adjust: 100%;
}
main { max-width: 1240px; margin: 0 auto; padding: 28px 28px 64px; }
h1 { font-size: 26px; line-height: 1.25; font-weight: 650; margin: 0;
  letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { font-size: 17px; font-weight: 650; margin: 0; letter-spacing: -0.005em; }
h2 small { font-size: 13px; font-weight: 400; color: var(--muted);
  letter-spacing: 0; margin-left: 8px; }
code, .mono { font-family: var(--mono); font-size: 12.5px; }
.muted { color: var(--muted); }
[hidden] { display: none !important; }
button, select, input {
  font: inherit; color: inherit; background: var(--surface);
  border: 1px solid var(--strong-line); border-radius: 6px; padding: 5px 10px;
}
button { cursor: pointer; }
button:hover { background: var(--sunken); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }

header { display: flex; align-items: flex-start; gap: 16px; }
header > div { flex: 1; min-width: 0; }
.eyebrow { color: var(--muted); font-size: 13px; margin-bottom: 2px; }
.verdict { display: inline-block; margin-top: 12px; padding: 3px 11px;
  border-radius: 999px; font-weight: 600; }
.verdict.leaks { color: var(--red); background: var(--red-back); }
.verdict.others { color: var(--amber); background: var(--amber-back); }
.verdict.clean { color: var(--green); background: var(--green-back); }
.note { margin: 18px 0 0; padding: 10px 14px; border-radius: 8px;
  background: var(--amber-back); border: 1px solid var(--line); }
dl.facts { display: flex; flex-wrap: wrap; margin: 22px 0 0;
  background: var(--surface); border: 1px solid var(--line);
  border-radius: 10px; overflow: hidden; }
dl.facts > div { flex: 1 1 118px; padding: 11px 16px;
  box-shadow: -1px -1px 0 var(--line); }
dl.facts dt { color: var(--muted); font-size: 12.5px; }
dl.facts dd { margin: 0; font-size: 19px; font-weight: 600;
  font-variant-numeric: tabular-nums; white-space: nowrap; }
section { margin-top: 38px; }
.bar { display: flex; flex-wrap: wrap; align-items: center; gap: 8px;
  margin-bottom: 12px; }
.bar h2 { margin-right: auto; }
.bar input { width: 250px; }
.panel { background: var(--surface); border: 1px solid var(--line);
  border-radius: 10px; overflow: hidden; }
.empty { padding: 26px 18px; text-align: center; color: var(--muted); }
.more { display: flex; gap: 8px; justify-content: center; align-items: center;
  padding: 10px; border-top: 1px solid var(--line); }

table { width: 100%; border-collapse: collapse; }
th { text-align: left; font-weight: 500; font-size: 12.5px; padding: 0;
  color: var(--muted); border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th button { border: 0; border-radius: 0; background: none; padding: 8px 14px;
  width: 100%; text-align: inherit; font-weight: inherit; }
th[aria-sort] button { color: var(--text); }
th[aria-sort="ascending"] button::after { content: " \2191"; }
th[aria-sort="descending"] button::after { content: " \2193"; }
td { padding: 8px 14px; vertical-align: top;
  border-top: 1px solid var(--line); }
tbody tr:first-child > td { border-top: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; }
.name { overflow-wrap: anywhere; }

tr.finding { cursor: pointer; }
tr.finding:hover > td, tr.finding.open > td { background: var(--sunken); }
tr.finding .path { font-family: var(--mono); font-size: 12.5px;
  overflow-wrap: anywhere; }
tr.finding .path b { font-weight: 650; }
tr.finding .path small { color: var(--muted); }
tr.finding .path::before { content: "\25B8"; display: inline-block;
  width: 15px; color: var(--muted); }
tr.finding.open .path::before { content: "\25BE"; }
tr.finding.known .path { color: var(--muted); }
.tag { display: inline-block; border-radius: 4px; padding: 0 7px;
  font-size: 12.5px; white-space: nowrap; background: var(--sunken); }
.tag.leak { color: var(--red); background: var(--red-back); font-weight: 600; }
.tag.other { color: var(--amber); background: var(--amber-back); }
.tag.is-known { color: var(--muted); background: var(--sunken);
  font-weight: 400; }
td.detail { background: var(--sunken); border-top: 0;
  padding: 4px 18px 18px 76px; }
.detail dl { display: grid; grid-template-columns: max-content 1fr;
  gap: 2px 14px; margin: 12px 0 0; font-size: 13px; }
.detail dt { color: var(--muted); }
.detail dd { margin: 0; overflow-wrap: anywhere; }

.graph { display: flex; flex-wrap: wrap; align-items: stretch; gap: 10px 0;
  margin: 6px 0 0; padding: 0; list-style: none; }
.graph li { display: flex; align-items: center; max-width: 100%; }
.arrow { display: flex; flex-direction: column; align-items: center;
  min-width: 54px; max-width: 260px; padding: 0 2px; margin-bottom: 17px; }
.arrow span { font-family: var(--mono); font-size: 12px; padding: 0 9px 0 5px;
  overflow-wrap: anywhere; line-height: 17px; }
.arrow i { position: relative; align-self: stretch; height: 0;
  border-top: 1.5px solid var(--muted); margin: 2px 1px 0; }
.arrow i::after { content: ""; position: absolute; right: 0; top: -4.5px;
  width: 6px; height: 6px; transform: rotate(45deg);
  border: solid var(--muted); border-width: 1.5px 1.5px 0 0; }
.arrow.last span { color: var(--red); font-weight: 600; }
.arrow.last i, .arrow.last i::after { border-color: var(--red); }
.box { background: var(--surface); border: 1px solid var(--strong-line);
  border-radius: 7px; padding: 5px 11px; max-width: 300px; min-width: 0; }
.box b { display: block; font-weight: 600; font-size: 13px;
  overflow-wrap: anywhere; line-height: 1.35; }
.box small { color: var(--muted); font-family: var(--mono); font-size: 11px; }
.box.target { border-color: var(--red); background: var(--red-back);
  border-style: dashed; }
.box.target b { color: var(--red); }
.box.elided { border-style: dotted; color: var(--muted); }
.quiet .arrow.last span { color: var(--amber); }
.quiet .arrow.last i, .quiet .arrow.last i::after {
  border-color: var(--amber); }
.quiet .box.target { border-color: var(--amber);
  background: var(--amber-back); }
.quiet .box.target b { color: var(--amber); }

.swatch { display: inline-block; width: 10px; height: 10px; border-radius: 3px;
  margin-right: 8px; vertical-align: -0.5px; }
.swatch.hollow { border: 1.5px solid var(--freed); }
.share { display: flex; align-items: center; gap: 10px; min-width: 180px; }
.share span { flex: 1; height: 7px; border-radius: 4px;
  background: var(--unused); overflow: hidden; }
.share i { display: block; height: 100%; border-radius: 4px; min-width: 2px; }
.share b { font-weight: 400; width: 58px; text-align: right;
  white-space: nowrap;
  font-variant-numeric: tabular-nums; }

.legend { display: flex; flex-wrap: wrap; gap: 3px 18px; font-size: 12.5px;
  padding: 12px 16px; border-bottom: 1px solid var(--line); }
.legend span { overflow-wrap: anywhere; }
.chunk { padding: 11px 16px 13px; border-top: 1px solid var(--line); }
.legend + .chunk { border-top: 0; }
.chunk h3 { display: flex; flex-wrap: wrap; gap: 2px 14px; font-size: 13px;
  font-weight: 600; margin: 0 0 7px; }
.chunk h3 span { font-weight: 400; color: var(--muted); }
.chunk canvas { display: block; width: 100%; }
#tip { position: fixed; z-index: 9; pointer-events: none; max-width: 440px;
  background: var(--surface); border: 1px solid var(--strong-line);
  border-radius: 8px; padding: 8px 12px; font-size: 12.5px;
  box-shadow: 0 4px 18px rgb(0 0 0 / 18%); overflow-wrap: anywhere; }
#tip div:first-child { font-weight: 600; }
#tip .bad { color: var(--red); }
footer { margin-top: 44px; color: var(--muted); font-size: 12.5px; }
@media (max-width: 760px) {
  main { padding: 18px 14px 40px; }
  .wide { display: none; }
  td.detail { padding-left: 18px; }
  .bar input { width: 100%; }
}
@media print {
  :root { --back: #fff; }
  .bar input, .bar select, #theme, .more button { display: none; }
}
)css";
}

}  // namespace acre::inline ACRE_ABI::detail
