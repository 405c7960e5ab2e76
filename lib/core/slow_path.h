// SPDX-License-Identifier: MIT
//
// SlowPath: everything of an arena that is not inline in <acre/arena.h>. It
// alone sees the arena's private parts; arena.cc, free_lists.cc, chunks.cc,
// large.cc, reclaim.cc, mark.cc, checked.cc and sampler.cc implement it, one
// subject each.
//
// Re-entrancy: a source may run code that uses this very arena (a collection
// that runs finalizers). Before a source is called the arena is consistent,
// and nothing read before the call is trusted after it.

#ifndef ACRE_LIB_CORE_SLOW_PATH_H_
#define ACRE_LIB_CORE_SLOW_PATH_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/location.h"
#include "core/chunk.h"
#include "core/chunk_index.h"
#include "core/mark.h"
#include "core/poison.h"
#include "core/sampler.h"
#include "core/tracer.h"

namespace acre::inline ACRE_ABI::detail {
struct DebuggerWord;  // core/for_debuggers.h, where the pragma is not
struct ArenaState;    // history/arena_state.h
struct ChunkRecord;
enum class ChunkList : std::uint64_t;
}

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// Fails (misuse) where somebody outside points into the arena. `frame`: that
/// of the caller, a function of acre; what lies above is the program's.
void RequireNoHolders(const Arena& arena, const void* frame);

// Declared before, by arena.h, where the pragma is not.
class __attribute__((visibility("hidden"))) SlowPath {
  // By builtins: <atomic> in arena.h would add half to the time it compiles.
  // Whoever has to see it has stopped this thread; that orders all but what the
  // compiler moves.
  static bool Exchange(bool& flag, bool value) {
    const bool old = __atomic_load_n(&flag, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    __atomic_store_n(&flag, value, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return old;
  }

  /// Stands at the top of every function that changes the arena. Checked
  /// builds refuse a second thread, and tell collector callbacks.
  class Updating {
   public:
    explicit Updating(SlowPath& path) : arena_(path.a_) {
      if (!path.IsAudited()) return;
      path.CheckUser();
      outer_ = Exchange(arena_.updating_, true);
    }
    Updating(const Updating&) = delete;
    Updating& operator=(const Updating&) = delete;
    ~Updating() {
      SlowPath path(arena_);
      path.HideRoom();
      if (path.IsAudited()) Exchange(arena_.updating_, outer_);
    }

   private:
    Arena& arena_;
    bool outer_ = false;
  };

  /// Around every call of a source: the arena is consistent.
  class CallingSource {
   public:
    explicit CallingSource(SlowPath& path) : arena_(path.a_) {
      path.HideRoom();
      if (path.IsAudited()) outer_ = Exchange(arena_.updating_, false);
    }
    CallingSource(const CallingSource&) = delete;
    CallingSource& operator=(const CallingSource&) = delete;
    ~CallingSource() {
      if (SlowPath(arena_).IsAudited()) Exchange(arena_.updating_, outer_);
    }

   private:
    Arena& arena_;
    bool outer_ = true;  // where it became audited meanwhile
  };

 public:
  friend class HistoryState;  // history/history_state.h

  explicit SlowPath(Arena& arena) : a_(arena) {}

  // arena.cc: taking and giving
  void* Take(std::size_t bytes, std::size_t align, const TypeLayout* type);
  void Give(void* block, std::size_t bytes, std::size_t align,
            const TypeLayout* type);
  bool TryGrow(void* block, std::size_t old_bytes, std::size_t new_bytes,
               std::size_t align);
  std::size_t GrowIntoRest(void* block, std::size_t old_bytes,
                           std::size_t least, std::size_t most,
                           const TypeLayout& element);
  bool TryShrink(void* block, std::size_t old_bytes, std::size_t new_bytes,
                 std::size_t align);
  bool TryReserve(std::size_t bytes);
  char* TakeRoom(std::size_t bytes);
  void GiveRoom(char* room, std::size_t bytes);
  void Reset(ResetMode mode);
  void ReleaseAll();
  ArenaStats Stats() const;
  void VisitChunks(void (*visit)(void*, const ChunkInfo&), void* context) const;
  bool IsInUse(const Chunk& chunk) const;
  /// The chunks with blocks in them: those that share, then the large ones.
  const Chunk* FirstInUse() const;
  const Chunk* NextInUse(const Chunk& chunk) const;
  /// Where the blocks of a chunk in use end.
  const char* TopOf(const Chunk& chunk) const {
    return &chunk == a_.current_ ? a_.cursor_ : chunk.top;
  }
  bool IsUpdating() const {
    return __atomic_load_n(&a_.updating_, __ATOMIC_SEQ_CST);
  }
  Location Locate(const Chunk& chunk, const void* address) const;
  /// The arena's registry entry, made at first need; null: out of memory.
  ArenaEntry* Entry();
  bool IsLocked() const { return a_.locked_; }
  void MakeCollected(ChunkSource* source) {
    a_.collected_ = true;
    a_.source_ = source;
  }
  bool IsTraced() const { return a_.options_.trace != Trace::kNothing; }
  bool IsHeap() const { return a_.is_heap_; }
  void MakeHeap() { a_.is_heap_ = true; }

  // What is most frequent in a traced arena, short: small blocks. Null, or
  // false, and nothing done, where that is not it. Release builds.
  void* TakeTraced(std::size_t bytes, std::size_t align,
                   const TypeLayout* type);
  bool GiveTraced(void* block, std::size_t bytes, std::size_t align);
  /// What lies in a block is rows of elements, from an offset on.
  void AddRow(void* block, std::size_t bytes, std::size_t offset,
              const TypeLayout& element);

  // sampler.cc: release builds, where audit_one_in is set
  /// True where collections audit the arena, or a part of it.
  bool IsAudited() const { return kChecked || a_.sampler_ != nullptr; }
  /// True where there is a record of a live block that starts there.
  bool IsRecorded(const void* block) const;
  static std::uint32_t default_one_in;  // of ACRE_AUDIT_ONE_IN
  static bool is_auditing_off;          // by ACRE_AUDIT
  static void ReadEnvironment();
  /// One page in so many is to be audited; 0: none.
  std::uint32_t AuditOneIn() const {
    if (kChecked || is_auditing_off || IsTraced()) return 0;
    return a_.options_.audit_one_in != 0 ? a_.options_.audit_one_in
                                         : default_one_in;
  }
  /// Which pages are audited; null where all are, or none.
  const AuditedPages* FewAuditedPages() const {
    return a_.sampler_ == nullptr || a_.sampler_->pages.one_in == 1
               ? nullptr
               : &a_.sampler_->pages;
  }
  /// As Fill, as far as audits look: all, or in release builds what lies in
  /// audited pages, and elements of so many bytes that begin or end there.
  void FillAudited(char* begin, std::size_t bytes, std::size_t element,
                   int byte) const;
  /// Of a block that was taken.
  void NoteSampled(void* block, std::size_t bytes, std::size_t align,
                   const TypeLayout* type);
  /// Of a small block that is in no audited page, what is most frequent: gives
  /// it back. False, and nothing done, where that is not it.
  bool GiveSampled(void* block, std::size_t bytes, std::size_t align);
  /// Audits no more, for good.
  void StopSampling();

  // mark.cc
  Mark Checkpoint();
  void Rewind(Mark mark);
  bool IsOpen(Mark mark) const { return FindMark(mark) != nullptr; }
  bool IsLiveOlder(std::uint64_t stamp) const;
  std::uint64_t TimesBroughtBack() const {
    return a_.entry_ == nullptr ? 0 : a_.entry_->times_brought_back;
  }
  std::uint64_t ChunksGivenBack() const {
    return a_.entry_ == nullptr ? 0 : a_.entry_->chunks_given_back;
  }
  bool HasFrames() const {
    return a_.entry_ != nullptr && a_.entry_->older_stamps.count != 0;
  }
  bool IsOfThisLevel(std::uint64_t stamp) const {
    return a_.IsLive(stamp) &&
           (a_.mark_ == nullptr || stamp >= a_.mark_->stamp);
  }
  std::uint64_t StampOf(const void* address) const;
  bool HasMark() const { return a_.mark_ != nullptr; }
  /// The stamp of the youngest open mark that is older than the address, 0 for
  /// none; of null, of the youngest of all.
  std::uint64_t LevelOf(const void* address) const;
  bool IsOlderThanMark(const void* address) const;
  bool IsYounger(Mark mark, const void* address) const;

  // checked.cc: misuse, found in checked builds
  void CheckGive(void* block, std::size_t bytes, std::size_t align,
                 const TypeLayout* type);
  void NoteTaken(void* block, std::size_t bytes, std::size_t align,
                 const TypeLayout* type);
  /// The same of a block that has its contents already.
  static void NoteBlock(Chunk& chunk, void* block, std::size_t bytes,
                        std::size_t align, const TypeLayout* type);
  /// As Blocks says.
  void NoteCut(void* block, std::size_t bytes, std::size_t align,
               const TypeLayout* type);
  void NoteStorage(const void* block, const TypeLayout* table);
  void NoteLonger(void* block, std::size_t old_bytes, std::size_t bytes,
                  const TypeLayout& element);
  /// That FreeGraph may believe what lies at the target of an owned field: such
  /// objects, in a live block that is no container's.
  void CheckOwned(const void* target, std::size_t count, const TypeLayout& type,
                  std::string_view field) const;
  void HandOver() { __atomic_store_n(&a_.user_, 0, __ATOMIC_SEQ_CST); }
  bool IsUserStopped() const { return (UserWord() & kRunsOn) == 0; }
  bool IsUsedHere() const;
  void MakeWatch(ArenaEntry& entry);
  /// Of audited arenas. Checked builds fail where another thread uses the
  /// arena; else this one does from now on.
  void CheckUser();
  void BeforeFree();
  void BeforeReset();
  void BeforeEnd();
  void AfterReset();

  // history/arena_state.cc
  void SaveState(ArenaState& state) const;
  void LoadState(const ArenaState& state);
  bool BeginStretch();
  void GoBackTo(LiveStamps stamps);
  /// What is made from now on has that stamp again, as before all that was
  /// undone meanwhile.
  void ContinueStretch(std::uint64_t stamp) {
    a_.stamp_ = stamp;
    --a_.entry_->times_brought_back;
  }
  void ForEachListed(void (*visit)(void* context, Chunk* chunk, ChunkList list),
                     void* context) const;
  ChunkRecord RecordOf(Chunk* chunk, ChunkList list) const;
  void LoadChunks(const ChunkRecord* records, std::size_t count,
                  const ArenaState& state);
  void MendChunk(Chunk* chunk, const char* top);
  void MendMarks();

  // for_debuggers.cc
  static const DebuggerWord debugger_words[];

 private:
  // The room of the current chunk, which a traced arena hides from its inline
  // code, and an audited one in part.
  bool HidesNothing() const {
    return ACRE_LIKELY(a_.tracer_ == nullptr && a_.sampler_ == nullptr);
  }
  char* Limit() const { return HidesNothing() ? a_.limit_ : HiddenLimit(); }
  ACRE_COLD char* HiddenLimit() const;
  std::size_t Remaining() const {
    return static_cast<std::size_t>(Limit() - a_.cursor_);
  }
  void HideRoom() {
    if (HidesNothing()) return;
    if (a_.tracer_ != nullptr) a_.limit_ = a_.cursor_;
    if (a_.sampler_ != nullptr) HideAudited();
  }
  std::size_t& ReclaimAt() {
    return ACRE_UNLIKELY(a_.sampler_ != nullptr) ? a_.sampler_->reclaim_at
                                                 : a_.reclaim_at_;
  }
  void NoteTraced(void* block, std::size_t bytes, std::size_t align,
                  const TypeLayout* type);
  bool HasTracer();
  void ForgetTraced(Chunk* chunk, const char* from);
  Chunk* ChunkOf(const void* block) const;

  // free_lists.cc
  template <class Visit>
  void ForEachList(unsigned index, Visit visit);
  template <class Visit>
  void ForEachListBelow(unsigned end, Visit visit);
  void PutList(const SavedList& saved);
  static void Join(FreeBlock* list, FreeBlock*& other);
  static void Push(void* block, FreeBlock*& list);
  void* Pop(FreeBlock*& list, SizeClass size);
  void* PopFree(SizeClass size);
  ACRE_COLD void* PopHidden(SizeClass size);
  bool HasList(unsigned index) {
    return index <= kNearClasses || HasFarLists();
  }
  bool HasFarLists();
  void EmptyFreeLists();
  void PushFree(void* block, unsigned index, std::size_t bytes);
  void PushGap(char* gap, std::size_t bytes);

  // sampler.cc
  bool StartSampling(ChunkMemory memory);
  void SampleParked(Chunk& chunk);
  void HideAudited();
  void HoldBack(unsigned index);
  void Show(unsigned index);
  void WaitNoLonger();

  // arena.cc
  void* TakeBlock(std::size_t bytes, std::size_t align);
  void GivePiece(void* block, SizeClass size);
  void Retract(void* end);
  char* Carve(std::size_t bytes, std::size_t align);
  void WipeChunk(Chunk* chunk, ResetMode mode);
  void ForgetBlocks(Chunk* chunk, char* from);

  // chunks.cc
  bool Refill(std::size_t need);
  bool Extend(std::size_t need);
  static char* LimitOf(const Chunk& chunk);
  void UseHeld(Chunk* chunk);
  bool ReclaimFor(std::size_t need);
  bool AdvanceToSpare(std::size_t need);
  void Advance(Chunk* chunk);
  void Shelve(Chunk* chunk);
  void Vacate(Chunk* chunk);
  void StartAt(Chunk* chunk);
  void SetLimit(char* limit);
  Chunk* Acquire(std::size_t min_size, std::size_t wanted);
  Chunk* AcquireNew(std::size_t min_size, std::size_t wanted);
  void Charge(Chunk* chunk, std::size_t allowed);
  void Release(Chunk* chunk);
  void GiveBack(Chunk* chunk);
  std::size_t NextChunkSize() const;
  static constexpr std::size_t kSmallChunk = 768;
  std::size_t FirstChunkSize(std::size_t need) const;
  bool BeginsSmall() const;
  Chunk* TakeParked(std::size_t need);
  bool Park();
  void NoteSource();
  void TrimTo(std::size_t limit);
  bool ReleaseSpares();
  std::size_t Allowed() const;
  void NoteTop();

  // large.cc
  void* TakeLarge(std::size_t bytes, std::size_t align);
  void* TakeLargeFrom(Chunk* chunk, std::size_t bytes, std::size_t align);
  void* TakeRetainedLarge(std::size_t bytes, std::size_t align);
  bool GrowUnclassed(void* block, std::size_t new_bytes);
  bool GiveUnclassed(void* block);
  Chunk* TakeLargeSpare(std::size_t need);
  void UnlinkLarge(Chunk* chunk);
  void RetireLarge(Chunk* chunk);
  void RetireAllLarge(std::uint64_t from_order);

  // reclaim.cc
  void PlanReclaim();
  bool TakeTailBack();
  bool Reclaim();
  void CountFreed();
  void DropFreed();
  void ShelveWholeChunks();

  // mark.cc
  unsigned ListsInUse() const;
  std::size_t MarkBytes();
  MarkState* FindMark(Mark mark) const;
  static std::uint64_t ReadStamp(const MarkState& state);
  void SetMark(MarkState* mark);
  void NoteOlder();
  bool IsLiveInMarks(std::uint64_t stamp) const;
  std::size_t& FreedCounter(const void* block);
  void LinkWaiting(void* block, std::uint64_t index);
  void PushWaiting(void* block, unsigned index);
  void GiveWaiting(WaitingBlock* list);
  void RewindChunks(const MarkState& closed);
  WaitingBlock* GatherWaiting(WaitingBlock* list, WaitingBlock* kept,
                              const MarkState& target);
  bool IsBelow(const MarkState& mark, const void* block) const;
  MarkState* OldestAbove(const void* block) const;
  bool IsBelowMark(const void* block) const;

  // checked.cc
  // The address of a thread, which is even, and 1 for one that collections do
  // not stop.
  static constexpr std::uintptr_t kRunsOn = 1;
  std::uintptr_t UserWord() const {
    return __atomic_load_n(&a_.user_, __ATOMIC_SEQ_CST);
  }
  const void* User() const {
    return reinterpret_cast<const void*>(UserWord() & ~kRunsOn);
  }
  void BecomeUser();
  ArenaWatch* Watch() const {
    return a_.entry_ != nullptr ? a_.entry_->watch : nullptr;
  }
  void NoteGrown(void* block, std::size_t old_bytes, std::size_t bytes);
  void NoteGiven(void* block, std::size_t bytes);
  void PoisonOwn(void* p, std::size_t bytes);

  Arena& a_;
};

/// Calls visit(list, number) for all that a class has: a reference to the head;
/// the class, or where the blocks lie in audited pages that and kClassCount.
template <class Visit>
ACRE_INLINE void SlowPath::ForEachList(unsigned index, Visit visit) {
  if (a_.tracer_ != nullptr) return visit(a_.tracer_->lists[index], index);
  if (a_.sampler_ != nullptr) {
    visit(a_.sampler_->lists[index], index + kClassCount);
    visit(a_.sampler_->held[index], index);
  }
  if (a_.FreeBlockOf(index) != nullptr) visit(a_.FreeList(index), index);
  if (a_.sampler_ != nullptr && a_.sampler_->lists[index] == nullptr) {
    Show(index);
  }
}

/// The same for all classes from 1 on; lists may be empty.
template <class Visit>
void SlowPath::ForEachListBelow(unsigned end, Visit visit) {
  if (!HidesNothing()) {
    for (unsigned index = 1; index < end; ++index) ForEachList(index, visit);
    return;
  }
  for (unsigned index = 1; index < end; ++index) {
    if (a_.FreeBlockOf(index) != nullptr) visit(a_.FreeList(index), index);
  }
}

ACRE_READS_FREE_BLOCKS inline void SlowPath::Push(void* block,
                                                  FreeBlock*& list) {
  auto* const free_block = static_cast<FreeBlock*>(block);
  free_block->next = list;
  list = free_block;
}

ACRE_READS_FREE_BLOCKS inline void* SlowPath::Pop(FreeBlock*& list,
                                                  SizeClass size) {
  FreeBlock* const block = list;
  if (block == nullptr) return nullptr;
  list = block->next;
  a_.reused_ += size.bytes;
  return block;
}

ACRE_INLINE bool SlowPath::GiveSampled(void* block, std::size_t bytes,
                                       std::size_t align) {
  Sampler& sampler = *a_.sampler_;
  if (bytes - 1 >= kSmallMax || align > kGranule || a_.mark_ != nullptr ||
      !a_.options_.freelists) {
    return false;
  }
  const SizeClass size = ClassOf(bytes, align);
  if (size.index > kNearClasses || sampler.is_held[size.index] ||
      sampler.pages.HasEither(block, size.bytes) ||
      a_.freed_ + size.bytes >= sampler.reclaim_at) {
    return false;
  }
  Push(block, a_.near_free_[size.index]);
  a_.freed_ += size.bytes;
  return true;
}

inline void* SlowPath::PopFree(SizeClass size) {
  if (size.index == kNoClass) return nullptr;
  if (!HidesNothing()) return PopHidden(size);
  return a_.FreeBlockOf(size.index) == nullptr
             ? nullptr
             : Pop(a_.FreeList(size.index), size);
}

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_LIB_CORE_SLOW_PATH_H_
