// SPDX-License-Identifier: MIT
//
// The only place that declares acre's types without defining them. Default
// template arguments are owned here.

#ifndef ACRE_FWD_H_
#define ACRE_FWD_H_

#include "acre/config.h"

namespace acre::inline ACRE_ABI {

class Arena;
class ChunkSource;
class Mark;
class String;
struct ArenaOptions;
struct ArenaStats;
struct TypeLayout;

template <class T>
struct Hash;
struct KeyEqual;

template <class T>
class GcRef;
template <class T>
class GcWeakRef;
template <class T>
class Vector;
template <class K, class V, class H = Hash<K>, class E = KeyEqual>
class Map;
template <class K, class H = Hash<K>, class E = KeyEqual>
class Set;

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_FWD_H_
