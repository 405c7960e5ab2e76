// SPDX-License-Identifier: MIT
//
// acre where there are neither exceptions nor RTTI: compiled with
// -fno-exceptions -fno-rtti by tests/run; holds with them as well.

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <span>

#include "acre/arena.h"
#include "acre/deep_copy.h"
#include "acre/gc.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"

namespace {

int passed = 0;
int failed = 0;

void Expect(bool holds, const char* what) {
  ++(holds ? passed : failed);
  if (!holds) std::fprintf(stderr, "FAILED %s\n", what);
}

struct Node {
  acre::String name;
  acre::Vector<Node*> next;
  acre::Map<acre::String, int> counts;
  acre::Set<int> marks;
  Node* self = nullptr;
};
ACRE_LAYOUT(Node, name, next, counts, marks, self)

void Fill(acre::Arena& arena, Node& node) {
  node.name = "a name that does not fit into the handle itself";
  node.self = &node;
  for (int i = 0; i < 100; ++i) {
    node.next.push_back(arena.New<Node>());
    node.counts["key"] += i;
    node.marks.insert(i);
  }
}

void TestContainers() {
  acre::Arena arena;
  auto* node = arena.New<Node>();
  Fill(arena, *node);
  Expect(node->next.size() == 100, "Vector");
  Expect(node->counts.at("key") == 4950, "Map");
  Expect(node->marks.contains(99), "Set");
  arena.Free(node);
  arena.Reset();
  Expect(arena.New<Node>()->self == nullptr, "New after Reset gives zeros");
}

void TestMarks() {
  acre::Arena arena;
  int* number = arena.New<int>(1);
  const acre::Mark mark = arena.Checkpoint();
  static_cast<void>(arena.NewArray<int>(1000));
  arena.Rewind(mark);
  Expect(*number == 1, "Rewind");
}

void TestDeepCopy() {
  acre::Arena arena;
  auto* node = arena.New<Node>();
  Fill(arena, *node);
  Node* copy = acre::DeepCopy(*acre::NewCollectedArena(), *node);
  arena.Reset(acre::ResetMode::kClear);
  Expect(copy->self == copy, "DeepCopy keeps cycles");
  Expect(copy->counts.at("key") == 4950, "DeepCopy copies maps");
}

void TestTryForms() {
  acre::Arena arena({.byte_limit = 1 << 20});
  Expect(arena.TryAllocate(2 << 20) == nullptr, "TryAllocate");
  Expect(arena.TryNewArray<int>(1 << 20).data() == nullptr, "TryNewArray");
  Expect(arena.TryNew<int>(3) != nullptr, "TryNew after a failure");
}

/// How a child ends that runs out of memory.
int StatusOutOfMemory() {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(1);
    acre::Arena arena({.byte_limit = 1 << 20});
    static_cast<void>(arena.Allocate(2 << 20));
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

void TestOutOfMemory() {
  // The default aborts: by itself, or by a std::bad_alloc that nobody catches.
  const int status = StatusOutOfMemory();
  Expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT,
         "running out of memory aborts");
  acre::SetOutOfMemoryHandler(
      [](const acre::OutOfMemoryInfo& info) { _exit(info.bytes >> 20); });
  const int handled = StatusOutOfMemory();
  Expect(WIFEXITED(handled) && WEXITSTATUS(handled) == 2,
         "the out-of-memory handler is called");
}

}  // namespace

int main() {
  TestContainers();
  TestMarks();
  TestDeepCopy();
  TestTryForms();
  TestOutOfMemory();
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
