// SPDX-License-Identifier: MIT

#include "acre/detail/handle.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "acre/detail/blocks.h"
#include "acre/detail/life.h"
#include "acre/detail/location.h"
#include "acre/detail/walk.h"
#include "acre/failure.h"

#define ACRE_OLDER_THAN_MARK                                            \
  "%s: it is older than the open mark of arena '%s' and must not grow " \
  "before the mark is closed"

namespace acre::inline ACRE_ABI::detail {
namespace {

/// Bytes that are kept aside while others move past them.
constexpr std::size_t kAsideBytes = 256;

void SwapBytes(char* a, char* b, std::size_t count) {
  char aside[kAsideBytes];
  while (count != 0) {
    const std::size_t part = std::min(count, kAsideBytes);
    std::memcpy(aside, a, part);
    std::memcpy(a, b, part);
    std::memcpy(b, aside, part);
    a += part;
    b += part;
    count -= part;
  }
}

/// std::rotate for bytes that are moved many at a time: swaps the shorter part
/// with as much of the longer one, until one of the two is short enough to be
/// kept aside.
void RotateBytes(char* first, char* middle, char* last) {
  for (;;) {
    const auto left = static_cast<std::size_t>(middle - first);
    const auto right = static_cast<std::size_t>(last - middle);
    if (left == 0 || right == 0) return;
    char aside[kAsideBytes];
    if (right <= kAsideBytes) {
      std::memcpy(aside, middle, right);
      std::memmove(first + right, first, left);
      std::memcpy(first, aside, right);
      return;
    }
    if (left <= kAsideBytes) {
      std::memcpy(aside, first, left);
      std::memmove(first, middle, right);
      std::memcpy(first + right, aside, left);
      return;
    }
    const std::size_t part = std::min(left, right);
    SwapBytes(first, middle, part);
    first += part;
    if (left <= right) middle += part;
  }
}

}  // namespace

Arena& FindArena(const void* handle, const char* what) {
  Arena* arena = ArenaOf(handle);
  ACRE_CHECK(arena != nullptr,
             "%s at %p has no arena: it lies in none, and none was given to "
             "its constructor; write %s(arena, ...), or emplace it where it is "
             "to live",
             what, handle, what);
  return *arena;
}

void Bind(const void* handle, Arena*& bound, const void* storage,
          Arena* arena) {
  if (storage == nullptr) {
    bound = arena;
    return;
  }
  ACRE_CHECK(!kChecked || bound == arena,
             "the container at %p lies in arena '%s' at %p but its storage is "
             "of arena '%s' at %p; use Clone or DeepCopy",
             handle, arena->name(), static_cast<void*>(arena), bound->name(),
             static_cast<void*>(bound));
}

void CheckTakes(const void* handle, const Arena* from, const void* storage) {
  const Arena* arena = ArenaOf(handle);
  if (storage == nullptr || arena == nullptr || arena == from) return;
  FailMisuse(
      "acre: the container at %p lies in arena '%s' at %p and cannot take "
      "storage of arena '%s' at %p; use Clone or DeepCopy",
      handle, arena->name(), static_cast<const void*>(arena), from->name(),
      static_cast<const void*>(from));
}

void CheckMayAllocate(const void* handle, const Arena& arena,
                      const char* what) {
  if constexpr (!kChecked) return;
  CheckTakes(handle, &arena, handle);
  ACRE_CHECK(!IsOlderThanMark(arena, handle), ACRE_OLDER_THAN_MARK, what,
             arena.name());
}

void FailDead(const Arena& arena, const char* what) {
  FailMisuse(
      "acre: %s: its storage was given up by a %s of arena '%s'; assign a new "
      "container instead",
      what,
      HasFrames(arena) ? "Reset, a Rewind or its History's Restore"
                       : "Reset or Rewind",
      arena.name());
}

void FailPlace(const void* handle, const char* what) {
  const Arena* arena = ArenaOf(handle);
  Gone gone;
  if (arena != nullptr) {
    FailMisuse(
        "acre: the %s at %p is used, but lies in memory of arena '%s' that "
        "was given up by Free, Reset or Rewind",
        what, handle, arena->name());
  }
  if (FindGone(handle, &gone)) {
    FailMisuse("acre: the %s at %p is used, but lay in arena '%s', which %s",
               what, handle, gone.name,
               gone.has_ended ? "has ended" : "gave that memory back");
  }
  FailMisuse("acre: there is no %s at %p: that memory was given up", what,
             handle);
}

void CheckArena(const void* handle, const Arena* arena, const char* what) {
  if (!kChecked || arena == nullptr) return;
  CheckPlace(handle, arena, what);
  if (IsLiving(arena)) return;
  Gone gone;
  ACRE_CHECK(FindEnded(arena, &gone),
             "the %s at %p is used, but its arena at %p is none: it has ended, "
             "or the memory of the %s was given up and used again",
             what, handle, static_cast<const void*>(arena), what);
  FailMisuse("acre: the %s at %p is used, but its arena '%s' has ended", what,
             handle, gone.name);
}

void CheckUse(const void* handle, const Arena* arena, const void* storage,
              std::uint64_t stamp, const char* what) {
  CheckPlace(handle, arena, what);
  if (!kChecked || storage == nullptr) return;
  // Of the index: `arena` may be gone.
  if (ACRE_UNLIKELY(ArenaOf(storage) != arena)) CheckArena(handle, arena, what);
  if (ACRE_UNLIKELY(!arena->IsLive(stamp))) FailDead(*arena, what);
}

void CheckMayGrow(const Arena& arena, std::uint64_t stamp, const char* what) {
  if (ACRE_UNLIKELY(!arena.IsLive(stamp))) FailDead(arena, what);
  ACRE_CHECK(!kChecked || IsOfThisLevel(arena, stamp), ACRE_OLDER_THAN_MARK,
             what, arena.name());
}

void GiveStorage(Arena& arena, std::uint64_t stamp, void* block,
                 std::size_t bytes, std::size_t align, const TypeLayout* type) {
  if (arena.IsLive(stamp)) Blocks::Give(arena, block, bytes, align, type);
}

namespace {

/// What growth mostly is: the last block of the arena gets twice its size.
/// False, and nothing done, where it is not; and in checked builds, where
/// handle and storage have to be looked at.
ACRE_INLINE bool TryDouble(VectorRep& rep, std::size_t wanted,
                           const TypeLayout& element) {
  const std::size_t bytes = std::size_t{rep.capacity} * element.size;
  if (kChecked || (bytes & (bytes - 1)) != 0 || bytes < kGranule ||
      element.align > kGranule || wanted > std::size_t{2} * rep.capacity ||
      rep.capacity > kVectorMaxSize / 2 || rep.stamp != rep.arena->stamp() ||
      !Blocks::TryDouble(*rep.arena, rep.data, bytes)) {
    return false;
  }
  rep.capacity = 2 * rep.capacity;
  return true;
}

/// For `wanted` elements, or better `capacity`: how many there is room for
/// where the storage is, now; 0 where it could not grow.
std::size_t GrowInPlace(const VectorRep& rep, std::size_t wanted,
                        std::size_t capacity, const TypeLayout& element,
                        bool exact) {
  // Storage that a frame has, too, stays as long as it is: the handle may lie
  // where it does not go back.
  if (rep.data == nullptr || rep.stamp != rep.arena->stamp()) return 0;
  const std::size_t old_bytes = std::size_t{rep.capacity} * element.size;
  const std::size_t bytes = capacity * element.size;
  std::size_t grown = bytes;
  if (!rep.arena->TryGrow(rep.data, old_bytes, bytes, element.align)) {
    if (exact) return 0;
    // Half as much again, without a copy, is better than twice as much with.
    const std::size_t least =
        std::max(wanted * element.size, old_bytes + old_bytes / 2);
    grown = Blocks::GrowIntoRest(*rep.arena, rep.data, old_bytes, least, bytes,
                                 element);
    if (grown == 0) return 0;
  }
  Blocks::NoteLonger(*rep.arena, rep.data, old_bytes, grown, element);
  return grown / element.size;
}

/// How many elements the storage is to have room for.
std::size_t NextCapacity(const VectorRep& rep, std::size_t wanted,
                         const TypeLayout& element, bool exact) {
  std::size_t capacity = wanted;
  if (!exact && rep.capacity != 0) {
    capacity = std::max(wanted, std::size_t{2} * rep.capacity);
  } else if (!exact) {
    // The first block is a cache line, or two elements.
    const std::size_t first = std::max<std::size_t>(2, 64 / element.size);
    capacity = std::max(wanted, first);
  }
  const std::size_t needed = capacity * element.size;
  const std::size_t usable = UsableBytes(needed, element.align);
  // Dividing takes as long as the rest of growth in place.
  if (usable != needed) capacity = usable / element.size;
  return std::min(capacity, kVectorMaxSize);
}

bool IsSame(const VectorRep& a, const VectorRep& b) {
  return a.data == b.data && a.size == b.size && a.capacity == b.capacity &&
         a.stamp == b.stamp;
}

ACRE_COLD VectorGrowth StartOtherGrowth(VectorRep& rep, std::size_t wanted,
                                        const TypeLayout& element, bool exact) {
  const std::size_t more = wanted - std::min<std::size_t>(wanted, rep.size);
  for (;;) {
    if (wanted > kVectorMaxSize) FailLength("Vector", wanted, kVectorMaxSize);
    if (rep.arena == nullptr) rep.arena = &FindArena(&rep, "Vector");
    CheckArena(&rep, rep.arena, "Vector");
    Arena& arena = *rep.arena;
    CheckMayAllocate(&rep, arena, "Vector");
    if (rep.data != nullptr) CheckMayGrow(arena, rep.stamp, "Vector");
    const std::size_t capacity = NextCapacity(rep, wanted, element, exact);
    if (const std::size_t grown =
            GrowInPlace(rep, wanted, capacity, element, exact)) {
      rep.capacity = static_cast<std::uint32_t>(grown);
      return {rep.data, rep.capacity};
    }
    const VectorRep before = rep;
    const std::size_t bytes = capacity * element.size;
    void* block = Blocks::Take(arena, bytes, element.align, &element);
    if (ACRE_LIKELY(IsSame(rep, before))) {
      Blocks::NoteStorage(arena, block);
      return {block, static_cast<std::uint32_t>(capacity)};
    }
    // The source has run code that used this Vector.
    Blocks::Give(arena, block, bytes, element.align, &element);
    wanted = std::max(wanted, rep.size + more);
    if (rep.capacity >= wanted) return {rep.data, rep.capacity};
  }
}

}  // namespace

VectorGrowth StartGrowth(VectorRep& rep, std::size_t wanted,
                         const TypeLayout& element, bool exact) {
  if (!exact && TryDouble(rep, wanted, element)) {
    return {rep.data, rep.capacity};
  }
  return StartOtherGrowth(rep, wanted, element, exact);
}

void FinishGrowth(VectorRep& rep, const VectorGrowth& growth,
                  const TypeLayout& element) {
  if (growth.block == rep.data) return;
  if (rep.data != nullptr) {
    std::memcpy(growth.block, rep.data, std::size_t{rep.size} * element.size);
    Blocks::Give(*rep.arena, rep.data, std::size_t{rep.capacity} * element.size,
                 element.align, &element);
  }
  rep.data = growth.block;
  rep.capacity = growth.capacity;
  rep.stamp = rep.arena->stamp();
}

void AbandonGrowth(VectorRep& rep, const VectorGrowth& growth,
                   const TypeLayout& element) {
  if (growth.block == rep.data) return;
  Blocks::Give(*rep.arena, growth.block,
               std::size_t{growth.capacity} * element.size, element.align,
               &element);
}

namespace {

// On its own, so that doubling saves no registers.
ACRE_COLD void GrowOtherwise(VectorRep& rep, std::size_t wanted,
                             const TypeLayout& element, bool exact) {
  FinishGrowth(rep, StartOtherGrowth(rep, wanted, element, exact), element);
}

}  // namespace

void GrowVector(VectorRep& rep, std::size_t wanted, const TypeLayout& element,
                bool exact) {
  if (!exact && TryDouble(rep, wanted, element)) return;
  GrowOtherwise(rep, wanted, element, exact);
}

void AppendMade(VectorRep& rep, void* made, const TypeLayout& element) {
#if ACRE_EXCEPTIONS
  try {
#endif
    // Before it is there, for what runs may use this Vector.
    do {
      if (rep.size == rep.capacity) {
        GrowVector(rep, std::size_t{rep.size} + 1, element, false);
      }
    } while (element.has_refs &&
             !ReserveForPlace(element, made, *rep.arena, rep.data));
#if ACRE_EXCEPTIONS
  } catch (...) {
    if (element.has_handles) ReleaseHandles(element, made);
    throw;
  }
#endif
  char* const place = static_cast<char*>(rep.data) + rep.size * element.size;
  std::memcpy(place, made, element.size);
  // References in it belong to where they lie.
  if (element.has_refs) BindHandles(element, place, rep.arena);
  ++rep.size;
}

std::size_t MoveTail(VectorRep& rep, std::size_t i, std::size_t tail,
                     const TypeLayout& element) {
  tail = std::min<std::size_t>(tail, rep.size);
  i = std::min(i, tail);
  char* const data = static_cast<char*>(rep.data);
  RotateBytes(data + i * element.size, data + tail * element.size,
              data + rep.size * element.size);
  return i;
}

void ReleaseVector(VectorRep& rep, const TypeLayout& element) {
  CheckPlace(&rep, rep.arena, "Vector");
  if (rep.data == nullptr) return;
  CheckArena(&rep, rep.arena, "Vector");
  if (rep.arena->IsLive(rep.stamp)) {
    if (element.has_handles) {
      for (std::size_t i = 0; i < rep.size; ++i) {
        ReleaseHandles(element,
                       static_cast<char*>(rep.data) + i * element.size);
      }
    }
    Blocks::Give(*rep.arena, rep.data, std::size_t{rep.capacity} * element.size,
                 element.align, &element);
  }
  rep = {nullptr, rep.arena, 0, 0, 0};
}

bool CopyBlock(Arena& arena, const void* block, std::size_t bytes,
               std::size_t align, const TypeLayout* type, StorageCopy& copy) {
  void* memory = Blocks::TryTake(arena, bytes, align, type);
  if (ACRE_UNLIKELY(memory == nullptr)) {
    copy.outcome = StorageCopy::Outcome::kNoMemory;
    return false;
  }
  Blocks::NoteStorage(arena, memory);
  std::memcpy(memory, block, bytes);
  copy.outcome = StorageCopy::Outcome::kCopied;
  copy.source = block;
  copy.copy = memory;
  copy.bytes = bytes;
  return true;
}

// Every return names the same variable: g++ copies it otherwise, by loads
// wider than the stores before them, and those stall.
StorageCopy CopyVector(VectorRep& rep, Arena& arena,
                       const TypeLayout& element) {
  StorageCopy storage;
  if (rep.size == 0) {
    rep = {.arena = &arena};
    return storage;
  }
  if (CopyBlock(arena, rep.data, rep.size * element.size, element.align,
                &element, storage)) {
    rep = {storage.copy, &arena, rep.size, rep.size, arena.stamp()};
  }
  return storage;
}

bool IsSoundVector(const VectorRep& rep, const TypeLayout& element,
                   HandleStorage* storage) {
  *storage = {};
  if (rep.size > rep.capacity) return false;
  if ((rep.data == nullptr) != (rep.capacity == 0)) return false;
  if (rep.data == nullptr) return true;
  if (rep.capacity > PTRDIFF_MAX / element.size) return false;
  *storage = {rep.data, rep.capacity * element.size, rep.size * element.size,
              element.align};
  storage->type = &element;
  return true;
}

void ShrinkVector(VectorRep& rep, const TypeLayout& element) {
  if (rep.size == 0) return ReleaseVector(rep, element);
  const std::size_t bytes =
      UsableBytes(rep.size * element.size, element.align) / element.size *
      element.size;
  const std::size_t old_bytes = std::size_t{rep.capacity} * element.size;
  if (bytes >= old_bytes) return;
  CheckMayGrow(*rep.arena, rep.stamp, "Vector");
  const VectorRep before = rep;
  void* block = Blocks::Take(*rep.arena, bytes, element.align, &element);
  if (!IsSame(rep, before)) {  // the source has run code that used it
    Blocks::Give(*rep.arena, block, bytes, element.align, &element);
    return;
  }
  Blocks::NoteStorage(*rep.arena, block);
  std::memcpy(block, rep.data, std::size_t{rep.size} * element.size);
  Blocks::Give(*rep.arena, rep.data, old_bytes, element.align, &element);
  rep.data = block;
  rep.stamp = rep.arena->stamp();
  rep.capacity = static_cast<std::uint32_t>(bytes / element.size);
}

}  // namespace acre::inline ACRE_ABI::detail
