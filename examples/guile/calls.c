/* SPDX-License-Identifier: MIT
 *
 * The C half of the Guile module, second part: the procedures. Those whose
 * names begin with a percent sign are what acre.scm builds on.
 */

#include "values.h"

#define WHO(name) static const char who[] = name

/* ----------------------------------------------------------------- arenas */

static SCM MakeArena(SCM name, SCM flags, SCM byte_limit) {
  WHO("make-arena");
  acre_arena_options options = {sizeof options, 0, 0, NULL, 0};
  SCM_ASSERT_TYPE(scm_is_string(name), name, 1, who, "string");
  options.flags = scm_to_uint32(flags);
  options.byte_limit = HostSize(who, 3, byte_limit);
  char* text = scm_to_utf8_string(name);
  options.name = text;
  acre_arena* arena = acre_arena_new(&options);
  free(text);
  if (arena == NULL) HostFail(who, ACRE_OUT_OF_MEMORY, NULL, SCM_EOL);
  return scm_new_double_smob(host_arena_tag, (scm_t_bits)arena,
                             SCM_UNPACK(name), 0);
}

/* Only of arenas that are not collected. Once is enough. */
static SCM EndArena(SCM handle) {
  WHO("call-with-arena");
  if (SCM_SMOB_DATA_1(handle) != 0) {
    HostCheck(who, acre_arena_end(HostArena(who, 1, handle)), handle);
    SCM_SET_SMOB_DATA_1(handle, 0);
  }
  return SCM_UNSPECIFIED;
}

static SCM IsArena(SCM object) {
  return scm_from_bool(SCM_SMOB_PREDICATE(host_arena_tag, object));
}

static SCM ArenaName(SCM handle) {
  SCM_ASSERT_TYPE(SCM_SMOB_PREDICATE(host_arena_tag, handle), handle, 1,
                  "arena-name", "arena");
  return SCM_PACK(SCM_SMOB_DATA_2(handle));
}

/* For what extends the module: the acre_arena*. */
static SCM ArenaPointer(SCM handle) {
  return scm_from_pointer(HostArena("%arena-pointer", 1, handle), NULL);
}

static SCM ResetArena(SCM handle, SCM release) {
  WHO("arena-reset!");
  acre_arena* arena = HostArena(who, 1, handle);
  const bool is_released = !SCM_UNBNDP(release) && scm_is_true(release);
  HostCheck(who,
            acre_arena_reset(
                arena, is_released ? ACRE_RELEASE_CHUNKS : ACRE_KEEP_CHUNKS),
            handle);
  return SCM_UNSPECIFIED;
}

static SCM Checkpoint(SCM handle) {
  WHO("arena-checkpoint");
  acre_mark mark;
  HostCheck(who, acre_arena_checkpoint(HostArena(who, 1, handle), &mark),
            handle);
  SCM bytes = scm_c_make_bytevector(sizeof mark);
  memcpy(SCM_BYTEVECTOR_CONTENTS(bytes), &mark, sizeof mark);
  return bytes;
}

static SCM Rewind(SCM handle, SCM bytes) {
  WHO("arena-rewind!");
  acre_mark mark;
  acre_arena* arena = HostArena(who, 1, handle);
  memcpy(&mark, SCM_BYTEVECTOR_CONTENTS(bytes), sizeof mark);
  HostCheck(who, acre_arena_rewind(arena, &mark), handle);
  return SCM_UNSPECIFIED;
}

static SCM SetByteLimit(SCM handle, SCM bytes) {
  WHO("set-arena-byte-limit!");
  acre_arena* arena = HostArena(who, 1, handle);
  const size_t limit = scm_is_false(bytes) ? 0 : HostSize(who, 2, bytes);
  HostCheck(who, acre_arena_set_byte_limit(arena, limit), handle);
  return SCM_UNSPECIFIED;
}

static SCM Stats(SCM handle) {
  WHO("arena-stats");
  acre_stats stats;
  memset(&stats, 0, sizeof stats);
  stats.size = sizeof stats;
  HostCheck(who, acre_arena_stats(HostArena(who, 1, handle), &stats), handle);
  return scm_list_4(
      scm_cons(scm_from_utf8_symbol("chunks"), scm_from_size_t(stats.chunks)),
      scm_cons(scm_from_utf8_symbol("reserved"),
               scm_from_size_t(stats.reserved)),
      scm_cons(scm_from_utf8_symbol("live"), scm_from_size_t(stats.live)),
      scm_cons(scm_from_utf8_symbol("resets"), scm_from_uint64(stats.resets)));
}

/* ----------------------------------------------------------------- audits */

/* What an audit writes, gathered in malloc'ed memory. */
typedef struct Written {
  char* data;
  size_t size;
  bool failed;
} Written;

static void Write(void* data, const char* text, size_t size) {
  Written* written = data;
  char* more =
      written->failed ? NULL : realloc(written->data, written->size + size);
  written->failed |= more == NULL && size != 0;
  if (more == NULL) return;
  memcpy(more + written->size, text, size);
  written->data = more;
  written->size += size;
}

/* JSON lines, as a string. */
static SCM Audited(const char* who, int status, Written* written, SCM handle) {
  const bool failed = written->failed;
  SCM lines = status == ACRE_OK && !failed
                  ? HostString(written->data, written->size)
                  : SCM_BOOL_F;
  free(written->data);
  HostCheck(who, status, handle);
  if (failed) {
    HostFail(who, ACRE_OUT_OF_MEMORY, "no memory for the report",
             scm_list_1(handle));
  }
  return lines;
}

static SCM AuditLines(SCM handle) {
  WHO("arena-audit");
  Written written = {NULL, 0, false};
  int status;
  if (SCM_SMOB_PREDICATE(host_ref_tag, handle)) {
    status = acre_ref_audit(HostRef(handle), Write, &written);
  } else {
    status = acre_arena_audit(HostArena(who, 1, handle), Write, &written);
  }
  return Audited(who, status, &written, handle);
}

static SCM FindingLines(SCM handle) {
  WHO("arena-findings");
  Written written = {NULL, 0, false};
  const int status =
      acre_arena_take_findings(HostArena(who, 1, handle), Write, &written);
  return Audited(who, status, &written, handle);
}

/* ------------------------------------- what maps, vectors, strings have all */

static SCM IsKind(SCM object, acre_kind kind) {
  return scm_from_bool(SCM_SMOB_PREDICATE(host_ref_tag, object) &&
                       HostKind(object) == kind);
}
static SCM IsMap(SCM object) { return IsKind(object, ACRE_MAP); }
static SCM IsVector(SCM object) { return IsKind(object, ACRE_VECTOR); }
static SCM IsString(SCM object) { return IsKind(object, ACRE_BUILDER); }

static SCM IsLive(SCM handle) {
  if (SCM_SMOB_PREDICATE(host_arena_tag, handle)) {
    return scm_from_bool(SCM_SMOB_DATA_1(handle) != 0);
  }
  return scm_from_bool(acre_ref_is_live(HostAnyRef("arena-live?", 1, handle)));
}

static SCM Free(SCM handle) {
  WHO("arena-free!");
  HostCheck(who, acre_ref_free(HostAnyRef(who, 1, handle)), handle);
  return SCM_UNSPECIFIED;
}

static SCM Copy(SCM handle, SCM arena) {
  WHO("arena-copy");
  acre_ref copy;
  const acre_ref* ref = HostAnyRef(who, 1, handle);
  HostCheck(who, acre_ref_copy(ref, HostArena(who, 2, arena), &copy), handle);
  return HostHandle(HostKind(handle), &copy);
}

/* Whether two handles are of the same object: for equal?. */
static SCM IsSame(SCM one, SCM other) {
  return scm_from_bool(HostKind(one) == HostKind(other) &&
                       memcmp(HostRef(one), HostRef(other), sizeof(acre_ref)) ==
                           0);
}

/* The number of entries, elements or bytes. */
static int SizeOf(SCM handle, size_t* size) {
  const acre_ref* ref = HostRef(handle);
  const char* data = NULL;
  switch (HostKind(handle)) {
    case ACRE_MAP:
      return acre_map_size(ref, size);
    case ACRE_VECTOR:
      return acre_vector_size(ref, size);
    default:
      return acre_builder_text(ref, &data, size);
  }
}

static SCM Size(const char* who, SCM handle, acre_kind kind) {
  size_t size = 0;
  HostRefOf(who, 1, handle, kind);
  HostCheck(who, SizeOf(handle, &size), handle);
  return scm_from_size_t(size);
}

static SCM Make(const char* who, SCM arena, acre_kind kind) {
  acre_arena* in = HostArena(who, 1, arena);
  acre_ref ref;
  HostCheck(who,
            kind == ACRE_MAP      ? acre_map_new(in, &ref)
            : kind == ACRE_VECTOR ? acre_vector_new(in, &ref)
                                  : acre_builder_new(in, &ref),
            arena);
  return HostHandle(kind, &ref);
}

/* ------------------------------------------------------------------- maps */

static SCM MakeMap(SCM arena, SCM size) {
  WHO("arena-map");
  const size_t room = SCM_UNBNDP(size) ? 0 : HostSize(who, 2, size);
  SCM map = Make(who, arena, ACRE_MAP);
  if (room != 0) {
    HostCheck(who, acre_map_reserve(HostRef(map), room), arena);
  }
  return map;
}

static SCM MapRef(SCM map, SCM key, SCM otherwise) {
  WHO("arena-map-ref");
  const acre_ref* ref = HostRefOf(who, 1, map, ACRE_MAP);
  HostRequire(who, 2, key);
  HostValue in = HostIn(key);
  acre_value found;
  const int status = acre_map_get(ref, &in.value, &found);
  HostDone(&in);
  if (status == ACRE_ABSENT) {
    return SCM_UNBNDP(otherwise) ? SCM_BOOL_F : otherwise;
  }
  if (SCM_UNLIKELY(status != ACRE_OK)) {
    HostFail(who, status, NULL, scm_list_2(map, key));
  }
  SCM value = HostOut(&found);
  scm_remember_upto_here_1(map);
  return value;
}

static SCM MapSet(SCM map, SCM key, SCM value) {
  WHO("arena-map-set!");
  const acre_ref* ref = HostRefOf(who, 1, map, ACRE_MAP);
  HostRequire(who, 2, key);
  HostRequire(who, 3, value);
  HostValue of = HostIn(key);
  HostValue in = HostIn(value);
  const int status = acre_map_set(ref, &of.value, &in.value);
  HostDone(&of);
  HostDone(&in);
  if (SCM_UNLIKELY(status != ACRE_OK)) {
    HostFail(who, status, NULL, scm_list_3(map, key, value));
  }
  scm_remember_upto_here_2(key, value);
  return SCM_UNSPECIFIED;
}

static SCM MapDelete(SCM map, SCM key) {
  WHO("arena-map-delete!");
  const acre_ref* ref = HostRefOf(who, 1, map, ACRE_MAP);
  HostRequire(who, 2, key);
  HostValue in = HostIn(key);
  const int status = acre_map_erase(ref, &in.value);
  HostDone(&in);
  if (status != ACRE_OK && status != ACRE_ABSENT) {
    HostFail(who, status, NULL, scm_list_2(map, key));
  }
  return scm_from_bool(status == ACRE_OK);
}

static SCM MapSize(SCM map) { return Size("arena-map-count", map, ACRE_MAP); }

static SCM MapClear(SCM map) {
  WHO("arena-map-clear!");
  HostCheck(who, acre_map_clear(HostRefOf(who, 1, map, ACRE_MAP)), map);
  return SCM_UNSPECIFIED;
}

static SCM MapCursor(void) {
  SCM cursor = scm_c_make_bytevector(sizeof(acre_cursor));
  memset(SCM_BYTEVECTOR_CONTENTS(cursor), 0, sizeof(acre_cursor));
  return cursor;
}

/* (key . value) of the next entry; #f behind the last. */
static SCM MapNext(SCM map, SCM cursor, SCM who_symbol) {
  acre_value key, value;
  const acre_ref* ref = HostRefOf("arena-map-for-each", 2, map, ACRE_MAP);
  const int status = acre_map_next(
      ref, (acre_cursor*)SCM_BYTEVECTOR_CONTENTS(cursor), &key, &value);
  if (status == ACRE_ABSENT) return SCM_BOOL_F;
  if (SCM_UNLIKELY(status != ACRE_OK)) {
    char* who = scm_to_utf8_string(scm_symbol_to_string(who_symbol));
    scm_dynwind_begin(0);
    scm_dynwind_free(who);
    HostFail(who, status, NULL, scm_list_1(map));
  }
  SCM first = HostOut(&key);
  SCM second = HostOut(&value);
  scm_remember_upto_here_2(map, cursor);
  return scm_cons(first, second);
}

/* ---------------------------------------------------------------- vectors */

static SCM MakeVector(SCM arena, SCM size) {
  WHO("arena-vector");
  const size_t count = SCM_UNBNDP(size) ? 0 : HostSize(who, 2, size);
  SCM vector = Make(who, arena, ACRE_VECTOR);
  if (count != 0) {
    HostCheck(who, acre_vector_resize(HostRef(vector), count), arena);
  }
  return vector;
}

static SCM VectorSize(SCM vector) {
  return Size("arena-vector-length", vector, ACRE_VECTOR);
}

static SCM VectorRef(SCM vector, SCM index) {
  WHO("arena-vector-ref");
  acre_value found;
  const acre_ref* ref = HostRefOf(who, 1, vector, ACRE_VECTOR);
  const int status = acre_vector_get(ref, HostSize(who, 2, index), &found);
  if (status != ACRE_OK) HostFail(who, status, NULL, scm_list_2(vector, index));
  SCM value = HostOut(&found);
  scm_remember_upto_here_1(vector);
  return value;
}

/* At an index; behind the last where that is #f. Before what is there where
 * `inserts`. */
static SCM PutElement(const char* who, SCM vector, SCM index, SCM object,
                      bool inserts) {
  const acre_ref* ref = HostRefOf(who, 1, vector, ACRE_VECTOR);
  const bool is_push = scm_is_false(index);
  const size_t at = is_push ? 0 : HostSize(who, 2, index);
  HostRequire(who, is_push ? 2 : 3, object);
  HostValue in = HostIn(object);
  const int status = is_push   ? acre_vector_push(ref, &in.value)
                     : inserts ? acre_vector_insert(ref, at, &in.value)
                               : acre_vector_set(ref, at, &in.value);
  HostDone(&in);
  if (status != ACRE_OK) {
    HostFail(who, status, NULL,
             is_push ? scm_list_2(vector, object)
                     : scm_list_3(vector, index, object));
  }
  scm_remember_upto_here_1(object);
  return SCM_UNSPECIFIED;
}

static SCM VectorSet(SCM vector, SCM index, SCM object) {
  return PutElement("arena-vector-set!", vector, index, object, false);
}
static SCM VectorInsert(SCM vector, SCM index, SCM object) {
  return PutElement("arena-vector-insert!", vector, index, object, true);
}
static SCM VectorPush(SCM vector, SCM object) {
  return PutElement("arena-vector-push!", vector, SCM_BOOL_F, object, false);
}

static SCM VectorDelete(SCM vector, SCM index, SCM count) {
  WHO("arena-vector-delete!");
  const acre_ref* ref = HostRefOf(who, 1, vector, ACRE_VECTOR);
  const size_t many = SCM_UNBNDP(count) ? 1 : HostSize(who, 3, count);
  const int status = acre_vector_erase(ref, HostSize(who, 2, index), many);
  if (status != ACRE_OK) HostFail(who, status, NULL, scm_list_2(vector, index));
  return SCM_UNSPECIFIED;
}

static SCM VectorResize(SCM vector, SCM size) {
  WHO("arena-vector-resize!");
  const acre_ref* ref = HostRefOf(who, 1, vector, ACRE_VECTOR);
  HostCheck(who, acre_vector_resize(ref, HostSize(who, 2, size)), vector);
  return SCM_UNSPECIFIED;
}

static SCM VectorSort(SCM vector) {
  WHO("arena-vector-sort!");
  HostCheck(who, acre_vector_sort(HostRefOf(who, 1, vector, ACRE_VECTOR)),
            vector);
  return SCM_UNSPECIFIED;
}

/* ---------------------------------------------------------------- strings */

static SCM MakeString(SCM arena) {
  return Make("arena-string", arena, ACRE_BUILDER);
}

static SCM StringAppend(SCM string, SCM object) {
  WHO("arena-string-append!");
  const acre_ref* ref = HostRefOf(who, 1, string, ACRE_BUILDER);
  HostRequire(who, 2, object);
  HostValue in = HostIn(object);
  const int status = acre_builder_append_value(ref, &in.value);
  HostDone(&in);
  if (status != ACRE_OK) {
    HostFail(who, status, NULL, scm_list_2(string, object));
  }
  scm_remember_upto_here_1(object);
  return SCM_UNSPECIFIED;
}

static SCM StringText(SCM string) {
  WHO("arena-string->string");
  const char* data = NULL;
  size_t size = 0;
  const acre_ref* ref = HostRefOf(who, 1, string, ACRE_BUILDER);
  HostCheck(who, acre_builder_text(ref, &data, &size), string);
  SCM text = HostString(data, size);
  scm_remember_upto_here_1(string);
  return text;
}

static SCM StringSize(SCM string) {
  return Size("arena-string-length", string, ACRE_BUILDER);
}

static SCM StringTruncate(SCM string, SCM size) {
  WHO("arena-string-truncate!");
  const acre_ref* ref = HostRefOf(who, 1, string, ACRE_BUILDER);
  const int status = acre_builder_truncate(ref, HostSize(who, 2, size));
  if (status != ACRE_OK) HostFail(who, status, NULL, scm_list_2(string, size));
  return SCM_UNSPECIFIED;
}

/* ---------------------------------------------------------------- printing */

static int PrintArena(SCM handle, SCM port, scm_print_state* state) {
  (void)state;
  acre_arena* arena = (acre_arena*)SCM_SMOB_DATA_1(handle);
  acre_stats stats;
  memset(&stats, 0, sizeof stats);
  stats.size = sizeof stats;
  scm_puts("#<arena ", port);
  scm_write(SCM_PACK(SCM_SMOB_DATA_2(handle)), port);
  if (arena == NULL) {
    scm_puts(" ended>", port);
  } else if (acre_arena_stats(arena, &stats) == ACRE_OK) {
    scm_puts(" ", port);
    scm_write(scm_from_size_t(stats.live), port);
    scm_puts(" bytes live>", port);
  } else {
    scm_puts(">", port);
  }
  return 1;
}

static int PrintRef(SCM handle, SCM port, scm_print_state* state) {
  (void)state;
  const bool is_map = HostKind(handle) == ACRE_MAP;
  const bool is_vector = HostKind(handle) == ACRE_VECTOR;
  size_t size = 0;
  const int status = SizeOf(handle, &size);
  scm_puts(is_map      ? "#<arena-map "
           : is_vector ? "#<arena-vector "
                       : "#<arena-string ",
           port);
  if (status != ACRE_OK) {
    scm_puts(acre_status_name(status), port);
  } else {
    const char* name = acre_arena_name(HostRef(handle)->base);
    scm_write(HostString(name, strlen(name)), port);
    scm_puts(" ", port);
    scm_write(scm_from_size_t(size), port);
    scm_puts(is_map ? " entr" : is_vector ? " element" : " byte", port);
    scm_puts(is_map ? (size == 1 ? "y" : "ies") : (size == 1 ? "" : "s"), port);
  }
  scm_puts(">", port);
  scm_remember_upto_here_1(handle);
  return 1;
}

/* -------------------------------------------------------------------- init */

static void Define(const char* name, int required, int optional, void* call) {
  scm_c_define_gsubr(name, required, optional, 0, call);
}

void acre_guile_init(void);

void acre_guile_init(void) {
  if (acre_c_abi() != ACRE_C_ABI) {
    scm_misc_error("acre", "built for another libacre-c: build it again",
                   SCM_EOL);
  }
  host_arena_tag = scm_make_smob_type("arena", 0);
  host_ref_tag = scm_make_smob_type("arena-ref", 0);
  scm_set_smob_print(host_arena_tag, PrintArena);
  scm_set_smob_print(host_ref_tag, PrintRef);
  scm_set_smob_equalp(host_ref_tag, IsSame);

  Define("%make-arena", 3, 0, MakeArena);
  Define("%end-arena!", 1, 0, EndArena);
  Define("%arena-pointer", 1, 0, ArenaPointer);
  Define("%arena-checkpoint", 1, 0, Checkpoint);
  Define("%arena-rewind!", 2, 0, Rewind);
  Define("%audit-lines", 1, 0, AuditLines);
  Define("%finding-lines", 1, 0, FindingLines);
  Define("arena?", 1, 0, IsArena);
  Define("arena-name", 1, 0, ArenaName);
  Define("arena-reset!", 1, 1, ResetArena);
  Define("arena-stats", 1, 0, Stats);
  Define("set-arena-byte-limit!", 2, 0, SetByteLimit);
  Define("arena-live?", 1, 0, IsLive);
  Define("arena-free!", 1, 0, Free);
  Define("arena-copy", 2, 0, Copy);
  Define("arena-map", 1, 1, MakeMap);
  Define("arena-map?", 1, 0, IsMap);
  Define("arena-map-ref", 2, 1, MapRef);
  Define("arena-map-set!", 3, 0, MapSet);
  Define("arena-map-delete!", 2, 0, MapDelete);
  Define("%arena-map-size", 1, 0, MapSize);
  Define("arena-map-clear!", 1, 0, MapClear);
  Define("%cursor", 0, 0, MapCursor);
  Define("%next-entry", 3, 0, MapNext);
  Define("arena-vector", 1, 1, MakeVector);
  Define("arena-vector?", 1, 0, IsVector);
  Define("arena-vector-length", 1, 0, VectorSize);
  Define("arena-vector-ref", 2, 0, VectorRef);
  Define("arena-vector-set!", 3, 0, VectorSet);
  Define("arena-vector-insert!", 3, 0, VectorInsert);
  Define("arena-vector-push!", 2, 0, VectorPush);
  Define("arena-vector-delete!", 2, 1, VectorDelete);
  Define("arena-vector-resize!", 2, 0, VectorResize);
  Define("%arena-vector-sort!", 1, 0, VectorSort);
  Define("%arena-string", 1, 0, MakeString);
  Define("arena-string?", 1, 0, IsString);
  Define("%arena-string-append!", 2, 0, StringAppend);
  Define("arena-string->string", 1, 0, StringText);
  Define("arena-string-length", 1, 0, StringSize);
  Define("arena-string-truncate!", 2, 0, StringTruncate);
}
