// SPDX-License-Identifier: MIT
//
// Save, MapArena, LoadArena: what a root reaches in an arena, as a file, and
// back in a moment: save games, snapshots, caches that are built once.
//
//   if (acre::SaveError error = acre::Save(arena, *world, "level.acre")) ...
//
//   acre::SavedArena<World> saved = acre::MapArena<World>("level.acre");
//   if (!saved) return Report(saved.error().text());
//   saved->player->hp -= 10;                     // an ordinary arena:
//   saved->things.push_back(thing);              // nothing goes to the file
//   saved.arena().New<Thing>();
//
// The file holds the objects as they lie in memory, for an address of its own:
// MapArena maps them there, copy on write, and has nothing to read or to
// rewrite, however large the file is. Where something else lies at that address
// they are moved, by layout: linear.
//
// What is saved: the objects, rows and containers that the root reaches by
// layout, one behind the other. Not what was freed or erased, nor what only the
// program's own variables point to. Sharing, cycles and pointers into objects
// stay, where such an object lies there exactly: no bytes of something else,
// nothing in a variant that it does not hold. Fields with the note transient
// come back as zeros, containers in them empty; views of no elements come back
// without an address. Pointers that are borrowed, and pointers out of the
// arena, mean nothing in another process: Save refuses them, by path, or makes
// them null; see SaveOptions.
//
// Two ways back:
//   MapArena   for files of one's own. Checks that the file is whole, that it
//              is a build's like this one, and that all layouts are still what
//              they were; believes the rest. While it is mapped nobody may cut
//              the file or write to it (SIGBUS; Save never does, it puts a new
//              one in the old one's place).
//   LoadArena  for files of others. Copies the file, checks every byte against
//              its checksums and every pointer, size and container against what
//              there is: what comes out of a file that somebody forged are
//              values, but never a pointer to where no such object lies.
//
// A file is for the layouts, the compiler's ABI and the version of acre that
// wrote it, checked builds apart from others; another one refuses it by name:
// `World.Player: field 'mana' (offset 40) is not in the file`.
//
// Ownership: a SavedArena owns the arena and its memory; both end with it.
// Errors: values, with text. Where Save fails, the file that was there before
// is as it was; a process that is killed may leave one named .acre-*.new beside
// it. Memory for what is visited: std::bad_alloc.
// Files: Save follows links, and keeps the mode of a file that was there, not
// its owner; it takes the place of nothing but a file.
// Threads: Save uses the arena as any other call does. The arena of a
// SavedArena is its user's.
// Linux.

#ifndef ACRE_SAVED_ARENA_H_
#define ACRE_SAVED_ARENA_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/element.h"
#include "acre/failure.h"

namespace acre::inline ACRE_ABI {

/// Why an arena was not saved, or did not come back. Without text: nothing is
/// wrong.
class [[nodiscard]] SaveError {
 public:
  SaveError() = default;

  /// Whether this is an error.
  explicit operator bool() const { return !what.empty(); }

  /// All of it, in one line: `level.acre: World.player.target: points out of
  /// the arena 'level'`.
  std::string text() const;

  std::string file;
  std::string path;  ///< of a pointer, or `World.Player` of a layout; or empty
  std::string what;
  int code = 0;  ///< the errno of a call that failed, or 0
};

/// What becomes of pointers that lead out of the arena, and of borrowed ones.
enum class Outside : std::uint8_t {
  kRefuse,  ///< an error names the first
  kNull,    ///< they are null in the file, borrowed ones into the arena too.
            ///< References are refused all the same, and keys of Maps and
            ///< Sets: several would become one
};

struct SaveOptions {
  Outside outside = Outside::kRefuse;

  /// Where the objects are to lie; a multiple of 2 MiB (else misuse), at which
  /// nothing lies now, so not where they are mapped from a file. Null:
  /// somewhere from 0x550000000000 on, below 0x555500000000, chosen at random,
  /// so that several files can be mapped at once. Where one is given, equal
  /// worlds that came about alike make equal files, checked builds' stamps and
  /// bytes that no layout describes aside.
  const void* address = nullptr;

  /// Waits until the file is on the disk: then not even a power failure leaves
  /// less than the old or the new one.
  bool sync = true;
};

struct MapOptions {
  /// Of the arena; copied.
  const char* name = "saved";

  /// The arena's further chunks. Borrowed; must outlive it. Null: the collected
  /// heap, as for any arena.
  ChunkSource* source = nullptr;

  /// A longer file is refused.
  std::uint64_t max_bytes = UINT64_MAX;

  /// MapArena checks all that LoadArena checks. Reads the whole file.
  bool verify = false;
};

namespace detail {

SaveError SaveRoot(const Arena& arena, const TypeLayout& type, const void* root,
                   const char* path, const SaveOptions& options);

/// A saved arena that is here again, or why it is not.
struct OpenedArena {
  void* home = nullptr;  // owned: what the arena lies in
  Arena* arena = nullptr;
  void* root = nullptr;
  bool is_moved = false;
  SaveError error;
};
OpenedArena OpenArena(const char* path, const TypeLayout& type,
                      const MapOptions& options, bool loads);
void CloseArena(void* home) noexcept;
[[noreturn]] ACRE_COLD void FailNoArena(const SaveError& error);

}  // namespace detail

/// An arena that was saved, with its root; or why there is none.
template <class T>
class [[nodiscard]] SavedArena {
 public:
  /// None, and no error.
  SavedArena() = default;
  SavedArena(SavedArena&& other) noexcept
      : opened_(std::exchange(other.opened_, {})) {}
  SavedArena& operator=(SavedArena&& other) noexcept {
    if (this == &other) return *this;
    detail::CloseArena(opened_.home);
    opened_ = std::exchange(other.opened_, {});
    return *this;
  }
  ~SavedArena() { detail::CloseArena(opened_.home); }

  explicit operator bool() const noexcept { return opened_.root != nullptr; }
  const SaveError& error() const noexcept { return opened_.error; }

  /// These are misuse, with the error's text, where there is no arena. What
  /// they return stays where it is when the SavedArena is moved.
  Arena& arena() const {
    Require();
    return *opened_.arena;
  }
  T& root() const {
    Require();
    return *static_cast<T*>(opened_.root);
  }
  T& operator*() const { return root(); }
  T* operator->() const { return &root(); }

  /// True where something lay at the file's address, so that everything had to
  /// be moved.
  bool is_moved() const noexcept { return opened_.is_moved; }

 private:
  template <class U>
  friend SavedArena<U> MapArena(const char* path, const MapOptions& options);
  template <class U>
  friend SavedArena<U> LoadArena(const char* path, const MapOptions& options);

  explicit SavedArena(detail::OpenedArena opened)
      : opened_(std::move(opened)) {}
  void Require() const {
    if (ACRE_UNLIKELY(opened_.root == nullptr)) {
      detail::FailNoArena(opened_.error);
    }
  }

  detail::OpenedArena opened_;
};

/// Writes what `root` reaches to a file beside `path`, which then takes its
/// place. Requires: the root lies in the arena (else misuse). Takes as much
/// memory as what it saves. Linear in objects and bytes.
template <class T>
SaveError Save(const Arena& arena, const T& root, const char* path,
               const SaveOptions& options = {}) {
  static_assert(detail::RequireElement<T>());
  return detail::SaveRoot(arena, LayoutOf<T>(), &root, path, options);
}

/// See the top of this file. At the file's own address constant in its size;
/// checked builds, which know every block, and elsewhere, linear.
template <class T>
SavedArena<T> MapArena(const char* path, const MapOptions& options = {}) {
  static_assert(detail::RequireElement<T>());
  return SavedArena<T>(detail::OpenArena(path, LayoutOf<T>(), options, false));
}

/// See the top of this file. Linear.
template <class T>
SavedArena<T> LoadArena(const char* path, const MapOptions& options = {}) {
  static_assert(detail::RequireElement<T>());
  return SavedArena<T>(detail::OpenArena(path, LayoutOf<T>(), options, true));
}

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_SAVED_ARENA_H_
