// SPDX-License-Identifier: MIT
//
// Hash<K>: the hash of Map and Set. 64 well-mixed bits: tables take the index
// from the top and a fingerprint from the bottom. Fixed, so that iteration
// order is the same in every run and on every machine (games replay);
// UntrustedHash has a seed chosen at random for the process, for keys that an
// attacker may choose.
//
// What is hashed are the bits of a key, so they have to be the same. Those of
// addresses are not, nor of long double, which has several formats. A double
// that was computed may differ in its last bit where the compiler fuses a * b +
// c into one operation, as it does by default for arm64: -ffp-contract=off.
//
// There is one for numbers, enums, pointers, texts, durations, time points, and
// for pairs, tuples, arrays, optionals and variants of these. Equal keys hash
// alike, and every bit of a number counts, however wide it is.
//
// For a type of your own specialise acre::Hash, or give Map a functor, which
// must have no state. Its result is mixed once more, unless it has 64 bits and
// the functor says `using is_avalanching = void;` (or std::true_type).
// One whose results another process does not have says `using is_seeded =
// void;`: tables that come from a file (<acre/saved_arena.h>) are made anew.
//
//   template <>
//   struct acre::Hash<Point> {
//     std::uint64_t operator()(const Point& p) const;
//     // May be left out. With it UntrustedHash protects Points, and what has
//     // Points as parts; without it, the texts in a Point are as known to an
//     // attacker as operator() above is.
//     std::uint64_t operator()(const Point& p, std::uint64_t seed) const;
//   };
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
#include <cstring>
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

/// Loads the number that a machine with the lowest byte first would.
template <class Word>
ACRE_INLINE std::uint64_t LoadLittle(const char* p) {
  const Word word = Load<Word>(p);
  if constexpr (std::endian::native == std::endian::little) {
    return word;
  } else if constexpr (sizeof(Word) == 8) {
    return __builtin_bswap64(word);
  } else {
    static_assert(sizeof(Word) == 4);
    return __builtin_bswap32(word);
  }
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
      a = LoadLittle<std::uint64_t>(p);
      b = LoadLittle<std::uint64_t>(p + n - 8);
    } else if (n >= 4) {
      const std::uint64_t first = LoadLittle<std::uint32_t>(p);
      const std::uint64_t last = LoadLittle<std::uint32_t>(p + n - 4);
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
    state = Mix(LoadLittle<std::uint64_t>(p + i) ^ kMix1 ^ other,
                LoadLittle<std::uint64_t>(p + i + 8) ^ state);
  }
  return Mix(LoadLittle<std::uint64_t>(p + n - 16) ^ kMix2 ^ other,
             LoadLittle<std::uint64_t>(p + n - 8) ^ state);
}

/// Random bits, the same throughout the process.
std::uint64_t ProcessSeed() noexcept;

// Twice: with one product some seeds keep the progressions of neighbours.
inline std::uint64_t SeededHash(std::uint64_t bits, std::uint64_t seed) {
  return Mix(Mix(bits ^ seed, kMix0 ^ std::rotl(seed, 32)), kMix1);
}
inline std::uint64_t SeededHash(std::string_view text, std::uint64_t seed) {
  return Mix(HashBytes(text.data(), text.size(), seed), kMix1);
}

template <class K>
concept Number = std::is_integral_v<K> || std::is_enum_v<K>;
/// One word at most.
template <class K>
concept IntegerLike = (Number<K> || std::is_pointer_v<K>)&&sizeof(K) <= 8;
#if defined(__SIZEOF_INT128__)
// With -std=c++20 std does not count them as integers, with -std=gnu++20 it
// does.
__extension__ using Int128 = __int128;
__extension__ using UInt128 = unsigned __int128;
template <class K>
concept WideInteger = (Number<K> && sizeof(K) > 8) ||
                      std::is_same_v<K, Int128> || std::is_same_v<K, UInt128>;
#else
template <class K>
concept WideInteger = Number<K> && sizeof(K) > 8;
#endif
template <class K>
concept Float = std::is_floating_point_v<K> && sizeof(K) <= 8;
template <class K>
concept WideFloat = std::is_floating_point_v<K> && sizeof(K) > 8;

/// Plain char and wchar_t have a sign on some machines only; here, on none.
template <class K>
ACRE_INLINE std::uint64_t BitsOf(K key) {
  if constexpr (std::is_pointer_v<K>) {
    return reinterpret_cast<std::uintptr_t>(key);
  } else if constexpr (std::is_enum_v<K>) {
    return BitsOf(static_cast<std::underlying_type_t<K>>(key));
  } else if constexpr (std::is_same_v<K, char> || std::is_same_v<K, wchar_t>) {
    return static_cast<std::make_unsigned_t<K>>(key);
  } else {
    return static_cast<std::uint64_t>(key);
  }
}

template <class H, class Q>
concept Hashes = requires(const Q& key) {
  H()(key);
};

/// H says so; `using is_avalanching = std::false_type` says no.
template <class H>
concept Avalanching = requires {
  typename H::is_avalanching;
}
&&!requires { requires !H::is_avalanching::value; };

/// The hash of `key` by H, mixed: 32 bits alone would leave out the top, by
/// which tables take the index.
template <class H, class Q>
ACRE_INLINE std::uint64_t HashBy(const Q& key) {
  using Result = decltype(H()(key));
  if constexpr (Avalanching<H> && sizeof(Result) >= sizeof(std::uint64_t)) {
    return H()(key);
  } else {
    return Mix(static_cast<std::uint64_t>(H()(key)), kMix0);
  }
}

// ---- keys of several parts
//
// The functions here, and the hashes of all types with parts, take a seed or
// none: one body for Hash and UntrustedHash. With a seed, each part is hashed
// with it and each sum of parts begins with it, so that no factor of any
// product is known to who chooses the keys.

/// Nothing yet, of `count` parts.
template <class... Seed>
constexpr std::uint64_t NoParts(std::size_t count, Seed... seed) {
  return (((count + 1) * kMix0) ^ ... ^ seed);
}

/// Adds a part. A product of zero takes nothing away: what was before is added.
ACRE_INLINE std::uint64_t JoinPart(std::uint64_t before, std::uint64_t part) {
  return Mix(std::rotl(before, 32) ^ kMix1, part ^ kMix2) + before;
}

template <class K>
std::uint64_t HashPart(const K& key) {
  static_assert(Hashes<Hash<K>, K>,
                "acre: no hash for this part of a key: specialise acre::Hash");
  return HashBy<Hash<K>>(key);
}
template <class K>
std::uint64_t HashPart(const K& key, std::uint64_t seed) {
  if constexpr (requires { Hash<K>()(key, seed); }) {
    return Hash<K>()(key, seed);
  } else {
    return SeededHash(HashPart(key), seed);
  }
}

// By name, as their layouts (detail/shape.h).
template <class T>
concept StdDuration = IsStdTemplate(TypeName<T>(), "chrono::duration<");
template <class T>
concept StdTimePoint = IsStdTemplate(TypeName<T>(), "chrono::time_point<");
/// Of these there is one value.
template <class T>
concept StdUnit = std::is_null_pointer_v<T> ||
    (std::is_empty_v<T>&& IsStdTemplate(TypeName<T>(), "monostate"));

}  // namespace detail

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
  std::uint64_t operator()(K key, std::uint64_t seed) const {
    return detail::SeededHash(detail::BitsOf(key), seed);
  }
};

/// Of 128 bits.
template <detail::WideInteger K>
struct Hash<K> {
  using is_avalanching = void;
  template <class... Seed>
  std::uint64_t operator()(K key, Seed... seed) const {
    static_assert(sizeof(K) == 2 * sizeof(std::uint64_t));
    if constexpr (std::is_enum_v<K>) {
      using Value = std::underlying_type_t<K>;
      return Hash<Value>()(static_cast<Value>(key), seed...);
    } else {
      const auto low = static_cast<std::uint64_t>(key);
      const auto high = static_cast<std::uint64_t>(key >> 64);
      return detail::JoinPart(detail::HashPart(low, seed...),
                              detail::HashPart(high, seed...));
    }
  }
};

/// -0.0 and 0.0 are equal, and hash alike.
template <detail::Float K>
struct Hash<K> {
  using is_avalanching = void;
  std::uint64_t operator()(K key) const {
    return detail::Mix(Bits(key), detail::kMix0);
  }
  std::uint64_t operator()(K key, std::uint64_t seed) const {
    return detail::SeededHash(Bits(key), seed);
  }

 private:
  static std::uint64_t Bits(K key) {
    const double value = key == 0 ? 0.0 : static_cast<double>(key);
    return std::bit_cast<std::uint64_t>(value);
  }
};
/// By the bytes of the value: the 10 of x87, the rest of which is padding, or
/// the 16 of a quad.
template <detail::WideFloat K>
struct Hash<K> {
  using is_avalanching = void;
  template <class... Seed>
  std::uint64_t operator()(K key, Seed... seed) const {
    std::uint64_t words[2] = {0, 0};
    if (key != 0) std::memcpy(words, &key, kValueBytes);
    if constexpr (std::endian::native == std::endian::big) {
      std::swap(words[0], words[1]);
    }
    // x87 has another form of numbers close to 0, which compares equal.
    if (kIsX87 && (words[1] & 0x7fff) == 0) words[1] |= words[0] >> 63;
    return detail::JoinPart(detail::HashPart(words[0], seed...),
                            detail::HashPart(words[1], seed...));
  }

 private:
  static constexpr bool kIsX87 =
      std::is_same_v<std::remove_cv_t<K>, long double> &&
      __LDBL_MANT_DIG__ == 64;
  static constexpr std::size_t kValueBytes = kIsX87 ? 10 : 16;
  static_assert(sizeof(K) <= 2 * sizeof(std::uint64_t));
};

template <>
struct Hash<std::string_view> {
  using is_avalanching = void;
  using is_transparent = void;
  std::uint64_t operator()(std::string_view key) const {
    return detail::HashBytes(key.data(), key.size(), 0);
  }
  std::uint64_t operator()(std::string_view key, std::uint64_t seed) const {
    return detail::SeededHash(key, seed);
  }
};
/// Looks up with anything that converts to std::string_view.
template <>
struct Hash<String> : Hash<std::string_view> {};

template <class A, class B>
struct Hash<std::pair<A, B>> {
  using is_avalanching = void;
  template <class... Seed>
  std::uint64_t operator()(const std::pair<A, B>& key, Seed... seed) const {
    return detail::JoinPart(detail::HashPart(key.first, seed...),
                            detail::HashPart(key.second, seed...));
  }
};

template <class K, std::size_t N>
struct Hash<std::array<K, N>> {
  using is_avalanching = void;
  template <class... Seed>
  std::uint64_t operator()(const std::array<K, N>& keys, Seed... seed) const {
    std::uint64_t hash = detail::NoParts(N, seed...);
    for (const K& key : keys) {
      hash = detail::JoinPart(hash, detail::HashPart(key, seed...));
    }
    return hash;
  }
};

template <template <class...> class V, class... A>
requires detail::StdTuple<V<A...>>
struct Hash<V<A...>> {
  using is_avalanching = void;
  template <class... Seed>
  std::uint64_t operator()(const V<A...>& keys, Seed... seed) const {
    const auto hash_of = [&]<std::size_t... I>(std::index_sequence<I...>) {
      std::uint64_t hash = detail::NoParts(sizeof...(A), seed...);
      ((hash = detail::JoinPart(hash, detail::HashPart(get<I>(keys), seed...))),
       ...);
      return hash;
    };
    return hash_of(std::index_sequence_for<A...>{});
  }
};

template <template <class> class O, class K>
requires detail::StdOptional<O<K>>
struct Hash<O<K>> {
  using is_avalanching = void;
  template <class... Seed>
  std::uint64_t operator()(const O<K>& key, Seed... seed) const {
    if (!key.has_value()) return detail::NoParts(0, seed...);
    return detail::JoinPart(detail::NoParts(1, seed...),
                            detail::HashPart(*key, seed...));
  }
};

template <template <class...> class V, class... A>
requires detail::StdVariant<V<A...>>
struct Hash<V<A...>> {
  using is_avalanching = void;
  template <class... Seed>
  std::uint64_t operator()(const V<A...>& key, Seed... seed) const {
    std::uint64_t hash = detail::NoParts(key.index(), seed...);
    const auto add = [&](const auto* part) {
      if (part == nullptr) return false;
      hash = detail::JoinPart(hash, detail::HashPart(*part, seed...));
      return true;
    };
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      static_cast<void>((add(get_if<I>(&key)) || ...));
    }
    (std::index_sequence_for<A...>{});
    return hash;
  }
};

template <detail::StdUnit K>
struct Hash<K> {
  using is_avalanching = void;
  template <class... Seed>
  std::uint64_t operator()(const K&, Seed... seed) const {
    return detail::NoParts(0, seed...);
  }
};

/// As its count.
template <template <class, class> class D, class R, class P>
requires detail::StdDuration<D<R, P>>
struct Hash<D<R, P>> {
  using is_avalanching = void;
  template <class... Seed>
  std::uint64_t operator()(const D<R, P>& key, Seed... seed) const {
    return detail::HashPart(key.count(), seed...);
  }
};
template <template <class, class> class T, class C, class D>
requires detail::StdTimePoint<T<C, D>>
struct Hash<T<C, D>> {
  using is_avalanching = void;
  template <class... Seed>
  std::uint64_t operator()(const T<C, D>& key, Seed... seed) const {
    return detail::HashPart(key.time_since_epoch(), seed...);
  }
};

/// As Hash<K>, seeded at random once a process: iteration order differs from
/// run to run, and an attacker cannot prepare keys that collide, nor parts of
/// keys. Of a Hash of your own that takes no seed the result alone is seeded:
/// keys that it does not tell apart collide here, too.
template <class K>
struct UntrustedHash {
  using is_avalanching = void;
  using is_seeded = void;
  std::uint64_t operator()(const K& key) const {
    return detail::HashPart(key, detail::ProcessSeed());
  }
};
template <class K>
requires(std::is_convertible_v<const K&, std::string_view> &&
         !detail::IntegerLike<K>) struct UntrustedHash<K> {
  using is_avalanching = void;
  using is_seeded = void;
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
