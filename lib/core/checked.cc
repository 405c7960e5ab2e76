// SPDX-License-Identifier: MIT
//
// What checked builds verify: who uses the arena, and that what is freed is
// exactly what was allocated. Release builds call what concerns records of
// blocks, for those in audited pages, and watches (sampler.h).

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "acre/detail/blocks.h"
#include "acre/detail/gc_events.h"
#include "acre/detail/life.h"
#include "acre/detail/location.h"
#include "acre/detail/parts.h"
#include "acre/detail/watch.h"
#include "acre/failure.h"
#include "acre/gc.h"
#include "core/commons.h"
#include "core/poison.h"
#include "core/slow_path.h"
#include "core/this_thread.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

std::atomic<WatchMaker> g_watch_maker{nullptr};  // of this copy's auditor

/// The auditor that copies of acre use which have none: the first that came.
struct AnyAuditor {
  std::atomic<WatchMaker> maker{nullptr};
  std::atomic<const void*> copy{nullptr};
};

AnyAuditor& TheAnyAuditor() {
  static AnyAuditor& any = Common<AnyAuditor>("auditor." ACRE_ABI_TEXT, 0);
  return any;
}

/// Once a process: a build whose audits do not run looks like one that found
/// nothing. Whoever says ACRE_AUDIT=off knows.
void SayNoAuditor() {
  static std::atomic<bool> is_said{false};
  if (is_said.exchange(true)) return;
  const char* const audit = std::getenv("ACRE_AUDIT");
  if (audit != nullptr && std::strcmp(audit, "off") == 0) return;
  std::fputs(
      kChecked
          ? "acre: this is a checked build, but no auditor is linked: no "
            "collection is audited. Put -Wl,-u,acre_audit_automatic "
            "-lacre-audit-checked before -lacre-containers-checked "
            "(-Wl,--no-as-needed where it is shared), or run with "
            "ACRE_AUDIT=off\n"
          : "acre: a part of an arena is to be audited (audit_one_in, or "
            "ACRE_AUDIT_ONE_IN), but no "
            "auditor is linked. Put -Wl,-u,acre_audit_automatic "
            "-lacre-audit before -lacre-containers (-Wl,--no-as-needed where "
            "it is shared), or run with ACRE_AUDIT=off\n",
      stderr);
}

/// Nothing of the arena can be trusted, not even its name.
[[noreturn]] void FailForeign(const void* arena) {
  FailMisuse(
      "acre: the arena at %p was made by another copy of acre in this process, "
      "of another version or mode than this one (" ACRE_ABI_TEXT
      "), or has ended; link program and plugins with one shared libacre, or "
      "with copies that are the same",
      arena);
}

/// Alignments up to the granule are all the same.
std::uint8_t AlignLog(std::size_t align) {
  return static_cast<std::uint8_t>(
      Log2Ceil(align < kGranule ? kGranule : align));
}

/// For messages: "Player", "int[12]" or "48 raw bytes".
class Describe {
 public:
  Describe(const TypeLayout* type, std::size_t bytes) {
    if (type == nullptr) {
      std::snprintf(text_, sizeof text_, "%zu raw bytes", bytes);
    } else if (bytes == type->size) {
      std::snprintf(text_, sizeof text_, "%.*s",
                    static_cast<int>(type->name.size()), type->name.data());
    } else {
      std::snprintf(text_, sizeof text_, "%.*s[%zu]",
                    static_cast<int>(type->name.size()), type->name.data(),
                    bytes / type->size);
    }
  }
  const char* text() const { return text_; }

 private:
  char text_[160];
};

/// Why there are no such objects that FreeGraph may free, as the middle of a
/// message, behind which comes the block; null: there are.
const char* FaultAt(const Location& where, const void* target,
                    std::size_t count, const TypeLayout& type) {
  if (where.block == nullptr) {
    return "where no block is (it may be from before a Reset or Rewind)";
  }
  if (where.place == Place::kFreed) return "in a freed block of ";
  if (where.is_storage) return "in storage of a container, ";
  const auto offset = static_cast<std::size_t>(
      static_cast<const char*>(target) - static_cast<const char*>(where.block));
  const bool is_there = where.block_type != nullptr &&
                        count <= (where.block_bytes - offset) / type.size &&
                        (count == 0 || HoldsRow(where, offset, count, type));
  return is_there ? nullptr : "in a block of another type, ";
}

}  // namespace

// ----------------------------------------------------------------- watches

void SetWatchMaker(WatchMaker maker) noexcept {
  g_watch_maker.store(maker);
  if (!kChecked) return;
  AnyAuditor& any = TheAnyAuditor();
  WatchMaker none = nullptr;
  if (any.maker.compare_exchange_strong(none, maker))
    any.copy.store(ThisCopy());
}

void LeaveAudits() noexcept {
  if (kChecked) {
    AnyAuditor& any = TheAnyAuditor();
    if (any.copy.load() == ThisCopy()) {
      any.copy.store(nullptr);
      any.maker.store(nullptr);
    }
  }
  index::DropWatchesOf(ThisCopy());
}

ArenaWatch* WatchOf(Arena& arena) {
  if (!kChecked && SlowPath(arena).AuditOneIn() == 0) return nullptr;
  ArenaEntry* entry = SlowPath(arena).Entry();
  if (entry != nullptr && entry->watch == nullptr) {
    SlowPath(arena).MakeWatch(*entry);
  }
  return entry == nullptr ? nullptr : entry->watch;
}

bool IsUsedHere(const Arena& arena) noexcept {
  return SlowPath(const_cast<Arena&>(arena)).IsUsedHere();
}

Arena* ArenaIn(const ArenaEntry& entry) noexcept { return entry.arena(); }

void SlowPath::MakeWatch(ArenaEntry& entry) {
  if (const WatchMaker maker = g_watch_maker.load()) {
    entry.watched_by = ThisCopy();
    entry.watch = maker(a_, entry);
  } else if (const WatchMaker others =
                 kChecked ? TheAnyAuditor().maker.load() : nullptr) {
    entry.watched_by = TheAnyAuditor().copy.load();
    entry.watch = others(a_, entry);
  } else if (a_.collected_ || a_.options_.source == nullptr) {
    SayNoAuditor();
  }
}

bool SlowPath::IsUsedHere() const { return User() == ThisThread(); }

void SlowPath::BeforeFree() {
  CheckUser();
  if (ArenaWatch* watch = Watch()) watch->BeforeFree(a_);
}

void SlowPath::AfterReset() {
  if (ArenaWatch* watch = Watch()) watch->AfterReset(a_);
}

void SlowPath::BeforeReset() {
  CheckUser();
  if (ArenaWatch* watch = Watch()) watch->BeforeReset(a_);
}

void SlowPath::BeforeEnd() {
  if (ArenaWatch* watch = Watch()) watch->BeforeEnd(a_);
}

// ------------------------------------------------------------------ misuse

void SlowPath::CheckUser() {
  if (!IsAudited()) return;
  const void* const user = User();
  if (user == ThisThread()) return;
  if (!kChecked) return BecomeUser();
  if (IsOtherCopyThere() && !IsLiving(&a_)) FailForeign(&a_);
  if (a_.options_.use == ArenaUse::kHostLocked) {
    ACRE_CHECK(user == nullptr || !IsUpdating(),
               "arena '%s' is used by two threads at once; its option "
               "kHostLocked promises that the host's lock orders all use",
               a_.name());
  } else {
    ACRE_CHECK(user == nullptr,
               "arena '%s' is used by a second thread; one arena serves one "
               "thread at a time, see HandOver and ArenaUse::kHostLocked",
               a_.name());
  }
  BecomeUser();
}

// A thread that collections do not stop says so first, and then waits for those
// that may have looked before.
void SlowPath::BecomeUser() {
  const auto thread = reinterpret_cast<std::uintptr_t>(ThisThread());
  const bool runs_on = !StandsInCollections();
  __atomic_store_n(&a_.user_, thread | (runs_on ? kRunsOn : 0),
                   __ATOMIC_SEQ_CST);
  if (runs_on) AwaitHooks();
}

// Only what was asked for may be touched: what rounding added stays poisoned.
void SlowPath::NoteTaken(void* block, std::size_t bytes, std::size_t align,
                         const TypeLayout* type) {
  NoteBlock(*index::Find(block), block, bytes, align, type);
  Fill(block, kFreshByte, bytes);
}

void SlowPath::NoteBlock(Chunk& chunk, void* block, std::size_t bytes,
                         std::size_t align, const TypeLayout* type) {
  Unpoison(block, bytes);
  BlockInfo& info = chunk.blocks.At(static_cast<char*>(block));
  info.type = type;
  info.bytes = bytes;
  info.align_log = AlignLog(align);
  info.state = static_cast<std::uint8_t>(BlockState::kLive);
  info.is_storage = 0;
  info.is_table = 0;
  info.pass = 0;
  chunk.blocks.pages().NoteChange(static_cast<char*>(block), bytes);
}

/// Not while somebody looks.
void SlowPath::NoteCut(void* block, std::size_t bytes, std::size_t align,
                       const TypeLayout* type) {
  const Updating updating(*this);
  if (kChecked) return NoteTaken(block, bytes, align, type);
  NoteSampled(block, bytes, align, type);
}

void Blocks::NoteStorageSlow(const Arena& arena, const void* block,
                             const TypeLayout* table) {
  SlowPath(const_cast<Arena&>(arena)).NoteStorage(block, table);
}

void SlowPath::NoteStorage(const void* block, const TypeLayout* table) {
  // It was just taken, and most are in no audited page.
  if (a_.is_heap_ || (!kChecked && block != a_.sampler_->taken)) return;
  const Updating updating(*this);
  Chunk* const chunk = index::Find(block);
  BlockInfo& info = chunk->blocks.At(static_cast<const char*>(block));
  info.is_storage = 1;
  chunk->blocks.pages().NoteChange(static_cast<const char*>(block), info.bytes);
  if (table == nullptr) return;
  info.type = table;
  info.is_table = 1;
}

void SlowPath::NoteGrown(void* block, std::size_t old_bytes,
                         std::size_t bytes) {
  Chunk* const chunk = index::Find(block);
  BlockInfo& info = chunk->blocks.At(static_cast<char*>(block));
  info.bytes = bytes;
  chunk->blocks.pages().NoteChange(static_cast<char*>(block), bytes);
  Unpoison(block, bytes);
  // What was there before must not pass for elements. (Not from where the
  // record says that it ended: inline code may have grown the block.)
  if (a_.sampler_ != nullptr) a_.sampler_->last_end = a_.cursor_;
  FillAudited(static_cast<char*>(block) + old_bytes, bytes - old_bytes,
              info.type != nullptr ? info.type->size : Sampler::kRawElement,
              kFreshByte);
}

void SlowPath::CheckGive(void* block, std::size_t bytes, std::size_t align,
                         const TypeLayout* type) {
  Chunk* chunk = index::Find(block);
  if (chunk == nullptr || chunk->owner.load() != a_.entry_) {
    const Arena* other = ArenaOf(block);
    if (other == nullptr && IsOtherCopyThere()) {
      FailMisuse(
          "acre: Free(%p): not a block of arena '%s'; it may be of an arena "
          "that another copy of acre has made: the process has one of another "
          "version or mode than this one (" ACRE_ABI_TEXT ")",
          block, a_.name());
    }
    ACRE_CHECK(other != nullptr, "Free(%p): not a block of arena '%s'", block,
               a_.name());
    FailMisuse(
        "acre: Free(%p): not a block of arena '%s' at %p; it is of arena '%s' "
        "at %p",
        block, a_.name(), static_cast<const void*>(&a_), other->name(),
        static_cast<const void*>(other));
  }
  const auto* p = static_cast<const char*>(block);
  if (!IsInUse(*chunk) || !chunk->blocks.IsStart(p)) {
    FailMisuse(
        "acre: Free(%p) in arena '%s': no block starts there (an interior "
        "pointer, or one from before a Reset or Rewind)",
        block, a_.name());
  }
  const BlockInfo& info = chunk->blocks.Get(p);
  const TypeLayout* const taken_as = info.taken_as();
  ACRE_CHECK(static_cast<BlockState>(info.state) == BlockState::kLive,
             "Free(%p) in arena '%s': double Free of %s", block, a_.name(),
             Describe(taken_as, info.bytes).text());
  const bool same_type = (taken_as == nullptr) == (type == nullptr) &&
                         (type == nullptr || SameType(*taken_as, *type));
  ACRE_CHECK(info.bytes == bytes && same_type,
             "Free(%p) in arena '%s': allocated as %s, freed as %s", block,
             a_.name(), Describe(taken_as, info.bytes).text(),
             Describe(type, bytes).text());
  ACRE_CHECK(info.align_log == AlignLog(align),
             "Free(%p) in arena '%s': allocated as %s aligned to %zu, freed as "
             "aligned to %zu",
             block, a_.name(), Describe(taken_as, info.bytes).text(),
             std::size_t{1} << info.align_log,
             std::size_t{1} << AlignLog(align));
}

void SlowPath::CheckOwned(const void* target, std::size_t count,
                          const TypeLayout& type,
                          std::string_view field) const {
  const detail::Location where = detail::Locate(target);
  const char* fault = FaultAt(where, target, count, type);
  if (fault == nullptr) return;
  const Describe block(where.block_type, where.block_bytes);
  FailMisuse(
      "acre: FreeGraph in arena '%s': '%.*s' leads to %p, %s%s; nothing was "
      "freed",
      a_.name(), static_cast<int>(field.size()), field.data(), target, fault,
      where.block == nullptr ? "" : block.text());
}

void SlowPath::NoteGiven(void* block, std::size_t bytes) {
  BlockInfo& info = index::Find(block)->blocks.At(static_cast<char*>(block));
  info.state = static_cast<std::uint8_t>(BlockState::kFreed);
  Fill(block, kFreedByte, bytes);
  PoisonOwn(block, bytes);
}

// The collector frees the chunks of a collected arena without asking: poison
// would stay on memory that it gives to somebody else.
void SlowPath::PoisonOwn(void* p, std::size_t bytes) {
  if (!a_.collected_) Poison(p, bytes);
}

void CheckLiveBlock(const Arena& arena, const void* block, const char* what) {
  const Location where = Locate(block);
  ACRE_CHECK(where.arena == &arena && where.place == Place::kLive &&
                 where.block == block,
             "%s: its storage at %p is no live block of arena '%s' (%s)", what,
             block, arena.name(),
             where.place == Place::kFreed ? "it was freed" : "Reset or Rewind");
}

}  // namespace acre::inline ACRE_ABI::detail
