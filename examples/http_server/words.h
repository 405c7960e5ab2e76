// SPDX-License-Identifier: MIT
//
// What the server does: counts the words of a text. The functions take no
// arena; they find the one that is bound to the request (acre::FindArena).

#ifndef HTTP_SERVER_WORDS_H_
#define HTTP_SERVER_WORDS_H_

#include <cstddef>
#include <string_view>

#include "json.h"

namespace web {

/// {"words": all, "different": n, "longest": "...", "top": [{"word", "count"}]}
/// with the `top` most frequent words, ties by alphabet. Null where no arena is
/// bound in this thread.
const Json* CountWords(std::string_view text, std::size_t top);

}  // namespace web

#endif  // HTTP_SERVER_WORDS_H_
