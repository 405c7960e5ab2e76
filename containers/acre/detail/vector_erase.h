// SPDX-License-Identifier: MIT
//
// Erasing from a Vector by what its elements are. Internal to acre.

#ifndef ACRE_CONTAINERS_DETAIL_VECTOR_ERASE_H_
#define ACRE_CONTAINERS_DETAIL_VECTOR_ERASE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>

#include "acre/config.h"
#include "acre/detail/blocks.h"
#include "acre/detail/fill.h"
#include "acre/detail/handle.h"

namespace acre::inline ACRE_ABI::detail {

/// Gives back what the elements hold.
template <class T>
void ReleaseRange([[maybe_unused]] T* first, [[maybe_unused]] T* last) {
  if constexpr (kHandlesIn<T>) {
    for (; first != last; ++first) ReleaseIn(*first);
  }
}

/// Where audits or the collector look at the storage: what is no element any
/// more must not pass for one.
template <class T>
void WipeRange(const VectorRep& rep, T* first, T* last) {
  if constexpr (kChecked || LayoutOf<T>().kind != TypeKind::kPlain) {
    if (first == last) return;
    const std::size_t bytes =
        static_cast<std::size_t>(last - first) * sizeof(T);
    if (Blocks::AreScanned(*rep.arena)) {
      std::memset(static_cast<void*>(first), 0, bytes);
    } else if (Blocks::AreRecorded(*rep.arena)) {
      Blocks::Wipe(*rep.arena, static_cast<void*>(first), bytes, sizeof(T));
    }
  }
}

template <class T>
class Eraser {
 public:
  explicit Eraser(VectorRep& rep) : rep_(rep) {}

  /// How many. Where `pred` throws, those judged before are erased.
  template <class Pred>
  std::size_t EraseIf(Pred& pred, std::size_t limit) {
    return EraseSome(pred, limit, nullptr);
  }

  /// Those equal to an element, which is compared by its bytes: it may move.
  /// What it holds is given back at the end, if it was erased.
  std::size_t EraseEqual(const T& element, std::size_t limit) {
    alignas(T) std::byte bytes[sizeof(T)];
    std::memcpy(bytes, static_cast<const void*>(&element), sizeof(T));
    Spared spared{*std::launder(reinterpret_cast<T*>(bytes))};
    const auto is_equal = [&](const T& item) {
      const bool equal = item == spared.value;
      spared.is_erased |= equal && &item == &element;
      return equal;
    };
    return EraseSome(is_equal, limit, &element);
  }

 private:
  T* begin() const { return static_cast<T*>(rep_.data); }
  T* end() const { return begin() + rep_.size; }

  /// Gives back what the element held with which all are compared, also when a
  /// comparison throws.
  struct Spared {
    T& value;
    bool is_erased = false;
    explicit Spared(T& bytes) : value(bytes) {}
    Spared(const Spared&) = delete;
    Spared& operator=(const Spared&) = delete;
    ~Spared() {
      if (is_erased) ReleaseRange(&value, &value + 1);
    }
  };

  /// Closes the gap that erasing leaves, also when a predicate throws.
  struct Gap {
    Gap(const Gap&) = delete;
    Gap& operator=(const Gap&) = delete;
    explicit Gap(Eraser& e) : eraser(e), to(e.begin()), from(e.begin()) {}
    ~Gap() {
      if (to == from) return;
      T* const end = eraser.end();
      std::memmove(static_cast<void*>(to), static_cast<void*>(from),
                   static_cast<std::size_t>(end - from) * sizeof(T));
      WipeRange(eraser.rep_, end - (from - to), end);
      eraser.rep_.size -= static_cast<std::uint32_t>(from - to);
    }
    void Keep() {
      if (to != from) std::memcpy(static_cast<void*>(to), from, sizeof(T));
      ++to;
      ++from;
    }
    Eraser& eraser;
    T* to;    // elements before it stay
    T* from;  // elements from here on are not judged yet
  };

  /// The containers of the element at `spared` are not released.
  template <class Pred>
  std::size_t EraseSome(Pred& pred, std::size_t limit, const T* spared) {
    Gap gap(*this);
    std::size_t erased = 0;
    while (gap.from != end()) {
      if (erased == limit || !pred(std::as_const(*gap.from))) {
        gap.Keep();
        continue;
      }
      if (gap.from != spared) ReleaseRange(gap.from, gap.from + 1);
      ++gap.from;
      ++erased;
    }
    return erased;
  }

  VectorRep& rep_;
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_VECTOR_ERASE_H_
