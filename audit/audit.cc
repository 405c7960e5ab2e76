// SPDX-License-Identifier: MIT
//
// The walk of an audit. A work list of objects; each is asked for its slots,
// each slot is judged, and what it leads to inside the arena joins the list.
// The first pass remembers nothing of the way. Only where it finds something
// a second pass, breadth first, records how each object was reached.

#include "acre/audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "acre/detail/block_walk.h"
#include "acre/detail/gc_query.h"
#include "acre/detail/look_ahead.h"
#include "acre/detail/visit_set.h"
#include "acre/detail/walk.h"
#include "baseline.h"
#include "classify.h"
#include "parts.h"
#include "path.h"
#include "quick_walk.h"
#include "tell_paths.h"

namespace acre::inline ACRE_ABI {
namespace detail {
namespace {

/// How an object was reached from the one before.
enum class Via : std::uint8_t { kStart, kPointer, kElements, kMapEntry };

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

class Auditor {
 public:
  /// `record`: remember how everything was reached, for paths.
  Auditor(const Arena& arena, const AuditOptions& options, bool record)
      : classifier_(arena), arena_(arena), options_(options), record_(record) {
    report_.arena = arena.name();
  }

  AuditReport Run(std::span<const AuditRoot> roots) {
    for (const AuditRoot& root : roots) {
      Start(static_cast<const char*>(root.object), *root.type, 1);
    }
    WalkAll();
    return std::move(report_);
  }

  /// The roots, and every live block.
  AuditReport RunWhole(std::span<const AuditRoot> roots) {
    pass_ = NextPass();
    if (!kChecked) {
      for (const AuditRoot& root : roots) {
        Start(static_cast<const char*>(root.object), *root.type, 1);
      }
      WalkAll();
    } else if (!record_) {
      // Every block is walked: pointers are judged, not followed.
      follows_ = false;
      for (const AuditRoot& root : roots) {
        Start(static_cast<const char*>(root.object), *root.type, 1);
      }
      WalkAll();
      ForEachObjectBlock([this](const BlockView& block) {
        Start(block.begin, *block.type, block.bytes / block.type->size);
        WalkAll();
      });
    } else {
      for (const AuditRoot& root : roots) {
        Start(static_cast<const char*>(root.object), *root.type, 1);
      }
      WalkAll();
      StartUnreached();
    }
    if (options_.sweep_raw) SweepAll();
    return std::move(report_);
  }

  /// Tells the paths of findings of which only the slots are known.
  void TellPaths(std::span<Finding> findings) {
    for (Finding& finding : findings) wanted_[finding.slot] = &finding;
    pass_ = NextPass();
    StartUnreached();
  }

  /// What no root reaches.
  std::vector<Garbage> FindGarbage(std::span<const AuditRoot> roots) {
    pass_ = NextPass();
    meets_ = true;
    for (const AuditRoot& root : roots) {
      Meet(root.object);
      Start(static_cast<const char*>(root.object), *root.type, 1);
    }
    WalkAll();
    return CountUnmet();
  }

  void operator()(const Slot& slot) {
    if (!wanted_.empty()) TellWanted(slot);
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

  /// A gap of an object that no layout describes.
  void operator()(const char* begin, const char* end) { Sweep(begin, end); }

 private:
  // ------------------------------------------------------------ work list

  void Start(const char* data, const TypeLayout& type, std::size_t count) {
    if (count == 0) return;
    if (follows_ && Visit(data, type, count) >= count) return;
    Push({data, &type, count, 0}, {0, data, 0, Via::kStart});
  }

  void WalkAll() {
    while (TakeNext() || FinishPending()) {
      ++report_.objects;
      const Item item = current_;
      ForEachSlotIn(*item.type, {item.data, item.count}, *this);
    }
  }

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
    if (pass_ != 0 && classifier_.IsOwn(block)) {
      return MeetBlock(arena_, block, pass_);
    }
    if (!visited_.InsertStorage(block, handle)) return false;
    walked_.push_back(1);
    return true;
  }

  /// For garbage: the block around the address is reached.
  void Meet(const void* address) {
    if (!classifier_.IsOwn(address)) return;
    const Location where = Locate(address);
    if (where.block != nullptr) MeetBlock(arena_, where.block, pass_);
  }

  // ---------------------------------------------------------------- slots

  /// A pointer or view.
  void Follow(const Slot& slot, const void* address, std::size_t count) {
    if (address == nullptr) return;
    ++report_.pointers;
    const TypeLayout& type = *slot.type->element();
    const auto verdict = classifier_.Classify(address, {&type, count});
    if (verdict) return Report(slot, address, *verdict);
    if (meets_) Meet(address);
    if (!follows_) return;
    if (!type.has_slots) {
      if (record_) {
        raw_origins_.try_emplace(address, RawOrigin{next_ - 1, slot.address});
      }
      return;
    }
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
    const TypeLayout& element = *handle.element();
    const auto verdict = classifier_.ClassifyStorage(storage, element);
    if (verdict) return Report(slot, storage.block, *verdict);
    if (!VisitStorage(storage.block, handle) || !element.has_slots) return;
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

  // --------------------------------------------------------- whole arenas

  /// Calls visit(const BlockView&) for every live block of New and NewArray.
  template <class Visit>
  void ForEachObjectBlock(Visit visit) {
    BlockWalk walk(arena_, pass_);
    for (BlockView block; walk.Next(&block);) {
      if (!block.is_freed && !block.is_storage && block.type != nullptr) {
        visit(block);
      }
    }
  }

  /// Starts at the blocks that the roots did not reach: first those to which no
  /// pointer leads, then (circles) those that are still left.
  void StartUnreached() {
    std::unordered_set<const void*> targets;
    auto note = [&](const Slot& slot) {
      const void* address = nullptr;
      if (slot.type->kind == TypeKind::kPointer) {
        address = *static_cast<void* const*>(slot.address);
      } else if (slot.type->kind == TypeKind::kView) {
        address = slot.type->ops->view(slot.address).data;
      } else {
        return;
      }
      const Location target = Locate(address);
      if (target.block != nullptr && target.block != Locate(slot.address).block)
        targets.insert(target.block);
    };
    ForEachSlotOfAll(note);
    for (const bool all : {false, true}) {
      ForEachObjectBlock([&](const BlockView& block) {
        if (!all && targets.contains(block.begin)) return;
        if (visited_.Find(block.begin, *block.type) != VisitSet::kNone) return;
        Start(block.begin, *block.type, block.bytes / block.type->size);
        if (all) WalkAll();
      });
      WalkAll();
    }
  }

  /// Every slot in the arena that a layout describes.
  template <class Visit>
  void ForEachSlotOfAll(Visit& visit) {
    const std::uint16_t pass = NextPass();
    std::vector<Item> runs;
    auto visit_all = [&](const Slot& slot) {
      visit(slot);
      if (slot.type->kind != TypeKind::kHandle) return;
      const HandleStorage storage = slot.type->ops->storage(slot.address);
      const TypeLayout& element = *slot.type->element();
      if (storage.block == nullptr || !element.has_slots ||
          classifier_.ClassifyStorage(storage, element) ||
          !MeetBlock(arena_, storage.block, pass)) {
        return;
      }
      std::size_t cursor = 0;
      for (;;) {
        const ElementRun run = slot.type->ops->next_run(slot.address, &cursor);
        if (run.data == nullptr) return;
        runs.push_back(
            {static_cast<const char*>(run.data), &element, run.count, 0});
      }
    };
    ForEachObjectBlock([&](const BlockView& block) {
      runs.push_back(
          {block.begin, block.type, block.bytes / block.type->size, 0});
      while (!runs.empty()) {
        const Item run = runs.back();
        runs.pop_back();
        ForEachSlotIn(*run.type, {run.data, run.count}, visit_all);
      }
    });
  }

  std::vector<Garbage> CountUnmet() {
    std::unordered_map<std::string, Garbage> by_type;
    BlockWalk walk(arena_, pass_);
    for (BlockView block; walk.Next(&block);) {
      if (block.is_freed || block.is_met) continue;
      std::string type =
          block.type == nullptr ? "raw bytes" : TypeText(block.type->name);
      if (block.is_storage) {
        type = block.type == nullptr ? "storage of a Map or Set"
                                     : "storage of " + type;
      }
      Garbage& garbage = by_type[type];
      garbage.type = std::move(type);
      ++garbage.blocks;
      garbage.bytes += block.bytes;
    }
    std::vector<Garbage> all;
    for (auto& [type, garbage] : by_type) all.push_back(std::move(garbage));
    std::sort(all.begin(), all.end(), [](const Garbage& a, const Garbage& b) {
      return a.bytes != b.bytes ? a.bytes > b.bytes : a.type < b.type;
    });
    return all;
  }

  // ------------------------------------------------------ undescribed memory

  void SweepAll() {
    if (!kChecked) {
      arena_.ForEachChunk([this](const ChunkInfo& chunk) {
        const auto* begin = reinterpret_cast<const char*>(chunk.begin);
        Sweep(begin, begin + chunk.used);
      });
      return;
    }
    NoteItems();
    BlockWalk walk(arena_, pass_);
    for (BlockView block; walk.Next(&block);) {
      if (block.is_freed) continue;
      swept_ = block;
      if (block.is_storage ? !block.is_met : block.type == nullptr) {
        Sweep(block.begin, block.end());
      } else if (block.type != nullptr && !block.is_storage) {
        SweepGaps(block);
      }
    }
  }

  void SweepGaps(const BlockView& block) {
    const TypeLayout& type = *block.type;
    const auto [known, is_new] = has_gaps_.try_emplace(type.id, false);
    if (is_new) {
      auto note = [at = known](const char* begin, const char* end) {
        if (end - begin >= static_cast<std::ptrdiff_t>(sizeof(void*))) {
          at->second = true;
        }
      };
      ForEachGap(type, block.begin, note);
    }
    if (!known->second) return;
    for (const char* p = block.begin; p < block.end(); p += type.size) {
      ForEachGap(type, p, *this);
    }
  }

  void Sweep(const char* begin, const char* end) {
    const auto misalign =
        reinterpret_cast<std::uintptr_t>(begin) % alignof(void*);
    if (misalign != 0) begin += alignof(void*) - misalign;
    for (; end - begin >= static_cast<std::ptrdiff_t>(sizeof(void*));
         begin += sizeof(void*)) {
      SweepWord(begin);
    }
  }

  void SweepWord(const char* at) {
    ++report_.words;
    const void* address = *reinterpret_cast<const void* const*>(at);
    if (classifier_.IsOwn(address)) return;
    const Verdict verdict = classifier_.ClassifyForeign(address);
    if (verdict.target != Target::kCollectedHeap &&
        verdict.target != Target::kCollectedArena) {
      return;
    }
    if (!reported_.insert(at).second) return;
    Finding finding;
    finding.kind = FindingKind::kWord;
    finding.target = verdict.target;
    finding.certainty = Certainty::kAmbiguous;
    finding.slot = at;
    finding.address = address;
    if (record_) {
      TellPathOfWord(at, finding);
      finding.what = classifier_.Describe(address, {verdict.target});
      finding.hint =
          "if it is a pointer: give it a layout, or keep the "
          "object alive elsewhere";
    }
    List(std::move(finding));
  }

  /// For the paths of swept memory.
  void NoteItems() {
    if (!record_) return;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      item_at_.try_emplace(items_[i].data, i);
    }
  }

  /// Memory that something points to has the path of the pointer.
  void TellPathOfWord(const char* at, Finding& finding) const {
    if (!kChecked) {
      finding.path = fmt::format("memory of the arena at {}",
                                 static_cast<const void*>(at));
      return;
    }
    const bool is_object = swept_.type != nullptr && !swept_.is_storage;
    std::size_t offset = static_cast<std::size_t>(at - swept_.begin);
    if (is_object) {
      offset %= swept_.type->size;
      finding.path = TypeText(swept_.type->name);
      const auto item = item_at_.find(swept_.begin);
      if (item != item_at_.end()) TellPath(item->second, at, finding);
    } else if (const auto origin = raw_origins_.find(swept_.begin);
               origin != raw_origins_.end()) {
      TellPath(origin->second.item, origin->second.slot, finding);
    } else {
      finding.path =
          swept_.is_storage ? "storage without a known container" : "raw block";
    }
    finding.field += fmt::format("[+{}]", offset);
    finding.path += fmt::format("[+{}]", offset);
  }

  // -------------------------------------------------------------- reporting

  void Report(const Slot& slot, const void* address, Verdict verdict) {
    if (meets_) return;
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
    finding.kind = KindOf(*slot.type);
    finding.certainty = verdict.certainty;
    finding.slot = slot.address;
    finding.address = address;
    if (record_) {  // else the second pass tells the rest
      finding.type = TypeText(slot.type->element()->name);
      TellPath(next_ - 1, slot.address, finding);
      finding.what = classifier_.Describe(address, verdict);
      finding.hint = HintFor(verdict.target);
    }
    List(std::move(finding));
  }

  void List(Finding finding) {
    report_.leak_count += finding.is_leak();
    if (report_.findings.size() >= options_.max_findings) {
      ++report_.omitted;
      if (!finding.is_leak() || !DropOther()) return;
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

  void TellWanted(const Slot& slot) {
    const auto wanted = wanted_.find(slot.address);
    if (wanted == wanted_.end()) return;
    wanted->second->type = TypeText(slot.type->element()->name);
    TellPath(next_ - 1, slot.address, *wanted->second);
    wanted_.erase(wanted);
  }

  /// The way to the slot or word at `address`, in item `index`. The middle of a
  /// very long one is left out.
  void TellPath(std::size_t index, const void* address,
                Finding& finding) const {
    constexpr std::size_t kFirst = 16;
    constexpr std::size_t kLast = 32;
    struct Hop {
      std::size_t item;
      const void* address;
    };
    std::vector<Hop> hops{{index, address}};
    while (origins_[hops.back().item].via != Via::kStart) {
      const Origin& origin = origins_[hops.back().item];
      hops.push_back({origin.parent, origin.slot});
    }
    finding.path.clear();
    finding.steps.clear();
    std::string part;  // what leads to the next object
    for (std::size_t i = hops.size(); i-- > 0;) {
      const std::size_t done = hops.size() - 1 - i;
      if (done == kFirst && i > kLast) {
        const std::string left_out = fmt::format("...({} more)...", i - kLast);
        finding.path += left_out;
        finding.steps.push_back({std::move(part) + left_out, nullptr, {}});
        part.clear();
        i = kLast;
      }
      const Item& item = items_[hops[i].item];
      const PartOfItem in_item = PartOf(hops[i].item, hops[i].address);
      part += in_item.element;
      finding.steps.push_back(
          {std::move(part), in_item.object, TypeText(item.type->name)});
      part = in_item.field;
      finding.path += in_item.element + in_item.field;
    }
    finding.field = std::move(part);
  }

  struct PartOfItem {
    const void* object;   // the element
    std::string element;  // "World", "[3]", "[\"MAP07\"]"; empty: the whole
    std::string field;    // ".target"
  };

  PartOfItem PartOf(std::size_t index, const void* address) const {
    const Item& item = items_[index];
    const Origin& origin = origins_[index];
    const auto* at = static_cast<const char*>(address);
    const auto i = static_cast<std::size_t>(at - item.data) / item.type->size;
    const char* object = item.data + i * item.type->size;
    PartOfItem part{object, {}, PathInside(*item.type, object, address)};
    switch (origin.via) {
      case Via::kStart:
        part.element = TypeText(item.type->name);
        if (item.count > 1) part.element += fmt::format("[{}]", i);
        break;
      case Via::kPointer:
        break;
      case Via::kElements:
        part.element = fmt::format("[{}]", item.first + i);
        break;
      case Via::kMapEntry:
        TellEntry(item, origin.ordinal, part);
        break;
    }
    return part;
  }

  /// A table's entry is named by its key; the value is what the name means.
  static void TellEntry(const Item& entry, std::size_t ordinal,
                        PartOfItem& part) {
    constexpr std::string_view kKey = ".first";
    constexpr std::string_view kValue = ".second";
    const bool is_pair =
        entry.type->fields.size() == 2 && entry.type->fields[0].name == kKey;
    const TypeLayout& key =
        is_pair ? *entry.type->fields[0].type() : *entry.type;
    const std::string name = KeyText(key, entry.data, ordinal);
    if (!is_pair || part.field.starts_with(kKey)) {
      if (is_pair) part.field.erase(0, kKey.size());
      part.element = fmt::format("{{{}}}", name);
    } else {
      part.element = fmt::format("[{}]", name);
      part.field.erase(0, kValue.size());
    }
  }

  struct RawOrigin {
    std::size_t item;
    const void* slot;
  };

  Classifier classifier_;
  const Arena& arena_;
  const AuditOptions& options_;
  const bool record_;
  bool follows_ = true;     // pointers into the arena are followed
  bool meets_ = false;      // blocks are noted as met, nothing is reported
  std::uint16_t pass_ = 0;  // of a walk over blocks
  AuditReport report_;
  std::size_t others_ = 0;  // listed findings that are no leaks
  VisitSet visited_;
  std::vector<std::size_t> walked_;           // elements, by number in visited_
  std::unordered_set<const void*> reported_;  // slots
  LookAhead<Pending> ahead_;
  std::unordered_map<const void*, Finding*> wanted_;  // by slot
  Item current_{};
  std::vector<Item> items_;      // to do; in the second pass, all
  std::vector<Origin> origins_;  // parallel to items_, second pass only
  std::size_t next_ = 0;         // second pass: items_ before it are done
  BlockView swept_;              // SweepAll: the block it is in
  std::unordered_map<std::uint64_t, bool> has_gaps_;  // by id of the type
  // Second pass, for the paths of swept memory.
  std::unordered_map<const void*, std::size_t> item_at_;
  std::unordered_map<const void*, RawOrigin> raw_origins_;
};

}  // namespace

void TellPaths(const Arena& arena, std::span<Finding> findings) {
  const AuditOptions options;
  Auditor(arena, options, true).TellPaths(findings);
}

}  // namespace detail

AuditReport AuditObject(const Arena& arena, const TypeLayout& type,
                        const void* root, const AuditOptions& options) {
  const AuditRoot roots[] = {{&type, root}};
  AuditReport report;
  report.arena = arena.name();
  if (!detail::QuickWalk(arena, options).IsClean(roots, report)) {
    report = detail::Auditor(arena, options, true).Run(roots);
  }
  detail::ApplyBaseline(report);
  return report;
}

AuditReport AuditAll(const Arena& arena, const AuditOptions& options) {
  return AuditAll(arena, std::span<const AuditRoot>(), options);
}

AuditReport AuditAll(const Arena& arena, std::span<const AuditRoot> roots,
                     const AuditOptions& options) {
  AuditReport report = detail::Auditor(arena, options, false).RunWhole(roots);
  if (!report.clean()) {
    report = detail::Auditor(arena, options, true).RunWhole(roots);
  }
  if (options.report_garbage && kChecked) {
    report.garbage = detail::Auditor(arena, options, false).FindGarbage(roots);
  }
  if (!kChecked) {
    report.note =
        "a release build knows no blocks: what the roots do not reach was "
        "swept word by word, garbage is not told";
  }
  detail::ApplyBaseline(report);
  return report;
}

}  // namespace acre::inline ACRE_ABI
