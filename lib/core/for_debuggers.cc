// SPDX-License-Identifier: MIT

#include "core/for_debuggers.h"

#include <cstddef>

#include "acre/detail/fill.h"
#include "acre/detail/size_class.h"
#include "acre/type_layout.h"
#include "core/slow_path.h"

namespace acre::inline ACRE_ABI::detail {

#define ACRE_OFFSET_(Type, field) \
  { #Type "." #field, offsetof(Type, field) }

// Here, because it sees the private parts of all.
constinit const DebuggerWord SlowPath::debugger_words[] = {
    {"sizeof(Arena)", sizeof(Arena)},
    ACRE_OFFSET_(Arena, cursor_),
    ACRE_OFFSET_(Arena, mark_),
    ACRE_OFFSET_(Arena, freed_),
    ACRE_OFFSET_(Arena, reused_),
    ACRE_OFFSET_(Arena, stamp_),
    ACRE_OFFSET_(Arena, first_),
    ACRE_OFFSET_(Arena, current_),
    ACRE_OFFSET_(Arena, large_),
    ACRE_OFFSET_(Arena, large_spares_),
    ACRE_OFFSET_(Arena, entry_),
    ACRE_OFFSET_(Arena, reserved_),
    ACRE_OFFSET_(Arena, reset_order_),
    ACRE_OFFSET_(Arena, options_.name),
    ACRE_OFFSET_(Arena, collected_),

    ACRE_OFFSET_(MarkState, outer),
    ACRE_OFFSET_(MarkState, stamp),
    ACRE_OFFSET_(MarkState, outer_stamp),
    ACRE_OFFSET_(MarkState, freed),
    ACRE_OFFSET_(MarkState, reused),
    ACRE_OFFSET_(MarkState, waiting_bytes),

    ACRE_OFFSET_(ArenaEntry, hidden_arena),
    ACRE_OFFSET_(ArenaEntry, lives),
    ACRE_OFFSET_(ArenaEntry, next_made),
    ACRE_OFFSET_(ArenaEntry, name),
    ACRE_OFFSET_(ArenaEntry, older_stamps),
    ACRE_OFFSET_(LiveStamps, row),
    ACRE_OFFSET_(LiveStamps, count),
    ACRE_OFFSET_(LiveStamps, last),
    {"sizeof(StampRow)", sizeof(StampRow)},
    {"sizeof(StampSpan)", sizeof(StampSpan)},
    ACRE_OFFSET_(StampSpan, first),
    ACRE_OFFSET_(StampSpan, last),

    ACRE_OFFSET_(Chunk, begin),
    ACRE_OFFSET_(Chunk, end),
    ACRE_OFFSET_(Chunk, owner),
    ACRE_OFFSET_(Chunk, top),
    ACRE_OFFSET_(Chunk, next),
    ACRE_OFFSET_(Chunk, order),
    ACRE_OFFSET_(Chunk, is_large),
    ACRE_OFFSET_(Chunk, blocks),
    {"kChunkHeader", kChunkHeader},

    ACRE_OFFSET_(BlockMap, begin_),
    ACRE_OFFSET_(BlockMap, granules_),
    ACRE_OFFSET_(BlockMap, infos_),
    ACRE_OFFSET_(BlockMap, starts_),
    {"kGranule", kGranule},
    // The bit-fields follow its first word, from the lowest bit up.
    {"sizeof(BlockInfo)", sizeof(BlockInfo)},
    ACRE_OFFSET_(BlockInfo, type),
    {"BlockInfo.bits", sizeof(void*)},

    ACRE_OFFSET_(TypeLayout, name),
    ACRE_OFFSET_(TypeLayout, size),
// Which of the two words of a string_view comes first.
#if defined(_LIBCPP_VERSION)
    {"string_view.data", 0},
    {"string_view.size", sizeof(void*)},
#else
    {"string_view.data", sizeof(void*)},
    {"string_view.size", 0},
#endif

    {"kFreshByte", kFreshByte},
    {"kFreedByte", kFreedByte},
    {"", 0}};

#undef ACRE_OFFSET_

}  // namespace acre::inline ACRE_ABI::detail

// gdb reads this script with the program, where it may: README, "In gdb".
#if defined(ACRE_GDB_SCRIPT)
__asm__(
    ".pushsection .debug_gdb_scripts,\"MS\",@progbits,1\n"
    ".byte 1\n"  // a file in Python
    ".asciz \"" ACRE_GDB_SCRIPT
    "\"\n"
    ".popsection\n");
#endif
