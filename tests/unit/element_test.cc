// SPDX-License-Identifier: MIT
//
// Guards the element trait: every family of types that may live in an arena
// is accepted, every other is rejected with the path and the fix.

#include "acre/element.h"

#include <doctest/doctest.h>

#include <any>
#include <array>
#include <atomic>
#include <bitset>
#include <chrono>
#include <complex>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <forward_list>
#include <functional>
#include <future>
#include <initializer_list>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <optional>
#include <queue>
#include <set>
#include <shared_mutex>
#include <span>
#include <stack>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "acre/arena.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/vector.h"

namespace element_test {

enum class Colour : std::uint8_t { kRed };
enum Old { kOld };

struct Empty {};  // needs no registration

struct Point {
  int x, y;
};
ACRE_LAYOUT(Point, x, y)

struct Node {  // refers to itself
  Node* next;
  std::span<Node*> others;
  int value;
};
ACRE_LAYOUT(Node, next, others, value)

struct Egg;
struct Hen {  // and these to each other
  Egg* lays;
  int age;
};
struct Egg {
  Hen* mother;
  std::optional<Hen*> hatched;
};
ACRE_LAYOUT(Hen, lays, age)
ACRE_LAYOUT(Egg, mother, hatched)

template <class T>
struct Box {  // one field of any type, for rejections
  T field;
  ACRE_LAYOUT_INSIDE(Box, field)
};

struct Borrows {
  const char* text;
  void* anything;
  void (*callback)(int);
  std::string_view view;
};
ACRE_LAYOUT(Borrows, borrowed(text), borrowed(anything), borrowed(callback),
            borrowed(view))

struct Unregistered {
  int a;
};
struct Destructible {
  ~Destructible() { value = 0; }
  int value;
};
ACRE_LAYOUT(Destructible, value)

struct Virtual {
  virtual int Get() const { return 1; }
  int value;
};
union Either {
  int number;
  float real;
};
struct Incomplete;

struct Deep {
  std::unordered_map<int, int> inventory;
};
ACRE_LAYOUT(Deep, inventory)
struct World {
  int level;
  std::span<Deep> players;
};
ACRE_LAYOUT(World, level, players)
struct Around {
  std::array<std::optional<Deep*>, 2> slots;
};
ACRE_LAYOUT(Around, slots)
struct Cyclic {
  Cyclic* self;
  Unregistered* wrong;
};
ACRE_LAYOUT(Cyclic, self, wrong)
struct TwoWrongs {  // the shortest path is told
  Box<Box<Unregistered>> deep;
  Unregistered* near;
};
ACRE_LAYOUT(TwoWrongs, deep, near)

struct HasReference {
  int& reference;
};

// The advice for a type without a layout depends on what would work.
constexpr const char* kAddLayout =
    "unregistered type, add ACRE_LAYOUT in its namespace, or ACRE_PLAIN where "
    "it is another library's data without pointers";
struct HoldsUnlisted {  // not trivially copyable: no ACRE_PLAIN
  acre::Vector<int> items;
};
class Closed {
 public:
  int value() const { return value_; }

 private:
  int value_ = 0;
};
class ClosedHolder {
 public:
  const acre::Vector<int>& items() const { return items_; }

 private:
  acre::Vector<int> items_;
};
typedef int FourInts __attribute__((vector_size(16)));

#ifdef __SIZEOF_INT128__
__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 Uint128;
struct Huge {
  Int128 sum;
  Uint128 product;
  acre::Vector<Int128> terms;
  acre::Map<int, Uint128*> factors;
  Int128* largest;
};
ACRE_LAYOUT(Huge, sum, product, terms, factors, largest)
#endif

// Values of hosts: pointers that no one can look behind, and structs.
using Scheme = struct SchemeStruct*;
using Lisp = union LispUnion*;
struct Script {
  std::uint64_t bits;
};
struct ScriptObject {
  int kind;
};
ACRE_LAYOUT(Script, bits)
ACRE_LAYOUT(ScriptObject, kind)

}  // namespace element_test

ACRE_HOST_VALUE(element_test::Scheme, "a value of Scheme");
ACRE_HOST_VALUE(element_test::Lisp, "a value of Lisp");
ACRE_HOST_VALUE(element_test::Script, "a value of the script");
ACRE_HOST_VALUE(element_test::ScriptObject*, "an object of the script");

namespace element_test {

struct HoldsHostValues {
  Scheme scheme;
  Script script;
  int number;
};
ACRE_LAYOUT(HoldsHostValues, borrowed(scheme), borrowed(script), number)

template <class T>
std::string Told() {
  return std::string(acre::Validate<T>());
}

/// What is told of a field of that type, without the path.
template <class T>
std::string Reason() {
  const std::string told = Told<Box<T>>();
  const std::size_t at = told.rfind(".field");
  if (at == std::string::npos) return "no path: " + told;
  const std::size_t colon = told.find(": ", at);
  return colon == std::string::npos ? "" : told.substr(colon + 2);
}

template <class... T>
void CheckAllAccepted() {
  const std::string told[] = {Told<T>()...};
  const std::string boxed[] = {Told<Box<T>>()...};
  for (std::size_t i = 0; i < sizeof...(T); ++i) {
    CAPTURE(i);
    CHECK(told[i] == "");
    CHECK(boxed[i] == "");
  }
  CHECK((acre::Element<T> && ...));
}

TEST_CASE("element: numbers, enums and plain std data are accepted") {
  CheckAllAccepted<bool, char, signed char, unsigned char, wchar_t, char8_t,
                   char16_t, char32_t, short, int, unsigned, long,
                   unsigned long long, float, double, long double, std::byte,
                   std::nullptr_t, Colour, Old, std::size_t, Empty>();
  CheckAllAccepted<std::complex<double>, std::chrono::seconds,
                   std::chrono::nanoseconds,
                   std::chrono::system_clock::time_point,
                   std::chrono::steady_clock::time_point, std::bitset<1>,
                   std::bitset<200>, std::monostate>();
}

TEST_CASE("element: pointers, views and arrays of elements are accepted") {
  CheckAllAccepted<int*, const int*, Point*, Point**, const Point* const*,
                   std::span<int>, std::span<const Point>, std::span<int, 4>,
                   std::string_view, int[3], Point[2][3], std::array<int, 3>,
                   std::array<Point*, 2>, std::array<int, 0>, unsigned char*,
                   std::byte*, int Point::*>();
}

TEST_CASE("element: optional, pair, tuple and variant are accepted") {
  CheckAllAccepted<
      std::optional<int>, std::optional<Point>, std::optional<Point*>,
      std::pair<int, Point>, std::pair<Point*, double>, std::tuple<>,
      std::tuple<int>, std::tuple<int, Point*, std::span<int>>,
      std::variant<int, double>, std::variant<std::monostate, Point, Point*>,
      std::optional<std::variant<int, std::pair<int, Point*>>>>();
}

TEST_CASE("element: registered structs are accepted, recursive ones too") {
  CheckAllAccepted<Point, Node, Hen, Egg, Borrows, Box<Box<Node*>>>();
}

TEST_CASE("element: const changes nothing") {
  CHECK(acre::Element<const Point>);
  CHECK(acre::Element<const int>);
  CHECK_FALSE(acre::Element<const std::string>);
}

TEST_CASE("element: std containers are rejected by name, with the remedy") {
  CHECK(Reason<std::vector<int>>() == "std::vector, use acre::Vector");
  CHECK(Reason<std::vector<bool>>() == "std::vector, use acre::Vector");
  CHECK(Reason<std::deque<int>>() == "std::deque, use acre::Vector");
  CHECK(Reason<std::list<int>>() ==
        "std::list, use acre::Vector or pointers made by New");
  CHECK(Reason<std::forward_list<int>>() ==
        "std::forward_list, use pointers made by New");
  CHECK(Reason<std::string>() == "std::string, use acre::String");
  CHECK(Reason<std::wstring>() == "std::string, use acre::String");
  CHECK(Reason<std::u8string>() == "std::string, use acre::String");
  CHECK(Reason<std::u16string>() == "std::string, use acre::String");
  CHECK(Reason<std::pmr::string>() == "std::string, use acre::String");
  CHECK(Reason<std::pmr::u32string>() == "std::string, use acre::String");
  CHECK(Reason<std::pmr::vector<int>>() == "std::vector, use acre::Vector");
  CHECK(Reason<std::map<int, int>>() == "std::map, use acre::Map");
  CHECK(Reason<std::multimap<int, int>>() ==
        "std::multimap, use acre::Map of acre::Vector");
  CHECK(Reason<std::unordered_map<int, int>>() ==
        "std::unordered_map, use acre::Map");
  CHECK(Reason<std::unordered_multimap<int, int>>() ==
        "std::unordered_multimap, use acre::Map of acre::Vector");
  CHECK(Reason<std::set<int>>() == "std::set, use acre::Set");
  CHECK(Reason<std::multiset<int>>() ==
        "std::multiset, use acre::Map to a count");
  CHECK(Reason<std::unordered_set<int>>() ==
        "std::unordered_set, use acre::Set");
  CHECK(Reason<std::unordered_multiset<int>>() ==
        "std::unordered_multiset, use acre::Map to a count");
  CHECK(Reason<std::queue<int>>() == "std::queue, use acre::Vector");
  CHECK(Reason<std::priority_queue<int>>() ==
        "std::priority_queue, use acre::Vector");
  CHECK(Reason<std::stack<int>>() == "std::stack, use acre::Vector");
}

TEST_CASE("element: smart pointers and callables are rejected") {
  CHECK(Reason<std::unique_ptr<int>>() ==
        "std::unique_ptr, use a plain pointer made by New");
  CHECK(Reason<std::shared_ptr<int>>() ==
        "std::shared_ptr, use a plain pointer made by New");
  CHECK(Reason<std::weak_ptr<int>>() ==
        "std::weak_ptr, use a plain pointer made by New");
  CHECK(Reason<std::function<void()>>() ==
        "std::function, use an index or an enum");
  CHECK(Reason<std::any>() == "std::any, use std::variant");
  CHECK(Reason<std::reference_wrapper<int>>() ==
        "std::reference_wrapper, use a pointer");
  CHECK(Reason<void (*)(int)>() ==
        "function pointer, use an enum or declare it borrowed");
  CHECK(Reason<int (Point::*)() const>() ==
        "function pointer, use an enum or declare it borrowed");
}

TEST_CASE("element: locks, atomics and threads are rejected") {
  CHECK(Reason<std::mutex>() == "std::mutex, keep locks outside the arena");
  CHECK(Reason<std::timed_mutex>() ==
        "std::timed_mutex, keep locks outside the arena");
  CHECK(Reason<std::recursive_mutex>() ==
        "std::recursive_mutex, keep locks outside the arena");
  CHECK(Reason<std::shared_mutex>() ==
        "std::shared_mutex, keep locks outside the arena");
  CHECK(Reason<std::condition_variable>() ==
        "std::condition_variable, keep it outside the arena");
  CHECK(Reason<std::atomic<int>>() ==
        "std::atomic, an arena serves one thread at a time");
  CHECK(Reason<std::thread>() == "std::thread, keep threads outside the arena");
  CHECK(Reason<std::jthread>() ==
        "std::jthread, keep threads outside the arena");
  CHECK(Reason<std::future<int>>() == "std::future, keep it outside the arena");
  CHECK(Reason<std::promise<int>>() ==
        "std::promise, keep it outside the arena");
}

TEST_CASE("element: the other locks of std are named as locks") {
  CHECK(Reason<std::recursive_timed_mutex>().find("locks outside") !=
        std::string::npos);
  CHECK(Reason<std::shared_timed_mutex>().find("locks outside") !=
        std::string::npos);
}

TEST_CASE("element: borrowed texts of other widths and lists are rejected") {
  CHECK(Reason<std::wstring_view>() == "a wide string_view, use std::span");
  CHECK(Reason<std::u8string_view>() == "a wide string_view, use std::span");
  CHECK(Reason<std::u16string_view>() == "a wide string_view, use std::span");
  CHECK(Reason<std::initializer_list<int>>() ==
        "std::initializer_list, use acre::Vector");
}

TEST_CASE(
    "element: pointers without a type, and text by pointer, are rejected") {
  CHECK(Reason<void*>() == "void*, give it a type or declare it borrowed");
  CHECK(Reason<const void*>() ==
        "void*, give it a type or declare it borrowed");
  CHECK(Reason<char*>() ==
        "char*, use acre::String or a borrowed std::string_view");
  CHECK(Reason<const char*>() ==
        "char*, use acre::String or a borrowed std::string_view");
}

TEST_CASE("element: unregistered, polymorphic, union, incomplete, volatile") {
  CHECK(Reason<Unregistered>() == kAddLayout);
  CHECK(Reason<Virtual>() == "polymorphic type, use an enum or std::variant");
  CHECK(Reason<Either>() == "union, use std::variant");
  CHECK(Told<Box<Incomplete*>>().find("incomplete type, define it before") !=
        std::string::npos);
  CHECK(Reason<volatile int>() ==
        "volatile, keep device memory outside the arena");
}

TEST_CASE("element: the advice for an unregistered type is one that works") {
  CHECK(Reason<HoldsUnlisted>() ==
        "unregistered type, add ACRE_LAYOUT in its namespace");
  CHECK(Reason<Closed>() ==
        "unregistered type, add ACRE_LAYOUT_INSIDE in the class, ACRE_LAYOUT "
        "behind it where all its members are public, or ACRE_PLAIN where it is "
        "another library's data without pointers");
  CHECK(Reason<ClosedHolder>() ==
        "unregistered type, add ACRE_LAYOUT_INSIDE in the class, or "
        "ACRE_LAYOUT behind it where all its members are public");
  CHECK(Reason<FourInts>() ==
        "unknown type, declare it ACRE_PLAIN where it holds no pointer");
}

#ifdef __SIZEOF_INT128__
TEST_CASE("element: numbers of 128 bits are numbers, in strict modes too") {
  CheckAllAccepted<Int128, Uint128, Huge, std::pair<Int128, int>,
                   std::array<Uint128, 2>, std::optional<Int128>>();
  CHECK_FALSE(acre::Element<volatile Int128>);
  CHECK(acre::Element<const Uint128*>);
}
#endif

TEST_CASE("element: a value of a host is told in the host's words") {
  CHECK(Reason<Scheme>() == "a value of Scheme");
  CHECK(Reason<Lisp>() == "a value of Lisp");
  CHECK(Reason<Script>() == "a value of the script");
  CHECK(Reason<ScriptObject*>() == "an object of the script");
  CHECK(Reason<const Scheme>() == "a value of Scheme");
  CHECK(Reason<acre::Vector<Lisp>>() == "a value of Lisp");
  CHECK(acre::Element<ScriptObject>);
  CHECK(acre::Element<HoldsHostValues>);
}

/// Asks for T in every place.
template <class T>
constexpr bool kIsNowhere =
    !acre::Element<T> && !acre::Element<const T> && !acre::Element<T[2]> &&
    !acre::Element<T*> && !acre::Element<acre::Vector<T>> &&
    !acre::Element<acre::Vector<T>*> && !acre::Element<acre::Map<int, T>> &&
    !acre::Element<acre::Map<int, acre::Vector<T>>> &&
    !acre::Element<std::pair<int, T>> && !acre::Element<std::pair<T*, int>> &&
    !acre::Element<std::array<T, 2>> && !acre::Element<std::span<T>> &&
    !acre::Element<std::optional<T>> && !acre::Element<std::tuple<int, T>> &&
    !acre::Element<std::variant<int, T>>;

TEST_CASE("element: asking is never an error, wherever the offence is") {
  CHECK(kIsNowhere<std::string>);
  CHECK(kIsNowhere<std::unique_ptr<int>>);
  CHECK(kIsNowhere<volatile int>);
  CHECK(kIsNowhere<volatile Point>);
  CHECK(kIsNowhere<void*>);
  CHECK(kIsNowhere<Unregistered>);
  CHECK(kIsNowhere<Destructible>);
  CHECK_FALSE(acre::Element<acre::Map<std::string, int>>);
  CHECK_FALSE(acre::Element<acre::Set<std::string>>);
  CHECK_FALSE(acre::Element<acre::Set<void*>>);
  CHECK(acre::Validate<volatile int>() ==
        "volatile int: volatile, keep device memory outside the arena");
  CHECK(acre::Element<const int>);
  CHECK(acre::Validate<const Point>().empty());
  // A key without a hash is told where one is needed.
  CHECK(acre::Element<acre::Map<Point, int>>);
}

TEST_CASE("element: references are rejected") {
  CHECK(Told<int&>().find("&: reference, use a pointer") != std::string::npos);
}

TEST_CASE("element: a destructor is rejected, the cause first") {
  CHECK(Told<Destructible>() ==
        "element_test::Destructible: has a destructor, Reset would not run "
        "it");
  // The struct has one too, but only because of the string.
  CHECK(Reason<std::string>() == "std::string, use acre::String");
}

TEST_CASE("element: the path leads to the offence") {
  CHECK(Told<World>() ==
        "element_test::World.players[].inventory: std::unordered_map, use "
        "acre::Map");
  CHECK(Told<Around>() ==
        "element_test::Around.slots[].value().inventory: std::unordered_map, "
        "use acre::Map");
  CHECK(Told<Cyclic>() ==
        "element_test::Cyclic.wrong: " + std::string(kAddLayout));
  CHECK(Told<std::pair<int, Deep*>>().find(".second.inventory") !=
        std::string::npos);
  CHECK(Told<std::tuple<int, Deep>>().find("<item>.inventory") !=
        std::string::npos);
  CHECK(Told<std::variant<int, Deep>>().find("<alternative>.inventory") !=
        std::string::npos);
}

TEST_CASE("element: the shortest path is told") {
  CHECK(Told<TwoWrongs>() ==
        "element_test::TwoWrongs.near: " + std::string(kAddLayout));
}

TEST_CASE("element: offences hide nowhere") {
  CHECK(kIsNowhere<Scheme>);
  CHECK(kIsNowhere<Script>);
  CHECK(kIsNowhere<ScriptObject*>);
  CHECK_FALSE(acre::Element<std::string*>);
  CHECK_FALSE(acre::Element<std::span<std::string>>);
  CHECK_FALSE(acre::Element<std::optional<std::string>>);
  CHECK_FALSE(acre::Element<std::array<std::string, 2>>);
  CHECK_FALSE(acre::Element<std::string[2]>);
  CHECK_FALSE(acre::Element<std::pair<int, std::string>>);
  CHECK_FALSE(acre::Element<std::tuple<int, std::string>>);
  CHECK_FALSE(acre::Element<std::variant<int, std::string>>);
  CHECK_FALSE(acre::Element<Unregistered**>);
  CHECK_FALSE(acre::Element<Box<Box<Unregistered*>>>);
}

}  // namespace element_test
