// SPDX-License-Identifier: MIT

#include "classify.h"

#include <fmt/format.h>

#include <algorithm>

#include "acre/detail/gc_query.h"
#include "acre/detail/life.h"
#include "acre/detail/parts.h"
#include "acre/detail/path.h"
#include "acre/element.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

// Below this libgc keeps a freed object looking like a live one: it goes to a
// freelist inside its heap block (half a block of 4096 bytes).
constexpr std::size_t kSmallObject = 2048;

bool WasArena(const void* address) {
  Gone gone;
  return FindGone(address, &gone);
}

}  // namespace

FindingKind KindOf(const TypeLayout& slot) {
  if (slot.kind == TypeKind::kPointer) return FindingKind::kPointer;
  if (slot.kind == TypeKind::kHandle) return FindingKind::kContainer;
  return slot.element()->name == "char" ? FindingKind::kString
                                        : FindingKind::kSpan;
}

std::string_view HintFor(Target target) {
  switch (target) {
    case Target::kCollectedHeap:
      return "make the object with arena.New, hold it by a GcRef, or copy it "
             "in "
             "with DeepCopy";
    case Target::kCollectedArena:
      return "keep both in one arena, or copy with DeepCopy";
    case Target::kOtherArena:
      return "declare the field borrowed if that arena outlives this one";
    case Target::kFreed:
      return "clear the pointer when its target is freed";
    case Target::kOtherType:
      return "clear the pointer when its target is freed, or mend its type";
    case Target::kInterior:
      return "point to an object, a member or an element";
    case Target::kUnused:
      return "set the pointer; keep spans inside their block";
    case Target::kMisaligned:
      return "the pointer does not lead to an object of its type";
    case Target::kStale:
      return "assign anew what is older than a Reset or Rewind";
    case Target::kStack:
      return "the target ends with its function; make it with arena.New";
    case Target::kStatic:
      return "harmless; declare the field borrowed to say so";
    case Target::kFreedObject:
      return "the target is gone: keep such objects where the collector looks, "
             "or make them with arena.New";
    case Target::kEndedArena:
      return "the target is gone: copy it with DeepCopy while its arena lives";
    case Target::kUntraced:
      return "what lies there was made as another type, or as raw memory; make "
             "it with arena.New";
    case Target::kUnknown:
      return "declare the field borrowed if the target outlives the arena";
  }
  return {};
}

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

std::optional<Verdict> Classifier::InTraced(const TypeLayout& type,
                                            const void* slot,
                                            Verdict verdict) const {
  const bool may_be_traced = verdict.target == Target::kCollectedHeap ||
                             verdict.target == Target::kCollectedArena;
  if (!arena_.is_traced() || !may_be_traced || ArenaOf(slot) != &arena_) {
    return verdict;
  }
  if (type.kind != TypeKind::kHandle && IsTracedSlot(type, slot)) return {};
  return Verdict{Target::kUntraced, verdict.certainty};
}

std::optional<Verdict> Classifier::ClassifyOwn(const Range& chunk,
                                               const char* p,
                                               const Expected& expected) {
  if ((reinterpret_cast<std::uintptr_t>(p) & (expected.type->align - 1)) != 0) {
    return Verdict{Target::kMisaligned};
  }
  const std::size_t size = BytesOf(expected.count, expected.type->size);
  if (!kChecked) {
    if (p >= chunk.live_end) return GivenUp(Locate(p), p);
    const bool fits =
        size <= static_cast<std::size_t>(chunk.begin + chunk.size - p);
    return fits ? std::nullopt
                : std::optional<Verdict>(Verdict{Target::kUnused});
  }
  const Location where = Locate(p);
  if (where.place == Place::kFreed) return Verdict{Target::kFreed};
  if (where.place != Place::kLive) return GivenUp(where, p);
  const auto* block = static_cast<const char*>(where.block);
  const auto offset = static_cast<std::size_t>(p - block);
  if (size > where.block_bytes || offset > where.block_bytes - size) {
    return Verdict{Target::kUnused};
  }
  // Raw bytes may be anything; only its handle knows the storage of a table.
  if (where.block_type == nullptr || expected.count == 0 ||
      HoldsRow(where, offset, expected.count, *expected.type)) {
    return std::nullopt;
  }
  return Verdict{offset == 0 ? Target::kOtherType : Target::kInterior};
}

bool Classifier::IsEndOfArray(const void* address, const TypeLayout& type) {
  // What was freed is what was meant, more likely.
  if (!kChecked || Locate(address).place == Place::kFreed) return false;
  const auto* p = static_cast<const char*>(address);
  const Location before = Locate(p - 1);
  return before.arena == &arena_ && before.place == Place::kLive &&
         static_cast<const char*>(before.block) + before.block_bytes == p &&
         before.block_type != nullptr && before.block_bytes > type.size &&
         HoldsPart(*before.block_type, before.block,
                   before.block_bytes - type.size, type);
}

std::optional<Verdict> Classifier::ClassifyStorage(const HandleStorage& storage,
                                                   const TypeLayout& element) {
  static constexpr const TypeLayout& kBytes = LayoutOf<char>();
  // The arena of a handle may be gone: it is asked only if it is this one.
  if (storage.arena == &arena_ && !arena_.IsLive(storage.stamp)) {
    return Verdict{Target::kStale};
  }
  if (!IsOwn(storage.block)) return ClassifyForeign(storage.block);
  if (!kChecked) return Classify(storage.block, {&kBytes, storage.used});
  const Location where = Locate(storage.block);
  if (where.place == Place::kFreed) return Verdict{Target::kFreed};
  if (where.place != Place::kLive) {
    return GivenUp(where, static_cast<const char*>(storage.block));
  }
  if (where.block != storage.block) return Verdict{Target::kInterior};
  // A container may keep more than its elements: texts, an index.
  const TypeLayout& kept = storage.type != nullptr ? *storage.type : element;
  const bool is_same = where.block_type == nullptr ||
                       HoldsPart(*where.block_type, where.block, 0, kept);
  if (!where.is_storage || !is_same) return Verdict{Target::kOtherType};
  if (storage.used > where.block_bytes) return Verdict{Target::kUnused};
  return std::nullopt;
}

Verdict Classifier::GivenUp(const Location& where, const char* p) {
  return {p >= where.live_end && p < where.dirty_end ? Target::kStale
                                                     : Target::kUnused};
}

std::optional<Verdict> Classifier::ClassifyOccupied(const void* address) {
  if (const Arena* other = ArenaOf(address)) {
    return Verdict{other->is_collected() ? Target::kCollectedArena
                                         : Target::kOtherArena};
  }
  if (const void* base = CollectedBase(address)) {
    if (IsUncollectable(base)) return Verdict{Target::kUnknown};
    const bool may_be_freed =
        CollectedSize(base) <= kSmallObject || IsArenaChunk(base);
    return Verdict{Target::kCollectedHeap,
                   may_be_freed ? Certainty::kAmbiguous : Certainty::kExact};
  }
  return std::nullopt;
}

bool Classifier::IsFreeHeap(const void* address) {
  if (IsFreeHeapMemory(address)) return true;
  const auto* p = static_cast<const char*>(address);
  auto at = gaps_.upper_bound(p);
  if (at == gaps_.end() || p < at->second.begin) {
    const HeapGap gap = HeapGapAround(address);
    at = gaps_.insert_or_assign(gap.end, gap).first;
  }
  return at->second.is_free;
}

Verdict Classifier::ClassifyForeign(const void* address) {
  if (const auto verdict = ClassifyOccupied(address)) return *verdict;
  if (IsFreeHeap(address)) {
    return {WasArena(address) ? Target::kEndedArena : Target::kFreedObject};
  }
  if (process().IsStack(address)) return {Target::kStack};
  if (process().IsStatic(address)) return {Target::kStatic};
  // Last: malloc may have given the memory to somebody else since.
  if (WasArena(address)) return {Target::kEndedArena, Certainty::kAmbiguous};
  return {Target::kUnknown};
}

const ProcessMap& Classifier::process() {
  if (!process_) process_.emplace();
  return *process_;
}

std::string Classifier::Describe(const void* address, Verdict verdict) {
  switch (verdict.target) {
    case Target::kUntraced:
    case Target::kCollectedHeap: {
      if (const Arena* other = ArenaOf(address)) {
        return fmt::format("arena '{}'", other->name());
      }
      const void* base = CollectedBase(address);
      const auto offset =
          static_cast<const char*>(address) - static_cast<const char*>(base);
      if (IsArenaChunk(base)) {
        return fmt::format("chunk of an arena that is gone, at +{}", offset);
      }
      return fmt::format(
          "collected object of {} bytes{} at {}, +{}{}", CollectedSize(base),
          IsPointerFree(base) ? " without pointers" : "", base, offset,
          verdict.certainty == Certainty::kAmbiguous ? " (possibly freed)"
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
          where.block_type != nullptr ? TypeText(where.block_type->name) : "");
    }
    case Target::kOtherType:
    case Target::kInterior: {
      const Location where = Locate(address);
      return fmt::format("{} of {} bytes at {}, +{}",
                         where.is_storage ? "storage of a container"
                         : where.block_type == nullptr
                             ? "raw block"
                             : TypeText(where.block_type->name),
                         where.block_bytes, where.block,
                         static_cast<const char*>(address) -
                             static_cast<const char*>(where.block));
    }
    case Target::kUnused:
      return "memory of the arena that is not handed out, or reaches past it";
    case Target::kMisaligned:
      return "memory of the arena, at an address the type cannot have";
    case Target::kStale:
      return "memory given up by Reset or Rewind";
    case Target::kStack:
      return "the stack of this thread";
    case Target::kStatic:
      return "static storage";
    case Target::kFreedObject:
      return "memory of the collected heap in which no object is any more";
    case Target::kEndedArena: {
      Gone gone;
      FindGone(address, &gone);
      return fmt::format("memory of arena '{}', which {}", gone.name,
                         gone.has_ended ? "has ended" : "gave it back");
    }
    case Target::kUnknown:
      if (CollectedBase(address) != nullptr) {
        return "an uncollectable object: the collector does not free it";
      }
      return "memory that neither acre nor the collector knows";
  }
  return {};
}

}  // namespace acre::inline ACRE_ABI::detail
