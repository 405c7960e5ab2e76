// SPDX-License-Identifier: MIT
//
// WalkMemory, WalkQueue: where a walk over a large graph keeps its notes and
// what it has still to enter. Both take pages and give all of them back at the
// end. From some megabytes on they lie in huge pages: a copy touches half as
// much memory for its notes as it copies, and with small pages the kernel took
// a third of the time. Internal to acre.

#ifndef ACRE_CONTAINERS_DETAIL_WALK_MEMORY_H_
#define ACRE_CONTAINERS_DETAIL_WALK_MEMORY_H_

#include <cstddef>
#include <vector>

#include "acre/config.h"

namespace acre::inline ACRE_ABI::detail {

class WalkMemory {
 public:
  static constexpr std::size_t kPage = 2048;

  WalkMemory() = default;
  WalkMemory(const WalkMemory&) = delete;
  WalkMemory& operator=(const WalkMemory&) = delete;
  ~WalkMemory();

  /// kPage bytes, aligned as by operator new. Fails like that.
  void* NewPage();
  void* NewZeroPage();

 private:
  struct Slab {
    char* memory;
    std::size_t bytes;
    bool is_mapped;  // and zero; else from operator new
  };
  static constexpr std::size_t kFirst = 4 * kPage;  // bytes of the first slab
  static constexpr std::size_t kMapped = std::size_t{2} << 20;  // and larger
  static constexpr std::size_t kMost = std::size_t{4} << 20;    // of any

  Slab NewSlab(std::size_t bytes);

  std::vector<Slab> slabs_;
  char* next_ = nullptr;       // in the last slab
  char* end_ = nullptr;        // of that
  std::size_t size_ = kFirst;  // of the next one
};

/// First in, first out. Items are copied as bytes.
template <class T>
class WalkQueue {
 public:
  explicit WalkQueue(WalkMemory& memory) : memory_(memory) {}
  WalkQueue(const WalkQueue&) = delete;
  WalkQueue& operator=(const WalkQueue&) = delete;

  bool empty() const { return size_ == 0; }

  void Push(const T& item) {
    if (tail_.page == nullptr) {
      head_ = far_.at = near_.at = tail_ = {NewPage(), 0};
    } else if (tail_.index == kItems) {
      Page* page = NewPage();
      tail_.page->next = page;
      tail_ = {page, 0};
    }
    tail_.page->items[tail_.index++] = item;
    ++size_;
  }

  /// Requires: not empty.
  T Pop() {
    if (head_.index == kItems) {
      Page* done = head_.page;
      head_ = {done->next, 0};
      done->next = spare_;
      spare_ = done;
    }
    const T item = head_.page->items[head_.index++];
    --size_;
    Follow(far_);
    Follow(near_);
    return item;
  }

  /// Calls far(item) and near(item), once each for every item: when it comes to
  /// be kFar and kNear items from the next one, or when it is pushed closer.
  template <class Far, class Near>
  void LookAhead(Far far, Near near) {
    Look(far_, kFar, far);
    Look(near_, kNear, near);
  }

 private:
  static constexpr std::size_t kFar = 12;
  static constexpr std::size_t kNear = 6;
  static constexpr std::size_t kItems =
      (WalkMemory::kPage - sizeof(void*)) / sizeof(T);

  struct Page {
    Page* next;
    T items[kItems];
  };
  /// An item, or with kItems for the index the first of the next page.
  struct Position {
    Page* page = nullptr;
    std::size_t index = 0;
  };
  struct Cursor {
    Position at;
    std::size_t lead = 0;  // items from the head to it
  };

  Page* NewPage() {
    if (spare_ == nullptr) return static_cast<Page*>(memory_.NewPage());
    Page* page = spare_;
    spare_ = page->next;
    return page;
  }

  template <class Call>
  void Look(Cursor& cursor, std::size_t distance, Call call) {
    while (cursor.lead < distance && cursor.lead < size_) {
      if (cursor.at.index == kItems) cursor.at = {cursor.at.page->next, 0};
      call(cursor.at.page->items[cursor.at.index++]);
      ++cursor.lead;
    }
  }
  /// The head has gone on by one.
  void Follow(Cursor& cursor) {
    if (cursor.lead == 0) {
      cursor.at = head_;
    } else {
      --cursor.lead;
    }
  }

  WalkMemory& memory_;
  Position head_;  // the next one
  Position tail_;  // behind the last one
  Cursor far_;
  Cursor near_;
  std::size_t size_ = 0;
  Page* spare_ = nullptr;
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_WALK_MEMORY_H_
