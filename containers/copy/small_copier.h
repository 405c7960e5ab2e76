// SPDX-License-Identifier: MIT
//
// SmallCopier: deep copy of few objects in arenas, a message or a record with
// what hangs from it. What it knows lies on the stack; to make and clear the
// maps of a GraphCopier takes longer than to copy a dozen objects. Internal to
// acre.
//
//   1. find   the extents that the root reaches, in the order of meeting, and
//             the links between them
//   2. take   memory for all of them, by address, so that neighbours stay
//             neighbours: nothing was written so far
//   3. copy   the bytes; links are told where the copies are
//
// Every pointer has to lead to the start of an extent. What leads into one, and
// whatever else is not usual, it leaves to GraphCopier before it has written
// anything.

#ifndef ACRE_CONTAINERS_COPY_SMALL_COPIER_H_
#define ACRE_CONTAINERS_COPY_SMALL_COPIER_H_

#include <cstddef>
#include <cstdint>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/table_rep.h"
#include "acre/type_layout.h"
#include "copy/copy_plan.h"
#include "copy/ref_copies.h"
#include "copy/static_storage.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

class SmallCopier {
 public:
  /// More extents are GraphCopier's.
  static constexpr std::size_t kMost = 32;

  explicit SmallCopier(Arena& arena,
                       OutsideArenas outside = OutsideArenas::kIsCopied)
      : arena_(arena), refs_(arena), outside_(outside) {}
  SmallCopier(const SmallCopier&) = delete;
  SmallCopier& operator=(const SmallCopier&) = delete;
  /// Gives everything back where Run has not succeeded, or threw.
  ~SmallCopier();

  /// False, and nothing done, where it cannot do it or memory runs out. The
  /// root may lie anywhere.
  bool Run(const TypeLayout& type, const void* root);

  void* copy() const { return extents_[0].copy; }

 private:
  /// What is copied as one piece: objects in a row, or the storage of a
  /// container.
  struct Extent {
    const char* source;
    std::size_t bytes;
    const TypeLayout* type;  // of an object, or of an element
    bool is_storage;
    bool is_table;  // storage that starts with a table's controls
    char* copy;     // once taken

    const char* end() const { return source + bytes; }
    SlotShape slot_shape() const { return {type->size, type->align}; }
    std::size_t align() const {
      return is_table ? slot_shape().table_align() : type->align;
    }
    /// As the arena is told of the block.
    const TypeLayout* block_type() const { return is_table ? nullptr : type; }
  };

  using Step = CopyPlan::Step;

  /// The steps of a type that was met, in a row.
  struct Plan {
    const TypeLayout* type;
    std::uint8_t first;
    std::uint8_t end;
  };

  /// A pointer, view or container in an extent.
  struct Link {
    std::uint32_t offset;  // in its extent
    std::uint8_t in;       // numbers of extents
    std::uint8_t to;       // 0: none, an empty container
    std::uint8_t step;
  };

  bool Find();
  void FindInRow(Plan plan, const ElementRun& row);
  void FindPointers(Plan plan, const ElementRun& row);
  void TakeStep(std::size_t step, const char* slot);
  void TakePart(const TypeLayout& type, const char* part);
  std::size_t Meet(const TypeLayout& type, const void* source,
                   std::size_t count);
  std::size_t MeetStorage(const Step& step, const TypeLayout& element,
                          const ElementRun& storage);
  std::size_t Add(std::uint8_t& seat, const Extent& extent);
  void NoteLink(const char* slot, std::size_t step, std::size_t to);
  Plan PlanOf(const TypeLayout& type);
  void AddStep(const TypeLayout& slot, std::size_t offset);
  std::size_t StepOf(const TypeLayout& slot);
  std::size_t Stop();
  bool IsHandedOut(const char* begin, std::size_t bytes);
  bool StaysOutside(const void* target);
  bool Sort();

  bool Take();

  void Copy();
  void Rewrite(const Link& link);

  std::size_t SeatOf(const void* source) const;

  // Extents have numbers, from 1 on. They are found by the hash of where they
  // start; 0: none.
  static constexpr std::size_t kSeats = 2 * kMost;
  static constexpr std::size_t kMostLinks = 4 * kMost;
  static constexpr std::size_t kMostPlans = 16;
  static constexpr std::size_t kMostSteps = 48;

  Arena& arena_;
  RefCopies refs_;
  const OutsideArenas outside_;
  bool is_stopped_ = false;
  bool is_finished_ = false;
  std::size_t count_ = 0;
  std::size_t links_count_ = 0;
  std::size_t plans_count_ = 0;
  std::size_t steps_count_ = 0;
  std::size_t walked_ = 0;             // the number of the one that is, now
  std::size_t taken_ = 0;              // so many of sorted_ have copies
  const char* chunk_begin_ = nullptr;  // of the chunk asked for last
  const char* live_end_ = nullptr;     // nothing of it is handed out behind
  std::uint8_t seats_[kSeats] = {};
  Extent extents_[kMost];
  Extent* sorted_[kMost];  // by address
  Link links_[kMostLinks];
  Plan plans_[kMostPlans];
  Step steps_[kMostSteps];
  const TypeLayout* elements_[kMostSteps];  // what the steps lead to
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_COPY_SMALL_COPIER_H_
