// SPDX-License-Identifier: MIT
//
// JsonType: what JSON needs to know of a type beside its layout. One table a
// type, constant; the engines that read and write are compiled once and go by
// it. Internal to acre.

#ifndef ACRE_JSON_DETAIL_JSON_TYPE_H_
#define ACRE_JSON_DETAIL_JSON_TYPE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/handle.h"
#include "acre/detail/json_kind.h"
#include "acre/detail/shape.h"
#include "acre/detail/type_name.h"
#include "acre/element.h"
#include "acre/enum_names.h"
#include "acre/fields.h"
#include "acre/fwd.h"
#include "acre/string.h"

namespace acre::inline ACRE_ABI {

namespace detail {

struct JsonType;
using GetJsonType = const JsonType& (*)();

/// A field of a struct, a part of a tuple, an alternative.
struct JsonField {
  std::string_view name;
  std::uint32_t offset = 0;
  JsonKind kind = JsonKind::kNull;  // of type
  bool is_plain = true;             // the name needs no escapes
  bool is_read = true;              // const fields are not
  GetJsonType type = nullptr;
  /// The first eight characters of the name and the quote behind it, the first
  /// the lowest, and which of them there are.
  std::uint64_t head = 0;
  std::uint64_t head_mask = 0;
};

/// Reads a key into an object that it is given; false where it could not.
using ReadKey = bool (*)(void* context, void* key);

/// Where an entry's value is, or null where its key could not be read.
struct JsonEntry {
  void* value = nullptr;
  bool is_new = false;
};

/// What only compiled code for the very type can do.
struct JsonOps {
  // kList, kView: `count` new elements; where the first one is. Of a list, what
  // was there stays.
  void* (*resize)(void* object, Arena& arena, std::size_t count) = nullptr;
  // kView, kPointer: what those made goes back.
  void (*free)(Arena& arena, void* made, std::size_t count) = nullptr;
  // kMap, kSet
  void (*reserve)(void* object, std::size_t count) = nullptr;
  JsonEntry (*insert)(void* object, ReadKey read, void* context) = nullptr;
  JsonEntry (*insert_text)(void* object, std::string_view key) = nullptr;
  // kMap: where the value of a key is, or null
  const void* (*find)(const void* object, ReadKey read,
                      void* context) = nullptr;
  // kOptional, kVariant: the index of what is alive (-1: nothing), and where;
  // and makes another one live.
  int (*active)(const void* object, const void** part) = nullptr;
  void* (*engage)(void* object, std::size_t index) = nullptr;
  // kTuple
  const void* (*part)(const void* object, std::size_t index) = nullptr;
  // kPointer: an object in the arena
  void* (*make)(Arena& arena) = nullptr;
  // kNamed: the name, and what has it, or null
  std::string_view (*name)(const void* target) = nullptr;
  const void* (*find_name)(std::string_view name) = nullptr;
  // Value-initialises what was there, which is released. Null: of a C array it
  // is done for each element.
  void (*renew)(void* object, Arena& arena) = nullptr;
};

/// What is worked out of a type when it is first met.
struct JsonPlan;
struct JsonNotes {
  std::atomic<const JsonPlan*> plan{nullptr};  // owned, for ever
};

struct JsonType {
  JsonKind kind = JsonKind::kNull;
  JsonKind number = JsonKind::kNull;  // kEnum: how it is stored
  JsonKind element_kind = JsonKind::kNull;
  std::uint32_t size = 0;
  std::uint32_t count = 0;  // kArray, kChars: elements
  std::uint32_t element_size = 0;
  std::uint32_t value_offset = 0;  // kMap: of the value in an entry
  std::string_view name;           // for messages
  const TypeLayout* (*layout)() = nullptr;
  GetJsonType element = nullptr;      // of lists, what pointers point to, ...
  GetJsonType key = nullptr;          // kMap
  const JsonField* fields = nullptr;  // kStruct, kTuple, kVariant
  std::uint32_t field_count = 0;
  const Enumerator* enumerators = nullptr;
  std::uint32_t enumerator_count = 0;
  const JsonOps* ops = nullptr;
  JsonNotes* notes = nullptr;
};

/// The table of T; `cv` does not count.
template <class T>
const JsonType& JsonTypeOf();

// ---- tables

/// Stops compilation, with its name, where a field is in JSON that has no form
/// there.
void give_this_field_an_ACRE_LAYOUT_or_mark_it_json_skip();

/// The last part of a name: "Circle" of "shapes::Circle", "Box<a::B>" of
/// "x::Box<a::B>".
constexpr std::string_view ShortName(std::string_view name) {
  const std::size_t end = name.find('<');
  const std::size_t at = name.substr(0, end).rfind("::");
  return at == std::string_view::npos ? name : name.substr(at + 2);
}

/// What messages call a type, and what tags an alternative.
template <class T, JsonKind kKind>
consteval std::string_view JsonName() {
  constexpr std::string_view kNames[] = {
      "null",     "bool",    "int8",   "int16",  "int32", "int64",
      "uint8",    "uint16",  "uint32", "uint64", "float", "double",
      "",         "text",    "text",   "text",   "text",  "list",
      "list",     "list",    "set",    "tuple",  "map",   "",
      "optional", "variant", "",       "any",    "",      ""};
  constexpr std::string_view kName = kNames[static_cast<std::size_t>(kKind)];
  if constexpr (kKind == JsonKind::kPointer || kKind == JsonKind::kNamed) {
    using Target = std::remove_cv_t<std::remove_pointer_t<T>>;
    return ShortName(TypeName<Target>());
  } else if constexpr (kName.empty()) {
    // Compilers spell arguments differently, and name our own namespace.
    constexpr std::string_view kShort = ShortName(TypeName<T>());
    return kShort.substr(0, kShort.find('<'));
  } else {
    return kName;
  }
}

constexpr bool NeedsNoEscape(std::string_view name) {
  for (const char c : name) {
    if (c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' ||
        c == '&') {
      return false;
    }
  }
  return true;
}

template <class M>
constexpr JsonField FieldFor(std::string_view name, std::size_t offset) {
  using Type = std::remove_cv_t<M>;
  JsonField field{name,
                  static_cast<std::uint32_t>(offset),
                  KindOf<Type>(),
                  NeedsNoEscape(name),
                  !std::is_const_v<M>,
                  &JsonTypeOf<Type>};
  for (std::size_t i = 0; i < 8 && i <= name.size(); ++i) {
    const char c = i == name.size() ? '"' : name[i];
    field.head |= std::uint64_t{static_cast<unsigned char>(c)} << 8 * i;
    field.head_mask |= std::uint64_t{0xFF} << 8 * i;
  }
  return field;
}

template <class T>
inline constexpr bool kIsByName = false;
template <class T>
inline constexpr bool kIsByName<T*> = HasJsonName<std::remove_cv_t<T>>;

/// Whether a field of a struct stands in JSON. What is borrowed does where it
/// has a name for it, or what it points to has.
template <class M>
constexpr bool IsInJson(const Field& field) {
  if (field.json != nullptr) return *field.json != '\0';
  return field.note != FieldNote::kBorrowed || kIsByName<std::remove_cv_t<M>>;
}
constexpr std::string_view NameInJson(const Field& field) {
  return field.json != nullptr ? std::string_view(field.json) : field.name;
}

template <class T>
inline constexpr std::size_t kJsonFieldCount = [] {
  std::size_t count = 0;
  ForEachFieldOf<T>([&]<class M>(const Field& field, std::type_identity<M>) {
    count += IsInJson<M>(field);
  });
  return count;
}();

template <class T>
inline constexpr auto kStructFields = [] {
  std::array<JsonField, kJsonFieldCount<T>> fields{};
  std::size_t i = 0;
  ForEachFieldOf<T>([&]<class M>(const Field& field, std::type_identity<M>) {
    if (!IsInJson<M>(field)) return;
    if constexpr (kHasJsonForm<M>) {
      fields[i++] = FieldFor<M>(NameInJson(field), field.offset);
    } else {
      give_this_field_an_ACRE_LAYOUT_or_mark_it_json_skip();
    }
  });
  return fields;
}();

/// How a Map's entries lie.
template <class K, class V>
inline constexpr std::size_t kValueOffset = (sizeof(K) + alignof(V) - 1) /
                                            alignof(V) * alignof(V);

template <class T>
inline constexpr int kPartFields = 0;
template <class A, class B>
inline constexpr std::array<JsonField, 2> kPartFields<std::pair<A, B>>{
    FieldFor<A>("first", 0), FieldFor<B>("second", kValueOffset<A, B>)};
template <template <class...> class V, class... A>
requires(StdTuple<V<A...>> || StdVariant<V<A...>>) inline constexpr std::array<
    JsonField, sizeof...(A)> kPartFields<V<A...>>{
    FieldFor<A>(JsonName<A, KindOf<A>()>(), 0)...};

template <class T>
struct Engage;
template <template <class...> class V, class... A>
struct Engage<V<A...>> {
  static void* Call(void* object, std::size_t index) {
    return Find(*static_cast<V<A...>*>(object), index,
                std::index_sequence_for<A...>());
  }
  template <std::size_t... I>
  static void* Find(V<A...>& value, std::size_t index,
                    std::index_sequence<I...>) {
    void* made = nullptr;
    static_cast<void>(
        ((index == I && (made = &value.template emplace<I>(), true)) || ...));
    return made;
  }
};

// ---- what only compiled code can do

/// A key that is made first, in the arena of what it is looked up in; what of
/// it has not gone into that is given back.
template <class K>
struct KeyRoom {
  K key{};

  explicit KeyRoom(Arena* arena) { BindIn(key, arena); }
  KeyRoom(const KeyRoom&) = delete;
  KeyRoom& operator=(const KeyRoom&) = delete;
  ~KeyRoom() { ReleaseIn(key); }
};

template <class T, JsonKind kKind>
consteval JsonOps OpsOf() {
  JsonOps ops;
  if constexpr (!std::is_array_v<T> && std::is_default_constructible_v<T>) {
    ops.renew = [](void* object, Arena& arena) {
      T& old = *static_cast<T*>(object);
      ReleaseIn(old);
      ConstructAt<T>(object);
      BindIn(old, &arena);
    };
  }
  if constexpr (kKind == JsonKind::kList) {
    ops.resize = [](void* object, Arena&, std::size_t count) -> void* {
      T& list = *static_cast<T*>(object);
      list.resize(count);
      return list.data();
    };
  } else if constexpr (kKind == JsonKind::kView) {
    using Item = std::remove_cv_t<typename T::element_type>;
    ops.resize = [](void* object, Arena& arena, std::size_t count) -> void* {
      const std::span<Item> made = arena.NewArray<Item>(count);
      *static_cast<T*>(object) = made;
      return made.data();
    };
    ops.free = [](Arena& arena, void* made, std::size_t count) {
      arena.Free(std::span<Item>(static_cast<Item*>(made), count));
    };
  } else if constexpr (kKind == JsonKind::kMap) {
    using Key = typename T::key_type;
    ops.reserve = [](void* object, std::size_t count) {
      static_cast<T*>(object)->reserve(count);
    };
    if constexpr (std::is_same_v<Key, String>) {
      ops.insert_text = [](void* object, std::string_view key) -> JsonEntry {
        const auto [at, is_new] = static_cast<T*>(object)->try_emplace(key);
        return {&at->second, is_new};
      };
    }
    ops.insert = [](void* object, ReadKey read, void* context) -> JsonEntry {
      T& map = *static_cast<T*>(object);
      KeyRoom<Key> made(map.arena());
      if (!read(context, &made.key)) return {};
      const auto [at, is_new] = map.try_emplace(std::move(made.key));
      return {&at->second, is_new};
    };
    ops.find = [](const void* object, ReadKey read,
                  void* context) -> const void* {
      T& map = *static_cast<T*>(const_cast<void*>(object));
      KeyRoom<Key> made(map.arena());
      return read(context, &made.key) ? map.get(made.key) : nullptr;
    };
  } else if constexpr (kKind == JsonKind::kSet) {
    using Key = typename T::key_type;
    ops.reserve = [](void* object, std::size_t count) {
      static_cast<T*>(object)->reserve(count);
    };
    ops.insert = [](void* object, ReadKey read, void* context) -> JsonEntry {
      T& set = *static_cast<T*>(object);
      KeyRoom<Key> made(set.arena());
      if (!read(context, &made.key)) return {};
      const auto [at, is_new] = set.insert(std::move(made.key));
      return {const_cast<Key*>(&*at), is_new};
    };
  } else if constexpr (kKind == JsonKind::kOptional) {
    ops.active = [](const void* object, const void** part) {
      const T& value = *static_cast<const T*>(object);
      if (!value.has_value()) return -1;
      *part = &*value;
      return 0;
    };
    ops.engage = [](void* object, std::size_t) -> void* {
      return const_cast<std::remove_cv_t<typename T::value_type>*>(
          &static_cast<T*>(object)->emplace());
    };
  } else if constexpr (kKind == JsonKind::kVariant) {
    ops.active = [](const void* object, const void** part) {
      const ActivePart active = Shape<T>::Active(object);
      *part = active.object;
      return active.object == nullptr ? -1 : static_cast<int>(active.index);
    };
    ops.engage = &Engage<T>::Call;
  } else if constexpr (kKind == JsonKind::kTuple) {
    if constexpr (StdTuple<T>) ops.part = &Shape<T>::At;
  } else if constexpr (kKind == JsonKind::kPointer) {
    using Target = std::remove_cv_t<std::remove_pointer_t<T>>;
    ops.make = [](Arena& arena) -> void* { return arena.New<Target>(); };
    ops.free = [](Arena& arena, void* made, std::size_t) {
      arena.Free(static_cast<Target*>(made));
    };
  } else if constexpr (kKind == JsonKind::kNamed) {
    using Target = std::remove_cv_t<std::remove_pointer_t<T>>;
    ops.name = [](const void* target) {
      return acre_json_by_name(static_cast<LayoutTag<Target>*>(nullptr))
          .name(*static_cast<const Target*>(target));
    };
    ops.find_name = [](std::string_view name) -> const void* {
      return acre_json_by_name(static_cast<LayoutTag<Target>*>(nullptr))
          .find(name);
    };
  }
  return ops;
}
template <class T, JsonKind kKind>
inline constexpr JsonOps kJsonOps = OpsOf<T, kKind>();

template <class T>
consteval JsonType MakeJsonType(JsonNotes* notes) {
  constexpr JsonKind kKind = KindOf<T>();
  JsonType type;
  type.kind = kKind;
  type.size = sizeof(T);
  type.name = JsonName<T, kKind>();
  type.layout = [] { return GetLayout<T>(); };
  type.ops = &kJsonOps<T, kKind>;
  type.notes = notes;
  const auto set_element = [&]<class Item>(std::type_identity<Item>) {
    static_assert(kHasJsonForm<Item>,
                  "acre: JSON has no form for this type (below): give it an "
                  "ACRE_LAYOUT, or mark the field json_skip");
    type.element = &JsonTypeOf<std::remove_cv_t<Item>>;
    type.element_kind = KindOf<std::remove_cv_t<Item>>();
    type.element_size = static_cast<std::uint32_t>(sizeof(Item));
  };
  const auto set_fields = [&](const auto& fields) {
    type.fields = fields.data();
    type.field_count = static_cast<std::uint32_t>(fields.size());
  };
  if constexpr (kKind == JsonKind::kEnum) {
    type.number = KindOf<std::underlying_type_t<T>>();
    type.enumerators = kEnumerators<T>.names;
    type.enumerator_count = static_cast<std::uint32_t>(
        sizeof kEnumerators<T>.names / sizeof(Enumerator));
  } else if constexpr (kKind == JsonKind::kChars) {
    type.count = ArrayOf<T>::kCount;
  } else if constexpr (kKind == JsonKind::kArray) {
    set_element(std::type_identity<typename ArrayOf<T>::Item>());
    type.count = ArrayOf<T>::kCount;
  } else if constexpr (kKind == JsonKind::kView) {
    set_element(std::type_identity<typename T::element_type>());
  } else if constexpr (kKind == JsonKind::kList || kKind == JsonKind::kSet ||
                       kKind == JsonKind::kOptional) {
    set_element(std::type_identity<typename T::value_type>());
  } else if constexpr (kKind == JsonKind::kPointer) {
    set_element(std::type_identity<std::remove_pointer_t<T>>());
  } else if constexpr (kKind == JsonKind::kMap) {
    using Key = typename T::key_type;
    using Value = typename T::mapped_type;
    set_element(std::type_identity<Value>());
    static_assert(kHasJsonForm<Key>, "acre: JSON has no form for this key");
    type.key = &JsonTypeOf<Key>;
    type.element_size =
        static_cast<std::uint32_t>(sizeof(std::pair<Key, Value>));
    type.value_offset = static_cast<std::uint32_t>(kValueOffset<Key, Value>);
  } else if constexpr (kKind == JsonKind::kStruct) {
    set_fields(kStructFields<T>);
  } else if constexpr (kKind == JsonKind::kTuple ||
                       kKind == JsonKind::kVariant) {
    set_fields(kPartFields<T>);
  }
  return type;
}

template <class T>
const JsonType& JsonTypeOf() {
  static_assert(kHasJsonForm<T>,
                "acre: JSON has no form for this type: give it an ACRE_LAYOUT");
  static constinit JsonNotes notes;
  static constexpr JsonType kType = MakeJsonType<T>(&notes);
  return kType;
}

}  // namespace detail
}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_JSON_DETAIL_JSON_TYPE_H_
