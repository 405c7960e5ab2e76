// SPDX-License-Identifier: MIT

#include "debug_info.h"

#include <dwarf.h>
#include <gelf.h>

#include <algorithm>
#include <cctype>
#include <utility>

namespace layout_check {
namespace {

bool HasMembers(int tag) {
  return tag == DW_TAG_structure_type || tag == DW_TAG_class_type ||
         tag == DW_TAG_union_type || tag == DW_TAG_enumeration_type;
}

/// Erases each `word` that is not a part of a longer one.
void EraseWord(std::string* text, std::string_view word) {
  const auto is_letter = [&](std::size_t at) {
    return at < text->size() &&
           (std::isalnum(static_cast<unsigned char>((*text)[at])) != 0 ||
            (*text)[at] == '_');
  };
  std::size_t at = 0;
  while ((at = text->find(word, at)) != std::string::npos) {
    if ((at > 0 && is_letter(at - 1)) || is_letter(at + word.size())) {
      at += word.size();
    } else {
      text->erase(at, word.size());
    }
  }
}

/// What is left of a name where compilers do not differ. g++ itself has both
/// Box<const int> and Box<int const>.
std::string Spelling(std::string_view name) {
  constexpr std::string_view kPrivateOfGcc = "{anonymous}";
  std::string spelling(name);
  for (std::size_t at;
       (at = spelling.find(kPrivateOfGcc)) != std::string::npos;) {
    spelling.replace(at, kPrivateOfGcc.size(), kPrivate);
  }
  EraseWord(&spelling, "const");
  std::erase(spelling, ' ');
  return spelling;
}

/// The file that a skeleton unit stands for.
std::string SplitName(Die skeleton) {
  std::string name = TextIn(skeleton, DW_AT_dwo_name);
  if (name.empty()) name = TextIn(skeleton, DW_AT_GNU_dwo_name);
  const std::string folder = TextIn(skeleton, DW_AT_comp_dir);
  const bool is_whole = folder.empty() || name.starts_with('/');
  return is_whole ? name : folder + "/" + name;
}

/// g++ gives each type a section of its own (-fdebug-types-section), and no
/// linker joins those of a split unit. libdw reads one of a name.
bool HasRepeatedSections(Elf* elf) {
  std::size_t names = 0;
  if (elf_getshdrstrndx(elf, &names) != 0) return false;
  std::unordered_set<std::string> seen;
  for (Elf_Scn* section = elf_nextscn(elf, nullptr); section != nullptr;
       section = elf_nextscn(elf, section)) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr) continue;
    const char* name = elf_strptr(elf, names, header.sh_name);
    if (name == nullptr) continue;
    const bool has_types = std::string_view(name) == ".debug_info.dwo" ||
                           std::string_view(name) == ".debug_types.dwo";
    if (has_types && !seen.insert(name).second) return true;
  }
  return false;
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

std::unique_ptr<DebugInfo> DebugInfo::Read(const DebugFile& file,
                                           std::string* error) {
  std::unique_ptr<DebugInfo> info(new DebugInfo);
  *error = info->ReadAll(file);
  if (!error->empty()) return nullptr;
  return info;
}

std::string DebugInfo::ReadAll(const DebugFile& file) {
  // What it shares with other programs first: the rest refers to it.
  if (file.shared() != nullptr) ReadUnits(file.shared());
  ReadUnits(file.dwarf());
  if (!missing_.empty()) return file.SplitAdvice(missing_);
  if (!repeated_.empty()) return DebugFile::RepeatedAdvice(repeated_);
  if (units_ == 0) return "no debug information: compile with -g";
  for (const Die& die : variables_) ReadVariable(die);
  ListDefinitions();
  return {};
}

void DebugInfo::ReadUnits(Dwarf* dwarf) {
  Dwarf_CU* unit = nullptr;
  Die die;
  Die split;
  std::uint8_t kind = 0;
  while (dwarf_get_units(dwarf, unit, &unit, nullptr, &kind, &die, &split) ==
         0) {
    if (kind != DW_UT_skeleton) {
      ReadUnit(die);
    } else if (split.addr != nullptr) {
      // A file of its own (-gsplit-dwarf), which may have type units too.
      Dwarf* const apart = dwarf_cu_getdwarf(split.cu);
      if (HasRepeatedSections(dwarf_getelf(apart))) {
        repeated_.push_back(SplitName(die));
      }
      ReadUnits(apart);
    } else {
      NoteUnread(SplitName(die));
    }
  }
}

// libdw does not say why it has no split unit.
void DebugInfo::NoteUnread(const std::string& name) {
  std::string error;
  const auto file = ElfFile::Open(name, &error);
  if (file != nullptr && HasRepeatedSections(file->elf())) {
    repeated_.push_back(name);
  } else if (file != nullptr) {
    missing_.push_back(name + (file->is_unpacked()
                                   ? " (there, but packed with zstd)"
                                   : " (there, but of another build)"));
  } else {
    missing_.push_back(name);
  }
}

void DebugInfo::ReadUnit(Die unit) {
  ++units_;
  ReadScope(unit, {names_.Keep("")});
}

void DebugInfo::ReadScope(Die scope_die, const Scope& scope) {
  ForEachChild(scope_die, [&](Die child) { ReadEntry(child, scope); });
}

void DebugInfo::ReadEntry(Die die, const Scope& scope) {
  const int tag = dwarf_tag(&die);
  if (tag == DW_TAG_namespace) {
    const std::string_view name = NameOf(die);
    std::string inner =
        *scope.namespaces + std::string(name.empty() ? kPrivate : name) + "::";
    ReadScope(die, {names_.Keep(std::move(inner))});
  } else if (HasMembers(tag)) {
    ReadClass(die, scope);
  } else if (tag == DW_TAG_subprogram) {
    ReadFunction(die);
  } else if (tag == DW_TAG_variable) {
    const std::string_view name = NameOf(die);
    if (name == "kFields" || name.starts_with("kLayoutOf")) {
      variables_.push_back(die);
    }
  } else if (scope.outer &&
             (IsArgument(die) || tag == DW_TAG_GNU_template_parameter_pack)) {
    names_.AddArguments(*scope.outer);
  }
}

void DebugInfo::ReadClass(Die die, const Scope& scope) {
  const Scope* place = &scope;
  // Defined outside of the class that declares it.
  if (const auto declared = Referred(die, DW_AT_specification)) {
    if (const Scope* known = names_.ScopeOf(*declared)) place = known;
  }
  names_.Add(die, Scope(*place));
  const std::string_view own = NameOf(die);
  if (!IsDeclaration(die) && IsClass(die) && !own.empty()) {
    classes_.push_back({die, units_});
  }
  const std::string_view bare = own.substr(0, own.find('<'));
  if (bare == "Shape" || bare == "RegisteredShape") {
    if (const auto type = FirstArgument(die)) {
      ForEachChild(die, [&](Die child) {
        if (NameOf(child) == "kFields") fields_of_[child.addr] = *type;
      });
    }
  }
  ReadScope(die, {place->namespaces, die});
}

void DebugInfo::ReadFunction(Die die) {
  if (!NameOf(die).starts_with("GetLayout")) return;
  const std::string symbol = TextIn(die, DW_AT_linkage_name);
  const std::string_view argument = MangledArgument(symbol, "GetLayout");
  const auto type = FirstArgument(die);
  if (argument.empty() || !type) return;
  by_argument_[std::string(argument)].push_back(*type);
}

void DebugInfo::ReadVariable(Die die) {
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

void DebugInfo::ListDefinitions() {
  std::unordered_map<std::string, std::size_t> units;  // by identity: the last
  for (const auto& [die, unit] : classes_) {
    std::string identity = names_.Identity(die);
    const auto [at, is_new] = units.emplace(identity, unit);
    if (!is_new && at->second == unit) ambiguous_.insert(identity);
    at->second = unit;
    definitions_[std::move(identity)].push_back(die);
  }
  for (const auto& [identity, definitions] : definitions_) {
    auto& called = by_spelling_[Spelling(FullName(definitions.front()))];
    const bool is_one = IsKey(definitions.front(), identity);
    called.insert(called.end(), definitions.begin(),
                  is_one ? definitions.begin() + 1 : definitions.end());
  }
  for (auto& [argument, types] : by_argument_) {
    std::vector<Die> different;
    for (const Die& type : types) {
      if (std::none_of(different.begin(), different.end(),
                       [&](Die known) { return IsSame(known, type); })) {
        different.push_back(type);
      }
    }
    types = std::move(different);
  }
}

/// False where several types have this identity.
bool DebugInfo::IsKey(Die definition, const std::string& identity) const {
  return !names_.IsPrivate(definition) && !names_.LacksArguments(definition) &&
         ambiguous_.count(identity) == 0;
}

bool DebugInfo::IsSame(Die a, Die b) const {
  a = Peel(a);
  b = Peel(b);
  if (a.addr == b.addr) return true;
  const std::string identity = names_.Identity(a);
  return IsKey(a, identity) && identity == names_.Identity(b);
}

std::optional<Die> DebugInfo::DescribedAt(std::uint64_t address) const {
  const auto at = by_address_.find(address);
  if (at == by_address_.end()) return std::nullopt;
  return at->second;
}

std::vector<Die> DebugInfo::DescribedBy(
    std::string_view mangled_argument) const {
  const auto at = by_argument_.find(std::string(mangled_argument));
  return at == by_argument_.end() ? std::vector<Die>() : at->second;
}

std::vector<Die> DebugInfo::Called(std::string_view spelled) const {
  const auto at = by_spelling_.find(Spelling(spelled));
  return at == by_spelling_.end() ? std::vector<Die>() : at->second;
}

std::vector<std::vector<Die>> DebugInfo::DefinitionsOf(Die type) const {
  type = Peel(type);
  const auto defined = Defined(type);
  const std::vector<Die> types =
      defined ? std::vector<Die>{*defined} : Called(names_.FullName(type));
  std::vector<std::vector<Die>> lists;
  for (const Die& one : types) {
    const std::string identity = names_.Identity(one);
    const auto at = definitions_.find(identity);
    if (at == definitions_.end() || !IsKey(one, identity)) {
      lists.push_back({one});
    } else {
      lists.push_back(at->second);
    }
  }
  return lists;
}

std::optional<Die> DebugInfo::Defined(Die type) const {
  type = Peel(type);
  if (!IsClass(type) || !IsDeclaration(type)) return type;
  const std::string identity = names_.Identity(type);
  const auto at = definitions_.find(identity);
  if (at != definitions_.end() && IsKey(at->second.front(), identity)) {
    return at->second.front();
  }
  // g++ declares an instance of a template without its arguments.
  const std::vector<Die> called = Called(names_.FullName(type));
  if (called.size() == 1) return called.front();
  return std::nullopt;
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
