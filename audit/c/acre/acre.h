/* SPDX-License-Identifier: MIT
 *
 * acre for C, and for every language that calls C: arenas that hold maps,
 * vectors and texts, without a type to register. C99; C++ too.
 *
 *   acre_arena* arena = acre_arena_new(NULL);
 *   acre_ref ages;
 *   acre_map_new(arena, &ages);
 *   acre_value name = acre_text("Ann", 3), age = acre_int(30), found;
 *   acre_map_set(&ages, &name, &age);
 *   if (acre_map_get(&ages, &name, &found) == ACRE_OK) ...found.as.integer...
 *   acre_arena_reset(arena, ACRE_KEEP_CHUNKS);   // ends what `ages` names
 *
 * Errors: functions return ACRE_OK, ACRE_ABSENT (no entry of that key; no
 * error), or why nothing was done, as a code; acre_error() then has the
 * sentence. Nothing is thrown, and no code of acre's ends the process for what
 * a caller did wrong. What failed has changed nothing.
 *
 * References: an acre_ref names a map, vector or builder. Copy it as you like.
 * What it names lives until a reset, a rewind, acre_arena_end or acre_ref_free
 * ends it, or its arena ends. A reference to what has ended is recognised for
 * ever, whatever the memory is used for since, and answered with ACRE_STALE;
 * one to nothing (zeros) with ACRE_MISUSE; one that was made up, or whose bytes
 * were changed, is not recognised. Objects that hold each other refer to each
 * other: a map under a key of another is one map, not a copy, and lives on when
 * the entry is erased.
 *
 * Lifetime: an arena of acre_arena_new lives until acre_arena_end. With
 * ACRE_COLLECTED the collector ends it, when it sees no reference to it (no
 * acre_arena*, no acre_ref: by its `base`, where the host has switched interior
 * pointers off) in stacks, statics and its own heap. In memory that it does not
 * scan (malloc'ed, a scripting host's own heap) references keep nothing: there
 * take an arena that you end. A host that sets up the collector itself does so
 * before the first call here.
 *
 * Threads: any thread may use an arena, one at a time: a lock of the host's
 * orders that. With ACRE_ONE_THREAD one thread uses it, and checked builds
 * refuse others. Different arenas do not disturb each other. A thread that the
 * host has not registered with the collector says acre_thread_begin first.
 * After fork the child may use the arenas that were not in use just then.
 *
 * Sizes are bytes; texts are bytes too, UTF-8 by custom, with zeros if you
 * like. Sizes of structs and numbers of codes do not change while
 * ACRE_C_ABI does not: new functions and codes may be added.
 */

#ifndef ACRE_ACRE_H_
#define ACRE_ACRE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(ACRE_BUILDING_C)
#define ACRE_C_API __attribute__((visibility("default")))
#else
#define ACRE_C_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define ACRE_C_ABI 1

/* The ACRE_C_ABI that the library was built with: where it is not yours, do not
 * go on. */
ACRE_C_API uint32_t acre_c_abi(void);
/* "0.1.0", and whether it is a checked build. */
ACRE_C_API const char* acre_library_version(void);
ACRE_C_API bool acre_is_checked(void);

/* ------------------------------------------------------------------ errors */

typedef enum acre_status {
  ACRE_OK = 0,
  ACRE_ABSENT = 1,       /* no such key; the end of a map. Sets no error text */
  ACRE_STALE = 2,        /* the reference has ended */
  ACRE_WRONG_KIND = 3,   /* a vector where a map is wanted; no kind for a key */
  ACRE_OTHER_ARENA = 4,  /* an object of another arena as a value */
  ACRE_OUT_OF_RANGE = 5, /* an index */
  ACRE_OUT_OF_MEMORY = 6, /* the system has none, or a size is impossible */
  ACRE_BYTE_LIMIT = 7,    /* the arena's limit is reached */
  ACRE_CHANGED = 8,       /* a map was changed while a cursor walked it */
  ACRE_NO_OBJECTS = 9,    /* the arena was not made to hold host objects */
  ACRE_MISUSE = 10        /* another rule was broken: the text says which */
} acre_status;

/* Why the last call of this thread that failed did so: "acre: arena 'game': out
 * of memory: ...". Never null. Valid until the next call that fails. */
ACRE_C_API const char* acre_error(void);
/* "stale", "wrong kind", ...; "unknown" for what is no code. */
ACRE_C_API const char* acre_status_name(int status);

/* ------------------------------------------------------------------ arenas */

typedef struct acre_arena acre_arena;

enum {
  ACRE_COLLECTED = 1,     /* the collector ends it: see the top of this file */
  ACRE_HOLDS_OBJECTS = 2, /* ACRE_OBJECT values are allowed, and kept alive */
  ACRE_ONE_THREAD = 4     /* one thread uses it; otherwise a lock of the host */
};

typedef struct acre_arena_options {
  size_t size; /* of this struct, as the caller knows it */
  uint32_t flags;
  uint32_t reserved; /* 0 */
  const char* name;  /* copied, up to 63 bytes; NULL: "arena" */
  size_t byte_limit; /* never more is reserved; 0: no limit */
} acre_arena_options;

/* NULL for the options: an arena that you end, of no limit. NULL where that
 * fails. */
ACRE_C_API acre_arena* acre_arena_new(const acre_arena_options* options);

/* Ends all that is inside and gives its memory back. Calls with what refers to
 * it are answered with ACRE_STALE; its few hundred bytes are kept for the next
 * arena. The pointer itself must not be used again. Of a collected arena: as
 * reset, the rest is the collector's. */
ACRE_C_API int acre_arena_end(acre_arena* arena);

typedef enum acre_reset_mode {
  ACRE_KEEP_CHUNKS = 0,   /* for the next use: the fastest */
  ACRE_RELEASE_CHUNKS = 2 /* back to the system */
} acre_reset_mode;
/* Ends all that is inside. */
ACRE_C_API int acre_arena_reset(acre_arena* arena, int mode);

/* A position to go back to. A plain value. */
typedef struct acre_mark {
  uint64_t words[3];
} acre_mark;
/* While a mark is open, maps, vectors and builders older than it cannot be
 * changed: ACRE_MISUSE. Only acre_arena_rewind and a reset close it. */
ACRE_C_API int acre_arena_checkpoint(acre_arena* arena, acre_mark* mark);
/* Ends all that was made since, and closes the mark and all younger ones. */
ACRE_C_API int acre_arena_rewind(acre_arena* arena, const acre_mark* mark);

/* Replaces the byte limit; 0: none. What is held already stays. */
ACRE_C_API int acre_arena_set_byte_limit(acre_arena* arena, size_t bytes);
/* Valid as long as the arena. */
ACRE_C_API const char* acre_arena_name(acre_arena* arena);

typedef struct acre_stats {
  size_t size;     /* in: of this struct, as the caller knows it */
  size_t chunks;   /* number in use, those of single large blocks included */
  size_t reserved; /* bytes held from the system, spares included */
  size_t live;     /* bytes of blocks handed out and not freed */
  uint64_t resets; /* number of resets so far */
} acre_stats;
ACRE_C_API int acre_arena_stats(acre_arena* arena, acre_stats* stats);

/* Raw bytes, aligned to 16, contents arbitrary. The collector does not look
 * into them. Freed with the very size. */
ACRE_C_API int acre_arena_allocate(acre_arena* arena, size_t bytes,
                                   void** block);
ACRE_C_API int acre_arena_free(acre_arena* arena, void* block, size_t bytes);

/* ------------------------------------------------------------------ values */

typedef struct acre_ref {
  void* pointer;
  acre_arena* base;
  uint64_t stamp;
} acre_ref;

typedef enum acre_kind {
  ACRE_NULL = 0,
  ACRE_BOOL = 1,     /* as.boolean */
  ACRE_INT = 2,      /* as.integer */
  ACRE_DOUBLE = 3,   /* as.number */
  ACRE_CHAR = 4,     /* as.character: a code point */
  ACRE_TEXT = 5,     /* as.text */
  ACRE_SYMBOL = 6,   /* as.text: its name; no equal of a text */
  ACRE_BYTES = 7,    /* as.text */
  ACRE_MAP = 8,      /* as.ref */
  ACRE_VECTOR = 9,   /* as.ref */
  ACRE_BUILDER = 10, /* as.ref */
  ACRE_OBJECT = 11 /* as.object: of the collected heap, or what looks like it */
} acre_kind;

/* What goes in is copied, but for maps, vectors and builders, which are shared,
 * and objects, which are held. A text that comes out is borrowed: it lies in
 * the arena until the map, vector or builder that it came from is changed. */
typedef struct acre_value {
  uint32_t kind; /* an acre_kind */
  uint32_t reserved;
  union {
    bool boolean;
    int64_t integer;
    double number;
    uint32_t character;
    struct {
      const char* data;
      size_t size;
    } text;
    acre_ref ref;
    void* object;
  } as;
} acre_value;

static inline acre_value acre_null(void) {
  acre_value value = {ACRE_NULL, 0, {false}};
  return value;
}
static inline acre_value acre_bool(bool boolean) {
  acre_value value = {ACRE_BOOL, 0, {false}};
  value.as.boolean = boolean;
  return value;
}
static inline acre_value acre_int(int64_t integer) {
  acre_value value = {ACRE_INT, 0, {false}};
  value.as.integer = integer;
  return value;
}
static inline acre_value acre_double(double number) {
  acre_value value = {ACRE_DOUBLE, 0, {false}};
  value.as.number = number;
  return value;
}
static inline acre_value acre_char(uint32_t character) {
  acre_value value = {ACRE_CHAR, 0, {false}};
  value.as.character = character;
  return value;
}
static inline acre_value acre_text(const char* data, size_t size) {
  acre_value value = {ACRE_TEXT, 0, {false}};
  value.as.text.data = data;
  value.as.text.size = size;
  return value;
}
static inline acre_value acre_symbol(const char* data, size_t size) {
  acre_value value = acre_text(data, size);
  value.kind = ACRE_SYMBOL;
  return value;
}
static inline acre_value acre_bytes(const void* data, size_t size) {
  acre_value value = acre_text((const char*)data, size);
  value.kind = ACRE_BYTES;
  return value;
}
/* ACRE_MAP, ACRE_VECTOR or ACRE_BUILDER. */
static inline acre_value acre_shared(acre_kind kind, acre_ref ref) {
  acre_value value = {0, 0, {false}};
  value.kind = (uint32_t)kind;
  value.as.ref = ref;
  return value;
}
static inline acre_value acre_object(void* object) {
  acre_value value = {ACRE_OBJECT, 0, {false}};
  value.as.object = object;
  return value;
}

/* "text", "map", ... */
ACRE_C_API const char* acre_kind_name(uint32_t kind);

/* Of maps, vectors and builders: */

/* Writes ACRE_MAP, ACRE_VECTOR or ACRE_BUILDER. */
ACRE_C_API int acre_ref_kind(const acre_ref* ref, uint32_t* kind);
/* False for what has ended. */
ACRE_C_API bool acre_ref_is_live(const acre_ref* ref);
/* Ends it: its memory is used again, but for a header, 48 bytes or a map's 192
 * (and 300 more where it had keys other than texts, symbols and integers), by
 * which what still refers to it knows, until a reset or rewind. As a key of a
 * map it can still be erased. */
ACRE_C_API int acre_ref_free(const acre_ref* ref);
/* A copy of it and of all that it reaches, in `arena`, sharing and cycles kept:
 * how a result leaves an arena. Host objects are shared; what has ended stays
 * so in the copy. Finalizers that run meanwhile must not change what is copied.
 */
ACRE_C_API int acre_ref_copy(const acre_ref* ref, acre_arena* arena,
                             acre_ref* copy);

/* -------------------------------------------------------------------- maps */

/* Keys: every kind. Two are the same where kind and value are: 1 and 1.0 are
 * two keys, as are 0.0 and -0.0; all NaNs are one. Maps, vectors, builders and
 * objects are keys by identity. Constant on average. */
ACRE_C_API int acre_map_new(acre_arena* arena, acre_ref* map);
/* Writes *value (may be NULL); ACRE_ABSENT where there is no such key. */
ACRE_C_API int acre_map_get(const acre_ref* map, const acre_value* key,
                            acre_value* value);
/* Inserts, or replaces the value. */
ACRE_C_API int acre_map_set(const acre_ref* map, const acre_value* key,
                            const acre_value* value);
/* ACRE_ABSENT where there was none. */
ACRE_C_API int acre_map_erase(const acre_ref* map, const acre_value* key);
ACRE_C_API int acre_map_size(const acre_ref* map, size_t* size);
/* Room for as many entries with texts as keys. */
ACRE_C_API int acre_map_reserve(const acre_ref* map, size_t size);
ACRE_C_API int acre_map_clear(const acre_ref* map);

/* Start with zeros: acre_cursor cursor = {{0}}; */
typedef struct acre_cursor {
  uint64_t words[8];
} acre_cursor;
/* The next entry, in the order of the hash; ACRE_ABSENT behind the last. `key`
 * and `value` may be NULL. Values may be replaced meanwhile; inserting, erasing
 * and clearing end the walk: ACRE_CHANGED. */
ACRE_C_API int acre_map_next(const acre_ref* map, acre_cursor* cursor,
                             acre_value* key, acre_value* value);

/* ----------------------------------------------------------------- vectors */

/* Up to 2^32 - 1 elements. */
ACRE_C_API int acre_vector_new(acre_arena* arena, acre_ref* vector);
ACRE_C_API int acre_vector_size(const acre_ref* vector, size_t* size);
ACRE_C_API int acre_vector_get(const acre_ref* vector, size_t index,
                               acre_value* value);
ACRE_C_API int acre_vector_set(const acre_ref* vector, size_t index,
                               const acre_value* value);
ACRE_C_API int acre_vector_push(const acre_ref* vector,
                                const acre_value* value);
/* Before the element at `index`; at the size: behind the last. */
ACRE_C_API int acre_vector_insert(const acre_ref* vector, size_t index,
                                  const acre_value* value);
ACRE_C_API int acre_vector_erase(const acre_ref* vector, size_t index,
                                 size_t count);
/* New elements are null. */
ACRE_C_API int acre_vector_resize(const acre_ref* vector, size_t size);
ACRE_C_API int acre_vector_reserve(const acre_ref* vector, size_t size);
/* Ascending and stable: numbers by value, then characters, texts, symbols and
 * bytes by their bytes; null and booleans before all. ACRE_WRONG_KIND, and
 * nothing moved, where there are maps, vectors, builders, objects or NaNs.
 * n log n. */
ACRE_C_API int acre_vector_sort(const acre_ref* vector);

/* ---------------------------------------------------------------- builders */

/* A text that grows. */
ACRE_C_API int acre_builder_new(acre_arena* arena, acre_ref* builder);
ACRE_C_API int acre_builder_append(const acre_ref* builder, const char* data,
                                   size_t size);
/* Null, booleans and numbers as JSON writes them, so null for NaN and
 * infinities; a character as UTF-8, ACRE_OUT_OF_RANGE where it is none; texts,
 * symbols and bytes as they are, a builder's text. ACRE_WRONG_KIND for others.
 */
ACRE_C_API int acre_builder_append_value(const acre_ref* builder,
                                         const acre_value* value);
/* Borrowed until the builder is changed; ends with a zero behind its size. */
ACRE_C_API int acre_builder_text(const acre_ref* builder, const char** data,
                                 size_t* size);
/* Cuts behind `size` bytes. */
ACRE_C_API int acre_builder_truncate(const acre_ref* builder, size_t size);

/* ------------------------------------------------------------------ audits */

/* Called with parts of a text, in order. Must return. */
typedef void (*acre_write)(void* data, const char* text, size_t size);

/* What is wrong with pointers in the arena, as JSON lines: the first line is
 * {"record":"audit",...,"leaks":N}, one {"record":"finding",...} each, the last
 * {"record":"summary",...}. What only raw bytes hold is among it. A release
 * build does not know which of them were ever written: what it finds there is
 * "ambiguous", and may be left of what was at that place before. Linear. */
ACRE_C_API int acre_arena_audit(acre_arena* arena, acre_write write,
                                void* data);
/* The same of what a map, vector or builder reaches. */
ACRE_C_API int acre_ref_audit(const acre_ref* ref, acre_write write,
                              void* data);
/* What audits at collections have found since the last call; in that form:
 * objects of C++ that were made in the arena, by what their types say. Bytes of
 * acre_arena_allocate are acre_arena_audit's alone. Nothing is written where
 * that is nothing, as always in release builds. Until
 * they are taken, or the arena ends, findings of arenas made here are kept;
 * with ACRE_AUDIT=report in the environment they are printed instead. */
ACRE_C_API int acre_arena_take_findings(acre_arena* arena, acre_write write,
                                        void* data);

/* ----------------------------------------------------------------- threads */

/* Registers the calling thread with the collector, unless it is. The first call
 * of all from the main thread. Give the thread up in the function that began
 * it, or further out. */
ACRE_C_API int acre_thread_begin(void);
/* Undoes what acre_thread_begin did in this thread. */
ACRE_C_API int acre_thread_end(void);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* ACRE_ACRE_H_ */
