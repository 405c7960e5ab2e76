// SPDX-License-Identifier: MIT

#include "die.h"

#include <dwarf.h>

namespace layout_check {
namespace {

/// Offset of a member or base in bytes. Nothing: not constant.
std::optional<std::uint64_t> ByteOffset(Die member) {
  if (!dwarf_hasattr(&member, DW_AT_data_member_location)) return 0;
  if (auto number = NumberIn(member, DW_AT_data_member_location)) return number;
  Dwarf_Attribute attribute;
  Dwarf_Op* ops = nullptr;
  std::size_t count = 0;
  if (dwarf_attr(&member, DW_AT_data_member_location, &attribute) != nullptr &&
      dwarf_getlocation(&attribute, &ops, &count) == 0 && count == 1 &&
      ops[0].atom == DW_OP_plus_uconst) {
    return ops[0].number;
  }
  return std::nullopt;
}

/// First bit of a bit-field. DWARF 4 counts from the most significant end of
/// the storage unit (DW_AT_bit_offset), DWARF 5 from the start of the class.
std::uint64_t FirstBit(Die member, std::uint64_t byte, std::uint64_t bits) {
  if (auto begin = NumberIn(member, DW_AT_data_bit_offset)) {
    return byte * kByte + *begin;
  }
  const auto from_top = NumberIn(member, DW_AT_bit_offset);
  if (!from_top) return byte * kByte;
  auto unit = NumberIn(member, DW_AT_byte_size);
  if (const auto type = TypeOf(member); !unit && type) {
    unit = NumberIn(Peel(*type), DW_AT_byte_size);
  }
  return byte * kByte + unit.value_or(0) * kByte - *from_top - bits;
}

std::optional<Member> ReadMember(Die die) {
  const int tag = dwarf_tag(&die);
  if (tag != DW_TAG_member && tag != DW_TAG_inheritance) return std::nullopt;
  // Static members: DWARF 4 calls them members too.
  if (dwarf_hasattr(&die, DW_AT_external) || IsDeclaration(die)) {
    return std::nullopt;
  }
  const auto type = TypeOf(die);
  const auto byte = ByteOffset(die);
  if (!type || !byte) return std::nullopt;
  Member member;
  member.is_base = tag == DW_TAG_inheritance;
  if (!member.is_base) member.name = NameOf(die);
  member.type = *type;
  member.bits = NumberIn(die, DW_AT_bit_size).value_or(0);
  member.begin =
      member.bits == 0 ? *byte * kByte : FirstBit(die, *byte, member.bits);
  return member;
}

}  // namespace

std::string_view NameOf(Die die) {
  const char* name = dwarf_diename(&die);
  return name == nullptr ? std::string_view() : name;
}

void ForEachChild(Die die, const std::function<void(Die)>& visit) {
  Die child;
  if (dwarf_child(&die, &child) != 0) return;
  do {
    visit(child);
  } while (dwarf_siblingof(&child, &child) == 0);
}

std::optional<std::uint64_t> NumberIn(Die die, unsigned attribute) {
  Dwarf_Attribute at;
  Dwarf_Word number = 0;
  if (dwarf_attr(&die, attribute, &at) == nullptr ||
      dwarf_formudata(&at, &number) != 0) {
    return std::nullopt;
  }
  return number;
}

std::optional<std::int64_t> SignedIn(Die die, unsigned attribute) {
  Dwarf_Attribute at;
  Dwarf_Sword number = 0;
  if (dwarf_attr(&die, attribute, &at) == nullptr ||
      dwarf_formsdata(&at, &number) != 0) {
    return std::nullopt;
  }
  return number;
}

std::string TextIn(Die die, unsigned attribute) {
  Dwarf_Attribute at;
  const char* text = nullptr;
  if (dwarf_attr_integrate(&die, attribute, &at) != nullptr) {
    text = dwarf_formstring(&at);
  }
  return text == nullptr ? "" : text;
}

std::optional<Die> Referred(Die die, unsigned attribute) {
  Dwarf_Attribute at;
  Die referred;
  if (dwarf_attr_integrate(&die, attribute, &at) == nullptr ||
      dwarf_formref_die(&at, &referred) == nullptr) {
    return std::nullopt;
  }
  return referred;
}

std::optional<Die> TypeOf(Die die) { return Referred(die, DW_AT_type); }

Die Peel(Die type) {
  for (;;) {
    switch (dwarf_tag(&type)) {
      case DW_TAG_typedef:
      case DW_TAG_const_type:
      case DW_TAG_volatile_type:
      case DW_TAG_restrict_type:
      case DW_TAG_atomic_type:
        break;
      default: {
        // Stands for one in a type unit (-fdebug-types-section).
        const auto signed_type = Referred(type, DW_AT_signature);
        return signed_type ? *signed_type : type;
      }
    }
    const auto inner = TypeOf(type);
    if (!inner) return type;
    type = *inner;
  }
}

bool IsClass(Die type) {
  const int tag = dwarf_tag(&type);
  return tag == DW_TAG_structure_type || tag == DW_TAG_class_type ||
         tag == DW_TAG_union_type;
}

bool IsPointer(Die type) {
  const int tag = dwarf_tag(&type);
  return tag == DW_TAG_pointer_type || tag == DW_TAG_reference_type ||
         tag == DW_TAG_rvalue_reference_type;
}

bool IsDeclaration(Die die) {
  return dwarf_hasattr(&die, DW_AT_declaration) != 0;
}

std::vector<Member> MembersOf(Die type) {
  std::vector<Member> members;
  ForEachChild(type, [&](Die child) {
    if (auto member = ReadMember(child)) members.push_back(*std::move(member));
  });
  return members;
}

bool IsArgument(Die die) {
  const int tag = dwarf_tag(&die);
  return tag == DW_TAG_template_type_parameter ||
         tag == DW_TAG_template_value_parameter ||
         tag == DW_TAG_GNU_template_template_param;
}

std::optional<Die> FirstArgument(Die die) {
  std::optional<Die> type;
  ForEachChild(die, [&](Die child) {
    if (!type && dwarf_tag(&child) == DW_TAG_template_type_parameter) {
      type = TypeOf(child);
    }
  });
  return type;
}

std::optional<std::uint64_t> AddressOf(Die variable) {
  Dwarf_Attribute at;
  Dwarf_Op* ops = nullptr;
  std::size_t count = 0;
  if (dwarf_attr(&variable, DW_AT_location, &at) == nullptr ||
      dwarf_getlocation(&at, &ops, &count) != 0 || count != 1) {
    return std::nullopt;
  }
  if (ops[0].atom == DW_OP_addr) return ops[0].number;
  // DWARF 5 keeps addresses in a table of the unit.
  Dwarf_Attribute entry;
  Dwarf_Addr address = 0;
  if (dwarf_getlocation_attr(&at, &ops[0], &entry) != 0 ||
      dwarf_formaddr(&entry, &address) != 0) {
    return std::nullopt;
  }
  return address;
}

std::uint64_t CountOf(Die array) {
  std::uint64_t count = 1;
  ForEachChild(array, [&](Die child) {
    if (dwarf_tag(&child) != DW_TAG_subrange_type) return;
    if (const auto n = NumberIn(child, DW_AT_count)) {
      count *= *n;
    } else if (const auto last = NumberIn(child, DW_AT_upper_bound)) {
      count *= *last + 1;
    } else {
      count = 0;
    }
  });
  return count;
}

Place PlaceOf(Die die) {
  Place place;
  Die unit;
  Dwarf_Files* files = nullptr;
  std::size_t count = 0;
  // dwarf_decl_file takes 0 for no file; in DWARF 5 it is the source itself.
  if (const auto file = NumberIn(die, DW_AT_decl_file);
      file && dwarf_diecu(&die, &unit, nullptr, nullptr) != nullptr &&
      dwarf_getsrcfiles(&unit, &files, &count) == 0 && *file < count) {
    place.file = dwarf_filesrc(files, *file, nullptr, nullptr);
  }
  dwarf_decl_line(&die, &place.line);
  return place;
}

}  // namespace layout_check
