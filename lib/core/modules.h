// SPDX-License-Identifier: MIT
//
// Modules: the program and the shared objects that are loaded, as the dynamic
// linker tells of them. Elsewhere than on Linux there is one, and it stays.

#ifndef ACRE_LIB_CORE_MODULES_H_
#define ACRE_LIB_CORE_MODULES_H_

#include <cstddef>
#include <cstdint>

#include "acre/config.h"

#if defined(__linux__) && defined(__ELF__)
#define ACRE_HAS_MODULES 1
#else
#define ACRE_HAS_MODULES 0
#endif

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// An ELF note that a module carries in memory.
struct Note {
  std::uint32_t type;
  const char* content;  // not aligned
  std::uint32_t size;
};

/// Calls visit(note, data) for the notes of that owner in all modules, until it
/// returns false.
void ForEachNote(const char* owner, bool (*visit)(const Note& note, void* data),
                 void* data) noexcept;

/// Calls run(data) while no module comes or goes, and no other thread is in
/// such a call. (With the C library musl two threads may be.)
void UnderLoaderLock(void (*run)(void* data), void* data) noexcept;

/// False for addresses in the program itself and in a module that was linked
/// with -z nodelete.
bool IsUnloadable(const void* address) noexcept;

/// Where the module around an address lies.
struct ModuleRange {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
};
ModuleRange RangeAround(const void* address) noexcept;

/// Keeps the module around an address loaded until LetGo; null: not possible.
void* Hold(const void* address) noexcept;
void LetGo(void* handle) noexcept;

/// A pointer under a name, for as long as the process lives: in a mapping that
/// /proc/self/maps names. A child made by fork has it too, a program started by
/// exec has not.
void ParkForEver(const char* name, void* pointer) noexcept;
/// Null: there is none.
void* FindParked(const char* name) noexcept;

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_LIB_CORE_MODULES_H_
