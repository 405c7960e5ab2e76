// SPDX-License-Identifier: MIT
//
// Guards deep copy: the copy has the shape of its source, wherever that lies,
// shares nothing with it, and leaves nothing behind where memory runs out.

#include "acre/deep_copy.h"

#include <doctest/doctest.h>
#include <gc/gc.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>

#include "acre/arena.h"
#include "acre/audit.h"
#include "acre/gc.h"
#include "acre/layout.h"
#include "collecting.h"
#include "support/scaled.h"
#include "test_sources.h"

namespace deep_copy_test {

using acre::Arena;
using acre::Clear;
using acre::Clone;
using acre::DeepCopy;
using acre::Map;
using acre::Set;
using acre::String;
using acre::TryDeepCopy;
using acre::Vector;

constexpr const char* kLong = "a text that is too long to stay in the handle";

struct Node {
  Node* left = nullptr;
  Node* right = nullptr;
  std::int64_t value = 0;
};
ACRE_LAYOUT(Node, owned(left), owned(right), value)

struct Sector {
  int floor = 0;
  int light[4] = {};
};
ACRE_LAYOUT(Sector, floor, light)

struct Line {
  Sector* sector = nullptr;
  int* light = nullptr;
  int* floor = nullptr;
  std::span<Sector> near;
  std::span<int> lights;
};
ACRE_LAYOUT(Line, sector, light, floor, near, lights)

struct Level {
  Vector<Sector> sectors;
  Vector<Line> lines;
  std::array<Sector, 3> fixed;
  Map<Sector*, int> tags;
  Set<Sector*> lit;
  Map<String, Vector<Line*>> named;
  String title;
  String author;
  Level* self = nullptr;
};
ACRE_LAYOUT(Level, sectors, lines, fixed, tags, lit, named, title, author,
            owned(self))

struct Wrapped {
  std::optional<Node*> maybe;
  std::optional<Node*> none;
  std::variant<int, Node*, Vector<Node*>> pointer;
  std::variant<int, Node*, Vector<Node*>> vector;
  std::tuple<int, Node*, String> tuple;
  std::pair<Node*, int> pair;
  std::array<Node*, 2> array;
  Node* c_array[2] = {};
};
ACRE_LAYOUT(Wrapped, maybe, none, pointer, vector, tuple, pair, array, c_array)

struct Keeps {
  Node* borrowed_node = nullptr;
  void* context = nullptr;
  Node* fixed = nullptr;
  std::string_view literal;
  std::string_view text;
  Node* own = nullptr;
};
ACRE_LAYOUT(Keeps, borrowed(borrowed_node), borrowed(context), fixed, literal,
            text, own)

struct Prefix {
  Sector sector;
  Sector* inside = nullptr;
  Prefix* around = nullptr;
};
ACRE_LAYOUT(Prefix, sector, inside, around)

struct Pool {
  Vector<Node*> each;
  std::span<Node> all;
};
ACRE_LAYOUT(Pool, each, all)
struct Deep {
  Vector<Node*> each;
  Pool* pool = nullptr;
};
ACRE_LAYOUT(Deep, each, pool)

struct Boxed {
  std::optional<Vector<int>> box;
  std::variant<int, Vector<int>> choice;
};
ACRE_LAYOUT(Boxed, box, choice)

/// Pieces smaller and larger than a page, and pointers into them.
struct Item {
  std::int64_t number = 0;
  Item* other = nullptr;
  std::int32_t part[3] = {};
};
ACRE_LAYOUT(Item, number, other, part)
struct Store {
  Vector<Item> few;
  Vector<Item> many;
  std::span<Item> row;
  Map<int, Item> by_number;
  Vector<Item*> each;
  Vector<std::int32_t*> parts;
  Vector<std::span<Item>> pairs;
  Item last;
};
ACRE_LAYOUT(Store, few, many, row, by_number, each, parts, pairs, last)

void Fill(Arena& arena, Store& store) {
  store.few.resize(20);
  store.many.resize(3000);
  store.row = arena.NewArray<Item>(700);
  for (int i = 0; i < 1000; ++i) store.by_number[i].number = 10'000 + i;
  const auto add = [&](Item& item, std::int64_t number) {
    item.number = number;
    store.each.push_back(&item);
    store.parts.push_back(&item.part[number % 3]);
    item.part[2] = static_cast<std::int32_t>(number);
  };
  std::int64_t number = 0;
  for (Item& item : store.few) add(item, number++);
  for (Item& item : store.many) add(item, number++);
  for (Item& item : store.row) add(item, number++);
  for (int i = 0; i < 1000; ++i) add(store.by_number[i], 10'000 + i);
  for (int i = 0; i < 2000; ++i) add(*arena.New<Item>(), 20'000 + i);
  add(store.last, 30'000);
  for (std::size_t i = 0; i < store.each.size(); ++i) {
    store.each[i]->other = store.each[(i * 7919) % store.each.size()];
  }
  for (std::size_t i = 0; i + 1 < store.many.size(); i += 100) {
    store.pairs.push_back(std::span(&store.many[i], 2));
  }
}

/// `copy` has the shape of `store`, and everything in it lies in `arena`.
void CheckStore(const Arena& arena, const Store& store, const Store& copy) {
  REQUIRE(copy.each.size() == store.each.size());
  Map<Item*, std::size_t> index(*store.each.arena());
  for (std::size_t i = 0; i < store.each.size(); ++i) index[store.each[i]] = i;
  bool is_same = true;
  for (std::size_t i = 0; i < store.each.size(); ++i) {
    const Item& item = *store.each[i];
    const Item& twin = *copy.each[i];
    is_same = is_same && arena.Owns(&twin) && &item != &twin &&
              item.number == twin.number && item.part[2] == twin.part[2] &&
              twin.other == copy.each[index[item.other]] &&
              copy.parts[i] == &twin.part[item.number % 3];
  }
  CHECK(is_same);
  CHECK(copy.each[0] == copy.few.data());
  CHECK(copy.each[19] == &copy.few[19]);
  CHECK(copy.each[20] == copy.many.data());
  CHECK(copy.each[3020] == copy.row.data());
  CHECK(copy.each[3720] == &copy.by_number.at(0));
  CHECK(copy.each[3720 + 999] == &copy.by_number.at(999));
  CHECK(copy.each.back() == &copy.last);
  REQUIRE(copy.pairs.size() == 30);
  CHECK(copy.pairs[29].data() == &copy.many[2900]);
}

/// Two sectors' worth of everything, with pointers across.
void Fill(Level& level) {
  for (int i = 0; i < 10; ++i) level.sectors.push_back(Sector{i, {i, 1, 2, 3}});
  for (int i = 0; i < 10; ++i) {
    Line line;
    line.sector = &level.sectors[9 - i];
    line.light = &level.sectors[i].light[2];
    line.floor = &level.sectors[i].floor;
    line.near = std::span(level.sectors.data() + 2, 3);
    line.lights = std::span(level.sectors[i].light, 2);
    level.lines.push_back(line);
    level.tags[&level.sectors[i]] = i;
    level.lit.insert(&level.sectors[i]);
  }
  level.fixed[1].floor = 77;
  level.tags[&level.fixed[1]] = 77;
  level.named["short"].push_back(&level.lines[3]);
  level.named[kLong].push_back(&level.lines[4]);
  level.named[kLong].push_back(&level.lines[4]);
  level.title = "E1M1";
  level.author = kLong;
  level.self = &level;
}

/// Everything that Fill made holds of the copy, and lies in `arena`.
void CheckLevel(Arena& arena, Level& copy) {
  REQUIRE(copy.sectors.size() == 10);
  REQUIRE(copy.lines.size() == 10);
  REQUIRE(arena.Owns(copy.sectors.data()));
  REQUIRE(arena.Owns(copy.lines.data()));
  CHECK(copy.self == &copy);
  for (int i = 0; i < 10; ++i) {
    CHECK(copy.sectors[i].floor == i);
    const Line& line = copy.lines[i];
    CHECK(line.sector == &copy.sectors[9 - i]);
    CHECK(line.light == &copy.sectors[i].light[2]);
    CHECK(line.floor == &copy.sectors[i].floor);
    CHECK(line.near.data() == &copy.sectors[2]);
    CHECK(line.near.size() == 3);
    CHECK(line.lights.data() == copy.sectors[i].light);
    REQUIRE(copy.tags.contains(&copy.sectors[i]));
    CHECK(copy.tags.at(&copy.sectors[i]) == i);
    CHECK(copy.lit.contains(&copy.sectors[i]));
  }
  CHECK(copy.fixed[1].floor == 77);
  REQUIRE(copy.tags.contains(&copy.fixed[1]));
  CHECK(copy.tags.size() == 11);
  CHECK(copy.lit.size() == 10);
  REQUIRE(copy.named.contains("short"));
  REQUIRE(copy.named.contains(kLong));
  CHECK(copy.named.at("short")[0] == &copy.lines[3]);
  REQUIRE(copy.named.at(kLong).size() == 2);
  CHECK(copy.named.at(kLong)[0] == &copy.lines[4]);
  CHECK(copy.named.at(kLong)[1] == &copy.lines[4]);
  CHECK(copy.title == "E1M1");
  CHECK(copy.author == kLong);
  CHECK(arena.Owns(copy.author.data()));
  CHECK(acre::Audit(arena, copy).clean());
}

Node static_node;

TEST_CASE("DeepCopy: keeps sharing, self cycles and mutual cycles") {
  Arena from;
  Arena to;
  Node* root = from.New<Node>();
  Node* shared = from.New<Node>();
  root->left = root->right = shared;
  shared->left = root;
  shared->right = shared;
  shared->value = 7;
  Node* copy = DeepCopy(to, *root);
  REQUIRE(copy != root);
  REQUIRE(to.Owns(copy));
  REQUIRE(to.Owns(copy->left));
  CHECK(copy->left == copy->right);
  CHECK(copy->left->left == copy);
  CHECK(copy->left->right == copy->left);
  CHECK(copy->left->value == 7);
  CHECK(root->left == shared);
  to.FreeGraph(copy);
  CHECK(to.stats().live() == 0);
}

TEST_CASE("DeepCopy: a null pointer, an empty span and view stay so") {
  Arena to;
  Line* line = DeepCopy(to, Line{});
  CHECK(line->sector == nullptr);
  CHECK(line->near.empty());
  const std::size_t one = to.stats().live();
  Keeps* keeps = DeepCopy(to, Keeps{});
  CHECK(keeps->own == nullptr);
  CHECK(keeps->text.empty());
  to.Free(line);
  to.Free(keeps);
  CHECK(one > 0);
  CHECK(to.stats().live() == 0);
}

TEST_CASE("DeepCopy: interior pointers, maps of pointers, views and texts") {
  Arena from;
  Level* level = from.New<Level>();
  Fill(*level);
  Arena to;
  Level* copy = DeepCopy(to, *level);
  REQUIRE(copy != level);
  CheckLevel(to, *copy);
  CheckLevel(from, *level);
  from.Reset(acre::ResetMode::kRelease);  // nothing of it is needed
  CheckLevel(to, *copy);
}

TEST_CASE("DeepCopy: within the same arena") {
  Arena arena;
  Level* level = arena.New<Level>();
  Fill(*level);
  const std::size_t one = arena.stats().live();
  Level* copy = DeepCopy(arena, *level);
  REQUIRE(copy != level);
  CHECK(copy->sectors.data() != level->sectors.data());
  CheckLevel(arena, *copy);
  CheckLevel(arena, *level);
  arena.FreeGraph(copy);
  CHECK(arena.stats().live() == one);
  CheckLevel(arena, *level);
}

TEST_CASE("DeepCopy: from the stack") {
  Arena arena;
  Level level;
  level.sectors = Vector<Sector>(arena);
  level.lines = Vector<Line>(arena);
  level.tags = Map<Sector*, int>(arena);
  level.lit = Set<Sector*>(arena);
  level.named = Map<String, Vector<Line*>>(arena);
  level.title = String(arena);
  level.author = String(arena);
  Fill(level);
  Arena to;
  CheckLevel(to, *DeepCopy(to, level));
}

TEST_CASE("DeepCopy: from malloc and from the collected heap") {
  acre_test::NeedCollector();
  const auto malloced = std::make_unique<Node[]>(3);
  auto* collected = static_cast<Node*>(GC_MALLOC(sizeof(Node)));
  *collected = Node{&malloced[1], nullptr, 9};
  malloced[0] = Node{collected, &malloced[2], 1};
  malloced[2].value = 3;
  Arena to;
  Node* copy = DeepCopy(to, malloced[0]);
  REQUIRE(to.Owns(copy->left));
  REQUIRE(to.Owns(copy->left->left));
  REQUIRE(to.Owns(copy->right));
  CHECK(copy->left->value == 9);
  CHECK(copy->right->value == 3);
  CHECK(acre::Audit(to, *copy).clean());
}

TEST_CASE("DeepCopy: choices, tuples, pairs and arrays") {
  Arena from;
  Node* node = from.New<Node>();
  node->value = 5;
  Wrapped* source = from.New<Wrapped>();
  source->maybe = node;
  source->pointer = node;
  source->vector = Vector<Node*>(from, {node, nullptr, node});
  std::get<1>(source->tuple) = node;
  std::get<2>(source->tuple) = kLong;
  source->pair = {node, 3};
  source->array = {nullptr, node};
  source->c_array[1] = node;
  Arena to;
  Wrapped* copy = DeepCopy(to, *source);
  REQUIRE(copy->maybe.has_value());
  Node* twin = *copy->maybe;
  REQUIRE(twin != node);
  REQUIRE(to.Owns(twin));
  CHECK(twin->value == 5);
  CHECK_FALSE(copy->none.has_value());
  CHECK(std::get<1>(copy->pointer) == twin);
  const auto& vector = std::get<2>(copy->vector);
  REQUIRE(vector.size() == 3);
  CHECK(vector.arena() == &to);
  CHECK(vector[0] == twin);
  CHECK(vector[1] == nullptr);
  CHECK(vector[2] == twin);
  CHECK(std::get<1>(copy->tuple) == twin);
  CHECK(std::get<2>(copy->tuple) == kLong);
  CHECK(to.Owns(std::get<2>(copy->tuple).data()));
  CHECK(copy->pair == std::pair<Node*, int>(twin, 3));
  CHECK(copy->array == std::array<Node*, 2>{nullptr, twin});
  CHECK(copy->c_array[0] == nullptr);
  CHECK(copy->c_array[1] == twin);
  CHECK(acre::Audit(to, *copy).clean());
  to.Free(twin);
  to.Free(copy);
  CHECK(to.stats().live() == 0);
}

TEST_CASE("DeepCopy: borrowed pointers and static storage are kept") {
  Arena from;
  Keeps keeps;
  keeps.borrowed_node = from.New<Node>();
  keeps.context = &keeps;
  keeps.fixed = &static_node;
  keeps.literal = "a literal";
  const std::string text = kLong;
  keeps.text = text;
  keeps.own = from.New<Node>();
  Arena to;
  Keeps* copy = DeepCopy(to, keeps);
  CHECK(copy->borrowed_node == keeps.borrowed_node);
  CHECK(copy->context == &keeps);
  CHECK(copy->fixed == &static_node);
  CHECK(static_cast<const void*>(copy->literal.data()) == keeps.literal.data());
  CHECK(copy->text == kLong);
  CHECK(to.Owns(copy->text.data()));
  CHECK(to.Owns(copy->own));
}

TEST_CASE("DeepCopy: a pointer to a member, and back to the struct around it") {
  Prefix prefix;
  prefix.sector.floor = 4;
  prefix.inside = &prefix.sector;  // the same address, another type
  prefix.around = &prefix;
  Arena to;
  Prefix* copy = DeepCopy(to, prefix);
  CHECK(copy->inside == &copy->sector);
  CHECK(copy->around == copy);
  CHECK(copy->inside->floor == 4);
  // The member alone is met first, the struct later: still one block.
  Arena from;
  Line* line = from.New<Line>();
  Prefix* whole = from.New<Prefix>();
  line->sector = &whole->sector;
  line->floor = &whole->sector.floor;
  line->lights = whole->sector.light;
  line->light = &whole->sector.light[3];
  Line* twin = DeepCopy(to, *line);
  CHECK(twin->floor == &twin->sector->floor);
  CHECK(twin->lights.data() == twin->sector->light);
  CHECK(twin->light == &twin->sector->light[3]);
}

TEST_CASE("DeepCopy: spans that overlap become one block") {
  int numbers[10];
  for (int i = 0; i < 10; ++i) numbers[i] = i;
  using Spans = std::array<std::span<int>, 4>;
  const std::span<int> all(numbers);
  const Spans spans{all.subspan(4, 4), all.subspan(0, 6), all.subspan(7, 3),
                    all.subspan(0, 2)};
  Arena to;
  Spans& copy = *DeepCopy(to, spans);
  int* begin = copy[1].data();
  REQUIRE(to.Owns(begin));
  CHECK(copy[0].data() == begin + 4);
  CHECK(copy[2].data() == begin + 7);
  CHECK(copy[3].data() == begin);
  for (int i = 0; i < 10; ++i) CHECK(begin[i] == i);
}

TEST_CASE("DeepCopy: a span behind pointers to each of its elements") {
  Arena from;
  const std::size_t count = 2000;
  const std::span<Node> nodes = from.NewArray<Node>(count);
  Deep* deep = from.New<Deep>();
  deep->pool = from.New<Pool>();
  deep->pool->all = nodes;
  for (std::size_t i = 0; i < count; ++i) {
    nodes[i].value = static_cast<std::int64_t>(i);
    nodes[i].left = &nodes[count - 1 - i];
    deep->each.push_back(&nodes[i]);
  }
  Arena to;
  Deep* copy = DeepCopy(to, *deep);
  const std::span<Node> twins = copy->pool->all;
  REQUIRE(twins.size() == count);
  bool same = true;
  for (std::size_t i = 0; i < count; ++i) {
    same = same && copy->each[i] == &twins[i] &&
           twins[i].left == &twins[count - 1 - i] &&
           twins[i].value == static_cast<std::int64_t>(i);
  }
  CHECK(same);
}

TEST_CASE("DeepCopy: the copy grows, and is freed like what New made") {
  Arena from;
  Level* level = from.New<Level>();
  Fill(*level);
  Arena to;
  Level* copy = DeepCopy(to, *level);
  for (int i = 0; i < 1000; ++i) {
    copy->sectors.push_back(Sector{i, {}});
    copy->named[std::to_string(i)].push_back(&copy->lines[0]);
    copy->author += kLong;
  }
  CHECK(copy->sectors.size() == 1010);
  CHECK(copy->named.size() == 1002);
  copy->sectors.erase(copy->sectors.begin());
  copy->named.erase("short");
  to.Free(copy);
  CHECK(to.stats().live() == 0);

  copy = DeepCopy(to, *level);
  REQUIRE(to.stats().live() > 0);
  to.FreeGraph(copy);
  CHECK(to.stats().live() == 0);
}

TEST_CASE("DeepCopy: an array behind a span is freed as an array") {
  struct Holder {
    static void Check(Arena& to, std::span<Sector> source) {
      Line line;
      line.near = source;
      Line* copy = DeepCopy(to, line);
      REQUIRE(copy->near.size() == 5);
      to.Free(copy->near);
      to.Free(copy);
    }
  };
  Arena to;
  std::array<Sector, 5> sectors{};
  Holder::Check(to, sectors);
  CHECK(to.stats().live() == 0);
}

TEST_CASE("DeepCopy: into a collected arena, which keeps the copy alive") {
  acre_test::NeedCollector();
  Level* copy = nullptr;
  Arena* to = acre::NewCollectedArena();
  {
    Arena from;
    Level* level = from.New<Level>();
    Fill(*level);
    copy = DeepCopy(*to, *level);
  }
  to = nullptr;
  acre_test::Collect(3);
  Arena* around = acre::ArenaOf(copy);
  REQUIRE(around != nullptr);
  for (int i = 0; i < 1000; ++i) {
    *static_cast<void**>(GC_MALLOC(4096)) = nullptr;  // would reuse its memory
  }
  CheckLevel(*around, *copy);
}

TEST_CASE("DeepCopy: a list of millions of nodes does not overflow the stack") {
  constexpr int kNodes = acre_test::Scaled(3'000'000, 300'000);
  Arena from({.source = &acre::MallocSource::Instance()});
  Node* head = nullptr;
  for (int i = 0; i < kNodes; ++i) head = from.New<Node>(head, nullptr, i);
  Arena to({.source = &acre::MallocSource::Instance()});
  const Node* copy = DeepCopy(to, *head);
  from.Reset(acre::ResetMode::kRelease);
  int expected = kNodes;
  bool descends = true;
  for (; copy != nullptr; copy = copy->left) {
    descends = descends && copy->value == --expected;
  }
  CHECK(descends);
  CHECK(expected == 0);
}

TEST_CASE("DeepCopy: pointers into pieces of every size") {
  Arena from;
  Arena to;
  Store* store = from.New<Store>();
  Fill(from, *store);
  Store* copy = DeepCopy(to, *store);
  CheckStore(to, *store, *copy);
  CHECK(acre::Audit(to, *copy).clean());
  const std::size_t live = from.stats().live();
  Store* twin = DeepCopy(from, *store);  // beside its source
  CheckStore(from, *store, *twin);
  CHECK(from.stats().live() > live);

  // The root on the stack, which is pointed at too.
  Store local;
  std::memcpy(static_cast<void*>(&local), static_cast<void*>(store),
              sizeof local);
  local.each.back() = &local.last;
  local.parts.back() = &local.last.part[0];
  Store* of_local = DeepCopy(to, local);
  CHECK(of_local->each.back() == &of_local->last);
  CHECK(of_local->parts.back() == &of_local->last.part[0]);
}

TEST_CASE("DeepCopy: where memory runs out at any piece nothing remains") {
  Arena from;
  Store* store = from.New<Store>();
  Fill(from, *store);
  constexpr std::size_t kSteps = acre_test::Scaled(8u, 3u);  // an octave
  int failures = 0;
  for (std::size_t limit = 256;; limit += limit / kSteps) {
    REQUIRE(limit < (std::size_t{1} << 24));
    Arena to({.source = &acre::MallocSource::Instance(),
              .first_chunk = 256,
              .byte_limit = limit});
    if (const Store* copy = TryDeepCopy(to, *store)) {
      CheckStore(to, *store, *copy);
      break;
    }
    ++failures;
    REQUIRE(to.stats().live() == 0);
  }
  CHECK(failures > acre_test::Scaled(40, 15));
}

TEST_CASE("DeepCopy: a limit at every size leaves nothing behind") {
  Arena from;
  Level* level = from.New<Level>();
  Fill(*level);
  for (int i = 0; i < 200; ++i) level->named[std::to_string(i)].resize(40);
  int failures = 0;
  bool succeeded = false;
  constexpr std::size_t kStep = acre_test::Scaled(256u, 640u);
  for (std::size_t limit = 256; !succeeded; limit += kStep) {
    REQUIRE(limit < (std::size_t{1} << 20));
    Arena to({.source = &acre::MallocSource::Instance(),
              .first_chunk = 256,
              .byte_limit = limit});
    Level* copy = TryDeepCopy(to, *level);
    if (copy == nullptr) {
      ++failures;
      REQUIRE(to.stats().live() == 0);
      CHECK_THROWS_AS(DeepCopy(to, *level), std::bad_alloc);
      REQUIRE(to.stats().live() == 0);
    } else {
      CheckLevel(to, *copy);
      succeeded = true;
    }
  }
  CHECK(failures > 20);
  CheckLevel(from, *level);
}

TEST_CASE("DeepCopy: a source that fails at each chunk leaves nothing behind") {
  Arena from;
  Level* level = from.New<Level>();
  Fill(*level);
  // Of many lengths: what is copied in order goes from one end of a block at a
  // multiple of 1024 to the next.
  for (unsigned i = 0; i < 1000; ++i) {
    level->named[std::to_string(i)].resize(i % 50);
  }
  std::size_t at = 1;
  for (;; ++at) {
    acre_test::CountingSource source;
    source.fail_at = at;
    {
      Arena to({.source = &source, .first_chunk = 512, .max_chunk = 1024});
      Level* copy = TryDeepCopy(to, *level);
      if (source.failures == 0) break;
      // It fails once; a second engine may have tried, and has what it needs.
      if (copy == nullptr) {
        CHECK(to.stats().live() == 0);
        copy = DeepCopy(to, *level);
      }
      CheckLevel(to, *copy);
      to.FreeGraph(copy);
    }
    CHECK_FALSE(source.broken);
    CHECK(source.bytes == 0);
  }
  CHECK(at > 10);
}

TEST_CASE("Clone: containers by value, and what they hold by value") {
  Arena from;
  Arena to;
  const Vector<int> numbers(from, {1, 2, 3});
  Vector<int> more = Clone(to, numbers);
  CHECK(more.arena() == &to);
  CHECK(more.data() != numbers.data());
  CHECK(more == numbers);
  more.push_back(4);
  CHECK(numbers.size() == 3);

  Map<String, Vector<Node*>> map(from);
  Node* node = from.New<Node>();
  map[kLong].push_back(node);
  map["b"].push_back(node);
  Map<String, Vector<Node*>> twin = Clone(to, map);
  REQUIRE(twin.size() == 2);
  CHECK(twin.at(kLong)[0] == node);  // not followed
  CHECK(twin.at(kLong).arena() == &to);
  CHECK(twin.at("b").data() != map.at("b").data());
  map.Release();
  CHECK(twin.at("b")[0] == node);

  const String text(from, kLong);
  String same = Clone(to, text);
  CHECK(same == text);
  CHECK(to.Owns(same.data()));
  String brief = Clone(to, String(from, "x"));
  CHECK(brief == "x");
  CHECK(brief.arena() == &to);

  more.Release();
  twin.Release();
  same.Release();
  brief.Release();
  CHECK(to.stats().live() == 0);
}

TEST_CASE("Clone: where memory runs out nothing remains, and it throws") {
  Arena from;
  Map<String, Vector<int>> map(from);
  for (int i = 0; i < 100; ++i) map[kLong + std::to_string(i)].resize(20);
  Arena to({.source = &acre::MallocSource::Instance(),
            .first_chunk = 1024,
            .byte_limit = 8192});
  CHECK_THROWS_AS(Clone(to, map), std::bad_alloc);
  CHECK(to.stats().live() == 0);
  CHECK(map.size() == 100);
  CHECK(map.at(std::string(kLong) + "7").size() == 20);
}

TEST_CASE("Clear: releases what an optional or a variant holds") {
  Arena arena;
  Boxed* boxed = arena.New<Boxed>();
  const std::size_t one = arena.stats().live();
  boxed->box.emplace(Vector<int>(arena, 100));
  boxed->choice = Vector<int>(arena, 50);
  REQUIRE(arena.stats().live() > one);
  Clear(boxed->choice);
  CHECK(boxed->choice.index() == 0);
  Clear(boxed->box);
  CHECK_FALSE(boxed->box.has_value());
  CHECK(arena.stats().live() == one);
}

struct Nested {
  acre::Vector<Nested> kids = {};
  int id = 0;
};
ACRE_LAYOUT(Nested, kids, id)
struct NestedRoot {
  acre::Vector<Nested>* current = nullptr;
  acre::Vector<Nested> scopes;
};
ACRE_LAYOUT(NestedRoot, current, scopes)

TEST_CASE("DeepCopy: a container that lies at the address of storage") {
  using deep_copy_test::NestedRoot;
  acre::Arena from;
  acre::Arena to;
  auto* root = from.New<NestedRoot>();
  for (int i = 1; i <= 3; ++i) root->scopes.emplace_back().id = i;
  root->scopes[0].kids.emplace_back().id = 11;
  root->current = &root->scopes[0].kids;
  NestedRoot* copy = acre::DeepCopy(to, *root);
  for (char& c : to.NewArray<char>(400)) c = 1;
  REQUIRE(copy->scopes.size() == 3);
  for (int i = 1; i <= 3; ++i) CHECK(copy->scopes[i - 1].id == i);
  CHECK(copy->current == &copy->scopes[0].kids);
  CHECK((*copy->current)[0].id == 11);
}

}  // namespace deep_copy_test
