/* SPDX-License-Identifier: MIT */

#include "values.h"

scm_t_bits host_arena_tag;
scm_t_bits host_ref_tag;

/* --------------------------------------------------------------- failures */

void HostFail(const char* who, int status, const char* message, SCM irritants) {
  static SCM raise_variable = SCM_BOOL_F;
  if (scm_is_false(raise_variable)) {
    raise_variable = scm_c_private_lookup("acre", "raise-failure");
  }
  scm_call_4(scm_variable_ref(raise_variable), scm_from_utf8_symbol(who),
             scm_from_utf8_string(acre_status_name(status)),
             scm_from_utf8_string(message != NULL ? message : acre_error()),
             irritants);
  abort(); /* it does not return */
}

/* ---------------------------------------------------------------- handles */

SCM HostHandle(acre_kind kind, const acre_ref* ref) {
  SCM handle =
      scm_new_double_smob(host_ref_tag, (scm_t_bits)ref->pointer,
                          (scm_t_bits)ref->base, (scm_t_bits)ref->stamp);
  SCM_SET_SMOB_FLAGS(handle, (scm_t_bits)kind);
  return handle;
}

const acre_ref* HostAnyRef(const char* who, int position, SCM handle) {
  if (!SCM_SMOB_PREDICATE(host_ref_tag, handle)) {
    scm_wrong_type_arg_msg(who, position, handle,
                           "arena-map, arena-vector or arena-string");
  }
  return HostRef(handle);
}

acre_arena* HostArena(const char* who, int position, SCM handle) {
  if (!SCM_SMOB_PREDICATE(host_arena_tag, handle)) {
    scm_wrong_type_arg_msg(who, position, handle, "arena");
  }
  if (SCM_SMOB_DATA_1(handle) == 0) {
    HostFail(who, ACRE_STALE, "the arena has ended", scm_list_1(handle));
  }
  return (acre_arena*)SCM_SMOB_DATA_1(handle);
}

/* ----------------------------------------------------------------- values */

static HostValue OwnText(acre_kind kind, SCM string) {
  HostValue in = {acre_null(), NULL};
  size_t size = 0;
  in.owned = scm_to_utf8_stringn(string, &size);
  in.value = acre_text(in.owned, size);
  in.value.kind = (uint32_t)kind;
  return in;
}

void HostRequire(const char* who, int position, SCM object) {
  if (SCM_I_INUMP(object) || !scm_is_number(object)) return;
  if (scm_is_exact_integer(object)) {
    if (!scm_is_signed_integer(object, INT64_MIN, INT64_MAX)) {
      scm_out_of_range_pos(who, object, scm_from_int(position));
    }
  } else if (!scm_is_real(object) || scm_is_false(scm_inexact_p(object))) {
    scm_wrong_type_arg_msg(who, position, object,
                           "integer of 64 bits or inexact real");
  }
}

HostValue HostIn(SCM object) {
  HostValue in = {acre_null(), NULL};
  if (SCM_I_INUMP(object)) {
    in.value = acre_int(SCM_I_INUM(object));
  } else if (scm_is_string(object)) {
    in = OwnText(ACRE_TEXT, object);
  } else if (scm_is_symbol(object)) {
    in = OwnText(ACRE_SYMBOL, scm_symbol_to_string(object));
  } else if (scm_is_exact_integer(object)) {
    in.value = acre_int(scm_to_int64(object));
  } else if (scm_is_real(object)) {
    in.value = acre_double(scm_to_double(object));
  } else if (SCM_SMOB_PREDICATE(host_ref_tag, object)) {
    in.value = acre_shared(HostKind(object), *HostRef(object));
  } else if (scm_is_bool(object)) {
    in.value = acre_bool(scm_is_true(object));
  } else if (SCM_CHARP(object)) {
    in.value = acre_char(SCM_CHAR(object));
  } else if (scm_is_bytevector(object)) {
    in.value = acre_bytes(SCM_BYTEVECTOR_CONTENTS(object),
                          scm_c_bytevector_length(object));
  } else if (!scm_is_null(object)) {
    in.value = acre_object(SCM_UNPACK_POINTER(object));
  }
  return in;
}

SCM HostString(const char* data, size_t size) {
  size_t i = 0;
  while (i < size && (unsigned char)data[i] < 0x80) ++i;
  if (i == size) return scm_from_latin1_stringn(data, size);
  return scm_from_stringn(data, size, "UTF-8",
                          SCM_FAILED_CONVERSION_QUESTION_MARK);
}

static SCM Bytes(const char* data, size_t size) {
  SCM bytes = scm_c_make_bytevector(size);
  if (size != 0) memcpy(SCM_BYTEVECTOR_CONTENTS(bytes), data, size);
  return bytes;
}

SCM HostOut(const acre_value* value) {
  switch (value->kind) {
    case ACRE_BOOL:
      return scm_from_bool(value->as.boolean);
    case ACRE_INT:
      return scm_from_int64(value->as.integer);
    case ACRE_DOUBLE:
      return scm_from_double(value->as.number);
    case ACRE_CHAR:
      return scm_integer_to_char(scm_from_uint32(value->as.character));
    case ACRE_TEXT:
      return HostString(value->as.text.data, value->as.text.size);
    case ACRE_SYMBOL:
      return scm_string_to_symbol(
          HostString(value->as.text.data, value->as.text.size));
    case ACRE_BYTES:
      return Bytes(value->as.text.data, value->as.text.size);
    case ACRE_MAP:
    case ACRE_VECTOR:
    case ACRE_BUILDER:
      return HostHandle((acre_kind)value->kind, &value->as.ref);
    case ACRE_OBJECT:
      return SCM_PACK_POINTER(value->as.object);
    default:
      return SCM_EOL;
  }
}
