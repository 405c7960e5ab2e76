// SPDX-License-Identifier: MIT
//
// Guards deep copy where objects lie in each other: entries of tables that
// move as their keys change, and pieces met before what they are part of.

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "acre/audit.h"
#include "acre/deep_copy.h"
#include "acre/failure.h"
#include "acre/layout.h"

namespace deep_copy_parts_test {

using acre::Arena;
using acre::DeepCopy;
using acre::Map;
using acre::Set;
using acre::String;
using acre::TryDeepCopy;
using acre::Vector;

struct Node {
  std::int64_t id = 0;
  Node* next = nullptr;
};
ACRE_LAYOUT(Node, id, next)

struct Entry {
  std::int64_t number = 0;
  Entry* self = nullptr;
  String text;
  Vector<int> list;
};
ACRE_LAYOUT(Entry, number, self, text, list)

/// Tables keyed by pointers, in each other, and pointers into their entries.
struct Tables {
  Vector<Node*> nodes;
  Map<Node*, Set<Node*>> edges;
  Map<Node*, Map<Node*, Map<Node*, int>>> deep;
  Map<Node*, Entry> entries;
  Vector<Entry*> to_entries;
  Vector<std::int64_t*> to_numbers;
  Vector<std::string_view> to_texts;
  Vector<Vector<int>*> to_lists;
  Vector<int*> to_deep;
  Node* outside = nullptr;
};
ACRE_LAYOUT(Tables, nodes, edges, deep, entries, to_entries, to_numbers,
            to_texts, to_lists, to_deep, outside)

constexpr int kNodes = 120;

void Fill(Arena& arena, Tables& tables) {
  for (int i = 0; i < kNodes; ++i) {
    Node* node = arena.New<Node>();
    node->id = i;
    tables.nodes.push_back(node);
  }
  for (int i = 0; i < kNodes; ++i) {
    Node* node = tables.nodes[i];
    for (int k = 1; k <= 5; ++k) {
      tables.edges[node].insert(tables.nodes[(i * k + k) % kNodes]);
      for (int m = 0; m < 3; ++m) {
        tables.deep[node][tables.nodes[(i + k) % kNodes]]
                   [tables.nodes[(i + m) % kNodes]] = 100 * i + 10 * k + m;
      }
    }
    tables.entries[node].number = i;
  }
  for (Node* node : tables.nodes) {
    Entry* entry = tables.entries.get(node);
    entry->self = entry;
    entry->text = "text " + std::to_string(node->id);
    entry->list.push_back(static_cast<int>(node->id));
    tables.to_entries.push_back(entry);
    tables.to_numbers.push_back(&entry->number);
    tables.to_texts.push_back(entry->text.view());
    tables.to_lists.push_back(&entry->list);
    tables.to_deep.push_back(tables.deep.get(node)
                                 ->get(tables.nodes[(node->id + 1) % kNodes])
                                 ->get(node));
  }
}

void CheckCopy(const Tables& tables, Tables& copy) {
  REQUIRE(copy.nodes.size() == kNodes);
  bool is_same = true;
  for (int i = 0; i < kNodes && is_same; ++i) {
    Node* node = copy.nodes[i];
    is_same = node != tables.nodes[i] && node->id == i;
    const Set<Node*>* edges = copy.edges.get(node);
    auto* deep = copy.deep.get(node);
    Entry* entry = copy.entries.get(node);
    REQUIRE(edges != nullptr);
    REQUIRE(deep != nullptr);
    REQUIRE(entry != nullptr);
    for (int k = 1; k <= 5; ++k) {
      is_same = is_same && edges->contains(copy.nodes[(i * k + k) % kNodes]);
      auto* inner = deep->get(copy.nodes[(i + k) % kNodes]);
      REQUIRE(inner != nullptr);
      for (int m = 0; m < 3; ++m) {
        const int* value = inner->get(copy.nodes[(i + m) % kNodes]);
        REQUIRE(value != nullptr);
        is_same = is_same && *value == 100 * i + 10 * k + m;
      }
    }
    is_same =
        is_same && entry->number == i && entry->self == entry &&
        copy.to_entries[i] == entry && copy.to_numbers[i] == &entry->number &&
        copy.to_texts[i].data() == entry->text.data() &&
        copy.to_lists[i] == &entry->list && entry->list[0] == i &&
        copy.to_deep[i] == deep->get(copy.nodes[(i + 1) % kNodes])->get(node);
  }
  CHECK(is_same);
}

struct alignas(64) Line {
  std::array<float, 16> values;
};
ACRE_LAYOUT(Line, values)
struct Lines {
  std::array<float, 16>* first = nullptr;
  std::span<float> all;
  Line* line = nullptr;
  std::span<Line> lines;
};
ACRE_LAYOUT(Lines, first, all, line, lines)

struct Small {
  std::int64_t value = 0;
};
ACRE_LAYOUT(Small, value)
struct Wrap {
  Small small;
};
ACRE_LAYOUT(Wrap, small)
struct Parts {
  std::span<std::byte> bytes;
  std::int64_t* value = nullptr;
  Small* small = nullptr;
  Wrap* wrap = nullptr;
  std::span<std::int64_t> values;
  std::span<Small> smalls;
  Node* outside = nullptr;
};
ACRE_LAYOUT(Parts, bytes, value, small, wrap, values, smalls, outside)

struct Keyed {
  Map<Node*, Entry> entries;
  Map<std::int64_t*, int> keys;
};
ACRE_LAYOUT(Keyed, entries, keys)

struct World {
  Vector<Node*> order;
  Vector<Node> nodes;
};
ACRE_LAYOUT(World, order, nodes)

TEST_CASE("DeepCopy: tables keyed by pointers, and pointers into entries") {
  Arena from;
  Arena to;
  Tables* tables = from.New<Tables>();
  Fill(from, *tables);
  Tables* copy = DeepCopy(to, *tables);
  CheckCopy(*tables, *copy);
  CHECK(acre::Audit(to, *copy).clean());

  // An object outside of arenas: the general engine copies it all.
  Node outside;
  tables->outside = &outside;
  Tables* general = DeepCopy(to, *tables);
  CheckCopy(*tables, *general);
  CHECK(general->outside != &outside);
  CHECK(acre::Audit(to, *general).clean());
}

TEST_CASE("DeepCopy of std: a map of pointers to maps of pointers") {
  Arena from;
  Arena to;
  std::vector<Node*> nodes;
  for (int i = 0; i < 50; ++i) nodes.push_back(from.New<Node>());
  std::map<Node*, Map<Node*, int>> map;
  for (int i = 0; i < 50; ++i) {
    Map<Node*, int> inner(from);
    for (int k = 0; k < 20; ++k) inner[nodes[(i + k) % 50]] = k;
    map.emplace(nodes[i], std::move(inner));
  }
  auto* copy = DeepCopy(to, map);
  std::size_t found = 0;
  for (auto& [node, inner] : *copy) {
    CHECK(copy->get(node) == &inner);
    for (const auto& [key, value] : inner) {
      found += inner.get(key) == &value && copy->contains(key) ? 1 : 0;
    }
  }
  CHECK(found == 50 * 20);
}

TEST_CASE("DeepCopy: a part met first does not decide about alignment") {
  Arena from;
  Arena to;
  static_cast<void>(to.Allocate(16));
  Lines* lines = from.New<Lines>();
  lines->line = from.New<Line>();
  lines->first = &lines->line->values;
  lines->lines = from.NewArray<Line>(3);
  lines->all = {lines->lines[0].values.data(), 48};
  lines->line->values[3] = 3;
  Lines* copy = DeepCopy(to, *lines);
  CHECK(reinterpret_cast<std::uintptr_t>(copy->line) % 64 == 0);
  CHECK(reinterpret_cast<std::uintptr_t>(copy->lines.data()) % 64 == 0);
  CHECK(copy->first == &copy->line->values);
  CHECK(copy->all.data() == copy->lines[0].values.data());
  CHECK(copy->line->values[3] == 3);
  to.Free(copy->line);
  to.Free(copy->lines);
  CHECK(reinterpret_cast<std::uintptr_t>(to.New<Line>()) % 64 == 0);
}

TEST_CASE("DeepCopy: of types that take the same bytes the outermost decides") {
  for (const bool is_outside : {false, true}) {
    Arena from;
    Arena to;
    Node outside;
    Parts* parts = from.New<Parts>();
    parts->wrap = from.New<Wrap>();
    parts->small = &parts->wrap->small;
    parts->value = &parts->small->value;
    parts->bytes = std::as_writable_bytes(std::span(parts->wrap, 1));
    parts->smalls = from.NewArray<Small>(10);
    parts->values = {&parts->smalls[0].value, 10};
    if (is_outside) parts->outside = &outside;
    Parts* copy = DeepCopy(to, *parts);
    CHECK(copy->small == &copy->wrap->small);
    CHECK(copy->value == &copy->small->value);
    CHECK(static_cast<void*>(copy->bytes.data()) == copy->wrap);
    CHECK(copy->values.data() == &copy->smalls[0].value);
    CHECK(acre::Audit(to, *copy).clean());
    to.Free(copy->wrap);
    to.Free(copy->smalls);
    if (is_outside) to.Free(copy->outside);
    to.Free(copy);
    CHECK(to.stats().live() == 0);
  }
}

TEST_CASE("DeepCopy: parts that come first do not take memory twice") {
  Arena from;
  World* world = from.New<World>();
  world->nodes.resize(10'000);
  for (Node& node : world->nodes) world->order.push_back(&node);
  Arena to({.first_chunk = 16384,
            .max_chunk = 16384,
            .byte_limit = std::size_t{400} << 10});
  const World* copy = TryDeepCopy(to, *world);
  REQUIRE(copy != nullptr);
  CHECK(copy->order[777] == &copy->nodes[777]);
}

TEST_CASE("DeepCopy: keys that point into entries which move are refused") {
  struct Misuse {};
  Arena from;
  Arena to;
  Keyed* keyed = from.New<Keyed>();
  for (int i = 0; i < 10; ++i) {
    keyed->entries[from.New<Node>()].number = i;
  }
  for (auto& [node, entry] : keyed->entries) keyed->keys[&entry.number] = 1;
  static std::string told;
  const auto previous = acre::SetMisuseHandler([](const char* message) {
    told = message;
    throw Misuse();
  });
  CHECK_THROWS_AS(DeepCopy(to, *keyed), Misuse);
  acre::SetMisuseHandler(previous);
  CHECK(told.find("a key in") != std::string::npos);
}

}  // namespace deep_copy_parts_test
