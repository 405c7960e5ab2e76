// SPDX-License-Identifier: MIT

#include "compare.h"

#include <dwarf.h>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "die.h"
#include "pointers.h"

namespace layout_check {
namespace {

constexpr std::string_view kPlainData = "plain data";

/// A member or base of the class, those of anonymous structs and unions
/// included.
struct Part {
  std::string name;  // of a base: of its class
  Die type{};
  std::uint64_t begin = 0;  // bytes
  std::uint64_t end = 0;
  bool is_base = false;
  bool is_bit_field = false;
  bool in_union = false;
  bool is_listed = false;
  std::vector<Part> parts = {};  // of a base; of a member once asked for
};

/// A hole that the layout declares: between two listed fields.
struct Hole {
  std::string name;
  std::uint64_t bytes = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  // Of the members that are in it.
  std::uint64_t first = ~std::uint64_t{0};
  std::uint64_t last = 0;
};

std::string_view WithoutArguments(std::string_view name) {
  return name.substr(0, name.find('<'));
}

std::string_view LastName(std::string_view name) {
  name = WithoutArguments(name);
  const std::size_t scope = name.rfind("::");
  return scope == std::string_view::npos ? name : name.substr(scope + 2);
}

/// Could a walk that expects `a` walk a `b`? Arguments of templates are not
/// looked at: compilers spell them differently. Nor is plain data.
bool IsAlike(const DebugInfo& info, Die a, Die b) {
  a = Peel(a);
  b = Peel(b);
  if (IsClass(a) != IsClass(b) || IsPointer(a) != IsPointer(b)) return false;
  if (IsClass(a)) {
    const std::string name_a = info.FullName(a);
    const std::string name_b = info.FullName(b);
    return WithoutArguments(name_a) == WithoutArguments(name_b);
  }
  const bool is_array = dwarf_tag(&a) == DW_TAG_array_type;
  if (is_array != (dwarf_tag(&b) == DW_TAG_array_type)) return false;
  if (!is_array && !IsPointer(a)) return true;
  const auto in_a = TypeOf(a);
  const auto in_b = TypeOf(b);
  if (!in_a || !in_b) return !in_a && !in_b;
  return IsAlike(info, *in_a, *in_b);
}

class Comparer {
 public:
  Comparer(const DebugInfo& info, const std::vector<Layout>& layouts,
           const Layout& layout, Die definition)
      : info_(info),
        layouts_(layouts),
        layout_(layout),
        place_(PlaceOf(definition)),
        size_(info.SizeOf(definition)),
        parts_(PartsOf(definition, 0, false)) {}

  Comparison Run() {
    if (size_ != layout_.size) {
      Add("size", "", fmt::format("{} bytes", layout_.size),
          fmt::format("{} bytes", size_));
    }
    for (const Field& field : layout_.fields) {
      if (!field.is_opaque()) CompareField(field);
    }
    ListHoles();
    Cover(parts_, "");
    for (const Hole& hole : holes_) CompareHole(hole);
    return std::move(result_);
  }

 private:
  struct Listed {
    std::uint64_t begin;
    std::uint64_t end;
    bool is_borrowed;
  };

  void Add(std::string_view kind, std::string field, std::string layout,
           std::string compiler, std::vector<std::string> holders = {}) {
    result_.findings.push_back(
        {std::string(kind), layout_.name, std::move(field), std::move(layout),
         std::move(compiler), place_, std::move(holders)});
  }

  // ---- what the compiler says

  std::vector<Part> PartsOf(Die type, std::uint64_t offset, bool in_union) {
    std::vector<Part> parts;
    const auto defined = info_.Defined(type);
    if (!defined) {
      result_.undefined.push_back(info_.FullName(type));
      return parts;
    }
    for (Member& member : MembersOf(*defined)) {
      const std::uint64_t begin = offset + member.begin / kByte;
      Die peeled = Peel(member.type);
      if (!member.is_base && member.name.empty() && IsClass(peeled)) {
        const bool is_union = dwarf_tag(&peeled) == DW_TAG_union_type;
        auto inner = PartsOf(peeled, begin, in_union || is_union);
        std::move(inner.begin(), inner.end(), std::back_inserter(parts));
        continue;
      }
      Part part{std::move(member.name), member.type, begin};
      part.end =
          member.bits == 0
              ? begin + info_.SizeOf(member.type)
              : offset + (member.begin + member.bits + kByte - 1) / kByte;
      part.is_base = member.is_base;
      part.is_bit_field = member.bits != 0;
      part.in_union = in_union;
      if (part.is_base) {
        part.name = info_.FullName(part.type);
        part.parts = PartsOf(part.type, begin, in_union);
      }
      parts.push_back(std::move(part));
    }
    return parts;
  }

  // ---- what the layout says

  void CompareField(const Field& field) {
    Part* part = FindMember(&parts_, field.name);
    if (part == nullptr) part = FindBase(&parts_, field);
    if (part == nullptr) {
      Add("no such field", field.name,
          fmt::format("{} bytes at offset {}", field.size, field.offset),
          "it has no such field");
      return;
    }
    part->is_listed = true;
    const std::uint64_t size = part->end - part->begin;
    listed_.push_back({part->begin, part->end, field.is_borrowed()});
    if (part->begin != field.offset) {
      Add("offset", field.name, fmt::format("offset {}", field.offset),
          fmt::format("offset {}", part->begin));
    }
    if (!IsDescribed(part->type)) return;
    const bool is_empty = field.size == 0 && IsEmpty(info_, part->type);
    if (size != field.size && !is_empty) {
      Add("size", field.name, fmt::format("{} bytes", field.size),
          fmt::format("{} bytes", size));
    } else if (!field.is_borrowed()) {
      CompareType(field, *part);
    }
  }

  /// False for a class that is only declared: it has no size either.
  bool IsDescribed(Die type) {
    type = Peel(type);
    while (dwarf_tag(&type) == DW_TAG_array_type) {
      const auto element = TypeOf(type);
      if (!element) return true;
      type = Peel(*element);
    }
    if (info_.Defined(type)) return true;
    result_.undefined.push_back(info_.FullName(type));
    return false;
  }

  void CompareType(const Field& field, const Part& part) {
    if (field.type == kUnknown) return;
    const Layout& type = layouts_[field.type];
    if (type.is_refused) return;
    if (type.is_plain()) {
      AddPointers(part, field.name, kPlainData);
    } else if (!type.types.empty() &&
               std::none_of(type.types.begin(), type.types.end(), [&](Die of) {
                 return IsAlike(info_, of, part.type);
               })) {
      Add("type", field.name, Told(info_, type.types.front()),
          Told(info_, part.type));
    }
  }

  /// The member of this name: the class's own, or one that it inherits. A dot
  /// leads into a member.
  Part* FindMember(std::vector<Part>* parts, std::string_view name) {
    const std::size_t dot = name.find('.');
    const std::string_view first = name.substr(0, dot);
    for (Part& part : *parts) {
      if (part.is_base || part.name != first) continue;
      if (dot == std::string_view::npos) return &part;
      if (part.parts.empty()) {
        part.parts = PartsOf(part.type, part.begin, part.in_union);
      }
      return FindMember(&part.parts, name.substr(dot + 1));
    }
    for (Part& part : *parts) {
      if (!part.is_base) continue;
      if (Part* inherited = FindMember(&part.parts, name)) return inherited;
    }
    return nullptr;
  }

  /// The base of the field's type; else of its name, at its place if there are
  /// several.
  Part* FindBase(std::vector<Part>* parts, const Field& field) {
    if (field.type != kUnknown) {
      for (const Die& type : layouts_[field.type].types) {
        for (Part& part : *parts) {
          if (part.is_base && info_.IsSame(part.type, type)) return &part;
        }
      }
    }
    Part* found = nullptr;
    for (Part& part : *parts) {
      if (!part.is_base || LastName(part.name) != LastName(field.name)) {
        continue;
      }
      if (found == nullptr || part.begin == field.offset) found = &part;
    }
    return found;
  }

  void ListHoles() {
    const Field* before = nullptr;
    for (std::size_t i = 0; i < layout_.fields.size(); ++i) {
      const Field& field = layout_.fields[i];
      if (!field.is_opaque()) {
        before = &field;
        continue;
      }
      const bool is_same = i > 0 && layout_.fields[i - 1].is_opaque();
      if (!is_same) {
        holes_.push_back({field.name});
        // A member may lie in the tail padding of the field before.
        if (before != nullptr) {
          holes_.back().begin = before->offset + (before->size == 0 ? 0 : 1);
        }
        holes_.back().end = size_;
      }
      holes_.back().bytes += field.size;
      const Field* after =
          i + 1 < layout_.fields.size() ? &layout_.fields[i + 1] : nullptr;
      if (after != nullptr && !after->is_opaque()) {
        holes_.back().end = after->offset;
      }
    }
  }

  Hole* HoleOf(const Part& part) {
    for (Hole& hole : holes_) {
      if (part.begin >= hole.begin && part.begin < hole.end) return &hole;
    }
    return nullptr;
  }

  void CompareHole(const Hole& hole) {
    if (hole.last > hole.first && hole.last - hole.first > hole.bytes) {
      Add("size", hole.name, fmt::format("{} opaque bytes", hole.bytes),
          fmt::format("{} bytes at offset {}", hole.last - hole.first,
                      hole.first));
    }
  }

  // ---- what the layout leaves out

  static bool IsInside(const Part& part) {
    return std::any_of(
        part.parts.begin(), part.parts.end(),
        [](const Part& inner) { return inner.is_listed || IsInside(inner); });
  }

  void Cover(const std::vector<Part>& parts, const std::string& path) {
    for (const Part& part : parts) {
      if (part.is_listed || IsEmpty(info_, part.type)) continue;
      // What is listed may be only a part of this one.
      if (IsInside(part)) {
        Cover(part.parts, part.is_base ? path : path + part.name + ".");
      } else {
        CoverPart(part, path + part.name);
      }
    }
  }

  void CoverPart(const Part& part, const std::string& path) {
    if (part.in_union) {
      bool shares = false;
      bool is_borrowed = true;
      for (const Listed& listed : listed_) {
        if (part.begin >= listed.end || part.end <= listed.begin) continue;
        shares = true;
        is_borrowed = is_borrowed && listed.is_borrowed;
      }
      if (shares && !is_borrowed) AddPointers(part, path, "not listed");
      if (shares) return;
    }
    if (Hole* hole = HoleOf(part)) {
      hole->first = std::min(hole->first, part.begin);
      hole->last = std::max(hole->last, part.end);
      AddPointers(part, path, "opaque");
    } else if (!AddPointers(part, path, "not listed")) {
      Add("missing field", path, "not listed",
          fmt::format("{}{} at offset {}", Told(info_, part.type),
                      part.is_bit_field ? ", a bit-field," : "", part.begin));
    }
  }

  /// True where the part has any.
  bool AddPointers(const Part& part, const std::string& path,
                   std::string_view says) {
    Contents contents = ContentsOf(info_, part.type);
    for (Pointer& pointer : contents.pointers) {
      Add("hidden pointer", path + pointer.path, std::string(says),
          fmt::format("{} at offset {}", pointer.type,
                      part.begin + pointer.offset),
          std::move(pointer.holders));
    }
    std::move(contents.undefined.begin(), contents.undefined.end(),
              std::back_inserter(result_.undefined));
    return !contents.pointers.empty();
  }

  const DebugInfo& info_;
  const std::vector<Layout>& layouts_;
  const Layout& layout_;
  Place place_;
  std::uint64_t size_;
  Comparison result_;
  std::vector<Part> parts_;
  std::vector<Listed> listed_;
  std::vector<Hole> holes_;
};

}  // namespace

Comparison CompareStruct(const DebugInfo& info,
                         const std::vector<Layout>& layouts,
                         const Layout& layout, Die definition) {
  return Comparer(info, layouts, layout, definition).Run();
}

Comparison ComparePlain(const DebugInfo& info, const Layout& layout,
                        Die definition) {
  Comparison result;
  Contents contents = ContentsOf(info, definition);
  for (Pointer& pointer : contents.pointers) {
    if (pointer.path.starts_with('.')) pointer.path.erase(0, 1);
    result.findings.push_back(
        {"hidden pointer", layout.name, pointer.path, std::string(kPlainData),
         fmt::format("{} at offset {}", pointer.type, pointer.offset),
         PlaceOf(definition), std::move(pointer.holders)});
  }
  result.undefined = std::move(contents.undefined);
  const std::uint64_t size = info.SizeOf(definition);
  if (size != layout.size) {
    result.findings.push_back(
        {"size", layout.name, "", fmt::format("{} bytes", layout.size),
         fmt::format("{} bytes", size), PlaceOf(definition)});
  }
  return result;
}

}  // namespace layout_check
