// SPDX-License-Identifier: MIT
//
// CopyPlan: what is to be done in the copy of an object of a type, so that
// copying many is one loop. Made when a copy begins. Internal to acre.

#ifndef ACRE_CONTAINERS_DETAIL_COPY_PLAN_H_
#define ACRE_CONTAINERS_DETAIL_COPY_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "acre/config.h"
#include "acre/type_layout.h"

namespace acre::inline ACRE_ABI::detail {

struct CopyPlan {
  /// A pointer, view or container in an object, or a part (a tuple, a choice,
  /// a long array) that only its layout can walk.
  struct Step {
    std::uint32_t offset;
    TypeKind kind;
    bool is_table;           // a Map or Set: its elements are not neighbours
    bool leads_on;           // a container whose elements have slots
    const TypeLayout* type;  // of the slot or part
    CopyPlan* target;        // of its elements, or of what a pointer leads to;
                             // null: not made yet
    CopyPlan* storage;       // of the storage of a container; the same
  };

  const TypeLayout* type;   // of an object, or of an element of storage
  unsigned number;          // from 1 on
  bool is_table = false;    // of storage that starts with a table's controls
  bool is_pointer = false;  // of pointers, and nothing else
  bool is_wide = false;     // aligned above the granule
  std::size_t block_bytes = 0;  // of an object
  std::vector<Step> steps = {};

  std::size_t align() const;
  /// As the arena is told of the block.
  const TypeLayout* block_type() const { return is_table ? nullptr : type; }
};

/// The bytes of the block that an extent of a copy gets. What the class of a
/// wide block adds is of no account, and in the source might be somebody
/// else's.
std::size_t BlockBytes(std::size_t bytes, std::size_t align);

/// True where neither the type nor what its containers hold has a pointer or a
/// view.
bool IsTree(const TypeLayout& type);

/// The plans of one copy.
class CopyPlans {
 public:
  CopyPlan& Of(const TypeLayout& type);
  CopyPlan& TargetOf(CopyPlan::Step& step) {
    if (step.target == nullptr) step.target = &Of(*step.type->element());
    return *step.target;
  }
  CopyPlan& StorageOf(CopyPlan::Step& step) {
    if (step.storage == nullptr) step.storage = &StorageOf(*step.type);
    return *step.storage;
  }
  CopyPlan& operator[](unsigned number) { return *by_number_[number - 1]; }

  /// A step as that of a slot at its own address.
  CopyPlan::Step StepOf(const TypeLayout& slot, std::size_t offset = 0) const;

 private:
  CopyPlan* Find(const TypeLayout& type, bool is_table) const;
  CopyPlan& Add(const TypeLayout& type);
  CopyPlan& StorageOf(const TypeLayout& handle);

  // Few: a search goes through all.
  std::vector<std::unique_ptr<CopyPlan>> by_number_;
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_COPY_PLAN_H_
