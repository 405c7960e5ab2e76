// SPDX-License-Identifier: MIT
//
// SavedPlan: what of a type's objects has to be looked at when they are saved
// or come back, as rows of steps, so that entering an object is one loop.
// Internal to acre.

#ifndef ACRE_CONTAINERS_SAVED_SAVED_PLAN_H_
#define ACRE_CONTAINERS_SAVED_SAVED_PLAN_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/group.h"
#include "acre/detail/table_rep.h"
#include "acre/type_layout.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

struct SavedPlan;

enum class SavedKind : std::uint8_t {
  kPointer,
  kView,
  kHandle,
  kBorrowed,   ///< bytes that mean nothing elsewhere, unless they are zero
  kTransient,  ///< bytes that are zero in a file
  kBool,       ///< has two values
  kChoice,     ///< optional, variant: which part is live
  kTuple,      ///< its parts' places only its ops know
  kArray,      ///< of parts
};

struct SavedStep {
  SavedKind kind;
  std::uint32_t offset = 0;
  std::uint32_t size = 0;            // in bytes
  const TypeLayout* type = nullptr;  // of the part itself; of a hole none
  /// What it leads to, or has elements of.
  const SavedPlan* plan = nullptr;
  const SavedPlan* key = nullptr;  // of a Map or Set; a key begins its element
  // Of kChoice and kTuple: of the first of its fields in SavedPlan::parts.
  std::uint32_t first_part = 0;
};

/// Bytes that belong to nothing.
struct SavedGap {
  std::uint32_t offset;
  std::uint32_t size;
};

struct SavedPlan {
  const TypeLayout* type = nullptr;
  std::uint32_t number = 0;            // in SavedPlans
  std::vector<SavedStep> steps = {};   // pointers and the like
  std::vector<SavedStep> values = {};  // plain parts that may be impossible
  std::vector<SavedStep> mended = {};  // what a file has otherwise
  std::vector<const SavedPlan*> parts = {};
  bool is_filled = false;
  bool is_pointer = false;          // and nothing else
  std::vector<SavedGap> gaps = {};  // padding
  std::size_t key_bytes = 0;        // of an element of a table: of its key
  bool is_rehashed = false;  // of elements of a table that may have to move

  /// Whether it has what no file must have: see SavedMender.
  bool is_mended() const { return !gaps.empty() || !mended.empty(); }
};

/// The plans of all types that one reaches, in an order that is that of the
/// layouts alone. Linear in their fields.
class SavedPlans {
 public:
  explicit SavedPlans(const TypeLayout& root);
  SavedPlans(const SavedPlans&) = delete;
  SavedPlans& operator=(const SavedPlans&) = delete;

  const SavedPlan& root() const { return *in_order_[0]; }
  std::size_t size() const { return in_order_.size(); }
  const SavedPlan& operator[](std::size_t number) const {
    return *in_order_[number];
  }
  /// True where there are tables whose hash has a seed of the process.
  bool has_seeds() const { return has_seeds_; }
  /// True where there are tables of which elements may have to move.
  bool has_rehashed() const { return has_rehashed_; }
  /// Of a type that has one.
  const SavedPlan& Of(const TypeLayout& type) const {
    return *plans_.at(type.id);
  }
  /// Of the elements in the storage of a container.
  const SavedPlan& OfStorage(const SavedStep& step,
                             const HandleStorage& storage) const {
    const bool is_usual =
        storage.type == nullptr || SameType(*storage.type, *step.plan->type);
    return is_usual ? *step.plan : Of(*storage.type);
  }
  /// A container that cannot be saved, or null.
  const TypeLayout* unsaved() const { return unsaved_; }

 private:
  SavedPlan& Know(const TypeLayout& type);
  SavedPlan& Filled(const TypeLayout& type);
  void Add(SavedPlan& plan, const TypeLayout& type, std::size_t offset);
  void AddFields(SavedPlan& plan, const TypeLayout& type, std::size_t offset);
  void AddParts(SavedPlan& plan, SavedStep step);
  void AddArray(SavedPlan& plan, const TypeLayout& type, std::size_t offset);

  std::unordered_map<std::uint64_t, std::unique_ptr<SavedPlan>> plans_;
  std::vector<SavedPlan*> in_order_;
  bool has_seeds_ = false;
  bool has_rehashed_ = false;
  const TypeLayout* unsaved_ = nullptr;
};

/// Calls visit(plan, part) for what an object has of a choice, a tuple or an
/// array; for nothing of any other step.
template <class Visit>
void ForEachPart(const SavedPlan& plan, const SavedStep& step,
                 const char* object, Visit visit) {
  const TypeLayout& type = *step.type;
  const auto at = [](const void* part) {
    return static_cast<char*>(const_cast<void*>(part));
  };
  if (step.kind == SavedKind::kChoice) {
    const ActivePart active = type.ops->active(object);
    if (active.object == nullptr) return;
    visit(*plan.parts[step.first_part + active.index], at(active.object));
  } else if (step.kind == SavedKind::kTuple) {
    for (std::size_t i = 0; i < type.fields.size(); ++i) {
      visit(*plan.parts[step.first_part + i], at(type.ops->part(object, i)));
    }
  } else if (step.kind == SavedKind::kArray) {
    for (std::size_t i = 0; i < type.count; ++i) {
      visit(*step.plan, at(object + i * step.plan->type->size));
    }
  }
}

/// How a block is to be read. Part of the format.
enum class SavedBlockKind : std::uint8_t {
  kObjects,  ///< of New, NewArray: objects in a row
  kRow,      ///< storage: elements in a row
  kTable,    ///< storage of a Map or Set
};

/// Of such a block of a type.
std::size_t AlignOf(SavedBlockKind kind, const SavedPlan& plan);

/// True where `count` objects of a type lie in a row, `offset` bytes into the
/// memory of such a block: see HoldsExactly. Requires: they end in it.
/// `is_text`: a string_view shows them, which may be in a short String too.
bool BlockHolds(SavedBlockKind kind, const SavedPlan& plan, const char* memory,
                std::size_t bytes, std::size_t offset, const TypeLayout& type,
                std::size_t count, bool is_text);

/// The storage of a Map or Set of elements of that type.
class SavedTable {
 public:
  SavedTable(const TypeLayout& element, const char* storage, std::size_t bytes)
      : size_(element.size), control_(storage) {
    const SlotShape shape{element.size, element.align};
    const std::size_t groups = shape.groups_in(bytes);
    const std::size_t before = shape.control_bytes(groups);
    slots_ = storage + before;
    const std::size_t room = bytes > before ? bytes - before : 0;
    count_ = std::min(groups * kGroupSlots, room / size_);
  }

  /// Calls visit(element) for each.
  template <class Visit>
  void ForEach(Visit visit) const {
    for (std::size_t i = 0; i < count_; ++i) {
      if (IsUsed(i)) visit(slots_ + i * size_);
    }
  }
  /// Calls visit(slot, is_used) for each place of an element.
  template <class Visit>
  void ForEachSlot(Visit visit) const {
    for (std::size_t i = 0; i < count_; ++i) {
      visit(slots_ + i * size_, IsUsed(i));
    }
  }

  /// The element around an address in the storage, or null.
  const char* Around(const char* address) const {
    if (address < slots_) return nullptr;
    const std::size_t i = static_cast<std::size_t>(address - slots_) / size_;
    return i < count_ && IsUsed(i) ? slots_ + i * size_ : nullptr;
  }

 private:
  bool IsUsed(std::size_t i) const {
    return control_[i / kGroupSlots * kGroupBytes + i % kGroupSlots] != 0;
  }

  std::size_t size_;
  const char* control_;
  const char* slots_;
  std::size_t count_;
};

/// std::string_view: what it shows cannot be written through it.
inline bool IsStringView(const TypeLayout& view) {
  return view.name.find("string_view") != std::string_view::npos &&
         view.element()->size == 1;
}

inline bool IsOptional(const TypeLayout& type) {
  return type.fields.size() == 1 && type.fields[0].name == ".value()";
}

/// True where a field that is borrowed has a pointer, elements, or anything
/// else that is not zero.
bool LeadsSomewhere(const SavedStep& step, const char* field);

/// Empties a field that is borrowed or transient. Containers in it are bound to
/// the arena, so that they can be used.
void ClearField(const SavedStep& step, char* field, Arena& arena);

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_SAVED_SAVED_PLAN_H_
