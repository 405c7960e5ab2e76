// SPDX-License-Identifier: MIT
//
// Every request for memory fails once, wherever acre makes it: of malloc, of
// operator new, of the collector, of the system, and for a thread. Linked with
// --wrap, so that what libc and libgc ask for themselves is left alone.
//
//   faults names
//   faults EVERY NAME...                one fault in so many, of these programs
//   faults NAME at N [later] [warm]     one fault, in this process, for
//   debuggers
//
// A program runs in a child for each request that it makes, which fails alone,
// or with all that follow it. It may end with std::bad_alloc; then it runs once
// more, unharmed, and must succeed, and nothing may be left of what malloc
// gave. Twice: in a process that has never used acre, and in one that has.

#include <gc/gc.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <memory_resource>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "acre/arena_pool.h"
#include "acre/audit.h"
#include "acre/audit_report.h"
#include "acre/block_pool.h"
#include "acre/buffer_pool.h"
#include "acre/bump_arena.h"
#include "acre/checksum.h"
#include "acre/deep_copy.h"
#include "acre/diff.h"
#include "acre/escape.h"
#include "acre/gc.h"
#include "acre/gc_ref.h"
#include "acre/history.h"
#include "acre/layout.h"
#include "acre/locked_arena.h"
#include "acre/map.h"
#include "acre/memory_resource.h"
#include "acre/mmap_source.h"
#include "acre/object_pool.h"
#include "acre/saved_arena.h"
#include "acre/scope.h"
#include "acre/scratch.h"
#include "acre/set.h"
#include "acre/shared_memory.h"
#include "acre/stack_arena.h"
#include "acre/string.h"
#include "acre/typed_arena.h"
#include "acre/vector.h"
#ifdef ACRE_FAULTS_C
#include "acre/acre.h"
#endif
#ifdef ACRE_FAULTS_JSON
#include <simdjson.h>

#include "acre/from_json.h"
#include "acre/json.h"
#include "acre/to_json.h"
#endif

// ------------------------------------------------------------------- faults

namespace {

enum class Fault { kNone, kOnce, kFromThenOn };

// One thread asks where it matters which one fails: plain.
Fault fault = Fault::kNone;
unsigned long requests = 0;  // made since Arm
unsigned long failing = 0;   // which one fails

void Arm(Fault how, unsigned long which) {
  fault = how;
  requests = 0;
  failing = which;
}

bool Fails() {
  if (fault == Fault::kNone) return false;
  const unsigned long number =
      __atomic_fetch_add(&requests, 1, __ATOMIC_RELAXED);
  return fault == Fault::kOnce ? number == failing : number >= failing;
}

/// What malloc has handed out, by address; open addressing.
class Live {
 public:
  void Add(void* p) {
    if (p == nullptr) return;
    Lock();
    std::size_t at = Hash(p);
    while (places_[at] != nullptr && places_[at] != Gone()) at = Next(at);
    places_[at] = p;
    ++count_;
    Unlock();
  }
  void Remove(void* p) {
    if (p == nullptr) return;
    Lock();
    std::size_t at = Hash(p);
    while (places_[at] != nullptr && places_[at] != p) at = Next(at);
    if (places_[at] == p) {
      places_[at] = Gone();
      --count_;
    }
    Unlock();
  }
  std::size_t count() const { return count_; }

 private:
  static constexpr std::size_t kPlaces = std::size_t{1} << 20;
  static void* Gone() { return reinterpret_cast<void*>(1); }
  static std::size_t Hash(void* p) {
    return (reinterpret_cast<std::size_t>(p) >> 4) * 0x9E3779B97F4A7C15u >> 44;
  }
  static std::size_t Next(std::size_t at) { return (at + 1) % kPlaces; }
  void Lock() {
    while (__atomic_test_and_set(&is_locked_, __ATOMIC_ACQUIRE)) {
    }
  }
  void Unlock() { __atomic_clear(&is_locked_, __ATOMIC_RELEASE); }

  void* places_[kPlaces];
  std::size_t count_;
  bool is_locked_;
};
Live live;  // zeros

}  // namespace

extern "C" {

#define WRAPPED(Result, name, parameters) \
  Result __real_##name parameters;        \
  Result __wrap_##name parameters

WRAPPED(void*, malloc, (std::size_t bytes)) {
  if (Fails()) return nullptr;
  void* const p = __real_malloc(bytes);
  live.Add(p);
  return p;
}
WRAPPED(void*, calloc, (std::size_t count, std::size_t bytes)) {
  if (Fails()) return nullptr;
  void* const p = __real_calloc(count, bytes);
  live.Add(p);
  return p;
}
WRAPPED(void*, realloc, (void* old, std::size_t bytes)) {
  if (Fails()) return nullptr;
  live.Remove(old);
  void* const p = __real_realloc(old, bytes);
  live.Add(p != nullptr ? p : old);
  return p;
}
WRAPPED(void*, aligned_alloc, (std::size_t align, std::size_t bytes)) {
  if (Fails()) return nullptr;
  void* const p = __real_aligned_alloc(align, bytes);
  live.Add(p);
  return p;
}
WRAPPED(void, free, (void* p)) {
  live.Remove(p);
  __real_free(p);
}
WRAPPED(void*, GC_malloc, (std::size_t bytes)) {
  return Fails() ? nullptr : __real_GC_malloc(bytes);
}
WRAPPED(void*, GC_malloc_atomic, (std::size_t bytes)) {
  return Fails() ? nullptr : __real_GC_malloc_atomic(bytes);
}
WRAPPED(void*, GC_malloc_uncollectable, (std::size_t bytes)) {
  return Fails() ? nullptr : __real_GC_malloc_uncollectable(bytes);
}
WRAPPED(void*, GC_malloc_atomic_uncollectable, (std::size_t bytes)) {
  return Fails() ? nullptr : __real_GC_malloc_atomic_uncollectable(bytes);
}
WRAPPED(void*, GC_generic_malloc, (std::size_t bytes, int kind)) {
  return Fails() ? nullptr : __real_GC_generic_malloc(bytes, kind);
}
WRAPPED(void*, GC_generic_malloc_ignore_off_page,
        (std::size_t bytes, int kind)) {
  return Fails() ? nullptr
                 : __real_GC_generic_malloc_ignore_off_page(bytes, kind);
}
WRAPPED(void*, GC_malloc_ignore_off_page, (std::size_t bytes)) {
  return Fails() ? nullptr : __real_GC_malloc_ignore_off_page(bytes);
}
WRAPPED(void*, GC_malloc_atomic_ignore_off_page, (std::size_t bytes)) {
  return Fails() ? nullptr : __real_GC_malloc_atomic_ignore_off_page(bytes);
}
WRAPPED(void*, GC_memalign, (std::size_t align, std::size_t bytes)) {
  return Fails() ? nullptr : __real_GC_memalign(align, bytes);
}
WRAPPED(int, GC_general_register_disappearing_link,
        (void** link, const void* object)) {
  return Fails() ? GC_NO_MEMORY
                 : __real_GC_general_register_disappearing_link(link, object);
}
WRAPPED(void*, mmap,
        (void* at, std::size_t bytes, int protection, int flags, int file,
         off_t offset)) {
  if (Fails()) {
    errno = ENOMEM;
    return MAP_FAILED;
  }
  return __real_mmap(at, bytes, protection, flags, file, offset);
}
WRAPPED(int, mprotect, (void* at, std::size_t bytes, int protection)) {
  if (protection != PROT_NONE && Fails()) {
    errno = ENOMEM;
    return -1;
  }
  return __real_mprotect(at, bytes, protection);
}
WRAPPED(int, pthread_create,
        (pthread_t * thread, const pthread_attr_t* attributes,
         void* (*run)(void*), void* argument)) {
  return Fails() ? EAGAIN
                 : __real_pthread_create(thread, attributes, run, argument);
}

}  // extern "C"

void* operator new(std::size_t bytes) {
  void* const p = std::malloc(bytes);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return std::malloc(bytes);
}
void* operator new[](std::size_t bytes) { return operator new(bytes); }
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
  return std::malloc(bytes);
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }

// ----------------------------------------------------------------- programs

namespace {

__attribute__((format(printf, 1, 2))) [[noreturn]] void Complain(
    const char* format, ...) {
  Arm(Fault::kNone, 0);
  va_list arguments;
  va_start(arguments, format);
  std::vfprintf(stderr, format, arguments);
  va_end(arguments);
  std::fputc('\n', stderr);
  _exit(1);
}

#define EXPECT(condition) \
  if (condition) {        \
  } else                  \
    Complain("line %d: %s", __LINE__, #condition)

/// The operation succeeds, or fails and leaves the arena as it was. Of copies
/// `Failure` is OutOfMemory: where operator new fails a part may stay, as
/// deep_copy.h says.
template <class Failure = std::exception, class Run>
void AllOrNothing(acre::Arena& arena, Run run) {
  const std::size_t before = arena.stats().live();
  try {
    run();
  } catch (const Failure&) {
    const std::size_t after = arena.stats().live();
    if (after != before) {
      Complain("%s: %zu bytes live, %zu before what failed", arena.name(),
               after, before);
    }
    throw;
  }
}

using Key = acre::String;

struct Node {
  Node* left = nullptr;
  Node* right = nullptr;
  Key name;
  acre::Vector<Node*> others;
  acre::Map<Key, int> counts;
};
ACRE_LAYOUT(Node, left, right, name, others, counts)

struct Owner {
  acre::GcRef<int> strong;
  acre::GcWeakRef<int> weak;
};
ACRE_LAYOUT(Owner, strong, weak)

struct MadeOwner {
  acre::GcRef<int> ref;
  explicit MadeOwner(int* target) : ref(target) {}
};
ACRE_LAYOUT(MadeOwner, ref)

struct Owners {
  acre::Vector<Owner> row;
  acre::Map<int, acre::GcRef<int>> by_number;
};
ACRE_LAYOUT(Owners, row, by_number)

struct Cell {
  Cell* head = nullptr;
  Cell* tail = nullptr;
  long number = 0;
};
ACRE_LAYOUT(Cell, head, tail, number)

constexpr std::string_view kLong =
    "a text that no String has room for in itself";

Node* NewNode(acre::Arena& arena, int number) {
  Node* const node = arena.New<Node>();
  node->name.assign(kLong);
  node->counts[Key(arena, kLong)] = number;
  node->others.push_back(node);
  return node;
}

/// A graph: what is reached twice, and a cycle.
Node* NewGraph(acre::Arena& arena, int count) {
  Node* root = NewNode(arena, 0);
  Node* last = root;
  for (int i = 1; i < count; ++i) {
    last->left = NewNode(arena, i);
    last->right = root;
    last->left->others.push_back(last);
    last = last->left;
  }
  return root;
}

int CountNodes(const Node* node) {
  int count = 0;
  for (; node != nullptr; node = node->left) ++count;
  return count;
}

int* NewInteger(int value) {
  auto* const p = static_cast<int*>(GC_malloc(sizeof(int)));
  if (p == nullptr) throw std::bad_alloc();
  *p = value;
  return p;
}

void Blocks() {
  acre::Arena arena({.name = "blocks"});
  std::vector<void*> blocks;
  blocks.reserve(64);
  for (const std::size_t bytes : {8, 40, 700, 5000, 70'000, 3'000'000}) {
    for (int i = 0; i < 4; ++i) {
      AllOrNothing(arena, [&] { blocks.push_back(arena.Allocate(bytes)); });
      const std::size_t before = arena.stats().live();
      const bool has_got = arena.TryAllocate(bytes) != nullptr;
      EXPECT(has_got == (arena.stats().live() > before));
    }
  }
  const acre::Mark mark = arena.Checkpoint();
  for (int i = 0; i < 100; ++i) {
    AllOrNothing(arena, [&] { arena.New<Node>(); });
  }
  arena.Rewind(mark);
  arena.NewArray<int>(10'000);
  arena.Reset();
  arena.New<int>(1);
}

void Collected() {
  for (int i = 0; i < 3; ++i) {
    acre::Arena* const arena = acre::NewCollectedArena({.name = "collected"});
    Node* const root = NewGraph(*arena, 20);
    acre::OnCollected(*arena, [](void*) {});
    EXPECT(CountNodes(root) == 20);
  }
}

void Containers() {
  acre::Arena arena({.name = "containers"});
  acre::Vector<Key> texts(arena);
  acre::Map<Key, acre::Vector<int>> map(arena);
  acre::Set<int> set(arena);
  for (int i = 0; i < 100; ++i) {
    const std::size_t size = texts.size();
    try {
      texts.emplace_back(kLong);
    } catch (...) {
      EXPECT(texts.size() == size);
      throw;
    }
    const std::size_t entries = map.size();
    const std::string name = "a name of an entry, number " + std::to_string(i);
    try {
      map[name].push_back(i);
    } catch (...) {
      EXPECT(map.size() <= entries + 1);
      throw;
    }
    set.insert(i);
  }
  EXPECT(texts.size() == 100 && map.size() == 100 && set.size() == 100);
  for (const auto& [name, row] : map) EXPECT(row.size() == 1);
  acre::Map<Key, acre::Vector<int>>* other = nullptr;
  AllOrNothing<acre::OutOfMemory>(arena,
                                  [&] { other = acre::DeepCopy(arena, map); });
  other->erase(other->begin());
  other->merge(map);
  EXPECT(other->size() == 100 && map.size() == 99);
  texts.emplace(texts.begin(), "in front");
  texts.erase(texts.begin() + 5, texts.end());
}

void Copies(unsigned threads, int count) {
  acre::Arena source({.name = "source"});
  const Node* const root = NewGraph(source, count);
  acre::Arena target({.name = "target"});
  target.New<int>(1);
  Node* copy = nullptr;
  AllOrNothing(target, [&] {
    copy = acre::DeepCopy(target, *root, {.threads = threads});
  });
  EXPECT(CountNodes(copy) == count);
  AllOrNothing(target, [&] { target.FreeGraph(copy); });
}
void SmallCopies() { Copies(1, 3); }
void GraphCopies() { Copies(1, 200); }
void ThreadCopies() { Copies(2, 20'000); }

/// By the engine that takes anything: the root lies in no arena.
void GeneralCopies() {
  std::vector<std::vector<std::string>> rows(
      20, std::vector<std::string>(5, std::string(kLong)));
  acre::Arena target({.name = "target"});
  acre::Vector<acre::Vector<Key>>* copy = nullptr;
  AllOrNothing<acre::OutOfMemory>(target,
                                  [&] { copy = acre::DeepCopy(target, rows); });
  EXPECT(copy->size() == 20);
  std::vector<Cell> cells(300);
  for (std::size_t i = 1; i < cells.size(); ++i) {
    cells[i - 1].tail = &cells[i];
    cells[i].head = &cells[0];
  }
  AllOrNothing<acre::OutOfMemory>(target,
                                  [&] { acre::DeepCopy(target, cells[0]); });
}

void References() {
  acre::Arena arena({.name = "references"});
  Owners* const owners = arena.New<Owners>();
  for (int i = 0; i < 600; ++i) {
    int* const object = NewInteger(i);
    owners->row.emplace_back();
    Owner& owner = owners->row.back();
    owner.strong = object;
    owner.weak = object;
    if (i % 10 == 0) owners->by_number[i] = object;
  }
  for (const Owner& owner : owners->row) {
    EXPECT(owner.weak.lock() == owner.strong.get());
  }
  const acre::Mark mark = arena.Checkpoint();
  arena.New<Owner>()->strong = NewInteger(1);
  arena.Rewind(mark);
  acre::Arena target({.name = "target"});
  Owners* copy = nullptr;
  AllOrNothing<acre::OutOfMemory>(
      target, [&] { copy = acre::DeepCopy(target, *owners); });
  EXPECT(copy->row[5].strong == owners->row[5].strong);
  target.FreeGraph(copy);
  acre::Arena* const collected = acre::NewCollectedArena();
  EXPECT(acre::DeepCopy(*collected, *owners)->by_number.size() == 60);
}

/// As many of the keys as are there, once each.
template <class M>
void ExpectSound(const M& map) {
  std::size_t seen = 0;
  for (const auto& [key, ref] : map) seen += map.contains(key) ? 1 : 0;
  EXPECT(seen == map.size());
}

/// What fails leaves an element where it was: in a container that is older than
/// the mark, in a node, in the Map that another one takes from.
void Elements() {
  using Refs = acre::Map<int, acre::GcRef<int>>;
  auto* const object = static_cast<int*>(GC_malloc(sizeof(int)));
  if (object == nullptr) throw std::bad_alloc();
  acre::Arena arena({.name = "elements"});
  Refs old(arena);
  old.reserve(10);
  acre::Vector<acre::GcRef<int>> row(arena);
  row.reserve(10);
  const acre::Scope scope(arena);
  Refs young(arena);
  for (int i = 0; i < 4; ++i) young.try_emplace(i, object);
  const auto in_either = [&](int key) {
    return old.contains(key) != young.contains(key);
  };
  const auto as_it_was = [&](auto run) {
    const std::size_t size = old.size() + row.size();
    try {
      run();
    } catch (const std::bad_alloc&) {
      EXPECT(old.size() + row.size() == size);
      ExpectSound(old);
      throw;
    }
  };
  as_it_was([&] { old.try_emplace(100, object); });
  as_it_was([&] { row.push_back(object); });
  as_it_was([&] { old.insert_or_assign(101, acre::GcRef<int>(object)); });
  auto node = young.extract(0);
  try {
    old.insert(std::move(node));
  } catch (const std::bad_alloc&) {
    EXPECT(!node.empty() && node.mapped().get() == object);
    throw;
  }
  try {
    old.merge(young);
  } catch (const std::bad_alloc&) {
    for (int i = 1; i < 4; ++i) EXPECT(in_either(i));
    ExpectSound(old);
    ExpectSound(young);
    throw;
  }
  EXPECT(old.size() == 6 && young.empty() && row.size() == 1);
  // A container that is being filled, an object that is being made.
  const std::size_t live = arena.stats().live();
  const auto leaves_nothing = [&](auto run) {
    try {
      run();
    } catch (const std::bad_alloc&) {
      EXPECT(arena.stats().live() == live);
      throw;
    }
    EXPECT(arena.stats().live() == live);
  };
  const std::vector<std::string_view> texts(20, kLong);
  leaves_nothing([&] {
    acre::Vector<Key> keys(arena, texts.begin(), texts.end());
    keys.Release();
  });
  leaves_nothing([&] {
    acre::Set<Key> keys(arena, {kLong, kLong.substr(1), kLong.substr(2)});
    keys.Release();
  });
  leaves_nothing([&] {
    acre::Map<int, acre::Vector<Key>> rows(arena);
    rows.reserve(3);
    try {
      rows.try_emplace(1, texts.begin(), texts.end());
    } catch (const std::bad_alloc&) {
      rows.Release();
      throw;
    }
    rows.Release();
  });
  Owner* const owner = arena.New<Owner>();
  Owner* const other = arena.New<Owner>();
  owner->strong = object;
  try {
    other->strong = std::move(owner->strong);
  } catch (const std::bad_alloc&) {
    EXPECT(owner->strong.get() == object && other->strong == nullptr);
    throw;
  }
  EXPECT(owner->strong == nullptr && other->strong.get() == object);
  // What can be null does not throw.
  const bool had_fault = fault != Fault::kNone;
  for (int i = 0; i < 600; ++i) {
    MadeOwner* const made = arena.TryNew<MadeOwner>(object);
    EXPECT(had_fault || made != nullptr);
    if (made == nullptr) throw std::bad_alloc();
  }
  for (const auto& [key, ref] : old) EXPECT(ref.get() == object);
}

void Traced() {
  for (const bool is_collected : {false, true}) {
    const acre::ArenaOptions options = {.name = "traced",
                                        .trace = acre::Trace::kPointers};
    std::optional<acre::Arena> own;
    if (!is_collected) own.emplace(options);
    acre::Arena& arena =
        is_collected ? *acre::NewCollectedArena(options) : *own;
    Cell* last = nullptr;
    for (int i = 0; i < 300; ++i) {
      AllOrNothing(arena, [&] { last = arena.New<Cell>(nullptr, last, i); });
    }
    AllOrNothing(arena, [&] { arena.NewArray<Cell*>(1000); });
    auto* const row = arena.New<acre::Vector<int*>>();
    for (int i = 0; i < 300; ++i) row->push_back(NewInteger(i));
    EXPECT(*(*row)[299] == 299);
    arena.Free(last);
  }
}

void Escapes() {
  acre::Arena arena({.name = "form"});
  for (const int count : {2, 100}) {
    Node* const left = acre::Escape(NewGraph(arena, count));
    EXPECT(CountNodes(left) == count);
    left->others.push_back(left);
  }
}

void Histories() {
  acre::MmapSource range({.reserve = std::size_t{1} << 24});
  for (const bool is_range : {false, true}) {
    acre::Arena arena({.name = "world", .source = is_range ? &range : nullptr});
    Node* const root = NewGraph(arena, 50);
    const std::uint64_t before = acre::Checksum(arena, *root);
    {
      acre::History history(arena, *root, {.frames = 4});
      const acre::FrameId frame = history.Capture();
      root->left = nullptr;
      for (int i = 0; i < 50; ++i) root->others.push_back(NewNode(arena, i));
      history.Capture();
      root->name.assign("other");
      EXPECT(!acre::Diff(*root, history, frame).differences.empty());
      history.Restore(frame);
      EXPECT(acre::Checksum(arena, *root) == before);
    }
    EXPECT(CountNodes(root) == 50);
  }
}

void Comparisons() {
  acre::Arena arena({.name = "one"});
  acre::Arena other({.name = "two"});
  Node* const a = NewGraph(arena, 40);
  Node* const b = NewGraph(other, 40);
  EXPECT(acre::Checksum(arena, *a) == acre::Checksum(other, *b));
  EXPECT(acre::Diff(*a, *b).differences.empty());
  b->left->name.assign("changed");
  const acre::DiffReport report = acre::Diff(*a, *b);
  EXPECT(report.differences.size() == 1);
  EXPECT(!acre::ToText(report).empty());
}

std::string TemporaryPath() {
  return "/tmp/acre-faults-" + std::to_string(getpid());
}

/// Gives up as programs do that are out of memory.
void Need(const acre::SaveError& error) {
  if (error) throw std::bad_alloc();
}

void SavedArenas() {
  const std::string path = TemporaryPath();
  struct Remove {
    const std::string& path;
    ~Remove() { unlink(path.c_str()); }
  } remove{path};
  acre::Arena arena({.name = "level"});
  Node* const root = NewGraph(arena, 100);
  Need(acre::Save(arena, *root, path.c_str()));
  acre::SavedArena<Node> mapped = acre::MapArena<Node>(path.c_str());
  if (!mapped) throw std::bad_alloc();
  EXPECT(CountNodes(&mapped.root()) == 100);
  mapped->others.push_back(&mapped.root());
  // Its own address is taken: everything moves.
  acre::SavedArena<Node> moved = acre::MapArena<Node>(path.c_str());
  if (!moved) throw std::bad_alloc();
  EXPECT(CountNodes(&moved.root()) == 100);
  acre::SavedArena<Node> loaded = acre::LoadArena<Node>(path.c_str());
  if (!loaded) throw std::bad_alloc();
  EXPECT(CountNodes(&loaded.root()) == 100);
}

void Audits() {
  acre::Arena arena({.name = "audited"});
  Node* const root = NewGraph(arena, 100);
  const acre::AuditReport clean = acre::Audit(arena, *root);
  EXPECT(clean.findings.empty());
  // Release builds see what the words of before look like, too.
  EXPECT(!acre::kChecked || acre::AuditAll(arena).findings.empty());
  auto* const outside = static_cast<Node*>(GC_malloc(sizeof(Node)));
  if (outside == nullptr) throw std::bad_alloc();
  std::memset(static_cast<void*>(outside), 0, sizeof(Node));
  root->right = outside;
  acre::AuditReport report = acre::Audit(arena, *root);
  root->right = nullptr;
  EXPECT(report.findings.size() == 1);
  EXPECT(!acre::ToText(report).empty());
  EXPECT(!acre::ToJsonLines(report).empty());
  EXPECT(!acre::ToDot(report).empty());
  std::FILE* const file = std::tmpfile();
  EXPECT(file != nullptr);
  struct Close {
    std::FILE* file;
    ~Close() { std::fclose(file); }
  } close{file};
  EXPECT(acre::WriteHtml(file, arena, report));
  EXPECT(acre::WriteHeapSnapshot(file, arena, {acre::RootOf(*root)}, report));
  // Looks through every arena of the process.
  GC_gcollect();
}

/// What makes objects of a pool holds others of it: each has to come back, and
/// a release must not want memory.
void AcquireInMake(acre::Arena& arena) {
  using Pool = acre::ObjectPool<Node>;
  Pool* of_make = nullptr;
  std::vector<Pool::Held>* held_by_make = nullptr;
  bool is_inner = false;
  Pool pool(arena, {.make = [&](acre::Arena& of) {
              if (!std::exchange(is_inner, true)) {
                held_by_make->push_back(of_make->AcquireHeld());
              }
              is_inner = false;
              return of.TryNew<Node>();
            }});
  of_make = &pool;
  std::vector<Pool::Held> held;
  held_by_make = &held;
  for (int i = 0; i < 9; ++i) {
    held.push_back(pool.AcquireHeld());
    EXPECT(pool.stats().in_use == held.size());
  }
  held.clear();
  EXPECT(pool.stats().available == pool.stats().total);
}

void Family() {
  acre::Arena arena({.name = "family"});
  acre::BumpArena bump({.name = "bump"});
  acre::TypedArena<Cell> cells(10, acre::Growth::kGrowing);
  acre::ObjectPool<Node> objects(arena, {.capacity = 4});
  acre::BlockPool blocks(arena, {.block_size = 256, .count = 8});
  acre::StackArena stack(arena, 4096);
  acre::BufferPool buffers({.bytes = std::size_t{1} << 22});
  acre::LockedArena locked;
  acre::ArenaPool pool;
  acre::ArenaResource resource(arena);
  std::pmr::vector<int> numbers(&resource);
  for (int i = 0; i < 100; ++i) {
    bump.New<Cell>();
    cells.New(nullptr, nullptr, i);
    numbers.push_back(i);
    locked.New<Cell>();
  }
  EXPECT(cells.used() == 100 && numbers.size() == 100);
  {
    std::vector<acre::ObjectPool<Node>::Held> held;
    for (int i = 0; i < 20; ++i) held.push_back(objects.AcquireHeld());
  }
  EXPECT(objects.stats().available == objects.stats().total);
  AcquireInMake(arena);
  blocks.Free(blocks.Allocate());
  stack.Push(3.5);
  EXPECT(stack.Pop<double>() == 3.5);
  {
    acre::BufferScope scope(buffers);
    std::span<float> kept[6];
    for (std::size_t i = 0; i < 6; ++i) {
      kept[i] = scope.Acquire<float>(1000 * (i + 1));
    }
    scope.Release(kept[1]);
    scope.Release(kept[4]);
    static_cast<void>(scope.Acquire<float>(10));
    // The scope's end has to make ranges again.
  }
  EXPECT(buffers.stats().largest_free == buffers.stats().capacity);
  const int size = pool.Execute(
      [](acre::Arena& lent) { return CountNodes(NewGraph(lent, 10)); });
  EXPECT(size == 10);
  acre::Scratch scratch;
  EXPECT(CountNodes(NewGraph(*scratch, 10)) == 10);
}

void Shared() {
  acre::SharedMemorySource source({.bytes = std::size_t{1} << 20});
  if (source.error() != 0) throw std::bad_alloc();
  acre::Arena arena({.name = "shared", .source = &source});
  auto* const numbers = arena.New<acre::Vector<int>>();
  for (int i = 0; i < 100; ++i) numbers->push_back(i);
  source.SetRoot(numbers);
  acre::SharedMemoryView view(source.fd());
  if (view.error() != 0) throw std::bad_alloc();
  EXPECT(view.Elements(*view.Root<acre::Vector<int>>()).size() == 100);
}

#ifdef ACRE_FAULTS_JSON
struct Document {
  Key name;
  acre::Vector<Key> items;
  acre::Map<Key, acre::Vector<double>> rows;
  Document* next = nullptr;
};
ACRE_LAYOUT(Document, name, items, rows, next)

void Documents() {
  std::string text;
  for (int i = 0; i < 20; ++i) {
    text += R"({"name":"a document of a long name","items":["one item",)"
            R"("another item, which is longer than the first"],"rows":)"
            R"({"the first row":[1,2.5,3e10],"the second one":[]},"next":)";
  }
  text += "null" + std::string(20, '}');
  acre::Arena arena({.name = "documents"});
  const Document* document = nullptr;
  const acre::Json* value = nullptr;
  AllOrNothing(arena, [&] {
    const auto read = acre::FromJson<Document>(arena, text);
    if (!read) throw std::bad_alloc();
    document = *read;
  });
  AllOrNothing(arena, [&] {
    const auto read = acre::FromJson<acre::Json>(arena, text);
    if (!read) throw std::bad_alloc();
    value = *read;
  });
  for (const auto& written : {acre::ToJson(*document), acre::ToJson(*value)}) {
    EXPECT(written && written->size() >= text.size() / 2);
  }
}
#endif

#ifdef ACRE_FAULTS_C
/// A status that says what happened; no memory is told by an exception here.
void Done(int status) {
  if (status == ACRE_OUT_OF_MEMORY) throw std::bad_alloc();
  if (status != ACRE_OK) Complain("status %d: %s", status, acre_error());
}

void FromC() {
  struct End {
    acre_arena* arena;
    ~End() { EXPECT(acre_arena_end(arena) == ACRE_OK); }
  };
  acre_arena_options options = {};
  options.size = sizeof options;
  options.name = "from C";
  options.flags = ACRE_HOLDS_OBJECTS;
  acre_arena* const arena = acre_arena_new(&options);
  if (arena == nullptr) throw std::bad_alloc();
  const End end{arena};
  acre_ref map, vector, builder, copy;
  Done(acre_map_new(arena, &map));
  Done(acre_vector_new(arena, &vector));
  Done(acre_builder_new(arena, &builder));
  for (int i = 0; i < 200; ++i) {
    const std::string name = "an entry of a map, number " + std::to_string(i);
    const acre_value key = acre_text(name.data(), name.size());
    const acre_value value =
        i % 10 == 0 ? acre_object(NewInteger(i)) : acre_int(i);
    std::size_t before = 0;
    std::size_t after = 0;
    Done(acre_map_size(&map, &before));
    const int status = acre_map_set(&map, &key, &value);
    Done(acre_map_size(&map, &after));
    EXPECT(after == before + (status == ACRE_OK ? 1 : 0));
    Done(status);
    Done(acre_vector_push(&vector, &key));
    Done(acre_builder_append_value(&builder, &key));
  }
  Done(acre_vector_sort(&vector));
  const acre_value inner = acre_shared(ACRE_MAP, map);
  Done(acre_vector_insert(&vector, 3, &inner));
  Done(acre_ref_copy(&vector, arena, &copy));
  Done(acre_ref_free(&copy));
  acre_mark mark;
  Done(acre_arena_checkpoint(arena, &mark));
  Done(acre_map_new(arena, &map));
  Done(acre_arena_rewind(arena, &mark));
  Done(acre_arena_audit(
      arena, [](void*, const char*, std::size_t) {}, nullptr));
}
#endif

struct Program {
  const char* name;
  void (*run)();
  void (*prepare)() = nullptr;  // what others keep, and cannot do without
};

constexpr Program kPrograms[] = {
    {"blocks", Blocks},
    {"collected", Collected},
    {"containers", Containers},
    {"small-copies", SmallCopies},
    {"graph-copies", GraphCopies},
    {"thread-copies", ThreadCopies},
    {"general-copies", GeneralCopies},
    {"references", References},
    {"elements", Elements},
    {"traced", Traced},
    {"escapes", Escapes},
    {"histories", Histories},
    {"comparisons", Comparisons},
    {"saved-arenas", SavedArenas},
    {"audits", Audits},
    {"family", Family},
    {"shared", Shared},
#ifdef ACRE_FAULTS_C
    {"from-c", FromC},
#endif
#ifdef ACRE_FAULTS_JSON
    {"documents", Documents,
     [] { simdjson::get_active_implementation()->name(); }},
#endif
};

// ------------------------------------------------------------------- running

/// True where it came to its end, false where memory ran out.
bool Runs(const Program& program) {
  try {
    program.run();
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  } catch (const std::system_error&) {
    return false;
  } catch (const std::exception& error) {
    Complain("an exception: %s", error.what());
  }
}

/// 0: it failed and all is well; 2: it never came to that request.
int RunChild(const Program& program, Fault how, unsigned long which,
             bool is_warm) {
  if (is_warm && !Runs(program)) Complain("out of memory before the fault");
  // What is kept for later becomes more for some times, what is lost does
  // always.
  constexpr int kTimes = 200;
  const std::size_t first = live.count();
  for (int i = 0; i < (is_warm ? kTimes : 1); ++i) {
    const std::size_t before = live.count();
    Arm(how, which);
    const bool has_succeeded = Runs(program);
    const bool was_reached = requests > which;
    Arm(Fault::kNone, 0);
    if (!has_succeeded && !was_reached) {
      Complain("out of memory without a fault");
    }
    if (!Runs(program)) Complain("out of memory after the fault");
    if (!was_reached) return 2;
    if (live.count() <= before) return 0;
  }
  if (is_warm) {
    Complain("%zu blocks of malloc are lost in %d times", live.count() - first,
             kTimes);
  }
  return 0;
}

/// Runs the child of that number. False: past the last request.
bool Try(const Program& program, Fault how, unsigned long which, bool is_warm,
         int* failed) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    _exit(RunChild(program, how, which, is_warm));
  }
  int status = 0;
  while (waitpid(child, &status, 0) == -1 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 2) return false;
  ++*failed;
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  std::printf("FAILED %s: request %lu%s%s: status %d, signal %d\n",
              program.name, which, how == Fault::kOnce ? "" : " and later ones",
              is_warm ? ", once more" : ", first use", WEXITSTATUS(status),
              signal);
  return true;
}

/// How many were tried.
unsigned long TryAll(const Program& program, unsigned long every, int* failed) {
  const int most = *failed + 20;
  if (program.prepare != nullptr) program.prepare();
  unsigned long tried = 0;
  for (const bool is_warm : {false, true}) {
    for (const Fault how : {Fault::kOnce, Fault::kFromThenOn}) {
      unsigned long which = 0;
      while (*failed < most && Try(program, how, which, is_warm, failed)) {
        // Later ones repeat what these were.
        which += every * (which < 300 ? 1 : which / 100);
        ++tried;
      }
    }
  }
  return tried;
}

const Program* Find(std::string_view name) {
  for (const Program& program : kPrograms) {
    if (program.name == name) return &program;
  }
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 3 && std::string_view(argv[2]) == "at") {
    const auto has = [&](std::string_view word) {
      for (int i = 4; i < argc; ++i) {
        if (argv[i] == word) return true;
      }
      return false;
    };
    const Program* const program = Find(argv[1]);
    return program == nullptr
               ? 2
               : RunChild(*program,
                          has("later") ? Fault::kFromThenOn : Fault::kOnce,
                          std::strtoul(argv[3], nullptr, 10), has("warm"));
  }
  if (argc > 1 && std::string_view(argv[1]) == "names") {
    for (const Program& program : kPrograms) std::puts(program.name);
    return 0;
  }
  const unsigned long every = argc > 2 ? std::strtoul(argv[1], nullptr, 10) : 0;
  if (every == 0) return 2;
  int passed = 0;
  int failed = 0;
  for (int i = 2; i < argc; ++i) {
    const Program* const program = Find(argv[i]);
    if (program == nullptr) return 2;
    const int failed_before = failed;
    const unsigned long tried = TryAll(*program, every, &failed);
    const bool is_good = failed == failed_before;
    passed += is_good ? 1 : 0;
    std::printf("%s %s: %lu faults\n", is_good ? "ok" : "FAILED", program->name,
                tried);
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
