# SPDX-License-Identifier: MIT
"""The commands: acre arenas, acre describe ADDRESS."""

import gdb

from . import arenas, library
from .memory import ALL, Fault, plural, quoted, show, read
from .printers import describe_arena


def libraries():
    """Fails with clear words where there is none."""
    found = library.find_all()
    if found:
        return found
    unknown = library.unknown_modes()
    if unknown:
        raise gdb.GdbError("acre %s: these commands know %s" % (
            ", ".join(unknown), " and ".join(library.MODES)))
    if gdb.selected_inferior().pid == 0:
        raise gdb.GdbError("The program is not being run.")
    raise gdb.GdbError("The program has no acre, or its symbols were stripped.")


def live_arenas(found):
    for entry in found.entries():
        address = found.arena_of(entry)
        if address != 0:
            yield arenas.Arena(found, address)


class Acre(gdb.Command):
    """Arenas of acre, as they stand in memory. No function is called."""

    def __init__(self):
        super().__init__("acre", gdb.COMMAND_DATA, prefix=True)


class AcreArenas(gdb.Command):
    """All living arenas that have chunks: address, name, size, open marks.
Usage: acre arenas"""

    def __init__(self):
        super().__init__("acre arenas", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        if argument:
            raise gdb.GdbError("acre arenas takes no argument")
        self.dont_repeat()
        count = 0
        found = libraries()
        for lib in found:
            try:
                for arena in live_arenas(lib):
                    mode = "" if len(found) == 1 else lib.mode + " "
                    print("%#x %s%s" % (arena.address, mode, _line_of(arena)))
                    count += 1
            except Fault as fault:
                print(fault.text)
        print(plural(count, "arena"))


def _line_of(arena):
    try:
        return describe_arena(arena)
    except Fault as fault:
        return fault.text


class AcreDescribe(gdb.Command):
    """What acre knows of an address: arena, chunk, block, type, live or freed.
Usage: acre describe ADDRESS
ADDRESS is an expression: a pointer or a number; of anything else, that is of a
variable, its address is taken. Release builds do not keep what blocks are."""

    def __init__(self):
        super().__init__("acre describe", gdb.COMMAND_DATA,
                         gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        if not argument:
            raise gdb.GdbError("Usage: acre describe ADDRESS")
        self.dont_repeat()
        address = _address(argument)
        for lib in libraries():
            try:
                lines = _describe(lib, address)
            except Fault as fault:
                lines = [fault.text]
            if lines:
                print("\n".join(lines))
                return
        print("%#x is in no arena" % address)


def _address(expression):
    try:
        value = gdb.parse_and_eval(expression)
    except gdb.error as error:
        raise gdb.GdbError(str(error)) from None
    kind = value.type.strip_typedefs()
    if kind.code in (gdb.TYPE_CODE_REF, gdb.TYPE_CODE_RVALUE_REF):
        value = value.referenced_value()
        kind = value.type.strip_typedefs()
    if kind.code in (gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_INT):
        return int(value) & ALL
    if value.address is None:
        raise gdb.GdbError("That has no address")
    return int(value.address)


def _describe(lib, address):
    """Lines; none where the library does not know the address."""
    chunk = lib.find_chunk(address)
    if chunk is not None:
        return _describe_in(lib, chunk, address)
    for chunk in lib.chunks_at(address):
        entry = lib.field(chunk, "Chunk.owner")
        name = "" if entry == 0 else show(
            read(entry + lib.constant("ArenaEntry.name"), 48,
                 "its name").split(b"\0")[0])
        return ["%#x was in an arena%s, which the collector has taken" % (
            address, " " + quoted(name) if name else "")]
    for arena in live_arenas(lib):
        size = lib.constant("sizeof(Arena)")
        if arena.address <= address < arena.address + size:
            return ["%#x is in the object of the arena %s" %
                    (address, describe_arena(arena))]
    return []


def _describe_in(lib, chunk, address):
    arena = arenas.Arena(lib, lib.arena_of(lib.field(chunk, "Chunk.owner")))
    begin = lib.field(chunk, "Chunk.begin")
    kind = "of one large block" if lib.field(chunk, "Chunk.is_large",
                                             1) else "of blocks"
    return [
        "%#x is in the arena %s" % (address, describe_arena(arena)),
        "  chunk: %#x to %#x, %s; offset %d" % (
            begin, lib.field(chunk, "Chunk.end"), kind, address - begin),
        "  block: " + _block_at(lib, arena, chunk, begin, address)]


def _block_at(lib, arena, chunk, begin, address):
    if address < begin:
        return "none, the chunk's first bytes are its source's"
    if not arena.is_in_use(chunk):
        return "none, the chunk is a spare"
    if address >= arena.top_of(chunk):
        return "none, not handed out"
    if not lib.is_checked:
        return "handed out, perhaps freed since: checked builds know"
    block = arenas.find_block(lib, chunk, address)
    if block is None:
        return "none, a gap"
    state = {arenas.LIVE: "live", arenas.FREED: "freed"}.get(
        block.state, "in no state")
    return "%s, %s at %#x, offset %d: %s%s" % (
        state, plural(block.bytes, "byte"), block.start, address - block.start,
        "storage of " if block.is_storage else "", block.contents())


def register():
    Acre()
    AcreArenas()
    AcreDescribe()
