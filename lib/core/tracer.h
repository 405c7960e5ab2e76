// SPDX-License-Identifier: MIT
//
// Tracer: what a traced arena keeps beside an ordinary one. The collector marks
// through its chunks, by bitmaps that say which words hold pointers.
//
//   chunk:  | back link | descriptor | blocks ...   | bitmap | cookie |
//             word 0      word 1       words          a bit for each word
//
// A bit is set when a block is handed out, by the layout of what is to lie
// there, and cleared when it comes back. The arena's inline code finds neither
// a free block nor room, so that all of it goes by the slow path: the freelists
// are here, and Arena::limit_ is the cursor. Untraced arenas pay nothing.
//
// The marker may look at any moment, in another thread: a word is zero, or
// something that was there before, when it gets its bit.

#ifndef ACRE_LIB_CORE_TRACER_H_
#define ACRE_LIB_CORE_TRACER_H_

#include <cstddef>
#include <cstdint>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/size_class.h"
#include "acre/type_layout.h"
#include "core/chunk.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// How the memory of a traced chunk is divided.
struct TracedMemory {
  /// From 2 KiB down libgc 8.2.2 would take an old object's word 1 for a
  /// descriptor: such chunks must not be.
  static constexpr std::size_t kLeast = 4096;
  static constexpr std::size_t kTail = 16;  // holds the cookie

  /// Words in front of the bitmap, of a chunk of that many bytes; even.
  static constexpr std::size_t WordsIn(std::size_t bytes) {
    return (bytes - kTail) / 8 * 64 / 65 / 2 * 2;
  }
  /// Bytes of a chunk that has `bytes` in front of its bitmap, at least.
  static constexpr std::size_t BytesFor(std::size_t bytes) {
    const std::size_t all = bytes + bytes / 64 + 3 * kTail;
    return all < kLeast ? kLeast : RoundUp(all, kGranule);
  }
  static std::uint64_t* BitsOf(void* chunk, std::size_t bytes) {
    return static_cast<std::uint64_t*>(chunk) + WordsIn(bytes);
  }
  static void** CookieOf(void* chunk, std::size_t bytes) {
    return reinterpret_cast<void**>(static_cast<char*>(chunk) + bytes - kTail);
  }
  static constexpr std::size_t BitmapBytes(std::size_t words) {
    return (words + 63) / 64 * 8;
  }
};

/// Where in a pointer or view the address lies.
std::size_t AddressOffset(const TypeLayout& slot);

/// For each word of an object of `type` that may hold the address of an object:
/// calls visit(context, offset). Of what may be one thing or another, all words
/// in which one of them has one.
void ForEachAddressWord(const TypeLayout& type, std::size_t offset,
                        void (*visit)(void* context, std::size_t offset),
                        void* context);

struct Tracer {
  FreeBlock* lists[kClassCount] = {};

  /// The address words of a type of up to 64 words.
  struct Known {
    const TypeLayout* type;
    std::uint64_t mask;
  };
  static constexpr std::size_t kKnown = 8;
  Known known[kKnown] = {};  // of each hash the last one
  std::size_t scans_raw = 1;

  /// A block of `bytes` bytes, all that it has, was handed out for objects of
  /// that type, or for anything.
  void NoteTaken(const Chunk& chunk, void* block, std::size_t bytes,
                 const TypeLayout* type);
  /// A row of elements in a block about which nothing was known. More than one
  /// are zero then.
  void NoteRow(const Chunk& chunk, void* row, std::size_t bytes,
               const TypeLayout& element);
  static void Clear(const Chunk& chunk, const void* from, const void* to);
  static void SetAll(const Chunk& chunk, const void* from, const void* to);
  static bool IsTraced(const Chunk& chunk, const void* word);

 private:
  std::uint64_t MaskOf(const TypeLayout& type);
  void NoteMany(const Chunk& chunk, void* row, std::size_t bytes,
                const TypeLayout& element);
};

/// Zeros; null where memory ran out. That of a collected arena is collected
/// with it. collector/traced_source.cc.
Tracer* NewTracer(bool is_collected);
/// Of explicit traced arenas.
ChunkSource& TheTracedSource() noexcept;
void FreeTracer(Tracer* tracer);

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_LIB_CORE_TRACER_H_
