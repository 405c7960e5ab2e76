// SPDX-License-Identifier: MIT
//
// Pointers in JSON: references, both ways, whatever they lead into.

#include <random>
#include <utility>
#include <vector>

#include "json_types.h"

namespace json_test {
namespace {

// ---- graphs

TEST_CASE("json: graphs keep their shape") {
  Arena arena;
  Node& root = *arena.New<Node>();
  root.kids.resize(3);
  for (std::int32_t i = 0; i < 3; ++i) root.kids[i].id = 10 + i;
  root.next = &root.kids[2];              // forward
  root.kids[0].next = &root;              // back
  root.kids[1].next = arena.New<Node>();  // alone
  root.kids[1].next->id = 99;
  root.kids[1].next->next = root.kids[1].next;  // to itself
  root.named["a/b~c"] = &root.kids[0];
  root.named["alone"] = root.kids[1].next;
  const std::string text = Text(ToJson(root, {.sort_keys = true}));
  CHECK(text ==
        R"({"id":0,"next":{"$ref":"/kids/2"},"kids":[)"
        R"({"id":10,"next":{"$ref":""},"kids":[],"named":{}},)"
        R"({"id":11,"next":{"id":99,"next":{"$ref":"/kids/1/next"},"kids":[],)"
        R"("named":{}},"kids":[],"named":{}},)"
        R"({"id":12,"next":null,"kids":[],"named":{}}],)"
        R"("named":{"a/b~c":{"$ref":"/kids/0"},)"
        R"("alone":{"$ref":"/kids/1/next"}}})");
  Arena other;
  const JsonOr<Node*> read = FromJson<Node>(other, text);
  REQUIRE_MESSAGE(read, read.error().text());
  Node& copy = **read;
  CHECK(copy.next == &copy.kids[2]);
  CHECK(copy.kids[0].next == &copy);
  CHECK(copy.kids[1].next->next == copy.kids[1].next);
  CHECK(*copy.named.get("a/b~c") == &copy.kids[0]);
  CHECK(*copy.named.get("alone") == copy.kids[1].next);
  CHECK(Text(ToJson(copy, {.sort_keys = true})) == text);
  // From inside of what a reference names by its escapes.
  const JsonOr<Node*> named = FromJson<Node>(
      other,
      R"({"named":{"x/y~z":{"id":5}},"next":{"$ref":"/named/x~1y~0z"}})");
  REQUIRE_MESSAGE(named, named.error().text());
  CHECK(named->next->id == 5);
}

TEST_CASE("json: references lead into everything that holds something") {
  Arena arena;
  Links& links = *arena.New<Links>();
  links.items.resize(4);
  for (std::int32_t i = 0; i < 4; ++i) links.items[i].id = i;
  links.first = &links.items[3];
  links.picked.push_back(arena.New<Item>());
  links.picked.push_back(links.picked[0]);
  links.picked.push_back(nullptr);
  for (std::int32_t i = 0; i < 4; ++i) links.scores[&links.items[i]] = i * i;
  links.scores[links.picked[0]] = 42;
  links.chosen.insert(&links.items[1]);
  links.chosen.insert(links.picked[0]);
  for (int i = 0; i < 20; ++i) {
    links.by_real[i * 1.5].id = i;
    links.reals.insert(i * 0.25);
  }
  links.keyed = links.by_real.get(4.5);
  links.real = &*links.reals.find(1.25);
  links.shape = &links.circle;
  links.maybe.emplace();
  links.inside = &*links.maybe;
  links.choice.emplace<1>();
  links.chosen_one = &std::get<1>(links.choice);
  links.second = &std::get<1>(links.tuple);
  links.label = "a label";
  const std::string text = Text(ToJson(links));
  CAPTURE(text);
  Arena other;
  const JsonOr<Links*> read = FromJson<Links>(other, text);
  REQUIRE_MESSAGE(read, read.error().text());
  Links& copy = **read;
  CHECK(copy.first == &copy.items[3]);
  CHECK(copy.picked[0] == copy.picked[1]);
  CHECK(copy.picked[2] == nullptr);
  CHECK(copy.scores.size() == 5);
  for (std::int32_t i = 0; i < 4; ++i) {
    REQUIRE(copy.scores.get(&copy.items[i]) != nullptr);
    CHECK(*copy.scores.get(&copy.items[i]) == i * i);
  }
  CHECK(*copy.scores.get(copy.picked[0]) == 42);
  CHECK(copy.chosen.contains(&copy.items[1]));
  CHECK(copy.keyed == copy.by_real.get(4.5));
  CHECK(copy.real == &*copy.reals.find(1.25));
  CHECK(copy.shape == &copy.circle);
  CHECK(copy.inside == &*copy.maybe);
  CHECK(copy.chosen_one == &std::get<1>(copy.choice));
  CHECK(copy.second == &std::get<1>(copy.tuple));
  CHECK(std::string_view(copy.label) == "a label");
}

TEST_CASE("json: a graph that has no place in a text, or nests too deep") {
  Arena arena;
  // The only way to `holder` is from inside of it.
  Node& holder = *arena.New<Node>();
  holder.kids.resize(1);
  holder.kids[0].next = &holder;
  Node& root = *arena.New<Node>();
  root.next = &holder.kids[0];
  CHECK(ToJson(root).error().text() ==
        "next: points into an object that nothing but its own inside points "
        "to: there is no place in the text where it could stand");
  Node* first = nullptr;
  for (int i = 0; i < 600; ++i) {
    Node* const node = arena.New<Node>();
    node->next = std::exchange(first, node);
  }
  const acre::JsonError error = ToJson(*first).error();
  CHECK(error.what.starts_with("nests deeper than 512 levels"));
  CHECK(error.path.starts_with("next.next.next."));
  const std::string deep = Text(ToJson(*first, {.max_depth = 700}));
  CHECK(FromJson<Node>(arena, deep, {.max_depth = 700}));
  CHECK_FALSE(FromJson<Node>(arena, deep));
}

TEST_CASE("json: random graphs come back as they were") {
  std::mt19937 random(7);
  for (int round = 0; round < Scaled(200, 40); ++round) {
    Arena arena;
    Node& root = *arena.New<Node>();
    std::vector<Node*> all{&root};
    const int count = static_cast<int>(random() % 30);
    root.kids.resize(random() % 5);
    for (Node& kid : root.kids) all.push_back(&kid);
    for (int i = 0; i < count; ++i) {
      Node* const node = arena.New<Node>();
      node->id = i;
      node->kids.resize(random() % 3);
      // Reachable, before anything else points to it.
      Node* const holder = all[random() % all.size()];
      holder->named["n" + std::to_string(i)] = node;
      all.push_back(node);
      for (Node& kid : node->kids) all.push_back(&kid);
    }
    for (Node* node : all) {
      if (random() % 2 != 0) node->next = all[random() % all.size()];
    }
    const std::string text = Text(ToJson(root, {.sort_keys = true}));
    CAPTURE(text);
    Arena other;
    const JsonOr<Node*> read = FromJson<Node>(other, text);
    REQUIRE_MESSAGE(read, read.error().text());
    CHECK(Text(ToJson(**read, {.sort_keys = true})) == text);
  }
}

TEST_CASE("json: pointers to what has names") {
  Arena arena;
  Chosen& chosen = *arena.New<Chosen>();
  chosen.row = &kRows[1];
  chosen.more[5] = &kRows[0];
  const std::string text = Text(ToJson(chosen));
  CHECK(text == R"({"row":"high","other":null,"more":{"5":"low"}})");
  const JsonOr<Chosen*> read = FromJson<Chosen>(arena, text);
  REQUIRE_MESSAGE(read, read.error().text());
  CHECK(read->row == &kRows[1]);
  CHECK(read->other == nullptr);
  CHECK(*read->more.get(5) == &kRows[0]);
  CHECK(ErrorOf<Chosen>(R"({"row":"middle"})") ==
        "row: expected a name of Row, found \"middle\" (line 1, column 8)");
}

struct Thing {
  std::int32_t hp = 0;
  Thing* target = nullptr;
};
ACRE_LAYOUT(Thing, hp, target)

struct Tables {
  Set<Thing*> set;
  Map<Thing*, Thing*> map;
  Set<std::pair<Thing*, std::int32_t>> pairs;
  Vector<Thing*> list;
  Set<String> texts;
  Vector<const String*> picked;
};
ACRE_LAYOUT(Tables, set, map, pairs, list, texts, picked)

TEST_CASE("json: objects that stand in tables keyed by them") {
  Arena arena;
  Tables& tables = *arena.New<Tables>();
  Thing* things[4];
  for (Thing*& thing : things) thing = arena.New<Thing>();
  for (std::int32_t i = 0; i < 4; ++i) {
    things[i]->hp = i;
    things[i]->target = things[(i + 1) % 4];
    tables.set.insert(things[i]);
    tables.map[things[i]] = things[3 - i];
    tables.pairs.insert({things[i], i});
    tables.list.push_back(things[i]);
    tables.texts.insert("a text of more than twenty-three bytes, number " +
                        std::to_string(i));
  }
  tables.picked.push_back(&*tables.texts.begin());
  const std::string text = Text(ToJson(tables));
  CAPTURE(text);
  Arena other;
  const JsonOr<Tables*> read = FromJson<Tables>(other, text);
  REQUIRE_MESSAGE(read, read.error().text());
  Tables& copy = **read;
  CHECK(copy.set.size() == 4);
  CHECK(copy.map.size() == 4);
  for (std::int32_t i = 0; i < 4; ++i) {
    Thing* const thing = copy.list[i];
    CHECK(thing->hp == i);
    CHECK(thing->target == copy.list[(i + 1) % 4]);
    CHECK(copy.set.contains(thing));
    REQUIRE(copy.map.get(thing) != nullptr);
    CHECK(*copy.map.get(thing) == copy.list[3 - i]);
    CHECK(copy.pairs.contains({thing, i}));
  }
  CHECK(copy.picked[0] == &*copy.texts.find(copy.picked[0]->view()));
}

struct Other {
  std::int32_t y = 2;
};
ACRE_LAYOUT(Other, y)
struct Derived : Shape, Other {
  std::int32_t z = 3;
};
ACRE_LAYOUT(Derived, base(Shape), base(Other), z)

struct Bases {
  Other* other = nullptr;
  Derived* whole = nullptr;
  Shape* shape = nullptr;
};
ACRE_LAYOUT(Bases, other, whole, shape)

TEST_CASE("json: pointers to the bases of what stands alone") {
  Arena arena;
  Bases& bases = *arena.New<Bases>();
  bases.whole = arena.New<Derived>();
  bases.other = bases.whole;
  bases.shape = bases.whole;
  const std::string text = Text(ToJson(bases));
  CHECK(text ==
        R"({"other":{"$ref":"/whole"},"whole":{"area":0.0,"y":2,"z":3},)"
        R"("shape":{"$ref":"/whole"}})");
  const JsonOr<Bases*> read = FromJson<Bases>(arena, text);
  REQUIRE_MESSAGE(read, read.error().text());
  CHECK(read->other == read->whole);
  CHECK(read->shape == read->whole);
}

struct Odd {
  Map<String, String>* map = nullptr;
  Json* any = nullptr;
  Json* part = nullptr;
  std::int32_t** first = nullptr;
  std::int32_t** second = nullptr;
  std::optional<std::int32_t>* maybe = nullptr;
  std::variant<std::int32_t, double>* choice = nullptr;
  std::tuple<std::int32_t, double>* tuple = nullptr;
};
ACRE_LAYOUT(Odd, map, any, part, first, second, maybe, choice, tuple)

TEST_CASE("json: what looks like a reference, null behind pointers, parts") {
  Arena arena;
  Odd& odd = *arena.New<Odd>();
  odd.map = arena.New<Map<String, String>>();
  (*odd.map)["$ref"] = "/any";
  CHECK(ToJson(odd).error().text() ==
        "map: what it points to would be taken for a reference: its one member "
        "is named $ref");
  (*odd.map)["more"] = "makes it none";
  odd.any = arena.New<Json>();
  (*odd.any)["$ref"] = "/map";
  CHECK_FALSE(ToJson(odd));
  (*odd.any)["list"].push_back("inner");
  odd.part = &(*odd.any)["list"][0];
  odd.first = odd.second = arena.New<std::int32_t*>();
  odd.maybe = arena.New<std::optional<std::int32_t>>(5);
  odd.choice = arena.New<std::variant<std::int32_t, double>>(0.5);
  odd.tuple = arena.New<std::tuple<std::int32_t, double>>(1, 2.0);
  const std::string text = Text(ToJson(odd));
  CAPTURE(text);
  const JsonOr<Odd*> read = FromJson<Odd>(arena, text);
  REQUIRE_MESSAGE(read, read.error().text());
  CHECK(read->part == &(*read->any)["list"][0]);
  CHECK(read->first == nullptr);
  CHECK(**read->maybe == 5);
  CHECK(std::get<double>(*read->choice) == 0.5);
  CHECK(Text(ToJson(**read)) == text);
}

}  // namespace
}  // namespace json_test
