// SPDX-License-Identifier: MIT
//
// Vector<T>: std::vector's interface over storage in an arena. 32 bytes.
//
//   struct Squad { acre::Vector<int> scores; };   // bound when it is made
//   arena.New<Squad>()->scores.push_back(7);
//   acre::Vector<int> local(arena);               // bound by its constructor
//
// Ownership: owns its storage, and with it the containers that its elements
// hold by value; never what elements point to. Not copyable: Clone or
// DeepCopy. Has no destructor: storage goes with Release(), by assignment,
// with Arena::Free of the struct around it, or with the arena.
// Binding: by constructor; by New, NewArray and the containers; else, at the
// first growth, to the arena that the Vector itself lies in. Failing that:
// misuse.
// Invalidates: as std::vector. Reset and Rewind end the life of the storage;
// afterwards only assignment and destruction are allowed.
// Bounds: at most 2^32 - 1 elements. Threads: as the arena.
//
// Of std::vector there is not: allocators (an Arena is given instead); copying
// (Clone does); the packed form of bools (Vector<bool> is as any other);
// std::erase and std::erase_if, which cannot be added to std: erase_if(v, pred)
// and erase(v, value) find acre's.

#ifndef ACRE_VECTOR_H_
#define ACRE_VECTOR_H_

#include <compare>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <type_traits>
#include <utility>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/construct.h"
#include "acre/detail/handle.h"
#include "acre/detail/iterators.h"
#include "acre/detail/vector_erase.h"
#include "acre/detail/vector_shape.h"
#include "acre/element.h"
#include "acre/failure.h"
#include "acre/fwd.h"

namespace acre::inline ACRE_ABI {

template <class T>
class Vector {
  /// Elements may be made from a U: Strings from texts, say.
  template <class U>
  static constexpr bool kMadeFrom =
      !std::is_same_v<U, T> && std::is_constructible_v<T, const U&>;
  /// Elements are made in place from a U. Numbers are converted first: as a
  /// bit-field one cannot be referred to.
  template <class U>
  static constexpr bool kInPlaceFrom =
      std::is_convertible_v<U, T> &&
      !std::is_same_v<std::remove_cvref_t<U>, T> &&
      !std::is_arithmetic_v<std::remove_cvref_t<U>>;

 public:
  using value_type = T;
  using size_type = std::size_t;
  using difference_type = std::ptrdiff_t;
  using reference = T&;
  using const_reference = const T&;
  using pointer = T*;
  using const_pointer = const T*;
  using iterator = T*;
  using const_iterator = const T*;
  using reverse_iterator = std::reverse_iterator<iterator>;
  using const_reverse_iterator = std::reverse_iterator<const_iterator>;

  /// What index_of returns for nothing found.
  static constexpr size_type npos = ~size_type{0};

  // ----------------------------------------------------------- construction
  Vector() = default;
  explicit Vector(Arena& arena) noexcept { rep_.arena = &arena; }
  Vector(Arena& arena, size_type count) : Vector(arena) {
    detail::FillNew(*this, [&] { resize(count); });
  }
  Vector(Arena& arena, std::initializer_list<T> values) : Vector(arena) {
    detail::FillNew(*this, [&] { assign(values.begin(), values.end()); });
  }
  Vector(Arena& arena, size_type count,
         const T& value) requires std::is_copy_constructible_v<T>
      : Vector(arena) {
    detail::FillNew(*this, [&] { assign(count, value); });
  }
  /// Here and below: elements made in place from what converts to T, texts for
  /// Strings, say; none of it may be a part of this Vector.
  template <class U>
  requires kMadeFrom<U> Vector(Arena& arena, std::initializer_list<U> values)
      : Vector(arena) {
    detail::FillNew(*this, [&] { assign(values.begin(), values.end()); });
  }
  template <class U>
  requires kMadeFrom<U> Vector(Arena& arena, size_type count, const U& value)
      : Vector(arena) {
    detail::FillNew(*this, [&] { resize(count, value); });
  }
  template <std::input_iterator I>
  Vector(Arena& arena, I first, I last) : Vector(arena) {
    detail::FillNew(*this, [&] { assign(first, last); });
  }

  Vector(Vector&& other) noexcept : rep_(other.rep_) { other.Forget(); }
  /// Releases what this one has. Checked builds refuse storage of another
  /// arena for a Vector that lies inside one.
  Vector& operator=(Vector&& other) noexcept {
    if (this == &other) return *this;
    if constexpr (kChecked) {
      detail::CheckTakes(this, other.rep_.arena, other.rep_.data);
    }
    // Taken first: `other` may lie in an element of this one.
    const detail::VectorRep taken = other.rep_;
    other.Forget();
    Release();
    Arena* const own = rep_.arena;
    rep_ = taken;
    if (rep_.arena == nullptr) rep_.arena = own;
    return *this;
  }
  Vector& operator=(std::initializer_list<T> values) {
    assign(values.begin(), values.end());
    return *this;
  }
  template <class U>
  requires kMadeFrom<U> Vector& operator=(std::initializer_list<U> values) {
    assign(values.begin(), values.end());
    return *this;
  }
  Vector(const Vector&) = delete;
  Vector& operator=(const Vector&) = delete;

  /// Gives the storage back. The Vector stays bound and usable.
  void Release() noexcept { detail::ReleaseVector(rep_, Element()); }

  /// The arena of this Vector, or null while unbound.
  Arena* arena() const noexcept { return rep_.arena; }

  template <std::input_iterator I>
  void assign(I first, I last) {
    clear();
    insert(begin(), first, last);
  }
  void assign(std::initializer_list<T> values) {
    assign(values.begin(), values.end());
  }
  void assign(size_type count,
              const T& value) requires std::is_copy_constructible_v<T> {
    T copy(value);
    clear();
    insert(begin(), count, copy);
  }
  template <class U>
  requires kMadeFrom<U>
  void assign(std::initializer_list<U> values) {
    assign(values.begin(), values.end());
  }
  template <class U>
  requires kMadeFrom<U>
  void assign(size_type count, const U& value) {
    clear();
    resize(count, value);
  }

  // ----------------------------------------------------------------- access
  T* data() noexcept {
    CheckLive();
    return static_cast<T*>(rep_.data);
  }
  const T* data() const noexcept {
    CheckLive();
    return static_cast<const T*>(rep_.data);
  }
  iterator begin() noexcept { return data(); }
  iterator end() noexcept { return data() + rep_.size; }
  const_iterator begin() const noexcept { return data(); }
  const_iterator end() const noexcept { return data() + rep_.size; }
  const_iterator cbegin() const noexcept { return begin(); }
  const_iterator cend() const noexcept { return end(); }
  reverse_iterator rbegin() noexcept { return reverse_iterator(end()); }
  reverse_iterator rend() noexcept { return reverse_iterator(begin()); }
  const_reverse_iterator rbegin() const noexcept {
    return const_reverse_iterator(end());
  }
  const_reverse_iterator rend() const noexcept {
    return const_reverse_iterator(begin());
  }
  const_reverse_iterator crbegin() const noexcept { return rbegin(); }
  const_reverse_iterator crend() const noexcept { return rend(); }

  T& operator[](size_type i) { return data()[Checked(i)]; }
  const T& operator[](size_type i) const { return data()[Checked(i)]; }
  /// Throws: std::out_of_range.
  T& at(size_type i) { return *Require(i); }
  const T& at(size_type i) const { return *Require(i); }
  /// Null where i is out of range.
  T* get(size_type i) noexcept { return i < size() ? data() + i : nullptr; }
  const T* get(size_type i) const noexcept {
    return i < size() ? data() + i : nullptr;
  }
  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }
  T& back() { return (*this)[size() - 1]; }
  const T& back() const { return (*this)[size() - 1]; }

  /// Index of the first (last) element equal to `value`, or npos. Linear.
  template <class U>
  size_type index_of(const U& value) const {
    for (size_type i = 0; i < size(); ++i) {
      if (data()[i] == value) return i;
    }
    return npos;
  }
  template <class U>
  size_type last_index_of(const U& value) const {
    for (size_type i = size(); i-- > 0;) {
      if (data()[i] == value) return i;
    }
    return npos;
  }

  // --------------------------------------------------------------- capacity
  bool empty() const noexcept { return size() == 0; }
  size_type size() const noexcept {
    CheckPlace();
    return rep_.size;
  }
  size_type capacity() const noexcept {
    CheckPlace();
    return rep_.capacity;
  }
  static constexpr size_type max_size() noexcept {
    constexpr size_type kBytes = PTRDIFF_MAX / sizeof(T) / 2;
    return kBytes < detail::kVectorMaxSize ? kBytes : detail::kVectorMaxSize;
  }
  void reserve(size_type count) {
    if (count > capacity()) Grow(count, true);
  }
  void shrink_to_fit() { detail::ShrinkVector(rep_, Element()); }

  // -------------------------------------------------------------- modifiers
  /// Releases the elements' containers; keeps the storage.
  void clear() noexcept {
    if (!IsLive()) return Forget();
    ReleaseElements(begin(), end());
    Wipe(begin(), end());
    rep_.size = 0;
  }

  void push_back(const T& value) requires std::is_copy_constructible_v<T> {
    if constexpr (kInRegisters) {
      PushValue(value);
    } else {
      emplace_back(value);
    }
  }
  void push_back(T&& value) {
    if constexpr (kInRegisters) {
      PushValue(value);
    } else {
      emplace_back(std::move(value));
    }
  }
  /// Made in place, from what converts to T: text for a String, say.
  template <class U>
  requires kInPlaceFrom<U>
  void push_back(U&& value) { emplace_back(std::forward<U>(value)); }

  template <class... Args>
  T& emplace_back(Args&&... args) {
    static_assert(detail::RequireItem<T>());
    CheckPlace();
    if (!detail::kRunsNoCode<T, Args...> && !detail::IsShortText<T>(args...)) {
      return EmplaceAside(std::forward<Args>(args)...);
    }
    if (ACRE_UNLIKELY(rep_.size == rep_.capacity)) {
      return EmplaceGrowing(std::forward<Args>(args)...);
    }
    return *ConstructLast(end(), std::forward<Args>(args)...);
  }

  /// False, and nothing done, where an equal element is there. Linear.
  template <class U>
  bool push_back_unique(U&& value) {
    if (index_of(value) != npos) return false;
    emplace_back(std::forward<U>(value));
    return true;
  }

  void pop_back() { erase(&back()); }

  template <class... Args>
  iterator emplace(const_iterator at, Args&&... args) {
    const auto i = static_cast<size_type>(at - begin());
    emplace_back(std::forward<Args>(args)...);
    return MoveTailTo(i, size() - 1);
  }
  iterator insert(const_iterator at,
                  const T& value) requires std::is_copy_constructible_v<T> {
    return emplace(at, value);
  }
  iterator insert(const_iterator at, T&& value) {
    return emplace(at, std::move(value));
  }
  template <class U>
  requires kInPlaceFrom<U> iterator insert(const_iterator at, U&& value) {
    return emplace(at, std::forward<U>(value));
  }
  iterator insert(const_iterator at, size_type count,
                  const T& value) requires std::is_copy_constructible_v<T> {
    const auto i = static_cast<size_type>(at - begin());
    const auto tail = size();
    const T copy(value);
    ReserveMore(count);
    for (size_type n = 0; n < count; ++n) emplace_back(copy);
    return MoveTailTo(i, tail);
  }
  /// Requires: [first, last) is not of this Vector. Where copying an element
  /// throws, those before it stay, at the end.
  template <std::input_iterator I>
  iterator insert(const_iterator at, I first, I last) {
    const auto i = static_cast<size_type>(at - begin());
    const auto tail = size();
    if constexpr (std::forward_iterator<I>) {
      ReserveMore(detail::CountBetween(first, last));
    }
    for (; first != last; ++first) emplace_back(*first);
    return MoveTailTo(i, tail);
  }
  iterator insert(const_iterator at, std::initializer_list<T> values) {
    return insert(at, values.begin(), values.end());
  }
  /// Of what converts by itself: {1, 2} is one element of a struct of two.
  template <class U>
  requires(kMadeFrom<U>&& std::is_convertible_v<const U&, T>) iterator
      insert(const_iterator at, std::initializer_list<U> values) {
    return insert(at, values.begin(), values.end());
  }

  iterator erase(const_iterator at) { return erase(at, at + 1); }
  /// Linear in what lies behind. Releases the elements' containers.
  iterator erase(const_iterator first, const_iterator last) {
    T* const to = begin() + (first - begin());
    T* const from = begin() + (last - begin());
    if (to == from) return to;
    ReleaseElements(to, from);
    std::memmove(static_cast<void*>(to), from,
                 static_cast<size_type>(end() - from) * sizeof(T));
    Wipe(end() - (from - to), end());
    rep_.size -= static_cast<std::uint32_t>(from - to);
    return to;
  }
  /// Erases the first `limit` elements that satisfy `pred`; how many there
  /// were. Stable. Linear.
  template <class Pred>
  size_type erase_if(Pred pred, size_type limit = npos) {
    CheckLive();
    return detail::Eraser<T>(rep_).EraseIf(pred, limit);
  }
  /// Erases the first `limit` elements equal to `value`, which may be one of
  /// them, but not a part of one (the view of a String, say).
  template <class U>
  size_type erase_value(const U& value, size_type limit = npos) {
    const auto is_equal = [&](const T& item) { return item == value; };
    if constexpr (std::is_same_v<U, T>) {
      if (&value >= begin() && &value < end()) {
        return detail::Eraser<T>(rep_).EraseEqual(value, limit);
      }
    }
    return erase_if(is_equal, limit);
  }

  void resize(size_type count) {
    static_assert(detail::RequireItem<T>());
    if (count > capacity()) Grow(count, false);
    if (count < size()) {
      ReleaseElements(begin() + count, end());
      Wipe(begin() + count, end());
    }
    if constexpr (detail::kRunsNoCode<T>) {
      for (T* at = end(); rep_.size < count; ++at) ConstructLast(at);
    } else {
      while (rep_.size < count) emplace_back();
    }
    rep_.size = static_cast<std::uint32_t>(count);
  }
  void resize(size_type count,
              const T& value) requires std::is_copy_constructible_v<T> {
    if (count <= size()) return resize(count);
    insert(end(), count - size(), value);
  }
  template <class U>
  requires kMadeFrom<U>
  void resize(size_type count, const U& value) {
    if (count <= size()) return resize(count);
    ReserveMore(count - size());
    while (size() < count) emplace_back(value);
  }

  void swap(Vector& other) noexcept {
    if constexpr (kChecked) {
      detail::CheckTakes(this, other.rep_.arena, other.rep_.data);
      detail::CheckTakes(&other, rep_.arena, rep_.data);
    }
    std::swap(rep_, other.rep_);
  }
  friend void swap(Vector& a, Vector& b) noexcept { a.swap(b); }

  friend bool operator==(const Vector& a, const Vector& b) {
    return a.size() == b.size() &&
           detail::EqualItems(a.data(), b.data(), a.size());
  }
  /// Weak where elements have < alone.
  friend auto operator<=>(
      const Vector& a, const Vector& b) requires std::three_way_comparable<T> ||
      requires(const T& x) {
    x < x;
  }
  { return detail::CompareItems<T>(a, b); }

 private:
  friend struct detail::Shape<Vector<T>>;

  static constexpr const TypeLayout& Element() {
    static_assert(detail::RequireItem<T>());
    return LayoutOf<T>();
  }

  /// False where Reset or Rewind has ended the storage.
  bool IsLive() const noexcept {
    if constexpr (kChecked) detail::CheckArena(this, rep_.arena, "Vector");
    return rep_.data == nullptr || rep_.arena->IsLive(rep_.stamp);
  }
  void CheckLive() const noexcept {
    if constexpr (kChecked) {
      detail::CheckUse(this, rep_.arena, rep_.data, rep_.stamp, "Vector");
    }
  }
  void CheckPlace() const noexcept {
    detail::CheckPlace(this, rep_.arena, "Vector");
  }

  size_type Checked(size_type i) const {
    CheckLive();
    ACRE_CHECK(!kChecked || i < size(),
               "Vector: index %zu is out of range, size is %zu", i, size());
    return i;
  }
  T* Require(size_type i) const {
    if (i >= size()) detail::FailOutOfRange("Vector::at", i, size());
    return static_cast<T*>(rep_.data) + i;
  }

  void Forget() noexcept { rep_ = {nullptr, rep_.arena, 0, 0, 0}; }

  void Grow(size_type count, bool exact) {
    static_assert(detail::RequireItem<T>());
    detail::GrowVector(rep_, count, Element(), exact);
  }

  /// Constructs the element behind the last one, at `at`.
  template <class... Args>
  T* ConstructLast(T* at, Args&&... args) {
    detail::ConstructWith<T>(*rep_.arena, at, std::forward<Args>(args)...);
    BindElement(at);
    ++rep_.size;
    return at;
  }

  /// What fits into registers is not passed by reference, and the size is
  /// written on one way only: a loop then keeps both in registers.
  static constexpr bool kInRegisters =
      std::is_trivially_copyable_v<T> && sizeof(T) <= 16;
  ACRE_INLINE void PushValue(std::remove_cv_t<T> value) {
    static_assert(detail::RequireItem<T>());
    std::uint32_t size = rep_.size;
    T* data = begin();
    if (ACRE_UNLIKELY(size == rep_.capacity)) {
      detail::GrowVector(rep_, std::size_t{size} + 1, Element(), false);
      data = begin();
      size = rep_.size;  // finalizers may have used this Vector
      ACRE_ASSUME(size < rep_.capacity);
    }
    T* at = data + size;
    detail::ConstructAt<T>(at, value);
    BindElement(at);
    rep_.size = size + 1;
  }

  /// The arguments may refer to elements: those move when the new one stands.
  template <class... Args>
  ACRE_COLD T& EmplaceGrowing(Args&&... args) {
    const detail::VectorGrowth growth =
        detail::StartGrowth(rep_, size() + 1, Element(), false);
    T* at = static_cast<T*>(growth.block) + size();
#if ACRE_EXCEPTIONS
    try {
#endif
      detail::ConstructWith<T>(*rep_.arena, at, std::forward<Args>(args)...);
#if ACRE_EXCEPTIONS
    } catch (...) {
      detail::AbandonGrowth(rep_, growth, Element());
      throw;
    }
#endif
    BindElement(at);
    detail::FinishGrowth(rep_, growth, Element());
    ++rep_.size;
    return *at;
  }

  /// What makes the element may run code that uses this very Vector.
  template <class... Args>
  ACRE_COLD T& EmplaceAside(Args&&... args) {
    if (rep_.arena == nullptr) rep_.arena = &detail::FindArena(this, "Vector");
    Arena& arena = *rep_.arena;
    if constexpr (detail::kMayGetStorage<T>) {
      detail::CheckMayAllocate(rep_.data != nullptr ? rep_.data : this, arena,
                               "Vector");
    }
    detail::AsideOf<T, detail::kNeedsPlace<T, Args...>> aside(arena);
    detail::ConstructMade<T>(arena, aside.get(), std::forward<Args>(args)...);
    detail::AppendMade(rep_, aside.get(), Element());
    return back();
  }

  void ReserveMore(size_type count) {
    if (count <= capacity() - size()) return;
    const size_type most = max_size() - size();
    if (count > most) detail::FailLength("Vector", count, most);
    Grow(size() + count, false);
  }

  /// Moves the elements from `tail` on to index i, and those between up behind
  /// them. Making them may have run code that has erased others.
  iterator MoveTailTo(size_type i, size_type tail) {
    return begin() + detail::MoveTail(rep_, i, tail, Element());
  }

  void BindElement(T* at) { detail::BindIn(*at, rep_.arena); }
  static void ReleaseElements(T* first, T* last) {
    detail::ReleaseRange(first, last);
  }
  void Wipe(T* first, T* last) { detail::WipeRange(rep_, first, last); }

  detail::VectorRep rep_;
};

template <std::input_iterator I>
Vector(Arena&, I, I) -> Vector<std::iter_value_t<I>>;
Vector(Arena&, std::initializer_list<const char*>)->Vector<String>;

template <class T, class Pred>
std::size_t erase_if(Vector<T>& vector, Pred pred) {
  return vector.erase_if(pred);
}
template <class T, class U>
std::size_t erase(Vector<T>& vector, const U& value) {
  return vector.erase_value(value);
}

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_VECTOR_H_
