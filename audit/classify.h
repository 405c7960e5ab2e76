// SPDX-License-Identifier: MIT
//
// Classifier: where an address leads, seen from one arena. Asked in this
// order: own chunks, other arenas, the collected heap, stack, static storage.

#ifndef ACRE_AUDIT_CLASSIFY_H_
#define ACRE_AUDIT_CLASSIFY_H_

#include <cstddef>
#include <optional>
#include <string>

#include "acre/arena.h"
#include "acre/detail/location.h"
#include "acre/detail/process_map.h"
#include "acre/finding.h"

namespace acre::inline ACRE_ABI::detail {

/// What a pointer is expected to lead to.
struct Expected {
  const TypeLayout* type;
  std::size_t count;  // elements; of kContainer: bytes / type->size
};

struct Verdict {
  Target target = Target::kUnknown;
  Certainty certainty = Certainty::kExact;
};

class Classifier {
 public:
  explicit Classifier(const Arena& arena) : arena_(arena) {}

  bool IsOwn(const void* address) {
    return address >= begin_ && address < end_ ? true : FindOwn(address);
  }

  /// Nothing: the pointer leads to memory of the arena that is in use.
  std::optional<Verdict> Classify(const void* address, Expected expected);

  /// What stands at the address, for people.
  std::string Describe(const void* address, Verdict verdict);

 private:
  bool FindOwn(const void* address);
  std::optional<Verdict> ClassifyOwn(const char* p, const Expected& expected);
  Verdict ClassifyForeign(const void* address);
  const ProcessMap& process();

  const Arena& arena_;
  const void* begin_ = nullptr;  // a chunk of arena_, the last one hit
  const void* end_ = nullptr;
  std::optional<ProcessMap> process_;  // made at first need
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_AUDIT_CLASSIFY_H_
