# SPDX-License-Identifier: MIT
"""What gdb is to print of program.cc, run inside gdb by tests/gdb/run.

Each case is a name, a command and a regular expression for all of its output;
"ok NAME" or "FAILED NAME" is printed for each. The environment tells the mode
(CHECKED=1) and what to write before the names (LABEL).
"""

import os
import re
import time

import gdb

CHECKED = os.environ["CHECKED"] == "1"
LABEL = os.environ["LABEL"]
MODE = "checked_v1" if CHECKED else "release_v1"
AT = "0x[0-9a-f]+"


def v(size, capacity, elements=""):
    head = r"acre::Vector of size %s, capacity %s" % (size, capacity)
    return head + (re.escape(" = " + elements) if elements else "")


# What is printed, as "print NAME"; (regex) or (regex in checked, in release).
PRINTS = [
    # ---- strings
    ("empty string", "g_none", '""'),
    ("inline string", "g_short", '"Ann"'),
    ("inline string, full", "g_full", '"0123456789abcdefghijklm"'),
    ("string with NUL and quotes", "g_odd", r'"a\\000b\\"\\n"'),
    ("long string", "*g_long",
     '"a text that is longer than what fits inside the handle"'),
    ("long string with NUL", "*g_odd_long",
     r""""xxx\\txxxxxx\\000", 'x' <repeats 19 times>"""),
    ("string by value", "*g_long@1",
     r'\{"a text that is longer than what fits inside the handle"\}'),
    # ---- vectors
    ("vector", "*g_ints", v(3, "[0-9]+", "{1, 2, 3}")),
    ("vector that was never bound", "g_unbound", v(0, 0)),
    ("vector of vectors", "*g_nested",
     "acre::Vector of size 2, capacity [0-9]+ = "
     r"\{acre::Vector of size 0, capacity 0, "
     r"acre::Vector of size 1, capacity [0-9]+ = \{7\}\}"),
    ("vector of bools", "*g_bools", v(2, "[0-9]+", "{true, false}")),
    ("vector of structs", "*g_plains",
     v(1, "[0-9]+", "{{x = 4, c = 113 'q'}}")),
    ("vector of strings", "*g_texts",
     v(2, "[0-9]+", '{"one", "two, which is longer than the handle"}')),
    ("vector of over-aligned", "*g_wides",
     v(1, "[0-9]+", "{{parts = {1, 2, 3, 4}}}")),
    # ---- maps and sets
    ("map of string to vector", "*g_map",
     r'acre::Map of size 2 = \{\["a"\] = acre::Vector of size 1, capacity '
     r'[0-9]+ = \{1\}, \["b"\] = acre::Vector of size 0, capacity 0\}'),
    ("map of int to double", "*g_int_map",
     r"acre::Map of size 2 = \{\[5\] = 0.5, \[6\] = 1.5\}"),
    ("map that was never bound", "g_no_map", "acre::Map of size 0"),
    ("map to over-aligned", "*g_wide_map",
     r"acre::Map of size 1 = \{\[119 'w'\] = \{parts = \{0, 0, 0, 9\}\}\}"),
    ("set", "*g_set", r"acre::Set of size 3 = \{10, 20, 30\}"),
    ("set of strings", "*g_text_set", r'acre::Set of size 1 = \{"only"\}'),
    # ---- cycles
    ("vector that points to its own struct", "*g_node",
     r'\{name = "me", links = acre::Vector of size 1, capacity [0-9]+ = \{' +
     AT + r"\}, value = 0\}"),
    ("map that points to a cycle", "*g_node_map",
     r'acre::Map of size 1 = \{\["self"\] = ' + AT + r"\}"),
    ("vector whose elements contain it", "*g_self",
     r"\{kids = <corrupt: its elements contain it>\}"),
    ("vectors that contain each other", "*g_ring",
     r"(acre::Vector of size 1, capacity [0-9]+ = \{\{kids = ){5,}.*"
     r"\{\.\.\.\}[}]+"),
    # ---- given up
    ("vector after Reset", "*g_stale_vector",
     '<its storage was given up by a Reset or Rewind of the arena "reset">'),
    ("string after Reset", "*g_stale_string",
     '<its storage was given up by a Reset or Rewind of the arena "reset">'),
    ("map after Reset", "*g_stale_map",
     '<its storage was given up by a Reset or Rewind of the arena "reset">'),
    ("set after Rewind", "*g_rewound_set",
     '<its storage was given up by a Reset or Rewind of the arena "reset">'),
    ("vector of a frame", "*g_framed_vector",
     r"acre::Vector of size 3, capacity [0-9]+ = \{1, 2, 3\}"),
    ("vector made after the frame that was restored", "*g_undone_vector",
     '<its storage was given up by a Reset or Rewind of the arena "played">'),
    ("vector of an arena that has ended", "*g_orphan",
     "<its storage was given up: its arena has ended>"),
    ("storage that was freed", "*g_storage_freed",
     ("<its storage was given up: the block was freed>",
      v(300, "[0-9]+") + ".*")),
    ("struct that was freed", "*g_freed",
     (r"\{name = <it lies in memory that was given up>, "
      r"links = <it lies in memory that was given up>, value = -[0-9]+\}",
      r"\{name = .*, links = .*, value = .*\}")),
    ("struct after Reset", "*g_reset_node",
     (r"\{name = <it lies.*>, links = <it lies.*>, value = .*\}",
      r"\{name = .*, links = .*, value = .*\}")),
    ("memory that was never written", "*(IntVector*)g_raw",
     ("<it lies in memory that was never written>", ".*")),
    # ---- corrupt
    ("size over capacity", "*g_over",
     "<corrupt: size 1000 over capacity [0-9]+>"),
    ("no data", "*g_no_data",
     "<corrupt: its data is at 0x0, its capacity [0-9]+>"),
    ("data that cannot be read", "*g_lost",
     "<corrupt: its data at 0x10 is not in its arena>"),
    ("data of another arena", "*g_foreign",
     "<(its storage was given up by a Reset or Rewind of the arena "
     '"collected"|corrupt: its data at ' + AT + " is not in its arena)>"),
    ("storage and no arena", "*g_no_arena",
     "<corrupt: it has storage, and no arena>"),
    ("overwritten vector", "*g_bad_vector",
     "<corrupt: its data ends behind .*>|<corrupt: its arena at "
     "0x5a5a5a5a[0-9a-f]+ cannot be read>"),
    ("tag of no string", "*g_bad_tag", "<corrupt: its tag is 100>"),
    ("string size over capacity", "*g_over_string",
     "<corrupt: size 70000 over capacity [0-9]+>"),
    ("far string without NUL", "*g_open_string",
     "<corrupt: no NUL ends it>"),
    ("inline string without NUL", "*g_unended", "<corrupt: no NUL ends it>"),
    ("overwritten string", "*g_bad_string", "<corrupt: its tag is 90>"),
    ("groups that are no power of two", "*g_bad_groups",
     "<corrupt: it has 1000002 groups>"),
    ("wrong size of a map", "*g_bad_size",
     "<corrupt: size 1, and 2 slots in use>"),
    ("limit over the slots", "*g_bad_limit",
     "<corrupt: limit 16 over 15 slots>"),
    ("slots elsewhere", "*g_bad_slots",
     "<corrupt: its slots are at 0x10, its control bytes at " + AT + ">"),
    ("overwritten map", "*g_bad_map", "<corrupt: it has [0-9]+ groups>"),
    ("overwritten set", "*g_bad_set", "<corrupt: it has [0-9]+ groups>"),
    # ---- arenas and marks
    ("arena", "*g_arena",
     r'acre::Arena "main": [0-9]+ chunks, [0-9]+ bytes \([0-9]+ in use\), '
     "2 open marks"),
    ("arena without chunks", "*g_bare",
     r'acre::Arena "bare": 0 chunks, 0 bytes \(0 in use\), 0 open marks'),
    ("arena in a struct", "*g_game",
     r'\{arena = acre::Arena "held": 0 chunks, 0 bytes .*, level = 3\}'),
    ("arena that has ended", "*g_ended",
     r'acre::Arena "ended": 0 chunks, 0 bytes .*'),
    ("collected arena", "*g_collected",
     r'acre::Arena "collected": 1 chunk, [0-9]+ bytes \([0-9]+ in use\), '
     "0 open marks, collected"),
    ("overwritten arena", "*g_spoilt_arena", "<corrupt: .*>"),
    ("no mark", "g_no_mark", "acre::Mark of no arena"),
    # ---- references
    ("reference", "g_ref", 'acre::ArenaRef to ' + AT + ', in the arena "main" '
     r"= \{pointer = " + AT + r"\}"),
    ("reference to nothing", "g_no_ref", "acre::ArenaRef to nothing"),
    ("reference to what is in no arena", "g_outer_ref",
     "acre::ArenaRef to " + AT + r", in no arena = \{pointer = " + AT + ".*"),
    ("reference after Reset", "g_stale_ref",
     "<what it refers to was given up by a Reset or Rewind of the arena "
     '"reset">'),
    ("reference into an arena that has ended", "g_orphan_ref",
     "<a reference into an arena that has ended>"),
    ("weak reference", "g_weak", 'acre::WeakArenaRef to the arena "main"'),
    ("weak reference to nothing", "g_no_weak",
     "acre::WeakArenaRef to no arena"),
    ("weak reference to what is gone", "g_gone_weak",
     "<a reference to an arena that is gone>"),
    ("open mark", "g_open_mark",
     'acre::Mark 1, open, of the arena "main"'),
    ("inner mark", "g_inner_mark",
     'acre::Mark 2, open, of the arena "main"'),
    ("closed mark", "g_closed_mark",
     '<a closed mark of the arena "reset">'),
    ("mark of an arena that has ended", "g_orphan_mark",
     "<a mark of an arena that has ended>"),
    ("overwritten mark", "*g_bad_mark", "<corrupt: .*>"),
    # ---- versions
    ("unknown version", "g_future_string",
     "<acre checked_v9: these printers know checked_v1 and release_v1>"),
    ("template of an unknown version", "g_future_vector",
     "<acre checked_v9: these printers know checked_v1 and release_v1>"),
]

LINE = (r"%s is in the arena \"main\": [0-9]+ chunks, .*\n"
        r"  chunk: %s to %s, of blocks; offset [0-9]+\n  block: " %
        (AT, AT, AT))
UNKNOWN = "handed out, perhaps freed since: checked builds know"

# Whole commands.
COMMANDS = [
    ("elements are bounded", "print -elements 3 -- *g_many",
     r"\$[0-9]+ = " + v(1000, "[0-9]+") + r" = \{0, 1, 4\.\.\.\}"),
    ("pairs are bounded", "print -elements 2 -- *g_big_map",
     r"\$[0-9]+ = acre::Map of size 250 = \{(\[[0-9]*[13579]\] = [0-9.]+"
     r"(, )?)+\.\.\.\}"),
    ("characters are bounded", "print -elements 6 -- *g_long",
     r'\$[0-9]+ = "a text"\.\.\.'),
    ("pretty form", "print -pretty -- *g_map",
     r'\$[0-9]+ = acre::Map of size 2 = \{\n  \["a"\] = acre::Vector of '
     r'size 1, capacity [0-9]+ = \{1\},\n  \["b"\] = .*\n\}'),
    ("raw form", "print -raw-values -- g_short",
     r"(?s)\$[0-9]+ = \{.*arena_ = .*rep_ = .*\}"),
    ("keep a value", "set $kept = *g_texts", ""),
    ("value that is not in memory", "print $kept",
     r'\$[0-9]+ = acre::Vector of size 2, capacity [0-9]+ = '
     r'\{"one", "two, .*"\}'),
    ("keep a string", "set $kept = g_short", ""),
    ("string that is not in memory", "print $kept", r'\$[0-9]+ = "Ann"'),
    ("reference", "print (IntVector&)*g_ints",
     r"\$[0-9]+ = .*acre::Vector of size 3, capacity [0-9]+ = \{1, 2, 3\}"),
    ("printers are listed", "info pretty-printer global acre",
     r"(?s).*acre\n *Arena\n *ArenaRef\n *Map\n *Mark\n *Set\n *String\n "
     r"*Vector\n *WeakArenaRef\n?"),
    ("one printer is turned off",
     "disable pretty-printer global acre;Set", r"(?s).*"),
    ("what is off is shown raw", "print *g_set", r"(?s).*table_ = .*"),
    ("it is turned on", "enable pretty-printer global acre;Set", r"(?s).*"),

    ("acre arenas", "acre arenas",
     r'(?s)(?=.*^0x[0-9a-f]+ "main": )(?=.*^0x[0-9a-f]+ "collected": )'
     r'(?=.*^0x[0-9a-f]+ "reset": )(?!.*"ended").*^4 arenas'),
    ("describe an object", "acre describe g_node",
     LINE + "(live, [0-9]+ bytes at %s, offset 0: Node|%s)" % (AT, UNKNOWN)),
    ("describe the inside of one", "acre describe &g_node->value",
     LINE + "(live, [0-9]+ bytes at %s, offset 64: Node|%s)" % (AT, UNKNOWN)),
    ("describe an array", "acre describe &g_array[1]",
     LINE + r"(live, [0-9]+ bytes at %s, offset 72: Node\[3\]|%s)" %
     (AT, UNKNOWN)),
    ("describe raw bytes", "acre describe g_raw",
     LINE + "(live, 100 bytes at %s, offset 0: raw bytes|%s)" %
     (AT, UNKNOWN)),
    ("describe a freed block", "acre describe g_freed",
     LINE + "(freed, [0-9]+ bytes at %s, offset 0: Node|%s)" % (AT, UNKNOWN)),
    ("describe a vector's storage", "acre describe g_ints->rep_.data",
     LINE + r"(live, [0-9]+ bytes at %s, offset 0: storage of int\[[0-9]+\]"
     "|%s)" % (AT, UNKNOWN)),
    ("describe a map's storage", "acre describe g_map->table_.rep_.slots",
     LINE + r"(live, [0-9]+ bytes at %s, offset 16: storage of "
     r"acre::(checked_v1::)?Map<.*>|%s)" % (AT, UNKNOWN)),
    ("describe a large block", "acre describe (char*)g_large + 5000",
     r'(?s)%s is in the arena "main".*of (one large block|blocks); .*'
     r"(live, 1048576 bytes at %s, offset 5000: raw bytes|%s)" %
     (AT, AT, UNKNOWN)),
    ("describe what is not handed out", "acre describe g_reset_node",
     r'(?s)%s is in the arena "reset".*block: none, not handed out' % AT),
    ("describe an arena", "acre describe *g_arena",
     AT + ' is in the object of the arena "main": .*'),
    ("describe a pointer variable", "acre describe &g_arena",
     AT + " is in no arena"),
    ("describe null", "acre describe 0", "0x0 is in no arena"),
    ("describe all ones", "acre describe -1", "0xf{16} is in no arena"),
    ("describe nothing", "acre describe", "Usage: acre describe ADDRESS"),
    ("describe nonsense", "acre describe no_such_thing",
     'No symbol "no_such_thing" in current context.'),
    ("arenas of something", "acre arenas main",
     "acre arenas takes no argument"),
    ("help", "help acre",
     r"(?s).*acre arenas -- .*\nacre describe -- .*"),
]

passed = failed = 0


def output_of(command):
    try:
        return gdb.execute(command, to_string=True).rstrip("\n")
    except gdb.error as error:
        return str(error)


def tell(name, good, output):
    global passed, failed
    if good:
        passed += 1
        print("ok %s: %s" % (LABEL, name))
    else:
        failed += 1
        print("FAILED %s: %s\n%s" % (LABEL, name, output))


def check(name, command, wanted, prefix=""):
    if isinstance(wanted, tuple):
        wanted = wanted[0 if CHECKED else 1]
    output = output_of(command)
    good = re.fullmatch(prefix + "(?:" + wanted + ")" if prefix else wanted,
                        output, re.MULTILINE)
    tell(name, good, "%s\n%s\nwanted: %s" % (command, output, wanted))


def check_noise(kind):
    """Random bytes: each is printed, whatever it says, and soon."""
    start = time.monotonic()
    outputs = []
    count = "sizeof(g_random_marks) / sizeof(g_random_marks[0])"
    for i in range(int(gdb.parse_and_eval(count))):
        output = output_of("print g_random_%s[%d].value" % (kind, i))
        outputs.append(output)
    text = "\n".join(outputs)
    seconds = time.monotonic() - start
    good = "Python" not in text and "Error" not in text and seconds < 20
    good = good and any("<corrupt: " in line or "<its " in line or
                        "<a " in line or "<the " in line for line in outputs)
    tell("noise in place of %s" % kind, good,
         "%.1f s\n%s" % (seconds, text[:3000]))


def run_all():
    for name, expression, wanted in PRINTS:
        check(name, "print " + expression, wanted, r"\$[0-9]+ = ")
    for name, command, wanted in COMMANDS:
        check(name, command, wanted)
    for kind in ("strings", "vectors", "maps", "sets", "arenas", "marks"):
        check_noise(kind)
    print("%d passed, %d failed" % (passed, failed))


run_all()
