// SPDX-License-Identifier: MIT
//
// Finding: one pointer in an arena that does not lead to where it may.

#ifndef ACRE_FINDING_H_
#define ACRE_FINDING_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "acre/config.h"

namespace acre::inline ACRE_ABI {

/// Where the pointer leads.
enum class Target : std::uint8_t {
  kCollectedHeap,   ///< leak: the collector does not see this reference
  kCollectedArena,  ///< leak: into another collected arena
  kOtherArena,      ///< into another explicit arena, which may end first
  kFreed,           ///< own arena: a freed block (checked builds)
  kUnused,          ///< own arena: memory not handed out, or reaching past it
  kMisaligned,      ///< own arena: no object of that type can start there
  kStale,           ///< a container whose storage Reset or Rewind gave up
  kStack,           ///< the stack of the auditing thread
  kStatic,          ///< static storage; reported on request only
  kUnknown,         ///< none of these: malloc, another thread's stack, garbage
};

/// What holds the pointer.
enum class FindingKind : std::uint8_t {
  kPointer,
  kSpan,
  kString,     ///< std::string_view
  kContainer,  ///< the storage of a Vector, Map, Set or String
};

/// Whether what the finding says is certain.
enum class Certainty : std::uint8_t {
  kExact,
  kAmbiguous,  ///< a small object, say, that may have been freed explicitly
};

struct Finding {
  std::string path;  ///< World.levels["MAP07"].things[12].target
  FindingKind kind = FindingKind::kPointer;
  Target target = Target::kUnknown;
  Certainty certainty = Certainty::kExact;
  const void* slot = nullptr;     ///< the address of the pointer
  const void* address = nullptr;  ///< what it holds
  std::string_view type;          ///< static type of what it should lead to
  std::string what;               ///< what was found there
  std::string_view hint;          ///< what to do about it

  /// True where the collector may free the target although it is in use.
  bool is_leak() const noexcept {
    return target == Target::kCollectedHeap ||
           target == Target::kCollectedArena;
  }
};

/// "collected heap", "another arena", ...
std::string_view NameOf(Target target) noexcept;
/// "pointer", "span", "string", "container".
std::string_view NameOf(FindingKind kind) noexcept;

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_FINDING_H_
