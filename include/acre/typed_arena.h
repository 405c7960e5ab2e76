// SPDX-License-Identifier: MIT
//
// TypedArena: an arena for elements of one type, counted and indexed like a
// vector, whose elements never move.
//
//   acre::TypedArena<Token> tokens(1024);            // 1024, and no more
//   Token* first = tokens.New(kind, text);
//   std::span<Token> line = tokens.NewSlab(80);      // 80 in a row
//   Token& tenth = tokens[10];
//   tokens.Reset();                                  // clears the 81 used ones
//
//   acre::TypedArena<Token> many(1024, acre::Growth::kGrowing);
//
// A growing one takes further segments, each as large as all before it; a slab
// lies in one segment, so a slab that does not fit what is left of the current
// one leaves that unused until Reset (indices stay without gaps).
//
// A traced one (ArenaOptions::trace) tells the collector of a whole segment
// when it takes it, so that New takes no longer than in others.
//
// Ownership: owns its elements and what their containers hold; pointers and
// slabs are valid until Reset or the end of the arena.
// Units: everything counts elements.
// Threads: one at a time.
// Complexity: New and NewSlab are constant (a slab plus its elements), a new
// segment aside. Index access is constant where fixed; where growing, constant
// on average: later segments, which hold most elements, are looked at first.

#ifndef ACRE_TYPED_ARENA_H_
#define ACRE_TYPED_ARENA_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <utility>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/blocks.h"
#include "acre/detail/construct.h"
#include "acre/detail/location.h"
#include "acre/failure.h"

namespace acre::inline ACRE_ABI {

/// Whether a TypedArena takes more segments when it is full.
enum class Growth { kFixed, kGrowing };

/// See the top of this file.
template <class T>
class TypedArena {
 public:
  using value_type = T;

  /// Room for `capacity` elements, taken at once: fails like New. `options`
  /// are those of the arena that the segments come from.
  explicit TypedArena(std::size_t capacity, Growth growth = Growth::kFixed,
                      const ArenaOptions& options = {})
      : arena_(options), growth_(growth) {
    static_assert(detail::RequireElement<T>());
    if (capacity != 0 && !AddSegment(capacity)) Fail(capacity);
  }
  TypedArena(const TypedArena&) = delete;
  TypedArena& operator=(const TypedArena&) = delete;

  // ------------------------------------------------------------ allocation

  /// Constructs the next element, as Arena::New does; where the constructor
  /// throws, nothing has changed. A full fixed arena fails through the
  /// out-of-memory handler.
  template <class... Args>
  T* New(Args&&... args) {
    T* object = Make(std::forward<Args>(args)...);
    if (ACRE_UNLIKELY(object == nullptr)) Fail(1);
    return object;
  }

  /// As New; null, and nothing changed, where there is no room.
  template <class... Args>
  [[nodiscard]] T* TryNew(Args&&... args) {
    return detail::NullWithoutMemory<T, Args...>(
        [&]() -> T* { return Make(std::forward<Args>(args)...); });
  }

  /// `count` value-initialised elements in a row. Zero gives an empty span.
  std::span<T> NewSlab(std::size_t count) {
    const std::span<T> slab = TryNewSlab(count);
    if (ACRE_UNLIKELY(slab.size() != count)) Fail(count);
    return slab;
  }

  /// As NewSlab; an empty span, and nothing changed, where there is no room.
  [[nodiscard]] std::span<T> TryNewSlab(std::size_t count) {
    return detail::NullWithoutMemory<T>([&] {
      return Fill(count,
                  [](T* at, std::size_t) { detail::ConstructAt<T>(at); });
    });
  }

  /// Copies of `values`, in a row.
  std::span<T> NewSlab(std::span<const T> values) {
    const std::span<T> slab = TryNewSlab(values);
    if (ACRE_UNLIKELY(slab.size() != values.size())) Fail(values.size());
    return slab;
  }
  std::span<T> NewSlab(std::initializer_list<T> values) {
    return NewSlab(std::span<const T>(values.begin(), values.size()));
  }
  [[nodiscard]] std::span<T> TryNewSlab(std::span<const T> values) {
    return detail::NullWithoutMemory<T, const T&>([&] {
      return Fill(values.size(), [&](T* at, std::size_t i) {
        detail::ConstructAt<T>(at, values[i]);
      });
    });
  }
  [[nodiscard]] std::span<T> TryNewSlab(std::initializer_list<T> values) {
    return TryNewSlab(std::span<const T>(values.begin(), values.size()));
  }

  // ----------------------------------------------------------- whole arena

  /// Ends the life of all elements and of what their containers hold, zeroes
  /// the bytes that were used, and keeps the segments.
  void Reset() {
    for (std::size_t i = 0; i < in_use_; ++i) {
      Segment& segment = segments_[i];
      if constexpr (detail::kHandlesIn<T>) {
        for (std::size_t n = 0; n < segment.count; ++n) {
          detail::ReleaseHandles(LayoutOf<T>(), segment.data + n);
        }
      }
      if (segment.count != 0) {
        std::memset(static_cast<void*>(segment.data), 0,
                    segment.count * sizeof(T));
      }
      segment.count = 0;
    }
    in_use_ = segment_count_ == 0 ? 0 : 1;
    used_ = 0;
  }

  // --------------------------------------------------------------- queries

  std::size_t used() const noexcept { return used_; }
  bool empty() const noexcept { return used_ == 0; }

  /// Elements that TryNew can give before it needs a new segment.
  std::size_t remaining() const noexcept {
    std::size_t room = 0;
    for (std::size_t i = in_use_ == 0 ? 0 : in_use_ - 1; i < segment_count_;
         ++i) {
      room += segments_[i].capacity - segments_[i].count;
    }
    return room;
  }

  /// Elements that the segments can hold.
  std::size_t capacity() const noexcept { return capacity_; }

  /// The element made as the `index`th. Requires: index < used(), verified in
  /// checked builds.
  T& operator[](std::size_t index) noexcept { return *Find(index); }
  const T& operator[](std::size_t index) const noexcept {
    return *const_cast<TypedArena*>(this)->Find(index);
  }

  /// As operator[]; std::out_of_range (or abort) where index >= used().
  T& at(std::size_t index) {
    if (index >= used_) detail::FailOutOfRange("TypedArena::at", index, used_);
    return *Find(index);
  }
  const T& at(std::size_t index) const {
    return const_cast<TypedArena*>(this)->at(index);
  }

  /// True for an address inside an element.
  bool Owns(const T* element) const noexcept {
    return IndexOf(element) != npos;
  }

  /// The index of an element; npos for what is none.
  std::size_t IndexOf(const T* element) const noexcept {
    for (std::size_t i = 0; i < in_use_; ++i) {
      const Segment& s = segments_[i];
      if (element >= s.data && element < s.data + s.count) {
        return s.first + static_cast<std::size_t>(element - s.data);
      }
    }
    return npos;
  }
  static constexpr std::size_t npos = ~std::size_t{0};

  /// Calls fn(T&) for every element, in order of making.
  template <class Fn>
  void ForEach(Fn fn) {
    for (std::size_t i = 0; i < in_use_; ++i) {
      for (std::size_t n = 0; n < segments_[i].count; ++n) {
        fn(segments_[i].data[n]);
      }
    }
  }
  template <class Fn>
  void ForEach(Fn fn) const {
    const_cast<TypedArena*>(this)->ForEach(
        [&](T& element) { fn(std::as_const(element)); });
  }

  /// Where the segments and the elements' containers lie.
  /// For making what is moved into elements; must not be Reset itself.
  Arena& arena() noexcept { return arena_; }
  const Arena& arena() const noexcept { return arena_; }
  /// As Arena::HandOver.
  void HandOver() noexcept { arena_.HandOver(); }
  const char* name() const noexcept { return arena_.name(); }

 private:
  // Doubling from one element, a 64-bit size is reached before this.
  static constexpr std::size_t kMaxSegments = 64;

  struct Segment {
    T* data = nullptr;         // capacity elements; zero bytes from count on
    std::size_t first = 0;     // index of data[0]
    std::size_t count = 0;     // elements in use
    std::size_t capacity = 0;  // elements
  };

  bool AddSegment(std::size_t count) {
    ACRE_CHECK(
        !kChecked || detail::IsOfThisLevel(arena_, stamp_),
        "TypedArena '%s': a segment would not live as long as the others: "
        "its arena was Reset, or a Scope or mark of it is open",
        arena_.name());
    if (segment_count_ == kMaxSegments || count > PTRDIFF_MAX / sizeof(T)) {
      return false;
    }
    void* block = detail::Blocks::TryTake(arena_, count * sizeof(T), alignof(T),
                                          &LayoutOf<T>());
    if (block == nullptr) return false;
    // What the request has run may have made others.
    if (segment_count_ == kMaxSegments) {
      detail::Blocks::Give(arena_, block, count * sizeof(T), alignof(T),
                           &LayoutOf<T>());
      return false;
    }
    std::memset(block, 0, count * sizeof(T));
    segments_[segment_count_++] = {static_cast<T*>(block), used_, 0, count};
    if (in_use_ == 0) in_use_ = 1;
    capacity_ += count;
    return true;
  }

  /// Where `count` elements can be made, in the segment that is now current;
  /// null where there is no room.
  T* Next(std::size_t count) {
    Segment& current = segments_[in_use_ == 0 ? 0 : in_use_ - 1];
    if (ACRE_LIKELY(count <= current.capacity - current.count)) {
      return current.data + current.count;
    }
    return NextSegment(count);
  }

  /// A segment as large as all before it; less where memory is short.
  bool Grow(std::size_t count) {
    if (growth_ == Growth::kFixed) return false;
    constexpr std::size_t kLeast = 16;
    std::size_t wanted = capacity_ < kLeast ? kLeast : capacity_;
    if (wanted < count) wanted = count;
    while (!AddSegment(wanted)) {
      if (wanted == count) return false;
      wanted /= 2;
      if (wanted < count) wanted = count;
    }
    return true;
  }

  ACRE_COLD T* NextSegment(std::size_t count) {
    for (;;) {
      std::size_t next = in_use_;
      while (next < segment_count_ && segments_[next].capacity < count) ++next;
      if (next != segment_count_) {
        for (std::size_t i = in_use_; i <= next; ++i) {
          segments_[i].first = used_;
        }
        in_use_ = next + 1;
        return segments_[next].data;
      }
      if (!Grow(count)) return nullptr;
      // That may have run finalizers, which make elements here.
      Segment& current = segments_[in_use_ - 1];
      if (count <= current.capacity - current.count) {
        return current.data + current.count;
      }
    }
  }

  /// Room for `count` elements that are being made; takes them back unless
  /// Done() is said. Claimed before they are made: their constructors may make
  /// others here.
  class Claim {
   public:
    Claim(TypedArena& arena, std::size_t count)
        : arena_(arena), data_(arena.Next(count)), count_(count) {
      if (data_ == nullptr) return;
      segment_ = &arena.segments_[arena.in_use_ - 1];
      segment_->count += count;
      arena.used_ += count;
    }
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    ~Claim() {
      if (count_ != 0 && data_ != nullptr) TakeBack();
    }

    T* data() const { return data_; }
    void NoteMade() { ++made_; }
    void Done() { count_ = 0; }

   private:
    void TakeBack() {
      if constexpr (detail::kHandlesIn<T>) {
        for (std::size_t i = 0; i < made_; ++i) {
          detail::ReleaseHandles(LayoutOf<T>(), data_ + i);
        }
        // The one that was being made was zeros before.
        if constexpr (detail::kRefsIn<T>) {
          if (made_ != count_)
            detail::ReleaseRefs(LayoutOf<T>(), data_ + made_);
        }
      }
      std::memset(static_cast<void*>(data_), 0, count_ * sizeof(T));
      // Elements that the constructors made behind keep their indices; then
      // these stay, as zeros.
      if (data_ + count_ != segment_->data + segment_->count ||
          segment_ != &arena_.segments_[arena_.in_use_ - 1]) {
        return;
      }
      segment_->count -= count_;
      arena_.used_ -= count_;
      while (arena_.in_use_ > 1 &&
             arena_.segments_[arena_.in_use_ - 1].count == 0) {
        --arena_.in_use_;
      }
    }

    TypedArena& arena_;
    T* data_;
    std::size_t count_;
    std::size_t made_ = 0;
    Segment* segment_ = nullptr;
  };

  /// Null where there is no room.
  template <class... Args>
  T* Make(Args&&... args) {
    Claim claim(*this, 1);
    if (ACRE_UNLIKELY(claim.data() == nullptr)) return nullptr;
    T* object =
        detail::ConstructAt<T>(claim.data(), std::forward<Args>(args)...);
    Bind(object);
    claim.Done();
    return object;
  }

  template <class MakeOne>
  std::span<T> Fill(std::size_t count, MakeOne make) {
    if (count == 0) return {};
    Claim claim(*this, count);
    T* data = claim.data();
    if (data == nullptr) return {};
    for (std::size_t i = 0; i < count; ++i) {
      make(data + i, i);
      Bind(data + i);
      claim.NoteMade();
    }
    claim.Done();
    return {data, count};
  }

  void Bind(T* object) {
    if constexpr (detail::kHandlesIn<T>) {
      detail::BindHandles(LayoutOf<T>(), object, &arena_);
    }
  }

  T* Find(std::size_t index) noexcept {
    ACRE_DCHECK(index < used_);
    std::size_t i = in_use_ - 1;
    while (index < segments_[i].first) --i;
    return segments_[i].data + (index - segments_[i].first);
  }

  [[noreturn]] ACRE_COLD void Fail(std::size_t count) const {
    detail::Blocks::Fail(
        arena_, count > SIZE_MAX / sizeof(T) ? SIZE_MAX : count * sizeof(T));
  }

  Arena arena_;
  std::uint64_t stamp_ = arena_.stamp();
  Growth growth_;
  Segment segments_[kMaxSegments];  // the first in_use_ may hold elements
  std::size_t segment_count_ = 0;
  std::size_t in_use_ = 0;  // 0 only without segments
  std::size_t used_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_TYPED_ARENA_H_
