// SPDX-License-Identifier: MIT

#include "names.h"

#include <dwarf.h>

#include <utility>

namespace layout_check {
namespace {

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

/// Types that are another type, or one with a modifier.
std::string_view Modifier(int tag) {
  switch (tag) {
    case DW_TAG_const_type:
      return " const";
    case DW_TAG_volatile_type:
      return " volatile";
    case DW_TAG_pointer_type:
      return "*";
    case DW_TAG_reference_type:
      return "&";
    case DW_TAG_rvalue_reference_type:
      return "&&";
    case DW_TAG_ptr_to_member_type:
      return "::*";
    default:
      return {};
  }
}

bool IsNamed(int tag) {
  return tag == DW_TAG_structure_type || tag == DW_TAG_class_type ||
         tag == DW_TAG_union_type || tag == DW_TAG_enumeration_type;
}

std::string PlaceKey(Die type) {
  const Place place = PlaceOf(type);
  int column = 0;
  dwarf_decl_column(&type, &column);
  return "@" + place.file + ":" + std::to_string(place.line) + ":" +
         std::to_string(column);
}

/// The value of an argument, where it is a number or the name of a template.
std::string ValueOf(Die argument) {
  if (const auto number = SignedIn(argument, DW_AT_const_value)) {
    return std::to_string(*number);
  }
  return TextIn(argument, DW_AT_GNU_template_name);
}

/// Calls visit for each argument, those of packs included.
void ForEachArgument(Die type, const std::function<void(Die)>& visit) {
  ForEachChild(type, [&](Die child) {
    if (IsArgument(child)) visit(child);
    if (dwarf_tag(&child) == DW_TAG_GNU_template_parameter_pack) {
      ForEachArgument(child, visit);
    }
  });
}

}  // namespace

const std::string* TypeNames::Keep(std::string text) {
  return &*texts_.insert(std::move(text)).first;
}

void TypeNames::Add(Die type, const Scope& scope) {
  entries_.emplace(type.addr, Entry{scope});
}

void TypeNames::AddArguments(Die type) {
  const auto at = entries_.find(type.addr);
  if (at != entries_.end()) at->second.has_arguments = true;
}

const TypeNames::Entry* TypeNames::Find(Die type) const {
  const auto at = entries_.find(type.addr);
  return at == entries_.end() ? nullptr : &at->second;
}

const Scope* TypeNames::ScopeOf(Die type) const {
  const Entry* entry = Find(type);
  return entry == nullptr ? nullptr : &entry->scope;
}

std::string TypeNames::FullName(Die type) const {
  type = Peel(type);
  std::string name(NameOf(type));
  if (const Entry* entry = Find(type)) {
    // Of a template's instance -gsimple-template-names leaves the arguments
    // out.
    if (entry->has_arguments && !name.ends_with('>')) {
      name += ArgumentNames(type);
    }
    const Scope& scope = entry->scope;
    return (scope.outer ? FullName(*scope.outer) + "::" : *scope.namespaces) +
           name;
  }
  if (!name.empty()) return name;
  const auto inner = TypeOf(type);
  return (inner ? FullName(*inner) : "void") + Suffix(dwarf_tag(&type));
}

std::string TypeNames::ArgumentNames(Die type) const {
  std::string names;
  ForEachArgument(type, [&](Die argument) {
    const auto argument_type = TypeOf(argument);
    names += names.empty() ? "" : ", ";
    if (dwarf_tag(&argument) == DW_TAG_template_type_parameter) {
      names += argument_type ? FullName(*argument_type) : "void";
    } else {
      names += ValueOf(argument);
    }
  });
  return "<" + names + ">";
}

std::string TypeNames::Identity(Die type) const {
  type = Peel(type);
  std::string identity(NameOf(type));
  const Entry* entry = Find(type);
  const bool is_nameless = identity.empty() || identity.starts_with("<lambda");
  if (is_nameless || entry == nullptr) identity += PlaceKey(type);
  if (entry == nullptr) return identity + ArgumentKeys(type);
  if (entry->has_arguments) identity += ArgumentKeys(type);
  const Scope& scope = entry->scope;
  return (scope.outer ? Identity(*scope.outer) + "::" : *scope.namespaces) +
         identity;
}

std::string TypeNames::ArgumentKeys(Die type) const {
  std::string keys;
  ForEachArgument(type, [&](Die argument) {
    const auto argument_type = TypeOf(argument);
    keys += argument_type ? KeyOf(*argument_type) : "void";
    keys += '=';
    keys += ValueOf(argument);
    keys += ';';
  });
  return keys.empty() ? keys : "{" + keys + "}";
}

/// Of any type: unlike Identity it tells const from not.
std::string TypeNames::KeyOf(Die type) const {
  const int tag = dwarf_tag(&type);
  if (IsNamed(tag)) return Identity(type);
  const auto inner = TypeOf(type);
  std::string key = inner ? KeyOf(*inner) : "void";
  if (tag == DW_TAG_typedef) return key;
  if (const auto modifier = Modifier(tag); !modifier.empty()) {
    if (const auto of = Referred(type, DW_AT_containing_type)) {
      key += ' ';
      key += KeyOf(*of);
    }
    return key.append(modifier);
  }
  if (tag == DW_TAG_array_type) {
    return key + "[" + std::to_string(CountOf(type)) + "]";
  }
  if (tag != DW_TAG_subroutine_type) return std::string(NameOf(type));
  key += "(";
  ForEachChild(type, [&](Die child) {
    const auto parameter = TypeOf(child);
    key += (parameter ? KeyOf(*parameter) : "...") + ",";
  });
  return key + ")";
}

bool TypeNames::IsPrivate(Die type) const {
  type = Peel(type);
  return Find(type) == nullptr || NameOf(type).empty() ||
         FullName(type).find(kPrivate) != std::string::npos;
}

bool TypeNames::LacksArguments(Die type) const {
  type = Peel(type);
  const Entry* entry = Find(type);
  if (entry == nullptr) return false;
  if (!entry->has_arguments && NameOf(type).ends_with('>')) return true;
  return entry->scope.outer && LacksArguments(*entry->scope.outer);
}

}  // namespace layout_check
