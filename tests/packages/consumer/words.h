// SPDX-License-Identifier: MIT
//
// What a host and its plugin both know.

#ifndef CONSUMER_WORDS_H_
#define CONSUMER_WORDS_H_

#include <acre/arena.h>
#include <acre/map.h>
#include <acre/string.h>

using Words = acre::Map<acre::String, int>;

#endif  // CONSUMER_WORDS_H_
