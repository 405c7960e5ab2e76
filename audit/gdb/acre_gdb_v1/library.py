# SPDX-License-Identifier: MIT
"""What a program's acre says of itself: lib/core/for_debuggers.h.

A program may have two, one of each mode; several copies of the same mode share
one index.
"""

import gdb

from .memory import (LIST_MAX, WORD, Corrupt, along, integer, read, show, word)

MODES = ("checked_v1", "release_v1")
_ROOT = "acre_debugger_"
_WORD_BYTES = 32
_WORDS_MAX = 1000
_roots = {}  # by mode and process: the symbol's address, 0: none; and content


def find(mode):
    """The Library of a mode, or None where the program has none, or does not
    run."""
    inferior = gdb.selected_inferior()
    if inferior.pid == 0:
        return None
    # To look a name up takes gdb longer than all the rest. What was found is
    # believed while the same number of files is loaded, and the same is there.
    process = (gdb.current_progspace(), inferior.num, inferior.pid,
               len(gdb.objfiles()))
    root, content = _roots.get((mode, process), (None, None))
    try:
        if root is None or not _is_still(root, content):
            root, content = 0, b""
            root = int(gdb.parse_and_eval("&" + _ROOT + mode))
            content = _content(root)
        if root == 0:
            return None
        library = Library(mode, content)
    except (gdb.error, Corrupt):
        return None
    finally:
        if len(_roots) > 16:
            _roots.clear()
        _roots[mode, process] = root, content
    return library if library.state != 0 else None


def _is_still(root, content):
    try:
        return root == 0 or _content(root) == content
    except Corrupt:
        return False


def _content(root):
    return read(root, 3 * WORD, "the table for debuggers")


def find_all():
    return [found for found in map(find, MODES) if found is not None]


def unknown_modes():
    """Modes that the program has and that nothing here knows."""
    try:
        lines = gdb.execute("info variables -q ^" + _ROOT, to_string=True)
    except gdb.error:
        return []
    words = (part.rstrip(";") for line in lines.split("\n")
             for part in line.split()[-1:])
    return sorted({w[len(_ROOT):] for w in words if w.startswith(_ROOT)} -
                  set(MODES))


class Library:
    _known = {}  # by the bytes of the root: what it says

    def __init__(self, mode, data):
        """`data`: of a DebuggerRoot."""
        self.mode = mode
        self.is_checked = mode.startswith("checked")
        state, offsets, index = (integer(data[i:i + WORD])
                                 for i in range(0, 3 * WORD, WORD))
        if offsets == 0 or index == 0:
            raise Corrupt("the program does not run")
        key = (gdb.current_progspace(), mode, data)
        if key not in self._known:
            if len(self._known) > 16:
                self._known.clear()
            self._known[key] = {**_words(offsets), **_words(index)}
        self.words = self._known[key]
        self.state = word(state, "the index")

    def constant(self, name):
        if name not in self.words:
            raise Corrupt("this libacre does not tell " + name)
        return self.words[name]

    def field(self, address, name, size=WORD):
        """`name` is "Chunk.begin"."""
        return word(address + self.constant(name), name, size)

    def entries(self):
        """Addresses of the entries of all arenas that ever had a chunk."""
        return along(self.field(self.state, "index.made"),
                     lambda at: self.field(at, "ArenaEntry.next_made"),
                     "the list of arenas")

    def arena_of(self, entry):
        """The address of an entry's arena; 0: it is gone."""
        hidden = self.field(entry, "ArenaEntry.hidden_arena")
        return 0 if hidden == 0 else hidden ^ ((1 << 64) - 1)

    def chunks_at(self, address):
        """The chunks around an address, those of dead collected arenas, which
        the index still has, among them."""
        link = self._slot(address)
        for _ in range(LIST_MAX):
            if link == 0:
                return
            chunk = self.field(link, "IndexLink.chunk")
            begin = self.field(chunk, "Chunk.begin")
            if (begin - self.constant("kChunkHeader") <= address <
                    self.field(chunk, "Chunk.end")):
                yield chunk
            link = self.field(link, "IndexLink.next")

    def find_chunk(self, address):
        """The chunk of a living arena, or None."""
        for chunk in self.chunks_at(address):
            entry = self.field(chunk, "Chunk.owner")
            if entry != 0 and self.arena_of(entry) != 0:
                return chunk
        return None

    def _slot(self, address):
        level_bits = self.constant("index.level_bits")
        page = address >> self.constant("index.page_bits")
        if page >> 3 * level_bits:
            return 0
        node = self.field(self.state, "index.root")
        for level in (2, 1, 0):
            if node == 0:
                return 0
            part = page >> level * level_bits & ((1 << level_bits) - 1)
            node = word(node + part * WORD, "the index")
        return node

    def type_of(self, layout):
        """Name and size of a TypeLayout."""
        at = layout + self.constant("TypeLayout.name")
        data = word(at + self.constant("string_view.data"), "a type's name")
        size = word(at + self.constant("string_view.size"), "a type's name")
        if size > 10000:
            raise Corrupt("a type's name has %d characters" % size)
        name = show(read(data, size, "a type's name"))
        return name, self.field(layout, "TypeLayout.size")


def _words(address):
    """A table of lib/core/for_debuggers.h."""
    words = {}
    for _ in range(_WORDS_MAX):
        data = read(address, _WORD_BYTES, "the table for debuggers")
        name = data[:28].split(b"\0")[0].decode("ascii", "replace")
        if name == "":
            return words
        words[name] = integer(data[28:])
        address += _WORD_BYTES
    raise Corrupt("the table for debuggers does not end")
