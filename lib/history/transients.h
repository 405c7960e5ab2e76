// SPDX-License-Identifier: MIT
//
// Transient fields: those that keep their value when the arena goes back. Which
// there are only a walk over the objects tells: one at Capture says which the
// frame has, one before Restore which there are now. What is in both keeps its
// value. Types that can reach none are passed over. Internal to acre.

#ifndef ACRE_LIB_HISTORY_TRANSIENTS_H_
#define ACRE_LIB_HISTORY_TRANSIENTS_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "acre/config.h"
#include "acre/detail/visit_set.h"
#include "acre/type_layout.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// One of them, in an object that there is.
struct TransientField {
  char* address;
  std::uint64_t type;  // id of the struct that lists it, and its offset
  std::uint32_t size;
  std::uint32_t offset;

  friend auto operator<=>(const TransientField&,
                          const TransientField&) = default;
};

/// What a type may lead to.
class TransientTypes {
 public:
  explicit TransientTypes(const TypeLayout* root);

  bool any() const { return root_ != nullptr; }
  /// Every field that a walk from `object` reaches in the arena, by address.
  /// May throw std::bad_alloc.
  std::vector<TransientField> In(const Arena& arena, void* object) const;

 private:
  friend class TransientWalk;

  struct Known {
    const TypeLayout* type;
    bool reaches;
  };
  const Known* Find(const TypeLayout& type) const;
  void Add(const TypeLayout& type);

  const TypeLayout* root_ = nullptr;  // null: it reaches none
  std::vector<Known> types_;
  std::vector<std::uint32_t> by_id_;  // indices of types_
};

/// The values of those fields that there are before and after.
class KeptValues {
 public:
  /// Of two lists by address. May throw std::bad_alloc.
  void Take(const std::vector<TransientField>& then,
            const std::vector<TransientField>& now);
  /// Writes them where they were.
  void Put() const;

 private:
  std::vector<TransientField> fields_;
  std::vector<char> values_;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_LIB_HISTORY_TRANSIENTS_H_
