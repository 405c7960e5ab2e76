// SPDX-License-Identifier: MIT
//
// One scan at a time; its findings go into memory that was allocated before the
// world was stopped.

#include "acre/holders.h"

#if defined(__linux__)
#include <link.h>
#endif

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <mutex>

#include "acre/detail/around_fork.h"
#include "acre/detail/block_walk.h"
#include "acre/detail/gc_events.h"
#include "acre/detail/process_map.h"
#include "acre/failure.h"
#include "collector/stopped_threads.h"
#include "collector/symbols.h"
#include "core/chunk_index.h"
#include "core/slow_path.h"

namespace acre::inline ACRE_ABI {
namespace detail {
namespace {

struct Range {
  const char* begin;
  const char* end;
};

/// A Holder without its name; addresses complemented, so that scans of memory
/// do not find the scan.
struct Hit {
  HolderKind kind;
  std::uintptr_t slot;
  std::uintptr_t address;
  std::uintptr_t base;
  std::size_t bytes;
  long thread;
  const char* name;
};

/// The registers that functions keep for their callers, as the program left
/// them: taken before acre uses them. Elsewhere the stack alone is looked at.
struct Registers {
  void* words[6] = {};
#if defined(__x86_64__)
  ACRE_INLINE Registers() {
    asm volatile(
        "movq %%rbx, 0(%0)\n\tmovq %%rbp, 8(%0)\n\tmovq %%r12, 16(%0)\n\t"
        "movq %%r13, 24(%0)\n\tmovq %%r14, 32(%0)\n\tmovq %%r15, 40(%0)"
        :
        : "r"(words)
        : "memory");
  }
#endif
};

class HolderScan {
 public:
  HolderScan(const Arena& arena, const HolderOptions& options)
      : arena_(arena), options_(options) {
    // One pointer anywhere into a chunk, spares and their headers included,
    // keeps a collected arena.
    const bool all = arena.is_collected();
    arena.ForEachChunk([this, all](const ChunkInfo& chunk) {
      if (chunk.used == 0 && !all) return;
      const auto* begin = reinterpret_cast<const char*>(chunk.begin);
      chunks_.push_back({begin - (all ? kChunkHeader : 0),
                         begin + (all ? chunk.capacity : chunk.used)});
    });
    if (options.include_arena) {
      const auto* begin = reinterpret_cast<const char*>(&arena);
      chunks_.push_back({begin, begin + sizeof(Arena)});
    }
    std::sort(chunks_.begin(), chunks_.end(),
              [](const Range& a, const Range& b) { return a.begin < b.begin; });
    hits_.reserve(options.max_holders);
    statics_ = WritableStatics();
  }

  void SetStack(const char* begin, const char* end) { stack_ = {begin, end}; }
  void SetRegisters(const Registers& registers) {
    const auto* begin = reinterpret_cast<const char*>(registers.words);
    registers_ = {begin, begin + sizeof registers.words};
  }

  /// With the world stopped and marked.
  void Run() {
    is_done_ = true;
    if (chunks_.empty()) return;
    ForEachScannedObject(
        [](void* self, const void* object, std::size_t bytes) {
          static_cast<HolderScan*>(self)->ScanObject(object, bytes);
        },
        this);
    index::ForEachArena(
        [](void* self, const Arena& arena) {
          static_cast<HolderScan*>(self)->ScanArena(arena);
        },
        this);
    for (const Range& range : statics_) {
      Scan(range, {HolderKind::kStatic, 0, 0, 0, 0, 0, nullptr});
    }
    const long self = ThisThreadNumber();
    Scan(stack_, {HolderKind::kStack, 0, 0, 0, 0, self, nullptr});
    Scan(registers_, {HolderKind::kRegister, 0, 0, 0, 0, self, nullptr});
    unread_stacks_ = ForEachOtherStack(
        [](void* scan, const char* begin, const char* end, long thread) {
          static_cast<HolderScan*>(scan)->Scan(
              {begin, end}, {HolderKind::kStack, 0, 0, 0, 0, thread, nullptr});
        },
        this);
    for (const MemoryRange& root : options_.roots) {
      const auto* begin = static_cast<const char*>(root.begin);
      Scan({begin, begin + root.bytes},
           {HolderKind::kRoot, 0, 0, 0, 0, 0, nullptr});
    }
  }
  bool is_done() const { return is_done_; }

  void Tell(HolderReport& report) const {
    report.omitted = omitted_;
    report.unread_stacks = unread_stacks_;
    for (const Hit& hit : hits_) {
      Holder holder;
      holder.kind = hit.kind;
      holder.slot = reinterpret_cast<const void*>(~hit.slot);
      holder.address = reinterpret_cast<const void*>(~hit.address);
      if (hit.base != 0) {
        holder.base = reinterpret_cast<const void*>(~hit.base);
      }
      holder.bytes = hit.bytes;
      holder.thread = hit.thread;
      if (hit.name != nullptr) holder.name = hit.name;
      if (hit.kind == HolderKind::kStatic) holder.name = SymbolAt(holder.slot);
      report.holders.push_back(std::move(holder));
    }
  }

 private:
  void ScanObject(const void* object, std::size_t bytes) {
    const auto* begin = static_cast<const char*>(object);
    Scan({begin, begin + bytes},
         {HolderKind::kCollected, 0, 0,
          ~reinterpret_cast<std::uintptr_t>(begin), bytes, 0, nullptr});
  }

  void ScanArena(const Arena& other) {
    if (&other == &arena_ || !Stands(other)) return;
    other.ForEachChunk([&](const ChunkInfo& chunk) {
      const auto* begin = reinterpret_cast<const char*>(chunk.begin);
      Scan({begin, begin + chunk.used},
           {HolderKind::kArena, 0, 0, 0, 0, 0, other.name()});
    });
  }

  // Freed blocks and dead frames are read too.
  __attribute__((no_sanitize("address"))) void Scan(const Range& range,
                                                    const Hit& like) {
    const auto first = reinterpret_cast<std::uintptr_t>(range.begin);
    const char* at = range.begin + (RoundUp(first, sizeof(void*)) - first);
    for (; range.end - at >= static_cast<std::ptrdiff_t>(sizeof(void*));
         at += sizeof(void*)) {
      const auto value = *reinterpret_cast<const char* const*>(at);
      if (value < chunks_.front().begin || value >= chunks_.back().end) {
        continue;
      }
      if (IsIn(value) && !IsOfArena(at)) Note(at, value, like);
    }
  }

  bool IsIn(const char* value) const {
    auto chunk = std::upper_bound(
        chunks_.begin(), chunks_.end(), value,
        [](const char* p, const Range& r) { return p < r.begin; });
    return chunk != chunks_.begin() && value < (--chunk)->end;
  }

  /// The arena's own records are no holders.
  bool IsOfArena(const char* slot) const {
    const auto* begin = reinterpret_cast<const char*>(&arena_);
    return slot >= begin && slot < begin + sizeof(Arena);
  }

  void Note(const char* slot, const char* value, Hit hit) {
    if (hits_.size() == hits_.capacity()) {
      ++omitted_;
      return;
    }
    hit.slot = ~reinterpret_cast<std::uintptr_t>(slot);
    hit.address = ~reinterpret_cast<std::uintptr_t>(value);
    hits_.push_back(hit);
  }

  /// Where the program and its libraries keep variables; those of the collector
  /// left out.
  static std::vector<Range> WritableStatics() {
    std::vector<Range> ranges;
#if defined(__linux__)
    const auto add = [](dl_phdr_info* info, std::size_t, void* data) {
      auto& all = *static_cast<std::vector<Range>*>(data);
      if (std::string_view(info->dlpi_name).find("/libgc.so") !=
          std::string_view::npos) {
        return 0;
      }
      for (unsigned i = 0; i < info->dlpi_phnum; ++i) {
        const auto& segment = info->dlpi_phdr[i];
        if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) == 0) {
          continue;
        }
        const auto* begin =
            reinterpret_cast<const char*>(info->dlpi_addr + segment.p_vaddr);
        all.push_back({begin, begin + segment.p_memsz});
      }
      return 0;
    };
    dl_iterate_phdr(add, &ranges);
#endif
    return ranges;
  }

  const Arena& arena_;
  const HolderOptions& options_;
  std::vector<Range> chunks_;  // what is handed out, by address
  std::vector<Range> statics_;
  Range stack_{nullptr, nullptr};
  Range registers_{nullptr, nullptr};
  std::vector<Hit> hits_;  // never beyond its capacity
  std::size_t omitted_ = 0;
  std::size_t unread_stacks_ = 0;
  bool is_done_ = false;
};

constinit std::mutex g_scan_lock;
std::atomic<HolderScan*> g_scan{nullptr};  // waits for the next collection

void OnCollection(CollectionEvent event) {
  if (event != CollectionEvent::kMarked) return;
  if (HolderScan* scan = g_scan.exchange(nullptr)) scan->Run();
}

/// `frame`: of the function of acre that the program has called.
HolderReport Find(const Arena& arena, const HolderOptions& options,
                  const Registers& registers, const void* frame) {
  // Right below it lie the registers that the function has saved: those are the
  // program's. What else is there is acre's, or left by frames that are gone.
  constexpr std::size_t kSaved = 5 * sizeof(void*);
  HolderReport report;
  report.arena = arena.name();
  if (!IsThreadRegistered()) {
    report.error = "this thread is not registered with the collector";
    return report;
  }
  HolderScan scan(arena, options);
  scan.SetRegisters(registers);
  RenewAfterFork(g_scan_lock);
  const std::lock_guard<std::mutex> hold(g_scan_lock);
  scan.SetStack(static_cast<const char*>(frame) - kSaved, StackEnd(frame));
  if (!AddCollectionHook(&OnCollection)) {
    report.error = "no collection hook is left";
    return report;
  }
  g_scan.store(&scan);
  if (!CollectNow() || !scan.is_done()) {
    g_scan.store(nullptr);
    report.error = "the collector is disabled: nothing was looked at";
    return report;
  }
  scan.Tell(report);
  return report;
}

/// "static storage at 0x... (game::g_world) -> 0x..."
std::string Describe(const Holder& holder) {
  char text[160];
  std::snprintf(text, sizeof text, "%s at %p%s%s%s, to %p",
                std::string(NameOf(holder.kind)).c_str(), holder.slot,
                holder.name.empty() ? "" : " (", holder.name.c_str(),
                holder.name.empty() ? "" : ")", holder.address);
  return text;
}

}  // namespace

void RequireNoHolders(const Arena& arena, const void* frame) {
  const Registers registers;
  const HolderReport report = Find(arena, {}, registers, frame);
  ACRE_CHECK(report.error.empty(), "Reset of arena '%s': %s; nothing was lost",
             arena.name(), report.error.c_str());
  if (report.holders.empty()) return;
  constexpr std::size_t kNamed = 4;
  std::string names;
  for (const Holder& holder : report.holders) {
    if (&holder - report.holders.data() == kNamed) break;
    names += "\n  " + Describe(holder);
  }
  FailMisuse(
      "acre: Reset of arena '%s': %zu possible holders, nothing was "
      "lost:%s%s",
      arena.name(), report.holders.size() + report.omitted, names.c_str(),
      report.holders.size() > kNamed ? "\n  ..." : "");
}

}  // namespace detail

std::string_view NameOf(HolderKind kind) noexcept {
  switch (kind) {
    case HolderKind::kCollected:
      return "collected object";
    case HolderKind::kArena:
      return "another arena";
    case HolderKind::kStatic:
      return "static storage";
    case HolderKind::kStack:
      return "stack";
    case HolderKind::kRegister:
      return "register";
    case HolderKind::kRoot:
      return "root";
  }
  return "?";
}

HolderReport FindHolders(const Arena& arena, const HolderOptions& options) {
  const detail::Registers registers;
  __builtin_unwind_init();  // saves the program's registers in this frame
  return detail::Find(arena, options, registers, __builtin_frame_address(0));
}

}  // namespace acre::inline ACRE_ABI
