// SPDX-License-Identifier: MIT
//
// History: a whole arena captured, and brought back as it was: rollback, undo,
// replays. Addresses stay, so every pointer into the arena, in it and outside,
// is right again.
//
//   acre::History history(arena, *world);        // keeps 16 frames
//   const acre::FrameId frame = history.Capture();
//   Play(*world);                                // New, Free, growth, Reset
//   history.Restore(frame);                      // as if it had not been
//
//   frames:   | 1 | 2 | 3 | 4 | 5 |      Restore(2), then Capture:
//             | 1 | 2 | 6 |              what followed 2 is dropped
//
// A frame is all there is of an arena: objects, freed blocks, freelists, open
// marks, stamps, statistics, and what checked builds know of every block. What
// was made after it is gone when it is restored, what was freed is back. Frames
// can be restored in any order, back and forth, again and again.
//
// What a frame costs are the pages written since the one before. The first one
// copies the arena. On Linux 6.7 and later the kernel tells which pages were
// written (userfaultfd with asynchronous write protection, PAGEMAP_SCAN); else
// pages are compared, which reads the whole arena. See PageTracking.
//
// What lies outside of the arena does not go back: pointers to what was made
// later, byte limits, a container on the stack, of which the elements go back
// and the size does not. So containers belong into the arena, below the root.
// Of those outside, the ones that were not changed since the frame go on; those
// that were made or have grown since have no storage any more, as after a
// Reset: assign new ones. Others, changed where they were, must not be touched
// again, nor one whose storage was moved out of the arena's objects since.
// Pools outside (ObjectPool, BlockPool, StackArena) must not be used again;
// when they end they give nothing back.
//
// Fields with the note transient(field) keep their present value: handles of
// sounds, windows, statistics. That is, in every place that has such an object
// before and after Restore; in one that comes back they are as in the frame.
//
// Chunks that the arena gives back stay until no frame needs them; they do not
// count in its statistics, nor against its byte limit.
//
// Ownership: a History borrows the arena and its root. It has the memory of the
// frames from a source of its own. Where the arena ends first its frames end
// with it.
// Errors: misuse, and nothing is changed: a frame that is not kept, a second
// History of one arena, a collected arena, one of a LockedArena, an arena that
// another thread uses (checked builds).
// Before Capture and Peek begin they may ask the collector for memory, of an
// arena with GcRefs: finalizers may then use the arena, and are in the frame.
// Threads: the arena's. In a child after fork pages are compared.
// Complexity: Capture and Restore take a few steps for each page written since,
// and some for each chunk; without the kernel's help for each page in use.

#ifndef ACRE_HISTORY_H_
#define ACRE_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/page_tracking.h"

namespace acre::inline ACRE_ABI {

namespace detail {
class ChunkKeeper;  // lib/core/chunk_keeper.h
}

/// Names a frame of one History, which uses none twice. Later ones compare
/// greater.
enum class FrameId : std::uint64_t {
  kNone = 0,  ///< no frame
};

struct HistoryOptions {
  /// Frames kept at most, 1 to 65536; the oldest makes room for the next.
  std::size_t frames = 16;

  /// kComparing does without the kernel's help. With kKernel pages are compared
  /// where it cannot be had: see History::tracking.
  PageTracking tracking = PageTracking::kKernel;

  /// Where the memory of the frames comes from: pages in pieces of 256 KiB,
  /// lists in smaller ones; any that gives many chunks, and so neither
  /// FixedSource nor MmapSource. It must not run code that uses the arena.
  /// Borrowed; must outlive the History. Null: malloc.
  ChunkSource* source = nullptr;
};

/// See the top of this file.
class History {
 public:
  /// Of an arena whose layouts have no transient fields, or where those may go
  /// back as all others. Takes no memory but for its own records.
  explicit History(Arena& arena, const HistoryOptions& options = {})
      : History(arena, nullptr, nullptr, options) {}

  /// `root` lies in the arena: transient fields are those of what its layout
  /// reaches. Where there are any, Capture and Restore walk the types that can
  /// reach them.
  template <class T>
  History(Arena& arena, T& root, const HistoryOptions& options = {})
      : History(arena, &root, &LayoutOf<T>(), options) {
    static_assert(detail::RequireElement<T>());
  }

  History(const History&) = delete;
  History& operator=(const History&) = delete;
  /// Drops all frames; the arena stays as it is.
  ~History();

  /// Keeps the arena as it is now. Drops the frames after the one that was
  /// restored last, and the oldest where there are too many.
  /// Where memory runs out it fails as Arena::New does; then no frame was made,
  /// and those before are kept, but for the ones it had to drop.
  FrameId Capture();
  /// As Capture; FrameId::kNone where memory runs out.
  [[nodiscard]] FrameId TryCapture();

  /// Makes the arena what it was at Capture. Closes marks made since, opens
  /// those closed since. Frames are kept as they are. Takes memory only where
  /// there are transient fields, and then fails as New does, before anything is
  /// changed.
  void Restore(FrameId frame);

  /// Calls fn() with the arena as it was in the frame, and returns what that
  /// returns; then the arena is as before, whatever fn did in it, and whether
  /// or not it threw. To look at a frame: <acre/diff.h> does. Transient fields
  /// are those of the frame. In fn this History must not be used. Costs a copy
  /// of the arena; where there is no memory for that it fails as New does,
  /// before anything is changed.
  template <class Fn>
  decltype(auto) Peek(FrameId frame, Fn&& fn) {
    const Peeking peeking(*this, frame);
    return std::forward<Fn>(fn)();
  }

  /// True while Restore(frame) is allowed.
  bool IsKept(FrameId frame) const noexcept;

  /// Frees all frames, and the chunks that the arena has given back.
  void DropAll() noexcept;

  FrameId oldest() const noexcept;      ///< kept, or kNone
  FrameId newest() const noexcept;      ///< kept, or kNone
  FrameId current() const noexcept;     ///< captured or restored last, or kNone
  std::size_t frames() const noexcept;  ///< number kept
  /// Bytes held from the source, for frames and to be used again. Chunks that
  /// stay for a frame are not among them, nor lists of transient fields.
  std::size_t bytes() const noexcept;

  /// What is in force: kKernel where it is wanted and the system grants it.
  /// Known from the first Capture on; kKernel before, if it is wanted.
  PageTracking tracking() const noexcept;

 private:
  class Peeking {
   public:
    Peeking(History& history, FrameId frame) : history_(history) {
      history_.BeginPeek(frame);
    }
    Peeking(const Peeking&) = delete;
    Peeking& operator=(const Peeking&) = delete;
    ~Peeking() { history_.EndPeek(); }

   private:
    History& history_;
  };
  void BeginPeek(FrameId frame);
  void EndPeek() noexcept;

  History(Arena& arena, void* root, const TypeLayout* type,
          const HistoryOptions& options);

  // Owned, never null; lib/history/history_state.h.
  detail::ChunkKeeper* state_;
};

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_HISTORY_H_
