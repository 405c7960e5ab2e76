// SPDX-License-Identifier: MIT
//
// SavedPlan: what of a type's objects has to be looked at when they are saved
// or come back, as rows of steps, so that entering an object is one loop.
// Internal to acre.

#ifndef ACRE_CONTAINERS_SAVED_SAVED_PLAN_H_
#define ACRE_CONTAINERS_SAVED_SAVED_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "acre/config.h"
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
  const TypeLayout* type = nullptr;  // of the part itself; kTransient: none
  /// What it leads to, or has elements of.
  const SavedPlan* plan = nullptr;
  const SavedPlan* key = nullptr;  // of a Map or Set; a key begins its element
  const SavedPlan* own = nullptr;  // of a container: of its own type
  // Of kChoice and kTuple: of the first of its fields in SavedPlan::parts.
  std::uint32_t first_part = 0;
};

struct SavedPlan {
  const TypeLayout* type = nullptr;
  std::uint32_t number = 0;            // in SavedPlans
  std::vector<SavedStep> steps = {};   // pointers and the like
  std::vector<SavedStep> values = {};  // plain parts that may be impossible
  std::vector<const SavedPlan*> parts = {};
  bool is_filled = false;
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
  const TypeLayout* unsaved_ = nullptr;
};

/// How a block is to be read. Part of the format.
enum class SavedBlockKind : std::uint8_t {
  kObjects,  ///< of New, NewArray
  kRow,      ///< storage: elements in a row
  kTable,    ///< storage of a Map or Set
  kBytes,    ///< storage: elements that lead nowhere
};

/// How the storage of a container is to be read.
SavedBlockKind StorageKindOf(const TypeLayout& handle,
                             const HandleStorage& storage);

/// Of such a block of a type.
std::size_t AlignOf(SavedBlockKind kind, const SavedPlan& plan);

/// True where `count` objects of a type lie in a row, `offset` bytes into the
/// memory of such a block. Requires: they end in it.
bool BlockHolds(SavedBlockKind kind, const SavedPlan& plan, const char* memory,
                std::size_t bytes, std::size_t offset, const TypeLayout& type,
                std::size_t count);

/// Calls visit(element) for each of the elements in the storage of a Map or
/// Set.
template <class Visit>
void ForEachEntry(const TypeLayout& table, const void* storage,
                  std::size_t bytes, Visit visit) {
  std::size_t cursor = 0;
  for (;;) {
    const ElementRun run = table.ops->next_in_storage(storage, bytes, &cursor);
    if (run.data == nullptr) return;
    visit(static_cast<const char*>(run.data));
  }
}

/// True where every byte is zero.
bool IsZero(const char* bytes, std::size_t size);

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_SAVED_SAVED_PLAN_H_
