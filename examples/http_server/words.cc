// SPDX-License-Identifier: MIT

#include "words.h"

#include <acre/arena_binding.h>

#include <algorithm>
#include <cctype>
#include <cstdint>

namespace web {
namespace {

using Counts = acre::Map<acre::String, std::uint32_t>;

struct Entry {
  std::string_view word;  // in the keys of the Counts
  std::uint32_t count = 0;
};
ACRE_LAYOUT(Entry, word, count)

bool IsLetter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '\'';
}

std::size_t CountInto(std::string_view text, Counts& counts) {
  std::size_t all = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t begin = at;
    while (at < text.size() && IsLetter(text[at])) ++at;
    if (at != begin) {
      ++counts[text.substr(begin, at - begin)];
      ++all;
    } else {
      ++at;
    }
  }
  return all;
}

acre::Vector<Entry>& Sorted(acre::Arena& arena, const Counts& counts) {
  auto& entries = *arena.New<acre::Vector<Entry>>();
  entries.reserve(counts.size());
  for (const auto& [word, count] : counts) entries.push_back({word, count});
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.count != b.count ? a.count > b.count : a.word < b.word;
  });
  return entries;
}

Json* Number(acre::Arena& arena, std::size_t number) {
  auto* json = arena.New<Json>();
  json->kind = JsonKind::kNumber;
  json->number = static_cast<double>(number);
  return json;
}

Json* Text(acre::Arena& arena, std::string_view text) {
  auto* json = arena.New<Json>();
  json->kind = JsonKind::kText;
  json->text.assign(text);
  return json;
}

}  // namespace

const Json* CountWords(std::string_view text, std::size_t top) {
  const acre::BoundArena<> arena = acre::FindArena();
  if (!arena) return nullptr;
  auto& counts = *arena->New<Counts>();
  const std::size_t all = CountInto(text, counts);
  const acre::Vector<Entry>& entries = Sorted(*arena, counts);

  std::string_view longest;
  for (const Entry& entry : entries) {
    if (entry.word.size() > longest.size()) longest = entry.word;
  }
  auto* list = arena->New<Json>();
  list->kind = JsonKind::kList;
  for (const Entry& entry : entries) {
    if (list->items.size() == top) break;
    Json& item = list->items.emplace_back();
    item.kind = JsonKind::kObject;
    item.fields["word"] = Text(*arena, entry.word);
    item.fields["count"] = Number(*arena, entry.count);
  }
  auto* answer = arena->New<Json>();
  answer->kind = JsonKind::kObject;
  answer->fields["words"] = Number(*arena, all);
  answer->fields["different"] = Number(*arena, counts.size());
  answer->fields["longest"] = Text(*arena, longest);
  answer->fields["top"] = list;
  return answer;
}

}  // namespace web
