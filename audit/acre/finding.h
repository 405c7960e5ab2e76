// SPDX-License-Identifier: MIT
//
// Finding: one pointer in an arena that does not lead to where it may.

#ifndef ACRE_FINDING_H_
#define ACRE_FINDING_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "acre/config.h"

namespace acre::inline ACRE_ABI {

/// Where the pointer leads. Where several hold, the first of: misaligned,
/// freed, stale, unused, other type, interior. Fine are pointers to members,
/// bases and elements, to the end of an array (unless what lies there was
/// freed), into the spare room of a container, and into raw blocks of Allocate.
enum class Target : std::uint8_t {
  kCollectedHeap,   ///< leak: the collector does not see this reference
  kCollectedArena,  ///< leak: into another collected arena
  kOtherArena,      ///< into another explicit arena, which may end first
  kFreed,           ///< own arena: a freed block (checked builds)
  kOtherType,       ///< own arena: the start of a block that holds another
                    ///< type: freed and used again (checked builds)
  kInterior,        ///< own arena: the inside of a block, where no object of
                    ///< that type is (checked builds)
  kUnused,          ///< own arena: memory not handed out yet, or reaching past
                    ///< the end of its block
  kMisaligned,      ///< own arena: no object of that type can start there
  kStale,           ///< own arena: memory that Reset or Rewind gave up
  kFreedObject,     ///< leak: the collector has freed the object there, or is
                    ///< about to
  kEndedArena,      ///< memory of an arena that has ended, or has given it back
                    ///< (checked builds)
  kUntraced,        ///< leak: into the collected heap from a traced arena, but
                    ///< from a word that the collector was not told of
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
  kWord,       ///< a word of memory that no layout describes
};

/// Whether what the finding says is certain.
enum class Certainty : std::uint8_t {
  kExact,
  kAmbiguous,  ///< a small object, say, that may have been freed explicitly;
               ///< a word that may be a number
};

/// One hop of the way to a finding: an object, and how it was reached.
struct PathStep {
  std::string part;               ///< "World", ".levels[\"MAP07\"]", ".target"
  const void* address = nullptr;  ///< of the object that `part` leads to
  std::string type;               ///< of that object
};

struct Finding {
  std::string path;   ///< World.levels["MAP07"].things[12].target
  std::string field;  ///< ".target", the end of the path
  FindingKind kind = FindingKind::kPointer;
  Target target = Target::kUnknown;
  Certainty certainty = Certainty::kExact;
  const void* slot = nullptr;     ///< the address of the pointer
  const void* address = nullptr;  ///< what it holds
  std::string type;               ///< static type of what it should lead to
  std::string what;               ///< what was found there
  std::string_view hint;          ///< what to do about it
  /// The way from the root, objects only; the last one holds the pointer. The
  /// middle of a very long one is left out.
  std::vector<PathStep> steps = {};
  bool is_known = false;  ///< the baseline lists it: see Baseline

  /// True where the collector may free the target although it is in use, or
  /// has done so.
  bool is_leak() const noexcept {
    return target == Target::kCollectedHeap ||
           target == Target::kCollectedArena ||
           target == Target::kFreedObject || target == Target::kUntraced;
  }
};

/// "collected heap", "another arena", ...
std::string_view NameOf(Target target) noexcept;
/// "pointer", "span", "string", "container", "word".
std::string_view NameOf(FindingKind kind) noexcept;

/// Names the finding from run to run, wherever memory lies: the path with
/// indices and keys left out, what holds the pointer, where it leads, and the
/// type. "World.levels[].things[].target pointer->collected heap Thing"
std::string IdentityOf(const Finding& finding);

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_FINDING_H_
