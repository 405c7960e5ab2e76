// SPDX-License-Identifier: MIT

#include "history/history_state.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <new>

#include "acre/failure.h"
#include "history/raw_memory.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

constexpr std::size_t kMostFrames = 65536;

}  // namespace

HistoryState::HistoryState(Arena& arena, void* root, const TypeLayout* type,
                           const HistoryOptions& options)
    : arena_(&arena),
      root_(root),
      transient_types_(type),
      most_(options.frames),
      store_(options.source != nullptr ? *options.source
                                       : MallocSource::Instance()),
      is_tracking_(options.tracking == PageTracking::kKernel) {}

void HistoryState::Check(Arena& arena, const void* root,
                         const HistoryOptions& options) {
  ACRE_CHECK(options.frames >= 1 && options.frames <= kMostFrames,
             "a History of arena '%s' is to keep %zu frames; 1 to %zu can be",
             arena.name(), options.frames, kMostFrames);
  ACRE_CHECK(!arena.is_collected(),
             "arena '%s' is a collected one: the collector frees its chunks "
             "without asking, so no History can keep them; use an Arena with a "
             "lifetime of its own",
             arena.name());
  ACRE_CHECK(
      !arena.is_traced(),
      "arena '%s' is traced: no History keeps what its pointers lead to; "
      "use GcRefs in an arena that is not traced",
      arena.name());
  SlowPath path(arena);
  ACRE_CHECK(!path.IsLocked(),
             "arena '%s' is a LockedArena's: other threads may hold what "
             "Restore would take away; a History needs an arena of one thread",
             arena.name());
  path.CheckUser();
  const ArenaEntry* const entry = path.Entry();
  ACRE_CHECK(entry == nullptr || entry->keeper == nullptr,
             "arena '%s' has a History already", arena.name());
  ACRE_CHECK(root == nullptr || arena.Owns(root),
             "the root %p of a History is not in arena '%s'", root,
             arena.name());
}

bool HistoryState::Start() {
  ArenaEntry* const entry = SlowPath(*arena_).Entry();
  if (entry == nullptr) return false;
  ring_ = new (std::nothrow) Frame[most_];
  if (ring_ == nullptr) return false;
  SlowPath(*arena_).StopSampling();  // frames would need the records, too
  entry->keeper = this;
  return true;
}

HistoryState::~HistoryState() {
  if (arena_ != nullptr && ring_ != nullptr) {
    DropAll();
    SlowPath(*arena_).Entry()->keeper = nullptr;
    while (known_ != nullptr) Forget(known_);
  }
  listing_.Free(store_.source());
  present_.chunks.records.Free(store_.source());  // of a Peek that failed
  if (ring_ == nullptr) return;
  for (std::size_t i = 0; i < most_; ++i) ring_[i].made.Free(store_.source());
  delete[] ring_;
}

void HistoryState::RequireArena(const char* what) const {
  ACRE_CHECK(arena_ != nullptr, "%s: the arena of this History has ended",
             what);
  RequireNoPeek(what);
}

void HistoryState::RequireNoPeek(const char* what) const {
  ACRE_CHECK(!present_.is_aside,
             "%s in the history of arena '%s': one of its frames is looked at, "
             "by Peek",
             what, arena_->name());
}

const HistoryState::Frame* HistoryState::Find(FrameId id) const {
  // Ids grow along the ring.
  std::size_t low = 0;
  std::size_t high = count_;
  while (low != high) {
    const std::size_t middle = (low + high) / 2;
    if ((*this)[middle].id < static_cast<std::uint64_t>(id)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const bool is_there =
      low != count_ && (*this)[low].id == static_cast<std::uint64_t>(id);
  return is_there ? &(*this)[low] : nullptr;
}

FrameId HistoryState::current() const {
  for (std::size_t i = 0; i < count_; ++i) {
    if ((*this)[i].number == at_) return IdAt(i);
  }
  return FrameId::kNone;
}

std::size_t HistoryState::bytes() const {
  std::size_t bytes = store_.bytes() + listing_.bytes();
  for (const ChunkHistory* k = known_; k != nullptr; k = k->next) {
    bytes += k->bytes.pages.bytes() + k->infos.pages.bytes() +
             k->starts.pages.bytes();
  }
  const ChunkRow* counted = nullptr;
  for (std::size_t i = 0; i < count_; ++i) {
    const Frame& frame = (*this)[i];
    if (frame.chunks != counted) bytes += frame.chunks->records.bytes();
    counted = frame.chunks;
  }
  for (std::size_t i = 0; i < most_; ++i) {
    bytes += ring_[i].made.bytes() + ring_[i].slots.bytes();
  }
  return bytes;
}

PageTracking HistoryState::tracking() const {
  return is_tracking_ ? PageTracking::kKernel : PageTracking::kComparing;
}

// -------------------------------------------------------------------- frames

namespace {

const SlotFrame* NoSlots(const void*) { return nullptr; }

}  // namespace

/// Of the frame that the next one comes after; null where it is the first.
const SlotFrame* HistoryState::LastSlots(const void* history) {
  const auto& state = *static_cast<const HistoryState*>(history);
  std::size_t count = state.count_;
  while (count != 0 && state[count - 1].number > state.at_) --count;
  return count == 0 ? nullptr : &state[count - 1].slots;
}

FrameId HistoryState::TryCapture() {
  RequireArena("Capture");
  SlowPath path(*arena_);
  // First of all: it may run finalizers, which may use the arena, and capture
  // it as well. Nothing that follows does.
  SlotFrame slots;
  if (!slots.Take(*path.Entry(), &LastSlots, this)) return FrameId::kNone;
  const SlowPath::Updating updating(path);
  path.NoteTop();
  while (count_ != 0 && (*this)[count_ - 1].number > at_) DropNewest();
  if (count_ == most_) DropOldest();
  ++captures_;
  ReleaseUnneeded(false);
  Frame& frame = (*this)[count_];
  frame.made.Clear();
  frame.number = at_ + 1;
  if (!ListTransients(frame) || !ListChunks(frame)) return FrameId::kNone;
  if (!KeepPages(frame) || !path.BeginStretch()) {
    store_.DropNewest(frame.made);
    DropChunks(frame.chunks);
    is_lost_ = true;
    return FrameId::kNone;
  }
  is_lost_ = false;
  frame.slots.swap(slots);
  path.SaveState(frame.state);
  frame.stamps = SlowPath(*arena_).Entry()->older_stamps;
  frame.stamps.Share();
  frame.id = ++last_id_;
  at_ = frame.number;
  ++count_;
  return FrameId{frame.id};
}

void HistoryState::FailCapture() const {
  char name[64];
  std::snprintf(name, sizeof name, "frames of %s", arena_->name());
  FailOutOfMemory({name, store_.page_bytes(), bytes(), SIZE_MAX});
}

void HistoryState::DropOldest() {
  // What it kept for those after it stays; of pages that the next one has
  // versions of, nobody needs older ones.
  if (count_ > 1) store_.DropBefore((*this)[1].made);
  Drop((*this)[0]);
  first_ = (first_ + 1) % most_;
  --count_;
}

void HistoryState::DropNewest() {
  Frame& frame = (*this)[count_ - 1];
  store_.DropNewest(frame.made);
  Drop(frame);
  --count_;
}

/// What it has beside versions of pages.
void HistoryState::Drop(Frame& frame) {
  frame.stamps.Drop();
  frame.slots.Drop();
  frame.transients = nullptr;
  DropChunks(frame.chunks);
}

void HistoryState::DropAll() noexcept {
  RequireNoPeek("DropAll");
  for (std::size_t i = 0; i < count_; ++i) Drop((*this)[i]);
  for (std::size_t i = 0; i < most_; ++i) {
    ring_[i].made.Free(store_.source());
  }
  count_ = first_ = 0;
  at_ = 0;
  for (ChunkHistory* k = known_; k != nullptr; k = k->next) FreeRows(*k);
  store_.FreeSlabs();
  is_lost_ = true;  // there are no versions of what has not been written since
  ReleaseUnneeded(true);
}

const HistoryState::Frame& HistoryState::RequireFrame(FrameId id,
                                                      const char* what) const {
  RequireArena(what);
  const Frame* const frame = Find(id);
  ACRE_CHECK(
      frame != nullptr,
      "%s in the history of arena '%s': frame %llu is not kept; %zu are, "
      "from %llu to %llu",
      what, arena_->name(), static_cast<unsigned long long>(id), count_,
      count_ != 0 ? static_cast<unsigned long long>((*this)[0].id) : 0,
      count_ != 0 ? static_cast<unsigned long long>((*this)[count_ - 1].id)
                  : 0);
  return *frame;
}

void HistoryState::Restore(FrameId id) {
  const Frame& frame = RequireFrame(id, "Restore");
  SlowPath path(*arena_);
  path.BeforeReset();
  KeptValues values;
  if (frame.transients != nullptr) {
    values.Take(*frame.transients, transient_types_.In(*arena_, root_));
  }
  {
    const SlowPath::Updating updating(path);
    GoTo(frame);
    values.Put();
  }
  path.AfterReset();
}

/// Makes the arena what it was.
void HistoryState::GoTo(const Frame& frame) {
  SlowPath(*arena_).NoteTop();
  PutPages(frame);
  frame.slots.Put(*SlowPath(*arena_).Entry());
  Load(*frame.chunks, frame.state, frame.stamps);
  ++SlowPath(*arena_).Entry()->times_brought_back;
  at_ = frame.number;
}

/// All but the contents of pages, which are there.
void HistoryState::Load(const ChunkRow& row, const ArenaState& state,
                        LiveStamps stamps) {
  SlowPath path(*arena_);
  TakeOutYounger(row);
  path.LoadChunks(row.records.begin(), row.records.size(), state);
  path.LoadState(state);
  path.GoBackTo(stamps);
  if (!kChecked) return;
  for (const ChunkRecord& record : row.records) {
    const char* const top = record.TopIn(state);
    path.MendChunk(record.chunk,
                   top != nullptr ? top : record.chunk->begin.load());
  }
  path.MendMarks();
}

// ---------------------------------------------------------------------- peeks

/// Calls visit(begin, bytes) for all memory that a list of chunks has in use:
/// blocks, and in checked builds what is known of them.
template <class Visit>
void HistoryState::ForEachPart(const ChunkRow& row, const ArenaState& state,
                               Visit visit) {
  for (const ChunkRecord& record : row.records) {
    char* const top = record.TopIn(state);
    if (top == nullptr) continue;
    char* const begin = record.chunk->begin;
    visit(begin, static_cast<std::size_t>(top - begin));
    if (!kChecked) continue;
    for (const BlockMap::Part& part : {record.chunk->blocks.InfosTo(top),
                                       record.chunk->blocks.StartsTo(top)}) {
      visit(part.begin, static_cast<std::size_t>(part.end - part.begin));
    }
  }
}

bool HistoryState::BeginPeek(FrameId id) {
  static_cast<void>(RequireFrame(id, "Peek"));
  SlowPath path(*arena_);
  SlotFrame slots;  // first: see TryCapture
  if (!slots.Take(*path.Entry(), &NoSlots, nullptr)) return false;
  const Frame& frame = RequireFrame(id, "Peek");
  const SlowPath::Updating updating(path);
  path.NoteTop();
  ChunkSource& source = store_.source();
  SourceArray<ChunkRecord>& records = present_.chunks.records;
  records.Clear();
  if (!ListChunks() || !records.Reserve(source, listing_.size())) return false;
  for (const ChunkRecord& record : listing_) records.Push(record);
  path.SaveState(present_.state);
  std::size_t bytes = 0;
  ForEachPart(present_.chunks, present_.state,
              [&](const char*, std::size_t size) { bytes += size; });
  present_.bytes.Clear();
  if (!present_.bytes.Reserve(source, bytes)) return false;
  present_.slots.Drop();
  present_.slots.swap(slots);
  char* to = present_.bytes.begin();
  ForEachPart(present_.chunks, present_.state,
              [&](const char* from, std::size_t size) {
                CopyRaw(to, from, size);
                to += size;
              });
  present_.at = at_;
  present_.stamp = arena_->stamp();
  present_.stamps = path.Entry()->older_stamps;
  present_.stamps.Share();
  for (const ChunkRecord& record : records) ++Of(record.chunk)->lists;
  GoTo(frame);
  present_.is_aside = true;
  return true;
}

void HistoryState::EndPeek() {
  SlowPath path(*arena_);
  const SlowPath::Updating updating(path);
  const char* from = present_.bytes.begin();
  ForEachPart(present_.chunks, present_.state, [&](char* to, std::size_t size) {
    CopyRaw(to, from, size);
    from += size;
  });
  present_.slots.Put(*path.Entry());
  present_.slots.Drop();
  Load(present_.chunks, present_.state, present_.stamps);
  path.ContinueStretch(present_.stamp);
  for (const ChunkRecord& record : present_.chunks.records) {
    --Of(record.chunk)->lists;
  }
  present_.stamps.Drop();
  present_.bytes.Free(store_.source());
  present_.chunks.records.Free(store_.source());
  at_ = present_.at;
  present_.is_aside = false;
}

}  // namespace acre::inline ACRE_ABI::detail
