// SPDX-License-Identifier: MIT
//
// Classifier: where an address leads, seen from one arena. Asked in this
// order: own chunks, other arenas, the collected heap, stack, static storage.

#ifndef ACRE_AUDIT_CLASSIFY_H_
#define ACRE_AUDIT_CLASSIFY_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "acre/arena.h"
#include "acre/detail/gc_query.h"
#include "acre/detail/location.h"
#include "acre/detail/process_map.h"
#include "acre/finding.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// As many as there can be where the product is more: counts may be garbage.
constexpr std::size_t BytesOf(std::size_t count, std::size_t size) {
  std::size_t bytes = 0;
  return __builtin_mul_overflow(count, size, &bytes) ? SIZE_MAX : bytes;
}

/// What a pointer is expected to lead to.
struct Expected {
  const TypeLayout* type;
  std::size_t count;  // elements; of kContainer: bytes / type->size
};

struct Verdict {
  Target target = Target::kUnknown;
  Certainty certainty = Certainty::kExact;
};

/// What a slot of this type is as the holder of a pointer.
FindingKind KindOf(const TypeLayout& slot);

/// What to do about it.
std::string_view HintFor(Target target);

class Classifier {
 public:
  explicit Classifier(const Arena& arena) : arena_(arena) {}

  bool IsOwn(const void* address) { return ChunkOf(address) != nullptr; }

  /// Nothing: the pointer leads to memory of the arena that is in use.
  std::optional<Verdict> Classify(const void* address, Expected expected);

  /// The same for what the handle of a container says of its storage.
  std::optional<Verdict> ClassifyStorage(const HandleStorage& storage,
                                         const TypeLayout& element);

  /// What the verdict comes to for a slot of that type: nothing where it lies
  /// in a traced arena and the collector sees it.
  std::optional<Verdict> InTraced(const TypeLayout& type, const void* slot,
                                  Verdict verdict) const;

  /// True for the end of an array, as iterators have it: fine, but nothing that
  /// a walk may enter. Checked builds.
  bool IsEndOfArray(const void* address, const TypeLayout& type);

  /// Of an address outside the arena.
  Verdict ClassifyForeign(const void* address);
  /// The same, where another arena or an object of the collector is there.
  static std::optional<Verdict> ClassifyOccupied(const void* address);

  /// What stands at the address, for people.
  std::string Describe(const void* address, Verdict verdict);

 private:
  /// A chunk of arena_, as it was when the audit met it.
  struct Range {
    const char* begin;
    std::size_t size;      // bytes
    const char* live_end;  // nothing from here on is handed out
  };

  /// Null for an address that is not in the arena.
  const Range* ChunkOf(const void* address) {
    const auto* p = static_cast<const char*>(address);
    if (last_ < ranges_.size() &&
        static_cast<std::size_t>(p - ranges_[last_].begin) <
            ranges_[last_].size) {
      return &ranges_[last_];
    }
    return SearchChunk(p);
  }
  const Range* SearchChunk(const char* p);
  std::optional<Verdict> ClassifyOwn(const Range& chunk, const char* p,
                                     const Expected& expected);
  /// Of an address in the arena that is in no block.
  static Verdict GivenUp(const Location& where, const char* p);
  const ProcessMap& process();
  /// True for memory of the collected heap in which no object is.
  bool IsFreeHeap(const void* address);

  const Arena& arena_;
  std::vector<Range> ranges_;            // those met so far, by address
  std::size_t last_ = 0;                 // index of the one found last
  std::optional<ProcessMap> process_;    // made at first need
  std::map<const char*, HeapGap> gaps_;  // those met so far, by their ends
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_AUDIT_CLASSIFY_H_
