// SPDX-License-Identifier: MIT
//
// Files of saved arenas: one that is written beside another and then takes its
// place, and reading. Errors are errnos. Internal to acre.

#ifndef ACRE_CONTAINERS_SAVED_SAVED_FILE_H_
#define ACRE_CONTAINERS_SAVED_SAVED_FILE_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "acre/config.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// A new file. Gone at the end, unless it has taken the other's place.
class NewFile {
 public:
  /// What is at `path`, or what a link there leads to, is to be replaced.
  explicit NewFile(const char* path);
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile();

  /// 0, or what went wrong first; nothing is done after that.
  int error() const { return error_; }

  /// False for what would be longer than this process may write: to try would
  /// be a signal.
  bool MayHold(std::uint64_t bytes);
  void Write(std::uint64_t at, const void* bytes, std::size_t size);
  void TakePlace(bool sync);
  /// True where it has taken the place, but a power failure may undo that.
  bool is_unsynced() const { return is_unsynced_; }

 private:
  std::string path_;
  std::string own_path_;
  int fd_ = -1;
  int error_ = 0;
  bool is_unsynced_ = false;
};

/// An open file, or none.
class OldFile {
 public:
  explicit OldFile(const char* path);
  OldFile(const OldFile&) = delete;
  OldFile& operator=(const OldFile&) = delete;
  ~OldFile();

  int error() const { return error_; }
  int fd() const { return fd_; }
  std::uint64_t size() const { return size_; }
  /// True where all of it came. False with an error() of 0: the file ends
  /// before.
  bool Read(std::uint64_t at, void* bytes, std::size_t size);

 private:
  int fd_ = -1;
  int error_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_SAVED_SAVED_FILE_H_
