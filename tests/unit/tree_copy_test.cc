// SPDX-License-Identifier: MIT
//
// Guards deep copy of trees: values in containers in containers, no pointer
// anywhere. They are copied in one pass that remembers nothing.

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

#include "acre/arena.h"
#include "acre/audit.h"
#include "acre/deep_copy.h"
#include "acre/layout.h"
#include "support/scaled.h"
#include "test_sources.h"

namespace tree_copy_test {

using acre::Arena;
using acre::Clone;
using acre::DeepCopy;
using acre::Map;
using acre::Set;
using acre::String;
using acre::TryDeepCopy;
using acre::Vector;

constexpr const char* kLong = "a text that is too long to stay in the handle";

/// A container in every kind of part that there is.
struct Folder {
  String name;
  Vector<Folder> folders;
  Map<String, Vector<int>> files;
  Set<String> tags;
  std::optional<String> owner;
  std::variant<int, Vector<String>, String> note;
  std::tuple<int, String, Vector<int>> tuple;
  std::pair<String, int> pair;
  std::array<String, 3> few;
  String many[20];
  Vector<Vector<Vector<int>>> cube;
};
ACRE_LAYOUT(Folder, name, folders, files, tags, owner, note, tuple, pair, few,
            many, cube)

void Fill(Folder& folder, int depth) {
  const std::string number = std::to_string(depth);
  folder.name = kLong + number;
  folder.files[kLong + number].push_back(depth);
  folder.files["short"].resize(5);
  folder.files["empty"];
  folder.tags.insert(number);
  folder.tags.insert(kLong);
  folder.owner.emplace(kLong);
  if (depth % 3 == 1) folder.note.emplace<1>().emplace_back(kLong);
  if (depth % 3 == 2) folder.note.emplace<2>(kLong);
  std::get<1>(folder.tuple) = kLong;
  std::get<2>(folder.tuple).push_back(depth);
  folder.pair.first = kLong;
  folder.pair.second = depth;
  folder.few[2] = kLong;
  folder.many[19] = kLong;
  folder.cube.resize(2);
  folder.cube[1].resize(2);
  folder.cube[1][1].push_back(depth);
  if (depth == 0) return;
  folder.folders.reserve(7);  // room that is not copied
  for (int i = 0; i < 3; ++i) Fill(folder.folders.emplace_back(), depth - 1);
}

/// Everything is equal, and everything of the copy lies in `arena`.
bool IsCopy(const Arena& arena, const Folder& a, const Folder& b) {
  const auto in_arena = [&](const void* data) { return arena.Owns(data); };
  if (a.name != b.name || !in_arena(b.name.data())) return false;
  if (!in_arena(b.tags.find(kLong)->data())) return false;
  if (a.files != b.files || a.tags != b.tags || a.owner != b.owner ||
      a.note != b.note || a.tuple != b.tuple || a.pair != b.pair ||
      a.few != b.few || a.cube != b.cube || a.many[19] != b.many[19]) {
    return false;
  }
  if (!in_arena(b.owner->data()) || !in_arena(b.few[2].data()) ||
      !in_arena(b.many[19].data()) || !in_arena(b.cube[1][1].data()) ||
      !in_arena(std::get<1>(b.tuple).data()) ||
      !in_arena(b.files.at("short").data())) {
    return false;
  }
  if (b.many[0].arena() != &arena || b.files.at("empty").arena() != &arena) {
    return false;
  }
  if (a.folders.size() != b.folders.size()) return false;
  for (std::size_t i = 0; i < a.folders.size(); ++i) {
    if (!IsCopy(arena, a.folders[i], b.folders[i])) return false;
  }
  return true;
}

struct Nested {
  std::int64_t depth = 0;
  Vector<Nested> inner;
};
ACRE_LAYOUT(Nested, depth, inner)

struct Linked {
  Linked* next = nullptr;
  Vector<String> texts;
};
ACRE_LAYOUT(Linked, next, texts)

TEST_CASE("DeepCopy of trees: containers in every kind of part") {
  Arena from;
  Arena to;
  Folder* folder = from.New<Folder>();
  Fill(*folder, 4);
  Folder* copy = DeepCopy(to, *folder);
  CHECK(IsCopy(to, *folder, *copy));
  CHECK(acre::Audit(to, *copy).clean());
  copy->folders[0].name += "!";
  copy->folders.emplace_back();
  CHECK_FALSE(IsCopy(to, *folder, *copy));
  CHECK(folder->folders.size() == 3);
  to.Free(copy);
  CHECK(to.stats().live() == 0);
}

TEST_CASE("DeepCopy of trees: into the arena of the source") {
  Arena arena;
  Folder* folder = arena.New<Folder>();
  Fill(*folder, 3);
  const std::size_t live = arena.stats().live();
  Folder* copy = DeepCopy(arena, *folder);
  CHECK(IsCopy(arena, *folder, *copy));
  CHECK(copy->name.data() != folder->name.data());
  arena.Free(copy);
  CHECK(arena.stats().live() == live);
  CHECK(IsCopy(arena, *folder, *folder));
}

TEST_CASE("DeepCopy of trees: a container alone, and a value without any") {
  Arena from;
  Arena to;
  const String text(from, kLong);
  const String* copy = DeepCopy(to, text);
  CHECK(*copy == kLong);
  CHECK(to.Owns(copy->data()));
  const Vector<int> none(from);
  CHECK(DeepCopy(to, none)->arena() == &to);
  CHECK(*DeepCopy(to, std::pair<int, double>(3, 4.5)) == std::pair(3, 4.5));
}

TEST_CASE("DeepCopy of trees: containers nested deeper than the stack") {
  Arena from;
  Arena to;
  Nested* top = from.New<Nested>();
  Nested* at = top;
  constexpr int kDepth = acre_test::Scaled(300'000, 60'000);
  for (int i = 1; i <= kDepth; ++i) {
    at->inner.resize(1);
    at = &at->inner[0];
    at->depth = i;
  }
  const Nested* copy = DeepCopy(to, *top);
  std::int64_t depth = 0;
  while (!copy->inner.empty()) {
    copy = &copy->inner[0];
    if (copy->depth != ++depth) break;
  }
  CHECK(depth == kDepth);

  Arena small({.source = &acre::MallocSource::Instance(),
               .byte_limit = std::size_t{1} << 20});
  CHECK(TryDeepCopy(small, *top) == nullptr);
  CHECK(small.stats().live() == 0);
}

TEST_CASE("DeepCopy of trees: a limit at every size leaves nothing behind") {
  Arena from;
  Folder* folder = from.New<Folder>();
  Fill(*folder, 2);
  int failures = 0;
  for (std::size_t limit = 256;; limit += 256) {
    REQUIRE(limit < (std::size_t{1} << 20));
    Arena to({.source = &acre::MallocSource::Instance(),
              .first_chunk = 256,
              .byte_limit = limit});
    if (const Folder* copy = TryDeepCopy(to, *folder)) {
      CHECK(IsCopy(to, *folder, *copy));
      break;
    }
    ++failures;
    REQUIRE(to.stats().live() == 0);
    CHECK_THROWS_AS(DeepCopy(to, *folder), std::bad_alloc);
    REQUIRE(to.stats().live() == 0);
  }
  CHECK(failures > 20);
  CHECK(IsCopy(from, *folder, *folder));
}

TEST_CASE("DeepCopy of trees: a source that fails at each chunk") {
  Arena from;
  Folder* folder = from.New<Folder>();
  Fill(*folder, 2);
  std::size_t at = 1;
  for (;; ++at) {
    acre_test::CountingSource source;
    source.fail_at = at;
    {
      Arena to({.source = &source, .first_chunk = 512, .max_chunk = 1024});
      const Folder* copy = TryDeepCopy(to, *folder);
      if (source.failures == 0) break;
      CHECK(copy == nullptr);
      CHECK(to.stats().live() == 0);
      CHECK(IsCopy(to, *folder, *DeepCopy(to, *folder)));
    }
    CHECK_FALSE(source.broken);
    CHECK(source.bytes == 0);
  }
  CHECK(at > 10);
}

TEST_CASE("Clone: keeps pointers, in containers nested at any depth") {
  Arena from;
  Arena to;
  Vector<Linked> list(from);
  list.resize(3);
  list[0].next = &list[2];
  list[0].texts.emplace_back(kLong);
  const Vector<Linked> copy = Clone(to, list);
  REQUIRE(copy.size() == 3);
  CHECK(copy[0].next == &list[2]);
  CHECK(copy[0].texts[0] == kLong);
  CHECK(to.Owns(copy[0].texts[0].data()));
  CHECK(copy[2].texts.arena() == &to);
}

}  // namespace tree_copy_test
