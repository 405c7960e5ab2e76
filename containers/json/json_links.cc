// SPDX-License-Identifier: MIT

#include "json_links.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <charconv>
#include <memory>
#include <string_view>

namespace acre::inline ACRE_ABI::detail {
namespace {

std::uintptr_t AddressOf(const void* object) {
  return reinterpret_cast<std::uintptr_t>(object);
}

/// Calls visit(const JsonType&) for the types of a type's parts, and of what it
/// points to.
template <class Visit>
void ForEachPartType(const JsonType& type, Visit visit) {
  if (type.element != nullptr) visit(type.element());
  if (type.key != nullptr) visit(type.key());
  for (std::size_t i = 0; i < type.field_count; ++i) {
    visit(type.fields[i].type());
  }
}

std::unique_ptr<JsonPlan> MakePlan(const JsonType& root) {
  struct Known {
    const JsonType* type;
    bool is_of_interest;
  };
  std::vector<Known> types{{&root, false}};
  std::vector<std::uint64_t> targets;
  const auto index_of = [&](const JsonType& type) {
    for (std::size_t i = 0; i < types.size(); ++i) {
      if (types[i].type == &type) return i;
    }
    return types.size();
  };
  for (std::size_t i = 0; i < types.size(); ++i) {
    const JsonType& type = *types[i].type;
    if (type.kind == JsonKind::kPointer) {
      targets.push_back(type.element().layout()->id);
    }
    ForEachPartType(type, [&](const JsonType& part) {
      if (index_of(part) == types.size()) types.push_back({&part, false});
    });
  }
  auto plan = std::make_unique<JsonPlan>();
  plan->has_pointers = !targets.empty();
  for (Known& known : types) {
    const auto is_target = [&](std::uint64_t id) {
      return std::find(targets.begin(), targets.end(), id) != targets.end();
    };
    const TypeLayout& layout = *known.type->layout();
    known.is_of_interest =
        known.type->kind == JsonKind::kPointer || is_target(layout.id);
    // Of bases no more than their layouts is looked at.
    ForEachBase(layout, &layout, [&](std::uint64_t id, const void*) {
      known.is_of_interest |= is_target(id);
    });
  }
  for (bool has_changed = true; has_changed;) {
    has_changed = false;
    for (Known& known : types) {
      if (known.is_of_interest) continue;
      ForEachPartType(*known.type, [&](const JsonType& part) {
        if (types[index_of(part)].is_of_interest) {
          known.is_of_interest = has_changed = true;
        }
      });
    }
  }
  plan->of_interest.resize(std::bit_ceil(2 * types.size()));
  const std::size_t mask = plan->of_interest.size() - 1;
  for (const Known& known : types) {
    if (!known.is_of_interest) continue;
    std::size_t at = JsonPlan::HashOf(*known.type) & mask;
    while (plan->of_interest[at] != nullptr) at = (at + 1) & mask;
    plan->of_interest[at] = known.type;
  }
  return plan;
}

}  // namespace

const JsonPlan& PlanOf(const JsonType& type) {
  const JsonPlan* plan = type.notes->plan.load(std::memory_order_acquire);
  if (plan != nullptr) return *plan;
  std::unique_ptr<JsonPlan> made = MakePlan(type);
  if (type.notes->plan.compare_exchange_strong(plan, made.get(),
                                               std::memory_order_acq_rel)) {
    plan = made.release();
  }
  return *plan;
}

void AppendPointer(std::string& to, const JsonStep& step) {
  const auto append = [&](std::string_view name) {
    to += '/';
    for (const char c : name) {
      if (c == '~') {
        to += "~0";
      } else if (c == '/') {
        to += "~1";
      } else {
        to += c;
      }
    }
  };
  std::string room;
  switch (step.kind) {
    case JsonStep::Kind::kNone:
      return;
    case JsonStep::Kind::kName:
      return append(step.name);
    case JsonStep::Kind::kKey:
      return append(KeyText(*step.key_type, step.key, room));
    case JsonStep::Kind::kPair:
      append(std::to_string(step.index));
      return append(step.name);
    case JsonStep::Kind::kIndex: {
      char digits[24];
      char* const end =
          std::to_chars(digits, digits + sizeof digits, step.index).ptr;
      to += '/';
      to.append(digits, end);
      return;
    }
  }
}

void AppendPath(std::string& to, const JsonStep& step) {
  std::string room;
  switch (step.kind) {
    case JsonStep::Kind::kNone:
      return;
    case JsonStep::Kind::kName:
      if (!to.empty()) to += '.';
      to += step.name;
      return;
    case JsonStep::Kind::kKey: {
      const std::string_view key = KeyText(*step.key_type, step.key, room);
      to += '[';
      if (step.key_type->kind == JsonKind::kText ||
          step.key_type->kind == JsonKind::kTextView) {
        to += '"';
        to += key;
        to += '"';
      } else {
        to += key;
      }
      to += ']';
      return;
    }
    case JsonStep::Kind::kPair:
      to += '[' + std::to_string(step.index) + "][";
      to += step.name;
      to += ']';
      return;
    case JsonStep::Kind::kIndex:
      to += '[' + std::to_string(step.index) + ']';
      return;
  }
}

JsonLinks::JsonLinks(const JsonType& type, const void* value,
                     const JsonStyle& style)
    : plan_(PlanOf(type)),
      max_depth_(MaxDepth(style)),
      sorts_keys_(style.sort_keys) {
  objects_.push_back({&type, value});
  for (std::size_t i = 0; i < objects_.size(); ++i) {
    const Object object = objects_[i];
    FindTargets(*object.type, object.object, 0);
  }
  for (const Object& object : objects_) {
    // A base lies in the object that it is a base of.
    ForEachBase(*object.type->layout(), object.object,
                [&](std::uint64_t id, const void* base) {
                  if (Target* target = targets_.get({AddressOf(base), id})) {
                    target->lies_in_another = true;
                  }
                });
    FindPlaces(*object.type, object.object, 0);
  }
  levels_.push_back({});
  ForEachTarget(type, value, [this](Target& target) {
    target.lies_in_another = true;  // in nothing: it is the whole
    target.node = NodeHere();
  });
  Settle(type, value);
}

// What nests too deep is told when it is written; here it is left out.
void JsonLinks::FindTargets(const JsonType& type, const void* object,
                            unsigned depth) {
  if (depth > max_depth_ || !plan_.IsOfInterest(type)) return;
  if (type.kind == JsonKind::kPointer) {
    const void* const target = *static_cast<const void* const*>(object);
    if (target == nullptr) return;
    const JsonType& target_type = type.element();
    if (targets_.try_emplace(PlaceOf(target_type, target)).second) {
      objects_.push_back({&target_type, target});
    }
    return;
  }
  const auto visit = [&](const JsonStep&, const JsonType& part_type,
                         const void* part) {
    FindTargets(part_type, part, depth + 1);
    return true;
  };
  ForEachJsonPart(type, object, visit);
}

void JsonLinks::FindPlaces(const JsonType& type, const void* object,
                           unsigned depth) {
  const auto visit = [&](const JsonStep&, const JsonType& part_type,
                         const void* part) {
    if (depth > max_depth_ || !plan_.IsOfInterest(part_type)) return true;
    ForEachTarget(part_type, part,
                  [](Target& target) { target.lies_in_another = true; });
    FindPlaces(part_type, part, depth + 1);
    return true;
  };
  ForEachJsonPart(type, object, visit);
}

std::uint32_t JsonLinks::NodeHere() {
  std::uint32_t parent = kNone;
  for (Level& level : levels_) {
    if (level.node == kNone) {
      level.node = static_cast<std::uint32_t>(nodes_.size());
      nodes_.push_back({parent, level.step});
    }
    parent = level.node;
  }
  return parent;
}

template <class Visit>
void JsonLinks::ForEachTarget(const JsonType& type, const void* object,
                              Visit visit) {
  if (Target* target = targets_.get(PlaceOf(type, object))) visit(*target);
  ForEachBase(*type.layout(), object, [&](std::uint64_t id, const void* base) {
    if (Target* target = targets_.get({AddressOf(base), id})) {
      visit(*target);
    }
  });
}

/// Goes through a value in the order of the text.
void JsonLinks::Settle(const JsonType& type, const void* object) {
  if (levels_.size() > std::size_t{max_depth_} + 1) return;
  if (type.kind == JsonKind::kPointer) return SettlePointer(type, object);
  if (sorts_keys_ && type.kind == JsonKind::kMap &&
      IsTextKey(type.key().kind)) {
    const JsonType& key_type = type.key();
    for (const char* entry : SortedEntries(type, object)) {
      SettlePart(
          {.kind = JsonStep::Kind::kKey, .key_type = &key_type, .key = entry},
          type.element(), entry + type.value_offset);
    }
    return;
  }
  const auto visit = [&](const JsonStep& step, const JsonType& part_type,
                         const void* part) {
    SettlePart(step, part_type, part);
    return true;
  };
  ForEachJsonPart(type, object, visit);
}

void JsonLinks::SettlePart(const JsonStep& step, const JsonType& type,
                           const void* object) {
  if (!plan_.IsOfInterest(type)) return;
  levels_.push_back({step});
  ForEachTarget(type, object, [this](Target& target) {
    if (target.node == kNone && target.lies_in_another) {
      target.node = NodeHere();
    }
  });
  Settle(type, object);
  levels_.pop_back();
}

void JsonLinks::SettlePointer(const JsonType& type, const void* slot) {
  const void* const object = *static_cast<const void* const*>(slot);
  if (object == nullptr) return;
  const JsonType& target_type = type.element();
  Target* const target = targets_.get(PlaceOf(target_type, object));
  if (target == nullptr || target->lies_in_another || target->slot != 0) {
    return;
  }
  target->slot = AddressOf(slot);
  ForEachTarget(target_type, object,
                [this](Target& here) { here.node = NodeHere(); });
  Settle(target_type, object);
}

JsonLinks::Form JsonLinks::FormOf(const void* slot, const JsonType& target_type,
                                  const void* target_object) {
  const Target* const target =
      targets_.get(PlaceOf(target_type, target_object));
  if (target == nullptr || target->slot == AddressOf(slot))
    return Form::kObject;
  if (target->node == kNone) return Form::kNowhere;
  // Most often it leads beside where one did lately.
  const Node& last = nodes_[target->node];
  Prefix& prefix = prefixes_[last.parent % prefixes_.size()];
  if (prefix.node != last.parent) {
    std::vector<const JsonStep*> steps;
    for (std::uint32_t node = last.parent; node != kNone;
         node = nodes_[node].parent) {
      steps.push_back(&nodes_[node].step);
    }
    prefix.node = last.parent;
    prefix.text.clear();
    for (std::size_t i = steps.size(); i-- != 0;) {
      AppendPointer(prefix.text, *steps[i]);
    }
  }
  path_ = prefix.text;
  AppendPointer(path_, last.step);
  return Form::kReference;
}

}  // namespace acre::inline ACRE_ABI::detail
