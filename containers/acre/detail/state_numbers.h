// SPDX-License-Identifier: MIT
//
// StateNumbers: the objects that a walk has met, numbered in the order in which
// it met them, so that what is numbered alike in two arenas stands at the same
// place of two graphs. Known by address and type.
//
//   chunk:   | granule 16        | granule 16 | ...
//   cells:   | number 24, type 8  |     0      | ...   a quarter of its size
//
// What lies elsewhere, begins where an object of another type does, or has too
// high a number is in a table. A number is asked for in two steps: the place is
// fetched from memory while the walk goes on. Internal to acre.

#ifndef ACRE_CONTAINERS_DETAIL_STATE_NUMBERS_H_
#define ACRE_CONTAINERS_DETAIL_STATE_NUMBERS_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <vector>

#include "acre/config.h"
#include "acre/detail/per_chunk.h"
#include "acre/detail/size_class.h"
#include "acre/detail/state_plan.h"
#include "acre/detail/visit_set.h"

namespace acre::inline ACRE_ABI::detail {

class StateNumbers {
 public:
  /// Where an object's number stands, or will.
  struct Place {
    const char* address = nullptr;
    const StatePlan* plan = nullptr;
    std::uint32_t* cell = nullptr;  // null: in the table
    bool is_in_arena = false;
  };
  struct Number {
    std::uint64_t value = 0;
    bool is_new = false;
  };

  Place Find(const void* address, const StatePlan& plan) {
    Place place{static_cast<const char*>(address), &plan};
    if (Cells* cells = chunks_.Of(address)) {
      place.is_in_arena = true;
      const auto offset =
          static_cast<std::size_t>(place.address - cells->begin());
      if (offset % kGranule == 0 && plan.number != 0) {
        place.cell = cells->at(offset / kGranule);
        __builtin_prefetch(place.cell, 1);
      }
    }
    return place;
  }

  /// Of an object that was met, or 0.
  std::uint64_t Known(const void* address, const StatePlan& plan) {
    const Place place = Find(address, plan);
    if (place.cell != nullptr) {
      const std::uint32_t found = *place.cell;
      if (found == 0) return 0;
      if ((found & kTagMask) == plan.number) return found >> kTagBits;
    }
    const std::uint64_t known = others_.Find(address, *plan.type);
    return known == VisitSet::kNone ? 0 : numbers_[known];
  }

  /// The next number is nobody's.
  void Skip() { ++next_; }

  Number NumberAt(const Place& place) {
    const std::uint32_t tag = place.plan->number;
    if (place.cell != nullptr) {
      const std::uint32_t found = *place.cell;
      if (found == 0 && next_ < kMostInCells) {
        *place.cell = static_cast<std::uint32_t>(next_) << kTagBits | tag;
        return {next_++, true};
      }
      if ((found & kTagMask) == tag) return {found >> kTagBits, false};
    }
    return NumberInTable(place);
  }

 private:
  static constexpr unsigned kTagBits = 8;
  static constexpr std::uint32_t kTagMask = (1u << kTagBits) - 1;
  static constexpr std::uint64_t kMostInCells = 1u << (32 - kTagBits);

  /// From calloc: pages that are not met take no memory.
  class Cells {
   public:
    Cells(const char* begin, std::size_t size, const char*)
        : begin_(begin),
          size_(size),
          cells_(static_cast<std::uint32_t*>(
              std::calloc(size / kGranule + 1, sizeof(std::uint32_t)))) {}
    Cells(const Cells&) = delete;
    Cells& operator=(const Cells&) = delete;
    ~Cells() { std::free(cells_); }

    const char* begin() const { return begin_; }
    bool Holds(const void* address) const {
      return static_cast<std::size_t>(static_cast<const char*>(address) -
                                      begin_) < size_;
    }
    /// Null where there was no memory for them.
    std::uint32_t* at(std::size_t granule) {
      return cells_ != nullptr ? cells_ + granule : nullptr;
    }

   private:
    const char* begin_;
    std::size_t size_;
    std::uint32_t* cells_;
  };
  Number NumberInTable(const Place& place) {
    const std::uint64_t known =
        others_.FindOrInsert(place.address, *place.plan->type);
    if (known != VisitSet::kNone) return {numbers_[known], false};
    numbers_.push_back(next_);
    return {next_++, true};
  }

  PerChunk<Cells> chunks_;
  VisitSet others_;
  std::vector<std::uint64_t> numbers_;  // by order in others_
  std::uint64_t next_ = 1;
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_STATE_NUMBERS_H_
