// SPDX-License-Identifier: MIT
//
// Chunks that the collector marks through; see core/tracer.h.

#ifndef ACRE_LIB_COLLECTOR_TRACED_SOURCE_H_
#define ACRE_LIB_COLLECTOR_TRACED_SOURCE_H_

#include <cstddef>

#include "acre/config.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// Of that size, a multiple of the granule of at least TracedMemory::kLeast.
/// `back_link`, or null, is marked with it. Null where memory runs out.
void* NewTracedChunk(std::size_t size, void* back_link, void* cookie);
/// The collector marks through it no longer.
void CloseTracedChunk(void* chunk);

/// Whether there may be such chunks, and their kind.
bool IsTracedKind(int kind);

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_LIB_COLLECTOR_TRACED_SOURCE_H_
