// SPDX-License-Identifier: MIT
//
// The walk numbers objects in the order in which it meets them; a pointer
// counts as the number of what it leads to. Breadth first: what is met waits,
// so that nothing recurses and memory is asked for ahead of its use.

#include "acre/checksum.h"

#include <deque>
#include <vector>

#include "acre/detail/look_ahead.h"
#include "acre/detail/state_numbers.h"
#include "acre/detail/state_plan.h"
#include "acre/detail/walk.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

class Checksummer {
 public:
  Checksummer(const StatePlans& plans, const ChecksumOptions& options)
      : plans_(plans), options_(options) {}

  std::uint64_t Run(const void* object) {
    const StatePlan& root = plans_.root();
    numbers_.NumberAt(numbers_.Find(object, root));
    Later(root, {object, 1}, true);
    std::vector<Row> rows;
    while (!waiting_.empty() || !tables_.empty()) {
      if (waiting_.empty()) {
        const Table table = tables_.front();
        tables_.pop_front();
        AddTable(*table.step, table.at);
        continue;
      }
      rows.swap(waiting_);
      waiting_.clear();
      for (std::size_t i = 0; i < rows.size(); ++i) {
        if (i + kAhead < rows.size()) Prefetch(rows[i + kAhead]);
        AddRow(rows[i]);
      }
      pointers_.Drain([this](const Place& place) { AddPlace(place); });
    }
    return hash_.value();
  }

 private:
  static constexpr std::size_t kAhead = 16;

  using Place = StateNumbers::Place;
  struct Table {
    const StateStep* step;
    const char* at;
  };
  /// Small, since half of all objects may wait at once.
  struct Row {
    const char* data;
    std::uint32_t count;
    std::uint32_t plan : 31;
    std::uint32_t is_known : 1;  // it has its number
  };

  void Prefetch(const Row& row) const { __builtin_prefetch(row.data); }

  void AddRow(const Row& row) {
    const StatePlan& plan = plans_[row.plan];
    if (plan.is_whole && !plan.has_identity) {
      return hash_.AddBytes(row.data, row.count * plan.type->size);
    }
    if (plan.is_pointer) {
      const StatePlan& target = *plan.steps[0].plan;
      const auto* pointers = reinterpret_cast<char* const*>(row.data);
      for (std::size_t i = 0; i < row.count; ++i) {
        AddPointer(target, pointers[i]);
      }
      return;
    }
    const char* at = row.data;
    for (std::size_t i = 0; i < row.count; ++i, at += plan.type->size) {
      if (plan.has_identity && row.is_known == 0) AddNumber(at, plan);
      AddObject(plan, at);
    }
  }

  /// True where it is met for the first time.
  bool AddNumber(const Place& place) {
    const StateNumbers::Number number = numbers_.NumberAt(place);
    hash_.Add(number.value);
    return number.is_new;
  }
  void AddNumber(const void* object, const StatePlan& plan) {
    AddNumber(numbers_.Find(object, plan));
  }

  void AddObject(const StatePlan& plan, const char* object) {
    for (const StateStep& step : plan.steps) {
      AddStep(plan, step, object + step.offset);
    }
  }

  void AddStep(const StatePlan& plan, const StateStep& step, const char* at) {
    switch (step.kind) {
      case StateKind::kBytes:
        return hash_.AddBytes(at, step.size);
      case StateKind::kObject:
        AddNumber(at, *step.plan);
        return AddObject(*step.plan, at);
      case StateKind::kPointer:
        return AddPointer(*step.plan, *reinterpret_cast<char* const*>(at));
      case StateKind::kView:
        return AddView(*step.plan, step.type->ops->view(at));
      case StateKind::kText: {
        const ElementRun run = RowOf(step, at);
        hash_.Add(run.count);
        return hash_.AddBytes(run.data, run.count);
      }
      case StateKind::kRow: {
        const ElementRun run = RowOf(step, at);
        hash_.Add(run.count);
        if (run.count != 0) Later(*step.plan, run, false);
        return;
      }
      case StateKind::kTable:
        if (WaitsForOthers(step)) return tables_.push_back({&step, at});
        return AddTable(step, at);
      case StateKind::kOwnForm:
        return AddOwnForm(step, at);
      case StateKind::kChoice: {
        const ActivePart active = step.type->ops->active(at);
        hash_.Add(active.object == nullptr ? ~std::uint64_t{0} : active.index);
        if (active.object == nullptr) return;
        return AddPart(*plan.parts[step.first_part + active.index],
                       active.object);
      }
      case StateKind::kTuple:
        for (std::size_t i = 0; i < step.type->fields.size(); ++i) {
          AddPart(*plan.parts[step.first_part + i],
                  step.type->ops->part(at, i));
        }
        return;
      case StateKind::kArray:
        for (std::size_t i = 0; i < step.type->count; ++i) {
          AddPart(*step.plan, at + i * step.plan->type->size);
        }
        return;
    }
  }

  void AddPart(const StatePlan& plan, const void* part) {
    if (plan.has_identity) AddNumber(part, plan);
    AddObject(plan, static_cast<const char*>(part));
  }

  /// It counts a little later, when its number has come from memory.
  void AddPointer(const StatePlan& target, const char* address) {
    if (address == nullptr) return hash_.Add(kNull);
    AddPlace(pointers_.Exchange(numbers_.Find(address, target)));
  }

  void AddPlace(const Place& place) {
    if (place.address == nullptr || !AddNumber(place)) return;
    if (place.is_in_arena) Later(*place.plan, {place.address, 1}, true);
  }

  void AddView(const StatePlan& element, ElementRun run) {
    hash_.Add(run.count);
    if (run.count == 0) return;
    const auto* at = static_cast<const char*>(run.data);
    const Place first = numbers_.Find(at, element);
    if (!first.is_in_arena) {
      AddNumber(first);
    } else if (!element.has_identity) {
      // Its place among others does not count, but what there is does.
      Later(element, run, true);
    } else {
      for (std::size_t i = 0; i < run.count; ++i, at += element.type->size) {
        AddPlace(numbers_.Find(at, element));
      }
    }
  }

  void AddTable(const StateStep& step, const char* table) {
    const StatePlan& element = *step.plan;
    std::size_t count = 0;
    if (options_.table_order) {
      ForEachRun(*step.type, table, [&](ElementRun run, std::size_t) {
        Later(element, run, false);
        count += run.count;
      });
    } else if (element.is_flat && !element.has_identity) {
      std::uint64_t sum = 0;
      ForEachRun(*step.type, table, [&](ElementRun run, std::size_t) {
        sum += ContentsOf(element, run.data);
        ++count;
      });
      hash_.Add(sum);
    } else {
      for (const StateEntry& entry : EntriesOf(step, table, numbers_)) {
        Later(element, {entry.element, 1}, false);
        ++count;
      }
    }
    hash_.Add(count);
  }

  void AddOwnForm(const StateStep& step, const char* at) {
    if (step.type->ops->digest != nullptr) {
      hash_.Add(step.type->ops->digest(at));
    }
  }

  void Later(const StatePlan& plan, ElementRun run, bool is_known) {
    constexpr std::size_t kMost = std::size_t{1} << 31;
    const auto* at = static_cast<const char*>(run.data);
    for (std::size_t left = run.count; left != 0;) {
      const std::size_t count = left < kMost ? left : kMost;
      waiting_.push_back({at, static_cast<std::uint32_t>(count),
                          plan.index & 0x7FFFFFFFu, is_known});
      at += count * plan.type->size;
      left -= count;
    }
  }

  static constexpr std::uint64_t kNull = 0x6E756C6C;

  const StatePlans& plans_;
  const ChecksumOptions options_;
  StateHash hash_;
  StateNumbers numbers_;
  LookAhead<Place> pointers_;
  std::vector<Row> waiting_;
  std::deque<Table> tables_;  // whose keys may be met elsewhere
};

}  // namespace

std::uint64_t ChecksumOf(const Arena&, const TypeLayout& type, const void* root,
                         const ChecksumOptions& options) {
  const StatePlans plans(type);
  return Checksummer(plans, options).Run(root);
}

}  // namespace acre::inline ACRE_ABI::detail
