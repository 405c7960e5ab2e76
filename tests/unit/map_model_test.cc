// SPDX-License-Identifier: MIT
//
// Guards that any history of operations on a Map leaves what the same history
// leaves in a std::unordered_map, for all kinds of keys and bad hashes too.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "acre/hash.h"
#include "acre/map.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "support/scaled.h"

namespace map_model_test {

using acre::Map;
using acre::String;
using acre::Vector;

namespace {

// Each makes the key of a number. Different numbers make different keys.

struct IntKeys {
  using Key = int;
  static Key At(acre::Arena&, std::size_t i) { return static_cast<int>(i); }
  static void Forget(Key) {}
};

struct LargeKeys {
  using Key = std::uint64_t;
  static Key At(acre::Arena&, std::size_t i) { return i << 44 | i % 3; }
  static void Forget(Key) {}
};

/// Texts of another type; from kFirstLong on both sides of what fits in the
/// handle.
struct TextKeys {
  using Key = String;
  static constexpr std::size_t kFirstLong = 1'000;
  static const std::string& At(acre::Arena&, std::size_t i) {
    static const std::vector<std::string> texts = [] {
      std::vector<std::string> made;
      for (std::size_t n = 0; n < kFirstLong; ++n) {
        made.push_back("key" + std::to_string(n));
      }
      for (std::size_t n = 0; n < kFirstLong; ++n) {
        made.push_back(std::string(n % 60, 'k') + std::to_string(n));
      }
      return made;
    }();
    return texts.at(i);
  }
  static void Forget(const std::string&) {}
};

struct PointerKeys {
  using Key = const int*;
  static Key At(acre::Arena&, std::size_t i) {
    static const std::vector<int> targets(4'096);
    return &targets[i];
  }
  static void Forget(Key) {}
};

struct PairKeys {
  using Key = std::pair<int, String>;
  static Key At(acre::Arena& arena, std::size_t i) {
    return {static_cast<int>(i % 7),
            String(arena, std::string(i % 40, 'p') + std::to_string(i / 7))};
  }
  /// A key that was made for one call, and not moved from, owns storage.
  static void Forget(Key& key) { key.second.Release(); }
};

// Bad hashes.

std::uint64_t AllAlike(int) { return 0; }
std::uint64_t EightOnly(int key) { return acre::Hash<int>()(key % 8); }
/// One group, all fingerprints.
std::uint64_t SameGroup(int key) {
  return static_cast<std::uint64_t>(key) & 0xFFFF;
}
/// All groups, one fingerprint.
std::uint64_t SameFingerprint(int key) {
  return acre::Hash<int>()(key) & ~std::uint64_t{0xFFFF};
}
/// One of those: Map is compiled once for all of them.
struct BadHash {
  using is_avalanching = void;
  std::uint64_t operator()(int key) const { return function(key); }
  inline static std::uint64_t (*function)(int) = nullptr;
};
/// Not mixed, 32 bits.
struct Identity {
  std::uint32_t operator()(int key) const {
    return static_cast<std::uint32_t>(key);
  }
};

/// A Map and another one, with keys that the history knows by their numbers:
/// what does not depend on the type of the keys is compiled once.
class Real {
 public:
  using Values = Vector<int>;
  struct Erased {
    bool was_there;
    bool tells_next;
  };
  struct Emplaced {
    bool made;
    bool has_key;
  };

  virtual ~Real() = default;
  virtual void Append(std::size_t key, int number) = 0;
  virtual Emplaced TryEmplace(std::size_t key, std::size_t size) = 0;
  virtual bool Assign(std::size_t key, std::size_t size) = 0;
  virtual std::size_t Erase(std::size_t key) = 0;
  virtual Erased EraseAtIterator(std::size_t key) = 0;
  virtual std::size_t EraseIf(std::size_t part) = 0;
  virtual void Clear() = 0;
  virtual void Release() = 0;
  virtual void Reserve(std::size_t count) = 0;
  virtual void Swap() = 0;
  virtual void MoveAround() = 0;
  virtual void ReleaseOther() = 0;
  virtual std::size_t size() const = 0;
  virtual const Values* Get(std::size_t key) = 0;
  /// In the order of iteration.
  virtual std::vector<const Values*> All() const = 0;

  acre::Arena& arena() { return arena_; }

 protected:
  acre::Arena arena_;
};

template <class Keys, class H>
class RealOf final : public Real {
 public:
  void Append(std::size_t key, int number) override {
    auto&& real = At(key);
    map_[std::forward<decltype(real)>(real)].push_back(number);
    Keys::Forget(real);
  }
  Emplaced TryEmplace(std::size_t key, std::size_t size) override {
    auto&& real = At(key);
    const auto [it, made] =
        map_.try_emplace(std::forward<decltype(real)>(real), arena_, size);
    Keys::Forget(real);
    auto&& same = At(key);
    const bool has_key = it->first == same;
    Keys::Forget(same);
    return {made, has_key};
  }
  bool Assign(std::size_t key, std::size_t size) override {
    auto&& real = At(key);
    const bool made = map_.insert_or_assign(std::forward<decltype(real)>(real),
                                            Values(arena_, size))
                          .second;
    Keys::Forget(real);
    return made;
  }
  std::size_t Erase(std::size_t key) override {
    auto&& real = At(key);
    const std::size_t count = map_.erase(real);
    Keys::Forget(real);
    return count;
  }
  Erased EraseAtIterator(std::size_t key) override {
    auto&& real = At(key);
    const auto it = map_.find(real);
    Keys::Forget(real);
    if (it == map_.end()) return {false, true};
    const auto next = std::next(it) == map_.end() ? nullptr : &*std::next(it);
    const auto behind = map_.erase(it);
    return {true, (behind == map_.end() ? nullptr : &*behind) == next};
  }
  std::size_t EraseIf(std::size_t part) override {
    return map_.erase_if([part](const auto& element) {
      return element.second.size() % 4 == part;
    });
  }
  void Clear() override { map_.clear(); }
  void Release() override { map_.Release(); }
  void Reserve(std::size_t count) override { map_.reserve(count); }
  void Swap() override { map_.swap(other_); }
  void MoveAround() override {
    Map<typename Keys::Key, Values, H> kept(std::move(other_));
    other_ = std::move(map_);
    map_ = std::move(kept);
  }
  void ReleaseOther() override { other_.Release(); }
  std::size_t size() const override { return map_.size(); }
  const Values* Get(std::size_t key) override {
    auto&& real = At(key);
    const Values* values = std::as_const(map_).get(real);
    Keys::Forget(real);
    return values;
  }
  std::vector<const Values*> All() const override {
    std::vector<const Values*> all;
    for (const auto& element : map_) all.push_back(&element.second);
    return all;
  }

 private:
  decltype(auto) At(std::size_t key) { return Keys::At(arena_, key); }

  Map<typename Keys::Key, Values, H> map_{arena_};
  Map<typename Keys::Key, Values, H> other_{arena_};
};

/// One random history on both. Values own storage, and tell their key.
class Program {
 public:
  /// Its keys are those of `keys` numbers from `first` on.
  Program(Real& real, unsigned seed, std::size_t keys, std::size_t first)
      : real_(real), random_(seed), keys_(keys), first_(first) {}

  void Run(int steps) {
    for (int step = 0; step < steps; ++step) {
      Step();
      CheckOne(AnyKey());
      REQUIRE(real_.size() == model_.size());
      if (step % 64 == 0) CheckAll();
    }
    CheckAll();
    real_.Release();
    real_.ReleaseOther();
    CHECK(real_.arena().stats().live() == 0);
  }

 private:
  std::size_t Below(std::size_t bound) { return random_() % bound; }
  std::size_t AnyKey() { return first_ + Below(keys_); }

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
        return Below(20) == 0 ? real_.Reserve(Below(2 * keys_)) : Append();
      case 11:
        return Below(20) == 0 ? Exchange() : Assign();
      default:
        return Append();
    }
  }

  void Append() {
    const std::size_t key = AnyKey();
    const int number = static_cast<int>(Below(1'000));
    real_.Append(key, number);
    model_[key].push_back(number);
  }
  void TryEmplace() {
    const std::size_t key = AnyKey();
    const std::size_t size = Below(30);
    const Real::Emplaced emplaced = real_.TryEmplace(key, size);
    CHECK(emplaced.made == model_.try_emplace(key, size).second);
    CHECK(emplaced.has_key);
  }
  void Assign() {
    const std::size_t key = AnyKey();
    const std::size_t size = Below(30);
    CHECK(real_.Assign(key, size) ==
          model_.insert_or_assign(key, std::vector<int>(size)).second);
  }
  void EraseOne() {
    const std::size_t key = AnyKey();
    CHECK(real_.Erase(key) == model_.erase(key));
  }
  void EraseAtIterator() {
    const std::size_t key = AnyKey();
    const Real::Erased erased = real_.EraseAtIterator(key);
    CHECK(erased.was_there == (model_.erase(key) == 1));
    CHECK(erased.tells_next);
  }
  void EraseIf() {
    const std::size_t part = Below(4);
    const auto goes = [part](const auto& element) {
      return element.second.size() % 4 == part;
    };
    CHECK(real_.EraseIf(part) == std::erase_if(model_, goes));
  }
  void Clear() {
    if (Below(2) == 0) {
      real_.Clear();
    } else {
      real_.Release();
    }
    model_.clear();
  }
  void Exchange() {
    std::swap(model_, other_model_);
    if (Below(2) == 0) return real_.Swap();
    real_.MoveAround();
  }

  void CheckOne(std::size_t key) {
    const Real::Values* values = real_.Get(key);
    const auto expected = model_.find(key);
    REQUIRE((values != nullptr) == (expected != model_.end()));
    if (values == nullptr) return;
    REQUIRE(std::equal(values->begin(), values->end(), expected->second.begin(),
                       expected->second.end()));
  }

  /// What is iterated over is, each once, what the keys find.
  void CheckAll() {
    std::vector<const Real::Values*> found;
    for (std::size_t key = first_; key < first_ + keys_; ++key) {
      CheckOne(key);
      if (const Real::Values* values = real_.Get(key)) found.push_back(values);
    }
    REQUIRE(found.size() == model_.size());
    std::vector<const Real::Values*> all = real_.All();
    std::sort(found.begin(), found.end());
    std::sort(all.begin(), all.end());
    REQUIRE((all == found));
  }

  using Reference = std::unordered_map<std::size_t, std::vector<int>>;

  Real& real_;
  std::mt19937 random_;
  std::size_t keys_;
  std::size_t first_;
  Reference model_;
  Reference other_model_;
  std::size_t phase_ = 0;
};

template <class Keys, class H = acre::Hash<typename Keys::Key>>
std::unique_ptr<Real> Make() {
  return std::make_unique<RealOf<Keys, H>>();
}

void RunAll(std::unique_ptr<Real> (*make)(), unsigned seeds, int steps,
            std::size_t keys, std::size_t first = 0) {
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    Program(*make(), seed, keys, first).Run(steps);
  }
}

void RunAllBadly(std::uint64_t (*hash)(int), std::size_t keys) {
  BadHash::function = hash;
  RunAll(Make<IntKeys, BadHash>, 4, 1'500, keys);
}

}  // namespace

TEST_CASE("Map: any history with integer keys leaves what std has") {
  RunAll(Make<IntKeys>, acre_test::Scaled(10u, 4u), 1'500, 40);
  RunAll(Make<IntKeys>, acre_test::Scaled(5u, 2u), 3'000, 500);
  RunAll(Make<LargeKeys>, acre_test::Scaled(5u, 2u), 2'000, 300);
  RunAll(Make<IntKeys>, 1, 20'000, 4'000);
}

TEST_CASE("Map: any history with text keys leaves what std has") {
  RunAll(Make<TextKeys>, 5, 2'000, 200);
  RunAll(Make<TextKeys>, 8, 2'000, 200, TextKeys::kFirstLong);
}

TEST_CASE("Map: any history with pointer and pair keys leaves what std has") {
  RunAll(Make<PointerKeys>, 5, 2'000, 300);
  RunAll(Make<PairKeys>, 6, 2'000, 200);
}

TEST_CASE("Map: any history under a bad hash leaves what std has") {
  RunAllBadly(AllAlike, 120);
  RunAllBadly(EightOnly, 300);
  RunAllBadly(SameGroup, 300);
  RunAllBadly(SameFingerprint, 300);
  RunAll(Make<IntKeys, Identity>, 4, 1'500, 300);
}

TEST_CASE("Map: any history under a random seed leaves what std has") {
  RunAll(Make<IntKeys, acre::UntrustedHash<int>>, 4, 1'500, 300);
  RunAll(Make<TextKeys, acre::UntrustedHash<String>>, 4, 1'500, 200,
         TextKeys::kFirstLong);
}

}  // namespace map_model_test
