// SPDX-License-Identifier: MIT
//
// RefCopies: the GcRefs and GcWeakRefs of a copy. They are counted in the
// source, so that there are slots for all before anything is written.
// Internal to acre.

#ifndef ACRE_CONTAINERS_COPY_REF_COPIES_H_
#define ACRE_CONTAINERS_COPY_REF_COPIES_H_

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/blocks.h"
#include "acre/detail/heap_arena.h"
#include "acre/detail/walk.h"
#include "acre/gc_ref.h"
#include "acre/type_layout.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

class RefCopies {
 public:
  explicit RefCopies(Arena& arena) : arena_(arena) {}

  void Count(const TypeLayout& ref) {
    ++(ref.ops->form == HandleForm::kRef ? strong_ : weak_);
  }
  /// Those that another one has counted.
  void CountAll(const RefCopies& other) {
    strong_ += other.strong_;
    weak_ += other.weak_;
  }
  bool has_some() const { return (strong_ | weak_) != 0; }
  /// As the last that asks for memory. False where it runs out.
  [[nodiscard]] bool Reserve() const {
    return !has_some() || IsHeapArena(arena_) ||
           ReserveRefSlots(arena_, strong_, weak_);
  }
  /// `ref` has the bytes of the source, or was given a slot here before: what
  /// lies in something may be met with that, and alone.
  void Copy(const TypeLayout& type, void* ref) {
    if (!copied_.emplace(ref, &type).second) return;
    if (type.ops->copy_storage(ref, &arena_).outcome ==
        StorageCopy::Outcome::kNoMemory) {
      Blocks::Fail(arena_, kSlotBytes);
    }
  }
  /// From here on entries of tables move, and references with them: what is to
  /// be given back is known by its slots.
  void LeavePlaces() {
    slots_.reserve(copied_.size());
    for (const auto& [ref, type] : copied_) {
      if (std::uintptr_t* const slot = SlotOf(*type, ref)) {
        slots_.push_back(slot);
      }
    }
    copied_.clear();
  }
  /// The copy has failed, and its memory is still there, though what is in it
  /// may not be whole.
  void GiveBack() {
    for (const auto& [ref, type] : copied_) type->ops->release(ref);
    copied_.clear();
    for (std::uintptr_t* const slot : slots_) GiveSlot(slot);
    slots_.clear();
  }

 private:
  Arena& arena_;
  std::size_t strong_ = 0;
  std::size_t weak_ = 0;
  std::unordered_map<void*, const TypeLayout*> copied_;
  std::vector<std::uintptr_t*> slots_;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_COPY_REF_COPIES_H_
