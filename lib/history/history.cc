// SPDX-License-Identifier: MIT

#include "acre/history.h"

#include <new>

#include "history/history_state.h"

namespace acre::inline ACRE_ABI {

History::History(Arena& arena, void* root, const TypeLayout* type,
                 const HistoryOptions& options)
    : state_(nullptr) {
  detail::HistoryState::Check(arena, root, options);
  state_ = new (std::nothrow) detail::HistoryState(arena, root, type, options);
  if (state_ != nullptr && state_->Start()) return;
  delete state_;
  detail::Blocks::Fail(arena, sizeof(detail::HistoryState));
}

History::~History() { delete state_; }

FrameId History::Capture() {
  const FrameId frame = state_->TryCapture();
  if (frame == FrameId::kNone) state_->FailCapture();
  return frame;
}

FrameId History::TryCapture() { return state_->TryCapture(); }
void History::Restore(FrameId frame) { state_->Restore(frame); }
void History::BeginPeek(FrameId frame) {
  if (!state_->BeginPeek(frame)) state_->FailCapture();
}
void History::EndPeek() noexcept { state_->EndPeek(); }
bool History::IsKept(FrameId frame) const noexcept {
  return state_->IsKept(frame);
}
void History::DropAll() noexcept { state_->DropAll(); }

FrameId History::oldest() const noexcept {
  return state_->count() != 0 ? state_->IdAt(0) : FrameId::kNone;
}
FrameId History::newest() const noexcept {
  return state_->count() != 0 ? state_->IdAt(state_->count() - 1)
                              : FrameId::kNone;
}
FrameId History::current() const noexcept { return state_->current(); }
std::size_t History::frames() const noexcept { return state_->count(); }
std::size_t History::bytes() const noexcept { return state_->bytes(); }
PageTracking History::tracking() const noexcept { return state_->tracking(); }

}  // namespace acre::inline ACRE_ABI
