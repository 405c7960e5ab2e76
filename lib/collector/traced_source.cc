// SPDX-License-Identifier: MIT
//
// One kind for all traced chunks, with a descriptor in each: word 1 names a
// mark procedure and says how many words there are. So nothing that the marker
// believes is read from memory that an arena writes, but for the bitmap.

#include "collector/traced_source.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <new>

#include "acre/chunk_source.h"
#include "acre/detail/around_fork.h"
#include "acre/failure.h"
#include "acre/gc.h"
#include "collector/libgc.h"
#include "core/commons.h"
#include "core/tracer.h"

namespace acre::inline ACRE_ABI {
namespace detail {
namespace {

/// Of all copies of acre: the collector has few kinds, and few procedures.
struct Traced {
  std::mutex lock;  // libgc is called under it
  std::atomic<bool> is_made{false};
  unsigned proc = 0;
  unsigned kind = 0;
};

Traced& TheTraced() {
  static Traced& traced = Common<Traced>("traced", 0);
  return traced;
}

// What a descriptor carries, in 56 bits: half the words of the chunk, and from
// which word of the bitmap on it is to be marked.
constexpr unsigned kStepShift = 30;
constexpr std::uint64_t kHalfWordsMask = (std::uint64_t{1} << kStepShift) - 1;
constexpr std::size_t kMostBytes = std::size_t{8} << 30;
static_assert(TracedMemory::WordsIn(kMostBytes) / 2 <= kHalfWordsMask);
static_assert(TracedMemory::WordsIn(kMostBytes) / 64 < std::uint64_t{1} << 26);
// Pointers pushed, and bitmap words looked at, in one step: more overflow the
// mark stack (measured: from 1024 on).
constexpr unsigned kPointers = 128;
constexpr std::uint64_t kBitmapWords = 1024;

/// GC_ms_entry of libgc, whose header does not show it; the same since 7.0.
struct MarkEntry {
  void* start;
  GC_word descriptor;
};

GC_word DescriptorOf(std::uint64_t words, std::uint64_t step) {
  return GC_MAKE_PROC(TheTraced().proc, words / 2 | step << kStepShift);
}

/// Runs in several threads, while the arena is in use in others.
__attribute__((no_sanitize("address"))) GC_ms_entry* MarkChunk(
    GC_word* chunk, GC_ms_entry* top, GC_ms_entry* limit, GC_word env) {
  const std::uint64_t words = (env & kHalfWordsMask) * 2;
  const std::uint64_t begin = env >> kStepShift;
  const auto* const bits =
      reinterpret_cast<const std::uint64_t*>(chunk) + words;
  const std::uint64_t all = (words + 63) / 64;
  if (begin == 0 && chunk[0] != 0) {
    top = GC_MARK_AND_PUSH(reinterpret_cast<void*>(chunk[0]), top, limit,
                           reinterpret_cast<void**>(chunk));
  }
  // How far this step goes comes first: the rest of the chunk is to lie below
  // what is pushed, or the stack would grow with the chunk.
  std::uint64_t end = begin;
  const std::uint64_t most = std::min(all, begin + kBitmapWords);
  for (int pointers = 0; end < most && pointers < int{kPointers}; ++end) {
    pointers += std::popcount(__atomic_load_n(&bits[end], __ATOMIC_ACQUIRE));
  }
  if (end < all) {
    auto* const next = reinterpret_cast<MarkEntry*>(top) + 1;
    if (reinterpret_cast<GC_ms_entry*>(next) < limit) {
      *next = {chunk, DescriptorOf(words, end)};
      top = reinterpret_cast<GC_ms_entry*>(next);
    } else {
      end = all;  // no room: all of it now
    }
  }
  for (std::uint64_t i = begin; i < end; ++i) {
    std::uint64_t set = __atomic_load_n(&bits[i], __ATOMIC_ACQUIRE);
    for (; set != 0; set &= set - 1) {
      auto** const word = reinterpret_cast<void**>(chunk) + i * 64 +
                          static_cast<unsigned>(std::countr_zero(set));
      void* const target = __atomic_load_n(word, __ATOMIC_RELAXED);
      // What leads into this very chunk is marked already.
      const auto offset = static_cast<std::uint64_t>(
          static_cast<char*>(target) - reinterpret_cast<char*>(chunk));
      if (target != nullptr && offset / sizeof(void*) >= words)
        top = GC_MARK_AND_PUSH(target, top, limit, word);
    }
  }
  return top;
}

void MakeKind() {
  Traced& traced = TheTraced();
  if (traced.is_made.load(std::memory_order_acquire)) return;
  EnsureCollector();
  RenewAfterFork(traced.lock);
  const std::lock_guard<std::mutex> hold(traced.lock);
  if (traced.is_made.load(std::memory_order_relaxed)) return;
  Pin();  // the collector calls it from now on
  traced.proc = GC_new_proc(&MarkChunk);
#ifdef ACRE_GC_ASSERTS
  constexpr int kClear = 1;  // demanded by a libgc with assertions
#else
  constexpr int kClear = 0;  // 289 ms instead of 4.5 for chunks of 400 MiB
#endif
  traced.kind =
      GC_new_kind(GC_new_free_list(), 8 | GC_DS_PER_OBJECT, 0, kClear);
  traced.is_made.store(true, std::memory_order_release);
}

/// Explicit traced arenas: an anchor holds each chunk, as in CollectedSource.
class TracedSource final : public ChunkSource {
 public:
  ChunkMemory Acquire(std::size_t min_size, std::size_t wanted) override {
    EnsureCollector();
    CheckThread();
    auto* anchor = static_cast<void**>(GC_malloc_uncollectable(sizeof(void*)));
    if (anchor == nullptr) return {};
    for (const std::size_t size : {wanted, min_size}) {
      void* chunk = NewTracedChunk(size, nullptr, anchor);
      if (chunk == nullptr) continue;
      *anchor = chunk;
      TellWritten(anchor);
      return {chunk, size};
    }
    GC_FREE(anchor);
    return {};
  }
  void Release(ChunkMemory memory) noexcept override {
    GC_FREE(*TracedMemory::CookieOf(memory.address, memory.size));
    CloseTracedChunk(memory.address);
    GC_FREE(memory.address);
  }
};

}  // namespace

void* NewTracedChunk(std::size_t size, void* back_link, void* cookie) {
  MakeKind();
  if (size > kMostBytes || !StartTelling()) return nullptr;
  auto* chunk = static_cast<GC_word*>(
      GC_generic_malloc(size - 1, static_cast<int>(TheTraced().kind)));
  if (chunk == nullptr) return nullptr;
  const std::size_t words = TracedMemory::WordsIn(size);
  std::memset(TracedMemory::BitsOf(chunk, size), 0,
              TracedMemory::BitmapBytes(words));
  *TracedMemory::CookieOf(chunk, size) = cookie;
  __atomic_store_n(&chunk[0], reinterpret_cast<GC_word>(back_link),
                   __ATOMIC_RELEASE);
  __atomic_store_n(&chunk[1], DescriptorOf(words, 0), __ATOMIC_RELEASE);
  return chunk;
}

void CloseTracedChunk(void* chunk) {
  auto* const words = static_cast<GC_word*>(chunk);
  __atomic_store_n(&words[1], GC_word{8} | GC_DS_LENGTH, __ATOMIC_RELEASE);
  __atomic_store_n(&words[0], GC_word{0}, __ATOMIC_RELEASE);
}

bool IsTracedKind(int kind) {
  const Traced& traced = TheTraced();
  return traced.is_made.load(std::memory_order_acquire) &&
         kind == static_cast<int>(traced.kind);
}

ChunkSource& TheTracedSource() noexcept {
  alignas(TracedSource) static std::byte storage[sizeof(TracedSource)];
  static TracedSource* const instance = ::new (storage) TracedSource;
  return *instance;
}

Tracer* NewTracer(bool is_collected) {
  EnsureCollector();
  // Its lists lead into the arena's own chunks: nothing in it is to be scanned.
  void* const memory = is_collected
                           ? GC_malloc_atomic(sizeof(Tracer))
                           : GC_malloc_atomic_uncollectable(sizeof(Tracer));
  return memory == nullptr ? nullptr : ::new (memory) Tracer;
}

void FreeTracer(Tracer* tracer) { GC_FREE(tracer); }

}  // namespace detail
}  // namespace acre::inline ACRE_ABI
