/* SPDX-License-Identifier: MIT
 *
 * The C half of the Guile module, first part: handles, failures, and values
 * that go in and out.
 *
 * A handle is a smob of three words behind its tag. That of a map, vector or
 * string is an acre_ref, read in place; its kind stands in the flags. The
 * collector scans smobs: `base` keeps a collected arena alive, also where
 * interior pointers are off, as in Guile. That of an arena is its address, or 0
 * where it has ended, and its name.
 *
 * Nothing of acre's throws through these functions; nothing of Guile's jumps
 * through acre's.
 */

#ifndef ACRE_EXAMPLES_GUILE_VALUES_H_
#define ACRE_EXAMPLES_GUILE_VALUES_H_

#include <acre/acre.h>
#include <libguile.h>
#include <stdlib.h>
#include <string.h>

extern scm_t_bits host_arena_tag;
extern scm_t_bits host_ref_tag;

/* --------------------------------------------------------------- failures */

/* Raises the condition of a status; acre_error() is its message, if that is not
 * NULL. `irritants`: a list. */
SCM_NORETURN void HostFail(const char* who, int status, const char* message,
                           SCM irritants);

/* What acre said of the call that has just failed. */
static inline void HostCheck(const char* who, int status, SCM handle) {
  if (SCM_UNLIKELY(status != ACRE_OK)) {
    HostFail(who, status, NULL, scm_list_1(handle));
  }
}

/* A size or index, or a wrong-type-arg or out-of-range that names it. */
static inline size_t HostSize(const char* who, int position, SCM number) {
  if (SCM_UNLIKELY(!scm_is_exact_integer(number))) {
    scm_wrong_type_arg_msg(who, position, number, "exact integer");
  }
  if (SCM_UNLIKELY(!scm_is_unsigned_integer(number, 0, SIZE_MAX))) {
    scm_out_of_range_pos(who, number, scm_from_int(position));
  }
  return scm_to_size_t(number);
}

/* ---------------------------------------------------------------- handles */

static inline acre_kind HostKind(SCM handle) {
  return (acre_kind)SCM_SMOB_FLAGS(handle);
}

static inline const acre_ref* HostRef(SCM handle) {
  return (const acre_ref*)SCM_SMOB_OBJECT_1_LOC(handle);
}

SCM HostHandle(acre_kind kind, const acre_ref* ref);

/* The reference of a handle of that kind; a wrong-type-arg otherwise. */
static inline const acre_ref* HostRefOf(const char* who, int position,
                                        SCM handle, acre_kind kind) {
  if (SCM_UNLIKELY(!SCM_SMOB_PREDICATE(host_ref_tag, handle) ||
                   HostKind(handle) != kind)) {
    scm_wrong_type_arg_msg(who, position, handle,
                           kind == ACRE_MAP      ? "arena-map"
                           : kind == ACRE_VECTOR ? "arena-vector"
                                                 : "arena-string");
  }
  return HostRef(handle);
}

/* Of any kind. */
const acre_ref* HostAnyRef(const char* who, int position, SCM handle);

/* The arena of a handle; a wrong-type-arg for what is none, a stale-reference
 * where it has ended. */
acre_arena* HostArena(const char* who, int position, SCM handle);

/* ----------------------------------------------------------------- values */

/* A value on its way in, and the bytes that it borrows. */
typedef struct HostValue {
  acre_value value;
  char* owned; /* malloc'ed, or NULL */
} HostValue;

/* Raises where an object has no form in any arena: an integer of more than 64
 * bits, a fraction, a complex number. */
void HostRequire(const char* who, int position, SCM object);

/* An object as a value, to be ended by HostDone. Raises nothing that
 * HostRequire does not. */
HostValue HostIn(SCM object);

static inline void HostDone(HostValue* in) {
  if (in->owned != NULL) free(in->owned);
}

/* A value as an object: a copy, a handle, or the object itself. */
SCM HostOut(const acre_value* value);

/* UTF-8 as a string; what is none has question marks. */
SCM HostString(const char* data, size_t size);

#endif /* ACRE_EXAMPLES_GUILE_VALUES_H_ */
