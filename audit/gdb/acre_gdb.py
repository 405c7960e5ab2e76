# SPDX-License-Identifier: MIT
"""gdb shows acre's arenas and containers: `source acre_gdb.py`.

Everything is in the folder acre_gdb_v1 beside this file. README.md says what
there is, and how gdb finds this file by itself.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
try:
    import acre_gdb_v1
finally:
    del sys.path[0]

acre_gdb_v1.register()
