// SPDX-License-Identifier: MIT
//
// Guards what Rewind promises, with containers in play: random programs of New,
// Free, growing containers, nested marks, Rewind and Reset against copies in
// std containers. What is older than the mark keeps its contents; what is
// younger is gone; containers made since the innermost mark may grow.

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "acre/arena.h"
#include "acre/map.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "test_sources.h"

namespace mark_model_test {

using acre_test::CountingSource;

struct Bag {
  acre::Vector<int> numbers;
  acre::Map<int, acre::String> texts;
  int tag = 0;
};
ACRE_LAYOUT(Bag, numbers, texts, tag)

struct Model {
  Bag* bag;
  std::size_t level;  // marks that were open when it was made
  int tag;
  std::vector<int> numbers;
  std::map<int, std::string> texts;
};

class Program {
 public:
  Program(acre::Arena& arena, std::uint64_t seed) : arena_(arena) {
    random_.seed(seed);
  }

  void Run(int steps) {
    for (int i = 0; i < steps; ++i) {
      Step();
      if (i % 64 == 0) VerifyAll();
    }
    VerifyAll();
  }
  std::size_t errors() const { return errors_; }
  std::size_t rewinds() const { return rewinds_; }

 private:
  std::size_t Below(std::size_t n) { return random_() % n; }

  void Step() {
    const std::size_t dice = Below(1000);
    if (models_.empty() || dice < 150) return Make();
    if (dice < 700) return Change();
    if (dice < 850) return Drop();
    if (dice < 880) return Open();
    if (dice < 990) return Junk();
    if (dice < 998) return Rewind();
    Reset();
  }

  void Make() {
    const int tag = static_cast<int>(Below(100000));
    Bag* bag = arena_.New<Bag>();
    Expect(bag->numbers.empty() && bag->texts.empty() && bag->tag == 0);
    bag->tag = tag;
    models_.push_back({bag, marks_.size(), tag, {}, {}});
  }

  /// Only containers of the innermost stretch may grow.
  void Change() {
    Model& model = models_[Below(models_.size())];
    if (model.level != marks_.size()) return;
    const int key = static_cast<int>(Below(500));
    switch (Below(4)) {
      case 0:
        for (std::size_t n = Below(200); n-- > 0;) {
          model.bag->numbers.push_back(key);
          model.numbers.push_back(key);
        }
        return;
      case 1: {
        const std::string text(Below(60), static_cast<char>('a' + key % 26));
        model.bag->texts[key].assign(text);
        model.texts[key] = text;
        return;
      }
      case 2:
        model.bag->texts.erase(key);
        model.texts.erase(key);
        return;
      default:
        if (model.numbers.empty()) return;
        model.bag->numbers.pop_back();
        model.numbers.pop_back();
    }
  }

  void Drop() {
    const std::size_t at = Below(models_.size());
    Verify(models_[at]);
    arena_.Free(models_[at].bag);
    models_[at] = std::move(models_.back());
    models_.pop_back();
  }

  /// Blocks that nobody looks at again, to be overwritten by whoever is wrong.
  void Junk() {
    const std::size_t bytes = Below(30) == 0 ? Below(500000) : Below(500);
    void* block = arena_.Allocate(bytes);
    std::memset(block, 0xEE, bytes);
    if (Below(2) == 0) arena_.Free(block, bytes);
  }

  void Open() {
    if (marks_.size() < 6) marks_.push_back(arena_.Checkpoint());
  }

  void Rewind() {
    if (marks_.empty()) return;
    const std::size_t level = Below(marks_.size());
    const acre::Mark mark = marks_[level];
    Expect(arena_.IsOpen(mark));
    arena_.Rewind(mark);
    Expect(!arena_.IsOpen(mark));
    marks_.resize(level);
    std::erase_if(models_, [&](const Model& m) { return m.level > level; });
    ++rewinds_;
    VerifyAll();
  }

  void Reset() {
    std::vector<acre::Mark> closed = marks_;
    arena_.Reset(static_cast<acre::ResetMode>(Below(3)));
    for (const acre::Mark& mark : closed) Expect(!arena_.IsOpen(mark));
    models_.clear();
    marks_.clear();
  }

  void Verify(const Model& model) {
    Expect(model.bag->tag == model.tag);
    Expect(std::equal(model.numbers.begin(), model.numbers.end(),
                      model.bag->numbers.begin(), model.bag->numbers.end()));
    Expect(model.bag->texts.size() == model.texts.size());
    for (const auto& [key, text] : model.texts) {
      const acre::String* found = model.bag->texts.get(key);
      Expect(found != nullptr && *found == text);
    }
  }
  void VerifyAll() {
    for (const Model& model : models_) Verify(model);
  }
  void Expect(bool holds) { errors_ += !holds; }

  acre::Arena& arena_;
  std::mt19937_64 random_;
  std::vector<Model> models_;
  std::vector<acre::Mark> marks_;
  std::size_t errors_ = 0;
  std::size_t rewinds_ = 0;
};

void RunSeeds(const acre::ArenaOptions& options) {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    CAPTURE(seed);
    acre::Arena arena(options);
    Program program(arena, seed);
    program.Run(4000);
    CHECK(program.errors() == 0);
    CHECK(program.rewinds() > 5);
  }
}

TEST_CASE("model: containers, marks and Reset") {
  CountingSource source;
  RunSeeds({.source = &source});
  RunSeeds({.source = &source, .first_chunk = 2048, .max_chunk = 16384});
  CHECK(source.held.empty());
  CHECK_FALSE(source.broken);
}

TEST_CASE("model: containers, marks and Reset without freelists") {
  CountingSource source;
  RunSeeds({.source = &source, .first_chunk = 8192, .freelists = false});
  CHECK(source.held.empty());
}

TEST_CASE("model: containers, marks and Reset on the collected heap") {
  RunSeeds({.retain_limit = 100000});
}

}  // namespace mark_model_test
