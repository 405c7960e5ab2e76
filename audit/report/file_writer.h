// SPDX-License-Identifier: MIT
//
// FileWriter: text on its way to a FILE*, in pieces. The first failure is kept
// and ends all writing.
//
//   FileWriter writer(file);
//   writer.text() += "...";
//   writer.FlushIfFull();
//   return writer.Finish();  // false: errno says why

#ifndef ACRE_AUDIT_FILE_WRITER_H_
#define ACRE_AUDIT_FILE_WRITER_H_

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <string>

#include "acre/config.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

class FileWriter {
 public:
  /// Borrows the file.
  explicit FileWriter(std::FILE* file) : file_(file) {}

  /// What is still to be written: append to it.
  std::string& text() { return text_; }

  /// To be called now and then: keeps text() short.
  void FlushIfFull() {
    // 64 KiB: a pipe's worth, past which fewer calls save nothing.
    constexpr std::size_t kFull = std::size_t{64} << 10;
    if (text_.size() >= kFull) Flush();
  }

  /// False where anything could not be written; sets errno.
  bool Finish() {
    Flush();
    if (error_ == 0 && std::fflush(file_) != 0) error_ = ErrorNow();
    if (error_ != 0) errno = error_;
    return error_ == 0;
  }

 private:
  void Flush() {
    errno = 0;
    if (error_ == 0 &&
        std::fwrite(text_.data(), 1, text_.size(), file_) != text_.size()) {
      error_ = ErrorNow();
    }
    text_.clear();
  }

  static int ErrorNow() { return errno != 0 ? errno : EIO; }

  std::FILE* file_;
  std::string text_;
  int error_ = 0;  // of the first failure
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_AUDIT_FILE_WRITER_H_
