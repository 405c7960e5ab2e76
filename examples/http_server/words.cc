// SPDX-License-Identifier: MIT

#include "words.h"

#include <acre/arena_binding.h>
#include <acre/map.h>

#include <algorithm>
#include <cctype>
#include <cstdint>

namespace web {
namespace {

using Counts = acre::Map<acre::String, std::uint32_t>;

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

/// All words, the most frequent ones first.
void ListInto(acre::Vector<Word>& list, const Counts& counts) {
  list.reserve(counts.size());
  for (const auto& [word, count] : counts) list.push_back({word, count});
  std::sort(list.begin(), list.end(), [](const Word& a, const Word& b) {
    return a.count != b.count ? a.count > b.count : a.word < b.word;
  });
}

}  // namespace

const Answer* CountWords(std::string_view text, std::size_t top) {
  const acre::BoundArena<> arena = acre::FindArena();
  if (!arena) return nullptr;
  auto& counts = *arena->New<Counts>();
  auto& answer = *arena->New<Answer>();
  answer.words = CountInto(text, counts);
  answer.different = counts.size();
  ListInto(answer.top, counts);
  for (const Word& each : answer.top) {
    if (each.word.size() > answer.longest.size()) answer.longest = each.word;
  }
  if (answer.top.size() > top) answer.top.resize(top);
  return &answer;
}

}  // namespace web
