// SPDX-License-Identifier: MIT

#include "pointers.h"

#include <dwarf.h>

#include <utility>

namespace layout_check {
namespace {

class Search {
 public:
  explicit Search(const DebugInfo& info) : info_(info) {}

  void Visit(Die type, const std::string& path, std::uint64_t offset) {
    type = Peel(type);
    if (IsPointer(type)) {
      found_.pointers.push_back({path, offset, Told(info_, type), holders_});
    } else if (dwarf_tag(&type) == DW_TAG_array_type) {
      if (const auto element = TypeOf(type); element && CountOf(type) > 0) {
        Visit(*element, path + "[]", offset);
      }
    } else if (IsClass(type)) {
      VisitClass(type, path, offset);
    }
  }

  Contents TakeFound() { return std::move(found_); }

 private:
  void VisitClass(Die type, const std::string& path, std::uint64_t offset) {
    const auto defined = info_.Defined(type);
    if (!defined) {
      found_.undefined.push_back(info_.FullName(type));
      return;
    }
    holders_.push_back(info_.FullName(*defined));
    for (const Member& member : MembersOf(*defined)) {
      const std::string part =
          member.name.empty() ? path : path + "." + member.name;
      Visit(member.type, part, offset + member.begin / 8);
    }
    holders_.pop_back();
  }

  const DebugInfo& info_;
  Contents found_;
  std::vector<std::string> holders_;  // of what is being visited
};

}  // namespace

Contents ContentsOf(const DebugInfo& info, Die type) {
  Search search(info);
  search.Visit(type, "", 0);
  return search.TakeFound();
}

bool IsEmpty(const DebugInfo& info, Die type) {
  const auto defined = info.Defined(type);
  if (!defined || !IsClass(*defined)) return false;
  for (const Member& member : MembersOf(*defined)) {
    if (!member.is_base || !IsEmpty(info, member.type)) return false;
  }
  return true;
}

std::string Told(const DebugInfo& info, Die type) {
  type = Peel(type);
  if (!IsPointer(type)) return info.FullName(type);
  const char* kind =
      dwarf_tag(&type) == DW_TAG_pointer_type ? "pointer" : "reference";
  const auto to = TypeOf(type);
  if (!to) return std::string(kind) + " to void";
  Die peeled = Peel(*to);
  if (dwarf_tag(&peeled) == DW_TAG_subroutine_type) {
    return std::string(kind) + " to a function";
  }
  return std::string(kind) + " to " + info.FullName(peeled);
}

}  // namespace layout_check
