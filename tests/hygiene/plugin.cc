// SPDX-License-Identifier: MIT
//
// A plugin with an acre of its own, or with the shared one; see plugins.

#include <acre/arena.h>
#include <acre/gc.h>
#include <gc/gc.h>

#if !defined(PLUGIN_IS_BARE)
#include <acre/string.h>
#include <acre/vector.h>
#endif

struct Item {
  long numbers[12];
};
ACRE_LAYOUT(Item, numbers)

struct Leaky {
  Item* item;
};
ACRE_LAYOUT(Leaky, item)

extern "C" {

#if !defined(PLUGIN_IS_BARE)
/// A container in an arena of the host's.
std::size_t PluginFill(acre::Arena* arena) {
  auto* texts = arena->New<acre::Vector<acre::String>>();
  for (int i = 0; i < 1000; ++i) {
    texts->emplace_back("a text that is longer than what fits inside");
  }
  texts->pop_back();
  return texts->size();
}
#endif

/// Whether this copy of acre knows whose object it is.
bool PluginKnows(acre::Arena* arena, const void* object) {
  return acre::ArenaOf(object) == arena;
}

int* PluginNew(acre::Arena* arena) { return arena->New<int>(7); }
void PluginFree(acre::Arena* arena, int* number) { arena->Free(number); }

acre::Arena* PluginMake() {
  auto* arena = new acre::Arena({.name = "plugin's"});
  arena->New<Leaky>();
  return arena;
}

/// Of large chunks, made by this copy.
void PluginGrow(acre::Arena* arena) {
  for (int i = 0; i < 20000; ++i) arena->New<Leaky>();
}

acre::Arena* PluginMakeCollected(bool is_empty) {
  acre::Arena* arena = acre::NewCollectedArena({.name = "plugin's collected"});
  if (!is_empty) arena->New<Leaky>();
  return arena;
}

/// No chunk yet: that is whose, who asks for it first?
acre::Arena* PluginMakeEmpty() { return new acre::Arena({.name = "empty"}); }

/// Nothing but the arena knows the item.
void PluginLeak(acre::Arena* arena) {
  Item* volatile item = ::new (GC_MALLOC(sizeof(Item))) Item{};
  arena->New<Leaky>()->item = item;
  item = nullptr;
}

void PluginEnd(acre::Arena* arena) { delete arena; }

bool PluginDetach(const char** reason) { return acre::Detach(reason); }

}  // extern "C"
