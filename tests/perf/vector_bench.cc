// SPDX-License-Identifier: MIT
//
// push_back of ints: into an acre::Vector in an arena with warm pages, into a
// std::vector that was reserved once and is cleared between passes, and into a
// new std::vector. Nanoseconds an element.

#include <memory>
#include <string>
#include <vector>

#include "acre/vector.h"
#include "perf.h"

namespace perf {
namespace {

/// Compiled once, wherever it is called.
template <class Pass>
__attribute__((noinline)) void Run(Pass& pass) {
  pass();
}

void AddPasses(const char* group, std::size_t n, const char* name,
               auto make_pass) {
  Add(group, "push_back " + PowerOfTen(n), name, [=](benchmark::State& state) {
    auto pass = make_pass(n);
    for (int i = 0; i < 2; ++i) Run(pass);  // warms what it keeps
    for ([[maybe_unused]] auto _ : state) Run(pass);
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(n));
  });
}

template <class Vector>
void PushAll(Vector& vector, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) vector.push_back(static_cast<int>(i));
  Sink(vector.data());
}

auto AcrePass(std::size_t n) {
  return [arena = std::make_unique<acre::Arena>(), n] {
    acre::Vector<int> vector(*arena);
    PushAll(vector, n);
    arena->Reset();
  };
}

auto StdPass(std::size_t n) {
  return [n] {
    std::vector<int> vector;
    PushAll(vector, n);
  };
}

auto ReservedPass(std::size_t n) {
  std::vector<int> reserved;
  reserved.reserve(n);
  return [vector = std::move(reserved), n]() mutable {
    PushAll(vector, n);
    vector.clear();
  };
}

void AddCell(std::size_t n, const char* group = "vector") {
  AddPasses(group, n, "acre::Vector", AcrePass);
  AddPasses(group, n, "std, reserved", ReservedPass);
  AddPasses(group, n, "std", StdPass);
}

}  // namespace

void DefineCells() {
  for (const std::size_t n : {1'000, 1'000'000}) AddCell(n);
  // For curves.
  if (is_smoke() || round() != 0) return;
  for (const std::size_t n : {10, 100, 10'000, 100'000, 10'000'000}) {
    AddCell(n, "vector-between");
  }
}

}  // namespace perf
