// SPDX-License-Identifier: MIT

#include "debug_info.h"

#include <dwarf.h>

#include <utility>

namespace layout_check {
namespace {

constexpr std::string_view kPrivate = "(anonymous namespace)";

bool HasMembers(int tag) {
  return tag == DW_TAG_structure_type || tag == DW_TAG_class_type ||
         tag == DW_TAG_union_type || tag == DW_TAG_enumeration_type;
}

/// Text that stands for a type that has no name of its own.
std::string Suffix(int tag) {
  switch (tag) {
    case DW_TAG_pointer_type:
      return "*";
    case DW_TAG_reference_type:
      return "&";
    case DW_TAG_rvalue_reference_type:
      return "&&";
    default:
      return "[]";
  }
}

/// What is left of a name where compilers do not differ.
std::string Spelling(std::string_view name) {
  constexpr std::string_view kPrivateOfGcc = "{anonymous}";
  std::string spelling(name);
  for (std::size_t at;
       (at = spelling.find(kPrivateOfGcc)) != std::string::npos;) {
    spelling.replace(at, kPrivateOfGcc.size(), kPrivate);
  }
  std::erase(spelling, ' ');
  return spelling;
}

std::string LinkageName(Die die) {
  Dwarf_Attribute at;
  const char* name = nullptr;
  if (dwarf_attr_integrate(&die, DW_AT_linkage_name, &at) != nullptr) {
    name = dwarf_formstring(&at);
  }
  return name == nullptr ? "" : name;
}

}  // namespace

// _ZN4acre10release_v16detail9kLayoutOfI<argument>EE[...]
std::string_view MangledArgument(std::string_view symbol,
                                 std::string_view name) {
  constexpr std::string_view kBegin = "_ZN4acre";
  constexpr std::string_view kScope = "6detail9";  // both names have 9 letters
  if (!symbol.starts_with(kBegin)) return {};
  const std::size_t scope = symbol.find(kScope);
  if (scope == std::string_view::npos) return {};
  const std::string_view rest = symbol.substr(scope + kScope.size());
  if (!rest.starts_with(name) || !rest.substr(name.size()).starts_with('I')) {
    return {};
  }
  std::string_view argument = rest.substr(name.size() + 1);
  const std::string_view end = name == "GetLayout" ? "EEPK" : "EE";
  const std::size_t last = argument.rfind(end);
  // With a suffix, as link-time optimization gives ("EE.lto_priv.0"), or
  // without.
  if (last == std::string_view::npos) return {};
  argument = argument.substr(0, last);
  // GetLayout<const T> returns kLayoutOf<T>.
  if (argument.starts_with('K')) argument.remove_prefix(1);
  return argument;
}

std::unique_ptr<DebugInfo> DebugInfo::Read(const Image& image) {
  std::unique_ptr<DebugInfo> info(new DebugInfo);
  info->dwarf_ = dwarf_begin_elf(image.elf(), DWARF_C_READ, nullptr);
  if (info->dwarf_ == nullptr) return nullptr;
  Dwarf_CU* unit = nullptr;
  Die die;
  Die split;
  bool is_empty = true;
  while (dwarf_get_units(info->dwarf_, unit, &unit, nullptr, nullptr, &die,
                         &split) == 0) {
    is_empty = false;
    // Of a skeleton the entries are in a file of their own (-gsplit-dwarf).
    const bool is_split = dwarf_tag(&split) == DW_TAG_compile_unit;
    info->ReadUnit(is_split ? split : die);
  }
  if (is_empty) return nullptr;
  info->ListSpellings();
  return info;
}

DebugInfo::~DebugInfo() {
  if (dwarf_ != nullptr) dwarf_end(dwarf_);
}

void DebugInfo::ReadUnit(Die unit) {
  ReadScope(unit, "");
  for (const Die& die : variables_) ReadVariable(die);
  variables_.clear();
  fields_of_.clear();
}

void DebugInfo::ReadScope(Die scope, const std::string& prefix) {
  ForEachChild(scope, [&](Die child) { ReadEntry(child, prefix); });
}

void DebugInfo::ReadEntry(Die die, const std::string& prefix) {
  const int tag = dwarf_tag(&die);
  if (tag == DW_TAG_namespace) {
    const std::string_view name = NameOf(die);
    ReadScope(die, prefix + std::string(name.empty() ? kPrivate : name) + "::");
  } else if (HasMembers(tag)) {
    ReadClass(die, prefix);
  } else if (tag == DW_TAG_subprogram) {
    ReadFunction(die);
  } else if (tag == DW_TAG_variable) {
    variables_.push_back(die);
  }
}

void DebugInfo::ReadClass(Die die, const std::string& prefix) {
  std::string name = prefix + std::string(NameOf(die));
  // Defined outside of the class that declares it.
  if (const auto declared = Referred(die, DW_AT_specification)) {
    const auto at = names_.find(declared->addr);
    if (at != names_.end()) name = at->second;
  }
  const std::string_view own = NameOf(die);
  if (!IsDeclaration(die) && IsClass(die) && !own.empty()) {
    definitions_[name].push_back(die);
  }
  if (own.starts_with("Shape<") || own.starts_with("RegisteredShape<")) {
    if (const auto type = FirstArgument(die)) {
      ForEachChild(die, [&](Die child) {
        if (NameOf(child) == "kFields") fields_of_[child.addr] = *type;
      });
    }
  }
  ReadScope(die, name + "::");
  names_.emplace(die.addr, std::move(name));
}

void DebugInfo::ReadFunction(Die die) {
  if (!NameOf(die).starts_with("GetLayout")) return;
  const std::string symbol = LinkageName(die);
  const std::string_view argument = MangledArgument(symbol, "GetLayout");
  const auto type = FirstArgument(die);
  if (argument.empty() || !type) return;
  by_argument_.emplace(argument, *type);
}

void DebugInfo::ReadVariable(Die die) {
  const std::string_view name = NameOf(die);
  if (name != "kFields" && !name.starts_with("kLayoutOf")) return;
  const auto address = AddressOf(die);
  if (!address) return;
  auto type = FirstArgument(die);
  const auto declared = Referred(die, DW_AT_specification);
  if (!type && declared) {
    const auto at = fields_of_.find(declared->addr);
    if (at != fields_of_.end()) type = at->second;
  }
  if (type) by_address_.emplace(*address, *type);
}

std::optional<Die> DebugInfo::DescribedAt(std::uint64_t address) const {
  const auto at = by_address_.find(address);
  if (at == by_address_.end()) return std::nullopt;
  return at->second;
}

std::optional<Die> DebugInfo::DescribedBy(
    std::string_view mangled_argument) const {
  const auto at = by_argument_.find(std::string(mangled_argument));
  if (at == by_argument_.end()) return std::nullopt;
  return at->second;
}

void DebugInfo::ListSpellings() {
  for (const auto& [name, definitions] : definitions_) {
    const bool is_private = name.find(kPrivate) != std::string::npos;
    const bool is_one = !is_private || definitions.size() == 1;
    by_spelling_.emplace(Spelling(name),
                         is_one ? &definitions.front() : nullptr);
  }
}

std::optional<Die> DebugInfo::Called(std::string_view spelled) const {
  const auto at = by_spelling_.find(Spelling(spelled));
  if (at == by_spelling_.end() || at->second == nullptr) return std::nullopt;
  return *at->second;
}

std::string DebugInfo::FullName(Die type) const {
  type = Peel(type);
  if (const auto at = names_.find(type.addr); at != names_.end()) {
    return at->second;
  }
  if (const std::string_view name = NameOf(type); !name.empty()) {
    return std::string(name);
  }
  const auto inner = TypeOf(type);
  return (inner ? FullName(*inner) : "void") + Suffix(dwarf_tag(&type));
}

std::vector<Die> DebugInfo::DefinitionsOf(Die type) const {
  type = Peel(type);
  const auto name = names_.find(type.addr);
  const bool is_private = name == names_.end() || NameOf(type).empty() ||
                          name->second.find(kPrivate) != std::string::npos;
  if (is_private && !IsDeclaration(type)) return {type};
  if (name == names_.end()) return {};
  const auto at = definitions_.find(name->second);
  return at == definitions_.end() ? std::vector<Die>() : at->second;
}

std::optional<Die> DebugInfo::Defined(Die type) const {
  type = Peel(type);
  if (!IsClass(type) || !IsDeclaration(type)) return type;
  return Find(FullName(type));
}

std::optional<Die> DebugInfo::Find(const std::string& full_name) const {
  const auto at = definitions_.find(full_name);
  if (at == definitions_.end()) return std::nullopt;
  return at->second.front();
}

std::uint64_t DebugInfo::SizeOf(Die type) const {
  const auto defined = Defined(type);
  if (!defined) return 0;
  type = *defined;
  if (const auto size = NumberIn(type, DW_AT_byte_size)) return *size;
  const bool is_nullptr = dwarf_tag(&type) == DW_TAG_unspecified_type;
  if (IsPointer(type) || is_nullptr) return sizeof(std::uint64_t);
  if (dwarf_tag(&type) == DW_TAG_ptr_to_member_type) {
    // One word to a data member, two to a function.
    const auto to = TypeOf(type);
    const bool is_function = to && [&] {
      Die peeled = Peel(*to);
      return dwarf_tag(&peeled) == DW_TAG_subroutine_type;
    }();
    return sizeof(std::uint64_t) * (is_function ? 2 : 1);
  }
  if (dwarf_tag(&type) != DW_TAG_array_type) return 0;
  const auto element = TypeOf(type);
  return element ? SizeOf(*element) * CountOf(type) : 0;
}

}  // namespace layout_check
