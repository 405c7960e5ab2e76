// SPDX-License-Identifier: MIT
//
// BumpArena: an Arena without freelists. New is one compare and one add.
//
//   acre::BumpArena arena;
//   Node* node = arena.New<Node>();
//   arena.Reset();
//
// It is an Arena with ArenaOptions::freelists off, and serves wherever an
// Arena& is asked for: containers, DeepCopy, Audit. Called through an Arena&,
// New looks at an empty freelist before it adds.
//
// Free gives back the block allocated last, and blocks above 256 KiB that have
// a chunk of their own; any other block is counted as freed and lies idle until
// Reset or Rewind. A Vector that grows therefore grows in place while it is
// last, and leaves its old storage behind where it is not.
//
// Ownership, threads, failure: as Arena.

#ifndef ACRE_BUMP_ARENA_H_
#define ACRE_BUMP_ARENA_H_

#include <cstddef>
#include <span>
#include <utility>

#include "acre/arena.h"
#include "acre/config.h"

namespace acre::inline ACRE_ABI {

/// See the top of this file. The verbs below hide those of Arena and do the
/// same, faster.
class BumpArena : public Arena {
 public:
  explicit BumpArena(const ArenaOptions& options = {})
      : Arena(WithoutFreelists(options)) {}

  template <class T, class... Args>
  ACRE_INLINE T* New(Args&&... args) {
    static_assert(detail::RequireElement<T>());
    static_assert(alignof(T) <= kMaxAlignment,
                  "acre: an arena aligns to at most 4096 bytes");
    void* block = Take(sizeof(T), alignof(T), &LayoutOf<T>());
    if (ACRE_UNLIKELY(block == nullptr)) FailAllocation(sizeof(T));
    return ConstructIn<T>(block, std::forward<Args>(args)...);
  }

  template <class T, class... Args>
  [[nodiscard]] ACRE_INLINE T* TryNew(Args&&... args) {
    static_assert(detail::RequireElement<T>());
    static_assert(alignof(T) <= kMaxAlignment,
                  "acre: an arena aligns to at most 4096 bytes");
    void* block = Take(sizeof(T), alignof(T), &LayoutOf<T>());
    if (ACRE_UNLIKELY(block == nullptr)) return nullptr;
    return ConstructIn<T>(block, std::forward<Args>(args)...);
  }

  [[nodiscard]] ACRE_INLINE void* Allocate(std::size_t bytes,
                                           std::size_t align = kGranule) {
    detail::CheckAlignment(align);
    void* block = Take(bytes, align, nullptr);
    if (ACRE_UNLIKELY(block == nullptr)) FailAllocation(bytes);
    return block;
  }

  [[nodiscard]] ACRE_INLINE void* TryAllocate(std::size_t bytes,
                                              std::size_t align = kGranule) {
    detail::CheckAlignment(align);
    return Take(bytes, align, nullptr);
  }

 private:
  static ArenaOptions WithoutFreelists(ArenaOptions options) {
    options.freelists = false;
    return options;
  }

  ACRE_INLINE void* Take(std::size_t bytes, std::size_t align,
                         const TypeLayout* type) {
    if (!kChecked && align <= kGranule && detail::IsTakenInline(bytes, align)) {
      const std::size_t size = detail::ClassOf(bytes, align).bytes;
      if (void* block = Bump(size)) return block;
    }
    return TakeSlow(bytes, align, type);
  }
};

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_BUMP_ARENA_H_
