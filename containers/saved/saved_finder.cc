// SPDX-License-Identifier: MIT

#include "saved/saved_finder.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "acre/detail/location.h"
#include "acre/detail/path.h"
#include "acre/detail/walk.h"

namespace acre::inline ACRE_ABI::detail {

bool SavedFinder::Run(const void* root) {
  const SavedPlan& root_plan = plans_.root();
  const auto* const at = static_cast<const char*>(root);
  Meet(*chunks_.Of(at),
       {at, root_plan.type->size, &root_plan, SavedBlockKind::kObjects, false,
        nullptr},
       0);
  return WalkAll() && GatherBlocks();
}

// ----------------------------------------------------------------------- walk

bool SavedFinder::WalkAll() {
  constexpr std::size_t kAhead = 16;
  std::size_t next = 0;
  while (!has_failed_) {
    if (next == to_walk_.size()) {
      pending_.Drain([this](const Pending& pending) { Finish(pending); });
      if (next == to_walk_.size()) break;
      continue;
    }
    if (next + kAhead < to_walk_.size()) {
      __builtin_prefetch(records_[to_walk_[next + kAhead]].begin);
    }
    WalkRecord(to_walk_[next++]);
  }
  return !has_failed_;
}

void SavedFinder::WalkRecord(std::uint32_t number) {
  const Record record = records_[number];
  const SavedPlan& plan = *record.plan;
  current_ = number;
  if (record.kind == SavedBlockKind::kTable) {
    SavedTable(*plan.type, record.begin, record.bytes)
        .ForEach([&](const char* entry) {
          key_begin_ = entry;
          key_end_ = entry + plan.key_bytes;
          TakeObject(plan, entry);
        });
    key_begin_ = key_end_ = nullptr;
  } else {
    WalkRow({record.begin, record.bytes / plan.type->size, &plan});
  }
}

void SavedFinder::WalkRow(const Row& row) {
  const char* at = row.data;
  for (std::size_t i = 0; i < row.count && !has_failed_; ++i) {
    TakeObject(*row.plan, at);
    at += row.plan->type->size;
  }
}

void SavedFinder::TakeObject(const SavedPlan& plan, const char* object) {
  for (const SavedStep& step : plan.steps) {
    TakeStep(plan, step, object + step.offset);
  }
}

void SavedFinder::TakeStep(const SavedPlan& plan, const SavedStep& step,
                           const char* slot) {
  switch (step.kind) {
    case SavedKind::kPointer:
      return TakePointer(step, slot);
    case SavedKind::kView:
      return TakeView(step, slot);
    case SavedKind::kHandle:
      return TakeHandle(step, slot);
    case SavedKind::kBorrowed: {
      if (!LeadsSomewhere(step, slot)) return;
      const bool is_reference = step.type->name.ends_with('&');
      if (!may_drop_ || is_reference) {
        Fail(current_, slot,
             "is borrowed, and leads nowhere in another process");
      } else if (IsInKey(slot)) {
        Fail(current_, slot, "is borrowed, and is in a key");
      }
      return;
    }
    case SavedKind::kChoice:
    case SavedKind::kTuple:
    case SavedKind::kArray:
      return ForEachPart(plan, step, slot,
                         [this](const SavedPlan& part, const char* object) {
                           TakeObject(part, object);
                         });
    case SavedKind::kTransient:
    case SavedKind::kBool:
      return;
  }
}

/// Null instead would be no error, but for keys: several would be one.
void SavedFinder::FailOutside(const char* slot, const char* what) {
  if (may_drop_ && !IsInKey(slot)) return;
  const char* const why = may_drop_ ? ", and is in a key" : "";
  Fail(current_, slot, Joined({what, arena_.name(), "'", why}));
}

void SavedFinder::TakePointer(const SavedStep& step, const char* slot) {
  const char* target;
  std::memcpy(&target, slot, sizeof target);
  if (target == nullptr) return;
  Cells* const cells = chunks_.Of(target);
  if (cells == nullptr) {
    return FailOutside(slot, "points out of the arena '");
  }
  cells->Prefetch(target);
  Finish(pending_.Exchange({target, step.plan, slot, cells, current_}));
}

void SavedFinder::Finish(const Pending& pending) {
  if (pending.target == nullptr || has_failed_) return;
  Meet(*pending.cells,
       {pending.target, pending.plan->type->size, pending.plan,
        SavedBlockKind::kObjects, false, pending.slot},
       pending.parent);
}

void SavedFinder::TakeView(const SavedStep& step, const char* slot) {
  const ElementRun run = step.type->ops->view(slot);
  if (run.count == 0) return;
  const auto* const target = static_cast<const char*>(run.data);
  Cells* const cells = chunks_.Of(target);
  if (cells == nullptr) {
    return FailOutside(slot, "shows what lies out of the arena '");
  }
  Meet(*cells,
       {target, run.count * step.plan->type->size, step.plan,
        SavedBlockKind::kObjects, IsStringView(*step.type), slot},
       current_);
}

void SavedFinder::TakeHandle(const SavedStep& step, const char* slot) {
  const HandleStorage storage = step.type->ops->storage(slot);
  if (storage.block == nullptr || storage.used == 0) return;
  const auto* const block = static_cast<const char*>(storage.block);
  Cells* const cells = chunks_.Of(block);
  if (cells == nullptr) {
    // Nothing may be dropped here: it would be the container's elements.
    Fail(current_, slot,
         Joined({"has its elements out of the arena '", arena_.name(), "'"}));
    return;
  }
  const auto kind =
      IsTable(*step.type) ? SavedBlockKind::kTable : SavedBlockKind::kRow;
  Meet(*cells,
       {block, storage.used, &plans_.OfStorage(step, storage), kind, false,
        slot},
       current_);
}

std::uint32_t SavedFinder::Keep(const Record& record, std::uint32_t parent) {
  const auto number = static_cast<std::uint32_t>(records_.size());
  records_.push_back(record);
  if (is_telling_) parents_.push_back(parent);
  if (!record.plan->steps.empty()) to_walk_.push_back(number);
  return number;
}

void SavedFinder::Meet(Cells& cells, const Record& record,
                       std::uint32_t parent) {
  if (kChecked && Locate(record.begin).place != Place::kLive) {
    return Fail(parent, record.slot, "leads to what was freed");
  }
  if (reinterpret_cast<std::uintptr_t>(record.begin) % kGranule != 0) {
    return MeetBeside(record, parent);
  }
  std::uint32_t& cell = cells.At(record.begin);
  if (cell == 0) {
    cell = Keep(record, parent) + 1;
    return;
  }
  const Record& known = records_[cell - 1];
  if (known.plan != record.plan || known.kind != record.kind) {
    return MeetBeside(record, parent);
  }
  MeetAgain(cell - 1, record, parent);
}

void SavedFinder::MeetAgain(std::uint32_t number, const Record& record,
                            std::uint32_t parent) {
  Record& known = records_[number];
  if (record.kind != SavedBlockKind::kObjects) {
    // Met again, as a part of something else, a container has what it had.
    if (known.slot == record.slot) return;
    return Fail(parent, record.slot, "has the storage of another container");
  }
  known.is_text = known.is_text && record.is_text;
  // A longer row from the same place on: what is met again is known.
  if (record.bytes <= known.bytes) return;
  known.bytes = record.bytes;
  if (!known.plan->steps.empty()) to_walk_.push_back(number);
}

void SavedFinder::MeetBeside(const Record& record, std::uint32_t parent) {
  const auto [at, is_new] = known_beside_.try_emplace(
      Key{record.begin, record.plan->number, record.kind}, 0);
  if (is_new) {
    at->second = Keep(record, parent);
    beside_.push_back(at->second);
    return;
  }
  MeetAgain(at->second, record, parent);
}

std::size_t SavedFinder::HashKey::operator()(const Key& key) const {
  return (reinterpret_cast<std::uintptr_t>(key.begin) ^
          std::uint64_t{key.number} << 48) *
         0x9E3779B97F4A7C15u;
}

// --------------------------------------------------------------------- blocks

/// What holds another comes first.
bool SavedFinder::IsBefore(std::uint32_t a, std::uint32_t b) const {
  const Record& first = records_[a];
  const Record& second = records_[b];
  if (first.begin != second.begin) return first.begin < second.begin;
  if (first.bytes != second.bytes) return first.bytes > second.bytes;
  if (first.kind != second.kind) return first.kind > second.kind;
  return DepthOf(*first.plan->type) > DepthOf(*second.plan->type);
}

bool SavedFinder::GatherBlocks() {
  const auto is_before = [this](auto a, auto b) { return IsBefore(a, b); };
  std::sort(beside_.begin(), beside_.end(), is_before);
  chunks_.SortByAddress();
  blocks_.reserve(records_.size() - beside_.size());
  auto next = beside_.begin();
  std::vector<std::uint32_t> same;
  for (std::size_t i = 0; i < chunks_.size() && !has_failed_; ++i) {
    chunks_[i].ForEach([&](std::uint32_t& cell) {
      if (has_failed_) return;
      const char* const begin = records_[cell - 1].begin;
      while (next != beside_.end() && records_[*next].begin < begin) {
        if (!Gather(*next++)) return;
      }
      same.assign(1, cell - 1);
      while (next != beside_.end() && records_[*next].begin == begin) {
        same.push_back(*next++);
      }
      std::sort(same.begin(), same.end(), is_before);
      for (const std::uint32_t number : same) {
        if (!Gather(number)) return;
      }
      cell = static_cast<std::uint32_t>(blocks_.size());
    });
  }
  while (next != beside_.end() && !has_failed_) Gather(*next++);
  return !has_failed_;
}

/// In the order of addresses: a block, or a part of the last one.
bool SavedFinder::Gather(std::uint32_t number) {
  const Record& record = records_[number];
  const FoundBlock block{record.begin, record.bytes, record.plan, record.kind};
  if (blocks_.empty() ||
      record.begin >= blocks_.back().begin + blocks_.back().bytes) {
    blocks_.push_back(block);
    return true;
  }
  FoundBlock& whole = blocks_.back();
  const auto offset = static_cast<std::size_t>(record.begin - whole.begin);
  const TypeLayout& type = *record.plan->type;
  const bool is_objects = record.kind == SavedBlockKind::kObjects;
  if (offset + record.bytes > whole.bytes) {
    const bool goes_on = is_objects && whole.kind == record.kind &&
                         whole.plan == record.plan && offset % type.size == 0;
    if (goes_on) {
      whole.bytes = offset + record.bytes;
      return true;
    }
  } else if (is_objects &&
             BlockHolds(whole.kind, *whole.plan, whole.begin, whole.bytes,
                        offset, type, record.bytes / type.size,
                        record.is_text)) {
    return true;
  }
  Fail(is_telling_ ? parents_[number] : 0, record.slot,
       Joined({"leads into ", TypeText(whole.plan->type->name), ", where no ",
               TypeText(type.name), " lies"}));
  return false;
}

const FoundBlock* SavedFinder::Find(const Cells& cells,
                                    const char* address) const {
  const auto holds = [&](const FoundBlock& block) {
    return address >= block.begin && address < block.begin + block.bytes;
  };
  const std::uint32_t cell = cells.At(address);
  if (ACRE_LIKELY(cell != 0 && holds(blocks_[cell - 1]))) {
    return &blocks_[cell - 1];
  }
  const auto behind = std::upper_bound(
      blocks_.begin(), blocks_.end(), address,
      [](const char* p, const FoundBlock& block) { return p < block.begin; });
  if (behind == blocks_.begin() || !holds(*std::prev(behind))) return nullptr;
  return &*std::prev(behind);
}

// --------------------------------------------------------------------- errors

void SavedFinder::Fail(std::uint32_t number, const char* slot,
                       std::string what) {
  if (has_failed_) return;
  has_failed_ = true;
  what_ = std::move(what);
  if (is_telling_) path_ = PathTo(number, slot);
}

std::string SavedFinder::PathTo(std::uint32_t number, const char* slot) const {
  constexpr std::size_t kFirst = 16;
  constexpr std::size_t kLast = 32;
  struct Hop {
    std::uint32_t number;
    const char* slot;
  };
  std::vector<Hop> hops;
  // The root has no slot.
  for (Hop hop{number, slot}; hop.slot != nullptr;) {
    hops.push_back(hop);
    hop = {parents_[hop.number], records_[hop.number].slot};
  }
  std::string path = TypeText(records_[0].plan->type->name);
  for (std::size_t i = hops.size(); i-- > 0;) {
    if (hops.size() - 1 - i == kFirst && i > kLast) {
      path += Joined({"...(", std::to_string(i - kLast), " more)..."});
      i = kLast;
    }
    path += StepPath(records_[hops[i].number], hops[i].slot);
  }
  return path;
}

std::string SavedFinder::StepPath(const Record& record, const char* slot) {
  const TypeLayout& type = *record.plan->type;
  if (record.kind == SavedBlockKind::kTable) {
    std::string path;
    std::size_t ordinal = 0;
    SavedTable(type, record.begin, record.bytes)
        .ForEach([&](const char* entry) {
          if (slot >= entry && slot < entry + type.size) {
            const EntryWay way = WayIntoEntry(type, entry, ordinal,
                                              PathInside(type, entry, slot));
            path = way.element + way.field;
          }
          ++ordinal;
        });
    return path;
  }
  const auto i = static_cast<std::size_t>(slot - record.begin) / type.size;
  std::string path;
  if (record.kind == SavedBlockKind::kRow || record.bytes > type.size) {
    path = Joined({"[", std::to_string(i), "]"});
  }
  return path + PathInside(type, record.begin + i * type.size, slot);
}

}  // namespace acre::inline ACRE_ABI::detail
