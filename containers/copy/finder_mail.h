// SPDX-License-Identifier: MIT
//
// FinderMail: what the finders of one copy, a thread each, tell each other.
// What one of them meets in a chunk that is another's it tells that one.
// Internal to acre.
//
//   finder 0 --- batches of items --->  box 1   finder 1
//            box 0   <--- batches of items ---
//
// All is found when no finder works and no batch is on its way: one counter. It
// is counted up for a batch before that lies in a box, and down when it was
// taken by a finder that is counted itself: once it is zero it stays so.

#ifndef ACRE_CONTAINERS_COPY_FINDER_MAIL_H_
#define ACRE_CONTAINERS_COPY_FINDER_MAIL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "acre/config.h"
#include "copy/copy_plan.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

class FinderMail {
 public:
  enum class Kind : std::uint8_t { kPointer, kView, kStorage };
  /// Most of what members do is to write these down: two words.
  struct Item {
    const char* target;
    std::uint64_t word;  // count of objects, or bytes; kind 2; number 14

    Item() = default;
    Item(const char* to, const CopyPlan& plan, std::uint64_t count, Kind kind)
        : target(to),
          word(count << 16 | static_cast<std::uint64_t>(kind) << 14 |
               plan.number) {}
    std::size_t count() const { return word >> 16; }
    Kind kind() const { return static_cast<Kind>(word >> 14 & 3); }
    unsigned number() const { return word & 0x3fff; }
  };
  static constexpr unsigned kMaxNumber = 0x3fff;
  struct Batch {
    static constexpr std::size_t kMost = 512;
    std::size_t size = 0;
    Item items[kMost];
  };

  explicit FinderMail(unsigned members);

  unsigned members() const { return members_; }
  /// Nobody goes on: one cannot, or has failed.
  void Stop() { is_stopped_.store(true, std::memory_order_relaxed); }
  bool is_stopped() const {
    return is_stopped_.load(std::memory_order_relaxed);
  }

 private:
  friend class FinderDesk;

  // Batches of fewer than kFew items, one after the other: everything is a list
  // or so. Whoever has the next piece of that waits for the other one each
  // time, on a busy machine for milliseconds. One thread does better.
  static constexpr std::size_t kFew = 4;
  static constexpr unsigned kMostSmall = 64;

  struct alignas(64) Box {
    std::mutex lock;
    std::deque<std::unique_ptr<Batch>> batches;  // in the order they were sent:
                                                 // a whole before its parts
    std::atomic<bool> has_some{false};
  };

  const unsigned members_;
  const std::unique_ptr<Box[]> boxes_;
  std::atomic<std::size_t> open_;  // finders that work, batches on their way
  std::atomic<bool> is_stopped_{false};
};

/// A finder's own end of that; used by its thread alone.
class FinderDesk {
 public:
  FinderDesk(FinderMail& mail, unsigned self)
      : mail_(mail), self_(self), out_(mail.members()) {
    for (auto& batch : out_) batch = NewBatch();
  }

  /// True: the batch is full; Flush, or of its own items empty it.
  ACRE_INLINE bool Put(unsigned to, const FinderMail::Item& item) {
    Batch& batch = *out_[to];
    batch.items[batch.size] = item;
    return ++batch.size == Batch::kMost;
  }
  void Flush(unsigned to);
  /// What it has put there for itself.
  FinderMail::Batch* Own() { return out_[self_].get(); }
  /// A batch that has come, until the next one is asked for, and empty by then;
  /// null where none has.
  FinderMail::Batch* Receive();
  /// There is nothing to do: sends what was held back, and waits for more.
  /// False where all are done, or stopped.
  bool Wait();
  void Stop() { mail_.Stop(); }
  bool is_stopped() const { return mail_.is_stopped(); }

 private:
  using Batch = FinderMail::Batch;

  std::unique_ptr<Batch> NewBatch();

  FinderMail& mail_;
  const unsigned self_;
  std::vector<std::unique_ptr<Batch>> out_;  // by member, what goes next
  std::unique_ptr<Batch> in_;                // came last
  std::unique_ptr<Batch> spare_;
  unsigned small_ = 0;  // batches that came last
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_COPY_FINDER_MAIL_H_
