// SPDX-License-Identifier: MIT
//
// A host that loads plugins; see plugins, which names the cases. Prints what it
// saw, and fails where that is not what was promised.

#include <acre/arena.h>
#include <acre/gc.h>
#include <dlfcn.h>
#include <gc/gc.h>
#include <gc/gc_mark.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

namespace {

void Require(bool condition, const char* what) {
  if (condition) return;
  std::printf("FAILED: %s\n", what);
  std::exit(1);
}

class Plugin {
 public:
  explicit Plugin(const char* path)
      : path_(path), handle_(dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) std::puts(dlerror());
    Require(handle_ != nullptr, "dlopen");
  }

  template <class Function>
  Function Get(const char* name) const {
    return reinterpret_cast<Function>(dlsym(handle_, name));
  }
  std::size_t Fill(acre::Arena* arena) {
    return Get<std::size_t (*)(acre::Arena*)>("PluginFill")(arena);
  }
  bool Knows(acre::Arena* arena, const void* object) {
    return Get<bool (*)(acre::Arena*, const void*)>("PluginKnows")(arena,
                                                                   object);
  }
  int* New(acre::Arena* arena) {
    return Get<int* (*)(acre::Arena*)>("PluginNew")(arena);
  }
  void Free(acre::Arena* arena, int* number) {
    Get<void (*)(acre::Arena*, int*)>("PluginFree")(arena, number);
  }
  acre::Arena* Make() { return Get<acre::Arena* (*)()>("PluginMake")(); }
  acre::Arena* MakeCollected(bool is_empty) {
    return Get<acre::Arena* (*)(bool)>("PluginMakeCollected")(is_empty);
  }
  void Grow(acre::Arena* arena) {
    Get<void (*)(acre::Arena*)>("PluginGrow")(arena);
  }
  void Leak(acre::Arena* arena) {
    Get<void (*)(acre::Arena*)>("PluginLeak")(arena);
  }
  void End(acre::Arena* arena) {
    Get<void (*)(acre::Arena*)>("PluginEnd")(arena);
  }
  bool Detach(const char** reason = nullptr) {
    return Get<bool (*)(const char**)>("PluginDetach")(reason);
  }

  /// Returns whether it is loaded still.
  bool Close() {
    dlclose(handle_);
    void* again = dlopen(path_, RTLD_NOW | RTLD_NOLOAD);
    if (again != nullptr) dlclose(again);
    return again != nullptr;
  }

 private:
  const char* path_;
  void* handle_;
};

int KindOf(const acre::Arena* arena) {
  const void* block = nullptr;
  arena->ForEachChunk(
      [&](const acre::ChunkInfo& chunk) { block = chunk.begin; });
  std::size_t size = 0;
  return GC_get_kind_and_size(GC_base(const_cast<void*>(block)), &size);
}

void CollectOften() {
  for (int i = 0; i < 5; ++i) GC_gcollect();
}

template <class Make>
void InThread(Make make) {
  std::thread([&] {
    acre::ThreadRegistration here;
    for (int i = 0; i < 10; ++i) make();
  }).join();
}

/// Collected arenas that nobody holds: made on a stack that is gone.
void DropCollected(Plugin& plugin, bool is_empty = false) {
  InThread([&] { plugin.MakeCollected(is_empty); });
}

/// What still looks like one of the plugin's arenas to the collector, in a
/// register or a freed object, is another address after a while.
void RequireDetach(Plugin& plugin) {
  const char* reason = "";
  for (int tries = 0; tries < 20; ++tries) {
    if (plugin.Detach(&reason)) return;
    InThread([] {
      for (std::size_t size = 16; size <= 512; size += 16) {
        for (int i = 0; i < 300; ++i) GC_malloc(size);
      }
    });
    GC_gcollect();
  }
  Require(false, reason);
}

// ------------------------------------------------------------------- cases

/// Host and plugin work in each other's arenas.
void Share(Plugin plugin) {
  acre::Arena arena({.name = "host's"});
  int* mine = arena.New<int>(1);
  Require(plugin.Knows(&arena, mine), "the plugin knows the host's object");
  Require(plugin.Fill(&arena) == 999, "the plugin fills the host's arena");
  int* theirs = plugin.New(&arena);
  Require(acre::ArenaOf(theirs) == &arena, "the host knows it back");
  arena.Free(theirs);
  plugin.Free(&arena, mine);
  acre::Arena* made = plugin.Make();
  Require(acre::ArenaOf(made->New<int>(2)) == made, "the host uses theirs");
  Require(KindOf(made) == KindOf(&arena), "one kind for both");
  plugin.End(made);
}

/// The host has worked before the first plugin came.
void Wrong(Plugin plugin) {
  acre::Arena arena({.name = "host's"});
  int* mine = arena.New<int>(1);
  plugin.Free(&arena, mine);
}

/// However many copies come, the collector gives away two kinds.
void Kinds(int count, char** paths) {
  const int first =
      static_cast<int>(GC_new_kind(GC_new_free_list(), 0 | GC_DS_LENGTH, 0, 0));
  for (int i = 0; i < count; ++i) {
    Plugin plugin(paths[i]);
    acre::Arena* arena = plugin.Make();
    Require(KindOf(arena) == first + 2, "the second of the two kinds");
  }
  const int last =
      static_cast<int>(GC_new_kind(GC_new_free_list(), 0 | GC_DS_LENGTH, 0, 0));
  std::printf("%d kinds\n", last - first - 1);
  Require(last - first - 1 == 2, "two kinds are taken");
}

/// With Detach, loaded and unloaded ten times; kinds are found again.
void Unload(const char* path, bool detaches) {
  int kind = -1;
  for (int i = 0; i < 10; ++i) {
    Plugin plugin(path);
    acre::Arena* arena = plugin.Make();
    Require(kind == -1 || kind == KindOf(arena), "the same kind again");
    kind = KindOf(arena);
    plugin.Leak(arena);
    GC_gcollect();
    const char* reason = "";
    if (detaches) {
      DropCollected(plugin, true);
      Require(!plugin.Detach(&reason), "no Detach with a living arena");
      Require(std::strstr(reason, "alive") != nullptr, reason);
    }
    plugin.End(arena);
    if (detaches) RequireDetach(plugin);
    Require(!plugin.Close(), "it is unloaded");
    CollectOften();
    GC_invoke_finalizers();
  }
  std::puts("unloaded");
}

/// It counts who is called for chunks, not who asked for the first one.
void Whose(Plugin plugin) {
  const char* reason = "";
  acre::Arena mine({.name = "host's"});
  plugin.New(&mine);
  if (!plugin.Detach(&reason)) Require(false, reason);
  acre::Arena* theirs = plugin.Get<acre::Arena* (*)()>("PluginMakeEmpty")();
  theirs->New<int>(1);
  Require(!plugin.Detach(&reason), "no Detach: the host's arena calls it");
  plugin.End(theirs);
  if (!plugin.Detach(&reason)) Require(false, reason);
  Require(!plugin.Close(), "it is unloaded");
  mine.New<int>(2);
}

/// Without Detach it stays: the collector calls it, now or later.
void Stay(Plugin plugin) {
  DropCollected(plugin);
  Require(plugin.Close(), "it stays loaded");
  CollectOften();
  std::puts("stays");
}

/// Its first use is in a thread, which libgc takes for the main one.
void Thread(Plugin plugin) {
  std::thread([&] {
    plugin.End(plugin.Make());
    const char* reason = "";
    Require(!plugin.Detach(&reason), "no Detach before that thread has ended");
    Require(std::strstr(reason, "ended") != nullptr, reason);
  }).join();
  const acre::ThreadRegistration here;
  GC_gcollect();
  RequireDetach(plugin);
  Require(!plugin.Close(), "it is unloaded");
  InThread([] {});
  CollectOften();
}

std::atomic<int> g_host_events{0};
GC_on_collection_event_proc g_below = nullptr;
void GC_CALLBACK OnHostEvent(GC_EventType event) {
  if (event == GC_EVENT_START) g_host_events.fetch_add(1);
  if (g_below != nullptr) g_below(event);
}

/// A callback of the host's that calls the one before it, which is acre's.
void Below(const char* path) {
  Plugin plugin(path);
  acre::Arena* arena = plugin.Make();
  g_below = GC_get_on_collection_event();
  GC_set_on_collection_event(&OnHostEvent);
  plugin.End(arena);
  CollectOften();
  const char* reason = "";
  for (int i = 0; i < 2; ++i) {
    Require(!plugin.Detach(&reason), "no Detach under the host's callback");
    Require(std::strstr(reason, "callback") != nullptr, reason);
    plugin.End(plugin.Make());  // takes the callback back to the top
  }
  g_host_events.store(0);
  GC_gcollect();
  Require(g_host_events.load() == 1, "one collection is one event");
}

/// Two plugins with auditors, and the host's callback before both.
void Chain(const char* one, const char* two) {
  GC_set_on_collection_event(&OnHostEvent);
  Plugin first(one);
  Plugin second(two);
  acre::Arena* arena = first.Make();
  second.End(second.Make());
  for (int i = 0; i < 3; ++i) {  // each time an arena is made it is looked at
    first.End(first.Make());
    second.End(second.Make());
  }
  GC_gcollect();
  Require(g_host_events.load() == 1, "one collection is one event");
  const char* reason = "";
  if (!second.Detach(&reason)) Require(false, reason);
  Require(!second.Close(), "the second is unloaded");
  first.Leak(arena);
  GC_gcollect();
  Require(g_host_events.load() == 2, "the host's callback stays");
  first.End(arena);
  if (!first.Detach(&reason)) Require(false, reason);
  Require(!first.Close(), "the first is unloaded");
  GC_gcollect();
  Require(g_host_events.load() == 3, "the host's callback is alone again");
  Require(GC_get_on_collection_event() == &OnHostEvent, "it is set again");
}

/// fork, while threads of both copies make arenas.
void Fork(Plugin plugin) {
  std::atomic<bool> is_over{false};
  const auto use = [&](bool in_plugin) {
    acre::ThreadRegistration here;
    while (!is_over.load()) {
      if (in_plugin) {
        plugin.End(plugin.Make());
      } else {
        acre::Arena arena;
        arena.New<int>(1);
      }
    }
  };
  std::thread one(use, false);
  std::thread two(use, true);
  for (int i = 0; i < 20; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(10);
      acre::Arena arena({.source = &acre::MallocSource::Instance()});
      arena.New<int>(1);
      _exit(plugin.Knows(&arena, &arena) ? 1 : 0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    Require(status == 0, "the child ends");
  }
  is_over.store(true);
  one.join();
  two.join();
}

/// The host's auditor looks at arenas of a plugin that has none, while the host
/// itself has made no chunk.
void Audited(Plugin plugin) {
  acre::Arena* const arena = plugin.Make();
  plugin.Grow(arena);
  for (int i = 0; i < 3; ++i) GC_gcollect();
  plugin.Leak(arena);
  GC_gcollect();
  plugin.End(arena);
}

}  // namespace

int main(int count, char** words) {
  const std::string name = words[1];
  if (name == "thread") Thread(Plugin(words[2]));
  acre::CollectorSeesInteriorPointers();  // initialises the collector
  if (name == "share") Share(Plugin(words[2]));
  if (name == "wrong") Wrong(Plugin(words[2]));
  if (name == "kinds") Kinds(count - 2, words + 2);
  if (name == "unload") Unload(words[2], true);
  if (name == "unload-silently") Unload(words[2], false);
  if (name == "whose") Whose(Plugin(words[2]));
  if (name == "stay") Stay(Plugin(words[2]));
  if (name == "below") Below(words[2]);
  if (name == "chain") Chain(words[2], words[3]);
  if (name == "audited") Audited(Plugin(words[2]));
  if (name == "fork") Fork(Plugin(words[2]));
  std::puts("done");
}
