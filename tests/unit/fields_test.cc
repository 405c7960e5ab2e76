// SPDX-License-Identifier: MIT
//
// Guards the walks over fields: by type, each field with its name, note and
// place, in the order of the layout; at run time, every kind of type.

#include "acre/fields.h"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "acre/arena.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "support/death.h"

namespace fields_test {

using acre::Field;
using acre::FieldNote;
using acre::Part;

namespace {

struct Item {
  std::int32_t id = 7;
  double weight = 0.5;
};
ACRE_LAYOUT(Item, id, weight)

struct Player {
  acre::String name;
  std::int32_t hp = 100;
  const std::int16_t team = 3;
  float place[3] = {1, 2, 3};
  Item* item = nullptr;
  Player* master = nullptr;
  const char* title = "Sir";
};
ACRE_LAYOUT(Player, name, hp, team, place, owned(item),
            reviewed(master, "the host keeps it"), borrowed(title))

struct Bits {
  std::uint32_t a : 3;
  std::uint32_t b : 29;
  std::uint64_t c;
};
ACRE_LAYOUT(Bits, opaque(bits, 8), c)

struct Nothing {};
ACRE_LAYOUT(Nothing)

struct Vec2 {
  float x = 0, y = 0;
};
}  // namespace
}  // namespace fields_test
ACRE_PLAIN(fields_test::Vec2);
namespace fields_test {
namespace {

struct Named {
  std::int64_t first = 1;
};
ACRE_LAYOUT(Named, first)
struct Counted {
  std::int64_t second = 2;
};
ACRE_LAYOUT(Counted, second)
// Bases of every sort, a member of the type of one, and a base of a base.
struct Middle : Named, Counted {
  std::int64_t third = 3;
};
ACRE_LAYOUT(Middle, base(Named), base(Counted), third)
struct Derived : Middle, Vec2 {
  Named inner{4};
  std::int64_t last = 5;
};
ACRE_LAYOUT(Derived, base(Middle), base(Vec2), inner, last)

class Private {
 public:
  explicit Private(int secret) : secret_(secret) {}
  int secret() const { return secret_; }

 private:
  int secret_;
  ACRE_LAYOUT_INSIDE(Private, secret_)
};

template <class T>
struct Node {
  T value;
  Node* next = nullptr;
};
template <class T>
ACRE_LAYOUT(Node<T>, value, next)

template <class T>
std::string Names() {
  std::string names;
  acre::ForEachFieldOf<T>(
      [&](const Field& field, auto) { names.append(field.name).append(" "); });
  return names;
}

}  // namespace

// ---------------------------------------------------------------- by type

TEST_CASE("fields: every field comes with name, place, note and value") {
  Item item;
  Player player;
  player.item = &item;
  std::vector<std::string> seen;
  const bool is_whole =
      acre::ForEachField(player, [&](const Field& field, auto& value) {
        seen.emplace_back(field.name);
        CHECK(reinterpret_cast<char*>(&player) + field.offset ==
              reinterpret_cast<const char*>(&value));
      });
  CHECK(is_whole);
  CHECK(seen == std::vector<std::string>{"name", "hp", "team", "place", "item",
                                         "master", "title"});
  std::vector<FieldNote> notes;
  acre::ForEachField(player, [&](const Field& field, auto&) {
    notes.push_back(field.note);
    CHECK(
        (field.reason == (field.name == "master" ? "the host keeps it" : "")));
  });
  using enum FieldNote;
  CHECK(notes == std::vector<FieldNote>{kNone, kNone, kNone, kNone, kOwned,
                                        kReviewed, kBorrowed});
}

TEST_CASE(
    "fields: values have the types of the members, const where they are") {
  Player player;
  acre::ForEachField(player, [&](const Field& field, auto& value) {
    using M = std::remove_reference_t<decltype(value)>;
    if (field.name == "hp") CHECK(std::is_same_v<M, std::int32_t>);
    if (field.name == "team") CHECK(std::is_same_v<M, const std::int16_t>);
    if (field.name == "place") CHECK(std::is_same_v<M, float[3]>);
    if (field.name == "item") CHECK(std::is_same_v<M, Item*>);
    if constexpr (std::is_same_v<M, std::int32_t>) value = 42;
  });
  CHECK(player.hp == 42);
  acre::ForEachField(std::as_const(player), [](const Field&, auto& value) {
    CHECK(std::is_const_v<std::remove_reference_t<decltype(value)>>);
  });
}

TEST_CASE("fields: those of bases stand among the struct's own") {
  Derived derived;
  derived.x = 8;
  CHECK(Names<Derived>() == "first second third Vec2 inner last ");
  std::vector<std::int64_t> numbers;
  float x = 0;
  acre::ForEachField(derived, [&](const Field& field, const auto& value) {
    using M = std::remove_cvref_t<decltype(value)>;
    CHECK(reinterpret_cast<const char*>(&derived) + field.offset ==
          reinterpret_cast<const char*>(&value));
    if constexpr (std::is_same_v<M, std::int64_t>) numbers.push_back(value);
    if constexpr (std::is_same_v<M, Vec2>) x = value.x;
    if constexpr (std::is_same_v<M, Named>) numbers.push_back(value.first);
  });
  CHECK(numbers == std::vector<std::int64_t>{1, 2, 3, 4, 5});
  CHECK(x == 8);
}

struct Left : Named {
  int left = 6;
};
ACRE_LAYOUT(Left, base(Named), left)
struct Right : Named {
  int right = 7;
};
ACRE_LAYOUT(Right, base(Named), right)
struct Twice : Left, Right {
  Named own{8};
};
ACRE_LAYOUT(Twice, base(Left), base(Right), own)

TEST_CASE("fields: a base that there is twice, and a member of its type") {
  CHECK(Names<Twice>() == "first left first right own ");
  static_assert(acre::HasFields<const Twice&>);
  static_assert(!acre::HasFields<int>);
  static_assert(!acre::HasFields<Vec2>);
}

namespace {
// References lie there as pointers, whatever they refer to.
struct WithReference {
  Derived& other;
  char& letter;
  int own = 2;
};
ACRE_LAYOUT(WithReference, borrowed(other), borrowed(letter), own)
static_assert(acre::Element<WithReference>);
static_assert(acre::LayoutOf<WithReference>().fields[1].offset == 8);
static_assert(acre::LayoutOf<WithReference>().fields[1].size == 8);
static_assert(acre::LayoutOf<WithReference>().fields[1].align == 8);
}  // namespace

TEST_CASE("fields: references are passed over, by type and at run time") {
  Derived other;
  char letter = 'x';
  const WithReference object{other, letter};
  CHECK(Names<WithReference>() == "own ");
  std::string names;
  acre::ForEachPart(acre::LayoutOf<WithReference>(), &object,
                    [&](const Part& part) { names.append(part.name); });
  CHECK(names == "own");
}

TEST_CASE("fields: holes have no value, an empty struct no fields") {
  CHECK(Names<Bits>() == "c ");
  CHECK(Names<Nothing>().empty());
  Nothing nothing;
  CHECK(acre::ForEachField(nothing, [](const Field&, auto&) { FAIL(""); }));
}

TEST_CASE("fields: private members and class templates") {
  Private object(1);
  acre::ForEachField(object, [](const Field& field, int& value) {
    CHECK(field.name == "secret_");
    value = 9;
  });
  CHECK(object.secret() == 9);
  CHECK(Names<Node<int>>() == "value next ");
}

TEST_CASE("fields: a visitor ends the walk by false") {
  Derived derived;
  int count = 0;
  const auto up_to = [&](int end) {
    count = 0;
    return acre::ForEachField(
        derived, [&](const Field&, auto&) { return ++count < end; });
  };
  for (int end = 1; end <= 6; ++end) {
    CHECK_FALSE(up_to(end));
    CHECK(count == end);
  }
  CHECK(up_to(7));
  CHECK(count == 6);
}

TEST_CASE("fields: names, types and offsets are constants") {
  static_assert(acre::FieldCount<Player>() == 7);
  static_assert(acre::FieldCount<Derived>() == 6);
  static_assert(acre::FieldCount<Nothing>() == 0);
  constexpr std::size_t kBytes = [] {
    std::size_t bytes = 0;
    acre::ForEachFieldOf<Item>(
        [&]<class M>(const Field& field, std::type_identity<M>) {
          bytes += field.name.size() * 100 + sizeof(M);
        });
    return bytes;
  }();
  static_assert(kBytes == 812);
  CHECK(kBytes == 812);
}

// ---------------------------------------------------------------- run time

namespace {

/// What an inspector would show, for every kind of type.
std::string Show(const acre::TypeLayout& type, const void* object,
                 std::string name = {}) {
  const Part whole{{}, 0, type, object, nullptr};
  if (const auto* number = whole.as<std::int32_t>()) {
    return name + std::to_string(*number);
  }
  if (const char* letter = whole.as<char>())
    return name + std::string(1, *letter);
  std::string text = name + "(";
  acre::ForEachPart(type, object, [&](const Part& part) {
    if (text.back() != '(') text += ' ';
    std::string label(part.name);
    if (!label.empty()) label += '=';
    if (part.field != nullptr && part.field->note == FieldNote::kBorrowed) {
      text += label + "borrowed";
    } else {
      text += Show(part.type, part.object, label);
    }
  });
  return text + ")";
}
template <class T>
std::string Show(const T& object) {
  return Show(acre::LayoutOf<T>(), &object);
}

using Int = std::int32_t;
struct Kinds {
  std::array<Int, 2> plain_array{1, 2};
  Int c_array[2] = {3, 4};
  std::pair<Int, Int> pair{5, 6};
  std::tuple<Int, Int> plain_tuple{7, 8};
  std::optional<Int> set = 9;
  std::optional<Int> unset;
  std::variant<char, Int> choice = Int{10};
  Int* to = nullptr;
  Int* null = nullptr;
  std::span<Int> view;
  const char* title = "x";
  acre::String text;
  acre::Vector<Int> list;
  acre::Vector<acre::Vector<Int>> lists;
  acre::Map<Int, Int> map;
  acre::Set<Int> numbers;
  std::array<Int*, 2> pointers{};
  std::tuple<Int*, Int> tuple{};
  std::variant<Int, Int*> choice_of_pointer;
};
ACRE_LAYOUT(Kinds, plain_array, c_array, pair, plain_tuple, set, unset, choice,
            to, null, view, borrowed(title), text, list, lists, map, numbers,
            pointers, tuple, choice_of_pointer)

}  // namespace

TEST_CASE("fields: at run time, the parts of every kind of type") {
  acre::Arena arena;
  auto* kinds = arena.New<Kinds>();
  Int* number = arena.New<Int>(11);
  kinds->to = number;
  kinds->view = std::span(number, 1);
  kinds->text = "ab";
  kinds->list = {12, 13};
  kinds->lists.emplace_back().push_back(14);
  kinds->lists.emplace_back();
  kinds->map[15] = 16;
  kinds->numbers.insert(17);
  kinds->pointers[1] = number;
  kinds->tuple = {number, 18};
  kinds->choice_of_pointer = number;
  CHECK(Show(*kinds) ==
        "(plain_array=(1 2) c_array=(3 4) pair=(first=5 second=6) "
        "plain_tuple=(7 8) set=(9) unset=() choice=(10) to=(11) null=() "
        "view=(11) title=borrowed text=(a b) list=(12 13) lists=((14) ()) "
        "map=((first=15 second=16)) numbers=(17) pointers=(() (11)) "
        "tuple=((11) 18) choice_of_pointer=((11)))");
}

TEST_CASE("fields: a long String, a Map of many, indices") {
  acre::Arena arena;
  acre::String text(arena, std::string(100, 'x'));
  std::size_t count = 0;
  acre::ForEachPart(acre::LayoutOf<acre::String>(), &text,
                    [&](const Part& part) {
                      CHECK(part.index == count++);
                      CHECK(*part.as<char>() == 'x');
                      CHECK(part.as<int>() == nullptr);
                    });
  CHECK(count == 100);
  acre::Map<Int, Int> map(arena);
  for (Int i = 0; i < 1000; ++i) map[i] = -i;
  Int sum = 0;
  const bool is_whole = acre::ForEachPart(
      acre::LayoutOf<acre::Map<Int, Int>>(), &map, [&](const Part& part) {
        const auto* entry = part.as<std::pair<const Int, Int>>();
        REQUIRE(entry != nullptr);
        CHECK(entry->second == -entry->first);
        return ++sum < 700;
      });
  CHECK_FALSE(is_whole);
  CHECK(sum == 700);
}

TEST_CASE("fields: checked builds notice containers whose storage is gone") {
  if (!acre::kChecked) return;
  acre::Arena arena({.name = "level"});
  acre::Map<Int, Int> map(arena);
  acre::Vector<Int> list(arena, {1, 2, 3});
  acre::String text(arena, std::string(40, 'x'));
  map[1] = 2;
  arena.Reset();
  const auto walk = [](const auto& container) {
    using C = std::remove_cvref_t<decltype(container)>;
    acre::ForEachPart(acre::LayoutOf<C>(), &container, [](const Part&) {});
  };
  CHECK_DIES(walk(map), "ForEachPart: the storage of the .*Map.* 'level'");
  CHECK_DIES(walk(list), "ForEachPart: the storage of the .*Vector.* 'level'");
  CHECK_DIES(walk(text), "ForEachPart: the storage of the .*String.* 'level'");
}

TEST_CASE("fields: at run time a base is a field, a hole none") {
  const Derived derived;
  std::string names;
  acre::ForEachPart(acre::LayoutOf<Derived>(), &derived, [&](const Part& part) {
    names.append(part.name).append(" ");
    CHECK(part.field != nullptr);
  });
  CHECK(names == "Middle Vec2 inner last ");
  const Bits bits{};
  names.clear();
  acre::ForEachPart(acre::LayoutOf<Bits>(), &bits, [&](const Part& part) {
    names.append(part.name).append(" ");
  });
  CHECK(names == "c ");
}

}  // namespace fields_test
