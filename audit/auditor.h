// SPDX-License-Identifier: MIT
//
// Auditor: the walk that tells. A work list of objects; each is asked for its
// slots, each slot is judged, and what it leads to inside the arena joins the
// list. Recording, it goes breadth first and knows how each object was reached.
// The three subjects have a file each:
//
//   auditor.cc        the work list and the slots
//   auditor_whole.cc  whole arenas: every block, raw memory, garbage
//   auditor_tell.cc   findings and their paths

#ifndef ACRE_AUDIT_AUDITOR_H_
#define ACRE_AUDIT_AUDITOR_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "acre/audit.h"
#include "acre/config.h"
#include "acre/detail/block_walk.h"
#include "acre/detail/per_chunk.h"
#include "acre/detail/visit_set.h"
#include "acre/detail/walk.h"
#include "classify.h"
#include "covered_words.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

class Auditor {
 public:
  /// `record`: remember how everything was reached, for paths.
  Auditor(const Arena& arena, const AuditOptions& options, bool record)
      : classifier_(arena),
        arena_(arena),
        options_(options),
        record_(record),
        covered_(&arena) {
    report_.arena = arena.name();
  }

  AuditReport Run(std::span<const AuditRoot> roots);
  /// The roots, and every live block.
  AuditReport RunWhole(std::span<const AuditRoot> roots);
  /// Only what no layout describes; `covered`: storages that have been walked.
  /// Checked builds.
  AuditReport SweepRest(PerChunk<CoveredWords> covered);
  /// Tells the paths of findings of which only the slots are known.
  void TellPaths(std::span<Finding> findings);
  /// What no root reaches.
  std::vector<Garbage> FindGarbage(std::span<const AuditRoot> roots);
  void operator()(const Slot& slot);
  /// A gap of an object that no layout describes.
  void operator()(const char* begin, const char* end) { Sweep(begin, end); }

 private:
  /// How an object was reached from the one before.
  enum class Via : std::uint8_t { kStart, kPointer, kElements, kMapEntry };

  struct Item {
    const char* data;
    const TypeLayout* type;
    std::size_t count;
    std::size_t first;  // the index of *data in the array it is part of
  };

  /// Recorded for every Item in the second pass.
  struct Origin {
    std::size_t parent;  // index of the item that holds the slot
    const void* slot;
    std::size_t ordinal;  // of a kMapEntry
    Via via;
  };

  // ------------------------------------------------------------ work list
  void Start(const char* data, const TypeLayout& type, std::size_t count);
  void WalkAll();
  void WalkFrom(std::span<const AuditRoot> roots);
  bool TakeNext();
  void Push(const Item& item, const Origin& origin);
  void Push(const Item& item, const Slot& slot, Via via,
            std::size_t ordinal = 0);
  /// How many elements from `address` on have been walked; counts `count` of
  /// them as walked from now on.
  std::size_t Visit(const void* address, const TypeLayout& type,
                    std::size_t count);
  /// False where the storage was walked before.
  bool VisitStorage(const HandleStorage& storage, const TypeLayout& handle);
  /// For garbage: the block around the address is reached.
  void Meet(const void* address);

  // ---------------------------------------------------------------- slots
  /// A pointer or view.
  void Follow(const Slot& slot, const void* address, std::size_t count);
  void Enter(const Slot& slot, const void* address, const TypeLayout& type,
             std::size_t count);
  void FollowHandle(const Slot& slot);

  // --------------------------------------------------------- whole arenas
  /// Calls visit(const BlockView&) for every live block of New and NewArray.
  template <class Visitor>
  void ForEachObjectBlock(Visitor visit);
  /// Starts at the blocks that the roots did not reach: first those to which no
  /// pointer leads, then (circles) those that are still left.
  void StartUnreached();
  /// Every slot in the arena that a layout describes.
  template <class Visitor>
  void ForEachSlotOfAll(Visitor& visit);
  std::vector<Garbage> CountUnmet();

  // ------------------------------------------------------ undescribed memory
  /// Objects that are looked at by their layout are not swept, but for their
  /// gaps. Release builds: in checked ones the blocks tell what to sweep.
  void Cover(const char* data, const TypeLayout& type, std::size_t count);
  bool IsCovered(const BlockView& block);
  void SweepAll();
  /// Of an object or a part: may a pointer lie in a gap of it?
  bool HasGaps(const TypeLayout& type, const char* object);
  void SweepGaps(const BlockView& block);
  void Sweep(const char* begin, const char* end);
  void SweepWord(const char* at, const char* end);
  /// Every handle knows its arena: that holds nothing that could be freed.
  bool IsOwnControlBlock(const void* address) const;
  /// For the paths of swept memory.
  void NoteItems();
  /// Memory that something points to has the path of the pointer.
  void TellPathOfWord(const char* at, Finding& finding) const;

  // -------------------------------------------------------------- reporting
  void Report(const Slot& slot, const void* address, Verdict found);
  void List(Finding finding);
  /// Makes room for a leak: drops the last finding that is none. False where
  /// all are leaks.
  bool DropOther();
  void TellWanted(const Slot& slot);
  /// The way to the slot or word at `address`, in item `index`. The middle of a
  /// very long one is left out.
  void TellPath(std::size_t index, const void* address, Finding& finding) const;
  struct PartOfItem {
    const void* object;   // the element
    std::string element;  // "World", "[3]", "[\"MAP07\"]"; empty: the whole
    std::string field;    // ".target"
  };

  PartOfItem PartOf(std::size_t index, const void* address) const;
  struct RawOrigin {
    std::size_t item;
    const void* slot;
  };

  Classifier classifier_;
  const Arena& arena_;
  const AuditOptions& options_;
  const bool record_;
  bool covers_ = false;     // what is walked is noted, the rest is swept
  bool meets_ = false;      // blocks are noted as met, nothing is reported
  std::uint16_t pass_ = 0;  // while meets_
  AuditReport report_;
  std::size_t others_ = 0;  // listed findings that are no leaks
  VisitSet visited_;
  std::vector<std::size_t> walked_;           // elements, by number in visited_
  std::unordered_set<const void*> reported_;  // slots
  std::unordered_map<const void*, Finding*> wanted_;  // by slot
  Item current_{};
  std::vector<Item> items_;      // to do; in the second pass, all
  std::vector<Origin> origins_;  // parallel to items_, second pass only
  std::size_t next_ = 0;         // second pass: items_ before it are done
  // Storages; in release builds objects too. Marks at the blocks would not do:
  // they are those of the last pass, and another walk may come in between, a
  // collection's above all.
  PerChunk<CoveredWords> covered_;
  BlockView swept_;  // SweepAll: the block it is in
  std::unordered_map<std::uint64_t, bool> has_gaps_;  // by id of the type
  const TypeLayout* last_type_ = nullptr;             // of which was asked last
  bool last_has_gaps_ = false;
  // Second pass, for the paths of swept memory.
  std::unordered_map<const void*, std::size_t> item_at_;
  std::unordered_map<const void*, RawOrigin> raw_origins_;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_AUDIT_AUDITOR_H_
