// SPDX-License-Identifier: MIT
//
// DebugInfo: the types of a whole program, as its compilers described them.
// Finds every definition of a type (it has one in each source that uses it),
// and which type a layout is of. May touch libdw and the files that hold the
// debug information; knows nothing of what layouts contain.
//
// Which type a layout is of is not written in the program. It is found by what
// each compiler leaves behind:
//   clang   the variable kLayoutOf<T> has an address and the argument T
//   g++     the variables kLayoutOf<T> and Shape<T>::kFields have addresses,
//           and the class Shape<T> has the argument T
//   both    the function GetLayout<T> has the argument T, and a symbol whose
//           mangled argument is that of the symbol kLayoutOf<T>
// g++ leaves none of these for plain data that no registered struct holds: such
// a type is found by its name. Names and mangled arguments are no keys: several
// types may have one, and are all returned.

#ifndef ACRE_LAYOUT_CHECK_DEBUG_INFO_H_
#define ACRE_LAYOUT_CHECK_DEBUG_INFO_H_

#include <elfutils/libdw.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "debug_file.h"
#include "die.h"
#include "names.h"

namespace layout_check {

/// The mangled T in the symbol of kLayoutOf<T> or GetLayout<T>, as written
/// there; empty for any other symbol. `name` is "kLayoutOf" or "GetLayout".
std::string_view MangledArgument(std::string_view symbol,
                                 std::string_view name);

class DebugInfo {
 public:
  /// Returns: null, and in `error` why, where a file is missing. `file`
  /// outlives it.
  static std::unique_ptr<DebugInfo> Read(const DebugFile& file,
                                         std::string* error);
  DebugInfo(const DebugInfo&) = delete;
  DebugInfo& operator=(const DebugInfo&) = delete;

  /// The type that the constant data at the address describes.
  std::optional<Die> DescribedAt(std::uint64_t address) const;
  /// The types of this mangled argument: one, unless they are private to
  /// source files.
  std::vector<Die> DescribedBy(std::string_view mangled_argument) const;
  /// The classes of this name as __PRETTY_FUNCTION__ spells it, which differs
  /// in spaces.
  std::vector<Die> Called(std::string_view spelled) const;

  /// The type with all its namespaces, as the compiler writes it.
  std::string FullName(Die type) const { return names_.FullName(type); }
  bool IsSame(Die a, Die b) const;
  /// Every definition of a class. Of one that is private to its source file,
  /// or that cannot be told from another: only this one. Several lists where
  /// it is only declared, and several types have its name.
  std::vector<std::vector<Die>> DefinitionsOf(Die type) const;
  /// Also for a class that is only declared in its unit: a definition.
  /// Nothing: a class without one, or that could be several. Any other type:
  /// itself.
  std::optional<Die> Defined(Die type) const;
  /// A definition of the class, no template, of this full name.
  std::optional<Die> Find(const std::string& full_name) const;
  std::uint64_t SizeOf(Die type) const;

 private:
  DebugInfo() = default;
  std::string ReadAll(const DebugFile& file);
  void ReadUnits(Dwarf* dwarf);
  void NoteUnread(const std::string& name);
  void ReadUnit(Die unit);
  void ReadScope(Die scope_die, const Scope& scope);
  void ReadEntry(Die die, const Scope& scope);
  void ReadClass(Die die, const Scope& scope);
  void ReadFunction(Die die);
  void ReadVariable(Die die);
  void ListDefinitions();
  bool IsKey(Die definition, const std::string& identity) const;

  struct Class {
    Die die;
    std::size_t unit;  // which one, counted as they are read
  };

  TypeNames names_;
  std::size_t units_ = 0;
  std::vector<std::string> missing_;   // files of split units
  std::vector<std::string> repeated_;  // those that libdw reads in part
  std::vector<Class> classes_;         // definitions, as they are read
  std::unordered_map<std::string, std::vector<Die>>
      definitions_;  // by identity
  /// Identities that two types in one unit have: no key either.
  std::unordered_set<std::string> ambiguous_;
  /// By the full name without spaces, one definition of each type.
  std::unordered_map<std::string, std::vector<Die>> by_spelling_;
  std::unordered_map<std::uint64_t, Die> by_address_;
  std::unordered_map<std::string, std::vector<Die>> by_argument_;
  /// The members kFields and the types they are of; the variables that may
  /// define one. dwz may have put one and the other into different units.
  std::unordered_map<const void*, Die> fields_of_;
  std::vector<Die> variables_;
};

}  // namespace layout_check

#endif  // ACRE_LAYOUT_CHECK_DEBUG_INFO_H_
