// SPDX-License-Identifier: MIT
//
// Commons: what all copies of acre in one process share. A static acre in a
// program and one in each of its plugins are copies: each has its own code and
// statics, and the dynamic linker, which sees neither, does not join them.
//
//   module (program, plugin, libacre.so)
//     PT_NOTE "acre" type 1 --offset--> a pointer of this copy --+
//   module                                                       v
//     PT_NOTE "acre" type 1 --offset--> a pointer ------------> Commons
//                                                 index, kinds, events ...
//
// At first need a copy reads the notes of all modules, with the loader's lock
// held, and takes the commons that another one knows, or makes them. They are
// never freed: they outlive whoever made them. Those that were made in a module
// that may be unloaded are parked in a mapping with a name, where the next copy
// finds them when no other is left.

#ifndef ACRE_LIB_CORE_COMMONS_H_
#define ACRE_LIB_CORE_COMMONS_H_

#include <cstddef>
#include <cstdint>
#include <new>

#include "acre/config.h"

#define ACRE_TEXT_OF(x) #x
#define ACRE_TEXT(x) ACRE_TEXT_OF(x)
/// Of what only copies of the same version and mode may share.
#define ACRE_ABI_TEXT ACRE_TEXT(ACRE_ABI)

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// Part of each `shape`: raised with every change of what the shared structs
/// mean that their sizes do not show.
inline constexpr std::uint64_t kCommonsVersion = 1;

/// Memory that all copies get which ask for the same name, size and shape; zero
/// at first, then made by `make`, once. Null where memory ran out. Takes no
/// lock of acre's; not in collector callbacks. Names: below 32 bytes, and of
/// static duration.
void* FindCommon(const char* name, std::size_t size, std::uint64_t shape,
                 void (*make)(void* memory)) noexcept;

/// The T of all copies; where memory ran out, one of this copy.
template <class T>
T& Common(const char* name, std::uint64_t shape) noexcept {
  const auto make = [](void* memory) { ::new (memory) T(); };
  void* common =
      FindCommon(name, sizeof(T), shape << 8 | kCommonsVersion, make);
  if (common != nullptr) return *static_cast<T*>(common);
  alignas(T) static std::byte alone[sizeof(T)];
  static T* const mine = ::new (static_cast<void*>(alone)) T();
  return *mine;
}

/// True where the process has a copy of another version or mode, whose arenas
/// this one cannot tell from any other memory.
bool IsOtherCopyThere() noexcept;

/// Names this copy.
const void* ThisCopy() noexcept;

/// True where the module around this copy can be unloaded: it is neither the
/// program itself nor linked with -z nodelete, as the shared libacre is.
bool CanBeUnloaded() noexcept;

/// True for an address in the module around this copy.
bool IsOfThisModule(const void* address) noexcept;

/// From now on the module stays loaded, until Unpin: the collector, or other
/// copies, call functions of it. Idempotent; takes the loader's lock.
void Pin() noexcept;
void Unpin() noexcept;

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_LIB_CORE_COMMONS_H_
