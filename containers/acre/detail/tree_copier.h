// SPDX-License-Identifier: MIT
//
// TreeCopier: deep copy where no pointer has to be followed. Containers own
// what they hold, so that nothing is met twice and nothing has to be
// remembered: one pass, each container gets storage of its own with the same
// bytes, and then those in it. Copier, which keeps sharing, takes five times as
// long. Internal to acre.

#ifndef ACRE_CONTAINERS_DETAIL_TREE_COPIER_H_
#define ACRE_CONTAINERS_DETAIL_TREE_COPIER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/walk.h"
#include "acre/type_layout.h"

namespace acre::inline ACRE_ABI::detail {

class TreeCopier {
 public:
  /// For objects of that type. Linear in the types that it consists of.
  TreeCopier(Arena& arena, const TypeLayout& type)
      : arena_(arena), root_(PlanOf(type)) {}

  /// True where neither the type nor what its containers hold has a pointer or
  /// a view.
  bool is_tree() const { return is_tree_; }

  /// `object` has the bytes of the source. Gives every container in it, and in
  /// those, storage of its own; pointers stay as they are. Where memory runs
  /// out: false, they are empty, and nothing remains.
  bool Run(void* object);

  /// The size that could not be allocated.
  std::size_t failed_bytes() const { return failed_bytes_; }

 private:
  struct Plan;

  /// A container in an object, or a part that only its layout can walk.
  struct Step {
    std::size_t offset;
    const TypeLayout* type;
    const Plan* elements;  // of the container; null: nothing to do in them
  };
  /// What is to be done in an object of a type.
  struct Plan {
    const TypeLayout* type;
    std::vector<Step> steps = {};
  };
  /// Elements that wait: containers may nest deeper than the stack does.
  struct Row {
    const Plan* plan;
    ElementRun run;
  };

  const Plan* PlanOf(const TypeLayout& type);
  void AddParts(const TypeLayout& type);
  void Walk(void* object);
  void WalkRun(const Plan& plan, ElementRun run);
  void WalkPart(const TypeLayout& type, void* part);
  void WalkElements(const TypeLayout& handle, const void* object,
                    const Plan* elements);
  void CopyStorage(const TypeLayout& handle, void* object,
                   const Plan* elements);
  void GiveBack(const TypeLayout& handle, void* object, const Plan* elements);

  Arena& arena_;
  bool is_tree_ = true;
  std::vector<std::unique_ptr<Plan>> plans_;
  const Plan* root_;
  std::vector<Row> rows_;
  std::size_t depth_ = 0;  // of containers in containers
  bool has_failed_ = false;
  bool is_giving_back_ = false;
  std::vector<HandleStorage> given_back_;
  std::size_t failed_bytes_ = 0;
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_TREE_COPIER_H_
