// SPDX-License-Identifier: MIT
//
// What documents are asked as wholes: JSON Pointer, merge patch.

#include <string>
#include <utility>

#include "acre/deep_copy.h"
#include "acre/failure.h"
#include "acre/json.h"
#include "json_pointer.h"

namespace acre::inline ACRE_ABI {

Json* Json::Find(std::string_view path) noexcept {
  Json* at = this;
  std::string room;
  while (!path.empty() && at != nullptr) {
    if (path[0] != '/') return nullptr;
    const std::string_view segment = detail::NextSegment(path, room);
    if (at->is_object()) {
      at = at->find(segment);
      continue;
    }
    std::size_t index = 0;
    at = at->is_array() && detail::ReadIndex(segment, &index) &&
                 index < at->size()
             ? &at->at(index)
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
