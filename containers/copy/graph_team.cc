// SPDX-License-Identifier: MIT

#include "copy/graph_team.h"

#include <algorithm>
#include <atomic>
#include <cstddef>

#include "copy/run_together.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

/// Where one does not come to its end the others do not wait for it.
class StopUnlessDone {
 public:
  explicit StopUnlessDone(FinderDesk& desk) : desk_(desk) {}
  StopUnlessDone(const StopUnlessDone&) = delete;
  StopUnlessDone& operator=(const StopUnlessDone&) = delete;
  ~StopUnlessDone() {
    if (!is_done_) desk_.Stop();
  }
  void Done() { is_done_ = true; }

 private:
  FinderDesk& desk_;
  bool is_done_ = false;
};

}  // namespace

/// In a line of memory of its own: each is written to by its own thread.
struct alignas(64) GraphTeam::Member {
  Member(CopyPlans& plans, Arena& to, const MakeCopyMap& maker,
         FinderMail& mail)
      : maps(nullptr, maker),
        refs(to),
        finder(plans, maps, refs),
        desk(mail, maker.self) {}

  CopyMaps maps;
  RefCopies refs;
  GraphFinder finder;
  FinderDesk desk;
  std::unique_ptr<CopyWalker> walker = nullptr;
};

unsigned GraphTeam::MembersFor(const void* root, unsigned threads) {
  // A thread takes 30 us to come and go, a copy 0.5 ns a byte.
  constexpr std::size_t kLeast = std::size_t{1} << 20;  // bytes for each
  constexpr std::size_t kMost = 16;
  const Arena* const from = threads > 1 ? ArenaOf(root) : nullptr;
  if (from == nullptr) return 1;
  std::size_t chunks = 0;  // that are worth it
  from->ForEachChunk(
      [&](const ChunkInfo& chunk) { chunks += chunk.used >= kLeast / 8; });
  const std::size_t worth = std::min(from->stats().live() / kLeast, chunks);
  const std::size_t wanted = std::min<std::size_t>(threads, kMost);
  return static_cast<unsigned>(std::clamp<std::size_t>(worth, 1, wanted));
}

GraphTeam::GraphTeam(CopyPlans& plans, const Arena& from, Arena& to,
                     unsigned members)
    : plans_(plans), owners_(from, members), mail_(members) {
  plans.Close();
  for (unsigned i = 0; i < members; ++i) {
    const MakeCopyMap maker{.owners = &owners_, .self = i};
    members_.push_back(std::make_unique<Member>(plans, to, maker, mail_));
  }
}

GraphTeam::~GraphTeam() = default;

bool GraphTeam::Find(const char* root, CopyPlan& plan) {
  struct Context {
    GraphTeam& team;
    const char* root;
    CopyPlan& plan;
  } context{*this, root, plan};
  const auto run = [](void* data, unsigned number) {
    auto& known = *static_cast<Context*>(data);
    Member& member = *known.team.members_[number];
    StopUnlessDone stop(member.desk);
    if (!member.finder.RunAsMember(known.root, known.plan, member.desk)) return;
    for (std::size_t i = 0; i < member.maps.size(); ++i) {
      if (member.maps[i].is_mine()) member.maps[i].MakeLines();
    }
    stop.Done();
  };
  if (plans_.size() > FinderMail::kMaxNumber) return false;
  const auto count = static_cast<unsigned>(members_.size());
  return RunTogether(count, run, &context) && !mail_.is_stopped();
}

void GraphTeam::GiveTo(CopyMaps& maps, RefCopies& refs) {
  for (const auto& member : members_) {
    maps.TakeFrom(member->maps,
                  [](const CopyMap& map) { return map.is_mine(); });
    refs.CountAll(member->refs);
  }
  maps.SortByAddress();
}

bool GraphTeam::has_wide() const {
  return std::any_of(members_.begin(), members_.end(),
                     [](const auto& m) { return m->finder.has_wide(); });
}

bool GraphTeam::leads_into_table() const {
  return std::any_of(members_.begin(), members_.end(), [](const auto& m) {
    return m->finder.leads_into_table();
  });
}

bool GraphTeam::Copy(const CopyJob& job, CopyMaps& maps,
                     TableKeys& table_keys) {
  struct Context {
    GraphTeam& team;
    const CopyMaps& maps;
    std::atomic<std::size_t> next{0};
  } context{*this, maps};
  for (const auto& member : members_) {
    member->maps = CopyMaps(nullptr, {.makes_none = true});
    member->maps.LookInto(maps);
    member->walker = std::make_unique<CopyWalker>(job, member->maps);
  }
  const auto run = [](void* data, unsigned number) {
    auto& known = *static_cast<Context*>(data);
    CopyWalker& walker = *known.team.members_[number]->walker;
    for (;;) {
      const std::size_t i = known.next.fetch_add(1);
      if (i >= known.maps.size()) break;
      walker.CopyAllIn(known.maps[i]);
    }
    walker.FinishAll();
  };
  const auto count = static_cast<unsigned>(members_.size());
  if (!RunTogether(count, run, &context)) return false;
  for (const auto& member : members_) {
    table_keys.TakeFrom(member->walker->table_keys());
  }
  return true;
}

}  // namespace acre::inline ACRE_ABI::detail
