// SPDX-License-Identifier: MIT
//
// CellEscape: escapes up to 32 objects that refer to each other by pointers
// alone, such as the few cells of a result. In one pass: each object is made
// when it is met, and its copy referred to at once, so that the collector sees
// it; here, on the stack, too. What it cannot do, SmallCopier or GraphCopier
// can. Internal to acre.

#ifndef ACRE_CONTAINERS_COPY_CELL_ESCAPE_H_
#define ACRE_CONTAINERS_COPY_CELL_ESCAPE_H_

#include <cstddef>
#include <cstdint>

#include "acre/config.h"
#include "acre/type_layout.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

class CellEscape {
 public:
  /// Null, and nothing but garbage left, where it cannot do it or memory runs
  /// out. The root may lie anywhere.
  void* Run(const TypeLayout& type, const void* root);

 private:
  static constexpr std::size_t kMost = 32;
  static constexpr std::size_t kSeats = 2 * kMost;
  static constexpr std::size_t kMostPlans = 4;
  static constexpr std::size_t kMostSlots = 8;

  /// Where in a type its pointers are.
  struct Plan {
    const TypeLayout* type;
    bool may_hold_address;
    std::uint8_t slots;
    std::uint8_t targets[kMostSlots];  // indices of plans; kNoPlan: not known
    std::uint32_t offsets[kMostSlots];
    const TypeLayout* target_types[kMostSlots];
  };
  static constexpr std::uint8_t kNoPlan = 0xFF;

  struct Object {
    const char* source;
    char* copy;
    const Plan* plan;
  };

  Plan* PlanOf(const TypeLayout& type);
  Plan* TargetOf(Plan& plan, std::size_t slot);
  char* Meet(Plan& plan, const char* source);
  char* Make(Plan& plan, const char* source, std::uint8_t& seat);
  bool IsInArena(const char* address, std::size_t bytes);
  bool AreApart();

  std::size_t count_ = 0;
  std::size_t plans_count_ = 0;
  const char* chunk_begin_ = nullptr;  // of the chunk asked for last
  const char* live_end_ = nullptr;
  // Each was behind all others when it was met, or in front of them.
  bool is_in_order_ = true;
  const char* begin_ = nullptr;  // of all
  const char* end_ = nullptr;
  std::uint8_t seats_[kSeats] = {};  // 1 + index, by the hash of the source
  Object objects_[kMost];
  Plan plans_[kMostPlans];
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_COPY_CELL_ESCAPE_H_
