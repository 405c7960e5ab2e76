// SPDX-License-Identifier: MIT
//
// FreeGraph: collect every extent that owned fields reach, check that all of
// them are this arena's, drop those that lie inside others, free the rest.
// Nothing is freed before everything is checked; in checked builds nothing is
// read before it is known to be there.

#include <algorithm>
#include <vector>

#include "acre/arena.h"
#include "acre/detail/blocks.h"
#include "acre/detail/nested_rows.h"
#include "acre/detail/visit_set.h"
#include "acre/detail/walk.h"
#include "acre/failure.h"
#include "core/slow_path.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

struct Extent {
  char* begin;
  std::size_t count;  // elements
  const TypeLayout* type;

  char* end() const { return begin + count * type->size; }
};

class Collector {
 public:
  explicit Collector(Arena& arena) : arena_(arena) {}

  void Run(const TypeLayout& type, void* root) {
    Add(type, root, 1, "the object itself");
    while (next_ != extents_.size()) {
      const Extent extent = extents_[next_++];
      ForEachSlotIn(*extent.type, {extent.begin, extent.count}, *this);
      while (!rows_.empty()) Walk(rows_.Pop());
    }
  }

  void operator()(const Slot& slot) {
    const bool owned =
        slot.field != nullptr && slot.field->note == FieldNote::kOwned;
    const TypeLayout& type = *slot.type;
    if (type.kind == TypeKind::kHandle) {
      // Its storage goes with the object; only what it points to is asked.
      return ForEachRun(type, slot.address, [&](ElementRun run, std::size_t) {
        rows_.WalkOrKeep({type.element(), run, slot.field},
                         [this](const Row& row) { Walk(row); });
      });
    }
    if (!owned) return;
    if (type.kind == TypeKind::kPointer) {
      void* target = *static_cast<void**>(slot.address);
      return Add(*type.element(), target, 1, slot.field->name);
    }
    const ElementRun run = type.ops->view(slot.address);
    Add(*type.element(), const_cast<void*>(run.data), run.count,
        slot.field->name);
  }

  std::vector<Extent>& extents() { return extents_; }

 private:
  /// Elements of a container, which lies in that field.
  struct Row {
    const TypeLayout* type;
    ElementRun run;
    const FieldLayout* field;
  };

  void Walk(const Row& row) {
    ForEachSlotIn(*row.type, row.run, *this, row.field);
  }

  void Add(const TypeLayout& type, void* target, std::size_t count,
           std::string_view field) {
    if (target == nullptr) return;
    ACRE_CHECK(arena_.Owns(target),
               "FreeGraph in arena '%s': '%.*s' leads to %p, which is not the "
               "arena's; nothing was freed",
               arena_.name(), static_cast<int>(field.size()), field.data(),
               target);
    if (kChecked) SlowPath(arena_).CheckOwned(target, count, type, field);
    const std::uint64_t number = visited_.FindOrInsert(target, type);
    if (number == VisitSet::kNone) {
      extents_.push_back({static_cast<char*>(target), count, &type});
      return;
    }
    // A longer span at the same address: walk what is new as an extent of its
    // own; the sweep below finds it contained.
    Extent& seen = extents_[number];
    if (seen.count >= count) return;
    const std::size_t more = count - seen.count;
    char* const rest = seen.end();
    seen.count = count;
    Add(type, rest, more, field);
  }

  Arena& arena_;
  VisitSet visited_;
  std::vector<Extent> extents_;
  std::size_t next_ = 0;
  NestedRows<Row> rows_;
};

}  // namespace

void FreeGraph(Arena& arena, const TypeLayout& type, void* root) {
  Collector collector(arena);
  collector.Run(type, root);
  std::vector<Extent>& extents = collector.extents();
  std::sort(extents.begin(), extents.end(),
            [](const Extent& a, const Extent& b) {
              return a.begin != b.begin ? a.begin < b.begin : a.end() > b.end();
            });
  const char* covered = nullptr;
  std::erase_if(extents, [&](const Extent& extent) {
    if (covered != nullptr && extent.begin < covered) return true;
    covered = extent.end();
    return false;
  });
  if (kChecked) {
    for (const Extent& extent : extents) {
      SlowPath(arena).CheckGive(extent.begin, extent.count * extent.type->size,
                                extent.type->align, extent.type);
    }
  }
  SlowPath(arena).BeforeFree();
  for (const Extent& extent : extents) {
    for (std::size_t i = 0; i < extent.count; ++i) {
      ReleaseHandles(*extent.type, extent.begin + i * extent.type->size);
    }
    Blocks::Give(arena, extent.begin, extent.count * extent.type->size,
                 extent.type->align, extent.type);
  }
}

}  // namespace acre::inline ACRE_ABI::detail
