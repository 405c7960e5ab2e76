// SPDX-License-Identifier: MIT

#include <bit>
#include <optional>
#include <string_view>
#include <vector>

#include "acre/hash.h"
#include "acre/json.h"

namespace acre::inline ACRE_ABI::detail {

/// Every value counts with the way to it, whatever the order of members; equal
/// numbers are the same, as Json's equality says.
std::uint64_t JsonHandle::Digest(const void* handle) {
  struct Place {
    const Json* value;
    std::uint64_t way;
  };
  const auto step = [](std::uint64_t way, std::uint64_t next) {
    return Mix(way ^ kMix1, next ^ kMix2);
  };
  std::uint64_t sum = 0;
  std::vector<Place> to_do{{static_cast<const Json*>(handle), kMix0}};
  while (!to_do.empty()) {
    const auto [value, way] = to_do.back();
    to_do.pop_back();
    std::uint64_t own = 0;
    if (value->is_array()) {
      own = value->size();
      for (std::size_t i = 0; i < value->size(); ++i) {
        to_do.push_back({value->begin() + i, step(way, i)});
      }
    } else if (value->is_object()) {
      own = value->size();
      for (const Json::Member& member : value->members()) {
        const std::string_view name = member.name();
        to_do.push_back(
            {&member.value(),
             step(way, HashBytes(name.data(), name.size(), kMix1))});
      }
    } else if (value->is_text()) {
      own = HashBytes(value->text().data(), value->text().size(), kMix2);
    } else if (value->is_number()) {
      const std::optional<std::int64_t> number = value->Signed();
      own = number ? static_cast<std::uint64_t>(*number)
            : value->tag() == Json::Tag::kDouble
                ? std::bit_cast<std::uint64_t>(*value->Real())
                : value->payload();
    } else if (value->is_bool()) {
      own = value->payload();
    }
    sum += step(way, Mix(own ^ kMix0,
                         static_cast<std::uint64_t>(value->kind()) ^ kMix1));
  }
  return sum;
}

}  // namespace acre::inline ACRE_ABI::detail
