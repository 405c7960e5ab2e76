// SPDX-License-Identifier: MIT
//
// A plugin that builds something in its host's arena.

#include "words.h"

extern "C" Words* MakeWords(acre::Arena* arena) {
  auto* words = arena->New<Words>();
  (*words)["one"] = 1;
  (*words)["two"] = 2;
  (*words)["a text that is too long to lie in a String itself"] = 3;
  return words;
}
