# SPDX-License-Identifier: MIT
"""Reading memory, and saying what is wrong with what stands there."""

import gdb

WORD = 8
ALL = (1 << 64) - 1
# More steps than this along a list: its links are overwritten.
LIST_MAX = 1 << 20
NAME_MAX = 200


class Fault(Exception):
    """Why an object cannot be shown; `text` stands in its place."""

    def __init__(self, text):
        super().__init__(text)
        self.text = "<" + text + ">"


class Corrupt(Fault):
    def __init__(self, why):
        super().__init__("corrupt: " + why)


class GivenUp(Fault):
    """What was there has been given back: no object is there any more."""


def plural(count, noun):
    return "%d %s%s" % (count, noun, "" if count == 1 else "s")


def quoted(name):
    return '"' + name + '"'


def read(address, size, what):
    """Bytes. `what` names them, for the fault."""
    if size == 0:
        return b""
    try:
        if not 0 < address <= ALL - size:
            raise gdb.MemoryError
        return bytes(gdb.selected_inferior().read_memory(address, size))
    except (gdb.error, OverflowError, ValueError):
        raise Corrupt("%s at %#x cannot be read" % (what, address)) from None


def integer(data):
    return int.from_bytes(data, "little")


def word(address, what, size=WORD):
    return integer(read(address, size, what))


def text(address, what):
    """What ends with NUL, cut where it is long; never a reason to fail long."""
    data = b""
    while len(data) < NAME_MAX:
        # Up to the next multiple of 64: the page behind may not be there.
        piece = read(address + len(data), 64 - (address + len(data)) % 64, what)
        end = piece.find(b"\0")
        if end >= 0:
            return show(data + piece[:end])
        data += piece
    return show(data[:NAME_MAX]) + "..."


def show(data):
    """Text for a terminal, whatever the bytes are."""
    decoded = data.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else "\\x%02x" % ord(c)
                   for c in decoded)


def along(first, next_of, what):
    """The addresses of a list; `next_of` gives the next one's, or 0."""
    steps = 0
    while first != 0:
        yield first
        steps += 1
        if steps > LIST_MAX:
            raise Corrupt(what + " does not end")
        first = next_of(first)
