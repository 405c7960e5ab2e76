// SPDX-License-Identifier: MIT
//
// The C API: maps.

#include <cstring>
#include <string_view>
#include <type_traits>
#include <utility>

#include "acre/acre.h"
#include "calls.h"

namespace acre::c_api {
namespace {

/// Calls f(table, key of it), by the kind of the key. Requires: map.rare is
/// there, where the kind is one of those.
template <class Object, class F>
auto WithTable(Object& map, const acre_value& key, F f) {
  void* const shared = key.as.ref.pointer;
  switch (key.kind) {
    case ACRE_TEXT:
      return f(map.texts, TextOf(key));
    case ACRE_SYMBOL:
      return f(map.symbols, TextOf(key));
    case ACRE_INT:
      return f(map.integers, key.as.integer);
    case ACRE_MAP:
      return f(map.rare->maps, static_cast<MapObject*>(shared));
    case ACRE_VECTOR:
      return f(map.rare->vectors, static_cast<VectorObject*>(shared));
    case ACRE_BUILDER:
      return f(map.rare->builders, static_cast<BuilderObject*>(shared));
    case ACRE_OBJECT:
      return f(map.rare->objects, GcRef<void>(key.as.object));
    default:
      return f(map.rare->plain, Probe(key).view());
  }
}

bool IsRare(std::uint32_t kind) {
  return kind != ACRE_TEXT && kind != ACRE_SYMBOL && kind != ACRE_INT;
}

Value* Find(MapObject& map, const acre_value& key) {
  if (map.rare == nullptr && IsRare(key.kind)) return nullptr;
  return WithTable(map, key, [](auto& table, const auto& of) -> Value* {
    return table.get(of);
  });
}

void NeedRare(Arena& arena, MapObject& map) {
  if (map.rare != nullptr) return;
  auto* const made = arena.New<RareKeys>();
  if (map.rare == nullptr) {
    map.rare = made;
  } else {
    arena.Free(made);  // a finalizer was faster
  }
}

/// Inserts, or replaces. Nothing is changed where that throws.
void InsertOrAssign(Arena& arena, MapObject& map, const acre_value& key,
                    const acre_value& value) {
  if (IsRare(key.kind)) NeedRare(arena, map);
  MadeValue made(arena, value);
  WithTable(map, key, [&](auto& table, const auto& of) {
    const auto [at, is_new] = table.try_emplace(of, made.value());
    if (is_new) {
      made.Placed();
      ++map.changes;
    } else {
      made.Replace(at->second);
    }
  });
}

bool Erase(Arena& arena, MapObject& map, const acre_value& key) {
  Value* const found = Find(map, key);
  if (found == nullptr) return false;
  const Value old = *found;
  WithTable(map, key,
            [](auto& table, const auto& of) { return table.erase(of); });
  ++map.changes;
  Free(arena, old);
  return true;
}

/// Calls f(table, its number) until that returns true, for tables from `first`
/// on. Returns what it returned last.
template <class F>
bool AnyTable(MapObject& map, unsigned first, F f) {
  RareKeys* const rare = map.rare;
  return (first <= 1 && f(map.texts, 1)) || (first <= 2 && f(map.symbols, 2)) ||
         (first <= 3 && f(map.integers, 3)) ||
         (rare != nullptr && ((first <= 4 && f(rare->plain, 4)) ||
                              (first <= 5 && f(rare->maps, 5)) ||
                              (first <= 6 && f(rare->vectors, 6)) ||
                              (first <= 7 && f(rare->builders, 7)) ||
                              (first <= 8 && f(rare->objects, 8))));
}
constexpr unsigned kTables = 8;

std::size_t SizeOf(MapObject& map) {
  std::size_t size = 0;
  AnyTable(map, 1, [&](const auto& table, unsigned) {
    size += table.size();
    return false;
  });
  return size;
}

// ------------------------------------------------------------------- cursors

// The first word of a cursor: the table that it is in, from 1 on, in four bits,
// and a ticket by which a map is known that has the same keys as before; then
// an iterator, at the entry told last. Zeros: before the first entry.
constexpr unsigned kTableBits = 4;
constexpr unsigned kDone = kTables + 1;

std::uint64_t TicketOf(const MapObject& map) {
  return (reinterpret_cast<std::uintptr_t>(&map) +
          map.changes * 0x9E3779B97F4A7C15)
         << kTableBits;
}

acre_value ViewOfKey(Arena&, std::string_view key, unsigned table) {
  acre_value view = acre_text(key.data(), key.size());
  if (table == 2) view.kind = ACRE_SYMBOL;
  return view;
}
acre_value ViewOfKey(Arena&, std::int64_t key, unsigned) {
  return acre_int(key);
}
acre_value ViewOfKey(Arena&, const Key& key, unsigned) {
  return View(key.view());
}
template <class T>
acre_value ViewOfKey(Arena& arena, T* key, unsigned) {
  acre_value view;
  View(arena, Value(key), &view);
  return view;
}
acre_value ViewOfKey(Arena&, const GcRef<void>& key, unsigned) {
  return acre_object(key.get());
}

int Next(Arena& arena, MapObject& map, acre_cursor* cursor, acre_value* key,
         acre_value* value) {
  std::uint64_t& state = cursor->words[0];
  constexpr std::uint64_t kMask = (1U << kTableBits) - 1;
  if (state != 0 && (state & ~kMask) != TicketOf(map)) {
    return Fail(ACRE_CHANGED,
                "acre: arena '%s': entries were inserted into a map, or "
                "erased, while a cursor walked it",
                arena.name());
  }
  const auto current = static_cast<unsigned>(state & kMask);
  const bool found =
      AnyTable(map, current, [&](const auto& table, unsigned number) {
        auto at = table.begin();
        static_assert(sizeof at + sizeof state <= sizeof *cursor &&
                      std::is_trivially_copyable_v<decltype(at)>);
        void* const place = &cursor->words[1];
        if (number == current) {
          std::memcpy(static_cast<void*>(&at), place, sizeof at);
          ++at;
        }
        if (at == table.end()) return false;
        std::memcpy(place, &at, sizeof at);
        state = TicketOf(map) | number;
        if (key != nullptr) *key = ViewOfKey(arena, at->first, number);
        if (value != nullptr) View(arena, at->second, value);
        return true;
      });
  if (found) return ACRE_OK;
  state = TicketOf(map) | kDone;
  return ACRE_ABSENT;
}

}  // namespace

void EmptyMap(Arena& arena, MapObject& map) {
  ++map.changes;
  AnyTable(map, 1, [&](auto& table, unsigned) {
    for (const auto& entry : table) Free(arena, entry.second);
    table.Release();
    return false;
  });
}

}  // namespace acre::c_api

using namespace acre;         // NOLINT(google-build-using-namespace)
using namespace acre::c_api;  // NOLINT(google-build-using-namespace)

int acre_map_new(acre_arena* arena, acre_ref* map) {
  return New<MapObject>(arena, map);
}

namespace {

/// By keys that few maps have, or none can.
ACRE_COLD int GetByOther(const acre_ref& map, MapObject& object,
                         const acre_value& key, acre_value* value) {
  Arena& arena = ArenaOf(map);
  const int status = CheckKey(arena, key);
  if (status != ACRE_OK) return status;
  const Value* const found = Find(object, key);
  if (found == nullptr) return ACRE_ABSENT;
  if (value != nullptr) View(arena, *found, value);
  return ACRE_OK;
}

}  // namespace

// Flat: the call that g++ leaves, of Map::get with its string_view in memory,
// is a fifth of the time.
__attribute__((flatten)) int acre_map_get(const acre_ref* map,
                                          const acre_value* key,
                                          acre_value* value) {
  ACRE_C_REQUIRE(key);
  return CallReader([&]() -> int {
    MapObject* object = nullptr;
    const int status = Open(map, &object);
    if (ACRE_UNLIKELY(status != ACRE_OK)) return status;
    const Value* found = nullptr;
    if (key->kind == ACRE_TEXT && ACRE_LIKELY(key->as.text.data != nullptr)) {
      found = object->texts.get(
          std::string_view(key->as.text.data, key->as.text.size));
    } else if (key->kind == ACRE_INT) {
      found = object->integers.get(key->as.integer);
    } else {
      return GetByOther(*map, *object, *key, value);
    }
    if (found == nullptr) return ACRE_ABSENT;
    if (value != nullptr) View(ArenaOf(*map), *found, value);
    return ACRE_OK;
  });
}

int acre_map_set(const acre_ref* map, const acre_value* key,
                 const acre_value* value) {
  ACRE_C_REQUIRE(key);
  ACRE_C_REQUIRE(value);
  return Call([&]() -> int {
    MapObject* object = nullptr;
    int status = OpenToChange(map, &object);
    if (status != ACRE_OK) return status;
    Arena& arena = ArenaOf(*map);
    if ((status = CheckValue(arena, *key)) != ACRE_OK) return status;
    if ((status = CheckValue(arena, *value)) != ACRE_OK) return status;
    InsertOrAssign(arena, *object, *key, *value);
    // A finalizer may have freed it meanwhile.
    status = OpenToChange(map, &object);
    if (KindAt(*map) == kFreed) EmptyMap(arena, *object);
    return status;
  });
}

namespace {

/// A key that acre_ref_free has ended: its header stays where it is, so that no
/// other key has its address.
bool IsFreedKey(const Arena& arena, const acre_value& key) {
  return key.kind >= ACRE_MAP && key.kind <= ACRE_BUILDER &&
         KindAt(key.as.ref) == kFreed && &ArenaOf(key.as.ref) == &arena;
}

}  // namespace

int acre_map_erase(const acre_ref* map, const acre_value* key) {
  ACRE_C_REQUIRE(key);
  return Call([&]() -> int {
    MapObject* object = nullptr;
    int status = OpenToChange(map, &object);
    if (status != ACRE_OK) return status;
    Arena& arena = ArenaOf(*map);
    status = IsFreedKey(arena, *key) ? int{ACRE_OK} : CheckKey(arena, *key);
    if (status != ACRE_OK) return status;
    return Erase(arena, *object, *key) ? ACRE_OK : ACRE_ABSENT;
  });
}

int acre_map_size(const acre_ref* map, size_t* size) {
  ACRE_C_REQUIRE(size);
  return CallReader([&]() -> int {
    MapObject* object = nullptr;
    const int status = Open(map, &object);
    if (status == ACRE_OK) *size = SizeOf(*object);
    return status;
  });
}

int acre_map_reserve(const acre_ref* map, size_t size) {
  return Call([&]() -> int {
    MapObject* object = nullptr;
    const int status = OpenToChange(map, &object);
    if (status != ACRE_OK) return status;
    object->texts.reserve(size);
    ++object->changes;  // entries may have moved
    return ACRE_OK;
  });
}

int acre_map_clear(const acre_ref* map) {
  return Call([&]() -> int {
    MapObject* object = nullptr;
    const int status = OpenToChange(map, &object);
    if (status == ACRE_OK) EmptyMap(ArenaOf(*map), *object);
    return status;
  });
}

int acre_map_next(const acre_ref* map, acre_cursor* cursor, acre_value* key,
                  acre_value* value) {
  ACRE_C_REQUIRE(cursor);
  return Call([&]() -> int {
    MapObject* object = nullptr;
    const int status = Open(map, &object);
    if (status != ACRE_OK) return status;
    return Next(ArenaOf(*map), *object, cursor, key, value);
  });
}
