/* SPDX-License-Identifier: MIT
 *
 * All of <acre/acre.h> as a C program uses it. Prints a line for each case that
 * fails, then "N passed, N failed".
 */

#include <acre/acre.h>
#include <gc/gc.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int passed = 0;
static int failed = 0;
static int failures_here = 0;

static void Check(bool condition, const char* text, int line) {
  if (condition) return;
  ++failures_here;
  printf("  line %d: %s is wrong; acre_error() is \"%s\"\n", line, text,
         acre_error());
}
#define CHECK(condition) Check((condition), #condition, __LINE__)
#define CHECK_OK(call) CHECK((call) == ACRE_OK)
/* The status, and a part of the sentence. */
#define CHECK_FAILS(status, part, call)          \
  do {                                           \
    CHECK((call) == (status));                   \
    CHECK(strstr(acre_error(), (part)) != NULL); \
  } while (0)

static void Run(const char* name, void (*test)(void)) {
  failures_here = 0;
  test();
  if (failures_here == 0) {
    ++passed;
  } else {
    ++failed;
    printf("FAILED %s\n", name);
  }
}

/* ---------------------------------------------------------------- helpers */

static acre_value Text(const char* text) {
  return acre_text(text, strlen(text));
}

static acre_arena* NewArena(const char* name, uint32_t flags) {
  acre_arena_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  options.name = name;
  options.flags = flags;
  acre_arena* arena = acre_arena_new(&options);
  CHECK(arena != NULL);
  return arena;
}

static int Set(const acre_ref* map, acre_value key, acre_value value) {
  return acre_map_set(map, &key, &value);
}

static acre_value Get(const acre_ref* map, acre_value key) {
  acre_value value = acre_null();
  CHECK_OK(acre_map_get(map, &key, &value));
  return value;
}

static int Find(const acre_ref* map, acre_value key) {
  return acre_map_get(map, &key, NULL);
}

static bool IsText(acre_value value, const char* text) {
  return value.kind == ACRE_TEXT && value.as.text.size == strlen(text) &&
         memcmp(value.as.text.data, text, value.as.text.size) == 0;
}

static size_t SizeOf(const acre_ref* map) {
  size_t size = 0;
  CHECK_OK(acre_map_size(map, &size));
  return size;
}

struct Written {
  char text[65536];
  size_t size;
};
static void Write(void* data, const char* text, size_t size) {
  struct Written* written = data;
  if (written->size + size < sizeof written->text) {
    memcpy(written->text + written->size, text, size);
    written->size += size;
  }
  written->text[written->size] = '\0';
}

/* ------------------------------------------------------------------ cases */

static void TestLibrary(void) {
  CHECK(acre_c_abi() == ACRE_C_ABI);
  CHECK(strcmp(acre_library_version(), "") != 0);
  CHECK(acre_is_checked() == (CHECKED != 0));
  CHECK(sizeof(acre_ref) == 24 && sizeof(acre_value) == 32);
  CHECK(sizeof(acre_mark) == 24 && sizeof(acre_cursor) == 64);
  CHECK(strcmp(acre_status_name(ACRE_STALE), "stale") == 0);
  CHECK(strcmp(acre_status_name(99), "unknown") == 0);
  CHECK(strcmp(acre_kind_name(ACRE_BUILDER), "builder") == 0);
  CHECK(strcmp(acre_kind_name(12), "unknown") == 0);
}

static void TestArenas(void) {
  acre_arena* arena = acre_arena_new(NULL);
  CHECK(strcmp(acre_arena_name(arena), "arena") == 0);
  CHECK_OK(acre_arena_end(arena));

  char name[200];
  memset(name, 'n', sizeof name);
  name[199] = '\0';
  arena = NewArena(name, 0);
  CHECK(strlen(acre_arena_name(arena)) == 63);
  acre_stats stats;
  stats.size = sizeof stats;
  CHECK_OK(acre_arena_stats(arena, &stats));
  CHECK(stats.live == 0 && stats.resets == 0);
  void* block = NULL;
  CHECK_OK(acre_arena_allocate(arena, 1000, &block));
  memset(block, 1, 1000);
  CHECK_OK(acre_arena_stats(arena, &stats));
  CHECK(stats.live >= 1000 && stats.reserved >= stats.live);
  CHECK(stats.chunks == 1);
  CHECK_OK(acre_arena_free(arena, block, 1000));
  CHECK_OK(acre_arena_stats(arena, &stats));
  CHECK(stats.live == 0);
  CHECK_FAILS(ACRE_MISUSE, "does not own",
              acre_arena_free(arena, name, sizeof name));
  CHECK_OK(acre_arena_reset(arena, ACRE_RELEASE_CHUNKS));
  CHECK_OK(acre_arena_stats(arena, &stats));
  CHECK(stats.reserved == 0 && stats.resets == 1);
  /* An older program knows less of it. */
  memset(&stats, 0xFF, sizeof stats);
  stats.size = offsetof(acre_stats, live);
  CHECK_OK(acre_arena_stats(arena, &stats));
  CHECK(stats.reserved == 0 && stats.live == SIZE_MAX);
  CHECK_FAILS(ACRE_MISUSE, "no mode", acre_arena_reset(arena, 1));
  CHECK_OK(acre_arena_end(arena));

  acre_arena_options odd;
  memset(&odd, 0, sizeof odd);
  CHECK(acre_arena_new(&odd) == NULL);
  CHECK(strstr(acre_error(), "size") != NULL);
  odd.size = sizeof odd;
  odd.flags = 64;
  CHECK(acre_arena_new(&odd) == NULL);
  CHECK(strstr(acre_error(), "flags") != NULL);
  CHECK_FAILS(ACRE_MISUSE, "null", acre_arena_reset(NULL, ACRE_KEEP_CHUNKS));
  CHECK_FAILS(ACRE_MISUSE, "null", acre_arena_stats(arena, NULL));
}

static void TestKinds(void) {
  acre_arena* arena = NewArena("kinds", 0);
  acre_ref map, inner, list, builder;
  CHECK_OK(acre_map_new(arena, &map));
  CHECK_OK(acre_map_new(arena, &inner));
  CHECK_OK(acre_vector_new(arena, &list));
  CHECK_OK(acre_builder_new(arena, &builder));
  const acre_value values[] = {
      acre_null(),
      acre_bool(false),
      acre_bool(true),
      acre_int(0),
      acre_int(INT64_MIN),
      acre_int(INT64_MAX),
      acre_double(0.0),
      acre_double(-0.0),
      acre_double(1.5),
      acre_double(INFINITY),
      acre_double(NAN),
      acre_double(5e-324),
      acre_char(0),
      acre_char(0x10FFFF),
      acre_text("", 0),
      acre_text(NULL, 0),
      acre_text("a\0b", 3),
      Text("more than what fits into a handle of a string, surely"),
      acre_symbol("a", 1),
      acre_symbol("", 0),
      acre_bytes("\xFF\0\x80", 3),
      acre_bytes(NULL, 0),
      acre_shared(ACRE_MAP, inner),
      acre_shared(ACRE_MAP, map),
      acre_shared(ACRE_VECTOR, list),
      acre_shared(ACRE_BUILDER, builder)};
  const size_t count = sizeof values / sizeof values[0];
  /* Each as a key, with its number, and as a value of that number. */
  for (size_t i = 0; i < count; ++i) {
    CHECK_OK(Set(&map, values[i], acre_int((int64_t)i)));
    CHECK_OK(acre_vector_push(&list, &values[i]));
  }
  CHECK(SizeOf(&map) == count - 1); /* the empty texts are one */
  for (size_t i = 0; i < count; ++i) {
    const int64_t number = Get(&map, values[i]).as.integer;
    CHECK(number == (int64_t)(i == 14 ? 15 : i));
    acre_value found;
    CHECK_OK(acre_vector_get(&list, i, &found));
    CHECK(found.kind == values[i].kind);
    if (found.kind >= ACRE_TEXT && found.kind <= ACRE_BYTES) {
      CHECK(found.as.text.size == values[i].as.text.size);
      CHECK(found.as.text.size == 0 ||
            memcmp(found.as.text.data, values[i].as.text.data,
                   found.as.text.size) == 0);
    }
    if (found.kind >= ACRE_MAP) {
      CHECK(found.as.ref.pointer == values[i].as.ref.pointer);
      CHECK(acre_ref_is_live(&found.as.ref));
    }
  }
  /* The other way round: each kind replaces each. */
  for (size_t i = 0; i < count; ++i) {
    for (size_t k = 0; k < count; ++k) {
      CHECK_OK(Set(&inner, acre_int(1), values[i]));
      CHECK_OK(Set(&inner, acre_int(1), values[k]));
      CHECK(Get(&inner, acre_int(1)).kind == values[k].kind);
      CHECK_OK(acre_vector_set(&list, i, &values[k]));
    }
    CHECK_OK(acre_vector_set(&list, i, &values[i]));
  }
  acre_value missing = acre_double(2);
  CHECK(acre_map_get(&map, &missing, NULL) == ACRE_ABSENT);
  /* Not the same: 1 and 1.0, text and symbol. */
  CHECK_OK(Set(&inner, acre_int(1), Text("integer")));
  CHECK_OK(Set(&inner, acre_double(1), Text("double")));
  CHECK(IsText(Get(&inner, acre_int(1)), "integer"));
  CHECK(IsText(Get(&inner, acre_double(1)), "double"));
  missing = acre_double(-NAN);
  CHECK(acre_map_get(&map, &missing, NULL) == ACRE_OK);
  missing.kind = 12;
  CHECK_FAILS(ACRE_WRONG_KIND, "no kind", acre_map_get(&map, &missing, NULL));
  missing = acre_text(NULL, 3);
  CHECK_FAILS(ACRE_MISUSE, "null pointer", acre_map_get(&map, &missing, NULL));
  CHECK_OK(acre_arena_end(arena));
}

static void TestMaps(void) {
  acre_arena* arena = NewArena("maps", 0);
  acre_ref map;
  CHECK_OK(acre_map_new(arena, &map));
  CHECK_OK(acre_map_reserve(&map, 1000));
  char key[64];
  enum { kCount = 20000 };
  for (int i = 0; i < kCount; ++i) {
    const int size = snprintf(key, sizeof key,
                              i % 3 == 0 ? "%d" : "a rather long key %d", i);
    CHECK_OK(Set(&map, acre_text(key, (size_t)size), acre_int(i)));
  }
  CHECK(SizeOf(&map) == kCount);
  for (int i = 0; i < kCount; i += 2) {
    const int size = snprintf(key, sizeof key,
                              i % 3 == 0 ? "%d" : "a rather long key %d", i);
    acre_value of = acre_text(key, (size_t)size);
    CHECK_OK(acre_map_erase(&map, &of));
    CHECK(acre_map_erase(&map, &of) == ACRE_ABSENT);
  }
  CHECK(SizeOf(&map) == kCount / 2);
  acre_cursor cursor = {{0}};
  acre_value name, value;
  int64_t sum = 0;
  int entries = 0;
  while (acre_map_next(&map, &cursor, &name, &value) == ACRE_OK) {
    CHECK(name.kind == ACRE_TEXT && value.kind == ACRE_INT);
    CHECK(atoi(name.as.text.data + (name.as.text.size > 18 ? 18 : 0)) ==
          value.as.integer);
    sum += value.as.integer;
    ++entries;
    /* Replacing is no change. */
    name = acre_text(name.as.text.data, name.as.text.size);
    CHECK_OK(Set(&map, name, acre_int(-1)));
  }
  CHECK(entries == kCount / 2);
  CHECK(sum == (int64_t)kCount * kCount / 4);
  CHECK(acre_map_next(&map, &cursor, &name, &value) == ACRE_ABSENT);

  acre_cursor fresh = {{0}};
  CHECK_OK(acre_map_next(&map, &fresh, NULL, NULL));
  CHECK_OK(Set(&map, acre_int(1), acre_int(1)));
  CHECK_FAILS(ACRE_CHANGED, "inserted",
              acre_map_next(&map, &fresh, NULL, NULL));
  acre_ref other;
  CHECK_OK(acre_map_new(arena, &other));
  CHECK_OK(Set(&other, acre_int(1), acre_int(1)));
  memset(&fresh, 0, sizeof fresh);
  CHECK_OK(acre_map_next(&other, &fresh, NULL, NULL));
  CHECK(acre_map_next(&map, &fresh, NULL, NULL) == ACRE_CHANGED);

  CHECK_OK(acre_map_clear(&map));
  CHECK(SizeOf(&map) == 0);
  memset(&cursor, 0, sizeof cursor);
  CHECK(acre_map_next(&map, &cursor, &name, &value) == ACRE_ABSENT);
  CHECK_OK(Set(&map, acre_int(1), acre_int(1)));
  CHECK_FAILS(ACRE_MISUSE, "null", acre_map_get(&map, NULL, NULL));
  CHECK_FAILS(ACRE_MISUSE, "null", acre_map_new(arena, NULL));
  CHECK_FAILS(ACRE_MISUSE, "nothing", acre_map_size(NULL, &(size_t){0}));
  CHECK_OK(acre_arena_end(arena));
}

/* Keys by identity are walked too, and erased. */
static void TestIdentityKeys(void) {
  acre_arena* arena = NewArena("identity", ACRE_HOLDS_OBJECTS);
  acre_ref map, a, b, list, builder;
  CHECK_OK(acre_map_new(arena, &map));
  CHECK_OK(acre_map_new(arena, &a));
  CHECK_OK(acre_map_new(arena, &b));
  CHECK_OK(acre_vector_new(arena, &list));
  CHECK_OK(acre_builder_new(arena, &builder));
  const acre_value keys[] = {acre_shared(ACRE_MAP, a),
                             acre_shared(ACRE_MAP, b),
                             acre_shared(ACRE_VECTOR, list),
                             acre_shared(ACRE_BUILDER, builder),
                             acre_object(GC_malloc(32)),
                             acre_object(NULL),
                             acre_int(7)};
  for (int i = 0; i < 7; ++i) CHECK_OK(Set(&map, keys[i], acre_int(i)));
  for (int i = 0; i < 7; ++i) CHECK(Get(&map, keys[i]).as.integer == i);
  acre_cursor cursor = {{0}};
  acre_value key, value;
  int seen = 0;
  while (acre_map_next(&map, &cursor, &key, &value) == ACRE_OK) {
    CHECK(value.as.integer >= 0 && value.as.integer < 7);
    CHECK(key.kind == keys[value.as.integer].kind);
    seen |= 1 << value.as.integer;
  }
  CHECK(seen == 0x7F);
  for (int i = 0; i < 7; ++i) CHECK_OK(acre_map_erase(&map, &keys[i]));
  CHECK(SizeOf(&map) == 0);
  for (int i = 0; i < 7; ++i) CHECK(Find(&map, keys[i]) == ACRE_ABSENT);
  for (int i = 0; i < 7; ++i) CHECK_OK(Set(&map, keys[i], keys[6 - i]));
  CHECK_OK(acre_map_clear(&map));
  CHECK_OK(Set(&map, keys[0], keys[1]));
  CHECK_OK(acre_arena_end(arena));
}

static void TestVectors(void) {
  acre_arena* arena = NewArena("vectors", 0);
  acre_ref list;
  CHECK_OK(acre_vector_new(arena, &list));
  acre_value value;
  for (int i = 0; i < 1000; ++i) {
    value = acre_int(999 - i);
    CHECK_OK(acre_vector_push(&list, &value));
  }
  CHECK_OK(acre_vector_sort(&list));
  for (size_t i = 0; i < 1000; ++i) {
    CHECK_OK(acre_vector_get(&list, i, &value));
    CHECK(value.as.integer == (int64_t)i);
  }
  CHECK_OK(acre_vector_erase(&list, 10, 980));
  size_t size = 0;
  CHECK_OK(acre_vector_size(&list, &size));
  CHECK(size == 20);
  value = Text("a text of more characters than a handle takes");
  CHECK_OK(acre_vector_insert(&list, 0, &value));
  CHECK_OK(acre_vector_insert(&list, 21, &value));
  CHECK_FAILS(ACRE_OUT_OF_RANGE, "23", acre_vector_insert(&list, 23, &value));
  CHECK_OK(acre_vector_get(&list, 0, &value));
  CHECK(value.kind == ACRE_TEXT);
  CHECK_OK(acre_vector_resize(&list, 30));
  CHECK_OK(acre_vector_get(&list, 29, &value));
  CHECK(value.kind == ACRE_NULL);
  CHECK_FAILS(ACRE_OUT_OF_RANGE, "element 30 of a vector of 30",
              acre_vector_get(&list, 30, &value));
  CHECK(acre_vector_set(&list, SIZE_MAX, &value) == ACRE_OUT_OF_RANGE);
  CHECK(acre_vector_erase(&list, 29, SIZE_MAX) == ACRE_OUT_OF_RANGE);
  CHECK(acre_vector_erase(&list, 31, 0) == ACRE_OUT_OF_RANGE);
  CHECK_OK(acre_vector_erase(&list, 30, 0));
  CHECK_FAILS(ACRE_OUT_OF_MEMORY, "elements",
              acre_vector_resize(&list, SIZE_MAX));
  CHECK_FAILS(ACRE_OUT_OF_MEMORY, "",
              acre_vector_reserve(&list, SIZE_MAX / 64));
  CHECK_OK(acre_vector_reserve(&list, 100));
  CHECK_OK(acre_arena_end(arena));
}

static void TestSorting(void) {
  acre_arena* arena = NewArena("sorting", 0);
  acre_ref list;
  CHECK_OK(acre_vector_new(arena, &list));
  const acre_value sorted[] = {acre_null(),
                               acre_bool(false),
                               acre_bool(true),
                               acre_double(-INFINITY),
                               acre_int(INT64_MIN),
                               acre_double(-2.5),
                               acre_int(-2),
                               acre_double(-1.5),
                               acre_int(1),
                               acre_double(1.0),
                               acre_int(2),
                               acre_double(2.5),
                               acre_double(9007199254740992.0),
                               acre_int(9007199254740993),
                               acre_int(INT64_MAX),
                               acre_double(9223372036854775808.0),
                               acre_double(INFINITY),
                               acre_char('a'),
                               acre_char('b'),
                               Text(""),
                               Text("a"),
                               Text("aa"),
                               Text("b"),
                               Text("\xC3\xA4"),
                               acre_symbol("a", 1),
                               acre_bytes("\0", 1),
                               acre_bytes("\xFF", 1)};
  const size_t count = sizeof sorted / sizeof sorted[0];
  /* Backwards, but for the two that are equal. */
  for (size_t i = 0; i < count; ++i) {
    const size_t k = i == 8 ? 9 : i == 9 ? 8 : i;
    CHECK_OK(acre_vector_insert(&list, 0, &sorted[k]));
  }
  CHECK_OK(acre_vector_sort(&list));
  size_t size = 0;
  CHECK_OK(acre_vector_size(&list, &size));
  CHECK(size == count);
  for (size_t i = 0; i < count; ++i) {
    acre_value found;
    CHECK_OK(acre_vector_get(&list, i, &found));
    CHECK(found.kind == sorted[i].kind);
    if (found.kind == ACRE_INT) {
      CHECK(found.as.integer == sorted[i].as.integer);
    }
    if (found.kind == ACRE_DOUBLE)
      CHECK(found.as.number == sorted[i].as.number);
  }
  acre_value odd = acre_double(NAN);
  CHECK_OK(acre_vector_push(&list, &odd));
  CHECK_FAILS(ACRE_WRONG_KIND, "NaN", acre_vector_sort(&list));
  odd = acre_shared(ACRE_VECTOR, list);
  CHECK_OK(acre_vector_set(&list, count, &odd));
  CHECK_FAILS(ACRE_WRONG_KIND, "vector", acre_vector_sort(&list));
  CHECK_OK(acre_arena_end(arena));
}

static void TestBuilders(void) {
  acre_arena* arena = NewArena("builders", 0);
  acre_ref builder, other;
  CHECK_OK(acre_builder_new(arena, &builder));
  CHECK_OK(acre_builder_new(arena, &other));
  CHECK_OK(acre_builder_append(&builder, "x = ", 4));
  const acre_value parts[] = {
      acre_int(-5),        acre_char(' '),     acre_double(0.1),
      acre_char(0xE4),     acre_char(0x20AC),  acre_char(0x1F600),
      acre_null(),         acre_bool(true),    Text(" t"),
      acre_symbol("s", 1), acre_bytes("b", 1), acre_double(INFINITY)};
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; ++i) {
    CHECK_OK(acre_builder_append_value(&builder, &parts[i]));
  }
  const char* text = NULL;
  size_t size = 0;
  CHECK_OK(acre_builder_text(&builder, &text, &size));
  CHECK(strcmp(
            text,
            "x = -5 0.1\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80nulltrue tsbnull") ==
        0);
  CHECK(size == strlen(text));
  /* Of itself. */
  acre_value self = acre_shared(ACRE_BUILDER, builder);
  CHECK_OK(acre_builder_truncate(&builder, 4));
  for (int i = 0; i < 6; ++i) {
    CHECK_OK(acre_builder_append_value(&builder, &self));
  }
  CHECK_OK(acre_builder_text(&builder, &text, &size));
  CHECK(size == 256 && memcmp(text + 252, "x = ", 5) == 0);
  CHECK_OK(acre_builder_append(&other, text, size));
  CHECK_FAILS(ACRE_OUT_OF_RANGE, "257", acre_builder_truncate(&builder, 257));
  acre_value odd = acre_char(0xD800);
  CHECK_FAILS(ACRE_OUT_OF_RANGE, "0xd800",
              acre_builder_append_value(&builder, &odd));
  acre_ref map;
  CHECK_OK(acre_map_new(arena, &map));
  odd = acre_shared(ACRE_MAP, map);
  CHECK_FAILS(ACRE_WRONG_KIND, "map",
              acre_builder_append_value(&builder, &odd));
  CHECK_FAILS(ACRE_WRONG_KIND, "a map was used as a builder",
              acre_builder_append(&map, "a", 1));
  CHECK_FAILS(ACRE_WRONG_KIND, "a builder was used as a map",
              acre_map_clear(&builder));
  CHECK_OK(acre_arena_end(arena));
}

/* What has ended is known for ever. */
static void TestStale(void) {
  acre_arena* arena = NewArena("short", 0);
  acre_ref map, list;
  CHECK_OK(acre_map_new(arena, &map));
  CHECK(acre_ref_is_live(&map));
  CHECK_OK(acre_arena_reset(arena, ACRE_KEEP_CHUNKS));
  CHECK(!acre_ref_is_live(&map));
  /* Another one lies there now. */
  CHECK_OK(acre_map_new(arena, &list));
  CHECK(list.pointer == map.pointer || CHECKED);
  CHECK_FAILS(ACRE_STALE, "arena 'short': a map was used after the reset",
              Set(&map, acre_int(1), acre_int(1)));
  CHECK_FAILS(ACRE_STALE, "short", Find(&map, acre_int(1)));
  CHECK_FAILS(ACRE_STALE, "short",
              Set(&list, acre_int(1), acre_shared(ACRE_MAP, map)));
  size_t size = 0;
  CHECK(acre_vector_size(&map, &size) == ACRE_STALE);
  CHECK(acre_ref_free(&map) == ACRE_STALE);

  /* Freed: what refers to it still knows. */
  acre_ref inner;
  CHECK_OK(acre_vector_new(arena, &inner));
  CHECK_OK(Set(&list, acre_int(1), acre_shared(ACRE_VECTOR, inner)));
  CHECK_OK(acre_ref_free(&inner));
  CHECK(!acre_ref_is_live(&inner));
  const acre_ref found = Get(&list, acre_int(1)).as.ref;
  CHECK_FAILS(ACRE_STALE, "freed", acre_vector_size(&found, &size));
  CHECK_FAILS(ACRE_STALE, "freed", acre_ref_free(&found));
  CHECK_OK(acre_ref_free(&list));

  /* Ended, and begun again by another. */
  CHECK_OK(acre_map_new(arena, &map));
  CHECK_OK(acre_arena_end(arena));
  CHECK(!acre_ref_is_live(&map));
  CHECK_FAILS(ACRE_STALE, "", acre_arena_reset(arena, ACRE_KEEP_CHUNKS));
  acre_arena* next = NewArena("next", 0);
  acre_ref fresh;
  CHECK_OK(acre_map_new(next, &fresh));
  CHECK(acre_map_size(&map, &size) == ACRE_STALE);
  CHECK(acre_map_size(&fresh, &size) == ACRE_OK);
  acre_stats stats;
  stats.size = sizeof stats;
  CHECK_OK(acre_arena_stats(next, &stats));
  CHECK(strcmp(acre_arena_name(next), "next") == 0);
  CHECK_OK(acre_arena_end(next));
  const acre_ref none = {NULL, NULL, 0};
  CHECK(!acre_ref_is_live(&none) && !acre_ref_is_live(NULL));
  CHECK_FAILS(ACRE_MISUSE, "nothing", acre_map_clear(&none));
}

static void TestMarks(void) {
  acre_arena* arena = NewArena("marks", 0);
  acre_ref old_map, young;
  CHECK_OK(acre_map_new(arena, &old_map));
  CHECK_OK(Set(&old_map, acre_int(1), acre_int(1)));
  acre_mark mark, inner;
  CHECK_OK(acre_arena_checkpoint(arena, &mark));
  CHECK_FAILS(ACRE_MISUSE, "older than an open mark",
              Set(&old_map, acre_int(2), acre_int(2)));
  CHECK_FAILS(ACRE_MISUSE, "older", acre_ref_free(&old_map));
  CHECK(Get(&old_map, acre_int(1)).as.integer == 1);
  CHECK_OK(acre_map_new(arena, &young));
  CHECK_OK(Set(&young, acre_int(1), acre_shared(ACRE_MAP, old_map)));
  CHECK_OK(acre_arena_checkpoint(arena, &inner));
  const acre_ref through = Get(&young, acre_int(1)).as.ref;
  CHECK(acre_ref_is_live(&through) && through.stamp == old_map.stamp);
  CHECK_OK(acre_arena_rewind(arena, &mark));
  CHECK_FAILS(ACRE_STALE, "rewind", Find(&young, acre_int(1)));
  CHECK_OK(Set(&old_map, acre_int(2), acre_int(2)));
  CHECK(SizeOf(&old_map) == 2);
  CHECK_FAILS(ACRE_STALE, "not open", acre_arena_rewind(arena, &inner));
  CHECK_FAILS(ACRE_STALE, "not open", acre_arena_rewind(arena, &mark));
  memset(&mark, 0x41, sizeof mark);
  CHECK(acre_arena_rewind(arena, &mark) == ACRE_STALE);
  CHECK_OK(acre_arena_end(arena));
}

static void TestLimits(void) {
  acre_arena* arena = NewArena("small", 0);
  CHECK_OK(acre_arena_set_byte_limit(arena, 256 << 10));
  acre_ref map;
  CHECK_OK(acre_map_new(arena, &map));
  int64_t count = 0;
  int status;
  while ((status = Set(&map, acre_int(count),
                       Text("a text of more characters than fit in"))) ==
         ACRE_OK) {
    ++count;
  }
  CHECK(status == ACRE_BYTE_LIMIT && strstr(acre_error(), "'small'") != NULL);
  CHECK(SizeOf(&map) == (size_t)count && count > 200);
  for (int64_t i = 0; i < count; ++i) {
    CHECK(Get(&map, acre_int(i)).kind == ACRE_TEXT);
  }
  CHECK(Find(&map, acre_int(count)) == ACRE_ABSENT);
  CHECK_OK(acre_arena_set_byte_limit(arena, 0));
  CHECK_OK(Set(&map, acre_int(count), acre_null()));
  CHECK_OK(acre_arena_end(arena));
}

static void TestCopies(void) {
  acre_arena* from = NewArena("from", 0);
  acre_arena* to = NewArena("to", 0);
  acre_ref map, list, copy;
  CHECK_OK(acre_map_new(from, &map));
  CHECK_OK(acre_vector_new(from, &list));
  CHECK_OK(Set(&map, Text("list"), acre_shared(ACRE_VECTOR, list)));
  CHECK_OK(Set(&map, acre_shared(ACRE_VECTOR, list), Text("by identity")));
  CHECK_OK(Set(&map, Text("self"), acre_shared(ACRE_MAP, map)));
  acre_value value = Text("a text that has storage of its own, far away");
  CHECK_OK(acre_vector_push(&list, &value));
  CHECK_FAILS(ACRE_OTHER_ARENA, "of arena 'from' cannot be kept in arena 'to'",
              (acre_map_new(to, &copy),
               Set(&copy, acre_int(1), acre_shared(ACRE_MAP, map))));
  CHECK_OK(acre_ref_copy(&map, to, &copy));
  CHECK_OK(acre_arena_end(from));
  CHECK(SizeOf(&copy) == 3);
  const acre_ref copied_list = Get(&copy, Text("list")).as.ref;
  CHECK(Get(&copy, Text("self")).as.ref.pointer == copy.pointer);
  CHECK(
      IsText(Get(&copy, acre_shared(ACRE_VECTOR, copied_list)), "by identity"));
  CHECK_OK(acre_vector_get(&copied_list, 0, &value));
  CHECK(IsText(value, "a text that has storage of its own, far away"));
  CHECK_OK(acre_vector_push(&copied_list, &value));
  uint32_t kind = 0;
  CHECK_OK(acre_ref_kind(&copied_list, &kind));
  CHECK(kind == ACRE_VECTOR);
  CHECK_OK(acre_arena_end(to));
}

/* A collected arena lives by a reference that the collector sees. */
static acre_ref* volatile kept;

static __attribute__((noinline)) void MakeKept(void) {
  acre_arena* arena = NewArena("kept", ACRE_COLLECTED);
  kept = GC_malloc(sizeof(acre_ref));
  CHECK_OK(acre_map_new(arena, kept));
  for (int i = 0; i < 10000; ++i) {
    CHECK_OK(Set(kept, acre_int(i), Text("texts of more than 22 characters")));
  }
}
static __attribute__((noinline)) void ClearStack(void) {
  volatile char space[4096];
  memset((void*)space, 0, sizeof space);
}

static void TestCollected(void) {
  MakeKept();
  for (int k = 0; k < 10; ++k) {
    ClearStack();
    for (int i = 0; i < 100000; ++i) GC_malloc(32);
    GC_gcollect();
  }
  for (int i = 0; i < 10000; ++i) {
    CHECK(IsText(Get(kept, acre_int(i)), "texts of more than 22 characters"));
  }
  /* Many come and go. */
  const size_t before = GC_get_heap_size();
  for (int i = 0; i < 1000; ++i) {
    acre_ref map;
    acre_map_new(NewArena("gone", ACRE_COLLECTED), &map);
    for (int k = 0; k < 2000; ++k)
      CHECK_OK(Set(&map, acre_int(k), acre_int(k)));
  }
  CHECK(GC_get_heap_size() < before + (32U << 20)); /* of about 200 MiB */
  CHECK_OK(acre_arena_end(kept->base));
  CHECK(!acre_ref_is_live(kept));
  CHECK(strcmp(acre_arena_name(kept->base), "kept") == 0);
}

/* Objects of the collected heap, held by an arena alone. */
struct Object {
  uint64_t magic;
  struct Object* next;
};
static __attribute__((noinline)) void FillObjects(const acre_ref* map) {
  for (int i = 0; i < 1000; ++i) {
    struct Object* object = GC_malloc(sizeof *object);
    object->magic = 0xAC5E0000U + (unsigned)i;
    CHECK_OK(Set(map, acre_int(i), acre_object(object)));
  }
}
static void TestObjects(void) {
  acre_arena* arena = NewArena("objects", ACRE_HOLDS_OBJECTS);
  acre_ref map, copy;
  CHECK_OK(acre_map_new(arena, &map));
  FillObjects(&map);
  for (int k = 0; k < 10; ++k) {
    ClearStack();
    for (int i = 0; i < 100000; ++i) GC_malloc(sizeof(struct Object));
    GC_gcollect();
  }
  acre_arena* second = NewArena("second", ACRE_HOLDS_OBJECTS);
  CHECK_OK(acre_ref_copy(&map, second, &copy));
  CHECK_OK(acre_arena_end(arena));
  for (int i = 0; i < 100000; ++i) GC_malloc(sizeof(struct Object));
  GC_gcollect();
  for (int i = 0; i < 1000; ++i) {
    const struct Object* object = Get(&copy, acre_int(i)).as.object;
    CHECK(object->magic == 0xAC5E0000U + (unsigned)i);
  }
  acre_arena* plain = NewArena("plain", 0);
  acre_ref refused;
  CHECK_OK(acre_map_new(plain, &refused));
  CHECK_FAILS(ACRE_NO_OBJECTS, "'plain' was not made to hold",
              Set(&refused, acre_int(1), acre_object(GC_malloc(8))));
  CHECK(Find(&refused, acre_object(GC_malloc(8))) == ACRE_ABSENT);
  CHECK_FAILS(ACRE_NO_OBJECTS, "'second' holds objects",
              acre_ref_copy(&copy, plain, &refused));
  CHECK_OK(acre_arena_end(plain));
  CHECK_OK(acre_arena_end(second));
}

/* A finalizer frees what is just changed: an object's first place in an arena
 * asks the collector for memory. */
static acre_ref freed_meanwhile;
static int frees;
static void FreeMeanwhile(void* object, void* data) {
  (void)object, (void)data;
  if (frees == 0 && acre_ref_free(&freed_meanwhile) == ACRE_OK) ++frees;
}
static __attribute__((noinline)) void QueueFinalizers(void) {
  for (int i = 0; i < 5; ++i) {
    GC_register_finalizer_no_order(GC_malloc(64), &FreeMeanwhile, NULL, NULL,
                                   NULL);
  }
}
static void TestMeanwhile(void) {
  const int on_demand = GC_get_finalize_on_demand();
  for (int is_map = 0; is_map < 2; ++is_map) {
    acre_arena* arena = NewArena("meanwhile", ACRE_HOLDS_OBJECTS);
    const acre_value object = acre_object(GC_malloc(8));
    acre_stats before = {.size = sizeof before};
    acre_stats after = before;
    CHECK_OK(is_map ? acre_map_new(arena, &freed_meanwhile)
                    : acre_vector_new(arena, &freed_meanwhile));
    CHECK_OK(acre_arena_stats(arena, &before));
    frees = 0;
    GC_set_finalize_on_demand(1);
    QueueFinalizers();
    ClearStack();
    GC_gcollect();
    GC_set_finalize_on_demand(0);
    const int status = is_map ? Set(&freed_meanwhile, object, acre_int(1))
                              : acre_vector_push(&freed_meanwhile, &object);
    CHECK(frees == 1);
    CHECK(status != ACRE_OK);
    CHECK(!acre_ref_is_live(&freed_meanwhile));
    CHECK_OK(acre_arena_stats(arena, &after));
    /* What tables of rare keys stand in stays with the header. */
    CHECK(after.live <= before.live + (is_map ? 300 : 0));
    CHECK_OK(acre_arena_end(arena));
  }
  GC_set_finalize_on_demand(on_demand);
}

/* What was ended, is another arena's, or is too large. */
static void TestOddArguments(void) {
  acre_arena* arena = NewArena("odd", 0);
  acre_arena* other = NewArena("other", 0);
  acre_ref map, vector, builder, foreign;
  CHECK_OK(acre_map_new(arena, &map));
  CHECK_OK(acre_vector_new(arena, &vector));
  CHECK_OK(acre_builder_new(arena, &builder));
  CHECK_OK(acre_map_new(other, &foreign));
  /* A freed object can be erased as a key, nothing else. */
  const acre_value key = acre_shared(ACRE_VECTOR, vector);
  CHECK_OK(Set(&map, key, acre_int(1)));
  CHECK_OK(acre_ref_free(&vector));
  CHECK(acre_map_get(&map, &key, NULL) == ACRE_STALE);
  CHECK_OK(acre_map_erase(&map, &key));
  CHECK(acre_map_erase(&map, &key) == ACRE_ABSENT);
  CHECK(SizeOf(&map) == 0);
  CHECK_FAILS(ACRE_STALE,
              "a map, vector or builder was used after it was freed",
              acre_ref_free(&vector));
  /* Another arena's object is no key here; absence says nothing. */
  const acre_value theirs = acre_shared(ACRE_MAP, foreign);
  char said[1024];
  snprintf(said, sizeof said, "%s", acre_error());
  CHECK(Find(&map, theirs) == ACRE_ABSENT);
  CHECK(acre_map_erase(&map, &theirs) == ACRE_ABSENT);
  CHECK(strcmp(said, acre_error()) == 0);
  CHECK(Set(&map, theirs, acre_int(1)) == ACRE_OTHER_ARENA);
  /* Sizes that no sum can hold. */
  CHECK_OK(acre_builder_append(&builder, "ab", 2));
  for (size_t less = 0; less < 100; ++less) {
    CHECK(acre_builder_append(&builder, "x", SIZE_MAX - less) ==
          ACRE_OUT_OF_MEMORY);
  }
  acre_arena_options options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  options.reserved = 1;
  CHECK(acre_arena_new(&options) == NULL);
  CHECK(strstr(acre_error(), "'reserved' is 1") != NULL);
  CHECK_FAILS(ACRE_MISUSE, "acre_vector_push: value is null",
              acre_vector_push(&vector, NULL));
  CHECK_OK(acre_arena_end(arena));
  CHECK_OK(acre_arena_end(other));
}

static void TestAudits(void) {
  static struct Written written;
  acre_arena* arena = NewArena("audited", 0);
  acre_ref map;
  CHECK_OK(acre_map_new(arena, &map));
  CHECK_OK(Set(&map, Text("key"), acre_double(1)));
  written.size = 0;
  CHECK_OK(acre_arena_audit(arena, Write, &written));
  CHECK(strstr(written.text, "\"arena\":\"audited\"") != NULL);
  /* A release build looks at words that nobody has written, too. */
  CHECK(!CHECKED || strstr(written.text, "\"leaks\":0") != NULL);
  written.size = 0;
  CHECK_OK(acre_ref_audit(&map, Write, &written));
  CHECK(strstr(written.text, "\"leaks\":0") != NULL);
  void* block = NULL;
  CHECK_OK(acre_arena_allocate(arena, 16, &block));
  void* volatile object = GC_malloc(16);
  memcpy(block, (const void*)&object, sizeof object);
  written.size = 0;
  CHECK_OK(acre_arena_audit(arena, Write, &written));
  CHECK(!CHECKED || strstr(written.text, "\"leaks\":1") != NULL);
  char address[32];
  snprintf(address, sizeof address, "\"address\":\"%p\"", object);
  CHECK(strstr(written.text, address) != NULL);
  written.size = 0;
  written.text[0] = '\0';
  CHECK_OK(acre_arena_take_findings(arena, Write, &written));
  CHECK(written.size == 0);
  CHECK_FAILS(ACRE_MISUSE, "write", acre_arena_audit(arena, NULL, NULL));
  CHECK_OK(acre_arena_end(arena));
}

/* A thread of its own, with an arena of its own and one that is shared. */
struct Work {
  pthread_mutex_t* lock;
  const acre_ref* shared;
  int number;
  int lost;
};
static void* RunWork(void* data) {
  struct Work* work = data;
  acre_thread_begin();
  acre_thread_begin(); /* again does nothing */
  {
    acre_arena* arena = NewArena("own", ACRE_COLLECTED | ACRE_ONE_THREAD);
    acre_ref map;
    acre_map_new(arena, &map);
    for (int i = 0; i < 5000; ++i) {
      acre_value key = acre_int(i), value = Text("texts of this thread alone");
      work->lost += acre_map_set(&map, &key, &value) != ACRE_OK;
      pthread_mutex_lock(work->lock);
      key = acre_int(work->number * 5000 + i);
      work->lost += acre_map_set(work->shared, &key, &value) != ACRE_OK;
      pthread_mutex_unlock(work->lock);
      if (i % 1000 == 0) GC_gcollect();
    }
    for (int i = 0; i < 5000; ++i) {
      acre_value key = acre_int(i);
      work->lost += acre_map_get(&map, &key, NULL) != ACRE_OK;
    }
  }
  acre_thread_end();
  return NULL;
}
static void TestThreads(void) {
  enum { kThreads = 4 };
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  acre_arena* arena = NewArena("shared", 0);
  acre_ref map;
  CHECK_OK(acre_map_new(arena, &map));
  pthread_t threads[kThreads];
  struct Work works[kThreads];
  for (int i = 0; i < kThreads; ++i) {
    works[i] = (struct Work){&lock, &map, i, 0};
    pthread_create(&threads[i], NULL, RunWork, &works[i]);
  }
  for (int i = 0; i < kThreads; ++i) {
    pthread_join(threads[i], NULL);
    CHECK(works[i].lost == 0);
  }
  CHECK(SizeOf(&map) == 5000U * kThreads);
  CHECK_OK(acre_arena_end(arena));
}

static void TestFork(void) {
  acre_arena* arena = NewArena("forked", 0);
  acre_ref map;
  CHECK_OK(acre_map_new(arena, &map));
  CHECK_OK(Set(&map, acre_int(1), acre_int(1)));
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    failures_here = 0;
    CHECK(Get(&map, acre_int(1)).as.integer == 1);
    for (int i = 0; i < 1000; ++i)
      CHECK_OK(Set(&map, acre_int(i), acre_int(i)));
    CHECK_OK(acre_arena_end(arena));
    CHECK_OK(acre_arena_end(NewArena("new", 0)));
    _exit(failures_here == 0 ? 0 : 1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  CHECK(status == 0);
  CHECK(SizeOf(&map) == 1);
  CHECK_OK(acre_arena_end(arena));
}

/* Arenas that are ended are used again: their number does not grow. */
static void TestManyArenas(void) {
  for (int i = 0; i < 20000; ++i) {
    acre_arena* arena = NewArena("brief", i % 2 == 0 ? 0 : ACRE_HOLDS_OBJECTS);
    acre_ref list;
    CHECK_OK(acre_vector_new(arena, &list));
    acre_value value = acre_object(&value);
    CHECK(acre_vector_push(&list, &value) ==
          (i % 2 == 0 ? ACRE_NO_OBJECTS : ACRE_OK));
    CHECK_OK(acre_arena_end(arena));
  }
}

int main(void) {
  GC_INIT();
  acre_thread_begin(); /* lets others register */
  Run("library", TestLibrary);
  Run("arenas", TestArenas);
  Run("kinds of values", TestKinds);
  Run("maps", TestMaps);
  Run("keys by identity", TestIdentityKeys);
  Run("vectors", TestVectors);
  Run("sorting", TestSorting);
  Run("builders", TestBuilders);
  Run("stale references", TestStale);
  Run("marks", TestMarks);
  Run("limits", TestLimits);
  Run("copies", TestCopies);
  Run("collected arenas", TestCollected);
  Run("host objects", TestObjects);
  Run("finalizers meanwhile", TestMeanwhile);
  Run("odd arguments", TestOddArguments);
  Run("audits", TestAudits);
  Run("threads", TestThreads);
  Run("fork", TestFork);
  Run("many arenas", TestManyArenas);
  printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
