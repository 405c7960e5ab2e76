// SPDX-License-Identifier: MIT
//
// Whole arenas: every block, memory that no layout describes, garbage.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "acre/detail/gc_query.h"
#include "acre/detail/parts.h"
#include "acre/detail/path.h"
#include "auditor.h"

namespace acre::inline ACRE_ABI::detail {

AuditReport Auditor::RunWhole(std::span<const AuditRoot> roots) {
  covers_ = true;
  WalkFrom(roots);
  if (kChecked) StartUnreached();
  if (options_.sweep_raw) SweepAll();
  return std::move(report_);
}

AuditReport Auditor::SweepRest(PerChunk<CoveredWords> covered) {
  covered_ = std::move(covered);
  SweepAll();
  return std::move(report_);
}

void Auditor::TellPaths(std::span<Finding> findings) {
  for (Finding& finding : findings) wanted_[finding.slot] = &finding;
  StartUnreached();
}

std::vector<Garbage> Auditor::FindGarbage(std::span<const AuditRoot> roots) {
  pass_ = NextPass();
  meets_ = true;
  for (const AuditRoot& root : roots) Meet(root.object);
  WalkFrom(roots);
  return CountUnmet();
}

void Auditor::Meet(const void* address) {
  if (!classifier_.IsOwn(address)) return;
  const Location where = Locate(address);
  if (where.block != nullptr) MeetBlock(arena_, where.block, pass_);
}

template <class Visitor>
void Auditor::ForEachObjectBlock(Visitor visit) {
  BlockWalk walk(arena_);
  for (BlockView block; walk.Next(&block);) {
    if (!block.is_freed && !block.is_storage && block.type != nullptr) {
      visit(block);
    }
  }
}

void Auditor::StartUnreached() {
  std::unordered_set<const void*> targets;
  auto note = [&](const Slot& slot) {
    if (slot.type->kind == TypeKind::kHandle) return;
    const void* address = PointedTo(slot).data;
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

template <class Visitor>
void Auditor::ForEachSlotOfAll(Visitor& visit) {
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
    ForEachRun(*slot.type, slot.address, [&](ElementRun run, std::size_t) {
      runs.push_back(
          {static_cast<const char*>(run.data), &element, run.count, 0});
    });
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

std::vector<Garbage> Auditor::CountUnmet() {
  std::unordered_map<std::string, Garbage> by_type;
  BlockWalk walk(arena_, pass_);
  for (BlockView block; walk.Next(&block);) {
    if (block.is_freed || block.is_met) continue;
    std::string type = BlockTypeText(block.type, block.is_storage);
    Garbage& garbage = by_type[type];
    garbage.type = std::move(type);
    ++garbage.blocks;
    garbage.bytes += block.bytes;
  }
  std::vector<Garbage> all;
  all.reserve(by_type.size());
  for (auto& [type, garbage] : by_type) all.push_back(std::move(garbage));
  std::sort(all.begin(), all.end(), [](const Garbage& a, const Garbage& b) {
    return a.bytes != b.bytes ? a.bytes > b.bytes : a.type < b.type;
  });
  return all;
}

void Auditor::Cover(const char* data, const TypeLayout& type,
                    std::size_t count) {
  if (kChecked || !covers_) return;
  CoveredWords* covered = covered_.Of(data);
  if (covered == nullptr) return;
  if (!HasGaps(type, data)) return covered->Cover(data, count * type.size);
  for (; count != 0; --count, data += type.size) {
    const char* at = data;
    auto skip = [&](const char* begin, const char* end) {
      covered->Cover(at, static_cast<std::size_t>(begin - at));
      at = end;
    };
    ForEachGap(type, data, skip);
    covered->Cover(at, static_cast<std::size_t>(data + type.size - at));
  }
}

void Auditor::SweepAll() {
  if (!kChecked) {
    arena_.ForEachChunk([this](const ChunkInfo& chunk) {
      const auto* begin = reinterpret_cast<const char*>(chunk.begin);
      Sweep(begin, begin + chunk.used);
    });
    return;
  }
  NoteItems();
  BlockWalk walk(arena_);
  for (BlockView block; walk.Next(&block);) {
    if (block.is_freed) continue;
    swept_ = block;
    if (block.is_storage ? !IsCovered(block) : block.type == nullptr) {
      Sweep(block.begin, block.end());
    } else if (block.type != nullptr && !block.is_storage) {
      SweepGaps(block);
    }
  }
}

bool Auditor::IsCovered(const BlockView& block) {
  const CoveredWords* covered = covered_.Of(block.begin);
  return covered != nullptr && covered->IsCovered(block.begin);
}

bool Auditor::HasGaps(const TypeLayout& type, const char* object) {
  if (&type == last_type_) return last_has_gaps_;
  const auto [known, is_new] = has_gaps_.try_emplace(type.id, false);
  if (is_new) known->second = MayHaveGaps(type, object);
  last_type_ = &type;
  last_has_gaps_ = known->second;
  return last_has_gaps_;
}

void Auditor::SweepGaps(const BlockView& block) {
  const TypeLayout& type = *block.type;
  if (!HasGaps(type, block.begin)) return;
  for (const char* p = block.begin; p < block.end(); p += type.size) {
    ForEachGap(type, p, *this);
  }
}

void Auditor::Sweep(const char* begin, const char* end) {
  const auto misalign =
      reinterpret_cast<std::uintptr_t>(begin) % alignof(void*);
  if (misalign != 0) begin += alignof(void*) - misalign;
  const CoveredWords* covered = kChecked ? nullptr : covered_.Of(begin);
  for (; end - begin >= static_cast<std::ptrdiff_t>(sizeof(void*));
       begin += sizeof(void*)) {
    if (covered == nullptr || !covered->IsCovered(begin)) {
      SweepWord(begin, end);
    }
  }
}

bool Auditor::IsOwnControlBlock(const void* address) const {
  const auto offset = reinterpret_cast<std::uintptr_t>(address) -
                      reinterpret_cast<std::uintptr_t>(&arena_);
  if (offset < sizeof(Arena)) return true;
  // NewCollectedArena: the arena is the start of its object.
  return arena_.is_collected() && CollectedBase(address) == &arena_;
}

void Auditor::SweepWord(const char* at, const char* end) {
  ++report_.words;
  // Without a bit it is a number, or was freed: release builds do not know.
  if (!kChecked && arena_.is_traced()) return;
  const void* address = *reinterpret_cast<const void* const*>(at);
  if (classifier_.IsOwn(address)) return;
  const auto verdict = Classifier::ClassifyOccupied(address);
  if (!verdict || (verdict->target != Target::kCollectedHeap &&
                   verdict->target != Target::kCollectedArena)) {
    return;
  }
  constexpr std::ptrdiff_t kRefBytes = 2 * sizeof(void*);
  const bool may_be_ref = end - at >= kRefBytes;
  if (IsOwnControlBlock(address) || IsTracedWord(at) ||
      (may_be_ref && IsRefAt(at))) {
    return;
  }
  if (!reported_.insert(at).second) return;
  Finding finding;
  finding.kind = FindingKind::kWord;
  finding.target = verdict->target;
  finding.certainty = Certainty::kAmbiguous;
  finding.slot = at;
  finding.address = address;
  if (record_) {
    TellPathOfWord(at, finding);
    finding.what = classifier_.Describe(address, {verdict->target});
    finding.hint =
        "if it is a pointer: give it a layout, or keep the "
        "object alive elsewhere";
  }
  List(std::move(finding));
}

void Auditor::NoteItems() {
  if (!record_) return;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    item_at_.try_emplace(items_[i].data, i);
  }
}

void Auditor::TellPathOfWord(const char* at, Finding& finding) const {
  if (!kChecked) {
    finding.path =
        fmt::format("memory of the arena[{}]", static_cast<const void*>(at));
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

}  // namespace acre::inline ACRE_ABI::detail
