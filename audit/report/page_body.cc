// SPDX-License-Identifier: MIT
//
// The markup of the HTML report. Its scripts fill in what is empty here.

#include "page.h"

namespace acre::inline ACRE_ABI::detail {

std::string_view PageBody() {
  return R"html(
<noscript><p>This page shows its data by JavaScript, which is off. The data
itself stands at the end of the page's source, as JSON.</p></noscript>
<main>
<header>
  <div>
    <div class="eyebrow">Audit of arena</div>
    <h1 id="arena"></h1>
    <div class="verdict" id="verdict"></div>
  </div>
  <button id="theme" type="button" title="Light or dark"></button>
</header>
<div class="note" id="note" hidden></div>
<dl class="facts" id="facts"></dl>

<section id="findings">
  <div class="bar">
    <h2>Findings <small id="finding-count"></small></h2>
    <input id="finding-search" type="search" placeholder="Search findings"
      aria-label="Search findings" autocomplete="off" spellcheck="false">
    <select id="filter-kind" aria-label="What holds the pointer"></select>
    <select id="filter-target" aria-label="Where it leads"></select>
    <select id="filter-known" aria-label="Known or new">
      <option value="">New and known</option>
      <option value="new">New only</option>
      <option value="known">Known only</option>
    </select>
    <select id="filter-like" aria-label="Findings of one identity">
      <option value="">One of each fault</option>
      <option value="all">Every finding</option>
    </select>
  </div>
  <div class="panel">
    <table id="finding-table">
      <thead><tr>
        <th data-sort="number" style="width: 62px"></th>
        <th data-sort="path"></th>
        <th data-sort="kind" class="wide" style="width: 106px"></th>
        <th data-sort="target" style="width: 186px"></th>
      </tr></thead>
      <tbody id="finding-rows"></tbody>
    </table>
    <div class="empty" id="finding-none" hidden></div>
    <div class="more" id="finding-more" hidden></div>
  </div>
</section>

<section id="types">
  <div class="bar">
    <h2>Memory by type <small id="type-count"></small></h2>
    <input id="type-search" type="search" placeholder="Search types"
      aria-label="Search types" autocomplete="off" spellcheck="false">
  </div>
  <div class="panel">
    <table id="type-table">
      <thead><tr>
        <th data-sort="name"></th>
        <th data-sort="blocks" class="number" style="width: 110px"></th>
        <th data-sort="bytes" class="number" style="width: 130px"></th>
        <th data-sort="share" class="wide" style="width: 300px"></th>
      </tr></thead>
      <tbody id="type-rows"></tbody>
    </table>
    <div class="empty" id="type-none" hidden></div>
    <div class="more" id="type-more" hidden></div>
  </div>
</section>

<section id="garbage" hidden>
  <div class="bar"><h2>Garbage <small>live blocks that no root
    reaches</small></h2></div>
  <div class="panel"><table>
    <thead><tr>
      <th><button disabled>Type</button></th>
      <th class="number"><button disabled>Blocks</button></th>
      <th class="number"><button disabled>Bytes</button></th>
    </tr></thead>
    <tbody id="garbage-rows"></tbody>
  </table></div>
</section>

<section id="map">
  <div class="bar"><h2>Chunks <small id="chunk-count"></small></h2></div>
  <div class="panel" id="chunks"></div>
</section>
<footer>Written by acre. This page is complete: it loads nothing.</footer>
</main>
<div id="tip" hidden></div>
)html";
}

}  // namespace acre::inline ACRE_ABI::detail
