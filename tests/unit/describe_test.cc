// SPDX-License-Identifier: MIT
//
// Guards the adapter for Boost.Describe: what it describes is an element, with
// its private members and bases, as if registered with ACRE_LAYOUT.

#if __has_include(<boost/describe.hpp>)

#if defined(__GNUC__) && !defined(__clang__)
// g++ 12 at -O3 sees an overflow in fmt's own parser of formats.
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#endif

#include "acre/describe.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "acre/arena.h"
#include "acre/audit.h"
#include "acre/deep_copy.h"
#include "acre/element.h"
#include "acre/format.h"
#include "acre/map.h"
#include "acre/string.h"
#include "acre/vector.h"

namespace describe_test {

using acre::Arena;
using acre::Map;
using acre::String;
using acre::Vector;

constexpr const char* kLong = "a text that is too long to stay in the handle";

struct Player {
  String name;
  Vector<Player*> friends;
  Map<String, int> score;
  Player* target = nullptr;
  std::int32_t hp = 0;
};
BOOST_DESCRIBE_STRUCT(Player, (), (name, friends, score, target, hp))

class Account {
 public:
  Account() = default;
  void set(Player* owner, int balance) {
    owner_ = owner;
    balance_ = balance;
  }
  Player* owner() const { return owner_; }
  int balance() const { return balance_; }
  int limit = 10;

 protected:
  int level_ = 3;

 private:
  Player* owner_ = nullptr;
  int balance_ = 0;
  BOOST_DESCRIBE_CLASS(Account, (), (limit), (level_), (owner_, balance_))
};

struct Monster : Player {
  Player* prey = nullptr;
  Vector<int> teeth;
};
BOOST_DESCRIBE_STRUCT(Monster, (Player), (prey, teeth))

struct Forgets {
  int hp = 0;
  Player* left_out = nullptr;
  Player* last = nullptr;
};
BOOST_DESCRIBE_STRUCT(Forgets, (), (hp, last))

struct HoldsString {
  int hp = 0;
  std::string name;
};
BOOST_DESCRIBE_STRUCT(HoldsString, (), (hp, name))

struct Unordered {
  int a = 1;
  Player* b = nullptr;
  int c = 3;
};
BOOST_DESCRIBE_STRUCT(Unordered, (), (c, a, b))

struct Empty {};
BOOST_DESCRIBE_STRUCT(Empty, (), ())

struct Nobody {
  int hp = 0;
};

/// What ACRE_LAYOUT says comes before what is described.
struct Both {
  Player* kept = nullptr;
};
BOOST_DESCRIBE_STRUCT(Both, (), (kept))
ACRE_LAYOUT(Both, borrowed(kept))

static_assert(acre::Element<Player>);
static_assert(acre::Element<Account>);
static_assert(acre::Element<Monster>);
static_assert(acre::Element<Unordered>);
static_assert(acre::Element<Empty>);
static_assert(acre::Element<Both>);
static_assert(!acre::Element<Forgets>);
static_assert(!acre::Element<HoldsString>);
static_assert(!acre::Element<Nobody>);

TEST_CASE("Describe: the layout holds every member, in the order of offsets") {
  const auto& layout = acre::LayoutOf<Account>();
  REQUIRE(layout.fields.size() == 4);
  CHECK(layout.fields[0].name == "limit");
  CHECK(layout.fields[1].name == "level_");
  CHECK(layout.fields[2].name == "owner_");
  CHECK(layout.fields[3].name == "balance_");
  const auto& unordered = acre::LayoutOf<Unordered>();
  REQUIRE(unordered.fields.size() == 3);
  CHECK(unordered.fields[0].name == "a");
  CHECK(unordered.fields[1].offset == offsetof(Unordered, b));
  CHECK(unordered.fields[2].name == "c");
  const auto& monster = acre::LayoutOf<Monster>();
  REQUIRE(monster.fields.size() == 3);
  CHECK(monster.fields[0].offset == 0);
  CHECK(monster.fields[0].size == sizeof(Player));
}

TEST_CASE("Describe: a member left out and a std member are rejected") {
  CHECK(acre::Validate<Player>().empty());
  CHECK(acre::Validate<Forgets>() ==
        "describe_test::Forgets: ACRE_LAYOUT leaves a field out, or a hole to "
        "declare opaque, after 'hp'");
  CHECK(acre::Validate<HoldsString>() ==
        "describe_test::HoldsString.name: std::string, use acre::String");
  CHECK(acre::Validate<Nobody>() ==
        "describe_test::Nobody: unregistered type, add ACRE_LAYOUT in its "
        "namespace, or ACRE_PLAIN where it is another library's data without "
        "pointers");
}

TEST_CASE("Describe: New binds the containers inside, Free releases them") {
  Arena arena;
  Monster* monster = arena.New<Monster>();
  monster->name = kLong;  // of the base
  monster->teeth.resize(100);
  monster->score["a"] = 1;
  CHECK(monster->name.arena() == &arena);
  CHECK(monster->teeth.arena() == &arena);
  arena.Free(monster);
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("Describe: DeepCopy follows private members and bases") {
  Arena from;
  Player* ann = from.New<Player>();
  ann->name = kLong;
  ann->target = ann;
  ann->friends.push_back(ann);
  Account account;
  account.set(ann, 5);
  Arena to;
  const Account* copy = DeepCopy(to, account);
  REQUIRE(copy->owner() != ann);
  REQUIRE(to.Owns(copy->owner()));
  CHECK(copy->balance() == 5);
  CHECK(copy->owner()->name == kLong);
  CHECK(copy->owner()->target == copy->owner());
  CHECK(copy->owner()->friends[0] == copy->owner());

  Monster* monster = from.New<Monster>();
  monster->target = monster->prey = ann;
  monster->teeth.push_back(8);
  const Monster* twin = DeepCopy(to, *monster);
  REQUIRE(to.Owns(twin->target));
  CHECK(twin->target == twin->prey);
  CHECK(twin->teeth[0] == 8);
  CHECK(acre::Audit(to, *twin).clean());
}

TEST_CASE("Describe: the audit names private members and bases") {
  Arena arena;
  Player local;
  Account* account = arena.New<Account>();
  account->set(&local, 1);
  acre::AuditReport report = acre::Audit(arena, *account);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].path == "describe_test::Account.owner_");
  CHECK(report.findings[0].target == acre::Target::kStack);

  Monster* monster = arena.New<Monster>();
  monster->target = &local;
  report = acre::Audit(arena, *monster);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].path ==
        "describe_test::Monster.describe_test::Player.target");
}

TEST_CASE("Describe: an ACRE_LAYOUT of the type takes precedence") {
  Arena arena;
  Player local;
  Both* both = arena.New<Both>();
  both->kept = &local;
  CHECK(acre::Audit(arena, *both).clean());
  CHECK(DeepCopy(arena, *both)->kept == &local);
}

TEST_CASE("describe: what is described is written as registered structs are") {
  Arena arena;
  Monster* monster = arena.New<Monster>();
  monster->name = "imp";
  monster->teeth.push_back(4);
  CHECK(fmt::format("{}", *monster) ==
        "{name: \"imp\", friends: [], score: {}, target: nullptr, hp: 0, "
        "prey: nullptr, teeth: [4]}");
  CHECK(fmt::format("{}", Account()) ==
        "{limit: 10, level_: 3, owner_: nullptr, balance_: 0}");
  CHECK(fmt::format("{}", Unordered()) == "{a: 1, b: nullptr, c: 3}");
}

#endif  // __has_include(<boost/describe.hpp>)

}  // namespace describe_test
