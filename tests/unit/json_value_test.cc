// SPDX-License-Identifier: MIT
//
// Json, a value of any shape: its interface, a model of random operations, and
// that copies, audits and releases know it.

#include <acre/deep_copy.h>
#include <acre/json.h>
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "acre/audit.h"
#include "acre/gc.h"
#include "acre/map.h"
#include "acre/saved_arena.h"
#include "acre/vector.h"
#include "support/death.h"
#include "support/scaled.h"

namespace json_value_test {

using acre::Arena;
using acre::Json;

namespace {

std::string Text(const Json& json) { return *acre::ToJson(json); }

Json& Read(Arena& arena, std::string_view text) {
  return *acre::FromJson<Json>(arena, text).value();
}

TEST_CASE("json value: made, asked and changed") {
  Arena arena;
  Json& doc = *arena.New<Json>();
  CHECK(doc.is_null());
  doc["name"] = "Ann";
  doc["a long description"] = "that does not fit into fifteen bytes";
  doc["hp"] = 100;
  doc["big"] = std::numeric_limits<std::uint64_t>::max();
  doc["ratio"] = 0.5;
  doc["alive"] = true;
  doc["none"] = nullptr;
  doc["list"].push_back(1);
  doc["list"].push_back("two");
  doc["list"].push_back(Json::Object());
  doc["list"][2]["x"] = Json::Array();
  CHECK(Text(doc) ==
        R"({"name":"Ann","a long description":)"
        R"("that does not fit into fifteen bytes","hp":100,)"
        R"("big":18446744073709551615,"ratio":0.5,"alive":true,"none":null,)"
        R"("list":[1,"two",{"x":[]}]})");
  CHECK(doc.size() == 8);
  CHECK(doc["hp"].get<int>() == 100);
  CHECK(doc["hp"].get<double>() == 100.0);
  CHECK(doc["name"].get<std::string_view>() == "Ann");
  CHECK(doc["list"].size() == 3);
  CHECK(doc.find("nothing") == nullptr);
  CHECK_FALSE(doc["hp"].get_if<bool>().has_value());
  CHECK_FALSE(doc["hp"].get_if<std::int8_t>() == std::int8_t{99});
  CHECK(doc["big"].get_or(7) == 7);
  CHECK_FALSE(doc["ratio"].get_if<int>().has_value());
  CHECK(doc["list"][1].kind() == Json::Kind::kText);
  CHECK(doc.erase("hp"));
  CHECK_FALSE(doc.erase("hp"));
  doc["list"].erase(0);
  CHECK(Text(doc["list"]) == R"(["two",{"x":[]}])");
  std::string names;
  for (const auto& [name, value] : doc.members()) {
    names += name;
    names += value.is_null() ? "! " : " ";
  }
  CHECK(names == "name a long description big ratio alive none! list ");
  for (Json& each : doc["list"]) each = 5;
  CHECK(Text(doc["list"]) == "[5,5]");
  doc = 1.5;  // of what there was nothing stays
  arena.Free(&doc);
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("json value: equal by value, whatever the order and the storage") {
  Arena arena;
  CHECK(Read(arena, R"({"a":1,"b":[2.0,"x"]})") ==
        Read(arena, R"({"b":[2,"x"],"a":1.0})"));
  CHECK_FALSE(Read(arena, R"({"a":1})") == Read(arena, R"({"b":1})"));
  CHECK_FALSE(Read(arena, "[1,2]") == Read(arena, "[2,1]"));
  CHECK(Json(1U) == Json(1));
  CHECK_FALSE(Json(-1) == Json(std::numeric_limits<std::uint64_t>::max()));
  CHECK_FALSE(Json(9007199254740993) == Json(9007199254740992.0));
  CHECK_FALSE(Json(true) == Json(1));
  CHECK(Json() == Json(nullptr));
}

TEST_CASE("json value: JSON Pointer and merge patch") {
  Arena arena;
  Json& doc = Read(arena, R"({"a/b":{"m~n":[10,{"":7}]}})");
  CHECK(doc.Find("")->is_object());
  CHECK(doc.Find("/a~1b/m~0n/0")->get<int>() == 10);
  CHECK(doc.Find("/a~1b/m~0n/1/")->get<int>() == 7);
  for (const char* nowhere : {"/x", "x", "/a~1b/m~0n/2", "/a~1b/m~0n/00",
                              "/a~1b/m~0n/-", "/a~1b/m~0n/0/0"}) {
    CHECK(doc.Find(nowhere) == nullptr);
  }
  // The examples of RFC 7396, appendix A, in short.
  const struct {
    const char* target;
    const char* patch;
    const char* result;
  } kCases[] = {{R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
                {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
                {R"({"a":"b"})", R"({"a":null})", "{}"},
                {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
                {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})",
                 R"({"a":{"b":"d"}})"},
                {"[1,2]", R"({"a":"b","c":null})", R"({"a":"b"})"},
                {"{}", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
                {R"({"a":"foo"})", "null", "null"}};
  for (const auto& each : kCases) {
    Json& target = Read(arena, each.target);
    target.MergePatch(std::move(Read(arena, each.patch)));
    CHECK(Text(target) == each.result);
    Arena other;
    Json& again = Read(arena, each.target);
    again.MergePatch(std::move(Read(other, each.patch)));
    CHECK(Text(again) == each.result);
  }
}

/// The same value, as std has it.
struct Model {
  std::vector<Model> items;        // elements, or values of members
  std::vector<std::string> names;  // of those
  std::string text = "null";       // of all but arrays and objects
  char kind = 'v';                 // or 'a', 'o'

  std::string Text() const {
    if (kind == 'v') return text;
    std::string all;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i != 0) all += ',';
      if (kind == 'o') all += '"' + names[i] + "\":";
      all += items[i].Text();
    }
    return kind == 'a' ? "[" + all + "]" : "{" + all + "}";
  }
  std::size_t Find(std::string_view name) const {
    std::size_t i = 0;
    while (i < names.size() && names[i] != name) ++i;
    return i;
  }
};

void Change(Json& json, Model& model, std::mt19937& random, int depth) {
  const unsigned what = random() % 16;
  if (model.kind == 'a' && !model.items.empty() && what < 9) {
    const std::size_t at = random() % model.items.size();
    return Change(json[at], model.items[at], random, depth + 1);
  }
  if (model.kind == 'o' && !model.items.empty() && what < 9) {
    const std::size_t at = random() % model.items.size();
    return Change(json[model.names[at]], model.items[at], random, depth + 1);
  }
  if (model.kind == 'a' && what < 14) {
    if (what < 13 || model.items.empty()) {
      json.push_back(static_cast<int>(what));
      Model item;
      item.text = std::to_string(what);
      model.items.push_back(item);
    } else {
      const std::size_t at = random() % model.items.size();
      json.erase(at);
      model.items.erase(model.items.begin() + static_cast<std::ptrdiff_t>(at));
    }
    return;
  }
  if (model.kind == 'o' && what < 14) {
    // Some names are long, and there are more than fit without an index.
    std::string name = std::to_string(random() % 40);
    if (random() % 2 != 0) name = "a member by the name of " + name;
    const std::size_t at = model.Find(name);
    const bool is_there = at != model.names.size();
    if (what == 13) {
      CHECK(json.erase(name) == is_there);
      if (is_there) {
        const auto offset = static_cast<std::ptrdiff_t>(at);
        model.names.erase(model.names.begin() + offset);
        model.items.erase(model.items.begin() + offset);
      }
    } else if (!is_there) {
      CHECK_FALSE(json.contains(name));
      json[name] = static_cast<int>(what);
      model.names.push_back(name);
      model.items.emplace_back().text = std::to_string(what);
    } else {
      CHECK(json.contains(name));
    }
    return;
  }
  Model made;
  switch (random() % 5) {
    case 0:
      json = "short";
      made.text = "\"short\"";
      break;
    case 1:
      json = "a text that is longer than fifteen bytes";
      made.text = "\"a text that is longer than fifteen bytes\"";
      break;
    case 2:
      json = Json::Array();
      made.kind = 'a';
      break;
    default:
      json = Json::Object();
      made.kind = 'o';
  }
  if (depth > 6 && made.kind != 'v') made = Model();
  if (made.kind == 'v' && made.text == "null") json = nullptr;
  model = made;
}

TEST_CASE("json value: does what a model of std does, and gives all back") {
  for (unsigned seed = 0; seed < acre_test::Scaled(40U, 8U); ++seed) {
    std::mt19937 random(seed);
    Arena arena;
    Json& json = *arena.New<Json>(Json::Object());
    Model model;
    model.kind = 'o';
    for (int i = 0; i < 3000; ++i) {
      Change(json, model, random, 0);
      if (i % 50 == 0) REQUIRE(Text(json) == model.Text());
    }
    REQUIRE(Text(json) == model.Text());
    // Copies: deep, through the text, into another arena.
    Arena other;
    Json* const copy = acre::DeepCopy(other, json);
    CHECK(Text(*copy) == model.Text());
    CHECK(*copy == json);
    CHECK(Read(other, model.Text()) == json);
    arena.Free(&json);
    CHECK(arena.stats().live() == 0);
    *copy = Json::Object();
    (*copy)["still"]["alive"] = true;
    CHECK(Text(*copy) == R"({"still":{"alive":true}})");
  }
}

struct Holder {
  acre::Vector<Json> values;
  acre::Map<acre::String, Json> named;
  Json one;
};
ACRE_LAYOUT(Holder, values, named, one)

TEST_CASE("json value: an element like others") {
  Arena arena;
  Holder& holder = *arena.New<Holder>();
  for (int i = 0; i < 30; ++i) {
    Json& json = holder.values.emplace_back();
    for (int k = 0; k < i; ++k) {
      json["member number " + std::to_string(k)].push_back(k);
    }
    holder.named["n" + std::to_string(i)] = "a text of more than fifteen bytes";
  }
  holder.one = Json(arena, "this one, too, has a storage of its own");
  const std::string text = *acre::ToJson(holder);
  Arena other;
  Holder* const copy = acre::DeepCopy(other, holder);
  CHECK(*acre::ToJson(*copy) == text);
  const acre::AuditReport report = acre::Audit(other, *copy);
  CHECK(report.findings.empty());
  const acre::AuditReport all = acre::AuditAll(other);
  CHECK(all.findings.empty());
  arena.Free(&holder);
  CHECK(arena.stats().live() == 0);
  CHECK(*acre::ToJson(*copy) == text);
  other.Free(copy);
  CHECK(other.stats().live() == 0);
}

TEST_CASE("json value: nests as deep as memory does") {
  Arena arena;
  Json& outer = *arena.New<Json>();
  Json* at = &outer;
  for (int i = 0; i < 100000; ++i) at = &at->push_back(Json::Array());
  Arena other;
  Json* const copy = acre::DeepCopy(other, outer);
  std::size_t depth = 0;
  for (const Json* each = copy; !each->empty(); each = &(*each)[0]) ++depth;
  CHECK(depth == 100000);
  arena.Free(&outer);
  CHECK(arena.stats().live() == 0);
  other.Free(copy);
  CHECK(other.stats().live() == 0);
}

TEST_CASE("json value: in a collected arena, and after its storage is gone") {
  Arena& collected = *acre::NewCollectedArena();
  Json& doc = *collected.New<Json>();
  for (int i = 0; i < 1000; ++i) doc["n" + std::to_string(i)] = i;
  CHECK(doc["n777"].get<int>() == 777);

  // One that lives elsewhere gives nothing back that a Reset has taken.
  Arena arena;
  Json outside(arena, "a text that lies in the arena, not here");
  arena.Reset();
  Json& fresh = *arena.New<Json>(arena, "the very same memory, used again");
  outside = nullptr;
  CHECK(fresh.get<std::string_view>() == "the very same memory, used again");
}

TEST_CASE("json value: parts of itself") {
  Arena arena;
  Json& doc = Read(arena, R"({"a":{"b":[1,2],"c":null},"c":2,"k":"kk"})");
  doc[doc["k"].get<std::string_view>()] = 1;
  CHECK(doc["kk"].get<int>() == 1);
  for (int i = 0; i < 50; ++i) {
    const std::string name = std::to_string(i);
    doc[name] = name;
    doc[doc[name].get<std::string_view>()] = i;
  }
  CHECK(doc["49"].get<int>() == 49);
  doc.MergePatch(std::move(doc["a"]));
  CHECK(Text(doc["b"]) == "[1,2]");
  CHECK_FALSE(doc.contains("c"));
  doc["b"].push_back(std::move(doc["b"][1]));
  CHECK(Text(doc["b"]) == "[1,null,2]");
  doc = std::move(doc["b"]);
  CHECK(Text(doc) == "[1,null,2]");
  arena.Free(&doc);
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("json value: literals, numbers and texts as they come") {
  Arena arena;
  Json& doc = *arena.New<Json>();
  doc["hp"] = 0;
  doc["text"] = std::string("of more than fifteen bytes");
  doc["none"] = nullptr;
  doc["flag"] = false;
  doc["list"].push_back(std::string("short"));
  CHECK(Text(doc) == R"({"hp":0,"text":"of more than fifteen bytes",)"
                     R"("none":null,"flag":false,"list":["short"]})");
  CHECK(doc["text"] == std::string("of more than fifteen bytes"));
  CHECK(doc["list"][0U] == "short");
  CHECK(doc["list"][0L] == "short");
  for (auto& [name, value] : doc.members()) {
    if (name == "hp") value = 7;
  }
  CHECK(doc["hp"].get<int>() == 7);
  doc["hp"] = std::string_view();
  CHECK(doc["hp"] == "");
}

TEST_CASE("json value: misuse is told") {
  CHECK_DIES(Json(1).get<bool>(),
             "a Json is asked for a bool, but it is a "
             "number");
  Arena arena;
  Json& doc = Read(arena, R"({"a":[1]})");
  CHECK_DIES(doc.at("b"), "a Json object has no member \"b\"");
  CHECK_DIES(doc["a"]["x"] = 1, "asked for an object, but it is an array");
  CHECK_DIES(doc["a"].get<int>(),
             "asked for a number that fits, but it is an "
             "array");
  CHECK_DIES(
      {
        Json alone;
        alone["x"] = 1;
      },
      "Json at 0x[0-9a-f]+ has no arena");
  Json& nested = Read(arena, R"({"a":{"b":{}}})");
  CHECK_DIES(nested["a"]["b"].MergePatch(std::move(nested["a"])),
             "merged with what it is a part of");
  if (acre::kChecked) {
    CHECK_DIES(nested["a"] = std::move(nested), "moved into a part of itself");
    CHECK_DIES(
        {
          Arena short_lived;
          Json outside(short_lived, "a text of that arena, longer than 15");
          short_lived.Reset();
          static_cast<void>(outside.get<std::string_view>().size());
        },
        "Json");
  }
}

TEST_CASE("a Json made of nullptr is null, in a Vector too") {
  Arena arena;
  acre::Vector<Json> values(arena);
  values.emplace_back(nullptr);
  values.push_back(nullptr);
  CHECK(values[0].is_null());
  CHECK(values[1].is_null());
  CHECK(Json(arena, nullptr).is_null());
}

struct Saved {
  acre::Map<std::uint32_t, Json> documents;
  acre::Vector<Json> rows;
  Json value;
};
ACRE_LAYOUT(Saved, documents, rows, value)

TEST_CASE("a Json comes back from a file, its index made anew") {
  const std::string file = (std::filesystem::temp_directory_path() /
                            ("acre-json-" + std::to_string(::getpid())))
                               .string();
  Arena arena;
  auto* saved = arena.New<Saved>();
  saved->value = std::move(Read(arena, R"({"a":[1,2.5,"a text of some length"],
      "b":{"c":null,"d":true,"e":"short"},"f":[],"g":{}})"));
  // So many members that there is an index.
  Json& many = saved->rows.emplace_back();
  for (int i = 0; i < 100; ++i) many["member " + std::to_string(i)] = i;
  saved->rows.emplace_back();
  saved->rows[1] = "another text that takes storage of its own";
  saved->documents[7] = "short";
  REQUIRE(acre::Save(arena, *saved, file.c_str(), {.sync = false}).text() ==
          "");
  const auto check = [&](const acre::SavedArena<Saved>& back) {
    REQUIRE_MESSAGE(back, back.error().text());
    CHECK(back->value == saved->value);
    CHECK(back->rows[1] == saved->rows[1]);
    CHECK(back->documents.at(7) == "short");
    for (int i = 0; i < 100; ++i) {
      CHECK(back->rows[0].at("member " + std::to_string(i)) == i);
    }
    back->rows[0]["one more"] = "a text that takes storage of its own";
    CHECK(back->rows[0].erase("member 50"));
    CHECK(back->rows[0].size() == 100);
    back->value["f"].push_back(1);
    back->rows.erase(back->rows.begin());
    CHECK(acre::Audit(back.arena(), *back).findings.empty());
  };
  const auto mapped = acre::MapArena<Saved>(file.c_str());
  const auto moved = acre::MapArena<Saved>(file.c_str());
  CHECK(!mapped.is_moved());
  CHECK(moved.is_moved());
  check(mapped);
  check(moved);
  check(acre::LoadArena<Saved>(file.c_str()));
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace json_value_test
