// SPDX-License-Identifier: MIT
//
// For debuggers: where things stand in memory, in words that a script reads
// from a process, or from a core file, without debug information and without a
// call (audit/gdb). Nothing in acre reads it.
//
//   acre_debugger_checked_v1 (or release_v1), a symbol
//     state   --> the pointer to the chunk index of this process
//     offsets --> {"Chunk.begin", 0} {"Chunk.end", 8} ... {"", 0}
//     index   --> the same, of the index
//
// What it says goes by names, so that fields may move without a new version.
// A field that changes its meaning gets a new name; a new version of the inline
// namespace, a new symbol.

#ifndef ACRE_LIB_CORE_FOR_DEBUGGERS_H_
#define ACRE_LIB_CORE_FOR_DEBUGGERS_H_

#include <cstdint>

#include "acre/config.h"

namespace acre::inline ACRE_ABI::detail {

/// The offset of a field in bytes, the size of a type, or a constant. 32 bytes.
struct DebuggerWord {
  char name[28];  // ends with NUL; empty behind the last one
  std::uint32_t value;
};
static_assert(sizeof(DebuggerWord) == 32);

struct DebuggerRoot {
  const void* state;  // of a pointer
  const DebuggerWord* offsets;
  const DebuggerWord* index;
};

#if defined(__has_attribute)
#if __has_attribute(retain)
#define ACRE_RETAIN __attribute__((used, retain))
#endif
#endif
#if !defined(ACRE_RETAIN)
#define ACRE_RETAIN __attribute__((used))
#endif

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_LIB_CORE_FOR_DEBUGGERS_H_
