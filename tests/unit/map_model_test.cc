// SPDX-License-Identifier: MIT
//
// Guards that any history of operations on a Map leaves what the same history
// leaves in a std::unordered_map, for all kinds of keys and bad hashes too.

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "acre/hash.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"

using acre::Map;
using acre::Set;
using acre::String;
using acre::Vector;

namespace {

// Each makes keys: the one of the reference, and the real one from it.

struct IntKeys {
  using Key = int;
  using Model = int;
  static Model At(std::size_t i) { return static_cast<int>(i); }
  static Key Real(acre::Arena&, Model key) { return key; }
  static Model Back(Key key) { return key; }
};

struct LargeKeys {
  using Key = std::uint64_t;
  using Model = std::uint64_t;
  static Model At(std::size_t i) { return i << 44 | i % 3; }
  static Key Real(acre::Arena&, Model key) { return key; }
  static Model Back(Key key) { return key; }
};

struct ShortKeys {
  using Key = String;
  using Model = std::string;
  static Model At(std::size_t i) { return "key" + std::to_string(i); }
  static const Model& Real(acre::Arena&, const Model& key) { return key; }
  static Model Back(const Key& key) { return Model(key.view()); }
};

/// Both sides of what fits in the handle.
struct LongKeys : ShortKeys {
  static Model At(std::size_t i) {
    return std::string(i % 60, 'k') + std::to_string(i);
  }
};

struct PointerKeys {
  using Key = const int*;
  using Model = const int*;
  static Model At(std::size_t i) {
    static const std::vector<int> targets(4'096);
    return &targets[i];
  }
  static Key Real(acre::Arena&, Model key) { return key; }
  static Model Back(Key key) { return key; }
};

struct PairKeys {
  using Key = std::pair<int, String>;
  using Model = std::pair<int, std::string>;
  static Model At(std::size_t i) {
    return {static_cast<int>(i % 7),
            std::string(i % 40, 'p') + std::to_string(i / 7)};
  }
  static Key Real(acre::Arena& arena, const Model& key) {
    return {key.first, String(arena, key.second)};
  }
  static Model Back(const Key& key) {
    return {key.first, std::string(key.second.view())};
  }
};

// Bad hashes.

struct AllAlike {
  using is_avalanching = void;
  std::uint64_t operator()(int) const { return 0; }
};
struct EightOnly {
  using is_avalanching = void;
  std::uint64_t operator()(int key) const { return acre::Hash<int>()(key % 8); }
};
/// One group, all fingerprints.
struct SameGroup {
  using is_avalanching = void;
  std::uint64_t operator()(int key) const {
    return static_cast<std::uint64_t>(key) & 0xFFFF;
  }
};
/// All groups, one fingerprint.
struct SameFingerprint {
  using is_avalanching = void;
  std::uint64_t operator()(int key) const {
    return acre::Hash<int>()(key) & ~std::uint64_t{0xFFFF};
  }
};
/// Not mixed, 32 bits.
struct Identity {
  std::uint32_t operator()(int key) const {
    return static_cast<std::uint32_t>(key);
  }
};

/// One random history on both. Values own storage, and tell their key.
template <class Keys, class H = acre::Hash<typename Keys::Key>>
class Program {
 public:
  using Key = typename Keys::Key;
  using Model = typename Keys::Model;

  Program(unsigned seed, std::size_t keys) : random_(seed), keys_(keys) {}

  void Run(int steps) {
    for (int step = 0; step < steps; ++step) {
      Step();
      CheckOne(AnyKey());
      REQUIRE(real_.size() == model_.size());
      if (step % 64 == 0) CheckAll();
    }
    CheckAll();
    real_.Release();
    other_.Release();
    CHECK(arena_.stats().live() == 0);
  }

 private:
  std::size_t Below(std::size_t bound) { return random_() % bound; }
  Model AnyKey() { return Keys::At(Below(keys_)); }
  decltype(auto) Real(const Model& key) { return Keys::Real(arena_, key); }

  void Step() {
    // Phases of growth and of shrinking.
    const bool shrinks = phase_++ / 400 % 3 == 2;
    const std::size_t choice = Below(shrinks ? 20 : 14);
    if (choice >= 14) return EraseOne();
    switch (choice) {
      case 0:
      case 1:
      case 2:
        return Append();
      case 3:
      case 4:
        return TryEmplace();
      case 5:
        return Assign();
      case 6:
        return EraseOne();
      case 7:
        return EraseAtIterator();
      case 8:
        return Below(30) == 0 ? EraseIf() : Append();
      case 9:
        return Below(60) == 0 ? Clear() : TryEmplace();
      case 10:
        return Below(20) == 0 ? real_.reserve(Below(2 * keys_)) : Append();
      case 11:
        return Below(20) == 0 ? Exchange() : Assign();
      default:
        return Append();
    }
  }

  void Append() {
    const Model key = AnyKey();
    const int number = static_cast<int>(Below(1'000));
    auto&& real = Real(key);
    real_[std::forward<decltype(real)>(real)].push_back(number);
    Forget(real);
    model_[key].push_back(number);
  }
  void TryEmplace() {
    const Model key = AnyKey();
    const std::size_t size = Below(30);
    auto&& real = Real(key);
    const auto [it, made] =
        real_.try_emplace(std::forward<decltype(real)>(real), arena_, size);
    Forget(real);
    CHECK(made == model_.try_emplace(key, size).second);
    CHECK(Keys::Back(it->first) == key);
  }
  void Assign() {
    const Model key = AnyKey();
    const std::size_t size = Below(30);
    auto&& real = Real(key);
    const auto made = real_.insert_or_assign(std::forward<decltype(real)>(real),
                                             Vector<int>(arena_, size));
    Forget(real);
    CHECK(made.second ==
          model_.insert_or_assign(key, std::vector<int>(size)).second);
  }
  void EraseOne() {
    const Model key = AnyKey();
    auto&& real = Real(key);
    CHECK(real_.erase(real) == model_.erase(key));
    Forget(real);
  }
  void EraseAtIterator() {
    const Model key = AnyKey();
    auto&& real = Real(key);
    const auto it = real_.find(real);
    Forget(real);
    CHECK((it == real_.end()) == !model_.contains(key));
    if (it == real_.end()) return;
    const auto next = std::next(it) == real_.end() ? nullptr : &*std::next(it);
    const auto behind = real_.erase(it);
    CHECK((behind == real_.end() ? nullptr : &*behind) == next);
    model_.erase(key);
  }
  void EraseIf() {
    const std::size_t part = Below(4);
    const auto goes = [part](const auto& element) {
      return element.second.size() % 4 == part;
    };
    CHECK(real_.erase_if(goes) == std::erase_if(model_, goes));
  }
  void Clear() {
    if (Below(2) == 0) {
      real_.clear();
    } else {
      real_.Release();
    }
    model_.clear();
  }
  void Exchange() {
    std::swap(model_, other_model_);
    if (Below(2) == 0) return real_.swap(other_);
    Map<Key, Vector<int>, H> kept(std::move(other_));
    other_ = std::move(real_);
    real_ = std::move(kept);
  }

  /// A key that was made for one call, and not moved from, owns storage.
  template <class K>
  static void Forget(K& key) {
    if constexpr (std::is_same_v<std::remove_const_t<K>, PairKeys::Key>) {
      key.second.Release();
    }
  }

  void CheckOne(const Model& key) {
    auto&& real = Real(key);
    const Vector<int>* value = std::as_const(real_).get(real);
    Forget(real);
    const auto expected = model_.find(key);
    REQUIRE((value != nullptr) == (expected != model_.end()));
    if (value == nullptr) return;
    REQUIRE(std::vector<int>(value->begin(), value->end()) == expected->second);
  }

  void CheckAll() {
    std::size_t count = 0;
    for (const auto& [key, value] : real_) {
      ++count;
      const auto expected = model_.find(Keys::Back(key));
      REQUIRE(expected != model_.end());
      REQUIRE(value.size() == expected->second.size());
    }
    REQUIRE(count == model_.size());
    for (std::size_t i = 0; i < keys_; ++i) CheckOne(Keys::At(i));
  }

  struct ModelHash {
    std::size_t operator()(const Model& key) const {
      if constexpr (std::is_same_v<Model, PairKeys::Model>) {
        return std::hash<std::string>()(key.second) + key.first;
      } else {
        return std::hash<Model>()(key);
      }
    }
  };
  using Reference = std::unordered_map<Model, std::vector<int>, ModelHash>;

  std::mt19937 random_;
  std::size_t keys_;
  acre::Arena arena_;
  Map<Key, Vector<int>, H> real_{arena_};
  Map<Key, Vector<int>, H> other_{arena_};
  Reference model_;
  Reference other_model_;
  std::size_t phase_ = 0;
};

template <class Keys, class H = acre::Hash<typename Keys::Key>>
void RunAll(unsigned seeds, int steps, std::size_t keys) {
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    Program<Keys, H>(seed, keys).Run(steps);
  }
}

}  // namespace

TEST_CASE("Map: any history with integer keys leaves what std has") {
  RunAll<IntKeys>(10, 1'500, 40);
  RunAll<IntKeys>(5, 3'000, 500);
  RunAll<LargeKeys>(5, 2'000, 300);
  RunAll<IntKeys>(1, 20'000, 4'000);
}

TEST_CASE("Map: any history with text keys leaves what std has") {
  RunAll<ShortKeys>(5, 2'000, 200);
  RunAll<LongKeys>(8, 2'000, 200);
}

TEST_CASE("Map: any history with pointer and pair keys leaves what std has") {
  RunAll<PointerKeys>(5, 2'000, 300);
  RunAll<PairKeys>(6, 2'000, 200);
}

TEST_CASE("Map: any history under a bad hash leaves what std has") {
  RunAll<IntKeys, AllAlike>(4, 1'500, 120);
  RunAll<IntKeys, EightOnly>(4, 1'500, 300);
  RunAll<IntKeys, SameGroup>(4, 1'500, 300);
  RunAll<IntKeys, SameFingerprint>(4, 1'500, 300);
  RunAll<IntKeys, Identity>(4, 1'500, 300);
}

TEST_CASE("Map: any history under a random seed leaves what std has") {
  RunAll<IntKeys, acre::UntrustedHash<int>>(4, 1'500, 300);
  RunAll<LongKeys, acre::UntrustedHash<String>>(4, 1'500, 200);
}
