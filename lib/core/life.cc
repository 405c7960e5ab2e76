// SPDX-License-Identifier: MIT

#include "core/life.h"

#include <cstdio>
#include <cstring>
#include <mutex>
#include <unordered_map>

#include "acre/detail/around_fork.h"
#include "core/chunk_index.h"
#include "core/commons.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

// Addresses are complemented: these records must not keep anything alive.
std::uintptr_t Hide(const void* p) {
  return ~reinterpret_cast<std::uintptr_t>(p);
}

struct Living {
  const ArenaEntry* entry = nullptr;  // of a collected arena
  std::uint64_t number = 0;           // no two arenas have the same
  char name[sizeof(Gone::name)] = {};
};

/// Memory, or the place of an Arena, that is gone.
struct Record {
  std::uintptr_t begin = 0;  // complemented
  std::size_t size = 0;
  std::uintptr_t arena = 0;  // complemented; 0: the collector took it
  std::uint64_t number = 0;
  char name[sizeof(Gone::name)] = {};
};

/// The newest of many.
template <std::size_t Size>
class History {
 public:
  void Add(const Record& record) { records_[next_++ % Size] = record; }
  const Record* Find(const void* address) const {
    const auto at = reinterpret_cast<std::uintptr_t>(address);
    for (std::size_t i = 0; i < Size && i < next_; ++i) {
      const Record& record = records_[(next_ - 1 - i) % Size];
      if (at - ~record.begin < record.size) return &record;
    }
    return nullptr;
  }

 private:
  Record records_[Size];
  std::size_t next_ = 0;
};

struct Records {
  std::unordered_map<std::uintptr_t, Living> living;  // by hidden address
  std::size_t clean_at = 256;  // number at which dead ones are looked for
  std::uint64_t numbers = 0;
  History<1024> memory;
  History<256> arenas;
};

/// Of all copies of acre: each learns what became of another's arenas.
struct Shared {
  std::mutex lock;
  Records* records = nullptr;  // never freed: arenas may outlive statics
};

Shared& TheShared() {
  static Shared& shared = []() -> Shared& {
    Shared& common = Common<Shared>("life." ACRE_ABI_TEXT,
                                    sizeof(Records) + (sizeof(Living) << 24));
    TakeAroundFork(common.lock, LockRank::kLife);
    return common;
  }();
  return shared;
}

__attribute__((constructor(102))) void Join() {
  if (kChecked) TheShared();
}

/// Requires the lock.
Records& TheRecords() {
  Shared& shared = TheShared();
  if (shared.records == nullptr) shared.records = new Records;
  return *shared.records;
}

bool Lives(std::uintptr_t hidden, const Living& living) {
  return living.entry == nullptr ||
         living.entry->hidden_arena.load(std::memory_order_acquire) == hidden;
}

/// Collected arenas do not say when they end.
void Clean(Records& records) {
  std::erase_if(records.living, [](const auto& item) {
    return !Lives(item.first, item.second);
  });
  records.clean_at = std::max<std::size_t>(256, 2 * records.living.size());
}

void Copy(char (&to)[sizeof(Gone::name)], const char* name) {
  std::snprintf(to, sizeof to, "%s", name);
}

Record RecordOf(const Arena* arena, const void* begin, std::size_t size) {
  Record record{Hide(begin), size, Hide(arena), 0, {}};
  const auto living = TheRecords().living.find(record.arena);
  if (living != TheRecords().living.end()) {
    record.number = living->second.number;
    std::memcpy(record.name, living->second.name, sizeof record.name);
  }
  return record;
}

bool Tell(const Record* record, Gone* gone) {
  if (record == nullptr) return false;
  std::memcpy(gone->name, record->name, sizeof gone->name);
  const auto living = TheRecords().living.find(record->arena);
  gone->has_ended = living == TheRecords().living.end() ||
                    living->second.number != record->number ||
                    !Lives(living->first, living->second);
  return true;
}

}  // namespace

namespace life {

std::uint64_t Begin(const Arena* arena, const char* name) {
  const std::lock_guard<std::mutex> hold(TheShared().lock);
  Records& records = TheRecords();
  if (records.living.size() >= records.clean_at) Clean(records);
  Living& living = records.living[Hide(arena)];
  living.entry = nullptr;
  living.number = ++records.numbers;
  Copy(living.name, name);
  // A String keeps 56 bits of a stamp: 2^32 stretches for each of 2^24 arenas,
  // after which numbers repeat, and a message may be missing.
  constexpr std::uint64_t kNumbers = (1u << 24) - 1;
  return (living.number & kNumbers) << 32 | 1;
}

void Follow(const Arena* arena, const ArenaEntry* entry) {
  const std::lock_guard<std::mutex> hold(TheShared().lock);
  TheRecords().living[Hide(arena)].entry = entry;
}

void End(const Arena* arena) {
  const std::lock_guard<std::mutex> hold(TheShared().lock);
  TheRecords().arenas.Add(RecordOf(arena, arena, 1));
  TheRecords().living.erase(Hide(arena));
}

void NoteGone(const Arena* arena, ChunkMemory memory) {
  const std::lock_guard<std::mutex> hold(TheShared().lock);
  TheRecords().memory.Add(RecordOf(arena, memory.address, memory.size));
}

void NoteCollected(const char* name, ChunkMemory memory) {
  const std::lock_guard<std::mutex> hold(TheShared().lock);
  Record record{Hide(memory.address), memory.size, 0, 0, {}};
  Copy(record.name, name);
  TheRecords().memory.Add(record);
}

}  // namespace life

bool IsLiving(const Arena* arena) noexcept {
  if (!kChecked) return true;
  const std::lock_guard<std::mutex> hold(TheShared().lock);
  const auto living = TheRecords().living.find(Hide(arena));
  return living != TheRecords().living.end() &&
         Lives(living->first, living->second);
}

bool FindGone(const void* address, Gone* gone) noexcept {
  if (!kChecked) return false;
  // The collector has taken it, and the index does not know yet.
  if (index::FindCollected(address, gone->name, sizeof gone->name)) {
    gone->has_ended = true;
    return true;
  }
  const std::lock_guard<std::mutex> hold(TheShared().lock);
  return Tell(TheRecords().memory.Find(address), gone);
}

bool FindEnded(const Arena* arena, Gone* gone) noexcept {
  if (!kChecked) return false;
  const std::lock_guard<std::mutex> hold(TheShared().lock);
  return Tell(TheRecords().arenas.Find(arena), gone);
}

}  // namespace acre::inline ACRE_ABI::detail
