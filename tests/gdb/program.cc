// SPDX-License-Identifier: MIT
//
// What cases.py prints: objects of every kind, good ones and spoilt ones. gdb
// stops in Stop; all is reached from there by names of statics.

#include <acre/arena.h>
#include <acre/arena_ref.h>
#include <acre/chunk_source.h>
#include <acre/gc.h>
#include <acre/history.h>
#include <acre/layout.h>
#include <acre/map.h>
#include <acre/set.h>
#include <acre/string.h>
#include <acre/vector.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

// ------------------------------------------------------------------- types

struct Node {
  acre::String name;
  acre::Vector<Node*> links;
  std::int32_t value = 0;
};
ACRE_LAYOUT(Node, name, links, value)

struct Plain {
  std::int32_t x = 0;
  char c = 0;
};
ACRE_LAYOUT(Plain, x, c)

struct alignas(32) Wide {
  double parts[4] = {};
};
ACRE_LAYOUT(Wide, parts)

struct Tree {
  acre::Vector<Tree> kids;
};
ACRE_LAYOUT(Tree, kids)

/// clang describes to gdb what an Arena is, though libacre may not.
struct Game {
  acre::Arena arena{{.name = "held"}};
  int level = 3;
};

// Of a version that nothing here knows.
namespace acre::checked_v9 {
struct String {
  char bytes[32] = {};
};
template <class T>
struct Vector {
  T* data = nullptr;
};
}  // namespace acre::checked_v9

// -------------------------------------------------------------- the objects

constexpr unsigned char kSpoilt = 0x5A;

/// A place for an object that is never ended, and may be overwritten.
template <class T>
union Place {
  Place() {}   // NOLINT
  ~Place() {}  // NOLINT

  T& Spoil() {
    std::memset(bytes, kSpoilt, sizeof bytes);
    return value;
  }
  template <class Word>
  T& Overwrite(std::size_t offset, Word word) {
    std::memcpy(bytes + offset, &word, sizeof word);
    return value;
  }

  unsigned char bytes[sizeof(T)];
  T value;
};

using IntVector = acre::Vector<int>;
using NestedVector = acre::Vector<acre::Vector<int>>;
using TextMap = acre::Map<acre::String, IntVector>;
using IntMap = acre::Map<int, double>;
using WideMap = acre::Map<char, Wide>;
using IntSet = acre::Set<int>;
using TextSet = acre::Set<acre::String>;

acre::Arena* g_arena;
acre::Arena* g_bare;
acre::Arena* g_collected;
acre::Arena* g_ended;
acre::Arena* g_spoilt_arena;
Game* g_game;

acre::String g_short("Ann");
acre::String g_none;
acre::String g_full("0123456789abcdefghijklm");
acre::String g_odd(std::string_view("a\0b\"\n", 5));
acre::String* g_long;
acre::String* g_odd_long;

IntVector* g_ints;
IntVector g_unbound;
IntVector* g_many;
NestedVector* g_nested;
acre::Vector<bool>* g_bools;
acre::Vector<Plain>* g_plains;
acre::Vector<acre::String>* g_texts;
acre::Vector<Wide>* g_wides;

TextMap* g_map;
IntMap* g_int_map;
IntMap g_no_map;
WideMap* g_wide_map;
acre::Map<acre::String, Node*>* g_node_map;
IntMap* g_big_map;
IntSet* g_set;
TextSet* g_text_set;

Node* g_node;
Node* g_freed;
Node* g_array;
void* g_raw;
void* g_large;

IntVector* g_stale_vector;
acre::String* g_stale_string;
IntMap* g_stale_map;
IntSet* g_rewound_set;
Node* g_reset_node;
IntVector* g_orphan;
IntVector* g_storage_freed;

IntVector* g_over;
IntVector* g_no_data;
IntVector* g_lost;
IntVector* g_foreign;
IntVector* g_inside;
IntVector* g_no_arena;
IntVector* g_bad_vector;
Tree* g_self;
acre::Vector<Tree>* g_ring;
acre::String* g_bad_tag;
acre::String* g_over_string;
acre::String* g_open_string;
acre::String* g_unended;
acre::String* g_bad_string;
IntMap* g_bad_groups;
IntMap* g_bad_size;
IntMap* g_bad_limit;
IntMap* g_bad_slots;
IntMap* g_bad_map;
IntSet* g_bad_set;
acre::Mark* g_bad_mark;

acre::Mark g_no_mark;
acre::ArenaRef<Node> g_ref;
acre::ArenaRef<Node> g_no_ref;
acre::ArenaRef<Node> g_outer_ref;
acre::ArenaRef<Node> g_stale_ref;
acre::ArenaRef<Node> g_orphan_ref;
acre::WeakArenaRef g_weak;
acre::WeakArenaRef g_no_weak;
acre::WeakArenaRef g_gone_weak;
acre::Mark g_open_mark;
acre::Mark g_inner_mark;
acre::Mark g_closed_mark;
IntVector* g_framed_vector;
IntVector* g_undone_vector;
acre::Mark g_orphan_mark;

acre::checked_v9::String g_future_string;
acre::checked_v9::Vector<int> g_future_vector;

// ------------------------------------------------------- random bytes for all

constexpr int kRandom = 40;
Place<acre::String> g_random_strings[kRandom];
Place<NestedVector> g_random_vectors[kRandom];
Place<TextMap> g_random_maps[kRandom];
Place<TextSet> g_random_sets[kRandom];
Place<acre::Arena> g_random_arenas[kRandom];
Place<acre::Mark> g_random_marks[kRandom];

namespace {

std::uint32_t Random() {
  static std::uint32_t state = 2463534242u;
  state ^= state << 13;
  state ^= state >> 17;
  return state ^= state << 5;
}

/// Every third of noise, the others copies of `source` with a few wrong bytes.
template <class T>
void Scramble(Place<T> (&places)[kRandom], const T& source) {
  for (int i = 0; i < kRandom; ++i) {
    std::memcpy(places[i].bytes, static_cast<const void*>(&source), sizeof(T));
    const std::size_t wrong = i % 3 == 0 ? sizeof(T) : 1 + Random() % 3;
    for (std::size_t n = 0; n < wrong; ++n) {
      const std::size_t at = i % 3 == 0 ? n : Random() % sizeof(T);
      places[i].bytes[at] = static_cast<unsigned char>(Random());
    }
  }
}

// -------------------------------------------------------------- making them

void MakeGood(acre::Arena& arena) {
  g_long = arena.New<acre::String>(
      "a text that is longer than what fits inside the handle");
  g_odd_long = arena.New<acre::String>();
  g_odd_long->resize(30, 'x');
  (*g_odd_long)[3] = '\t';
  (*g_odd_long)[10] = '\0';

  g_ints = arena.New<IntVector>();
  *g_ints = {1, 2, 3};
  g_many = arena.New<IntVector>();
  for (int i = 0; i < 1000; ++i) g_many->push_back(i * i);
  g_nested = arena.New<NestedVector>();
  g_nested->emplace_back();
  g_nested->emplace_back().push_back(7);
  g_bools = arena.New<acre::Vector<bool>>();
  g_bools->push_back(true);
  g_bools->push_back(false);
  g_plains = arena.New<acre::Vector<Plain>>();
  g_plains->push_back({4, 'q'});
  g_texts = arena.New<acre::Vector<acre::String>>();
  g_texts->push_back("one");
  g_texts->push_back("two, which is longer than the handle");
  g_wides = arena.New<acre::Vector<Wide>>();
  g_wides->push_back({{1, 2, 3, 4}});

  g_map = arena.New<TextMap>();
  (*g_map)["a"].push_back(1);
  (*g_map)["b"];
  g_int_map = arena.New<IntMap>();
  (*g_int_map)[5] = 0.5;
  (*g_int_map)[6] = 1.5;
  g_wide_map = arena.New<WideMap>();
  (*g_wide_map)['w'].parts[3] = 9;
  g_big_map = arena.New<IntMap>();
  for (int i = 0; i < 500; ++i) (*g_big_map)[i] = i;
  for (int i = 0; i < 500; i += 2) g_big_map->erase(i);
  g_set = arena.New<IntSet>();
  for (int i = 1; i <= 3; ++i) g_set->insert(10 * i);
  g_text_set = arena.New<TextSet>();
  g_text_set->insert("only");

  g_node = arena.New<Node>();
  g_node->name = "me";
  g_node->links.push_back(g_node);
  g_node_map = arena.New<acre::Map<acre::String, Node*>>();
  (*g_node_map)["self"] = g_node;
  g_array = arena.NewArray<Node>(3).data();
  g_raw = arena.Allocate(100);
  g_large = arena.Allocate(std::size_t{1} << 20);
  g_freed = arena.New<Node>();
  arena.Free(g_freed);

  static Node outside;
  g_ref = acre::RefTo(g_node);
  g_outer_ref = acre::RefTo(&outside);
  g_weak = acre::WeakArenaRef(arena);
}

void MakeStale() {
  static acre::Arena arena({.name = "reset"});
  static_cast<void>(arena.Allocate(4096));  // where the mark will stand
  g_reset_node = arena.New<Node>();
  g_stale_vector = new IntVector(arena, {1, 2});
  g_stale_string = new acre::String(arena, 40, 's');
  g_stale_map = new IntMap(arena);
  (*g_stale_map)[1] = 1;
  g_stale_ref = acre::RefTo(g_reset_node);
  arena.Reset();
  g_closed_mark = arena.Checkpoint();
  g_rewound_set = new IntSet(arena, {1});
  arena.Rewind(g_closed_mark);

  static acre::Arena played({.name = "played"});
  static acre::History history(played);
  g_framed_vector = new IntVector(played, {1, 2, 3});
  const acre::FrameId frame = history.Capture();
  g_undone_vector = new IntVector(played, {4});
  history.Restore(frame);

  static Place<acre::Arena> place;
  g_ended = ::new (static_cast<void*>(place.bytes))
      acre::Arena({.name = "ended", .source = &acre::MallocSource::Instance()});
  g_orphan = new IntVector(*g_ended, {1});
  g_orphan_mark = g_ended->Checkpoint();
  g_orphan_ref = acre::RefTo(g_ended->New<Node>());
  g_gone_weak = acre::WeakArenaRef(*g_ended);
  g_ended->~Arena();
}

template <class T>
T* Copy(const T& source) {
  auto* copy = static_cast<T*>(std::malloc(sizeof(T)));
  std::memcpy(static_cast<void*>(copy), static_cast<const void*>(&source),
              sizeof(T));
  return copy;
}

template <class T, class... Args>
T* Spoilt(T* source, Args... offset_and_word) {
  static Place<T> places[8];
  static int used = 0;
  Place<T>& place = places[used++];
  std::memcpy(place.bytes, static_cast<const void*>(source), sizeof(T));
  return &place.Overwrite(offset_and_word...);
}

template <class T>
T* AllSpoilt() {
  static Place<T> place;
  return &place.Spoil();
}

void MakeSpoilt() {
  // A Vector: data 8 | arena 8 | size 4 | capacity 4 | stamp 8
  g_over = Spoilt(g_ints, 16, std::uint32_t{1000});
  g_no_data = Spoilt(g_ints, 0, std::uint64_t{0});
  g_lost = Spoilt(g_ints, 0, std::uint64_t{0x10});
  g_foreign = Spoilt(g_ints, 8, reinterpret_cast<std::uintptr_t>(g_collected));
  g_inside =
      Spoilt(g_ints, 0, reinterpret_cast<std::uintptr_t>(g_many->data()));
  g_no_arena = Spoilt(g_ints, 8, std::uint64_t{0});
  g_storage_freed = Copy(*g_arena->New<IntVector>(*g_arena, 300, 3));
  IntVector(std::move(*Copy(*g_storage_freed))).Release();
  g_bad_vector = AllSpoilt<IntVector>();

  g_self = g_arena->New<Tree>();
  g_self->kids.emplace_back();
  g_self->kids.emplace_back();
  const auto self = reinterpret_cast<std::uintptr_t>(g_self);
  std::memcpy(static_cast<void*>(g_self), &self, sizeof self);
  g_ring = g_arena->New<acre::Vector<Tree>>();
  Tree& inner = g_ring->emplace_back().kids.emplace_back();
  std::memcpy(static_cast<void*>(&inner), static_cast<void*>(g_ring),
              sizeof inner);

  // A String: arena 8 | data 8 | size 4 | capacity 4 | stamp 7 | 0xFF
  g_bad_tag = Spoilt(g_long, 31, static_cast<unsigned char>(100));
  g_over_string = Spoilt(g_long, 16, std::uint32_t{70000});
  g_open_string = Spoilt(g_long, 16, std::uint32_t{20});
  g_unended = Spoilt(&g_short, 11, 'x');
  g_bad_string = AllSpoilt<acre::String>();

  // A Map: control 8 | slots 8 | mask 4 | shift 4 | size 8 | arena 8 | limit 8
  g_bad_groups = Spoilt(g_int_map, 16, std::uint32_t{1000001});
  g_bad_size = Spoilt(g_int_map, 24, std::uint64_t{1});
  g_bad_limit = Spoilt(g_int_map, 40, std::uint64_t{16});
  g_bad_slots = Spoilt(g_int_map, 8, std::uint64_t{0x10});
  g_bad_map = AllSpoilt<IntMap>();
  g_bad_set = AllSpoilt<IntSet>();
  g_bad_mark = AllSpoilt<acre::Mark>();
  g_spoilt_arena = AllSpoilt<acre::Arena>();

  Scramble(g_random_strings, *g_long);
  Scramble(g_random_vectors, *g_nested);
  Scramble(g_random_maps, *g_map);
  Scramble(g_random_sets, *g_text_set);
  Scramble(g_random_arenas, *g_arena);
  Scramble(g_random_marks, g_open_mark);
}

}  // namespace

__attribute__((noinline)) void Stop() { __asm__ volatile(""); }

int main() {
  static acre::Arena arena({.name = "main"});
  static acre::Arena bare({.name = "bare"});
  static Game game;
  g_game = &game;
  g_arena = &arena;
  g_bare = &bare;
  g_collected = acre::NewCollectedArena({.name = "collected"});
  static_cast<void>(g_collected->New<Plain>());
  MakeGood(arena);
  MakeStale();
  g_open_mark = arena.Checkpoint();
  g_inner_mark = arena.Checkpoint();
  MakeSpoilt();
  Stop();
}
