// SPDX-License-Identifier: MIT
//
// The script of the HTML report for memory: by type, and as a map of chunks.

#include "page.h"

namespace acre::inline ACRE_ABI::detail {

std::string_view MemoryScript() {
  return R"js(
// ---- memory by type

const kColors = 8;  // types with a colour of their own
const colorOf = (type) => "var(" + (type < kColors ? "--t" + type : "--other") +
  ")";
const typeBytes = audit.types.reduce((sum, type) => sum + type.bytes, 0);
audit.types.forEach((type, i) => { type.rank = i; });

function typeRow(type) {
  const background = colorOf(type.rank);
  const width = (100 * type.bytes) / Math.max(1, typeBytes) + "%";
  return make("tr", {},
    make("td", { className: "name" },
      make("span", { className: "swatch", style: { background } }), type.name),
    make("td", { className: "number" }, count(type.blocks)),
    make("td", { className: "number", title: count(type.bytes) + " bytes" },
      size(type.bytes)),
    make("td", { className: "wide" }, make("div", { className: "share" },
      make("span", {}, make("i", { style: { width, background } })),
      make("b", {}, percent(type.bytes, typeBytes)))));
}
const types = new List({
  name: "type", table: "type-table", items: audit.types, step: 12,
  row: typeRow,
  columns: {
    name: { title: "Type", value: (type) => type.name },
    blocks: { title: "Blocks", value: (type) => type.blocks, down: true },
    bytes: { title: "Bytes", value: (type) => type.bytes, down: true },
    share: { title: "Share", value: (type) => type.bytes, down: true },
  },
});
function filterTypes() {
  const wanted = $("type-search").value.toLowerCase();
  types.keeps = (type) => type.name.toLowerCase().includes(wanted);
  types.show();
}
$("type-search").addEventListener("input", filterTypes);
$("type-search").hidden = audit.types.length < 2;
$("type-count").textContent = audit.types.length === 0 ? ""
  : counted(audit.types.length, "type") + ", " + size(typeBytes) + " live";
$("type-none").textContent = !audit.checked
  ? "A release build does not know what its blocks hold."
  : audit.types.length === 0 ? "The arena is empty." : "No type matches.";
filterTypes();

$("garbage").hidden = audit.garbage.length === 0;
$("garbage-rows").append(...audit.garbage.map((garbage) => make("tr", {},
  make("td", { className: "name" }, garbage.type),
  make("td", { className: "number" }, count(garbage.blocks)),
  make("td", { className: "number" }, size(garbage.bytes)))));

// ---- the map: a canvas for each chunk, a square for each cell

// Cells come as runs of equal ones: [how many, type or -1, blocks, live bytes,
// freed bytes, offset of the last block, its bytes].
function unpack(chunk) {
  chunk.grid = chunk.cells.flatMap(([n, ...cell]) => Array(n).fill(cell));
  chunk.findings = new Map();
}
audit.chunks.forEach(unpack);
for (const finding of audit.listed) {
  if (finding.at === null) continue;
  const { findings } = audit.chunks[finding.at[0]];
  const cell = finding.at[1];
  if (!findings.has(cell)) findings.set(cell, []);
  findings.get(cell).push(finding);
}
const cellCount = audit.chunks.reduce((n, c) => n + c.grid.length, 0);
const kSide = cellCount <= 5000 ? 9 : 7;  // pixels from cell to cell

const used = (chunk, i) => Math.max(0,
  Math.min(audit.cell_bytes, chunk.used - i * audit.cell_bytes));

function paletteNow() {
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(name).trim();
  return {
    types: Array.from({ length: kColors }, (_, i) => color("--t" + i)),
    other: color("--other"), freed: color("--freed"), lost: color("--lost"),
    unused: color("--unused"), red: color("--red"),
  };
}

function drawCell(context, palette, chunk, i, x, y) {
  const [type, , live, freed] = chunk.grid[i];
  const inUse = used(chunk, i);
  const side = kSide - 1;
  const fill = (color, alpha) => {
    context.globalAlpha = alpha;
    context.fillStyle = color;
    context.fillRect(x, y, side, side);
  };
  const isFreed = freed * 2 > inUse - live;
  fill(inUse === 0 || isFreed ? palette.unused : palette.lost, 1);
  if (inUse > 0 && isFreed && live === 0) {
    context.strokeStyle = palette.freed;
    context.strokeRect(x + 0.5, y + 0.5, side - 1, side - 1);
  }
  // A cell that is partly in use shows by its tint how much of it is.
  if (live > 0) {
    const color = type >= 0 && type < kColors ? palette.types[type]
      : type < 0 ? palette.types[0] : palette.other;
    fill(color, 0.3 + 0.7 * Math.min(1, live / inUse));
  }
  if (chunk.findings.has(i)) {
    fill(palette.red, 1);
    context.fillRect(x - 1, y - 1, side + 2, side + 2);
  }
}

function draw(chunk) {
  const { canvas } = chunk;
  const width = canvas.clientWidth;
  if (width === 0) return;
  const columns = Math.max(1, Math.floor((width - 1) / kSide));
  const height = Math.ceil(chunk.grid.length / columns) * kSide + 1;
  const scale = window.devicePixelRatio || 1;
  chunk.columns = columns;
  canvas.style.height = height + "px";
  canvas.width = width * scale;
  canvas.height = height * scale;
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  const palette = paletteNow();
  for (let i = 0; i < chunk.grid.length; ++i) {
    drawCell(context, palette, chunk, i, 1 + (i % columns) * kSide,
      1 + Math.floor(i / columns) * kSide);
  }
}

// ---- what a cell holds, in words

const plus = (n) => "+0x" + n.toString(16);
function wordsOf(chunk, i) {
  const [type, blocks, live, freed, offset, bytes] = chunk.grid[i];
  const inUse = used(chunk, i);
  const name = type >= 0 ? audit.types[type].name : "";
  const at = chunk.address + " " + plus(i * audit.cell_bytes);
  const lost = inUse - live - freed;
  if (inUse === 0) return ["Not yet used", at];
  if (!audit.checked) return ["Handed out: " + size(inUse), at];
  if (blocks === 0) return ["No block: alignment, or the arena's own", at];
  if (blocks === 1) {
    return [(live > 0 ? name : freed > 0 ? "Freed block" : "Empty block") +
      ", " + counted(bytes, "byte"),
      "Block at " + chunk.address + " " + plus(offset)];
  }
  return [counted(blocks, "block") + (name ? ", mostly " + name : ", freed"),
    size(live) + " live, " + size(freed) + " freed, " + size(lost) + " lost",
    at];
}
function showTip(chunk, i, event) {
  const found = chunk.findings.get(i) || [];
  const lines = wordsOf(chunk, i).map((text) => make("div", {}, text));
  for (const finding of found.slice(0, 3)) {
    lines.push(make("div", { className: "bad" },
      "#" + count(finding.number) + " " + finding.path));
  }
  if (found.length > 3) {
    lines.push(make("div", { className: "bad" },
      "and " + counted(found.length - 3, "finding") + " more"));
  }
  const tip = $("tip");
  tip.replaceChildren(...lines);
  tip.hidden = false;
  const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
  const above = event.clientY + 18 + tip.offsetHeight > innerHeight;
  tip.style.left = Math.max(8, left) + "px";
  tip.style.top = (above ? event.clientY - 12 - tip.offsetHeight
    : event.clientY + 18) + "px";
}
function cellAt(chunk, event) {
  const column = Math.floor((event.offsetX - 1) / kSide);
  const i = Math.floor((event.offsetY - 1) / kSide) * chunk.columns + column;
  const isCell = column >= 0 && column < chunk.columns && i >= 0 &&
    i < chunk.grid.length;
  return isCell ? i : -1;
}

// ---- all chunks

function titleOf(chunk, i) {
  const about = [chunk.address, size(chunk.capacity)];
  about.push(chunk.is_spare ? "spare: kept for later"
    : percent(chunk.used, chunk.capacity) + " handed out");
  if (chunk.is_large) about.push("one large block");
  if (chunk.findings.size > 0) {
    let total = 0;
    chunk.findings.forEach((found) => { total += found.length; });
    about.push(counted(total, "finding"));
  }
  return make("h3", {}, "Chunk " + count(i + 1),
    ...about.map((text) => make("span", {}, text)));
}
function chunkOf(chunk, i) {
  const canvas = make("canvas", { role: "img",
    "aria-label": "Map of chunk " + (i + 1) });
  chunk.canvas = canvas;
  canvas.addEventListener("mousemove", (event) => {
    const cell = cellAt(chunk, event);
    if (cell < 0) { $("tip").hidden = true; return; }
    showTip(chunk, cell, event);
    canvas.style.cursor = chunk.findings.has(cell) ? "pointer" : "default";
  });
  canvas.addEventListener("mouseleave", () => { $("tip").hidden = true; });
  canvas.addEventListener("click", (event) => {
    const found = chunk.findings.get(cellAt(chunk, event));
    if (found) goTo(found[0]);
  });
  return make("div", { className: "chunk" }, titleOf(chunk, i), canvas);
}

function legend() {
  const entry = (background, text, look) => make("span", {},
    make("i", { className: "swatch " + (look || ""), style: { background } }),
    text);
  const entries = audit.types.slice(0, kColors).map((type) =>
    entry(colorOf(type.rank), type.name));
  if (audit.types.length > kColors) {
    entries.push(entry("var(--other)", "other types"));
  }
  if (audit.checked) {
    entries.push(entry("var(--unused)", "freed", "hollow"),
      entry("var(--lost)", "lost to rounding"));
  } else {
    entries.push(entry("var(--t0)", "handed out"));
  }
  entries.push(entry("var(--unused)", "not yet used"),
    entry("var(--red)", "a finding"));
  return make("div", { className: "legend" }, ...entries);
}

const kFirstChunks = 64;  // shown at once; an arena may have thousands
const visibleChunks = [];
function showChunks(limit) {
  const chunks = audit.chunks.slice(visibleChunks.length, limit);
  const made = chunks.map((chunk, i) =>
    chunkOf(chunk, visibleChunks.length + i));
  $("chunks").append(...made);
  visibleChunks.push(...chunks);
  chunks.forEach(draw);
  if (limit >= audit.chunks.length) return;
  const more = make("div", { className: "more" });
  const button = make("button", { type: "button" },
    "Show all " + count(audit.chunks.length) + " chunks");
  button.addEventListener("click", () => {
    more.remove();
    showChunks(audit.chunks.length);
  });
  more.append(button);
  $("chunks").append(more);
}

$("chunk-count").textContent = audit.chunks.length === 0 ? ""
  : counted(audit.chunks.length, "chunk") + ", a square is " +
    size(audit.cell_bytes);
if (audit.chunks.length === 0) {
  $("chunks").append(make("div", { className: "empty" },
    "The arena holds no memory."));
} else {
  $("chunks").append(legend());
  showChunks(kFirstChunks);
}
const redraw = () => visibleChunks.forEach(draw);
document.addEventListener("theme", redraw);
let redrawing = 0;
window.addEventListener("resize", () => {
  cancelAnimationFrame(redrawing);
  redrawing = requestAnimationFrame(redraw);
});
)js";
}

}  // namespace acre::inline ACRE_ABI::detail
