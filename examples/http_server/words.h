// SPDX-License-Identifier: MIT
//
// What the server does: counts the words of a text. The functions take no
// arena; they find the one that is bound to the request (acre::FindArena).
//
// What comes and goes as JSON are these structs: their layouts say how.

#ifndef HTTP_SERVER_WORDS_H_
#define HTTP_SERVER_WORDS_H_

#include <acre/layout.h>
#include <acre/string.h>
#include <acre/vector.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace web {

/// {"text": "...", "top": 3}
struct Question {
  acre::String text;
  std::optional<std::uint32_t> top;
};
ACRE_LAYOUT(Question, text, top)

struct Word {
  std::string_view word;  // in memory of the arena
  std::uint32_t count = 0;
};
ACRE_LAYOUT(Word, word, count)

struct Answer {
  std::uint64_t words = 0;      // all of them
  std::uint64_t different = 0;  // each counted once
  std::string_view longest;
  acre::Vector<Word> top;  // the most frequent ones, ties by alphabet
};
ACRE_LAYOUT(Answer, words, different, longest, top)

/// With the `top` most frequent words. Null where no arena is bound in this
/// thread.
const Answer* CountWords(std::string_view text, std::size_t top);

}  // namespace web

#endif  // HTTP_SERVER_WORDS_H_
