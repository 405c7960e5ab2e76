// SPDX-License-Identifier: MIT
//
// Image: a linked program or shared object as it lies in memory once loaded,
// read from its file. Nothing of it is run. May touch libelf; knows nothing of
// debug information or of layouts.
//
// The pointers in constant data of position-independent code are not in the
// file's bytes: the dynamic loader would write them. Image writes them itself,
// from the dynamic relocations, as if the program were loaded at address 0.
//
// Ownership: an Image owns its file; texts of symbols live as long as it does
// and the file that ReadSymbols() was given.

#ifndef ACRE_LAYOUT_CHECK_IMAGE_H_
#define ACRE_LAYOUT_CHECK_IMAGE_H_

#include <gelf.h>
#include <libelf.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace layout_check {

struct Symbol {
  std::string_view name;
  std::uint64_t address = 0;
  std::uint64_t size = 0;
  unsigned source = 0;  ///< of local ones: which source file; else 0
};

class Image {
 public:
  /// Returns: null where the file cannot be read, and in `error` why.
  static std::unique_ptr<Image> Open(const std::string& path,
                                     std::string* error);
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;
  ~Image();

  /// The number of `size` bytes (1 to 8) at the address; nothing where the
  /// program has no bytes there, or only its loader could know them.
  std::optional<std::uint64_t> Number(std::uint64_t address,
                                      std::size_t size) const;
  std::optional<std::string_view> Text(std::uint64_t address,
                                       std::size_t size) const;

  /// Takes the symbols of a file that was split off, where that has more: it
  /// outlives the image.
  void ReadSymbols(Elf* elf);
  /// Named functions and data that the program defines.
  const std::vector<Symbol>& symbols() const { return symbols_; }

 private:
  struct Segment {
    std::uint64_t address;
    std::string_view bytes;
  };

  explicit Image(int file) : file_(file) {}
  std::string Read();
  void AddSymbols(Elf* elf, Elf_Scn* section, const GElf_Shdr& header);
  void ReadRelocations(Elf_Scn* section, const GElf_Shdr& header);

  int file_;
  Elf* elf_ = nullptr;
  GElf_Half machine_ = EM_NONE;
  std::vector<Segment> segments_;
  std::vector<Symbol> symbols_;
  bool has_all_symbols_ = false;  // not only those for other objects
  /// Address to what the loader writes there; nothing: it asks other objects.
  std::unordered_map<std::uint64_t, std::optional<std::uint64_t>> written_;
};

}  // namespace layout_check

#endif  // ACRE_LAYOUT_CHECK_IMAGE_H_
