// SPDX-License-Identifier: MIT
//
// What documents are asked as wholes: JSON Pointer, merge patch.

#include <charconv>
#include <string>
#include <utility>

#include "acre/deep_copy.h"
#include "acre/failure.h"
#include "acre/json.h"

namespace acre::inline ACRE_ABI {

Json* Json::Find(std::string_view path) noexcept {
  Json* at = this;
  while (!path.empty() && at != nullptr) {
    if (path[0] != '/') return nullptr;
    path.remove_prefix(1);
    const std::string_view raw = path.substr(0, path.find('/'));
    path.remove_prefix(raw.size());
    std::string segment;
    for (std::size_t i = 0; i < raw.size(); ++i) {
      if (raw[i] != '~' || i + 1 == raw.size()) {
        segment += raw[i];
      } else {
        segment += raw[++i] == '1' ? '/' : '~';
      }
    }
    if (at->is_object()) {
      at = at->find(segment);
      continue;
    }
    std::size_t index = 0;
    const char* const end = segment.data() + segment.size();
    const auto [to, result] = std::from_chars(segment.data(), end, index);
    const bool is_index = result == std::errc() && to == end &&
                          (segment.size() == 1 || segment[0] != '0');
    at = at->is_array() && is_index && index < at->size() ? &at->at(index)
                                                          : nullptr;
  }
  return at;
}

void Json::MergePatch(Json&& patch) {
  if (this == &patch) return;
  if (patch.Holds(this)) {
    detail::FailMisuse(
        "acre: a Json is to be merged with what it is a part of");
  }
  // Taken out: it may be a part of this.
  Json taken(std::move(patch));
  Merge(taken);
  taken.Release();
}

void Json::Merge(Json& patch) {
  if (!patch.is_object()) {
    Arena* const from = patch.home();
    Arena* const to = ArenaOf(this);
    if (from == nullptr || to == nullptr || from == to) {
      *this = std::move(patch);
    } else {
      *this = Clone(*to, patch);
    }
    return;
  }
  if (!is_object()) *this = Object();
  for (auto& [name, value] : patch.members()) {
    if (value.is_null()) {
      erase(name);
    } else {
      (*this)[name].Merge(value);
    }
  }
}

}  // namespace acre::inline ACRE_ABI
