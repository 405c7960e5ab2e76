// SPDX-License-Identifier: MIT
//
// What the C API makes in arenas: maps, vectors and builders of values of any
// kind. Registered like any other element, so that copies and audits know them.
// Internal to the C API.

#ifndef ACRE_AUDIT_C_OBJECTS_H_
#define ACRE_AUDIT_C_OBJECTS_H_

#include <cstdint>
#include <string_view>
#include <variant>

#include "acre/acre.h"
#include "acre/arena.h"
#include "acre/gc_ref.h"
#include "acre/hash.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/string.h"
#include "acre/vector.h"

namespace acre::c_api {

struct MapObject;
struct VectorObject;
struct BuilderObject;

/// What a value of some bytes points to. Its value owns it: nothing else does.
struct Text {
  String text;
};
ACRE_LAYOUT(Text, text)
struct Symbol {
  String text;
};
ACRE_LAYOUT(Symbol, text)
struct Bytes {
  String text;
};
ACRE_LAYOUT(Bytes, text)
struct Held {
  GcRef<void> object;
};
ACRE_LAYOUT(Held, object)

/// Two words: most of what is looked up is the value of an entry. The
/// alternatives are in the order of acre_kind.
using Value = std::variant<std::monostate, bool, std::int64_t, double, char32_t,
                           Text*, Symbol*, Bytes*, MapObject*, VectorObject*,
                           BuilderObject*, Held*>;
static_assert(sizeof(Value) == 16);

/// How a key of one of the rarer kinds is looked up: its kind, and the bytes
/// that tell it from others of that kind.
struct KeyView {
  char kind;
  std::string_view bytes;
};

/// Such a key: the kind, and then the bytes.
struct Key {
  Key() = default;
  Key(Arena& arena, const KeyView& key) : text(arena) {
    text.reserve(key.bytes.size() + 1);
    text.push_back(key.kind);
    text.append(key.bytes);
  }

  KeyView view() const {
    const std::string_view all = text;
    return {all[0], all.substr(1)};
  }

  String text;
};
ACRE_LAYOUT(Key, text)

struct KeyHash {
  using is_avalanching = void;
  using is_transparent = void;
  std::uint64_t operator()(const KeyView& key) const {
    return detail::HashBytes(key.bytes.data(), key.bytes.size(),
                             static_cast<unsigned char>(key.kind));
  }
  std::uint64_t operator()(const Key& key) const { return (*this)(key.view()); }
};

struct KeyEqual {
  using is_transparent = void;
  bool operator()(const Key& a, const KeyView& b) const {
    const std::string_view all = a.text;
    return all[0] == b.kind && all.substr(1) == b.bytes;
  }
  bool operator()(const Key& a, const Key& b) const {
    return a.text.view() == b.text.view();
  }
};

/// What few maps have. Objects are keys by identity.
struct RareKeys {
  Map<Key, Value, KeyHash, KeyEqual>
      plain;  ///< doubles, characters, bytes, ...
  Map<MapObject*, Value> maps;
  Map<VectorObject*, Value> vectors;
  Map<BuilderObject*, Value> builders;
  Map<GcRef<void>, Value> objects;
};
ACRE_LAYOUT(RareKeys, plain, maps, vectors, builders, objects)

// The first field of each object is its kind; kFreed from acre_ref_free on.
inline constexpr std::uint64_t kFreed = ~std::uint64_t{0};
/// Where any of the three will do; of no object.
inline constexpr std::uint64_t kAnyKind = kFreed - 1;

struct MapObject {
  std::uint64_t kind = ACRE_MAP;
  std::uint64_t changes = 0;  ///< of what keys there are
  Map<String, Value> texts;
  Map<String, Value> symbols;
  Map<std::int64_t, Value> integers;
  RareKeys* rare = nullptr;  ///< made when it is needed
};
ACRE_LAYOUT(MapObject, kind, changes, texts, symbols, integers, rare)

struct VectorObject {
  std::uint64_t kind = ACRE_VECTOR;
  Vector<Value> items;
};
ACRE_LAYOUT(VectorObject, kind, items)

struct BuilderObject {
  std::uint64_t kind = ACRE_BUILDER;
  String text;
};
ACRE_LAYOUT(BuilderObject, kind, text)

}  // namespace acre::c_api

#endif  // ACRE_AUDIT_C_OBJECTS_H_
