/* SPDX-License-Identifier: MIT
 *
 * The C half of the ECL module, second part: one function for each call that
 * Lisp makes. Those that answer with an int answer a status, as does
 * host_status after OBJNULL: see lisp_values.h.
 */

#ifndef ACRE_EXAMPLES_ECL_LISP_CALLS_H_
#define ACRE_EXAMPLES_ECL_LISP_CALLS_H_

#include "lisp_values.h"

/* acre's sentence about the last call that failed. */
static cl_object HostErrorText(void) {
  HostFound found;
  HostCall call = Begin();
  int status;
  found.value = acre_text(acre_error(), strlen(acre_error()));
  status = HostTake(&found);
  End(call);
  return status == ACRE_OK ? HostGive(&found, ECL_NIL) : ECL_NIL;
}

/* ---------------------------------------------------------------- arenas */

/* Data for the handle of a new arena. */
static cl_object HostArenaNew(cl_object name, int flags, size_t byte_limit) {
  acre_arena_options options = {sizeof options, 0, 0, NULL, 0};
  acre_arena* arena = NULL;
  int status = kHostMemory;
  HostText text;
  HostCall call = Begin();
  HostTextInit(&text);
  options.flags = (uint32_t)flags;
  options.byte_limit = byte_limit;
  if (HostTextAppend(&text, name) && HostTextReserve(&text, 1)) {
    text.data[text.size] = 0;
    options.name = text.data;
    arena = acre_arena_new(&options);
    status = ACRE_OUT_OF_MEMORY;
  }
  HostTextEnd(&text);
  End(call);
  return arena == NULL ? HostFail(status)
                       : ecl_make_foreign_data(ECL_NIL, 0, arena);
}

static int HostArenaEnd(cl_object handle) {
  acre_arena* arena;
  int status = HostArena(handle, &arena);
  if (status == ACRE_OK) {
    HostCall call = Begin();
    status = acre_arena_end(arena);
    if (status == ACRE_OK) {
      ECL_STRUCT_SLOT(handle, 0)->foreign.data = NULL;
    }
    End(call);
  }
  return status;
}

static int HostArenaReset(cl_object handle, int mode) {
  acre_arena* arena;
  int status = HostArena(handle, &arena);
  if (status == ACRE_OK) {
    HostCall call = Begin();
    status = acre_arena_reset(arena, mode);
    End(call);
  }
  return status;
}

static int HostArenaLimit(cl_object handle, size_t bytes) {
  acre_arena* arena;
  int status = HostArena(handle, &arena);
  if (status == ACRE_OK) {
    HostCall call = Begin();
    status = acre_arena_set_byte_limit(arena, bytes);
    End(call);
  }
  return status;
}

/* A mark, as foreign data. */
static cl_object HostArenaCheckpoint(cl_object handle) {
  acre_arena* arena;
  acre_mark* mark = (acre_mark*)ecl_alloc(sizeof *mark);
  int status = HostArena(handle, &arena);
  if (status == ACRE_OK) {
    HostCall call = Begin();
    status = acre_arena_checkpoint(arena, mark);
    End(call);
  }
  return status == ACRE_OK ? ecl_make_foreign_data(ECL_NIL, sizeof *mark, mark)
                           : HostFail(status);
}

static int HostArenaRewind(cl_object handle, cl_object mark) {
  acre_arena* arena;
  int status = HostArena(handle, &arena);
  if (status == ACRE_OK) {
    HostCall call = Begin();
    status = acre_arena_rewind(arena, (const acre_mark*)mark->foreign.data);
    End(call);
  }
  return status;
}

static int HostArenaStats(cl_object handle, acre_stats* stats) {
  acre_arena* arena;
  int status = HostArena(handle, &arena);
  stats->size = sizeof *stats;
  if (status == ACRE_OK) {
    HostCall call = Begin();
    status = acre_arena_stats(arena, stats);
    End(call);
  }
  return status;
}

/* Collects what an audit writes. */
typedef struct HostWritten {
  HostText text;
  bool failed;
} HostWritten;

static void HostWrite(void* data, const char* text, size_t size) {
  HostWritten* written = (HostWritten*)data;
  HostText* all = &written->text;
  if (all->size + size > all->room && !HostTextReserve(all, all->size + size)) {
    written->failed = true;
  }
  if (!written->failed) {
    memcpy(all->data + all->size, text, size);
    all->size += size;
  }
}

/* What an audit of an arena or of a reference says, or (`findings`) what those
 * at collections have said: one string. */
static cl_object HostAudit(cl_object handle, bool findings) {
  HostWritten written;
  HostFound found;
  acre_arena* arena = NULL;
  acre_ref* ref = HostAnyRef(handle);
  int status = ref == NULL ? HostArena(handle, &arena) : ACRE_OK;
  HostCall call = Begin();
  HostTextInit(&written.text);
  written.failed = false;
  if (status == ACRE_OK) {
    status = ref != NULL ? acre_ref_audit(ref, HostWrite, &written)
             : findings  ? acre_arena_take_findings(arena, HostWrite, &written)
                         : acre_arena_audit(arena, HostWrite, &written);
  }
  if (status == ACRE_OK && written.failed) {
    status = kHostMemory;
  }
  if (status == ACRE_OK) {
    found.value = acre_text(written.text.data, written.text.size);
    status = HostTake(&found);
  }
  HostTextEnd(&written.text);
  End(call);
  return status == ACRE_OK ? HostGive(&found, ECL_NIL) : HostFail(status);
}

/* -------------------------------------------- maps, vectors and builders */

/* call(ref). */
static int HostOnRef(acre_ref* ref, int (*call_ref)(const acre_ref*)) {
  int status = kHostWrongHandle;
  if (ref != NULL) {
    HostCall call = Begin();
    status = call_ref(ref);
    End(call);
  }
  return status;
}

typedef int (*HostFrom)(cl_object, acre_value*, HostText*);

/* call(ref, x), with x as `from` makes a value of it. */
static int HostWith(acre_ref* ref, cl_object x, HostFrom from,
                    int (*call_ref)(const acre_ref*, const acre_value*)) {
  acre_value value;
  HostText text;
  HostCall call;
  int status;
  if (ref == NULL) {
    return kHostWrongHandle;
  }
  call = Begin();
  HostTextInit(&text);
  status = from(x, &value, &text);
  if (status == ACRE_OK) {
    status = call_ref(ref, &value);
  }
  HostTextEnd(&text);
  End(call);
  return status;
}

/* A new one. */
static cl_object HostNew(cl_object handle, int kind, size_t room) {
  acre_arena* arena;
  acre_ref* ref = (acre_ref*)ecl_alloc(sizeof *ref);
  int status = HostArena(handle, &arena);
  if (status == ACRE_OK) {
    HostCall call = Begin();
    status = kind == ACRE_MAP      ? acre_map_new(arena, ref)
             : kind == ACRE_VECTOR ? acre_vector_new(arena, ref)
                                   : acre_builder_new(arena, ref);
    if (status == ACRE_OK && room > 0 && kind != ACRE_BUILDER) {
      status = kind == ACRE_MAP ? acre_map_reserve(ref, room)
                                : acre_vector_reserve(ref, room);
      if (status != ACRE_OK) {
        acre_ref_free(ref);
      }
    }
    End(call);
  }
  return status == ACRE_OK ? HostHandle(handle, (uint32_t)kind, ref)
                           : HostFail(status);
}

static bool HostIsLive(cl_object handle) {
  acre_ref* ref = HostAnyRef(handle);
  bool live = false;
  if (ref != NULL) {
    HostCall call = Begin();
    live = acre_ref_is_live(ref);
    End(call);
  }
  return live;
}

static int HostFree(cl_object handle) {
  return HostOnRef(HostAnyRef(handle), acre_ref_free);
}

static cl_object HostCopy(cl_object handle, cl_object arena_handle) {
  acre_arena* arena;
  acre_ref* ref = HostAnyRef(handle);
  acre_ref* copy = (acre_ref*)ecl_alloc(sizeof *copy);
  uint32_t kind = ACRE_MAP;
  int status = ref == NULL ? kHostWrongHandle : HostArena(arena_handle, &arena);
  if (status == ACRE_OK) {
    HostCall call = Begin();
    status = acre_ref_kind(ref, &kind);
    if (status == ACRE_OK) {
      status = acre_ref_copy(ref, arena, copy);
    }
    End(call);
  }
  return status == ACRE_OK ? HostHandle(arena_handle, kind, copy)
                           : HostFail(status);
}

/* Whether two handles are of one arena, map, vector or builder. */
static bool HostIsSame(cl_object one, cl_object other) {
  acre_ref* a = HostAnyRef(one);
  acre_ref* b = HostAnyRef(other);
  if (a != NULL && b != NULL) {
    return a->pointer == b->pointer && a->base == b->base &&
           a->stamp == b->stamp;
  }
  return one == other;
}

/* The number of entries, elements or bytes. */
static int HostSize(cl_object handle, size_t* size) {
  acre_ref* ref = HostAnyRef(handle);
  const char* data;
  int status = kHostWrongHandle;
  if (ref != NULL) {
    HostCall call = Begin();
    status = HostIs(handle, ACRE_MAP) ? acre_map_size(ref, size)
             : HostIs(handle, ACRE_VECTOR)
                 ? acre_vector_size(ref, size)
                 : acre_builder_text(ref, &data, size);
    End(call);
  }
  return status;
}

static inline cl_object HostArenaOf(cl_object handle) {
  return ECL_STRUCT_SLOT(handle, 1);
}

/* What was found, or why not. */
static inline cl_object HostResult(int status, const HostFound* found,
                                   cl_object handle) {
  return status == ACRE_OK ? HostGive(found, HostArenaOf(handle))
                           : HostFail(status);
}

/* ------------------------------------------------------------------ maps */

static inline int HostKey(cl_object key, acre_value* value, HostText* text) {
  int status = HostFromLisp(key, value, text);
  return status < 0 ? kHostOfKey + status : status;
}

static cl_object HostMapGet(cl_object map, cl_object key, cl_object fallback) {
  acre_ref* ref = HostRef(map, ACRE_MAP);
  acre_value wanted;
  HostFound found;
  HostText text;
  HostCall call;
  int status;
  if (ref == NULL) {
    return HostFail(kHostWrongHandle);
  }
  call = Begin();
  HostTextInit(&text);
  status = HostKey(key, &wanted, &text);
  if (status == ACRE_OK) {
    status = acre_map_get(ref, &wanted, &found.value);
  }
  if (status == ACRE_OK) {
    status = HostTake(&found);
  }
  HostTextEnd(&text);
  End(call);
  return status == ACRE_ABSENT ? fallback : HostResult(status, &found, map);
}

static int HostMapSet(cl_object map, cl_object key, cl_object value) {
  acre_ref* ref = HostRef(map, ACRE_MAP);
  acre_value acre_key, acre_new;
  HostText key_text, text;
  HostCall call;
  int status;
  if (ref == NULL) {
    return kHostWrongHandle;
  }
  call = Begin();
  HostTextInit(&key_text);
  HostTextInit(&text);
  status = HostKey(key, &acre_key, &key_text);
  if (status == ACRE_OK) {
    status = HostFromLisp(value, &acre_new, &text);
  }
  if (status == ACRE_OK) {
    status = acre_map_set(ref, &acre_key, &acre_new);
  }
  HostTextEnd(&text);
  HostTextEnd(&key_text);
  End(call);
  return status;
}

static int HostMapErase(cl_object map, cl_object key) {
  return HostWith(HostRef(map, ACRE_MAP), key, HostKey, acre_map_erase);
}

static int HostMapClear(cl_object map) {
  return HostOnRef(HostRef(map, ACRE_MAP), acre_map_clear);
}

/* Before the first entry, as foreign data. */
static cl_object HostCursor(void) {
  acre_cursor* cursor = (acre_cursor*)ecl_alloc_atomic(sizeof *cursor);
  memset(cursor, 0, sizeof *cursor);
  return ecl_make_foreign_data(ECL_NIL, sizeof *cursor, cursor);
}

/* The next key, and its value; OBJNULL and ACRE_ABSENT behind the last. */
static cl_object HostMapNext(cl_object map, cl_object cursor,
                             cl_object* value) {
  acre_ref* ref = HostRef(map, ACRE_MAP);
  HostFound found_key, found;
  HostCall call;
  int status;
  if (ref == NULL) {
    return HostFail(kHostWrongHandle);
  }
  call = Begin();
  status = acre_map_next(ref, (acre_cursor*)cursor->foreign.data,
                         &found_key.value, &found.value);
  if (status == ACRE_OK) {
    status = HostTake(&found_key);
  }
  if (status == ACRE_OK) {
    status = HostTake(&found);
  }
  End(call);
  if (status != ACRE_OK) {
    return HostFail(status);
  }
  *value = HostGive(&found, HostArenaOf(map));
  return *value == OBJNULL ? OBJNULL : HostGive(&found_key, HostArenaOf(map));
}

/* --------------------------------------------------------------- vectors */

static inline bool HostIndex(cl_object index, size_t* number) {
  if (!ECL_FIXNUMP(index) || ecl_fixnum_minusp(index)) {
    return false;
  }
  *number = (size_t)ecl_fixnum(index);
  return true;
}

static cl_object HostVectorGet(cl_object vector, cl_object index) {
  acre_ref* ref = HostRef(vector, ACRE_VECTOR);
  HostFound found;
  HostCall call;
  size_t number;
  int status;
  if (ref == NULL || !HostIndex(index, &number)) {
    return HostFail(ref == NULL ? kHostWrongHandle : kHostIndex);
  }
  call = Begin();
  status = acre_vector_get(ref, number, &found.value);
  if (status == ACRE_OK) {
    status = HostTake(&found);
  }
  End(call);
  return HostResult(status, &found, vector);
}

/* Sets an element; with NIL for the index, pushes one. */
static int HostVectorSet(cl_object vector, cl_object index, cl_object value) {
  acre_ref* ref = HostRef(vector, ACRE_VECTOR);
  acre_value acre_new;
  HostText text;
  HostCall call;
  size_t number;
  int status;
  if (ref == NULL || (!Null(index) && !HostIndex(index, &number))) {
    return ref == NULL ? kHostWrongHandle : kHostIndex;
  }
  call = Begin();
  HostTextInit(&text);
  status = HostFromLisp(value, &acre_new, &text);
  if (status == ACRE_OK) {
    status = Null(index) ? acre_vector_push(ref, &acre_new)
                         : acre_vector_set(ref, number, &acre_new);
  }
  HostTextEnd(&text);
  End(call);
  return status;
}

static cl_object HostVectorPop(cl_object vector) {
  acre_ref* ref = HostRef(vector, ACRE_VECTOR);
  HostFound found;
  HostCall call;
  size_t size = 0;
  int status;
  if (ref == NULL) {
    return HostFail(kHostWrongHandle);
  }
  call = Begin();
  status = acre_vector_size(ref, &size);
  if (status == ACRE_OK) {
    status =
        size == 0 ? kHostIndex : acre_vector_get(ref, size - 1, &found.value);
  }
  if (status == ACRE_OK) {
    status = HostTake(&found);
  }
  if (status == ACRE_OK) {
    status = acre_vector_erase(ref, size - 1, 1);
  }
  End(call);
  return HostResult(status, &found, vector);
}

/* Takes out `count` elements from `index` on. */
static int HostVectorErase(cl_object vector, size_t index, size_t count) {
  acre_ref* ref = HostRef(vector, ACRE_VECTOR);
  int status = kHostWrongHandle;
  if (ref != NULL) {
    HostCall call = Begin();
    status = acre_vector_erase(ref, index, count);
    End(call);
  }
  return status;
}

static int HostVectorSort(cl_object vector) {
  return HostOnRef(HostRef(vector, ACRE_VECTOR), acre_vector_sort);
}

/* -------------------------------------------------------------- builders */

static int HostBuilderAppend(cl_object builder, cl_object x) {
  return HostWith(HostRef(builder, ACRE_BUILDER), x, HostFromLisp,
                  acre_builder_append_value);
}

static cl_object HostBuilderText(cl_object builder) {
  acre_ref* ref = HostRef(builder, ACRE_BUILDER);
  HostFound found;
  const char* data;
  HostCall call;
  size_t size;
  int status;
  if (ref == NULL) {
    return HostFail(kHostWrongHandle);
  }
  call = Begin();
  status = acre_builder_text(ref, &data, &size);
  if (status == ACRE_OK) {
    found.value = acre_text(data, size);
    status = HostTake(&found);
  }
  End(call);
  return HostResult(status, &found, builder);
}

#endif /* ACRE_EXAMPLES_ECL_LISP_CALLS_H_ */
