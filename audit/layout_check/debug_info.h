// SPDX-License-Identifier: MIT
//
// DebugInfo: the types of a whole program, as its compilers described them.
// Finds every definition of a type, by its name with namespaces (one type has
// a definition in each source that uses it), and which type a layout is of. May
// touch libdw and the image; knows nothing of what layouts contain.
//
// Which type a layout is of is not written in the program. It is found by what
// each compiler leaves behind:
//   clang   the variable kLayoutOf<T> has an address and the argument T
//   g++     the variables kLayoutOf<T> and Shape<T>::kFields have addresses,
//           and the class Shape<T> has the argument T
//   both    the function GetLayout<T> has the argument T, and a symbol whose
//           mangled argument is that of the symbol kLayoutOf<T>
// g++ leaves none of these for plain data that no registered struct holds: such
// a type is found by its name.

#ifndef ACRE_LAYOUT_CHECK_DEBUG_INFO_H_
#define ACRE_LAYOUT_CHECK_DEBUG_INFO_H_

#include <elfutils/libdw.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "die.h"
#include "image.h"

namespace layout_check {

/// The mangled T in the symbol of kLayoutOf<T> or GetLayout<T>, as written
/// there; empty for any other symbol. `name` is "kLayoutOf" or "GetLayout".
std::string_view MangledArgument(std::string_view symbol,
                                 std::string_view name);

class DebugInfo {
 public:
  /// Returns: null where the image has no debug information.
  static std::unique_ptr<DebugInfo> Read(const Image& image);
  DebugInfo(const DebugInfo&) = delete;
  DebugInfo& operator=(const DebugInfo&) = delete;
  ~DebugInfo();

  /// The type that the constant data at the address describes.
  std::optional<Die> DescribedAt(std::uint64_t address) const;
  std::optional<Die> DescribedBy(std::string_view mangled_argument) const;
  /// The class of this name as __PRETTY_FUNCTION__ spells it, which differs in
  /// spaces. Nothing where several sources have a private one.
  std::optional<Die> Called(std::string_view spelled) const;

  /// The type with all its namespaces, as the compiler writes it.
  std::string FullName(Die type) const;
  /// Every definition of a class. Of one that is private to its source file:
  /// only this one, others of the name are other types.
  std::vector<Die> DefinitionsOf(Die type) const;
  /// Also for a class that is only declared in its unit: a definition.
  /// Nothing: a class without one. Any other type: itself.
  std::optional<Die> Defined(Die type) const;
  /// A definition of the class of this full name.
  std::optional<Die> Find(const std::string& full_name) const;
  std::uint64_t SizeOf(Die type) const;

 private:
  DebugInfo() = default;
  void ReadUnit(Die unit);
  void ReadScope(Die scope, const std::string& prefix);
  void ReadEntry(Die die, const std::string& prefix);
  void ReadClass(Die die, const std::string& prefix);
  void ReadFunction(Die die);
  void ReadVariable(Die die);
  void ListSpellings();

  Dwarf* dwarf_ = nullptr;  // owned
  /// Classes and enumerations by the address of their entry.
  std::unordered_map<const void*, std::string> names_;
  std::unordered_map<std::string, std::vector<Die>> definitions_;
  /// By the name without spaces; null: several types that are private.
  std::unordered_map<std::string, const Die*> by_spelling_;
  std::unordered_map<std::uint64_t, Die> by_address_;
  std::unordered_map<std::string, Die> by_argument_;
  // Of the unit being read: the members kFields and the types they are of; the
  // variables that may define one.
  std::unordered_map<const void*, Die> fields_of_;
  std::vector<Die> variables_;
};

}  // namespace layout_check

#endif  // ACRE_LAYOUT_CHECK_DEBUG_INFO_H_
