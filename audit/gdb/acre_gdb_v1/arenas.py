# SPDX-License-Identifier: MIT
"""Arenas, their chunks and blocks, as they stand in memory."""

from .memory import (ALL, LIST_MAX, WORD, Corrupt, GivenUp, along, integer, read,
                     text, word)

LIVE = 1  # BlockState, lib/core/block_map.h
FREED = 2


class Arena:
    def __init__(self, library, address):
        self.library = library
        self.address = address

    def field(self, name, size=WORD):
        return word(self.address + self.library.constant("Arena." + name),
                    "its arena", size)

    def entry(self):
        return self.field("entry_")

    def check(self):
        """Fails where no arena is there."""
        entry = self.entry()
        if entry == 0:
            if self.field("first_") != 0 or self.field("current_") != 0:
                raise Corrupt("no arena is at %#x" % self.address)
            return
        try:
            owner = self.library.arena_of(entry)
        except Corrupt:
            raise Corrupt("no arena is at %#x" % self.address) from None
        if owner != self.address:
            raise GivenUp("the arena at %#x has ended" % self.address)

    def require(self, gone):
        """Its entry. Fails, in those words, where it has ended: it looks like
        one that has no chunk then."""
        try:
            self.check()
        except GivenUp:
            raise GivenUp(gone) from None
        if self.entry() == 0:
            raise GivenUp(gone)
        return self.entry()

    def name(self):
        return text(self.field("options_.name"), "the arena's name")

    def is_collected(self):
        return self.field("collected_", 1) != 0

    def marks(self):
        """Addresses of the open marks, the youngest first."""
        if self.entry() == 0:
            return iter(())
        return along(self.field("mark_"),
                     lambda at: self.library.field(at, "MarkState.outer"),
                     "the list of marks")

    def is_live(self, stamp):
        """As Arena::IsLive."""
        if stamp == self.field("stamp_"):
            return True
        for mark in self.marks():
            if stamp in (self.library.field(mark, "MarkState.stamp"),
                         self.library.field(mark, "MarkState.outer_stamp")):
                return True
        return self.is_of_frame(stamp)

    def is_of_frame(self, stamp):
        """As LiveStamps::Contains, of what the History has kept live."""
        if self.entry() == 0:
            return False
        at = self.entry() + self.library.constant(
            "ArenaEntry.older_stamps")
        row, count, last = (self.library.field(at, "LiveStamps." + name)
                            for name in ("row", "count", "last"))
        for i in range(min(count, LIST_MAX)):
            span = (row + self.library.constant("sizeof(StampRow)") +
                    i * self.library.constant("sizeof(StampSpan)"))
            end = (last if i + 1 == count else
                   self.library.field(span, "StampSpan.last"))
            if self.library.field(span, "StampSpan.first") <= stamp <= end:
                return True
        return False

    def mark_number(self, state, stamp):
        """Which of the open marks it is, the oldest being 1; 0: none."""
        marks = list(self.marks())
        for i, mark in enumerate(marks):
            if (mark == state and
                    self.library.field(mark, "MarkState.stamp") == stamp):
                return len(marks) - i
        return 0

    # ------------------------------------------------------------------ chunks

    def list_of(self, name):
        return along(self.field(name),
                     lambda at: self.library.field(at, "Chunk.next"),
                     "the list of chunks")

    def is_in_use(self, chunk):
        """As SlowPath::IsInUse."""
        field = self.library.field
        order = field(chunk, "Chunk.order")
        if order < self.field("reset_order_"):
            return False
        current = self.field("current_")
        return field(chunk, "Chunk.is_large", 1) != 0 or (
            current != 0 and order <= field(current, "Chunk.order"))

    def top_of(self, chunk):
        """Where the blocks of a chunk in use end."""
        if chunk == self.field("current_"):
            return self.field("cursor_")
        return self.library.field(chunk, "Chunk.top")

    def statistics(self):
        """As ArenaStats: chunks, spares, bytes held, bytes in use."""
        if self.entry() == 0:  # no chunk yet, or no more
            return 0, 0, 0, 0
        chunks = carved = 0
        shared = list(self.list_of("first_"))
        current = self.field("current_")
        used = shared.index(current) + 1 if current in shared else 0
        large = list(self.list_of("large_"))
        for chunk in shared[:used] + large:
            begin = self.library.field(chunk, "Chunk.begin")
            carved += self.top_of(chunk) - begin
            chunks += 1
        spares = len(shared) - used + len(list(self.list_of("large_spares_")))
        freed = self.field("freed_") - self.field("reused_")
        for mark in self.marks():
            freed += (self.library.field(mark, "MarkState.freed") -
                      self.library.field(mark, "MarkState.reused") +
                      self.library.field(mark, "MarkState.waiting_bytes"))
        held, used = self.field("reserved_"), carved - freed
        if not 0 <= used <= held:
            raise Corrupt("%d of %d bytes are in use" % (used, held))
        return chunks, spares, held, used


class Block:
    """What checked builds know of a block: lib/core/block_map.h."""

    def __init__(self, library, start, info):
        self.library = library
        self.start = start
        bits = library.field(info, "BlockInfo.bits")
        self.layout = library.field(info, "BlockInfo.type")
        self.bytes = bits & (1 << 40) - 1
        self.state = bits >> 44 & 3
        self.is_storage = bits >> 46 & 1 != 0
        self.is_table = bits >> 63 != 0

    def contents(self):
        if self.layout == 0:
            return "raw bytes"
        name, size = self.library.type_of(self.layout)
        if self.is_table or size == 0 or self.bytes == size:
            return name
        return "%s[%d]" % (name, self.bytes // size)


def find_block(library, chunk, address):
    """The Block that holds an address, or None. Checked builds."""
    blocks = chunk + library.constant("Chunk.blocks")
    begin = library.field(blocks, "BlockMap.begin_")
    infos = library.field(blocks, "BlockMap.infos_")
    granule = (address - begin) // library.constant("kGranule")
    if address < begin or infos == 0:
        return None
    if granule >= library.field(blocks, "BlockMap.granules_"):
        return None
    first = _last_start(library.field(blocks, "BlockMap.starts_"), granule)
    if first is None:
        return None
    start = begin + first * library.constant("kGranule")
    block = Block(library, start,
                  infos + first * library.constant("sizeof(BlockInfo)"))
    return block if address < start + max(block.bytes, 1) else None


def _last_start(bitmap, granule):
    """The highest set bit at or below `granule`, or None."""
    slab = 4096  # words
    end = granule // 64 + 1
    keep = (1 << granule % 64 + 1) - 1  # of the last word
    while end > 0:
        begin = max(0, end - slab)
        data = read(bitmap + begin * WORD, (end - begin) * WORD,
                    "the map of blocks")
        bits = integer(data)
        if keep is not None:
            bits &= keep << (end - begin - 1) * 64 | (
                1 << (end - begin - 1) * 64) - 1
            keep = None
        if bits != 0:
            return begin * 64 + bits.bit_length() - 1
        end = begin
    return None


def check_fill(library, value):
    """Fails where a word of an object is what checked builds write where no
    object is."""
    if library is None or not library.is_checked:
        return
    if value == library.constant("kFreedByte") * (ALL // 255):
        raise GivenUp("it lies in memory that was given up")
    if value == library.constant("kFreshByte") * (ALL // 255):
        raise GivenUp("it lies in memory that was never written")


def check_storage(library, arena_at, data, size, stamp):
    """Fails unless `size` bytes at `data` are a container's storage: of that
    stamp, alive, in a block of the arena."""
    if arena_at == 0:
        raise Corrupt("it has storage, and no arena")
    if library is None:  # whatever can be seen without libacre
        read(data, 1, "its data")
        read(data + size - 1, 1, "its data")
        return
    arena = Arena(library, arena_at)
    entry = arena.require("its storage was given up: its arena has ended")
    if not arena.is_live(stamp):
        raise GivenUp("its storage was given up by a Reset or Rewind of the "
                      'arena "%s"' % arena.name())
    chunk = library.find_chunk(data)
    if chunk is None or library.field(chunk, "Chunk.owner") != entry:
        raise Corrupt("its data at %#x is not in its arena" % data)
    if data + size > library.field(chunk, "Chunk.end"):
        raise Corrupt("its data ends behind the chunk")
    if not library.is_checked:
        return
    block = find_block(library, chunk, data)
    if block is None or block.start != data:
        raise Corrupt("no block starts at its data at %#x" % data)
    if block.state != LIVE:
        raise GivenUp("its storage was given up: the block was freed")
    if size > block.bytes:
        raise Corrupt("its block has %d bytes, it needs %d" %
                      (block.bytes, size))
