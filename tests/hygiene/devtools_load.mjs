// SPDX-License-Identifier: MIT
//
// Loads heap snapshots with the code of Chrome DevTools' Memory panel, which a
// running Chromium serves, and checks what it makes of them.
//
//   node devtools_load.mjs PORT FOLDER SNAPSHOT...

import fs from "node:fs";
import path from "node:path";

const [port, folder, ...snapshots] = process.argv.slice(2);
const frontend = path.join(folder, "frontend");
const worker = "entrypoints/heap_snapshot_worker/heap_snapshot_worker.js";

// Some versions of node are older than what the frontend is written for.
Promise.withResolvers ??= () => {
  const made = {};
  made.promise = new Promise((resolve, reject) =>
    Object.assign(made, { resolve, reject }));
  return made;
};

// Fetches a module and all that it imports.
async function fetchModule(name, seen) {
  if (seen.has(name)) return;
  seen.add(name);
  const response = await fetch(`http://127.0.0.1:${port}/devtools/${name}`);
  if (!response.ok) return;
  const text = await response.text();
  const file = path.join(frontend, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
  const imports = text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+\.js)"/g);
  for (const [, found] of imports) {
    await fetchModule(path.join(path.dirname(name), found), seen);
  }
}

async function loader() {
  await fetchModule(worker, new Set());
  fs.writeFileSync(path.join(frontend, "package.json"),
    '{"type": "module"}');
  return import(path.join(frontend, worker));
}

// As the panel does: a second thread computes what is retained by what.
async function load(modules, text) {
  const { HeapSnapshotLoader } = modules.HeapSnapshotLoader;
  const reading = new HeapSnapshotLoader({ sendEvent() {} });
  reading.write(text);
  reading.close();
  const { port1, port2 } = new MessageChannel();
  const { SecondaryInitManager } = modules.HeapSnapshot;
  if (SecondaryInitManager) new SecondaryInitManager(port2);
  return reading.buildSnapshot(port1);
}

// What is wrong with what DevTools has read; "" for nothing.
function problemOf(snapshot, text) {
  const { node_count: count } = JSON.parse(text).snapshot;
  const hasLeak = text.includes('"collected heap"');
  let size = 0;
  let seen = 0;
  let leaks = 0;
  for (const i = snapshot.allNodes(); i.hasNext(); i.next()) {
    const { node } = i;
    ++seen;
    size += node.selfSize();
    // DevTools' word for what no root leads to.
    if (node.distance() < 0) return node.name() + " has no distance";
    const isHeap = node.name() === "collected heap";
    if (isHeap && node.retainers().hasNext()) ++leaks;
  }
  if (seen !== count) return seen + " nodes of " + count;
  if (size !== snapshot.totalSize) return "total size " + snapshot.totalSize;
  return leaks === (hasLeak ? 1 : 0) ? "" : "retainers of leaks";
}

let modules;
try {
  modules = await loader();
} catch (error) {
  console.log("this Chromium serves no loader that node can run: " +
    String(error).split("\n")[0]);
  process.exit(0);
}
for (const file of snapshots) {
  const text = fs.readFileSync(file, "utf8");
  const problem = await load(modules, text)
    .then((snapshot) => problemOf(snapshot, text), String);
  console.log((problem === "" ? "ok" : "FAILED") + " DevTools reads " +
    path.basename(file) + (problem && ": " + problem));
}
process.exit(0);
