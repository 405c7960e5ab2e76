// SPDX-License-Identifier: MIT
//
// Hash<K>: the hash of Map and Set. 64 well-mixed bits: tables take the index
// from the top and a fingerprint from the bottom. Fixed, so that iteration
// order is the same in every run (games replay); UntrustedHash has a seed
// chosen at random for the process, for keys that an attacker may choose.
//
// There is one for numbers, enums, pointers, texts, durations, and for pairs,
// tuples, arrays and optionals of these.
// For a type of your own specialise acre::Hash, or give Map a functor; one
// without `using is_avalanching = void;` is mixed once more.
//
// Mixing is the 64x64 to 128 bit multiply-and-fold of wyhash (Wang Yi, public
// domain); the constants are the fractional digits of the golden ratio and
// odd numbers of equal bit count from the same source.

#ifndef ACRE_HASH_H_
#define ACRE_HASH_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include "acre/config.h"
#include "acre/detail/shape.h"
#include "acre/detail/text.h"
#include "acre/fwd.h"

namespace acre::inline ACRE_ABI {
namespace detail {

inline constexpr std::uint64_t kMix0 = 0x9E3779B97F4A7C15u;
inline constexpr std::uint64_t kMix1 = 0xD6E8FEB86659FD93u;
inline constexpr std::uint64_t kMix2 = 0xA0761D6478BD642Fu;

ACRE_INLINE std::uint64_t Mix(std::uint64_t a, std::uint64_t b) {
#if defined(__SIZEOF_INT128__)
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^
         static_cast<std::uint64_t>(product >> 64);
#else
  // Two 32-bit halves, folded; weaker than the full product, still avalanching.
  const std::uint64_t low = (a & 0xffffffffu) * (b | 1);
  const std::uint64_t high = (a >> 32) * (b >> 32 | 1);
  return (low ^ std::rotl(high, 29) ^ std::rotl(a * b, 32)) * kMix0;
#endif
}

ACRE_INLINE std::uint64_t HashBytes(const char* p, std::size_t n,
                                    std::uint64_t seed) {
  // Both factors of every product take part of the seed: a factor that a text
  // could make zero would let the other one vanish.
  const std::uint64_t other = std::rotl(seed, 32);
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  if (ACRE_LIKELY(n <= 16)) {
    if (ACRE_LIKELY(n >= 8)) {
      a = Load<std::uint64_t>(p);
      b = Load<std::uint64_t>(p + n - 8);
    } else if (n >= 4) {
      const std::uint64_t first = Load<std::uint32_t>(p);
      const std::uint64_t last = Load<std::uint32_t>(p + n - 4);
      a = first << 32 | last;
      b = last << 32 | first;
    } else if (n != 0) {
      const auto byte = [p](std::size_t i) -> std::uint64_t {
        return Load<unsigned char>(p + i);
      };
      a = byte(0) << 16 | byte(n / 2) << 8 | byte(n - 1);
      b = a;  // a constant factor alone would leave patterns of digits
    }
    return Mix(a ^ kMix1 ^ seed, b ^ kMix2 ^ other ^ (n * kMix0));
  }
  std::uint64_t state = n * kMix0 ^ seed;
  for (std::size_t i = 0; i + 16 < n; i += 16) {
    state = Mix(Load<std::uint64_t>(p + i) ^ kMix1 ^ other,
                Load<std::uint64_t>(p + i + 8) ^ state);
  }
  return Mix(Load<std::uint64_t>(p + n - 16) ^ kMix2 ^ other,
             Load<std::uint64_t>(p + n - 8) ^ state);
}

/// Random bits, the same throughout the process.
std::uint64_t ProcessSeed() noexcept;

template <class K>
concept IntegerLike =
    std::is_integral_v<K> || std::is_enum_v<K> || std::is_pointer_v<K>;

template <class K>
ACRE_INLINE std::uint64_t BitsOf(K key) {
  if constexpr (std::is_pointer_v<K>) {
    return reinterpret_cast<std::uintptr_t>(key);
  } else {
    return static_cast<std::uint64_t>(key);
  }
}

}  // namespace detail

/// No hash for this type: specialise acre::Hash or name a functor.
template <class K>
struct Hash;

template <detail::IntegerLike K>
struct Hash<K> {
  using is_avalanching = void;
  std::uint64_t operator()(K key) const {
    const std::uint64_t hash =
        detail::Mix(detail::BitsOf(key) + detail::kMix2, detail::kMix0);
    // Neighbours in memory are an arithmetic progression, which one product
    // may keep, depending on where it starts.
    if constexpr (std::is_pointer_v<K>) return detail::Mix(hash, detail::kMix1);
    return hash;
  }
};

/// -0.0 and 0.0 are equal, and hash alike.
template <class K>
requires std::is_floating_point_v<K>
struct Hash<K> {
  using is_avalanching = void;
  std::uint64_t operator()(K key) const {
    const double value = key == 0 ? 0.0 : static_cast<double>(key);
    return detail::Mix(std::bit_cast<std::uint64_t>(value), detail::kMix0);
  }
};

template <>
struct Hash<std::string_view> {
  using is_avalanching = void;
  using is_transparent = void;
  std::uint64_t operator()(std::string_view key) const {
    return detail::HashBytes(key.data(), key.size(), 0);
  }
};
/// Looks up with anything that converts to std::string_view.
template <>
struct Hash<String> : Hash<std::string_view> {};

template <class A, class B>
struct Hash<std::pair<A, B>> {
  using is_avalanching = void;
  std::uint64_t operator()(const std::pair<A, B>& key) const {
    return detail::Mix(Hash<A>()(key.first) ^ detail::kMix1,
                       Hash<B>()(key.second) ^ detail::kMix2);
  }
};

namespace detail {

/// Of one key after others, whose hash is `before`.
template <class K>
std::uint64_t HashNext(std::uint64_t before, const K& key) {
  return Mix(std::rotl(before, 32) ^ kMix1, Hash<K>()(key) ^ kMix2);
}

template <class T>
concept StdDuration = IsStdTemplate(TypeName<T>(), "chrono::duration<");

}  // namespace detail

template <class K, std::size_t N>
struct Hash<std::array<K, N>> {
  using is_avalanching = void;
  std::uint64_t operator()(const std::array<K, N>& keys) const {
    std::uint64_t hash = N;
    for (const K& key : keys) hash = detail::HashNext(hash, key);
    return hash;
  }
};

// tuple, optional and duration: by name, as their layouts (detail/shape.h).
template <template <class...> class V, class... A>
requires detail::StdTuple<V<A...>>
struct Hash<V<A...>> {
  using is_avalanching = void;
  std::uint64_t operator()(const V<A...>& keys) const {
    return Of(keys, std::index_sequence_for<A...>{});
  }

 private:
  template <std::size_t... I>
  static std::uint64_t Of(const V<A...>& keys, std::index_sequence<I...>) {
    std::uint64_t hash = sizeof...(A);
    ((hash = detail::HashNext(hash, get<I>(keys))), ...);
    return hash;
  }
};

template <template <class> class O, class K>
requires detail::StdOptional<O<K>>
struct Hash<O<K>> {
  using is_avalanching = void;
  std::uint64_t operator()(const O<K>& key) const {
    return key.has_value() ? detail::HashNext(1, *key) : detail::kMix0;
  }
};

template <template <class, class> class D, class R, class P>
requires detail::StdDuration<D<R, P>>
struct Hash<D<R, P>> : Hash<R> {
  std::uint64_t operator()(const D<R, P>& key) const {
    return Hash<R>::operator()(key.count());
  }
};

namespace detail {

// Twice: with one product some seeds keep the progressions of neighbours.
inline std::uint64_t SeededHash(std::uint64_t bits, std::uint64_t seed) {
  return Mix(Mix(bits ^ seed, kMix0 ^ std::rotl(seed, 32)), kMix1);
}
inline std::uint64_t SeededHash(std::string_view text, std::uint64_t seed) {
  return Mix(HashBytes(text.data(), text.size(), seed), kMix1);
}

}  // namespace detail

/// As Hash<K>, seeded at random once a process: iteration order differs from
/// run to run, and an attacker cannot prepare keys that collide.
template <class K>
struct UntrustedHash {
  using is_avalanching = void;
  std::uint64_t operator()(const K& key) const {
    return detail::Mix(Hash<K>()(key) ^ detail::ProcessSeed(), detail::kMix1);
  }
};
template <detail::IntegerLike K>
struct UntrustedHash<K> {
  using is_avalanching = void;
  std::uint64_t operator()(K key) const {
    return detail::SeededHash(detail::BitsOf(key), detail::ProcessSeed());
  }
};
template <class K>
requires(std::is_convertible_v<const K&, std::string_view> &&
         !detail::IntegerLike<K>) struct UntrustedHash<K> {
  using is_avalanching = void;
  using is_transparent = void;
  std::uint64_t operator()(std::string_view key) const {
    return detail::SeededHash(key, detail::ProcessSeed());
  }
};

/// Compares with ==, whatever the types.
struct KeyEqual {
  using is_transparent = void;
  template <class A, class B>
  bool operator()(const A& a, const B& b) const {
    return a == b;
  }
};

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_HASH_H_
