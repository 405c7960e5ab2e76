// SPDX-License-Identifier: MIT
//
// TreeCopier: deep copy where no pointer has to be followed. Containers own
// what they hold, so that nothing is met twice and nothing has to be
// remembered: one pass, each container gets storage of its own with the same
// bytes, and then those in it. Internal to acre.

#ifndef ACRE_CONTAINERS_COPY_TREE_COPIER_H_
#define ACRE_CONTAINERS_COPY_TREE_COPIER_H_

#include <cstddef>
#include <vector>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/nested_rows.h"
#include "acre/type_layout.h"
#include "copy/copy_plan.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

class TreeCopier {
 public:
  explicit TreeCopier(Arena& arena) : arena_(arena) {}

  /// `object` has the bytes of the source. Gives every container in it, and in
  /// those, storage of its own; pointers stay as they are. Where memory runs
  /// out: false, they are empty, and nothing remains.
  bool Run(const TypeLayout& type, void* object);

  /// The size that could not be allocated.
  std::size_t failed_bytes() const { return failed_bytes_; }

 private:
  struct Row {
    CopyPlan* plan;
    ElementRun run;
  };

  void Walk(const TypeLayout& type, void* object);
  void WalkRun(CopyPlan& plan, ElementRun run);
  void WalkPart(const TypeLayout& type, void* part);
  void WalkElements(CopyPlan::Step& step, const void* handle);
  void CopyStorage(CopyPlan::Step& step, void* handle);
  void CopyRef(const TypeLayout& type, void* ref);
  void GiveBack(CopyPlan::Step& step, void* handle);

  Arena& arena_;
  CopyPlans plans_;
  NestedRows<Row> rows_;
  bool has_failed_ = false;
  bool is_giving_back_ = false;
  std::vector<HandleStorage> given_back_;
  std::size_t failed_bytes_ = 0;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_COPY_TREE_COPIER_H_
