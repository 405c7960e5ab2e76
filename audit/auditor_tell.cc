// SPDX-License-Identifier: MIT
//
// Findings and their paths.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "acre/detail/path.h"
#include "auditor.h"

namespace acre::inline ACRE_ABI::detail {

void Auditor::Report(const Slot& slot, const void* address, Verdict found) {
  if (meets_) return;
  const std::optional<Verdict> in_traced =
      classifier_.InTraced(*slot.type, slot.address, found);
  if (!in_traced) return;
  const Verdict verdict = *in_traced;
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

void Auditor::List(Finding finding) {
  report_.leak_count += finding.is_leak();
  if (report_.findings.size() >= options_.max_findings) {
    ++report_.omitted;
    if (!finding.is_leak() || !DropOther()) return;
  }
  others_ += !finding.is_leak();
  report_.findings.push_back(std::move(finding));
}

bool Auditor::DropOther() {
  if (others_ == 0) return false;
  --others_;
  auto& findings = report_.findings;
  const auto other =
      std::find_if(findings.rbegin(), findings.rend(),
                   [](const Finding& f) { return !f.is_leak(); });
  findings.erase(std::next(other).base());
  return true;
}

void Auditor::TellWanted(const Slot& slot) {
  const auto wanted = wanted_.find(slot.address);
  if (wanted == wanted_.end()) return;
  wanted->second->type = TypeText(slot.type->element()->name);
  TellPath(next_ - 1, slot.address, *wanted->second);
  wanted_.erase(wanted);
}

void Auditor::TellPath(std::size_t index, const void* address,
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

Auditor::PartOfItem Auditor::PartOf(std::size_t index,
                                    const void* address) const {
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
    case Via::kMapEntry: {
      EntryWay way = WayIntoEntry(*item.type, item.data, origin.ordinal,
                                  std::move(part.field));
      part.element = std::move(way.element);
      part.field = std::move(way.field);
      break;
    }
  }
  return part;
}

}  // namespace acre::inline ACRE_ABI::detail
