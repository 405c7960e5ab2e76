# SPDX-License-Identifier: MIT
"""What `print` shows of acre's types."""

import re

import gdb
import gdb.printing

from . import library
from .arenas import Arena, check_fill, check_storage
from .memory import (ALL, Corrupt, Fault, GivenUp, integer, plural,
                     quoted, read)

_TYPE = re.compile(r"acre::(?:([a-z]+_v[0-9]+)::)?"
                   r"(Arena|Mark|ArenaRef|WeakArenaRef|String|Vector|Map|Set)"
                   r"(?:<.*>)?$", re.DOTALL)


class Printer:
    """Shows one object; what is wrong with it is told in its place. Whatever
    is read may be overwritten, so every step may end with a Fault."""

    def __init__(self, value, mode):
        self.value = value
        self.library = library.find(mode)
        self._state = None  # what look() returned, or the Fault

    def look(self):
        """What the object is. May fail with a Fault."""
        raise NotImplementedError

    def title(self, state):
        raise NotImplementedError

    def state(self):
        """Looked at once. A printer whose state is a Fault is not used."""
        if self._state is None:
            try:
                self._state = self.look()
            except Fault as fault:
                self._state = fault
            except (gdb.error, RuntimeError, ValueError, OverflowError) as e:
                self._state = Corrupt(str(e))
        return self._state

    def to_string(self):
        try:
            return self.title(self.state())
        except Fault as fault:
            return fault.text
        except (gdb.error, RuntimeError, ValueError, OverflowError) as e:
            return Corrupt(str(e)).text

    def required_library(self):
        """For what libacre alone can tell."""
        if self.library is None:
            raise Fault("no libacre tells where it is: is the program running?")
        return self.library

    def address(self):
        """Of the object; None where it is not in memory."""
        at = self.value.address
        return None if at is None else int(at)


class Container(Printer):
    """With elements(state): pairs of a name and a value."""

    def children(self):
        try:
            yield from self.elements(self.state())
        except Fault as fault:
            yield "fault", fault.text

    def display_hint(self):
        return self.hint

    def check_place(self, begin, size):
        """A container that lies in its own elements would never end."""
        at = self.address()
        if at is not None and begin <= at < begin + size:
            raise Corrupt("its elements contain it")

    def argument(self, index):
        """An argument of its template, with its size."""
        kind = self.value.type.strip_typedefs().template_argument(index)
        if kind.strip_typedefs().sizeof == 0:
            raise Fault("the debug information does not describe %s" % kind)
        return kind


def at(kind, address):
    """A value that is read when it is shown."""
    return gdb.Value(address).cast(kind.unqualified().pointer()).dereference()


def round_up(size, multiple):
    return (size + multiple - 1) // multiple * multiple


class StringPrinter(Printer):
    """Up to 23 characters in the object, or a block: <acre/string.h>."""

    INLINE = 23
    FAR = 0xFF

    def look(self):
        data = self.bytes_of(self.value["rep_"]["chars"])
        tag = data[self.INLINE]
        if tag <= self.INLINE:
            size = self.INLINE - tag
            if data[size] != 0 and size != self.INLINE:
                raise Corrupt("no NUL ends it")
            return data[:size], size
        if tag != self.FAR:
            check_fill(self.library, tag * (ALL // 255))
            raise Corrupt("its tag is %d" % tag)
        begin, size, capacity, stamp = (
            integer(data[i:j]) for i, j in ((0, 8), (8, 12), (12, 16),
                                            (16, self.INLINE)))
        if size >= capacity:
            raise Corrupt("size %d over capacity %d" % (size, capacity - 1))
        check_storage(self.library, int(self.value["arena_"]), begin, capacity,
                      stamp)
        if read(begin + size, 1, "its end") != b"\0":
            raise Corrupt("no NUL ends it")
        return gdb.Value(begin).cast(_char().pointer()), size

    def bytes_of(self, chars):
        count = self.INLINE + 1
        if chars.address is not None:
            return read(int(chars.address), count, "it")
        return bytes(int(chars[i]) & 0xFF for i in range(count))

    def title(self, state):
        chars, size = state
        if size == 0:
            return ""
        if isinstance(chars, bytes):
            return gdb.Value(chars, _char().array(size - 1))
        return chars.lazy_string(length=size)  # as much as is shown is read

    def display_hint(self):
        return "string"


def _char():
    return gdb.lookup_type("char")


class VectorPrinter(Container):
    hint = "array"

    def look(self):
        rep = self.value["rep_"]
        arena, data = int(rep["arena"]), int(rep["data"])
        check_fill(self.library, arena)
        size, capacity = int(rep["size"]["count_"]), int(
            rep["capacity"]["count_"])
        if size > capacity:
            raise Corrupt("size %d over capacity %d" % (size, capacity))
        if (data == 0) != (capacity == 0):
            raise Corrupt("its data is at %#x, its capacity %d" %
                          (data, capacity))
        element = self.argument(0)
        if capacity != 0:
            self.check_place(data, capacity * element.sizeof)
            check_storage(self.library, arena, data, capacity * element.sizeof,
                          int(rep["stamp"]))
        return element, data, size, capacity

    def title(self, state):
        return "acre::Vector of size %d, capacity %d" % state[2:]

    def elements(self, state):
        element, data, size, _ = state
        for i in range(size):
            yield "[%d]" % i, at(element, data + i * element.sizeof)


class TablePrinter(Container):
    """Map and Set: containers/acre/detail/table_rep.h."""

    SLOTS = 15  # of a group
    GROUP = 16  # control bytes
    COUNT_MAX = 1 << 24  # control bytes that are counted to verify a size

    def slot(self):
        """Offsets and types of the parts of an element; size and alignment."""
        raise NotImplementedError

    def look(self):
        rep = self.value["table_"]["rep_"]
        arena, slots = int(rep["arena"]), int(rep["slots"])
        check_fill(self.library, arena)
        size, limit = int(rep["size"]), int(rep["limit"])
        parts, slot_size, align = self.slot()
        if slots == 0:
            if size != 0 or limit != 0:
                raise Corrupt("size %d without a table" % size)
            return parts, slot_size, 0, 0, 0, 0
        control, groups = int(rep["control"]), int(rep["mask"]) + 1
        if groups & (groups - 1) != 0 or (
                int(rep["shift"]) != 60 - groups.bit_length() + 1):
            raise Corrupt("it has %d groups" % groups)
        most = groups * self.SLOTS
        if limit > most:
            raise Corrupt("limit %d over %d slots" % (limit, most))
        if groups == 1:
            most = limit
        if size > most:
            raise Corrupt("size %d over capacity %d" % (size, most))
        head = round_up(groups * self.GROUP, max(align, self.GROUP))
        if slots != control + head:
            raise Corrupt("its slots are at %#x, its control bytes at %#x" %
                          (slots, control))
        total = head + most * slot_size
        self.check_place(control, total)
        check_storage(self.library, arena, control, total, int(rep["stamp"]))
        state = parts, slot_size, control, groups, slots, size
        if groups * self.GROUP <= self.COUNT_MAX:
            used = sum(1 for _ in self.used(state))
            if used != size:
                raise Corrupt("size %d, and %d slots in use" % (size, used))
        return state

    def used(self, state):
        """Addresses of the slots in use."""
        _, slot_size, control, groups, slots, _ = state
        step = 4096  # groups
        for first in range(0, groups, step):
            count = min(step, groups - first)
            data = read(control + first * self.GROUP, count * self.GROUP,
                        "its control bytes")
            for i, byte in enumerate(data):
                if byte != 0 and i % self.GROUP != self.SLOTS:
                    slot = (first + i // self.GROUP) * self.SLOTS + (
                        i % self.GROUP)
                    yield slots + slot * slot_size

    def title(self, state):
        return "acre::%s of size %d" % (self.kind, state[5])


class MapPrinter(TablePrinter):
    kind = "Map"
    hint = "map"

    def slot(self):
        key, value = self.argument(0), self.argument(1)
        align = max(key.alignof, value.alignof)
        second = round_up(key.sizeof, value.alignof)
        return ((0, key), (second, value)), round_up(second + value.sizeof,
                                                     align), align

    def elements(self, state):
        (_, key), (second, value) = state[0]
        for i, slot in enumerate(self.used(state)):
            yield "key %d" % i, at(key, slot)
            yield "value %d" % i, at(value, slot + second)


class SetPrinter(TablePrinter):
    kind = "Set"
    hint = "array"

    def slot(self):
        key = self.argument(0)
        return ((0, key),), key.sizeof, key.alignof

    def elements(self, state):
        for i, slot in enumerate(self.used(state)):
            yield "[%d]" % i, at(state[0][0][1], slot)


class ArenaPrinter(Printer):
    def look(self):
        address = self.address()
        if address is None:
            raise Fault("an arena that is not in memory")
        arena = Arena(self.required_library(), address)
        check_fill(self.library, arena.field("stamp_"))
        arena.check()
        return describe_arena(arena)

    def title(self, state):
        return "acre::Arena " + state


def describe_arena(arena):
    chunks, spares, held, used = arena.statistics()
    words = [plural(chunks, "chunk")]
    if spares != 0:
        words.append("%d spare" % spares)
    words.append("%s (%d in use)" % (plural(held, "byte"), used))
    words.append(plural(len(list(arena.marks())), "open mark"))
    if arena.is_collected():
        words.append("collected")
    return "%s: %s" % (quoted(arena.name()), ", ".join(words))


class MarkPrinter(Printer):
    def look(self):
        arena = int(self.value["arena_"])
        check_fill(self.library, arena)
        if arena == 0:
            return ()
        arena = Arena(self.required_library(), arena)
        arena.require("a mark of an arena that has ended")
        number = arena.mark_number(int(self.value["state_"]),
                                   int(self.value["stamp_"]))
        name = quoted(arena.name())
        if number == 0:
            raise GivenUp("a closed mark of the arena " + name)
        return number, name

    def title(self, state):
        if not state:
            return "acre::Mark of no arena"
        return "acre::Mark %d, open, of the arena %s" % state


class ArenaRefPrinter(Printer):
    """Shows the pointer, or why it must not be followed."""

    def look(self):
        pointer, base = self.value["pointer"], int(self.value["base"])
        check_fill(self.library, base)
        if base == 0:
            return pointer, None
        arena = Arena(self.required_library(), base)
        arena.require("a reference into an arena that has ended")
        if not arena.is_live(int(self.value["stamp"])):
            raise GivenUp("what it refers to was given up by a Reset or Rewind "
                          'of the arena "%s"' % arena.name())
        return pointer, quoted(arena.name())

    def title(self, state):
        pointer, name = state
        if int(pointer) == 0:
            return "acre::ArenaRef to nothing"
        if name is None:
            return "acre::ArenaRef to %#x, in no arena" % int(pointer)
        return "acre::ArenaRef to %#x, in the arena %s" % (int(pointer), name)

    def children(self):
        if int(self.state()[0]) != 0:
            yield "pointer", self.state()[0]


class WeakArenaRefPrinter(Printer):
    def look(self):
        entry, life = int(self.value["entry_"]), int(self.value["life_"])
        check_fill(self.library, entry)
        if entry == 0:
            return None
        library = self.required_library()
        lives = library.field(entry, "ArenaEntry.lives")
        address = library.arena_of(entry)
        if lives < life // 2:
            raise Corrupt("it is of life %d of %d" % (life // 2, lives))
        if address == 0 or lives != life // 2:
            raise GivenUp("a reference to an arena that is gone")
        return quoted(Arena(library, address).name())

    def title(self, state):
        if state is None:
            return "acre::WeakArenaRef to no arena"
        return "acre::WeakArenaRef to the arena " + state


class Told:
    """A Fault in place of an object. Without children: front ends show "{...}"
    for whatever could have some."""

    def __init__(self, fault):
        self.text = fault.text

    def to_string(self):
        return self.text


def unknown_version(mode):
    return Told(Fault("acre %s: these printers know %s" % (
        mode, " and ".join(library.MODES))))


_PRINTERS = {"Arena": ArenaPrinter, "Mark": MarkPrinter,
             "ArenaRef": ArenaRefPrinter, "WeakArenaRef": WeakArenaRefPrinter,
             "String": StringPrinter, "Vector": VectorPrinter,
             "Map": MapPrinter, "Set": SetPrinter}


class Lookup(gdb.printing.PrettyPrinter):
    """`disable pretty-printer global acre;Map` turns one off."""

    def __init__(self, name):
        super().__init__(name, [gdb.printing.SubPrettyPrinter(kind)
                                for kind in _PRINTERS])
        self._enabled = {part.name: part for part in self.subprinters}

    def __call__(self, value):
        kind = value.type
        if kind.code in (gdb.TYPE_CODE_REF, gdb.TYPE_CODE_RVALUE_REF):
            return None  # gdb asks again, for what it refers to
        name = kind.strip_typedefs().unqualified().tag
        match = name and _TYPE.match(name)
        if not match or not self._enabled[match[2]].enabled:
            return None
        if match[1] not in library.MODES:
            return unknown_version(match[1] or "of no version")
        printer = _PRINTERS[match[2]](value, match[1])
        state = printer.state()
        return Told(state) if isinstance(state, Fault) else printer
