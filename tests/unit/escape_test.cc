// SPDX-License-Identifier: MIT
//
// Escape: the copy has the shape of the source, needs no arena, and is
// collected like anything else.

#include "acre/escape.h"

#include <doctest/doctest.h>
#include <gc/gc.h>

#include <cstring>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "acre/arena.h"
#include "acre/deep_copy.h"
#include "acre/gc.h"
#include "acre/gc_ref.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "collecting.h"

namespace escape_test {

using acre_test::ClobberStack;
using acre_test::Collect;

struct Cell {
  std::int64_t value = 0;
  Cell* head = nullptr;
  Cell* tail = nullptr;
};
ACRE_LAYOUT(Cell, value, head, tail)

struct Record {
  acre::String name;
  acre::Vector<int> numbers;
  acre::Map<acre::String, Record*> by_name;
  acre::Map<Record*, int> by_record;
  std::optional<acre::Vector<acre::String>> words;
  int* third = nullptr;  // into numbers
  Record* next = nullptr;
};
ACRE_LAYOUT(Record, name, numbers, by_name, by_record, words, third, next)

/// Scribbles over what the arena had.
void End(acre::Arena& arena) {
  arena.Reset(acre::ResetMode::kClear);
  std::span<std::byte> all = arena.NewArray<std::byte>(100000);
  std::memset(all.data(), 0xAB, all.size());
  Collect(2);
}

TEST_CASE("cells, shared and in cycles") {
  acre::Arena arena({.name = "cells"});
  for (const int count : {1, 2, 10, 31, 32, 33, 200, 10000}) {
    CAPTURE(count);
    Cell* first = arena.New<Cell>();
    Cell* last = first;
    for (int i = 1; i < count; ++i) {
      last->tail = arena.New<Cell>();
      last->tail->value = i;
      last->tail->head = i % 3 == 0 ? first : last;
      last = last->tail;
    }
    last->tail = first;
    Cell* escaped = acre::Escape(first);
    REQUIRE(acre::ArenaOf(escaped) == nullptr);
    CHECK(GC_base(escaped) == escaped);
    End(arena);
    Cell* at = escaped;
    Cell* before = nullptr;
    for (int i = 0; i < count; ++i) {
      REQUIRE(at->value == i);
      REQUIRE(GC_base(at) == at);
      if (i != 0) REQUIRE(at->head == (i % 3 == 0 ? escaped : before));
      before = at;
      at = at->tail;
    }
    CHECK(at == escaped);
    arena.Reset();
  }
}

TEST_CASE("containers of all kinds, which go on to work") {
  acre::Arena arena({.name = "records"});
  Record* first = nullptr;
  for (int i = 0; i < 50; ++i) {
    Record* record = arena.New<Record>();
    record->next = first;
    record->name.assign("a name that is longer than what fits inside ");
    record->name += std::to_string(i);
    for (int k = 0; k < 100; ++k) record->numbers.push_back(i * 100 + k);
    record->third = &record->numbers[2];
    record->words.emplace();
    record->words->emplace_back("short");
    record->words->emplace_back(
        "some word that is longer than a few characters");
    if (first != nullptr) {
      record->by_name[first->name] = first;
      record->by_record[first] = i;
    }
    record->by_name["self"] = record;
    first = record;
  }
  Record* escaped = acre::Escape(first);
  End(arena);
  int i = 49;
  for (Record* at = escaped; at != nullptr; at = at->next, --i) {
    REQUIRE(acre::ArenaOf(at) == nullptr);
    CHECK(at->name.view().ends_with(" " + std::to_string(i)));
    CHECK(at->numbers[99] == i * 100 + 99);
    CHECK(at->third == &at->numbers[2]);
    CHECK((*at->words)[1].view().starts_with("some word"));
    CHECK(at->by_name.at("self") == at);
    if (at->next != nullptr) {
      CHECK(at->by_name.at(at->next->name) == at->next);
      CHECK(at->by_record.at(at->next) == i);
    }
  }
  // They grow, by collected objects.
  for (int k = 0; k < 10000; ++k) escaped->numbers.push_back(k);
  escaped->name += " and a long tail that does not fit where it was before";
  for (int k = 0; k < 1000; ++k) {
    acre::String key(*escaped->name.arena());
    key.assign("key number " + std::to_string(k));
    escaped->by_name[key] = escaped;
  }
  Collect(2);
  CHECK(escaped->numbers[100 + 9999] == 9999);
  CHECK(escaped->by_name.at("key number 999") == escaped);
  CHECK(acre::ArenaOf(escaped->numbers.data()) == nullptr);
  escaped->by_name.erase("key number 1");
  escaped->by_name.clear();
  escaped->numbers.shrink_to_fit();
  escaped->words.reset();
  // And back into an arena.
  Record* back = acre::DeepCopy(arena, *escaped);
  CHECK(back->numbers[100 + 9999] == 9999);
}

TEST_CASE("what lies in no arena is not copied") {
  acre::Arena arena({.name = "inner"});
  auto* outside = static_cast<Cell*>(GC_malloc(sizeof(Cell)));
  outside->value = 7;
  static Cell in_static;
  for (const int count : {3, 300}) {
    Cell* first = nullptr;
    for (int i = 0; i < count; ++i) {
      Cell* cell = arena.New<Cell>();
      cell->head = i % 2 == 0 ? outside : &in_static;
      cell->tail = first;
      first = cell;
    }
    Cell* escaped = acre::Escape(first);
    End(arena);
    int i = count;
    for (Cell* at = escaped; at != nullptr; at = at->tail) {
      --i;
      CHECK(at->head == (i % 2 == 0 ? outside : &in_static));
    }
    CHECK(i == 0);
    arena.Reset();
  }
  CHECK(acre::Escape(outside) == outside);
  CHECK(acre::Escape(static_cast<Cell*>(nullptr)) == nullptr);
}

TEST_CASE("values on the stack; a vector; a text") {
  acre::Arena arena({.name = "values"});
  acre::Vector<acre::String> words(arena);
  for (int i = 0; i < 100; ++i) {
    words.emplace_back("a word of some length, number " + std::to_string(i));
  }
  acre::Vector<acre::String>* escaped = acre::Escape(words);
  acre::String* text = acre::Escape(words[7]);
  Cell cell;
  cell.value = 3;
  cell.tail = &cell;
  Cell* copy = acre::Escape(cell);
  End(arena);
  CHECK((*escaped)[99].view().ends_with("99"));
  CHECK(text->view().ends_with(" 7"));
  CHECK(copy->tail == copy);
  CHECK(copy->value == 3);
}

TEST_CASE("what holds no address is not scanned") {
  acre::Arena arena({.name = "atomic"});
  auto* numbers = arena.New<acre::Vector<std::uintptr_t>>();
  for (int i = 0; i < 1000; ++i) numbers->push_back(0);
  auto* escaped = acre::Escape(numbers);
  static std::uintptr_t links[100];
  std::thread([&] {
    const acre::ThreadRegistration registered;
    for (std::size_t i = 0; i < 100; ++i) {
      void* object = GC_malloc(64);
      (*escaped)[i] = reinterpret_cast<std::uintptr_t>(object);
      links[i] = ~(*escaped)[i];
      GC_general_register_disappearing_link(reinterpret_cast<void**>(&links[i]),
                                            object);
    }
  }).join();
  ClobberStack();
  Collect(2);
  int alive = 0;
  for (std::uintptr_t& link : links) {
    alive += link != 0;
    if (link != 0) {
      GC_unregister_disappearing_link(reinterpret_cast<void**>(&link));
    }
  }
  CHECK(alive <= 3);
}

TEST_CASE("escaped objects are collected one by one") {
  acre::Arena arena({.name = "dropped"});
  constexpr int kCount = 1000;
  static std::uintptr_t links[kCount];
  acre_test::NeedCollector();
  arena.HandOver();
  Cell* volatile held = nullptr;
  std::thread([&] {
    const acre::ThreadRegistration registered;
    Cell* first = nullptr;
    for (int i = 0; i < kCount; ++i) {
      Cell* cell = arena.New<Cell>();
      cell->value = i;
      cell->tail = first;
      first = cell;
    }
    Cell* at = acre::Escape(first);
    for (int i = 0; i < kCount; ++i) {
      links[i] = ~reinterpret_cast<std::uintptr_t>(at);
      GC_general_register_disappearing_link(reinterpret_cast<void**>(&links[i]),
                                            at);
      if (i == kCount / 2) held = at;
      at = at->tail;
    }
    arena.HandOver();
  }).join();
  Collect(2);
  int alive = 0;
  for (const std::uintptr_t link : links) alive += link != 0;
  CHECK(alive >= kCount / 2);
  CHECK(alive <= kCount / 2 + 3);
  CHECK(held->value == kCount / 2 - 1);
  for (std::uintptr_t& link : links) {
    if (link != 0) {
      GC_unregister_disappearing_link(reinterpret_cast<void**>(&link));
    }
  }
}

struct Holder {
  acre::GcRef<Cell> strong;
  acre::GcWeakRef<Cell> weak;
  acre::Vector<acre::GcRef<Cell>> row;
};
ACRE_LAYOUT(Holder, strong, weak, row)

TEST_CASE("references become plain ones") {
  acre::Arena arena({.name = "holders"});
  Holder* holder = arena.New<Holder>();
  auto* cell = static_cast<Cell*>(GC_malloc(sizeof(Cell)));
  cell->value = 5;
  holder->strong = cell;
  holder->weak = cell;
  for (int i = 0; i < 100; ++i) holder->row.push_back(cell);
  Holder* escaped = acre::Escape(holder);
  End(arena);
  CHECK(escaped->strong.get() == cell);
  CHECK(escaped->weak.lock() == cell);
  CHECK(escaped->row[99]->value == 5);
  escaped->strong = nullptr;
  escaped->row.push_back(cell);
  CHECK(escaped->row.size() == 101);
}

struct Header {
  std::uint64_t magic;
  std::size_t bytes;
};

TEST_CASE("objects with the host's own headers") {
  acre::Arena arena({.name = "host"});
  Cell* first = nullptr;
  for (int i = 0; i < 100; ++i) {
    Cell* cell = arena.New<Cell>();
    cell->tail = first;
    first = cell;
  }
  int made = 0;
  acre::HeapAllocator allocator;
  allocator.context = &made;
  allocator.allocate = [](void* context, std::size_t bytes, std::size_t,
                          const acre::TypeLayout* type) -> void* {
    CHECK(type->name == "escape_test::Cell");
    ++*static_cast<int*>(context);
    auto* header = static_cast<Header*>(GC_malloc(sizeof(Header) + bytes));
    *header = {0x600D, bytes};
    return header + 1;
  };
  Cell* escaped = acre::Escape(first, allocator);
  CHECK(made == 100);
  End(arena);
  for (Cell* at = escaped; at != nullptr; at = at->tail) {
    CHECK(reinterpret_cast<Header*>(at)[-1].magic == 0x600D);
  }
  // One that has no more.
  allocator.allocate = [](void* context, std::size_t bytes, std::size_t,
                          const acre::TypeLayout*) -> void* {
    return ++*static_cast<int*>(context) > 150 ? nullptr : GC_malloc(bytes);
  };
  arena.Reset();
  first = nullptr;
  for (int i = 0; i < 100; ++i) {
    Cell* cell = arena.New<Cell>();
    cell->tail = first;
    first = cell;
  }
  CHECK_THROWS_AS(acre::Escape(first, allocator), std::bad_alloc);
}

}  // namespace escape_test
