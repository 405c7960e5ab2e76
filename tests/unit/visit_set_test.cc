// SPDX-License-Identifier: MIT
//
// Guards VisitSet: pairs of address and type, told apart and numbered as they
// come, whether they lie in the table or in the shadow of a chunk; and their
// order by address.

#include "acre/detail/visit_set.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "support/scaled.h"

namespace visit_set_test {

using acre::LayoutOf;
using acre::detail::VisitSet;

const acre::TypeLayout* const kTypes[] = {&LayoutOf<int>(), &LayoutOf<char>(),
                                          &LayoutOf<double>()};

/// Random insertions and look-ups against a std::map.
class Program {
 public:
  explicit Program(std::uint64_t seed) : random_(seed) {}

  void Run(const std::vector<const char*>& places, std::size_t bytes,
           std::size_t step, int steps, bool is_last = true) {
    for (int i = 0; i < steps; ++i) {
      const char* address =
          places[random_() % places.size()] + random_() % bytes / step * step;
      const auto type = random_() % 4;
      type == 3 ? Storage(address) : Object(address, type);
    }
    CheckOrder();
    if (is_last) CheckReplace();
  }
  std::size_t errors() const { return errors_; }
  std::size_t size() const { return model_.size(); }

 private:
  void Object(const char* address, std::size_t type) {
    const auto found = model_.find({address, type});
    const std::uint64_t expected =
        found == model_.end() ? VisitSet::kNone : found->second;
    Expect(set_.Find(address, *kTypes[type]) == expected);
    if (random_() % 2 == 0) return;
    Expect(set_.FindOrInsert(address, *kTypes[type]) == expected);
    Note(address, type);
    Expect(!set_.Insert(address, *kTypes[type]));
  }
  void Storage(const char* address) {
    const bool is_new = !model_.contains({address, 3});
    Expect((set_.FindStorage(address, *kTypes[0]) == VisitSet::kNone) ==
           is_new);
    Expect(set_.InsertStorage(address, *kTypes[0]) == is_new);
    Note(address, 3);
    Expect(set_.FindStorage(address, *kTypes[0]) == model_[{address, 3}]);
  }
  void Note(const char* address, std::size_t type) {
    const auto number = static_cast<std::uint32_t>(model_.size());
    model_.try_emplace({address, type}, number);
    if (addresses_.size() < model_.size()) addresses_.push_back(address);
    Expect(set_.size() == model_.size());
  }
  /// Numbers become ranks by address; the model follows.
  void CheckOrder() {
    const std::vector<std::uint32_t> order = set_.SortByAddress();
    Expect(order.size() == model_.size());
    std::vector<std::uint32_t> rank(order.size(), ~0u);
    std::vector<const char*> addresses;
    for (std::size_t i = 0; i < order.size(); ++i) {
      Expect(rank[order[i]] == ~0u);
      rank[order[i]] = static_cast<std::uint32_t>(i);
      addresses.push_back(addresses_[order[i]]);
      Expect(i == 0 || addresses[i - 1] <= addresses[i]);
    }
    addresses_ = addresses;
    for (auto& [pair, number] : model_) {
      number = rank[number];
      const auto& [address, type] = pair;
      Expect((type == 3 ? set_.FindStorage(address, *kTypes[0])
                        : set_.Find(address, *kTypes[type])) == number);
    }
  }
  void CheckReplace() {
    set_.Replace([](std::uint64_t number) { return 3 * number + 5; });
    for (const auto& [pair, number] : model_) {
      const auto& [address, type] = pair;
      Expect((type == 3 ? set_.FindStorage(address, *kTypes[0])
                        : set_.Find(address, *kTypes[type])) ==
             3 * std::uint64_t{number} + 5);
    }
  }
  void Expect(bool holds) { errors_ += !holds; }

  VisitSet set_;
  std::map<std::pair<const char*, std::size_t>, std::uint32_t> model_;
  std::vector<const char*> addresses_;  // by number
  std::mt19937_64 random_;
  std::size_t errors_ = 0;
};

TEST_CASE("VisitSet: an empty one finds nothing") {
  VisitSet set;
  int x = 0;
  CHECK(set.Find(&x, LayoutOf<int>()) == VisitSet::kNone);
  CHECK(set.SortByAddress().empty());
  CHECK(set.size() == 0);
}

TEST_CASE("VisitSet: model, in chunks and outside, dense and sparse") {
  constexpr std::size_t kBytes = 100000;
  acre::Arena one({.first_chunk = 65536, .max_chunk = 65536});
  acre::Arena two;
  const auto outside = std::make_unique<char[]>(kBytes);
  std::vector<const char*> places{outside.get()};
  for (acre::Arena* arena : {&one, &two}) {
    for (int i = 0; i < 3; ++i) {
      places.push_back(static_cast<char*>(arena->Allocate(kBytes)));
    }
  }
  for (const std::size_t step : {1u, 8u, 16u, 64u, 4096u}) {
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      CAPTURE(step);
      CAPTURE(seed);
      Program program(seed);
      program.Run(places, kBytes, step, acre_test::Scaled(30000, 10000));
      CHECK(program.errors() == 0);
      CHECK(program.size() > 100);
    }
  }
}

TEST_CASE("VisitSet: few pairs, and pairs that come chunk by chunk") {
  acre::Arena arena({.first_chunk = 65536, .max_chunk = 65536});
  std::vector<const char*> places;
  for (int i = 0; i < 40; ++i) {
    places.push_back(static_cast<char*>(arena.Allocate(30000)));
  }
  Program few(1);
  few.Run(places, 30000, 16, 30);
  CHECK(few.errors() == 0);
  Program growing(2);
  for (const char* place : places) growing.Run({place}, 30000, 16, 1500, false);
  CHECK(growing.errors() == 0);
}

}  // namespace visit_set_test
