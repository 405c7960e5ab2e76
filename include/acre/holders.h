// SPDX-License-Identifier: MIT
//
// FindHolders: who outside an arena still points into it. The question before a
// Reset, and the other side of the audit, which asks where the arena points to.
//
//   for (const acre::Holder& h : acre::FindHolders(arena).holders) ...
//   arena.Reset(acre::ResetMode::kKeep | acre::ResetMode::kNoHolders);
//
// It runs a full collection and looks, with the world stopped, at everything in
// which the collector looks for pointers, word by word: a holder is possible,
// never certain. A number may look like an address, and a stack has words that
// nobody reads any more.
// Not seen (HolderReport::kBlindSpots): malloc'ed memory, thread_local
// variables, threads that are not registered, fibers that sleep, hidden
// pointers. A host names such memory in HolderOptions::roots.
// Threads: the arena's; needs to be registered with the collector.
// Complexity: a collection, and reading what it has marked.

#ifndef ACRE_HOLDERS_H_
#define ACRE_HOLDERS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "acre/arena.h"
#include "acre/config.h"

namespace acre::inline ACRE_ABI {

/// Where the pointer into the arena lies.
enum class HolderKind : std::uint8_t {
  kCollected,  ///< an object on the collected heap
  kArena,      ///< another arena
  kStatic,     ///< static storage of the program or a library
  kStack,      ///< the stack of a thread
  kRegister,   ///< a register of this thread
  kRoot,       ///< memory of HolderOptions::roots
};

/// "collected object", "another arena", "static storage", "stack", ...
std::string_view NameOf(HolderKind kind) noexcept;

struct Holder {
  HolderKind kind = HolderKind::kStatic;
  const void* slot = nullptr;     ///< where the pointer lies
  const void* address = nullptr;  ///< what it holds, in the arena
  const void* base = nullptr;     ///< kCollected: the object around the slot
  std::size_t bytes = 0;          ///< kCollected: its size
  long thread = 0;                ///< kStack: the kernel's number of it
  std::string name = {};  ///< kStatic: symbol and offset; kArena: its name
};

/// Memory to be looked at as well: what you gave to GC_add_roots (libgc does
/// not tell), malloc'ed structures, the stacks of fibers that sleep. Every byte
/// must be readable.
struct MemoryRange {
  const void* begin = nullptr;
  std::size_t bytes = 0;
};

struct HolderOptions {
  std::span<const MemoryRange> roots = {};
  /// Also who points to the Arena itself, which keeps a collected one alive:
  /// the variable that you have it in is one, and so are its own chunks.
  bool include_arena = false;
  /// Holders beyond this number are counted in `omitted`.
  std::size_t max_holders = 1000;
};

struct HolderReport {
  static constexpr std::string_view kBlindSpots =
      "not seen: malloc'ed memory, thread_local variables, threads that are "
      "not registered with the collector, fibers that sleep, roots that you "
      "did not name, hidden pointers";

  std::string arena = {};  ///< its name
  std::vector<Holder> holders = {};
  std::size_t omitted = 0;
  std::size_t unread_stacks = 0;  ///< threads whose stack could not be read
  /// Empty, or why nothing could be looked at: the collector is disabled.
  std::string error = {};
};

/// See the top of this file.
HolderReport FindHolders(const Arena& arena, const HolderOptions& options = {});

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_HOLDERS_H_
