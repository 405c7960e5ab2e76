# SPDX-License-Identifier: MIT
"""What lldb shows of acre's containers: their elements, and what is wrong.

    (lldb) command script import /usr/local/share/acre/lldb/acre_lldb.py

Reads the debug information of the program, and no symbol of libacre: whether
an arena has ended it cannot tell. `type category disable acre` turns it off.
"""

import lldb

_VERSIONS = "(release_v1|checked_v1)"
_LIST_MAX = 1 << 20  # elements of a container that are offered
_TEXT_MAX = 1 << 16  # characters of a String that are shown
_MARKS_MAX = 1 << 16

_GROUP = 16  # control bytes of a group of a table
_SLOTS = 15  # its slots


class Fault(Exception):
    """Shown in place of an object that is not in order."""


def _part(value, *names):
    for name in names:
        value = value.GetNonSyntheticValue().GetChildMemberWithName(name)
        if not value.IsValid():
            raise Fault("<the debug information has no %s>" % name)
    return value


def _number(value, *names):
    error = lldb.SBError()
    number = _part(value, *names).GetValueAsUnsigned(error)
    if error.Fail():
        raise Fault("<it cannot be read>")
    return number


def _read(value, address, size, what):
    if size == 0:
        return b""
    error = lldb.SBError()
    data = value.GetProcess().ReadMemory(address, size, error)
    if error.Fail() or len(data) != size:
        raise Fault("<corrupt: %s at %#x cannot be read>" % (what, address))
    return data


def _check_stamp(arena, stamp):
    """Fails where a Reset or Rewind has passed storage of that stamp."""
    if arena.GetValueAsUnsigned() == 0:
        raise Fault("<corrupt: it has storage, and no arena>")
    if _number(arena.Dereference(), "stamp_") == stamp:
        return
    mark = _part(arena.Dereference(), "mark_")
    older = _number(arena.Dereference(), "older_")
    if older not in (0, mark.GetValueAsUnsigned()):
        return  # frames of a History: only libacre knows which are live
    for _ in range(_MARKS_MAX):
        if mark.GetValueAsUnsigned() == 0:
            break
        state = mark.Dereference()
        names = [state.GetChildAtIndex(i).GetName()
                 for i in range(state.GetNumChildren())]
        if "stamp" not in names:
            return  # only libacre's own debug information describes marks
        if stamp in (_number(state, "stamp"), _number(state, "outer_stamp")):
            return
        mark = _part(state, "outer")
    raise Fault("<its storage was given up by a Reset or Rewind>")


def _quoted(data):
    text = data.decode("utf-8", "backslashreplace")
    names = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\",
             "\0": "\\0"}
    return '"%s"' % "".join(names.get(c, c) for c in text)


def _integer(data):
    return int.from_bytes(data, "little")


def _characters(value):
    """Those of a String, and how many there are: <acre/string.h>."""
    inline, far = 23, 0xFF
    rep = _part(value, "rep_", "chars").GetData()
    error = lldb.SBError()
    data = rep.ReadRawData(error, 0, inline + 1)
    if error.Fail() or data is None:
        raise Fault("<it cannot be read>")
    tag = data[inline]
    if tag <= inline:
        return data[:inline - tag], inline - tag
    if tag != far:
        raise Fault("<corrupt: its tag is %d>" % tag)
    begin, size, capacity, stamp = (_integer(data[i:j]) for i, j in (
        (0, 8), (8, 12), (12, 16), (16, inline)))
    if size >= capacity:
        raise Fault("<corrupt: size %d over capacity %d>" %
                    (size, capacity - 1))
    _check_stamp(_part(value, "arena_"), stamp)
    return _read(value, begin, min(size, _TEXT_MAX), "its text"), size


def string_summary(value, _):
    try:
        data, size = _characters(value.GetNonSyntheticValue())
    except Fault as fault:
        return str(fault)
    return _quoted(data) + ("..." if len(data) < size else "")


class _Children:
    """A container; `self.fault` is set where it is not in order."""

    def __init__(self, value, _):
        self.value = value.GetNonSyntheticValue()
        self.addresses = ()
        self.fault = None

    def update(self):
        self.addresses, self.fault = (), None
        try:
            self.addresses = self.look()
        except Fault as fault:
            self.fault = str(fault)
        return False  # read again at the next stop

    def argument(self, index):
        kind = self.value.GetType().GetUnqualifiedType().GetCanonicalType()
        kind = kind.GetTemplateArgumentType(index)
        if kind.GetByteSize() == 0:
            raise Fault("<the debug information does not describe %s>" %
                        kind.GetName())
        return kind

    def num_children(self):
        return min(len(self.addresses), _LIST_MAX)

    def has_children(self):
        return len(self.addresses) != 0

    def get_child_index(self, name):
        try:
            return int(name.strip("[]"))
        except ValueError:
            return -1

    def get_child_at_index(self, index):
        if not 0 <= index < self.num_children():
            return None
        return self.child(index, self.addresses[index])


class VectorChildren(_Children):
    def look(self):
        rep = _part(self.value, "rep_")
        size, capacity = (_number(rep, name, "count_")
                          for name in ("size", "capacity"))
        data = _number(rep, "data")
        if size > capacity:
            raise Fault("<corrupt: size %d over capacity %d>" %
                        (size, capacity))
        if (data == 0) != (capacity == 0):
            raise Fault("<corrupt: its data is at %#x, its capacity %d>" %
                        (data, capacity))
        self.element = self.argument(0)
        if capacity != 0:
            _check_stamp(_part(rep, "arena"), _number(rep, "stamp"))
        step = self.element.GetByteSize()
        return range(data, data + size * step, step)

    def child(self, index, address):
        return self.value.CreateValueFromAddress("[%d]" % index, address,
                                                 self.element)


class _TableChildren(_Children):
    """Map and Set: containers/acre/detail/table_rep.h."""

    def look(self):
        rep = _part(self.value, "table_", "rep_")
        size, limit = _number(rep, "size"), _number(rep, "limit")
        slots, control = _number(rep, "slots"), _number(rep, "control")
        slot_size = self.measure()
        if slots == 0:
            return ()
        groups = _number(rep, "mask") + 1
        most = limit if groups == 1 else groups * _SLOTS
        if groups & (groups - 1) != 0 or size > most:
            raise Fault("<corrupt: size %d, %d groups>" % (size, groups))
        _check_stamp(_part(rep, "arena"), _number(rep, "stamp"))
        data = _read(self.value, control, groups * _GROUP, "its control bytes")
        used = [slots + (i // _GROUP * _SLOTS + i % _GROUP) * slot_size
                for i, byte in enumerate(data)
                if byte != 0 and i % _GROUP != _SLOTS]
        if len(used) != size:
            raise Fault("<corrupt: size %d, and %d slots in use>" %
                        (size, len(used)))
        return used


def _round_up(size, multiple):
    return (size + multiple - 1) // multiple * multiple


def _alignment(kind):
    """lldb tells it from version 19 on; before, what the size suggests."""
    if hasattr(kind, "GetByteAlign"):
        return max(kind.GetByteAlign(), 1)
    size = kind.GetByteSize()
    return min(size & -size, 16)


class MapChildren(_TableChildren):
    def measure(self):
        self.key, self.mapped = self.argument(0), self.argument(1)
        aligns = _alignment(self.key), _alignment(self.mapped)
        self.second = _round_up(self.key.GetByteSize(), aligns[1])
        return _round_up(self.second + self.mapped.GetByteSize(), max(aligns))

    def child(self, index, address):
        key = self.value.CreateValueFromAddress("key", address, self.key)
        text = key.GetSummary() or key.GetValue() or "#%d" % index
        return self.value.CreateValueFromAddress(
            "[%s]" % text, address + self.second, self.mapped)


class SetChildren(_TableChildren):
    def measure(self):
        self.key = self.argument(0)
        return self.key.GetByteSize()

    def child(self, index, address):
        return self.value.CreateValueFromAddress("[%d]" % index, address,
                                                 self.key)


_CONTAINERS = {"Vector": VectorChildren, "Map": MapChildren,
               "Set": SetChildren}


def container_summary(value, _):
    value = value.GetNonSyntheticValue()
    name = value.GetType().GetUnqualifiedType().GetCanonicalType().GetName()
    kind = name.split("<", 1)[0].rsplit("::", 1)[-1]
    children = _CONTAINERS[kind](value, None)
    children.update()
    return children.fault or "size=%d" % len(children.addresses)


def __lldb_init_module(debugger, _):
    prefix = "^acre::%s::" % _VERSIONS
    commands = [
        'summary add -w acre -x "%sString$" -F %s.string_summary'
        % (prefix, __name__),
        'summary add -w acre -e -x "%s(Vector|Map|Set)<.+>$" '
        "-F %s.container_summary" % (prefix, __name__)]
    for kind, children in _CONTAINERS.items():
        commands.append('synthetic add -w acre -x "%s%s<.+>$" -l %s.%s'
                        % (prefix, kind, __name__, children.__name__))
    commands.append("category enable acre")
    for command in commands:
        debugger.HandleCommand("type " + command)
