# SPDX-License-Identifier: MIT
"""The C API through a foreign function interface that knows no header: ctypes.

What a binding for another language has to declare is what stands here. The
argument is the path of libacre-c.
"""

import ctypes
import json
import sys
from ctypes import (CFUNCTYPE, POINTER, Structure, Union, byref, c_bool,
                    c_char_p, c_double, c_int, c_int64, c_size_t, c_uint32,
                    c_uint64, c_void_p)


class Ref(Structure):
    _fields_ = [("pointer", c_void_p), ("base", c_void_p),
                ("stamp", c_uint64)]


class Text(Structure):
    _fields_ = [("data", c_void_p), ("size", c_size_t)]


class As(Union):
    _fields_ = [("boolean", c_bool), ("integer", c_int64),
                ("number", c_double), ("character", c_uint32), ("text", Text),
                ("ref", Ref), ("object", c_void_p)]


class Value(Structure):
    _fields_ = [("kind", c_uint32), ("reserved", c_uint32), ("as_", As)]


class Cursor(Structure):
    _fields_ = [("words", c_uint64 * 8)]


INT, DOUBLE, TEXT, MAP, VECTOR = 2, 3, 5, 8, 9
OK, ABSENT, STALE, WRONG_KIND = 0, 1, 2, 3
WRITE = CFUNCTYPE(None, c_void_p, c_void_p, c_size_t)

acre = ctypes.CDLL(sys.argv[1])
acre.acre_error.restype = c_char_p
acre.acre_arena_new.restype = c_void_p
for name in ("end", "reset", "audit"):
    getattr(acre, "acre_arena_" + name).argtypes = (
        [c_void_p, WRITE, c_void_p] if name == "audit" else
        [c_void_p] if name == "end" else [c_void_p, c_int])
for name in ("map_new", "vector_new"):
    getattr(acre, "acre_" + name).argtypes = [c_void_p, POINTER(Ref)]


def value_of(x):
    """A value, and what it borrows."""
    value = Value()
    if isinstance(x, str):
        data = x.encode()
        buffer = ctypes.create_string_buffer(data, len(data) + 1)
        value.kind = TEXT
        value.as_.text = Text(ctypes.addressof(buffer), len(data))
        return value, buffer
    if isinstance(x, Ref):
        value.kind = MAP
        value.as_.ref = x
    elif isinstance(x, float):
        value.kind = DOUBLE
        value.as_.number = x
    else:
        value.kind = INT
        value.as_.integer = x
    return value, None


def python_of(value):
    if value.kind == TEXT:
        return ctypes.string_at(value.as_.text.data,
                                value.as_.text.size).decode()
    return {INT: value.as_.integer, DOUBLE: value.as_.number,
            MAP: value.as_.ref}[value.kind]


def put(table, key, x):
    of, _kept = value_of(key)
    value, _kept_too = value_of(x)
    return acre.acre_map_set(byref(table), byref(of), byref(value))


def get(table, key):
    of, _kept = value_of(key)
    found = Value()
    status = acre.acre_map_get(byref(table), byref(of), byref(found))
    return python_of(found) if status == OK else status


def entries(table):
    cursor, key, value = Cursor(), Value(), Value()
    while acre.acre_map_next(byref(table), byref(cursor), byref(key),
                             byref(value)) == OK:
        yield python_of(key), python_of(value)


def main():
    assert ctypes.sizeof(Value) == 32 and ctypes.sizeof(Ref) == 24
    assert acre.acre_c_abi() == 1
    arena = acre.acre_arena_new(None)
    table, inner, items = Ref(), Ref(), Ref()
    assert acre.acre_map_new(arena, byref(table)) == OK
    assert acre.acre_map_new(arena, byref(inner)) == OK
    assert acre.acre_vector_new(arena, byref(items)) == OK
    for i in range(20000):
        assert put(table, f"key {i} ü", i) == OK
    assert put(table, 2.5, "two and a half") == OK
    assert put(table, "inner", inner) == OK
    assert put(inner, 7, "sieben") == OK
    assert all(get(table, f"key {i} ü") == i for i in range(20000))
    assert get(table, 2.5) == "two and a half"
    assert get(get(table, "inner"), 7) == "sieben"
    assert get(table, "none") == ABSENT
    assert sum(1 for _ in entries(table)) == 20002
    for i in (3, 1, 2):
        value, _ = value_of(i)
        assert acre.acre_vector_push(byref(items), byref(value)) == OK
    assert acre.acre_vector_sort(byref(items)) == OK
    value = Value()
    acre.acre_vector_get(byref(items), c_size_t(0), byref(value))
    assert python_of(value) == 1
    assert put(items, 1, 1) == WRONG_KIND
    assert acre.acre_error() == \
        b"acre: arena 'arena': a vector was used as a map"

    lines = []
    write = WRITE(lambda _, text, size:
                  lines.append(ctypes.string_at(text, size).decode()))
    assert acre.acre_ref_audit(byref(table), write, None) == OK
    records = [json.loads(line) for line in "".join(lines).splitlines()]
    assert records[0]["leaks"] == 0 and records[-1]["record"] == "summary"

    assert acre.acre_arena_reset(arena, 0) == OK
    assert get(table, 2.5) == STALE
    assert acre.acre_arena_end(arena) == OK
    assert get(inner, 7) == STALE


main()
