// SPDX-License-Identifier: MIT

#include "acre/history.h"

#include <new>

#include "acre/detail/blocks.h"
#include "history/history_state.h"

namespace acre::inline ACRE_ABI {

namespace {

detail::HistoryState& State(detail::ChunkKeeper* state) {
  return *static_cast<detail::HistoryState*>(state);
}

}  // namespace

History::History(Arena& arena, void* root, const TypeLayout* type,
                 const HistoryOptions& options)
    : state_(nullptr) {
  detail::HistoryState::Check(arena, root, options);
  auto* state =
      new (std::nothrow) detail::HistoryState(arena, root, type, options);
  if (state != nullptr && state->Start()) {
    state_ = state;
    return;
  }
  delete state;
  detail::Blocks::Fail(arena, sizeof(detail::HistoryState));
}

History::~History() { delete &State(state_); }

FrameId History::Capture() {
  const FrameId frame = State(state_).TryCapture();
  if (frame == FrameId::kNone) State(state_).FailCapture();
  return frame;
}

FrameId History::TryCapture() { return State(state_).TryCapture(); }
void History::Restore(FrameId frame) { State(state_).Restore(frame); }
void History::BeginPeek(FrameId frame) {
  if (!State(state_).BeginPeek(frame)) State(state_).FailCapture();
}
void History::EndPeek() noexcept { State(state_).EndPeek(); }
bool History::IsKept(FrameId frame) const noexcept {
  return State(state_).IsKept(frame);
}
void History::DropAll() noexcept { State(state_).DropAll(); }

FrameId History::oldest() const noexcept {
  return State(state_).count() != 0 ? State(state_).IdAt(0) : FrameId::kNone;
}
FrameId History::newest() const noexcept {
  return State(state_).count() != 0
             ? State(state_).IdAt(State(state_).count() - 1)
             : FrameId::kNone;
}
FrameId History::current() const noexcept { return State(state_).current(); }
std::size_t History::frames() const noexcept { return State(state_).count(); }
std::size_t History::bytes() const noexcept { return State(state_).bytes(); }
PageTracking History::tracking() const noexcept {
  return State(state_).tracking();
}

}  // namespace acre::inline ACRE_ABI
