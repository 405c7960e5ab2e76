// SPDX-License-Identifier: MIT

#include "automatic/tell_stopped.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "acre/detail/path.h"
#include "classify.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

/// "Node[3]", or what else the row is whose element holds the slot.
std::string RowText(const StoppedFinding& stopped, std::size_t index) {
  std::string text = TypeText(stopped.row_type->name);
  if (stopped.is_held_outside) text = "(held from outside) " + text;
  return index == 0 && !stopped.is_held_outside
             ? text
             : text + fmt::format("[{}]", index);
}

/// As far as it is known without a walk: the field, and the object around it.
void TellPlace(const StoppedFinding& stopped, bool may_read, Finding& finding) {
  const auto* slot = static_cast<const char*>(finding.slot);
  const auto* row = reinterpret_cast<const char*>(~stopped.hidden_row);
  finding.path = TypeText(stopped.row_type->name);
  const auto offset = static_cast<std::size_t>(slot - row);
  // In storage that the row holds it has another beginning.
  if (offset >= stopped.row_bytes) return;
  const std::size_t index = offset / stopped.row_type->size;
  const char* object = row + index * stopped.row_type->size;
  finding.field = PathInside(*stopped.row_type, object, slot, may_read);
  finding.path = RowText(stopped, index) + finding.field;
}

std::string TargetText(const StoppedFinding& stopped) {
  if (stopped.target == Target::kCollectedArena) {
    return "a collected arena, before this collection";
  }
  if (stopped.hidden_base == 0) {
    return "memory of the collected heap, where the object was freed before";
  }
  return fmt::format(
      "collected object of {} bytes{} at {}, +{}, {}", stopped.target_bytes,
      stopped.is_pointer_free ? " without pointers" : "",
      reinterpret_cast<const void*>(~stopped.hidden_base),
      ~stopped.hidden_address - ~stopped.hidden_base,
      stopped.is_borrowed ? "which nobody held: this collection has freed it"
                          : "before this collection");
}

}  // namespace

Finding FindingFrom(const StoppedFinding& stopped, bool may_read) {
  Finding finding;
  finding.kind = stopped.kind;
  finding.target = stopped.target;
  finding.slot = reinterpret_cast<const void*>(~stopped.hidden_slot);
  finding.address = reinterpret_cast<const void*>(~stopped.hidden_address);
  finding.type = stopped.is_borrowed ? std::string("what it borrows")
                                     : TypeText(stopped.type->name);
  TellPlace(stopped, may_read, finding);
  finding.what = TargetText(stopped);
  finding.hint = stopped.is_borrowed
                     ? "borrowed promises that the target is kept alive: keep "
                       "it where the collector looks"
                     : HintFor(stopped.target);
  return finding;
}

void AppendFindings(AuditReport& to, AuditReport& report) {
  constexpr std::size_t kMost = AuditOptions{}.max_findings;
  for (Finding& finding : report.findings) {
    if (to.findings.size() == kMost) {
      ++to.omitted;
    } else {
      to.findings.push_back(std::move(finding));
    }
  }
  to.omitted += report.omitted;
  to.leak_count += report.leak_count;
  to.known += report.known;
  to.note = std::move(report.note);
}

}  // namespace acre::inline ACRE_ABI::detail
