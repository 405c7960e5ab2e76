// SPDX-License-Identifier: MIT
//
// The scripts of the HTML report that its sections share, and its head.

#include "page.h"

namespace acre::inline ACRE_ABI::detail {

std::string_view PageScript() {
  return R"js(
"use strict";
const audit = JSON.parse(document.getElementById("audit-data").textContent);
const $ = (id) => document.getElementById(id);

// An element with text and children. Never takes markup: names may hold any.
function make(tag, options, ...children) {
  const element = document.createElement(tag);
  const { className, style, ...rest } = options || {};
  if (className) element.className = className;
  if (style) Object.assign(element.style, style);
  for (const key in rest) element.setAttribute(key, rest[key]);
  element.append(...children.filter((child) => child != null));
  return element;
}

const count = (n) => n.toLocaleString("en-US");
const counted = (n, what) => count(n) + " " + what + (n === 1 ? "" : "s");
function size(bytes) {
  if (bytes < 1024) return count(bytes) + " B";
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let unit = -1;
  while (bytes >= 1024 && unit < 3) { bytes /= 1024; ++unit; }
  return (bytes < 10 ? bytes.toFixed(1) : Math.round(bytes)) + " " +
    units[unit];
}
function percent(part, whole) {
  const share = whole === 0 ? 0 : (100 * part) / whole;
  return share !== 0 && share < 0.1 ? "< 0.1 %" : share.toFixed(1) + " %";
}
const collator = new Intl.Collator("en", { numeric: true });
const compare = (a, b) =>
  typeof a === "number" ? a - b : collator.compare(a, b);

// A table that is searched, sorted by clicks on its head, and shown in pieces:
// ten thousand rows at once would make the page slow.
class List {
  constructor({ name, table, columns, items, step, row }) {
    Object.assign(this, { name, columns, items, step, row, limit: step });
    this.rows = $(name + "-rows");
    this.keeps = () => true;
    this.sort = { key: null, down: false };
    this.heads = [...$(table).querySelectorAll("th[data-sort]")];
    for (const head of this.heads) this.addHead(head);
  }
  addHead(head) {
    const column = this.columns[head.dataset.sort];
    const button = make("button", { type: "button" }, column.title);
    button.addEventListener("click", () => this.sortBy(head.dataset.sort));
    head.append(button);
  }
  // First click: the column's own direction; then the other; then none.
  sortBy(key) {
    const first = this.columns[key].down === true;
    if (this.sort.key !== key) this.sort = { key, down: first };
    else if (this.sort.down === first) this.sort.down = !first;
    else this.sort = { key: null, down: false };
    this.show();
  }
  shown() {
    const found = this.items.filter(this.keeps);
    const { key, down } = this.sort;
    if (key === null) return found;
    const value = this.columns[key].value;
    const sign = down ? -1 : 1;
    return found.sort((a, b) => sign * compare(value(a), value(b)));
  }
  show(limit) {
    this.limit = limit || this.step;
    const found = this.shown();
    for (const head of this.heads) {
      if (head.dataset.sort !== this.sort.key) {
        head.removeAttribute("aria-sort");
      } else {
        head.setAttribute("aria-sort",
          this.sort.down ? "descending" : "ascending");
      }
    }
    this.rows.replaceChildren(...found.slice(0, this.limit).map(this.row));
    $(this.name + "-table").hidden = found.length === 0;
    $(this.name + "-none").hidden = found.length !== 0;
    this.showMore(found.length);
    return found;
  }
  showMore(total) {
    const more = $(this.name + "-more");
    more.hidden = total <= this.limit;
    if (more.hidden) return;
    const button = (text, limit) => {
      const made = make("button", { type: "button" }, text);
      made.addEventListener("click", () => this.show(limit));
      return made;
    };
    more.replaceChildren(
      make("span", { className: "muted" },
        count(this.limit) + " of " + count(total)),
      button("Show " + count(this.step) + " more", this.limit + this.step),
      button("Show all", total));
  }
}

// ---- the head of the page

function showHead() {
  document.title = "Audit of " + audit.arena;
  $("arena").textContent = audit.arena;
  const total = audit.listed.length + audit.omitted;
  const verdict = $("verdict");
  verdict.className = "verdict " +
    (audit.leaks ? "leaks" : total ? "others" : "clean");
  const leaks = counted(audit.leaks, "leak");
  verdict.textContent = total === 0 ? "No findings"
    : total === audit.leaks ? leaks
    : leaks + " among " + counted(total, "finding");
  const notes = [audit.note, audit.omitted === 0 ? "" :
    count(audit.omitted) + " more findings are not listed."];
  if (!audit.checked) {
    notes.unshift("This is a release build: it knows chunks, not blocks. " +
      "Memory by type, and single blocks, are told by checked builds.");
  }
  const told = notes.filter((text) => text);
  $("note").hidden = told.length === 0;
  $("note").replaceChildren(...told.map((text) =>
    make("div", {}, text[0].toUpperCase() + text.slice(1))));
  showFacts();
}

function showFacts() {
  const { stats } = audit;
  const facts = [
    ["Live", size(stats.live)],
    ["Reserved", size(stats.reserved)],
    ["Freed, for reuse", size(stats.freed)],
    ["Chunks", count(stats.chunks + stats.large_blocks)],
    ["Objects walked", count(audit.objects)],
    ["Pointers", count(audit.pointers)],
    ["Known", count(audit.known)],
    ["Reviewed", count(audit.reviewed)],
  ];
  $("facts").append(...facts.map(([name, value]) =>
    make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  $("theme").textContent = theme === "dark" ? "Light" : "Dark";
  document.dispatchEvent(new Event("theme"));
}
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
setTheme(prefersDark.matches ? "dark" : "light");
prefersDark.addEventListener("change", () =>
  setTheme(prefersDark.matches ? "dark" : "light"));
$("theme").addEventListener("click", () => setTheme(
  document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
showHead();
)js";
}

}  // namespace acre::inline ACRE_ABI::detail
