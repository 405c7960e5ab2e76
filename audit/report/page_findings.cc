// SPDX-License-Identifier: MIT
//
// The script of the HTML report for findings: their list, and the retaining
// path of each as a row of boxes.

#include "page.h"

namespace acre::inline ACRE_ABI::detail {

std::string_view FindingsScript() {
  return R"js(
// ---- findings

// New leaks first, what is known last; else as the audit found them.
const weight = (finding) => (finding.is_known ? 2 : finding.is_leak ? 0 : 1);
audit.listed.sort((a, b) => weight(a) - weight(b));
audit.listed.forEach((finding, i) => {
  finding.number = i + 1;
  finding.text = [finding.path, finding.type, finding.kind, finding.target,
    finding.what, finding.slot, finding.address].join("\n").toLowerCase();
});
const open = new Set();  // findings that show their path

const findings = new List({
  name: "finding", table: "finding-table", items: audit.listed, step: 40,
  row: (finding) => rowOf(finding),
  columns: {
    number: { title: "#", value: (finding) => finding.number },
    path: { title: "Path", value: (finding) => finding.path },
    kind: { title: "Held by", value: (finding) => finding.kind },
    target: { title: "Leads to", value: (finding) => finding.target },
  },
});

// ---- the path of one, as boxes and arrows

function arrow(part, isLast) {
  return make("div", { className: "arrow" + (isLast ? " last" : "") },
    make("span", {}, part || "\u00a0"), make("i"));
}
function box(className, title, address) {
  return make("div", { className: "box " + className, title },
    make("b", {}, title), address ? make("small", {}, address) : null);
}
function stepOf(step, i) {
  const into = i === 0 ? null : arrow(step.part, false);
  if (step.type !== "") return [into, box("", step.type, step.address)];
  const text = /\.\.\.\((\d+) more\)\.\.\.$/.exec(step.part);
  return [into && arrow(text ? step.part.slice(0, text.index) : step.part),
    box("elided", text ? count(+text[1]) + " more" : "\u2026", null)];
}
function graphOf(finding) {
  const parts = finding.steps.map(stepOf);
  if (parts.length === 0) parts.push([null, box("", finding.path, null)]);
  parts.push([arrow(finding.field, true),
    box("target", finding.target, finding.address)]);
  return make("ol", { className: "graph" + (finding.is_leak ? "" : " quiet") },
    ...parts.map((pair) =>
      make("li", {}, ...pair.filter((part) => part !== null))));
}

function detailOf(finding) {
  const facts = [
    ["What to do", finding.hint],
    ["Found", finding.what],
    ["Type", finding.type],
    ["Pointer at", finding.slot],
    ["Certainty", finding.certainty],
    ["Identity", finding.identity],
  ].filter((fact) => fact[1]);
  const cell = make("td", { className: "detail", colspan: "4" },
    graphOf(finding),
    make("dl", {}, ...facts.flatMap(([name, value]) => [make("dt", {}, name),
      make("dd", {}, name === "What to do" ? value
        : make("code", {}, value))])));
  return make("tr", {}, cell);
}

// ---- the list

function pathOf(finding) {
  const { path, field } = finding;
  const cut = field !== "" && path.endsWith(field) ? path.length - field.length
    : path.length;
  const others = finding.others === 0 ? null
    : make("small", {}, " and " + count(finding.others) + " more like it");
  return make("td", { className: "path" }, path.slice(0, cut),
    make("b", {}, path.slice(cut)), others);
}
function rowOf(finding) {
  const isOpen = open.has(finding);
  const state = finding.is_leak ? "leak" : "other";
  const row = make("tr", {
      className: "finding" + (isOpen ? " open" : "") +
        (finding.is_known ? " known" : ""),
      tabindex: "0", "aria-expanded": isOpen, id: "finding-" + finding.number },
    make("td", { className: "muted" }, count(finding.number)),
    pathOf(finding),
    make("td", { className: "wide" }, finding.kind),
    make("td", {},
      make("span", { className: "tag " + state +
        (finding.is_known ? " is-known" : "") }, finding.target),
      finding.is_known ? make("span", { className: "muted" }, " known")
        : null));
  row.addEventListener("click", () => toggle(finding, row));
  row.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    toggle(finding, row);
  });
  if (!isOpen) return row;
  const both = document.createDocumentFragment();
  both.append(row, detailOf(finding));
  return both;
}
function toggle(finding, row) {
  const isOpen = !open.has(finding);
  if (isOpen) open.add(finding); else open.delete(finding);
  row.classList.toggle("open", isOpen);
  row.setAttribute("aria-expanded", isOpen);
  if (isOpen) row.after(detailOf(finding)); else row.nextSibling.remove();
}

function fillFilter(id, key, all) {
  const values = [...new Set(audit.listed.map((finding) => finding[key]))];
  $(id).append(make("option", { value: "" }, all),
    ...values.sort().map((value) => make("option", { value }, value)));
}
function filterFindings() {
  const words = $("finding-search").value.toLowerCase().split(/\s+/);
  const kind = $("filter-kind").value;
  const target = $("filter-target").value;
  const known = $("filter-known").value;
  keepOneOfEach((finding) =>
    (kind === "" || finding.kind === kind) &&
    (target === "" || finding.target === target) &&
    (known === "" || finding.is_known === (known === "known")) &&
    words.every((word) => finding.text.includes(word)));
  showFindings();
}
// Findings of one identity are one fault, shown as the first of those that
// match, unless all are asked for.
function keepOneOfEach(matches) {
  const all = $("filter-like").value === "all";
  const first = new Map();
  const kept = new Set();
  for (const finding of audit.listed.filter(matches)) {
    const fault = finding.is_known + finding.identity;
    finding.others = 0;
    if (!all && first.has(fault)) {
      ++first.get(fault).others;
    } else {
      first.set(fault, finding);
      kept.add(finding);
    }
  }
  findings.keeps = (finding) => kept.has(finding);
}
function showFindings(limit) {
  const shown = findings.show(limit).length;
  const total = audit.listed.length;
  $("finding-count").textContent =
    shown === total ? count(total) : count(shown) + " of " + count(total);
}
// Shows one finding, whatever the filters say.
function goTo(finding) {
  for (const id of ["finding-search", "filter-kind", "filter-target",
    "filter-known"]) $(id).value = "";
  $("filter-like").value = "all";
  findings.sort = { key: null, down: false };
  filterFindings();
  open.add(finding);
  showFindings(Math.max(findings.step, finding.number));
  $("finding-" + finding.number).scrollIntoView({ block: "center" });
}

fillFilter("filter-kind", "kind", "Held by anything");
fillFilter("filter-target", "target", "Leading anywhere");
for (const id of ["finding-search", "filter-kind", "filter-target",
  "filter-known", "filter-like"]) {
  $(id).addEventListener("input", filterFindings);
}
$("finding-none").textContent = audit.listed.length === 0
  ? "Nothing was found: every pointer leads to where it may."
  : "No finding matches.";
for (const control of document.querySelectorAll("#findings .bar > :not(h2)")) {
  control.hidden = audit.listed.length === 0;
}
if (audit.listed.length > 0) open.add(audit.listed[0]);
filterFindings();
)js";
}

}  // namespace acre::inline ACRE_ABI::detail
