// SPDX-License-Identifier: MIT

#include "classify.h"

#include <fmt/format.h>

#include <algorithm>

#include "acre/detail/gc_query.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

// Below this libgc keeps a freed object looking like a live one: it goes to a
// freelist inside its heap block (half a block of 4096 bytes).
constexpr std::size_t kSmallObject = 2048;

}  // namespace

const Classifier::Range* Classifier::SearchChunk(const char* p) {
  const auto at = std::upper_bound(
      ranges_.begin(), ranges_.end(), p,
      [](const char* address, const Range& r) { return address < r.begin; });
  last_ = static_cast<std::size_t>(at - ranges_.begin());
  if (at != ranges_.begin()) {
    const Range& before = *(at - 1);
    if (static_cast<std::size_t>(p - before.begin) < before.size) {
      --last_;
      return &before;
    }
  }
  const Location where = Locate(p);
  if (where.arena != &arena_) return nullptr;
  return &*ranges_.insert(
      at, {where.chunk_begin,
           static_cast<std::size_t>(where.chunk_end - where.chunk_begin),
           where.live_end});
}

std::optional<Verdict> Classifier::Classify(const void* address,
                                            Expected expected) {
  if (const Range* chunk = ChunkOf(address)) {
    return ClassifyOwn(*chunk, static_cast<const char*>(address), expected);
  }
  return ClassifyForeign(address);
}

std::optional<Verdict> Classifier::ClassifyOwn(const Range& chunk,
                                               const char* p,
                                               const Expected& expected) {
  if ((reinterpret_cast<std::uintptr_t>(p) & (expected.type->align - 1)) != 0) {
    return Verdict{Target::kMisaligned};
  }
  const std::size_t size = expected.count * expected.type->size;
  if (!kChecked) {
    const bool fits =
        p < chunk.live_end &&
        size <= static_cast<std::size_t>(chunk.begin + chunk.size - p);
    return fits ? std::nullopt
                : std::optional<Verdict>(Verdict{Target::kUnused});
  }
  const Location where = Locate(p);
  if (where.place == Place::kFreed) return Verdict{Target::kFreed};
  if (where.place != Place::kLive) return Verdict{Target::kUnused};
  if (size > static_cast<std::size_t>(where.chunk_end - p)) {
    return Verdict{Target::kUnused};
  }
  if (where.block != nullptr &&
      p + size > static_cast<const char*>(where.block) + where.block_bytes) {
    return Verdict{Target::kUnused};
  }
  return std::nullopt;
}

Verdict Classifier::ClassifyForeign(const void* address) {
  if (const Arena* other = ArenaOf(address)) {
    return {other->is_collected() ? Target::kCollectedArena
                                  : Target::kOtherArena};
  }
  if (const void* base = CollectedBase(address)) {
    if (IsUncollectable(base)) return {Target::kUnknown};
    const bool may_be_freed =
        CollectedSize(base) <= kSmallObject || IsArenaChunk(base);
    return {Target::kCollectedHeap,
            may_be_freed ? Certainty::kAmbiguous : Certainty::kExact};
  }
  if (process().IsStack(address)) return {Target::kStack};
  if (process().IsStatic(address)) return {Target::kStatic};
  return {Target::kUnknown};
}

const ProcessMap& Classifier::process() {
  if (!process_) process_.emplace();
  return *process_;
}

std::string Classifier::Describe(const void* address, Verdict verdict) {
  switch (verdict.target) {
    case Target::kCollectedHeap: {
      const void* base = CollectedBase(address);
      const auto offset =
          static_cast<const char*>(address) - static_cast<const char*>(base);
      if (IsArenaChunk(base)) {
        return fmt::format("chunk of an arena that is gone, at +{}", offset);
      }
      return fmt::format("collected object of {} bytes at {}, +{}{}",
                         CollectedSize(base), base, offset,
                         verdict.certainty == Certainty::kAmbiguous
                             ? " (possibly freed)"
                             : "");
    }
    case Target::kCollectedArena:
    case Target::kOtherArena:
      return fmt::format("arena '{}'", ArenaOf(address)->name());
    case Target::kFreed: {
      const Location where = Locate(address);
      return fmt::format(
          "freed block of {} bytes{}{}", where.block_bytes,
          where.block_type != nullptr ? ", was " : "",
          where.block_type != nullptr ? where.block_type->name : "");
    }
    case Target::kUnused:
      return "memory of the arena that is not handed out, or reaches past it";
    case Target::kMisaligned:
      return "memory of the arena, at an address the type cannot have";
    case Target::kStale:
      return "storage given up by Reset or Rewind";
    case Target::kStack:
      return "the stack of this thread";
    case Target::kStatic:
      return "static storage";
    case Target::kUnknown:
      if (CollectedBase(address) != nullptr) {
        return "an uncollectable object: the collector does not free it";
      }
      return "memory that neither acre nor the collector knows";
  }
  return {};
}

}  // namespace acre::inline ACRE_ABI::detail
