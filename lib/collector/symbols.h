// SPDX-License-Identifier: MIT
//
// Names of static variables, for reports.

#ifndef ACRE_LIB_COLLECTOR_SYMBOLS_H_
#define ACRE_LIB_COLLECTOR_SYMBOLS_H_

#include <string>

#include "acre/config.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// "game::g_world+0x8", of a library "name+0x8 (/lib/libx.so)": the variable
/// around the address. Without a symbol "the program+0x4010"; empty for an
/// address in no file. Reads the file.
std::string SymbolAt(const void* address);

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_LIB_COLLECTOR_SYMBOLS_H_
