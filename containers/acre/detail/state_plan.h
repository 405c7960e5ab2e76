// SPDX-License-Identifier: MIT
//
// StatePlan: what of a type's objects counts as their state, as a row of steps,
// so that entering an object is one loop. For Checksum and Diff. Internal to
// acre.
//
//   struct Thing { int x; int y; Thing* target; String name; };
//   -> bytes 0 to 8 | pointer at 8 to Thing | text at 16

#ifndef ACRE_CONTAINERS_DETAIL_STATE_PLAN_H_
#define ACRE_CONTAINERS_DETAIL_STATE_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/type_layout.h"

namespace acre::inline ACRE_ABI::detail {

struct StatePlan;

enum class StateKind : std::uint8_t {
  kBytes,    ///< plain data
  kObject,   ///< a struct that pointers may lead to: one with an identity
  kPointer,  ///< T*
  kView,     ///< span, string_view
  kText,     ///< a String
  kRow,      ///< a Vector
  kTable,    ///< a Map or Set: runs are its elements
  kOwnForm,  ///< a container that knows its state itself
  kChoice,   ///< optional, variant
  kTuple,    ///< its parts' places only its ops know
  kArray,    ///< of parts that are no plain bytes
};

struct StateStep {
  StateKind kind;
  std::uint32_t offset = 0;
  std::uint32_t size = 0;            // kBytes
  const TypeLayout* type = nullptr;  // all others: of the part itself
  // What it leads to or has elements of; of kObject its own.
  const StatePlan* plan = nullptr;
  const StatePlan* key_plan = nullptr;  // kTable; a key begins its element
  // Of kChoice and kTuple: of the first of its fields in StatePlan::parts.
  std::uint32_t first_part = 0;
};

struct StatePlan {
  const TypeLayout* type = nullptr;
  std::vector<StateStep> steps = {};
  std::uint32_t number = 0;   // from 1 on, below 256; 0: none was left
  std::uint32_t index = 0;    // in StatePlans
  bool has_identity = false;  // pointers may lead to such an object by value
  bool is_flat = false;       // bytes alone
  bool is_whole = false;      // all its bytes
  bool is_pointer = false;    // and nothing else
  std::vector<const StatePlan*> parts = {};
};

/// Plain parts have these forms too, whatever their kind is.
inline bool IsChoice(const TypeLayout& type) {
  return type.ops != nullptr && type.ops->active != nullptr;
}
inline bool IsTuple(const TypeLayout& type) {
  return type.ops != nullptr && type.ops->part != nullptr;
}
inline bool IsArray(const TypeLayout& type) {
  return type.kind == TypeKind::kArray ||
         (type.kind == TypeKind::kPlain && type.element != nullptr &&
          !IsChoice(type) && !IsTuple(type));
}

/// Of a number of ten bytes the rest of its place is padding.
inline std::size_t ValueBytes(const TypeLayout& type) {
  constexpr bool kIsX87 = __LDBL_MANT_DIG__ == 64;
  return kIsX87 && type.name == "long double" ? 10 : type.size;
}

/// The elements of a container that has them in one row.
inline ElementRun RowOf(const StateStep& step, const void* container) {
  std::size_t cursor = 0;
  return step.type->ops->next_run(container, &cursor);
}

/// The plans of all types that one reaches. Linear in their fields.
class StatePlans {
 public:
  explicit StatePlans(const TypeLayout& root);
  StatePlans(const StatePlans&) = delete;
  StatePlans& operator=(const StatePlans&) = delete;

  const StatePlan& root() const { return *root_; }
  const StatePlan& operator[](std::size_t index) const {
    return *in_order_[index];
  }

 private:
  StatePlan& Know(const TypeLayout& type);
  void FindIdentities();
  void Fill(StatePlan& plan);
  void Add(StatePlan& plan, const TypeLayout& type, std::size_t offset,
           bool is_top);
  void AddFields(StatePlan& plan, const TypeLayout& type, std::size_t offset);
  static void AddBytes(StatePlan& plan, std::size_t offset, std::size_t size);
  void AddStep(StatePlan& plan, StateKind kind, const TypeLayout& type,
               std::size_t offset, const TypeLayout* leads_to);

  std::unordered_map<std::uint64_t, std::unique_ptr<StatePlan>> plans_;
  std::vector<StatePlan*> in_order_;
  const StatePlan* root_ = nullptr;
};

/// Elements of a table in the order of what their keys are: pointers to objects
/// that were met by those numbers, all others by what they hold.
struct StateEntry {
  std::uint64_t number = 0;  // 0: none
  std::uint64_t key = 0;     // a hash of what the key holds
  std::uint64_t rest = 0;  // and of the whole element, where keys may be alike
  const void* element = nullptr;

  bool IsAs(const StateEntry& other) const {
    return number == other.number && key == other.key;
  }
  friend bool operator<(const StateEntry& a, const StateEntry& b) {
    if (a.number != b.number) return a.number < b.number;
    return a.key != b.key ? a.key < b.key : a.rest < b.rest;
  }
};
class StateNumbers;
std::vector<StateEntry> EntriesOf(const StateStep& step, const void* table,
                                  StateNumbers& numbers);
/// Pointers as keys are known by where else they lead from: such a table waits
/// until all else has been met.
inline bool WaitsForOthers(const StateStep& table) {
  return table.key_plan->is_pointer;
}

/// A hash of what the object holds by value and in texts: of what its pointers
/// lead to only plain bytes.
std::uint64_t ContentsOf(const StatePlan& plan, const void* object);

/// The running state of a hash.
class StateHash {
 public:
  void Add(std::uint64_t word);
  void AddBytes(const void* data, std::size_t size);
  std::uint64_t value() const { return state_; }

 private:
  std::uint64_t state_ = 0x51A7E5;
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_STATE_PLAN_H_
