// SPDX-License-Identifier: MIT

#include "core/commons.h"

#include <atomic>
#include <cstdlib>
#include <cstring>

#include "core/modules.h"

namespace acre::inline ACRE_ABI::detail {

// What follows is read by copies of other versions: another layout takes
// another type of note.

/// One piece of memory that copies share; the memory follows.
struct alignas(16) CommonPlace {
  CommonPlace* next;
  std::size_t size;
  std::uint64_t shape;
  char name[32];
};

struct Commons {
  std::atomic<CommonPlace*> places;
};

// The name is for the note alone. A module may hold two copies, one of each
// mode.
extern std::atomic<Commons*> g_commons __asm__(
    "acre_commons_of_" ACRE_ABI_TEXT);
__attribute__((used, visibility("hidden"))) constinit std::atomic<Commons*>
    g_commons{nullptr};

#if ACRE_HAS_MODULES
// An ELF note: sizes of name and content, type, name, content.
__asm__(
    ".pushsection .note.acre,\"a\",%note\n"
    ".balign 4\n"
    ".long 5, 4, 1\n"
    ".asciz \"acre\"\n"
    ".balign 4\n"
    ".hidden acre_commons_of_" ACRE_ABI_TEXT
    "\n"
    ".long acre_commons_of_" ACRE_ABI_TEXT
    " - .\n"
    ".popsection\n");
#endif

namespace {

/// Of another copy, by its note.
Commons* ReadNote(const Note& note) {
  std::int32_t offset = 0;
  if (note.type != 1 || note.size != sizeof offset) return nullptr;
  std::memcpy(&offset, note.content, sizeof offset);
  const auto at = reinterpret_cast<std::uintptr_t>(note.content) +
                  static_cast<std::uintptr_t>(std::intptr_t{offset});
  return reinterpret_cast<const std::atomic<Commons*>*>(at)->load();
}

Commons* FindInModules() {
  Commons* found = nullptr;
  ForEachNote(
      "acre",
      [](const Note& note, void* data) {
        auto* result = static_cast<Commons**>(data);
        *result = ReadNote(note);
        return *result == nullptr;
      },
      &found);
  return found;
}

constexpr const char* kParked = "acre-commons-1";

Commons* TheCommons() noexcept {
  if (Commons* mine = g_commons.load(std::memory_order_acquire)) return mine;
  auto* fresh = static_cast<Commons*>(std::calloc(1, sizeof(Commons)));
  UnderLoaderLock(
      [](void* data) {
        if (g_commons.load() != nullptr) return;  // another thread was first
        Commons* commons = FindInModules();
        const bool is_lasting = !CanBeUnloaded();
        if (commons == nullptr && !is_lasting) {
          commons = static_cast<Commons*>(FindParked(kParked));
        }
        if (commons == nullptr) {
          commons = static_cast<Commons*>(data);
          if (commons != nullptr && !is_lasting) ParkForEver(kParked, commons);
        }
        g_commons.store(commons);
      },
      fresh);
  Commons* const commons = g_commons.load();
  if (commons != fresh) std::free(fresh);
  return commons;
}

CommonPlace* FindPlace(const Commons& commons, const char* name,
                       std::size_t size, std::uint64_t shape) {
  for (CommonPlace* place = commons.places.load(); place != nullptr;
       place = place->next) {
    if (place->size == size && place->shape == shape &&
        std::strcmp(place->name, name) == 0) {
      return place;
    }
  }
  return nullptr;
}

}  // namespace

void* FindCommon(const char* name, std::size_t size, std::uint64_t shape,
                 void (*make)(void*)) noexcept {
  Commons* const commons = TheCommons();
  if (commons == nullptr) return nullptr;
  if (CommonPlace* place = FindPlace(*commons, name, size, shape)) {
    return place + 1;
  }
  auto* fresh =
      static_cast<CommonPlace*>(std::calloc(1, sizeof(CommonPlace) + size));
  if (fresh == nullptr) return nullptr;
  fresh->size = size;
  fresh->shape = shape;
  std::strncpy(fresh->name, name, sizeof fresh->name - 1);
  make(fresh + 1);
  for (fresh->next = commons->places.load();;) {
    if (CommonPlace* place = FindPlace(*commons, name, size, shape)) {
      std::free(fresh);  // another thread was first; what it made is trivial
      return place + 1;
    }
    if (commons->places.compare_exchange_strong(fresh->next, fresh)) {
      return fresh + 1;
    }
  }
}

bool IsOtherCopyThere() noexcept {
  const Commons* const commons = g_commons.load();
  if (commons == nullptr) return false;
  // Every copy has a place of this name; see chunk_index.cc.
  std::size_t copies = 0;
  for (const CommonPlace* place = commons->places.load(); place != nullptr;
       place = place->next) {
    copies += std::strncmp(place->name, "index.", 6) == 0 ? 1 : 0;
  }
  return copies > 1;
}

const void* ThisCopy() noexcept { return &g_commons; }

bool CanBeUnloaded() noexcept {
  static const bool can = IsUnloadable(&g_commons);
  return can;
}

bool IsOfThisModule(const void* address) noexcept {
  static const ModuleRange range = RangeAround(&g_commons);
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  return at >= range.begin && at < range.end;
}

namespace {
std::atomic<void*> g_pin{nullptr};
}  // namespace

void Pin() noexcept {
  if (g_pin.load() != nullptr || !CanBeUnloaded()) return;
  void* const handle = Hold(&g_commons);
  void* none = nullptr;
  if (!g_pin.compare_exchange_strong(none, handle)) LetGo(handle);
}

void Unpin() noexcept {
  if (void* const handle = g_pin.exchange(nullptr)) LetGo(handle);
}

}  // namespace acre::inline ACRE_ABI::detail
