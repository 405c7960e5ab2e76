// SPDX-License-Identifier: MIT
//
// What one entry of the debug information (a DIE) says of a type: its members
// and where they lie, its size, where it was declared. g++ and clang, DWARF 4
// and 5 write these differently; who includes this need not know. May touch
// libdw; sees one entry and what it refers to, never the whole program
// (debug_info.h does).

#ifndef ACRE_LAYOUT_CHECK_DIE_H_
#define ACRE_LAYOUT_CHECK_DIE_H_

#include <elfutils/libdw.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace layout_check {

using Die = Dwarf_Die;

/// Bits in one: the unit of bit-fields.
constexpr std::uint64_t kByte = 8;

/// A data member or a base class.
struct Member {
  std::string name;  ///< empty: an anonymous struct or union, or a base
  Die type{};
  std::uint64_t begin = 0;  ///< first bit, from the start of the class
  std::uint64_t bits = 0;   ///< of a bit-field; else 0
  bool is_base = false;
};

/// Where the source declares something.
struct Place {
  std::string file;
  int line = 0;
};

std::string_view NameOf(Die die);
void ForEachChild(Die die, const std::function<void(Die)>& visit);
std::optional<std::uint64_t> NumberIn(Die die, unsigned attribute);
std::optional<std::int64_t> SignedIn(Die die, unsigned attribute);
/// Empty where it has no such text.
std::string TextIn(Die die, unsigned attribute);

/// The entry that an attribute refers to.
std::optional<Die> Referred(Die die, unsigned attribute);

/// The type of a member, pointer, array, typedef, variable. Nothing: void.
std::optional<Die> TypeOf(Die die);

/// The type behind typedefs, const, volatile.
Die Peel(Die type);

bool IsClass(Die type);    ///< struct, class or union
bool IsPointer(Die type);  ///< pointer or reference
bool IsDeclaration(Die die);

/// The data members and bases, in order. Virtual bases are left out: they have
/// no place, and acre accepts no class that has one.
std::vector<Member> MembersOf(Die type);

/// A type, value or template among the arguments of a template.
bool IsArgument(Die die);

/// The first type among the arguments of a template.
std::optional<Die> FirstArgument(Die die);

/// The address of a variable that has one.
std::optional<std::uint64_t> AddressOf(Die variable);

/// The elements of all dimensions of an array.
std::uint64_t CountOf(Die array);

Place PlaceOf(Die die);

}  // namespace layout_check

#endif  // ACRE_LAYOUT_CHECK_DIE_H_
