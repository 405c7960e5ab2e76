// SPDX-License-Identifier: MIT
//
// The walk of an audit. A work list of objects; each is asked for its slots,
// each slot is judged, and what it leads to inside the arena joins the list.
// The first pass remembers nothing of the way. Only where it finds something
// a second pass, breadth first, records how each object was reached.

#include "acre/audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "acre/detail/look_ahead.h"
#include "acre/detail/visit_set.h"
#include "acre/detail/walk.h"
#include "classify.h"
#include "path.h"

namespace acre::inline ACRE_ABI {
namespace detail {
namespace {

/// How an object was reached from the one before.
enum class Via : std::uint8_t { kRoot, kPointer, kElements, kMapEntry };

struct Item {
  const char* data;
  const TypeLayout* type;
  std::size_t count;
  std::size_t first;  // the index of *data in the array it is part of
};

/// Recorded for every Item in the second pass.
struct Origin {
  std::size_t parent;  // index of the item that holds the slot
  const void* slot;
  std::size_t ordinal;  // of a kMapEntry
  Via via;
};

FindingKind KindOf(const TypeLayout& type) {
  if (type.kind == TypeKind::kPointer) return FindingKind::kPointer;
  if (type.kind == TypeKind::kHandle) return FindingKind::kContainer;
  return type.element()->name == "char" ? FindingKind::kString
                                        : FindingKind::kSpan;
}

std::string_view HintFor(Target target) {
  switch (target) {
    case Target::kCollectedHeap:
      return "make the object with arena.New, or copy it in with DeepCopy";
    case Target::kCollectedArena:
      return "keep both in one arena, or copy with DeepCopy";
    case Target::kOtherArena:
      return "declare the field borrowed if that arena outlives this one";
    case Target::kFreed:
      return "clear the pointer when its target is freed";
    case Target::kUnused:
      return "a pointer from before a Reset or Rewind, or never set";
    case Target::kMisaligned:
      return "the pointer does not lead to an object of its type";
    case Target::kStale:
      return "assign a new container after Reset";
    case Target::kStack:
      return "the target ends with its function; make it with arena.New";
    case Target::kStatic:
      return "harmless; declare the field borrowed to say so";
    case Target::kUnknown:
      return "declare the field borrowed if the target outlives the arena";
  }
  return {};
}

class Auditor {
 public:
  Auditor(const Arena& arena, const AuditOptions& options, bool record)
      : classifier_(arena), arena_(arena), options_(options), record_(record) {
    report_.arena = arena.name();
  }

  AuditReport Run(const TypeLayout& type, const void* root) {
    Visit(root, type, 1);
    Push({static_cast<const char*>(root), &type, 1, 0},
         {0, root, 0, Via::kRoot});
    while (TakeNext() || FinishPending()) {
      ++report_.objects;
      const Item item = current_;
      ForEachSlotIn(*item.type, {item.data, item.count}, *this);
    }
    return std::move(report_);
  }

  void operator()(const Slot& slot) {
    switch (slot.type->kind) {
      case TypeKind::kPointer:
        return Follow(slot, *static_cast<void* const*>(slot.address), 1);
      case TypeKind::kView: {
        const ElementRun run = slot.type->ops->view(slot.address);
        return Follow(slot, run.count == 0 ? nullptr : run.data, run.count);
      }
      default:
        return FollowHandle(slot);
    }
  }

 private:
  bool TakeNext() {
    if (record_) {
      if (next_ == items_.size()) return false;
      current_ = items_[next_++];
      return true;
    }
    if (items_.empty()) return false;
    current_ = items_.back();
    items_.pop_back();
    return true;
  }

  void Push(const Item& item, const Origin& origin) {
    items_.push_back(item);
    if (record_) origins_.push_back(origin);
  }
  void Push(const Item& item, const Slot& slot, Via via,
            std::size_t ordinal = 0) {
    Push(item, Origin{next_ - 1, slot.address, ordinal, via});
  }

  /// How many elements from `address` on have been walked; counts `count` of
  /// them as walked from now on.
  std::size_t Visit(const void* address, const TypeLayout& type,
                    std::size_t count) {
    const std::uint64_t number = visited_.FindOrInsert(address, type);
    if (number == VisitSet::kNone) {
      walked_.push_back(count);
      return 0;
    }
    if (count == 1) return 1;  // without looking how many more
    std::size_t& walked = walked_[number];
    return std::exchange(walked, std::max(walked, count));
  }

  /// False where the storage was walked before.
  bool VisitStorage(const void* block, const TypeLayout& handle) {
    if (!visited_.InsertStorage(block, handle)) return false;
    walked_.push_back(1);
    return true;
  }

  /// A pointer or view.
  void Follow(const Slot& slot, const void* address, std::size_t count) {
    if (address == nullptr) return;
    ++report_.pointers;
    const TypeLayout& type = *slot.type->element();
    const auto verdict = classifier_.Classify(address, {&type, count});
    if (verdict) return Report(slot, address, *verdict);
    if (!type.has_slots) return;
    if (record_) return Enter(slot, address, type, count);
    // The first pass wants to know nothing of the slot any more. It looks
    // ahead, as the objects lie scattered.
    visited_.Prefetch(address);
    __builtin_prefetch(address);
    Enter(ahead_.Exchange({address, &type, count}));
  }

  /// An object that is to be entered, in the first pass.
  struct Pending {
    const void* address = nullptr;  // null: none
    const TypeLayout* type = nullptr;
    std::size_t count = 0;
  };

  void Enter(const Pending& pending) {
    if (pending.address == nullptr) return;
    const auto& [address, type, count] = pending;
    const std::size_t seen = Visit(address, *type, count);
    if (seen >= count) return;
    items_.push_back({static_cast<const char*>(address) + seen * type->size,
                      type, count - seen, seen});
  }

  /// Enters what waits; false where nothing new came of it.
  bool FinishPending() {
    ahead_.Drain([this](const Pending& pending) { Enter(pending); });
    return TakeNext();
  }

  void Enter(const Slot& slot, const void* address, const TypeLayout& type,
             std::size_t count) {
    const std::size_t seen = Visit(address, type, count);
    if (seen >= count) return;
    const Via via =
        slot.type->kind == TypeKind::kPointer ? Via::kPointer : Via::kElements;
    Push({static_cast<const char*>(address) + seen * type.size, &type,
          count - seen, seen},
         slot, via);
  }

  void FollowHandle(const Slot& slot) {
    const TypeLayout& handle = *slot.type;
    const HandleStorage storage = handle.ops->storage(slot.address);
    if (storage.block == nullptr) return;
    ++report_.pointers;
    static constexpr const TypeLayout& kBytes = LayoutOf<char>();
    auto verdict = classifier_.Classify(storage.block, {&kBytes, storage.used});
    // The arena of a handle may be gone: it is asked only if it is this one.
    if (storage.arena == &arena_ && !arena_.IsLive(storage.stamp)) {
      verdict = Verdict{Target::kStale};
    }
    if (verdict) return Report(slot, storage.block, *verdict);
    const TypeLayout& element = *handle.element();
    if (!element.has_slots || !VisitStorage(storage.block, handle)) return;
    std::size_t cursor = 0;
    std::size_t ordinal = 0;
    const bool is_table =
        handle.fields.size() > 1 || handle.fields[0].name == "{key}";
    for (;;) {
      const ElementRun run = handle.ops->next_run(slot.address, &cursor);
      if (run.data == nullptr) return;
      Push({static_cast<const char*>(run.data), &element, run.count, 0}, slot,
           is_table ? Via::kMapEntry : Via::kElements, ordinal++);
    }
  }

  void Report(const Slot& slot, const void* address, Verdict verdict) {
    // What stands outside the arena is not the arena's fault.
    if (!classifier_.IsOwn(slot.address)) return;
    if (verdict.target == Target::kStatic && !options_.report_static) return;
    // An element is met as part of its array, and through pointers to it.
    if (!reported_.insert(slot.address).second) return;
    if (slot.field != nullptr && slot.field->note == FieldNote::kReviewed) {
      ++report_.reviewed;
      return;
    }
    Finding finding;
    finding.target = verdict.target;
    report_.leak_count += finding.is_leak();
    if (report_.findings.size() >= options_.max_findings) {
      ++report_.omitted;
      if (!finding.is_leak() || !DropOther()) return;
    }
    finding.kind = KindOf(*slot.type);
    finding.certainty = verdict.certainty;
    finding.slot = slot.address;
    finding.address = address;
    finding.type = slot.type->element()->name;
    if (record_) {  // else the second pass tells the rest
      finding.path = PathTo(next_ - 1, slot.address);
      finding.what = classifier_.Describe(address, verdict);
      finding.hint = HintFor(verdict.target);
    }
    others_ += !finding.is_leak();
    report_.findings.push_back(std::move(finding));
  }

  /// Makes room for a leak: drops the last finding that is none. False where
  /// all are leaks.
  bool DropOther() {
    if (others_ == 0) return false;
    --others_;
    auto& findings = report_.findings;
    const auto other =
        std::find_if(findings.rbegin(), findings.rend(),
                     [](const Finding& f) { return !f.is_leak(); });
    findings.erase(std::next(other).base());
    return true;
  }

  /// The path of the part at `address` of item `index`. The middle of a very
  /// long one is left out.
  std::string PathTo(std::size_t index, const void* address) const {
    constexpr std::size_t kFirst = 16;
    constexpr std::size_t kLast = 32;
    struct Hop {
      std::size_t item;
      const void* address;
    };
    std::vector<Hop> hops{{index, address}};
    while (origins_[hops.back().item].via != Via::kRoot) {
      const Origin& origin = origins_[hops.back().item];
      hops.push_back({origin.parent, origin.slot});
    }
    std::string path;
    for (std::size_t i = hops.size(); i-- > 0;) {
      const std::size_t done = hops.size() - 1 - i;
      if (done == kFirst && i > kLast) {
        path += fmt::format("...({} more)...", i - kLast);
        i = kLast;
      }
      path += PathWithin(hops[i].item, hops[i].address);
    }
    return path;
  }

  /// The part of a path that one item adds.
  std::string PathWithin(std::size_t index, const void* address) const {
    const Item& item = items_[index];
    const Origin& origin = origins_[index];
    const auto* part = static_cast<const char*>(address);
    const auto i = static_cast<std::size_t>(part - item.data) / item.type->size;
    const char* element = item.data + i * item.type->size;
    std::string inside = PathInside(*item.type, element, address);
    switch (origin.via) {
      case Via::kRoot:
        return TypeText(item.type->name) + inside;
      case Via::kPointer:
        return inside;
      case Via::kElements:
        return fmt::format("[{}]{}", item.first + i, inside);
      case Via::kMapEntry:
        return EntryPath(item, origin.ordinal, inside);
    }
    return {};
  }

  /// A table's entry is named by its key; the value is what the name means.
  static std::string EntryPath(const Item& entry, std::size_t ordinal,
                               std::string inside) {
    constexpr std::string_view kKey = ".first";
    constexpr std::string_view kValue = ".second";
    const bool is_pair =
        entry.type->fields.size() == 2 && entry.type->fields[0].name == kKey;
    const TypeLayout& key =
        is_pair ? *entry.type->fields[0].type() : *entry.type;
    const std::string name = KeyText(key, entry.data, ordinal);
    if (!is_pair || inside.starts_with(kKey)) {
      if (is_pair) inside.erase(0, kKey.size());
      return fmt::format("{{{}}}{}", name, inside);
    }
    return fmt::format("[{}]{}", name, inside.substr(kValue.size()));
  }

  Classifier classifier_;
  const Arena& arena_;
  const AuditOptions& options_;
  const bool record_;
  AuditReport report_;
  std::size_t others_ = 0;  // listed findings that are no leaks
  VisitSet visited_;
  std::vector<std::size_t> walked_;           // elements, by number in visited_
  std::unordered_set<const void*> reported_;  // slots
  LookAhead<Pending> ahead_;
  Item current_{};
  std::vector<Item> items_;      // to do; in the second pass, all
  std::vector<Origin> origins_;  // parallel to items_, second pass only
  std::size_t next_ = 0;         // second pass: items_ before it are done
};

}  // namespace
}  // namespace detail

AuditReport AuditObject(const Arena& arena, const TypeLayout& type,
                        const void* root, const AuditOptions& options) {
  AuditReport report = detail::Auditor(arena, options, false).Run(type, root);
  if (report.clean()) return report;
  return detail::Auditor(arena, options, true).Run(type, root);
}

}  // namespace acre::inline ACRE_ABI
