// SPDX-License-Identifier: MIT
//
// TypeNames: what a type is called, and which type it is. These are two things:
// compilers give one name to several types (g++ 12 calls Box<3> and Box<3L> the
// same, and all lambdas of a function), and clang with -gsimple-template-names
// leaves out the arguments of templates altogether. May touch libdw; is told of
// the types by who reads the whole program.

#ifndef ACRE_LAYOUT_CHECK_NAMES_H_
#define ACRE_LAYOUT_CHECK_NAMES_H_

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "die.h"

namespace layout_check {

/// Stands in a full name for an anonymous namespace.
inline constexpr std::string_view kPrivate = "(anonymous namespace)";

/// Where a type is declared: namespaces, then the class around it if any.
struct Scope {
  const std::string* namespaces = nullptr;  ///< "a::b::"
  std::optional<Die> outer = std::nullopt;
};

class TypeNames {
 public:
  /// The same text at one address, for a Scope.
  const std::string* Keep(std::string text);

  /// Tells of a class or enumeration.
  void Add(Die type, const Scope& scope);
  /// Tells that one has arguments of a template.
  void AddArguments(Die type);

  /// Where the type is declared. Null: in a function, or not told of.
  const Scope* ScopeOf(Die type) const;

  /// The type with all its namespaces and arguments, as the compiler writes it.
  std::string FullName(Die type) const;
  /// Equal for two types only where they are one type: its namespaces, name
  /// and arguments, each with its own type, and of what has no name and of
  /// local classes the place in the source. But see LacksArguments().
  std::string Identity(Die type) const;
  /// True where only one source file can mean this type by its name.
  bool IsPrivate(Die type) const;
  /// True for an instance of a template, or what is in one, whose arguments are
  /// not described (g++ leaves them out of type units): several types may have
  /// its identity.
  bool LacksArguments(Die type) const;

 private:
  struct Entry {
    Scope scope;
    bool has_arguments = false;
  };

  const Entry* Find(Die type) const;
  std::string ArgumentNames(Die type) const;
  std::string ArgumentKeys(Die type) const;
  std::string KeyOf(Die type) const;

  std::set<std::string> texts_;
  std::unordered_map<const void*, Entry> entries_;  // by address of the Die
};

}  // namespace layout_check

#endif  // ACRE_LAYOUT_CHECK_NAMES_H_
