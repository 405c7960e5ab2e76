// SPDX-License-Identifier: MIT
//
// Guards that any history of operations on a Vector leaves what the same
// history leaves in a std::vector, and loses and leaks no element's storage.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "acre/layout.h"
#include "acre/string.h"
#include "acre/vector.h"

namespace vector_model_test {

using acre::String;
using acre::Vector;

namespace {

struct Entry {
  String name;
  int rank = 0;
};
ACRE_LAYOUT(Entry, name, rank)

using Reference = std::vector<std::pair<std::string, int>>;

/// One random history on both.
class Program {
 public:
  explicit Program(unsigned seed) : random_(seed) {}

  void Run(int steps) {
    for (step_ = 0; step_ < steps; ++step_) {
      Step(Below(20));
      Compare();
    }
    real_.Release();
    other_.Release();
    CHECK(arena_.stats().live() == scattered_ * 16);
  }

 private:
  std::size_t Below(std::size_t bound) { return random_() % bound; }
  /// A valid index; requires elements.
  std::size_t AnyIndex() { return Below(model_.size()); }
  static std::ptrdiff_t Signed(std::size_t i) {
    return static_cast<std::ptrdiff_t>(i);
  }

  std::pair<std::string, int> AnyValue() {
    const std::size_t length = Below(4) == 0 ? Below(90) : Below(30);
    const auto letter = static_cast<char>('a' + Below(26));
    return {std::string(length, letter), static_cast<int>(Below(50))};
  }
  Entry Real(const std::pair<std::string, int>& value) {
    return {String(arena_, value.first), value.second};
  }

  void Step(std::size_t choice) {
    const bool has_some = !model_.empty();
    switch (choice) {
      case 0:
      case 1:
      case 2:
        return Append();
      case 3:
      case 4:
        return Insert();
      case 5:
        return InsertMany();
      case 6:
        return has_some ? EraseOne() : Append();
      case 7:
        return EraseRange();
      case 8:
        return EraseSome();
      case 9:
        return has_some ? Overwrite() : Append();
      case 10:
        return has_some ? Edit() : Append();
      case 11:
        return Resize();
      case 12:
        return RemoveIf();
      case 13:
        return Rotate();
      case 14:
        return Sort();
      case 15:
        return real_.reserve(model_.size() + Below(40));
      case 16:
        return real_.shrink_to_fit();
      case 17:
        return Exchange();
      case 18:
        return Scatter();
      default:
        return Below(8) == 0 ? Clear() : Pop();
    }
  }

  void Append() {
    const auto value = AnyValue();
    real_.push_back(Real(value));
    model_.push_back(value);
  }
  void Insert() {
    const auto value = AnyValue();
    const std::size_t at = Below(model_.size() + 1);
    const auto made = real_.insert(real_.begin() + at, Real(value));
    CHECK(made == real_.begin() + at);
    model_.insert(model_.begin() + Signed(at), value);
  }
  void InsertMany() {
    Vector<Entry> values(arena_);
    Reference expected;
    for (std::size_t n = Below(6); n > 0; --n) {
      expected.push_back(AnyValue());
      values.push_back(Real(expected.back()));
    }
    const std::size_t at = Below(model_.size() + 1);
    real_.insert(real_.begin() + at, std::move_iterator(values.begin()),
                 std::move_iterator(values.end()));
    values.Release();
    model_.insert(model_.begin() + Signed(at), expected.begin(),
                  expected.end());
  }
  void EraseOne() {
    const std::size_t at = AnyIndex();
    CHECK(real_.erase(real_.begin() + at) == real_.begin() + at);
    model_.erase(model_.begin() + Signed(at));
  }
  void EraseRange() {
    std::size_t first = Below(model_.size() + 1);
    std::size_t last = Below(model_.size() + 1);
    if (first > last) std::swap(first, last);
    last = std::min(last, first + 5);
    real_.erase(real_.begin() + first, real_.begin() + last);
    model_.erase(model_.begin() + Signed(first), model_.begin() + Signed(last));
  }
  void EraseSome() {
    const int rank = static_cast<int>(Below(50));
    const std::size_t limit = Below(3);
    const std::size_t erased = real_.erase_if(
        [rank](const Entry& e) { return e.rank % 25 == rank % 25; }, limit);
    std::size_t expected = 0;
    std::erase_if(model_, [&](const auto& e) {
      if (expected == limit || e.second % 25 != rank % 25) return false;
      ++expected;
      return true;
    });
    CHECK(erased == expected);
  }
  void RemoveIf() {
    const int rank = static_cast<int>(Below(50));
    const auto tail =
        std::remove_if(real_.begin(), real_.end(),
                       [rank](const Entry& e) { return e.rank == rank; });
    real_.erase(tail, real_.end());
    std::erase_if(model_, [rank](const auto& e) { return e.second == rank; });
  }
  void Overwrite() {
    const auto value = AnyValue();
    const std::size_t at = AnyIndex();
    real_[at] = Real(value);
    model_[at] = value;
  }
  void Edit() {
    const std::size_t at = AnyIndex();
    const std::string text = AnyValue().first;
    real_[at].name += text;
    model_[at].first += text;
    if (model_[at].first.size() > 300) {
      real_[at].name = text;
      model_[at].first = text;
    }
  }
  void Resize() {
    const std::size_t size =
        model_.size() + 3 - std::min<std::size_t>(Below(7), model_.size());
    real_.resize(size);
    model_.resize(size);
  }
  void Rotate() {
    const std::size_t middle = Below(model_.size() + 1);
    std::rotate(real_.begin(), real_.begin() + middle, real_.end());
    std::rotate(model_.begin(), model_.begin() + Signed(middle), model_.end());
  }
  void Sort() {
    std::stable_sort(
        real_.begin(), real_.end(),
        [](const Entry& a, const Entry& b) { return a.name < b.name; });
    std::stable_sort(
        model_.begin(), model_.end(),
        [](const auto& a, const auto& b) { return a.first < b.first; });
  }
  void Exchange() {
    std::swap(other_model_, model_);
    if (Below(2) == 0) {
      real_.swap(other_);
      return;
    }
    Vector<Entry> kept(std::move(other_));
    other_ = std::move(real_);
    real_ = std::move(kept);
  }
  /// Something else in the arena, so that growth cannot stay in place.
  void Scatter() {
    static_cast<void>(arena_.Allocate(16));
    ++scattered_;
  }
  void Clear() {
    real_.clear();
    model_.clear();
  }
  void Pop() {
    if (model_.empty()) return;
    real_.pop_back();
    model_.pop_back();
  }

  void Compare() {
    CAPTURE(step_);
    REQUIRE(real_.size() == model_.size());
    REQUIRE(real_.capacity() >= real_.size());
    for (std::size_t i = 0; i < model_.size(); ++i) {
      REQUIRE(real_[i].name == model_[i].first);
      REQUIRE(real_[i].rank == model_[i].second);
    }
  }

  std::mt19937 random_;
  acre::Arena arena_;
  Vector<Entry> real_{arena_};
  Vector<Entry> other_{arena_};
  Reference model_;
  Reference other_model_;
  std::size_t scattered_ = 0;
  int step_ = 0;
};

}  // namespace

TEST_CASE("Vector: any history leaves what std::vector has, and no garbage") {
  for (unsigned seed = 1; seed <= 120; ++seed) {
    CAPTURE(seed);
    Program(seed).Run(300);
  }
}

TEST_CASE("Vector: one long history leaves what std::vector has") {
  Program(20'000).Run(6'000);
}

}  // namespace vector_model_test
