// SPDX-License-Identifier: MIT
//
// HistoryState: what a History is made of.
//
//   frames (a ring) -> ArenaState, list of chunks, versions that it made
//   chunks that frames have -> rows of pages (PageStore)
//
// Any page that may have been written since is compared with its version in
// force, that of the frame captured or restored last, whoever says so: the
// kernel, which may name too many (what Restore writes, too), or nobody, and
// then it is all pages in use. So nothing has to be undone after a Restore.
// Pages above what is used now and was used then keep whatever they hold.
// Internal to acre.

#ifndef ACRE_LIB_HISTORY_HISTORY_STATE_H_
#define ACRE_LIB_HISTORY_HISTORY_STATE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "acre/config.h"
#include "acre/history.h"
#include "collector/slot_frame.h"
#include "core/chunk_keeper.h"
#include "core/slow_path.h"
#include "history/arena_state.h"
#include "history/page_store.h"
#include "history/source_array.h"
#include "history/transients.h"
#include "pages/page_tracker.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// What a History knows of one chunk.
struct ChunkHistory : KeptChunk {
  Chunk* chunk = nullptr;
  ChunkHistory* next = nullptr;  // in the order in which the arena got them
  ChunkHistory* prev = nullptr;
  std::uint32_t lists = 0;        // chunk lists of frames that have it
  bool is_aside = false;          // the arena has given it back
  std::uint64_t aside_since = 0;  // captures there were by then
  std::uint32_t in_pass = 0;      // of TakeOutYounger: the frame has it
  char* top_then = nullptr;       // for Restore: see ChunkRecord::TopIn
  PageRange watched;              // by the kernel; empty: none
  bool is_refused = false;        // it is not to be watched
  PageRow bytes;
  PageRow infos;  // checked builds: the two parts of its block map
  PageRow starts;
};

class HistoryState final : public ChunkKeeper {
 public:
  HistoryState(Arena& arena, void* root, const TypeLayout* type,
               const HistoryOptions& options);
  HistoryState(const HistoryState&) = delete;
  HistoryState& operator=(const HistoryState&) = delete;
  ~HistoryState();

  /// Fails where there must be no such History.
  static void Check(Arena& arena, const void* root,
                    const HistoryOptions& options);
  /// False where memory runs out.
  bool Start();

  FrameId TryCapture();
  [[noreturn]] void FailCapture() const;
  void Restore(FrameId id);
  /// False where memory runs out.
  bool BeginPeek(FrameId id);
  void EndPeek();
  void DropAll() noexcept;

  bool IsKept(FrameId id) const { return Find(id) != nullptr; }
  std::size_t count() const { return count_; }
  FrameId IdAt(std::size_t i) const { return FrameId{(*this)[i].id}; }
  FrameId current() const;
  std::size_t bytes() const;
  PageTracking tracking() const;

 private:
  static const SlotFrame* LastSlots(const void* history);

  /// The chunks of some frames in a row.
  struct ChunkRow {
    std::size_t frames = 0;
    SourceArray<ChunkRecord> records;
  };
  struct Frame {
    std::uint64_t id = 0;
    FrameNumber number = 0;
    ArenaState state = {};
    LiveStamps stamps;
    SlotFrame slots;
    ChunkRow* chunks = nullptr;
    SourceArray<VersionIndex> made;
    // The transient fields that there are; null: none.
    std::shared_ptr<const std::vector<TransientField>> transients;
  };

  /// The arena as it is while a frame is looked at.
  struct Present {
    bool is_aside = false;
    FrameNumber at = 0;
    ArenaState state = {};
    LiveStamps stamps;
    std::uint64_t stamp = 0;
    SlotFrame slots;
    ChunkRow chunks;
    SourceArray<char> bytes;  // of each chunk and its block map
  };

  Frame& operator[](std::size_t i) { return ring_[(first_ + i) % most_]; }
  const Frame& operator[](std::size_t i) const {
    return ring_[(first_ + i) % most_];
  }
  const Frame* Find(FrameId id) const;
  const Frame& RequireFrame(FrameId id, const char* what) const;
  void RequireArena(const char* what) const;
  void RequireNoPeek(const char* what) const;
  void GoTo(const Frame& frame);
  void Load(const ChunkRow& row, const ArenaState& state, LiveStamps stamps);
  template <class Visit>
  void ForEachPart(const ChunkRow& row, const ArenaState& state, Visit visit);

  // ChunkKeeper
  void NoteNew(Chunk* chunk) override { Know(chunk); }
  bool Keep(Chunk* chunk) override;
  Chunk* TakeBack(std::size_t min_size, std::size_t wanted, bool any) override;
  void ArenaEnds() override;

  // chunks
  static ChunkHistory* Of(const Chunk* chunk) {
    return static_cast<ChunkHistory*>(chunk->kept);
  }
  ChunkHistory* Know(Chunk* chunk);
  void Forget(ChunkHistory* known);
  void FreeRows(ChunkHistory& known);
  void ReleaseUnneeded(bool all);
  bool ListTransients(Frame& frame);
  bool ListChunks();
  bool ListChunks(Frame& frame);
  void DropChunks(ChunkRow* row);
  void TakeOutYounger(const ChunkRow& row);

  // pages
  bool SetRows(ChunkHistory& known);
  void MoveRows(ChunkHistory& known);
  void Watch(ChunkHistory& known);
  void StopWatching(ChunkHistory& known);
  template <class Visit>
  bool ForEachCandidate(ChunkHistory& known, const char* top, bool protect,
                        Visit visit);
  bool KeepPages(Frame& frame);
  void PutPages(const Frame& frame);

  void Drop(Frame& frame);
  void DropOldest();
  void DropNewest();

  Arena* arena_;  // borrowed; null: it has ended
  void* const root_;
  const TransientTypes transient_types_;
  const std::size_t most_;
  PageStore store_;
  PageTracker tracker_;
  bool is_tracking_;           // wanted, and never refused
  std::size_t vain_ = 0;       // pages compared in vain since any was protected
  std::size_t last_made_ = 0;  // versions that the last frame has
  bool is_lost_ = false;  // what was written is not known: compare all, once

  ChunkHistory* known_ = nullptr;
  ChunkHistory* last_known_ = nullptr;
  SourceArray<ChunkRecord> listing_;  // made by ListChunks, not yet a frame's

  Present present_;
  Frame* ring_ = nullptr;  // most_ of them, owned
  std::size_t first_ = 0;  // the oldest
  std::size_t count_ = 0;
  FrameNumber at_ = 0;  // of the frame in force; 0: none
  std::uint64_t last_id_ = 0;
  std::uint64_t captures_ = 0;
  std::uint32_t pass_ = 0;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_LIB_HISTORY_HISTORY_STATE_H_
