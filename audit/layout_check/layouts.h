// SPDX-License-Identifier: MIT
//
// The layouts that a program holds: its constants kLayoutOf<T>, one for each
// type that its compiled code knows, read from the file without running it.
// Where the parts of a layout lie is asked of the debug information as well, so
// that this tool includes nothing of acre and reads any version of it. May
// touch the image and the debug information; compares nothing.

#ifndef ACRE_LAYOUT_CHECK_LAYOUTS_H_
#define ACRE_LAYOUT_CHECK_LAYOUTS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "debug_info.h"
#include "image.h"

namespace layout_check {

inline constexpr std::size_t kUnknown = ~std::size_t{0};

/// As acre::FieldLayout.
struct Field {
  std::string name;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;       ///< 0 for an empty class too
  std::string note;             ///< "kNone", "kBorrowed", ...
  std::size_t type = kUnknown;  ///< index of its layout

  bool is_opaque() const { return note == "kOpaque"; }
  bool is_borrowed() const { return note == "kBorrowed"; }
};

/// As acre::TypeLayout.
struct Layout {
  std::string name;  ///< as the compiler spells it, without acre's version
  std::uint64_t size = 0;
  std::string kind;  ///< "kStruct", "kPlain", ...
  /// The library refuses the type: no value of it is ever in an arena.
  bool is_refused = false;
  std::vector<Field> fields;
  /// What the layout is of, where that is known. Several where it is one of
  /// these: names are no keys.
  std::vector<Die> types;

  bool is_struct() const { return kind == "kStruct"; }
  bool is_plain() const { return kind == "kPlain"; }
};

/// All layouts, by name. Returns: none, and in `error` why, where the image
/// has none or they cannot be read.
std::vector<Layout> ReadLayouts(const Image& image, const DebugInfo& info,
                                std::string* error);

}  // namespace layout_check

#endif  // ACRE_LAYOUT_CHECK_LAYOUTS_H_
