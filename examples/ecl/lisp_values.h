/* SPDX-License-Identifier: MIT
 *
 * The C half of the ECL module, first part: Lisp objects to acre's values and
 * back. lisp_calls.h has the calls that Lisp makes; acre.lisp includes that,
 * and nothing else should.
 *
 * Functions that answer with a Lisp object answer OBJNULL where there is none,
 * and host_status then says why: an acre_status, or one of HostStatus.
 *
 * Between Begin and End runs nothing of Lisp's: interrupts wait (one that
 * unwound the stack would leave the arena half changed), and floating point
 * traps, which ECL switches on, are off, since a comparison with NaN would be
 * one (on x86 those of SSE: acre has no arithmetic of another kind). Memory is
 * taken with ecl_alloc_unprotected there, as ecl_alloc lets interrupts in.
 */

#ifndef ACRE_EXAMPLES_ECL_LISP_VALUES_H_
#define ACRE_EXAMPLES_ECL_LISP_VALUES_H_

#include <acre/acre.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE2__)
#include <xmmintrin.h>
#else
#include <fenv.h>
#endif

/* What this file refuses by itself. As much below zero for a key is
 * kHostOfKey + the number. */
enum HostStatus {
  kHostWrongHandle = -1, /* the first argument is not what is wanted */
  kHostEnded = -2,       /* the arena has been ended */
  kHostInteger = -3,     /* an integer beyond 64 bits */
  kHostNumber = -4,      /* a ratio, complex or long-float */
  kHostSymbol = -5,      /* a symbol that has no name in an arena */
  kHostIndex = -6,       /* no index at all, or behind the end */
  kHostMemory = -7,      /* malloc failed */
  kHostOfKey = -100
};

static __thread int host_status;

static cl_object HostFail(int status) {
  host_status = status;
  return OBJNULL;
}

/* The classes of the handles, by kind: [0] is the arena's. Lisp holds them. */
static cl_object host_classes[ACRE_OBJECT + 1];

/* ------------------------------------------------------- calls into acre */

typedef struct HostCall {
  cl_env_ptr env;
  int interrupts_were_disabled;
#if defined(__SSE2__)
  unsigned control;
#else
  fenv_t control;
#endif
} HostCall;

static inline HostCall Begin(void) {
  HostCall call;
  call.env = ecl_process_env();
  call.interrupts_were_disabled = call.env->disable_interrupts;
  if (!call.interrupts_were_disabled) {
    ecl_disable_interrupts_env(call.env);
  }
#if defined(__SSE2__)
  call.control = _mm_getcsr();
  _mm_setcsr(call.control | _MM_MASK_MASK);
#else
  feholdexcept(&call.control);
#endif
  return call;
}

static inline void End(HostCall call) {
#if defined(__SSE2__)
  _mm_setcsr(call.control);
#else
  fesetenv(&call.control);
#endif
  if (!call.interrupts_were_disabled) {
    ecl_enable_interrupts_env(call.env);
  }
}

/* --------------------------------------------------------------- handles */

static inline bool HostIs(cl_object x, uint32_t kind) {
  return ECL_INSTANCEP(x) && ECL_STRUCT_TYPE(x) == host_classes[kind];
}

/* NULL for an ended arena, and for what MAKE-INSTANCE has made. */
static inline void* HostData(cl_object handle) {
  cl_object data = ECL_STRUCT_SLOT(handle, 0);
  return ECL_FOREIGN_DATA_P(data) ? data->foreign.data : NULL;
}

/* The reference of a handle of that kind, or NULL. */
static inline acre_ref* HostRef(cl_object handle, uint32_t kind) {
  return HostIs(handle, kind) ? (acre_ref*)HostData(handle) : NULL;
}

/* The same for maps, vectors and builders. */
static acre_ref* HostAnyRef(cl_object handle) {
  uint32_t kind;
  for (kind = ACRE_MAP; kind <= ACRE_BUILDER; ++kind) {
    acre_ref* ref = HostRef(handle, kind);
    if (ref != NULL) {
      return ref;
    }
  }
  return NULL;
}

/* Writes the arena of a handle. */
static int HostArena(cl_object handle, acre_arena** arena) {
  if (!HostIs(handle, 0)) {
    return kHostWrongHandle;
  }
  *arena = (acre_arena*)HostData(handle);
  return *arena == NULL ? kHostEnded : ACRE_OK;
}

/* A handle of what *ref refers to; *ref lies in collected memory. Collected
 * arenas live by its `base`, a word that the collector scans. */
static cl_object HostHandle(cl_object arena, uint32_t kind, acre_ref* ref) {
  cl_object data = ecl_make_foreign_data(ECL_NIL, sizeof *ref, ref);
  return si_make_structure(3, host_classes[kind], data, arena);
}

/* ----------------------------------------------------------------- texts */

/* Bytes on the way into an arena: on the stack while they are few. */
typedef struct HostText {
  char* data;
  size_t size;
  size_t room;
  char small[256];
} HostText;

static inline void HostTextInit(HostText* text) {
  text->data = text->small;
  text->size = 0;
  text->room = sizeof text->small;
}

static inline void HostTextEnd(HostText* text) {
  if (text->data != text->small) {
    free(text->data);
  }
}

/* Room for so many bytes more. */
static bool HostTextReserve(HostText* text, size_t bytes) {
  size_t room = text->size + bytes;
  char* data;
  if (room <= text->room) {
    return true;
  }
  data = (char*)(text->data == text->small ? malloc(room)
                                           : realloc(text->data, room));
  if (data == NULL) {
    return false;
  }
  if (text->data == text->small) {
    memcpy(data, text->small, text->size);
  }
  text->data = data;
  text->room = room;
  return true;
}

static inline size_t HostEncode(uint32_t character, char* out) {
  if (character < 0x80) {
    out[0] = (char)character;
    return 1;
  }
  if (character < 0x800) {
    out[0] = (char)(0xC0 | character >> 6);
    out[1] = (char)(0x80 | (character & 0x3F));
    return 2;
  }
  if (character < 0x10000) {
    out[0] = (char)(0xE0 | character >> 12);
    out[1] = (char)(0x80 | (character >> 6 & 0x3F));
    out[2] = (char)(0x80 | (character & 0x3F));
    return 3;
  }
  out[0] = (char)(0xF0 | character >> 18);
  out[1] = (char)(0x80 | (character >> 12 & 0x3F));
  out[2] = (char)(0x80 | (character >> 6 & 0x3F));
  out[3] = (char)(0x80 | (character & 0x3F));
  return 4;
}

/* Reads one character of UTF-8; what is none is U+FFFD, byte by byte.
 * Surrogates are taken: Lisp characters may be some. */
static uint32_t HostDecode(const unsigned char** at, const unsigned char* end) {
  static const uint32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
  uint32_t first = *(*at)++, character;
  int more = first < 0x80   ? 0
             : first < 0xC2 ? -1
             : first < 0xE0 ? 1
             : first < 0xF0 ? 2
             : first < 0xF5 ? 3
                            : -1;
  int i;
  if (more == 0) {
    return first;
  }
  if (more < 0 || end - *at < more) {
    return 0xFFFD;
  }
  character = first & (0x3Fu >> more);
  for (i = 0; i < more; ++i) {
    if (((*at)[i] & 0xC0) != 0x80) {
      return 0xFFFD;
    }
    character = character << 6 | ((*at)[i] & 0x3F);
  }
  if (character < kLeast[more] || character > 0x10FFFF) {
    return 0xFFFD;
  }
  *at += more;
  return character;
}

static inline bool HostIsAscii(const void* data, size_t size) {
  const unsigned char* at = (const unsigned char*)data;
  uint64_t word, all = 0;
  for (; size >= sizeof word; size -= sizeof word, at += sizeof word) {
    memcpy(&word, at, sizeof word);
    all |= word;
  }
  for (; size > 0; --size) {
    all |= *at++;
  }
  return (all & UINT64_C(0x8080808080808080)) == 0;
}

/* Appends a Lisp string as UTF-8. */
static bool HostTextAppend(HostText* text, cl_object string) {
  size_t count = string->base_string.fillp, i;
  char* out;
  if (ECL_BASE_STRING_P(string)) {
    const ecl_base_char* in = string->base_string.self;
    if (!HostTextReserve(text, 2 * count)) {
      return false;
    }
    out = text->data + text->size;
    for (i = 0; i < count; ++i) {
      out += HostEncode(in[i], out);
    }
  } else {
    const ecl_character* in = string->string.self;
    if (!HostTextReserve(text, 4 * count)) {
      return false;
    }
    out = text->data + text->size;
    for (i = 0; i < count; ++i) {
      out += HostEncode((uint32_t)in[i], out);
    }
  }
  text->size = (size_t)(out - text->data);
  return true;
}

/* --------------------------------------------------- from Lisp into values */

/* Field by field: a struct that is built and copied costs more than a look-up
 * has to spend. */
static inline int HostSetText(acre_value* value, acre_kind kind,
                              const void* data, size_t size) {
  value->kind = (uint32_t)kind;
  value->reserved = 0;
  value->as.text.data = (const char*)data;
  value->as.text.size = size;
  return ACRE_OK;
}

static inline int HostSetInteger(acre_value* value, int64_t integer) {
  value->kind = ACRE_INT;
  value->reserved = 0;
  value->as.integer = integer;
  return ACRE_OK;
}

static int HostFromString(cl_object x, acre_value* value, HostText* text) {
  if (ECL_BASE_STRING_P(x) &&
      HostIsAscii(x->base_string.self, x->base_string.fillp)) {
    return HostSetText(value, ACRE_TEXT, x->base_string.self,
                       x->base_string.fillp);
  }
  if (!HostTextAppend(text, x)) {
    return kHostMemory;
  }
  return HostSetText(value, ACRE_TEXT, text->data, text->size);
}

static bool HostHasColon(cl_object string) {
  size_t i;
  for (i = 0; i < string->base_string.fillp; ++i) {
    if (ecl_char(string, i) == ':') {
      return true;
    }
  }
  return false;
}

/* "PACKAGE:NAME", ":NAME" for keywords. Without a home a symbol is an object.
 */
static int HostFromSymbol(cl_object x, acre_value* value, HostText* text) {
  cl_object package = x->symbol.hpack;
  if (x == ECL_T) {
    *value = acre_bool(true);
    return ACRE_OK;
  }
  if (package == OBJNULL || Null(package)) {
    *value = acre_object(x);
    return ACRE_OK;
  }
  if (package != cl_core.keyword_package) {
    if (Null(package->pack.name) || HostHasColon(package->pack.name) ||
        package->pack.name->base_string.fillp == 0) {
      return kHostSymbol;
    }
    if (!HostTextAppend(text, package->pack.name)) {
      return kHostMemory;
    }
  }
  if (!HostTextReserve(text, 1)) {
    return kHostMemory;
  }
  text->data[text->size++] = ':';
  if (!HostTextAppend(text, x->symbol.name)) {
    return kHostMemory;
  }
  return HostSetText(value, ACRE_SYMBOL, text->data, text->size);
}

static int HostFromBignum(cl_object x, acre_value* value) {
  if (!mpz_fits_slong_p(x->big.big_num)) {
    return kHostInteger;
  }
  return HostSetInteger(value, mpz_get_si(x->big.big_num));
}

static int HostFromInstance(cl_object x, acre_value* value) {
  uint32_t kind;
  for (kind = ACRE_MAP; kind <= ACRE_BUILDER; ++kind) {
    const acre_ref* ref = HostRef(x, kind);
    if (ref != NULL) {
      *value = acre_shared((acre_kind)kind, *ref);
      return ACRE_OK;
    }
  }
  *value = acre_object(x);
  return ACRE_OK;
}

static int HostFromOther(cl_object x, cl_type type, acre_value* value) {
  if (ECL_NUMBER_TYPE_P(type)) {
    return kHostNumber;
  }
  if (type == t_vector && x->vector.elttype == ecl_aet_b8) {
    return HostSetText(value, ACRE_BYTES, x->vector.self.b8, x->vector.fillp);
  }
  *value = acre_object(x);
  return ACRE_OK;
}

/* The value refers to x and to *text: both must stay until acre has it. */
static int HostFromLisp(cl_object x, acre_value* value, HostText* text) {
  cl_type type = ecl_t_of(x);
  switch (type) {
    case t_fixnum:
      return HostSetInteger(value, ecl_fixnum(x));
    case t_base_string:
    case t_string:
      return HostFromString(x, value, text);
    case t_list:
      *value = Null(x) ? acre_null() : acre_object(x);
      return ACRE_OK;
    case t_symbol:
      return HostFromSymbol(x, value, text);
    case t_character:
      *value = acre_char((uint32_t)ECL_CHAR_CODE(x));
      return ACRE_OK;
    case t_singlefloat:
      *value = acre_double(ecl_single_float(x));
      return ACRE_OK;
    case t_doublefloat:
      *value = acre_double(ecl_double_float(x));
      return ACRE_OK;
    case t_bignum:
      return HostFromBignum(x, value);
    case t_instance:
      return HostFromInstance(x, value);
    default:
      return HostFromOther(x, type, value);
  }
}

/* --------------------------------------------------- from values into Lisp */

/* A value that has left its arena: texts and references are copied into
 * collected memory, from which Lisp objects are made after End. */
typedef struct HostFound {
  acre_value value;
  void* copy;
  size_t size; /* of texts: characters */
  bool wide;   /* characters of 4 bytes */
} HostFound;

static int HostTakeWide(HostFound* found) {
  const unsigned char* begin = (const unsigned char*)found->value.as.text.data;
  const unsigned char* end = begin + found->value.as.text.size;
  const unsigned char* at;
  ecl_character* out;
  found->size = 0;
  for (at = begin; at < end; ++found->size) {
    HostDecode(&at, end);
  }
  out = (ecl_character*)ecl_alloc_atomic_unprotected((found->size + 1) *
                                                     sizeof *out);
  if (out == NULL) {
    return kHostMemory;
  }
  found->copy = out;
  found->wide = true;
  for (at = begin; at < end;) {
    *out++ = (ecl_character)HostDecode(&at, end);
  }
  *out = 0;
  return ACRE_OK;
}

static int HostTakeBytes(HostFound* found) {
  size_t size = found->value.as.text.size;
  char* copy = (char*)ecl_alloc_atomic_unprotected(size + 1);
  if (copy == NULL) {
    return kHostMemory;
  }
  if (size > 0) {
    memcpy(copy, found->value.as.text.data, size);
  }
  copy[size] = 0;
  found->copy = copy;
  found->size = size;
  found->wide = false;
  return ACRE_OK;
}

static int HostTakeRef(HostFound* found) {
  acre_ref* copy = (acre_ref*)ecl_alloc_unprotected(sizeof *copy);
  if (copy == NULL) {
    return kHostMemory;
  }
  *copy = found->value.as.ref;
  found->copy = copy;
  return ACRE_OK;
}

/* To be called before End, as texts are borrowed. */
static int HostTake(HostFound* found) {
  switch (found->value.kind) {
    case ACRE_TEXT:
    case ACRE_SYMBOL:
      return HostIsAscii(found->value.as.text.data, found->value.as.text.size)
                 ? HostTakeBytes(found)
                 : HostTakeWide(found);
    case ACRE_BYTES:
      return HostTakeBytes(found);
    case ACRE_MAP:
    case ACRE_VECTOR:
    case ACRE_BUILDER:
      return HostTakeRef(found);
    default:
      return ACRE_OK;
  }
}

static cl_object HostGiveString(const HostFound* found) {
  cl_object x;
  if (found->wide) {
    x = ecl_alloc_object(t_string);
    x->string.self = (ecl_character*)found->copy;
    x->string.elttype = ecl_aet_ch;
  } else {
    x = ecl_alloc_object(t_base_string);
    x->base_string.self = (ecl_base_char*)found->copy;
    x->base_string.elttype = ecl_aet_bc;
  }
  x->base_string.flags = 0;
  x->base_string.displaced = ECL_NIL;
  x->base_string.dim = x->base_string.fillp = found->size;
  return x;
}

static cl_object HostGiveBytes(const HostFound* found) {
  cl_object x = ecl_alloc_object(t_vector);
  x->vector.self.b8 = (uint8_t*)found->copy;
  x->vector.elttype = ecl_aet_b8;
  x->vector.flags = 0;
  x->vector.displaced = ECL_NIL;
  x->vector.dim = x->vector.fillp = found->size;
  x->vector.offset = 0;
  return x;
}

/* Interned again where it is not any more; OBJNULL where its package is gone.
 */
static cl_object HostGiveSymbol(const HostFound* found) {
  cl_object text = HostGiveString(found), package = cl_core.keyword_package;
  size_t colon = 0;
  int flag;
  while (colon < found->size && ecl_char(text, colon) != ':') {
    ++colon;
  }
  if (colon == found->size) {
    return ecl_intern(text, package, &flag);
  }
  if (colon > 0) {
    package = cl_find_package(
        cl_subseq(3, text, ecl_make_fixnum(0), ecl_make_fixnum(colon)));
    if (Null(package)) {
      return HostFail(kHostSymbol);
    }
  }
  return ecl_intern(cl_subseq(2, text, ecl_make_fixnum(colon + 1)), package,
                    &flag);
}

/* To be called after End. `arena` is the handle of what it was found in. */
static cl_object HostGive(const HostFound* found, cl_object arena) {
  switch (found->value.kind) {
    case ACRE_BOOL:
      return ecl_make_bool(found->value.as.boolean);
    case ACRE_INT:
      return ecl_make_int64_t(found->value.as.integer);
    case ACRE_DOUBLE:
      return ecl_make_double_float(found->value.as.number);
    case ACRE_CHAR:
      return ECL_CODE_CHAR((cl_fixnum)found->value.as.character);
    case ACRE_TEXT:
      return HostGiveString(found);
    case ACRE_SYMBOL:
      return HostGiveSymbol(found);
    case ACRE_BYTES:
      return HostGiveBytes(found);
    case ACRE_MAP:
    case ACRE_VECTOR:
    case ACRE_BUILDER:
      return HostHandle(arena, found->value.kind, (acre_ref*)found->copy);
    case ACRE_OBJECT:
      return (cl_object)found->value.as.object;
    default:
      return ECL_NIL;
  }
}

#endif /* ACRE_EXAMPLES_ECL_LISP_VALUES_H_ */
