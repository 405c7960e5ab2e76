// SPDX-License-Identifier: MIT
//
// SavedFinder: what a root reaches in its arena, as blocks by address, before
// anything of it is written. Reads the objects, changes nothing.
//
//   chunk:   | granule 16 | granule 16 | ...
//   cells:   |     32     |     32     | ...   1 + the block around it
//
// Internal to acre.

#ifndef ACRE_CONTAINERS_SAVED_SAVED_FINDER_H_
#define ACRE_CONTAINERS_SAVED_SAVED_FINDER_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <unordered_map>
#include <vector>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/look_ahead.h"
#include "acre/detail/per_chunk.h"
#include "acre/detail/size_class.h"
#include "acre/failure.h"
#include "saved/saved_plan.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// What has to be saved in one piece.
struct FoundBlock {
  const char* begin;
  std::size_t bytes;
  const SavedPlan* plan;  // of what it is a row or a table of
  SavedBlockKind kind;
  char* image = nullptr;  // where it is to lie
};

class SavedFinder {
 public:
  /// `may_drop`: pointers out of the arena are no error. `is_telling`:
  /// remembers the ways, to tell one.
  SavedFinder(const Arena& arena, const SavedPlans& plans, bool may_drop,
              bool is_telling)
      : arena_(arena),
        plans_(plans),
        may_drop_(may_drop),
        is_telling_(is_telling),
        chunks_(&arena) {}
  SavedFinder(const SavedFinder&) = delete;
  SavedFinder& operator=(const SavedFinder&) = delete;

  /// Requires: the root lies in the arena. False where something cannot be
  /// saved: one that tells finds out what.
  bool Run(const void* root);

  /// By address.
  std::vector<FoundBlock>& blocks() { return blocks_; }

  /// The block around an address of the arena that a pointer leads to, or null.
  const FoundBlock* Find(const char* address) {
    const Cells* cells = chunks_.Of(address);
    return cells == nullptr ? nullptr : Find(*cells, address);
  }
  /// Asks for the memory that Find will read.
  void Prefetch(const char* address) {
    if (Cells* cells = chunks_.Of(address)) cells->Prefetch(address);
  }

  const std::string& path() const { return path_; }
  const std::string& what() const { return what_; }

 private:
  /// A block, or a part of one.
  struct Record {
    const char* begin;
    std::size_t bytes;
    const SavedPlan* plan;
    SavedBlockKind kind;
    bool is_text;      // shown by string_views alone
    const char* slot;  // that led to it first; of storage: its container
  };

  /// From calloc: pages that are not met take no memory.
  class Cells {
   public:
    Cells(const char* begin, std::size_t size, const char*)
        : begin_(begin),
          size_(size),
          cells_(static_cast<std::uint32_t*>(
              std::calloc(size / kGranule + 1, sizeof(std::uint32_t)))) {
      if (cells_ == nullptr) FailOutOfMemory({"Save", size / 4, 0, SIZE_MAX});
    }
    Cells(const Cells&) = delete;
    Cells& operator=(const Cells&) = delete;
    ~Cells() { std::free(cells_); }

    const char* begin() const { return begin_; }
    bool Holds(const void* address) const {
      return static_cast<std::size_t>(static_cast<const char*>(address) -
                                      begin_) < size_;
    }
    std::uint32_t& At(const char* address) {
      return cells_[static_cast<std::size_t>(address - begin_) / kGranule];
    }
    std::uint32_t At(const char* address) const {
      return cells_[static_cast<std::size_t>(address - begin_) / kGranule];
    }
    void Prefetch(const char* address) { __builtin_prefetch(&At(address), 1); }

    /// Calls visit(cell) for those that are not 0, by address.
    template <class Visit>
    void ForEach(Visit visit) {
      for (std::size_t i = 0; i < size_ / kGranule + 1; ++i) {
        if (cells_[i] != 0) visit(cells_[i]);
      }
    }

   private:
    const char* begin_;
    std::size_t size_;
    std::uint32_t* cells_;
  };

  /// What a pointer leads to, its cell asked for.
  struct Pending {
    const char* target = nullptr;
    const SavedPlan* plan = nullptr;
    const char* slot = nullptr;
    Cells* cells = nullptr;
    std::uint32_t parent = 0;
  };
  /// Elements, met in the record that is being walked.
  struct Row {
    const char* data;
    std::size_t count;
    const SavedPlan* plan;
  };

  // ------------------------------------------------------------------- walk
  bool WalkAll();
  void WalkRecord(std::uint32_t number);
  void WalkRow(const Row& row);
  void TakeObject(const SavedPlan& plan, const char* object);
  void TakeStep(const SavedPlan& plan, const SavedStep& step, const char* slot);
  void TakePointer(const SavedStep& step, const char* slot);
  void TakeView(const SavedStep& step, const char* slot);
  void TakeHandle(const SavedStep& step, const char* slot);
  void Finish(const Pending& pending);
  void Meet(Cells& cells, const Record& record, std::uint32_t parent);
  void MeetAgain(std::uint32_t number, const Record& record,
                 std::uint32_t parent);
  void MeetBeside(const Record& record, std::uint32_t parent);
  std::uint32_t Keep(const Record& record, std::uint32_t parent);

  // ----------------------------------------------------------------- blocks
  bool GatherBlocks();
  bool Gather(std::uint32_t number);
  bool IsBefore(std::uint32_t a, std::uint32_t b) const;
  const FoundBlock* Find(const Cells& cells, const char* address) const;

  // ----------------------------------------------------------------- errors
  bool IsInKey(const char* slot) const {
    return slot >= key_begin_ && slot < key_end_;
  }
  void FailOutside(const char* slot, const char* what);
  void Fail(std::uint32_t number, const char* slot, std::string what);
  std::string PathTo(std::uint32_t number, const char* slot) const;
  static std::string StepPath(const Record& record, const char* slot);

  const Arena& arena_;
  const SavedPlans& plans_;
  const bool may_drop_;
  const bool is_telling_;
  PerChunk<Cells> chunks_;
  std::vector<Record> records_;
  std::vector<std::uint32_t> to_walk_;
  // Of what has no cell of its own: inside another, or at the same address.
  std::vector<std::uint32_t> beside_;
  struct Key {
    const char* begin;
    std::uint32_t number;
    SavedBlockKind kind;
    bool operator==(const Key&) const = default;
  };
  struct HashKey {
    std::size_t operator()(const Key& key) const;
  };
  std::unordered_map<Key, std::uint32_t, HashKey> known_beside_;
  std::uint32_t current_ = 0;        // the record that is being walked
  const char* key_begin_ = nullptr;  // of its entry
  const char* key_end_ = nullptr;
  LookAhead<Pending> pending_;
  std::vector<FoundBlock> blocks_;
  // Of records_, the ones whose slots led to them; only where it tells.
  std::vector<std::uint32_t> parents_;
  bool has_failed_ = false;
  std::string path_;
  std::string what_;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_SAVED_SAVED_FINDER_H_
