// SPDX-License-Identifier: MIT
//
// Guards <acre/diff.h>: what differs is told, by path, and nothing else is.

#include "acre/diff.h"

#include <doctest/doctest.h>

#include <array>
#include <cstring>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "acre/arena.h"
#include "acre/checksum.h"
#include "acre/deep_copy.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "support/json.h"
#include "support/scaled.h"

namespace diff_test {

using acre::Arena;
using acre::Diff;
using acre::DiffKind;
using acre::DiffReport;

struct Vec {
  float x = 0;
  float y = 0;
};
ACRE_LAYOUT(Vec, x, y)

struct Thing {
  std::int32_t health = 100;
  Vec pos = {};
  Thing* target = nullptr;
  acre::String name;
  std::array<std::int16_t, 4> ammo = {};
  std::int32_t sound = 0;
};
ACRE_LAYOUT(Thing, health, pos, target, name, ammo, transient(sound))

struct Level {
  acre::Vector<Thing> things;
  acre::Set<std::uint32_t> secrets;
};
ACRE_LAYOUT(Level, things, secrets)

struct World {
  acre::Map<acre::String, Level> levels;
  acre::Map<std::uint32_t, Thing*> by_id;
  std::optional<Vec> camera;
  std::variant<std::monostate, std::int32_t, acre::String> menu;
  std::tuple<std::int32_t, acre::String> best = {};
  std::span<Thing> visible;
  Thing* first = nullptr;
  bool is_paused = false;
  double time = 0;
};
ACRE_LAYOUT(World, levels, by_id, camera, menu, best, visible, first, is_paused,
            time)

World* NewWorld(Arena& arena) {
  World* world = arena.New<World>();
  for (const char* name : {"MAP01", "MAP02", "MAP03"}) {
    Level& level = world->levels[name];
    for (std::int32_t i = 0; i < 300; ++i) {
      Thing& thing = level.things.emplace_back();
      thing.health = i;
      if (i % 8 == 0) thing.name = "a name that is longer than a handle has";
    }
    for (Thing& thing : level.things) {
      thing.target = &level.things[static_cast<std::size_t>(thing.health) / 2];
    }
    level.secrets.insert(7);
    level.secrets.insert(9);
  }
  for (std::uint32_t i = 0; i < 20; ++i) world->by_id[i] = arena.New<Thing>();
  world->by_id[3]->name = "Ann";
  world->first = &world->levels["MAP01"].things[5];
  world->visible = std::span(world->levels["MAP02"].things).subspan(10, 3);
  return world;
}

struct Two {
  Arena here_arena;
  Arena there_arena;
  World* here = NewWorld(here_arena);
  World* there = NewWorld(there_arena);
};

/// The text of the report, without its last line.
std::string Told(const DiffReport& report) {
  std::string text = acre::ToText(report);
  text.resize(text.rfind('\n', text.size() - 2) + 1);
  return text;
}

TEST_CASE("Diff: equal worlds, and the example of the header") {
  Two two;
  CHECK(Diff(*two.here, *two.there).equal());
  CHECK(Diff(*two.here, *two.here).equal());
  CHECK(acre::ToText(Diff(*two.here, *two.there)).starts_with("equal: "));
  two.there->levels["MAP03"].things[269].health = 97;
  two.there->levels["MAP03"].things[269].sound = 5;  // transient
  const DiffReport report = Diff(*two.here, *two.there);
  REQUIRE(report.differences.size() == 1);
  CHECK(acre::ToText(report).starts_with(
      "diff_test::World.levels[\"MAP03\"].things[269].health: 269 here, 97 "
      "there\n1 difference in "));
  CHECK(report.differences[0].kind == DiffKind::kValue);
  CHECK(report.differences[0].here_at ==
        &two.here->levels["MAP03"].things[269].health);
  CHECK(report.differences[0].there_at ==
        &two.there->levels["MAP03"].things[269].health);
}

TEST_CASE("Diff: each kind of difference") {
  const auto told = [](auto change) {
    Two two;
    change(*two.there, two.there_arena);
    return Told(Diff(*two.here, *two.there));
  };
  const std::string root = "diff_test::World";
  CHECK(told([](World& w, Arena&) { w.is_paused = true; }) ==
        root + ".is_paused: false here, true there\n");
  CHECK(told([](World& w, Arena&) { w.time = 0.5; }) ==
        root + ".time: 0 here, 0.5 there\n");
  CHECK(told([](World& w, Arena&) { w.by_id[3]->name = "Anne"; }) ==
        root + ".by_id[3].name: \"Ann\" here, \"Anne\" there\n");
  CHECK(told([](World& w, Arena&) { w.by_id[4]->ammo[2] = -3; }) ==
        root + ".by_id[4].ammo[2]: 0 here, -3 there\n");
  CHECK(told([](World& w, Arena&) { w.by_id[4]->pos.y = 2; }) ==
        root + ".by_id[4].pos.y: 0 here, 2 there\n");
  CHECK(told([](World& w, Arena& arena) {
          w.by_id[77] = arena.New<Thing>();
        }) == root + ".by_id: 20 elements here, 21 elements there\n" + root +
                  ".by_id[77]: only there\n");
  CHECK(told([](World& w, Arena&) { w.levels["MAP02"].secrets.erase(9); }) ==
        root +
            ".levels[\"MAP02\"].secrets: 2 elements here, 1 element there\n" +
            root + ".levels[\"MAP02\"].secrets{9}: only here\n");
  CHECK(told([](World& w, Arena&) { w.levels["MAP02"].things.pop_back(); }) ==
        root +
            ".levels[\"MAP02\"].things: 300 elements here, 299 elements "
            "there\n");
  CHECK(told([](World& w, Arena&) { w.camera = Vec{}; }) ==
        root + ".camera: none here, diff_test::Vec there\n");
  CHECK(told([](World& w, Arena&) {
          w.menu = 5;
        }).starts_with(root + ".menu: std::monostate here, int there\n"));
  CHECK(told([](World& w, Arena&) { std::get<0>(w.best) = 9; }) ==
        root + ".best.get<0>(): 0 here, 9 there\n");
  CHECK(told([](World& w, Arena&) { w.visible = w.visible.first(2); }) ==
        root + ".visible: 3 elements here, 2 elements there\n");
  CHECK(told([](World& w, Arena&) { w.first = nullptr; }) ==
        root + ".first: an object here, null there\n");
  CHECK(told([](World& w, Arena&) {
          w.first = &w.levels["MAP01"].things[6];
        }).find(root) == 0);
  CHECK(told([](World& w, Arena&) { w.by_id[5]->target = w.by_id[6]; }) ==
        root + ".by_id[5].target: null here, an object there\n");
}

TEST_CASE("Diff: parts of variants and optionals, when both have them") {
  Two two;
  two.here->camera = Vec{1, 2};
  two.there->camera = Vec{1, 3};
  two.here->menu = acre::String(two.here_arena, "yes");
  two.there->menu = acre::String(two.there_arena, "no");
  const std::string text = Told(Diff(*two.here, *two.there));
  CHECK(text.find(".camera.value().y: 2 here, 3 there\n") != std::string::npos);
  CHECK(text.find(".menu.get<2>(): \"yes\" here, \"no\" there\n") !=
        std::string::npos);
}

TEST_CASE("Diff: pointers by the place to which they lead") {
  Two two;
  two.here->by_id[1]->target = two.here->by_id[2];
  two.there->by_id[1]->target = two.there->by_id[2];
  CHECK(Diff(*two.here, *two.there).equal());
  two.there->by_id[1]->target = two.there->by_id[3];
  const std::string elsewhere = Told(Diff(*two.here, *two.there));
  CHECK(elsewhere.find("diff_test::World.by_id[1].target: "
                       "diff_test::World.by_id[2] here, "
                       "diff_test::World.by_id[3] there\n") == 0);
  // An object that is alike, and another one.
  two.there->by_id[1]->target = two.there->by_id[2];
  two.there->first = acre::DeepCopy(two.there_arena, *two.there->first);
  CHECK_FALSE(Diff(*two.here, *two.there).equal());
  // Sharing: one object here, two there.
  Arena arena;
  auto* shared = arena.New<acre::Vector<Vec*>>();
  shared->push_back(arena.New<Vec>());
  shared->push_back((*shared)[0]);
  auto* apart = arena.New<acre::Vector<Vec*>>();
  apart->push_back(arena.New<Vec>());
  apart->push_back(arena.New<Vec>());
  const DiffReport report = Diff(*shared, *apart);
  REQUIRE(report.differences.size() == 1);
  CHECK(report.differences[0].kind == DiffKind::kPointer);
  CHECK(report.differences[0].path.ends_with("[1]"));
}

struct Odd {
  std::string_view view;
  std::array<std::uint8_t, 64> bytes = {};
  double number = 0;
  std::uint32_t a : 3, b : 5;
  std::int32_t last = 0;
  const int* outside = nullptr;
  acre::Map<Vec*, int> by_vec;
  Vec* vec = nullptr;
};
ACRE_LAYOUT(Odd, view, bytes, number, opaque(bits, 4), last, outside, by_vec,
            vec)

TEST_CASE("Diff: what is told tells the difference") {
  static const int outside = 5;
  Arena arena;
  const auto make = [&] {
    Odd* odd = arena.New<Odd>();
    odd->a = odd->b = 0;
    auto* text = static_cast<char*>(arena.Allocate(4));
    std::memcpy(text, "text", 4);
    odd->view = {text, 4};
    odd->vec = arena.New<Vec>();
    odd->by_vec[odd->vec] = 1;
    return odd;
  };
  const auto told = [&](auto change) {
    Odd* here = make();
    Odd* there = make();
    REQUIRE(Diff(*here, *there).equal());
    change(*there);
    const DiffReport report = Diff(*here, *there);
    CHECK(report.equal() ==
          (acre::Checksum(arena, *here) == acre::Checksum(arena, *there)));
    CHECK(report.differences.size() == 1);
    for (const acre::Difference& d : report.differences) {
      CHECK(d.here != d.there);
    }
    return Told(report);
  };
  CHECK(told([](Odd& odd) { odd.view = "text"; }).find(".view: ") !=
        std::string::npos);
  CHECK(told([](Odd& odd) { odd.bytes[40] = 1; }) ==
        "diff_test::Odd.bytes[40]: 0 here, 1 there\n");
  CHECK(told([](Odd& odd) { odd.b = 3; }).find(".bits: 0x") !=
        std::string::npos);
  CHECK(told([](Odd& odd) { odd.outside = &outside; }) ==
        "diff_test::Odd.outside: null here, what lies outside there\n");
  // One line, though the table has it as a key.
  CHECK(told([](Odd& odd) { odd.vec->x = 2; }) ==
        "diff_test::Odd.vec.x: 0 here, 2 there\n");
}

TEST_CASE("Diff: no more than asked for, all counted") {
  Two two;
  for (Thing& thing : two.there->levels["MAP01"].things) ++thing.health;
  const DiffReport report =
      Diff(*two.here, *two.there, {.max_differences = 10});
  CHECK(report.differences.size() == 10);
  CHECK(report.omitted == 290);
  CHECK(acre::ToText(report).find("300 differences (290 not listed)") !=
        std::string::npos);
  CHECK(Diff(*two.here, *two.there, {.max_differences = 0}).omitted == 300);
}

TEST_CASE("Diff: now and in a frame") {
  Arena arena;
  World* world = NewWorld(arena);
  acre::History history(arena, *world);
  const acre::FrameId frame = history.Capture();
  CHECK(Diff(*world, history, frame).equal());
  world->by_id[3]->name = "Anne";
  world->levels["MAP01"].things[7].sound = 9;  // transient
  arena.Free(world->by_id[5]);
  world->by_id.erase(5);
  CHECK(Told(Diff(*world, history, frame)) ==
        "diff_test::World.by_id: 19 elements here, 20 elements there\n"
        "diff_test::World.by_id[5]: only there\n"
        "diff_test::World.by_id[3].name: \"Anne\" here, \"Ann\" there\n");
  CHECK(world->by_id[3]->name == "Anne");
  history.Restore(frame);
  CHECK(Diff(*world, history, frame).equal());
}

TEST_CASE("Diff: JSON lines") {
  Two two;
  two.there->by_id[3]->name = "An\"ne";
  const std::string text = acre::ToJsonLines(Diff(*two.here, *two.there));
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].starts_with(
      R"({"record":"diff","schema":"acre.diff","version":1,"differences":1)"));
  CHECK(lines[1].find(
            R"("path":"diff_test::World.by_id[3].name","kind":"value")") !=
        std::string::npos);
  CHECK(lines[1].find(R"("there":"\"An\\\"ne\"")") != std::string::npos);
  CHECK(lines[2] == R"({"record":"summary","differences":1,"omitted":0})");
}

struct List {
  std::int64_t value = 0;
  List* next = nullptr;
};
ACRE_LAYOUT(List, value, next)

TEST_CASE("Diff: an HTML page") {
  acre::DiffReport report;
  report.objects = 12;
  report.omitted = 3;
  report.differences.push_back({.path = "World.names[\"</td><script>&\"]",
                                .here = "\"<b>\"",
                                .there = "\"\xff\xc3(\"",
                                .type = "acre::Map<int, int>"});
  const std::string page = acre::ToHtml(report);
  CHECK(page.starts_with("<!doctype html>"));
  CHECK(page.find("<h1>4 differences</h1>") != std::string::npos);
  CHECK(page.find("World.names[\"&lt;/td&gt;&lt;script&gt;&amp;\"]") !=
        std::string::npos);
  CHECK(page.find("\"&lt;b&gt;\"") != std::string::npos);
  CHECK(page.find("Map&lt;int, int&gt;") != std::string::npos);
  // What is no UTF-8 is shown byte by byte.
  CHECK(page.find("\"\\xff\\xc3(\"") != std::string::npos);
  CHECK(acre_test::IsUtf8(page));
  std::size_t rows = 0;
  for (std::size_t at = 0; (at = page.find("<tr><td", at)) != std::string::npos;
       ++at) {
    ++rows;
  }
  CHECK(rows == 1);
  CHECK(acre::ToHtml({}).find("<h1>Equal</h1>") != std::string::npos);
}

TEST_CASE("Diff: long ways are cut short, depth takes no stack") {
  Arena arena;
  List* heads[2] = {};
  for (List*& head : heads) {
    for (std::int64_t i = 0; i < acre_test::Scaled(300'000, 30'000); ++i) {
      head = arena.New<List>(i, head);
    }
  }
  CHECK(Diff(*heads[0], *heads[1]).equal());
  List* last = heads[1];
  while (last->next != nullptr) last = last->next;
  last->value = -1;
  const DiffReport report = Diff(*heads[0], *heads[1]);
  REQUIRE(report.differences.size() == 1);
  CHECK(report.differences[0].path.ends_with(".next.value"));
  CHECK(report.differences[0].path.find(" more)...") != std::string::npos);
  CHECK(report.differences[0].path.size() < 1000);
  CHECK(report.differences[0].there == "-1");
}

TEST_CASE("Diff: finds something where checksums differ, and only there") {
  std::mt19937_64 random(17);
  const auto below = [&](std::uint64_t n) { return random() % n; };
  Two two;
  for (int round = 0; round < acre_test::Scaled(400, 60); ++round) {
    const auto change = [&](World& world, Arena& arena, std::uint64_t dice) {
      std::mt19937_64 same(dice);
      const auto pick = [&](std::uint64_t n) { return same() % n; };
      Level& level = world.levels[pick(2) == 0 ? "MAP01" : "MAP03"];
      Thing& thing = level.things[pick(level.things.size())];
      Thing& other = level.things[pick(level.things.size())];
      switch (pick(8)) {
        case 0:
          thing.health = static_cast<std::int32_t>(pick(50));
          return;
        case 1:
          thing.target = pick(3) == 0 ? nullptr : &other;
          return;
        case 2:
          thing.name = std::to_string(pick(20));
          return;
        case 3:
          level.secrets.insert(static_cast<std::uint32_t>(pick(12)));
          return;
        case 4:
          level.secrets.erase(static_cast<std::uint32_t>(pick(12)));
          return;
        case 5: {
          const auto id = static_cast<std::uint32_t>(pick(25));
          if (!world.by_id.contains(id)) world.by_id[id] = arena.New<Thing>();
          return;
        }
        case 6: {
          const auto id = static_cast<std::uint32_t>(pick(25));
          if (world.by_id.contains(id)) world.by_id[id]->target = &other;
          return;
        }
        default:
          world.by_id.erase(static_cast<std::uint32_t>(pick(25)));
      }
    };
    const std::uint64_t dice = random();
    change(*two.here, two.here_arena, dice);
    if (below(6) != 0) {
      change(*two.there, two.there_arena, dice);
    } else {
      change(*two.there, two.there_arena, random());
    }
    const bool is_equal = acre::Checksum(two.here_arena, *two.here) ==
                          acre::Checksum(two.there_arena, *two.there);
    const DiffReport report = Diff(*two.here, *two.there);
    REQUIRE(report.equal() == is_equal);
    if (!is_equal) {
      REQUIRE_FALSE(report.differences.empty());
      // Both again as one.
      two.there_arena.Reset();
      two.there = acre::DeepCopy(two.there_arena, *two.here);
      REQUIRE(Diff(*two.here, *two.there).equal());
    }
  }
}

}  // namespace diff_test
