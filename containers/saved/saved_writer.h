// SPDX-License-Identifier: MIT
//
// SavedWriter: copies what a SavedFinder has found into a home, where it will
// lie: pointers lead there, containers are of the arena there. Internal to
// acre.

#ifndef ACRE_CONTAINERS_SAVED_SAVED_WRITER_H_
#define ACRE_CONTAINERS_SAVED_SAVED_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/look_ahead.h"
#include "acre/detail/nested_rows.h"
#include "copy/table_keys.h"
#include "saved/saved_finder.h"
#include "saved/saved_home.h"
#include "saved/saved_plan.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

class SavedWriter {
 public:
  SavedWriter(SavedFinder& finder, const SavedPlans& plans)
      : finder_(finder), plans_(plans) {}
  SavedWriter(const SavedWriter&) = delete;
  SavedWriter& operator=(const SavedWriter&) = delete;

  /// Gives every block its place in an image. Its bytes, all told.
  std::size_t Place();

  /// Requires: room for that many bytes. `arena` is that of the home. False
  /// where it cannot be done: see what().
  bool Write(SavedHome& home, Arena& arena, const void* root);
  const std::string& what() const { return keys_.what(); }
  /// Where the root lies then.
  const char* root() const { return root_; }

 private:
  struct Row {
    char* data;
    std::size_t count;
    const SavedPlan* plan;
  };
  /// A pointer in the image, what tells its target asked for.
  struct Pending {
    char* slot = nullptr;
    const char* target = nullptr;
  };

  void TakeRow(const Row& row);
  void TakeObject(const SavedPlan& plan, char* object);
  void TakeStep(const SavedPlan& plan, const SavedStep& step, char* slot);
  void TakePointer(char* slot);
  void Finish(const Pending& pending);
  void TakeView(const SavedStep& step, char* slot);
  void TakeHandle(const SavedStep& step, char* slot);
  char* Follow(const char* source, char* slot, const TypeLayout* view);

  SavedFinder& finder_;
  const SavedPlans& plans_;
  SavedHome* home_ = nullptr;
  Arena* arena_ = nullptr;
  char* root_ = nullptr;
  NestedRows<Row> rows_;
  LookAhead<Pending> pending_;
  TableKeys keys_;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_SAVED_SAVED_WRITER_H_
