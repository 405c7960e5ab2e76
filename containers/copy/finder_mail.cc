// SPDX-License-Identifier: MIT

#include "copy/finder_mail.h"

#include <time.h>

#include <utility>

namespace acre::inline ACRE_ABI::detail {
namespace {

/// Leaves the processor to a second thread of its core.
inline void Pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

FinderMail::FinderMail(unsigned members)
    : members_(members), boxes_(new Box[members]), open_(members) {}

std::unique_ptr<FinderMail::Batch> FinderDesk::NewBatch() {
  if (spare_ == nullptr) return std::unique_ptr<Batch>(new Batch);
  return std::exchange(spare_, nullptr);
}

void FinderDesk::Flush(unsigned to) {
  if (out_[to]->size == 0) return;
  std::unique_ptr<Batch> next = NewBatch();
  FinderMail::Box& box = mail_.boxes_[to];
  mail_.open_.fetch_add(1);
  const std::lock_guard<std::mutex> hold(box.lock);
  box.batches.push_back(std::exchange(out_[to], std::move(next)));
  box.has_some.store(true);
}

FinderMail::Batch* FinderDesk::Receive() {
  FinderMail::Box& box = mail_.boxes_[self_];
  if (in_ != nullptr) spare_ = std::move(in_);
  if (!box.has_some.load()) return nullptr;
  const std::lock_guard<std::mutex> hold(box.lock);
  in_ = std::move(box.batches.front());
  box.batches.pop_front();
  box.has_some.store(!box.batches.empty());
  mail_.open_.fetch_sub(1);  // this finder is counted itself
  small_ = in_->size < FinderMail::kFew ? small_ + 1 : 0;
  if (small_ == FinderMail::kMostSmall) Stop();
  return in_.get();
}

bool FinderDesk::Wait() {
  for (unsigned to = 0; to < mail_.members(); ++to) Flush(to);
  mail_.open_.fetch_sub(1);
  // Something comes soon, most often: a tenth of a millisecond is waited for it
  // at once. Where the others have all the work it is not in their way.
  constexpr int kSpins = 2000;
  constexpr timespec kLater = {0, 20'000};
  for (int i = 0; !mail_.is_stopped(); ++i) {
    if (mail_.boxes_[self_].has_some.load()) {
      mail_.open_.fetch_add(1);  // while the batch is counted
      return true;
    }
    if (mail_.open_.load() == 0) return false;
    if (i < kSpins) {
      Pause();
    } else {
      ::nanosleep(&kLater, nullptr);
    }
  }
  return false;
}

}  // namespace acre::inline ACRE_ABI::detail
