// SPDX-License-Identifier: MIT
//
// Drives the HTML report from inside, as its user would. html_report adds this
// to the page, after `const page = NAME`, and reads the result.

const lines = [];
const check = (name, holds) =>
  lines.push((holds ? "ok" : "FAILED") + " page " + page + ": " + name);
const set = (id, value) => {
  $(id).value = value;
  $(id).dispatchEvent(new Event("input"));
};
const rows = () => [...document.querySelectorAll("tr.finding")];
const targets = () =>
  rows().map((row) => row.querySelector(".tag").textContent).join();
const names = () => [...$("type-rows").rows].map((row) =>
  row.cells[0].textContent);
const head = (table, key) =>
  document.querySelector(`#${table} th[data-sort=${key}] button`);
const isSorted = (texts) => texts.every((text, i) =>
  i === 0 || collator.compare(texts[i - 1], text) <= 0);

// Moves the mouse onto a cell of the map, or clicks it.
function point(chunk, cell, type) {
  const box = chunk.canvas.getBoundingClientRect();
  const x = 4 + (cell % chunk.columns) * kSide;
  const y = 4 + Math.floor(cell / chunk.columns) * kSide;
  chunk.canvas.dispatchEvent(new MouseEvent(type,
    { bubbles: true, clientX: box.left + x, clientY: box.top + y }));
}
function pixel(chunk, cell) {
  const scale = chunk.canvas.width / chunk.canvas.clientWidth;
  const x = 4 + (cell % chunk.columns) * kSide;
  const y = 4 + Math.floor(cell / chunk.columns) * kSide;
  return [...chunk.canvas.getContext("2d")
    .getImageData(x * scale, y * scale, 1, 1).data];
}

function checkAll() {
  check("loads nothing",
    performance.getEntriesByType("resource").length === 0);
  check("has no script but its own", document.scripts.length === 3);
  check("is not wider than the window",
    document.documentElement.scrollWidth <= innerWidth);
  const before = getComputedStyle(document.body).backgroundColor;
  $("theme").click();
  check("can be light and dark",
    getComputedStyle(document.body).backgroundColor !== before);
  $("theme").click();
  check("shows every chunk", audit.chunks.length > 0 &&
    document.querySelectorAll("canvas").length === audit.chunks.length);
  check("says in release builds what is missing", audit.checked ||
    $("note").textContent.includes("release build"));
}

function checkTypes() {
  check("lists types", names().length === Math.min(12, audit.types.length));
  head("type-table", "name").click();
  check("sorts types by name", isSorted(names()));
  head("type-table", "name").click();
  check("and backwards", isSorted(names().reverse()));
  head("type-table", "bytes").click();
  check("sorts types by bytes", names()[0].includes(audit.types[0].name));
  set("type-search", "LEVEL");
  check("searches types", names().length > 0 &&
    names().every((name) => name.includes("Level")));
  set("type-search", "no such type");
  check("says where no type matches", !$("type-none").hidden);
  set("type-search", "");
}

function checkClean() {
  check("says that it is clean",
    $("verdict").textContent === "No findings" && !$("finding-none").hidden);
  check("offers no filters where nothing is to filter",
    $("finding-search").hidden && $("filter-kind").hidden);
}

function checkSearch() {
  set("finding-search", "map06 TARGET");
  check("searches findings", rows().length === 1 &&
    $("finding-count").textContent === "1 of " + count(audit.listed.length));
  set("finding-search", "no such finding");
  check("says where no finding matches", rows().length === 0 &&
    $("finding-none").textContent === "No finding matches.");
  set("finding-search", "");
}

function checkFilters() {
  set("filter-target", "another arena");
  check("filters by target", targets() === "another arena");
  set("filter-target", "");
  set("filter-known", "known");
  check("filters what is known", rows().length === (audit.known ? 1 : 0));
  set("filter-known", "new");
  check("filters what is new",
    rows().length === audit.listed.length - audit.known);
  set("filter-known", "");
  set("filter-kind", "pointer");
  check("filters by kind", rows().length ===
    audit.listed.filter((finding) => finding.kind === "pointer").length);
  set("filter-kind", "");
}

function checkSort() {
  const first = targets();
  head("finding-table", "target").click();
  check("sorts findings", isSorted(targets().split(",")));
  head("finding-table", "target").click();
  check("sorts backwards", isSorted(targets().split(",").reverse()));
  head("finding-table", "target").click();
  check("a third click is as it was", targets() === first);
}

function checkGraph() {
  check("leaks come first, one is open",
    targets().startsWith("collected heap") &&
    document.querySelectorAll("td.detail").length === 1);
  const graph = document.querySelector(".graph");
  check("a path is boxes and arrows",
    graph.querySelectorAll(".box").length ===
      audit.listed[0].steps.length + 1 &&
    graph.querySelectorAll(".arrow").length === audit.listed[0].steps.length);
  const red = getComputedStyle(graph.querySelector(".arrow.last span")).color;
  const other = getComputedStyle(graph.querySelector(".arrow span")).color;
  check("the last arrow is red", red !== other &&
    graph.lastChild.textContent.includes("collected heap"));
  rows()[1].click();
  check("a click opens", document.querySelectorAll("td.detail").length === 2);
  rows()[1].dispatchEvent(new KeyboardEvent("keydown", { key: "Enter" }));
  check("Enter closes", document.querySelectorAll("td.detail").length === 1);
}

function checkMap() {
  const [number, cell] = audit.listed[0].at;
  const chunk = audit.chunks[number];
  const [red, green, blue] = pixel(chunk, cell);
  check("a finding is red in the map", red > 150 && green < 130 && blue < 130);
  point(chunk, cell, "mousemove");
  check("the map tells the block and the finding", !$("tip").hidden &&
    $("tip").textContent.includes(audit.listed[0].path) &&
    (!audit.checked || $("tip").textContent.includes("Thing, ")));
  set("finding-search", "another");
  point(chunk, cell, "click");
  check("a click in the map leads to the finding",
    rows().length === audit.listed.length &&
    rows()[0].classList.contains("open"));
  const last = chunk.grid.length - 1;
  point(chunk, last, "mousemove");
  check("the map tells what is not used",
    used(chunk, last) > 0 || $("tip").textContent.startsWith("Not yet used"));
}

function checkHostile() {
  set("filter-like", "all");
  const name = "<\/script><script>alert(1)<\/script>&lt;";
  check("shows names as they are", $("arena").textContent === name &&
    rows().some((row) => row.textContent.includes(name)));
  check("shows other bytes as such",
    rows().some((row) => row.textContent.includes("\\xff\\xc3 ")));
}

function checkMany() {
  check("shows one of each fault", rows().length === 1 &&
    rows()[0].textContent.includes("and 9,999 more like it") &&
    $("finding-count").textContent === "1 of 10,000");
  set("finding-search", "things[3990]");
  check("of those that match, too", rows().length === 1 &&
    rows()[0].textContent.includes("things[3990]"));
  set("finding-search", "");
  set("filter-like", "all");
  check("shows few at first", rows().length === findings.step);
  [...$("finding-more").querySelectorAll("button")].pop().click();
  check("shows all on request", rows().length === 10000 &&
    $("finding-more").hidden);
  set("finding-search", "things[3990]");
  check("searches ten thousand", rows().length > 0 && rows().length <= 32);
  set("finding-search", "");
  check("tells what is not listed",
    $("note").textContent.includes("not listed"));
}

const checks = {
  clean: [checkClean],
  few: [checkGraph, checkSearch, checkFilters, checkSort, checkMap],
  hostile: [checkHostile],
  many: [checkMany],
}[page];
for (const body of [checkAll, ...(audit.checked ? [checkTypes] : []),
  ...checks]) {
  try {
    body();
  } catch (error) {
    lines.push("FAILED page " + page + ": " + body.name + ": " + error);
  }
}
// Lines of their own, so that whoever reads the page's text finds them.
document.body.append(make("pre", { id: "test-result" }, lines.join("\n")));
