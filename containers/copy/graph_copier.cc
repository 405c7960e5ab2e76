// SPDX-License-Identifier: MIT

#include "copy/graph_copier.h"

#include "acre/detail/blocks.h"

namespace acre::inline ACRE_ABI::detail {

bool GraphCopier::Run(const TypeLayout& type, const void* root,
                      unsigned members) {
  CopyPlan& plan = plans_.Of(type);
  root_ = static_cast<const char*>(root);
  if (!Find(plan, members) || !Take(plan)) return false;
  is_finished_ = CopyAll(plan);
  return is_finished_;
}

GraphCopier::~GraphCopier() {
  if (is_finished_) return;
  if (is_placed_) {
    refs_.GiveBack();
    placement_.GiveBack();
  }
  if (has_root_) {
    Blocks::Give(arena_, copy_, root_bytes_, root_type_->align, root_type_);
  }
}

bool GraphCopier::Find(CopyPlan& plan, unsigned members) {
  const Arena* const from = members > 1 ? ArenaOf(root_) : nullptr;
  if (from != nullptr) {
    team_ = std::make_unique<GraphTeam>(plans_, *from, arena_, members);
    if (team_->Find(root_, plan)) {
      team_->GiveTo(maps_, refs_);
      return maps_.Of(root_) != nullptr;
    }
    // One may do it yet: it meets a whole before its parts more often.
    team_.reset();
  }
  if (maps_.Of(root_) == nullptr) root_bytes_ = plan.size;
  return finder_.Run(root_, plan);
}

/// All memory that the copy needs; what there is of it the destructor gives
/// back.
bool GraphCopier::Take(CopyPlan& plan) {
  if (root_bytes_ != 0) {
    root_type_ = plan.type;
    copy_ = static_cast<char*>(
        Blocks::TryTake(arena_, root_bytes_, root_type_->align, root_type_));
    if (copy_ == nullptr) return false;
    has_root_ = true;
  }
  const bool has_wide = team_ ? team_->has_wide() : finder_.has_wide();
  if (!placement_.Take(has_wide)) return false;
  is_placed_ = true;
  if (root_bytes_ == 0) copy_ = placement_.CopyOf(*maps_.Of(root_), root_);
  return refs_.Reserve();
}

bool GraphCopier::CopyAll(CopyPlan& plan) {
  const CopyJob job{
      .arena = arena_,
      .plans = plans_,
      .placement = placement_,
      .refs = refs_,
      .leads_into_table =
          team_ ? team_->leads_into_table() : finder_.leads_into_table(),
      .root = root_,
      .root_bytes = root_bytes_,
      .root_copy = copy_,
  };
  TableKeys table_keys;
  // What the collector scans is written by threads that it knows.
  const bool is_scanned =
      refs_.has_some() || arena_.is_traced() || IsHeapArena(arena_);
  const bool is_done =
      team_ && !is_scanned && team_->Copy(job, maps_, table_keys);
  if (!is_done) {
    CopyWalker walker(job, maps_);
    if (root_bytes_ != 0) walker.CopyRoot(plan);
    for (std::size_t i = 0; i < maps_.size(); ++i) walker.CopyAllIn(maps_[i]);
    walker.FinishAll();
    table_keys.TakeFrom(walker.table_keys());
  }
  // The root may be an entry that moves.
  table_keys.AddPointer(&copy_, nullptr);
  refs_.LeavePlaces();
  if (is_closed_) return table_keys.TryRun();
  table_keys.Run();
  return true;
}

}  // namespace acre::inline ACRE_ABI::detail
