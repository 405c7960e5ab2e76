// SPDX-License-Identifier: MIT
//
// The loops of bumpalo.rs. Each makes `count` objects, writes the first word
// of each, and resets.

#ifndef ACRE_PERF_BUMPALO_H_
#define ACRE_PERF_BUMPALO_H_

#include <cstddef>
#include <cstdint>

extern "C" {
void* acre_perf_bumpalo_new();
void acre_perf_bumpalo_delete(void* bump);
void acre_perf_bumpalo_16(void* bump, std::size_t count);
void acre_perf_bumpalo_64(void* bump, std::size_t count);
void acre_perf_bumpalo_mixed(void* bump, std::size_t count,
                             const std::uint16_t* sizes, std::size_t mask);
}

#endif  // ACRE_PERF_BUMPALO_H_
