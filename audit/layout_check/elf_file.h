// SPDX-License-Identifier: MIT
//
// ElfFile: an ELF file whose sections can be read, those included that are
// compressed in a way that libelf does not know (zstd, before 0.189). What
// cannot be read is said. May touch libelf and libzstd; knows nothing of what
// is in the sections.

#ifndef ACRE_LAYOUT_CHECK_ELF_FILE_H_
#define ACRE_LAYOUT_CHECK_ELF_FILE_H_

#include <libelf.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace layout_check {

class ElfFile {
 public:
  /// Returns: null where it cannot be read, and in `error` why.
  static std::unique_ptr<ElfFile> Open(const std::string& path,
                                       std::string* error);
  ElfFile(const ElfFile&) = delete;
  ElfFile& operator=(const ElfFile&) = delete;
  ~ElfFile();

  Elf* elf() const { return elf_; }
  const std::string& path() const { return path_; }
  /// True where libelf alone could not have read it.
  bool is_unpacked() const { return !copy_.empty(); }

  /// Null where there is none of the name.
  Elf_Scn* Section(std::string_view name) const;
  /// The bytes of a section, empty where there is none.
  std::string_view Bytes(std::string_view name) const;
  /// The build ID, as bytes; empty where there is none.
  std::string_view BuildId() const;

 private:
  explicit ElfFile(std::string path) : path_(std::move(path)) {}
  std::string Read();
  std::string Decompress();

  std::string path_;
  int file_ = -1;
  Elf* elf_ = nullptr;
  /// A copy of the file, where sections had to be decompressed: those stand
  /// behind it. elf_ is of this, then.
  std::vector<char> copy_;
};

}  // namespace layout_check

#endif  // ACRE_LAYOUT_CHECK_ELF_FILE_H_
