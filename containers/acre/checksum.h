// SPDX-License-Identifier: MIT
//
// Checksum: a number for the state of what a root reaches, by layout. Equal
// states have equal ones, in every process and on every machine that runs the
// same build, wherever their objects lie: what netcode compares to notice that
// two players' worlds have parted. Where they have, Diff (<acre/diff.h>) says.
//
//   const std::uint64_t mine = acre::Checksum(arena, *world);
//
// What counts: plain fields by their bits (0.0 is not -0.0), texts, sizes,
// which part of a variant there is, and the shape of the graph: whether two
// pointers lead to one object or to two that are alike, and, of structs,
// whether that is a part of another object or an element of some container.
// Elements of Maps and Sets count in the order of their keys, not in that of
// the table: pointers as keys by where else they lead from, all others by what
// they hold.
//
// What does not: addresses, padding, freed memory, capacities; fields with the
// notes transient and borrowed. A pointer that leads out of all arenas counts
// as one, with the others that lead there; what lies there does not.
// Holes declared opaque count with their bytes, as do types declared with
// ACRE_PLAIN: where these have padding, keep it zero.
//
// Not for what may be made up on purpose: it is no cryptographic hash. Changes
// with versions of acre, layouts and compilers: compare, do not store.
// Threads: the arena's. Nothing is changed.
// Failure: takes memory for what it has visited; std::bad_alloc.
// Complexity: linear in objects and bytes, and sorting the elements of Maps and
// Sets that lead on to others.

#ifndef ACRE_CHECKSUM_H_
#define ACRE_CHECKSUM_H_

#include <cstdint>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/element.h"

namespace acre::inline ACRE_ABI {

struct ChecksumOptions {
  /// Elements of Maps and Sets count in the order in which they are walked, as
  /// well: for programs whose doings depend on it.
  bool table_order = false;
};

namespace detail {
std::uint64_t ChecksumOf(const Arena& arena, const TypeLayout& type,
                         const void* root, const ChecksumOptions& options);
}  // namespace detail

/// See the top of this file. The root may stand anywhere; other pointers into
/// an object outside of all arenas lead outside.
template <class T>
std::uint64_t Checksum(const Arena& arena, const T& root,
                       const ChecksumOptions& options = {}) {
  static_assert(detail::RequireElement<T>());
  return detail::ChecksumOf(arena, LayoutOf<T>(), &root, options);
}

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_CHECKSUM_H_
