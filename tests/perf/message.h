// SPDX-License-Identifier: MIT
//
// The "large message": 41 fields, seven pieces (the message itself and six that
// it points to), 416 bytes in all; as protocol messages with texts, arrays and
// sub-messages are.

#ifndef ACRE_PERF_MESSAGE_H_
#define ACRE_PERF_MESSAGE_H_

#include <cstddef>
#include <cstdint>

#include "acre/layout.h"

namespace perf {

struct Text {
  char characters[32];
};
struct Numbers {
  double values[4];
};
struct Stamp {
  std::int64_t seconds;
  std::int64_t nanoseconds;
};
ACRE_LAYOUT(Text, characters)
ACRE_LAYOUT(Numbers, values)
ACRE_LAYOUT(Stamp, seconds, nanoseconds)

struct Message {
  Text* subject;
  Text* sender;
  Numbers* place;
  Numbers* speed;
  Stamp* sent;
  Stamp* received;
  double d1, d2, d3, d4, d5, d6, d7, d8;
  std::int64_t n1, n2, n3, n4, n5, n6, n7, n8;
  std::int32_t i1, i2, i3, i4, i5, i6, i7, i8, i9, i10;
  float f1, f2, f3, f4, f5, f6, f7, f8, f9;
};
ACRE_LAYOUT(Message, subject, sender, place, speed, sent, received, d1, d2, d3,
            d4, d5, d6, d7, d8, n1, n2, n3, n4, n5, n6, n7, n8, i1, i2, i3, i4,
            i5, i6, i7, i8, i9, i10, f1, f2, f3, f4, f5, f6, f7, f8, f9)

inline constexpr std::size_t kPieces = 7;
static_assert(sizeof(Message) == 256);
static_assert(sizeof(Message) + 2 * sizeof(Text) + 2 * sizeof(Numbers) +
                  2 * sizeof(Stamp) ==
              416);

/// `piece.template operator()<T>()` allocates a zeroed T.
Message* MakeMessage(const auto& piece) {
  auto* message = piece.template operator()<Message>();
  message->subject = piece.template operator()<Text>();
  message->sender = piece.template operator()<Text>();
  message->place = piece.template operator()<Numbers>();
  message->speed = piece.template operator()<Numbers>();
  message->sent = piece.template operator()<Stamp>();
  message->received = piece.template operator()<Stamp>();
  return message;
}

}  // namespace perf

#endif  // ACRE_PERF_MESSAGE_H_
