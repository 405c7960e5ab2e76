// SPDX-License-Identifier: MIT
//
// DebugFile: where the debug information of a program is. In itself; in a file
// that was split off and lies beside it (.gnu_debuglink) or under a directory
// of such files (by build ID, by path), which is how Debian's -dbgsym packages
// do it; partly in a file that several programs share (dwz -m). What is not
// where it should be is said by name: a section that is not there does not mean
// that there is nothing to read. May touch libdw; reads no entries.

#ifndef ACRE_LAYOUT_CHECK_DEBUG_FILE_H_
#define ACRE_LAYOUT_CHECK_DEBUG_FILE_H_

#include <elfutils/libdw.h>

#include <memory>
#include <string>
#include <vector>

#include "elf_file.h"

namespace layout_check {

class DebugFile {
 public:
  /// `directory`: where files that were split off are looked for, beside the
  /// program's own folder. Returns: null, and in `error` what is missing.
  static std::unique_ptr<DebugFile> Find(const std::string& program,
                                         const std::string& directory,
                                         std::string* error);
  DebugFile(const DebugFile&) = delete;
  DebugFile& operator=(const DebugFile&) = delete;
  ~DebugFile();

  Dwarf* dwarf() const { return dwarf_; }
  /// What it shares with other programs; null where there is none.
  Dwarf* shared() const { return shared_; }
  Elf* elf() const { return file_->elf(); }

  /// What to tell where files of split units are not there.
  std::string SplitAdvice(const std::vector<std::string>& missing) const;
  /// What to tell where libdw reads only a part of such files.
  static std::string RepeatedAdvice(const std::vector<std::string>& files);

 private:
  DebugFile() = default;
  std::string Open(const std::string& program, const std::string& directory);
  std::string FindApart(const std::string& directory);
  std::string FindShared(const std::string& directory);

  std::string program_;
  std::unique_ptr<ElfFile> file_;
  std::unique_ptr<ElfFile> shared_file_;
  Dwarf* dwarf_ = nullptr;   // owned, of file_
  Dwarf* shared_ = nullptr;  // owned, of shared_file_
};

}  // namespace layout_check

#endif  // ACRE_LAYOUT_CHECK_DEBUG_FILE_H_
