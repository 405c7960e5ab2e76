// SPDX-License-Identifier: MIT
//
// CopyPlan: what is to be done in the copy of an object of a type, so that
// copying many is one loop. Made when a copy begins. Internal to acre.

#ifndef ACRE_CONTAINERS_COPY_PLAN_H_
#define ACRE_CONTAINERS_COPY_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "acre/config.h"
#include "acre/detail/handle.h"
#include "acre/detail/table_rep.h"
#include "acre/string.h"
#include "acre/type_layout.h"
#include "copy/copy_note.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

struct CopyPlan {
  /// A pointer, view or container in an object, or a part (a tuple, a choice,
  /// a long array) that only its layout can walk.
  struct Step {
    enum class Kind : std::uint8_t {
      kPointer,
      kView,
      kVector,
      kString,
      kHandle,  // another container: its ops know
      kRef,     // a GcRef or GcWeakRef
      kPart,
    };
    std::uint32_t offset;
    Kind kind;
    bool is_table;           // a Map or Set: its elements are not neighbours
    bool leads_on;           // a container whose elements have slots
    const TypeLayout* type;  // of the slot or part
    std::size_t element;     // bytes of a container's
    CopyPlan* target;        // of its elements, or of what a pointer leads to;
                             // null: not made yet
    CopyPlan* storage;       // of the storage of a container; the same

    bool is_handle() const {
      return kind == Kind::kVector || kind == Kind::kString ||
             kind == Kind::kHandle;
    }
    /// Of a container: TypeOps::in_use and TypeOps::adopt.
    ACRE_INLINE ElementRun InUse(const char* handle) const;
    ACRE_INLINE void Adopt(char* handle, Arena* arena, char* block,
                           std::size_t bytes) const;
  };

  const TypeLayout* type;     // of an object, or of an element of storage
  std::size_t size;           // of that
  unsigned number;            // from 1 on
  bool is_table = false;      // of storage that starts with a table's controls
  bool is_pointer = false;    // of pointers, and nothing else
  bool is_wide = false;       // aligned above the granule
  bool may_be_other = false;  // of storage or an array that FewNotes can tell
  std::size_t block_bytes = 0;  // of an object
  FewNotes notes = {};          // of an object, where it can have such
  std::vector<Step> steps = {};
  std::vector<std::uint32_t> storage_offsets = {};  // see GraphFinder

  std::size_t align() const;
  /// Of storage that is a table's.
  SlotShape slot_shape() const { return {size, type->align}; }
  /// Of an object that is met: it waits where it leads on.
  CopyNote note() const {
    const CopyNote object = CopyNote::Object(number);
    return steps.empty() ? object : object.Waiting();
  }
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

inline ElementRun CopyPlan::Step::InUse(const char* handle) const {
  if (kind == Kind::kVector) {
    const auto& rep = *reinterpret_cast<const VectorRep*>(handle);
    return {rep.data, rep.size * element};
  }
  if (kind == Kind::kString) return Shape<String>::InUse(handle);
  return type->ops->in_use(handle);
}

inline void CopyPlan::Step::Adopt(char* handle, Arena* arena, char* block,
                                  std::size_t bytes) const {
  if (kind == Kind::kVector) {
    auto& rep = *reinterpret_cast<VectorRep*>(handle);
    // In use, so all of it: what a copy gets is no larger.
    rep = block != nullptr
              ? VectorRep{block, arena, rep.size, rep.size, arena->stamp()}
              : VectorRep{.arena = arena};
  } else if (kind == Kind::kString) {
    Shape<String>::Adopt(handle, arena, block, bytes);
  } else {
    type->ops->adopt(handle, arena, block, bytes);
  }
}

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
  /// Makes the plans of all types that the known ones lead to, so that several
  /// threads may ask for them: none is made any more.
  void Close();

  std::size_t size() const { return by_number_.size(); }
  CopyPlan& operator[](unsigned number) { return *by_number_[number - 1]; }

  /// A step as that of a slot at its own address.
  static CopyPlan::Step StepOf(const TypeLayout& slot, std::size_t offset = 0);

 private:
  CopyPlan* Find(const TypeLayout& type, bool is_table) const;
  CopyPlan& Add(const TypeLayout& type);
  CopyPlan& StorageOf(const TypeLayout& handle);
  void Close(CopyPlan::Step& step);

  // Few: a search goes through all.
  std::vector<std::unique_ptr<CopyPlan>> by_number_;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_COPY_PLAN_H_
