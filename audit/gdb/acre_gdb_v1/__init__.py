# SPDX-License-Identifier: MIT
"""Printers and commands for acre's version 1, checked and release.

Nothing here calls a function of the program: all is read from memory, so that
it works on a core file too.
"""

import gdb.printing

from . import commands, printers

NAME = "acre"


def register():
    """May be called again: a program and a library may both bring this."""
    gdb.printing.register_pretty_printer(
        None, printers.Lookup(NAME), replace=True)
    commands.register()
