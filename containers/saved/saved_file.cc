// SPDX-License-Identifier: MIT

#include "saved/saved_file.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <random>

#include "acre/detail/path.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

// More at once no system call takes.
constexpr std::size_t kPiece = std::size_t{1} << 30;

std::string FolderOf(const std::string& path);

/// Where a link leads to, be something there or not; else the path itself.
std::string Resolved(std::string path) {
  constexpr int kMostLinks = 40;  // as many as the kernel follows
  for (int i = 0; i < kMostLinks; ++i) {
    std::string target(4096, ' ');
    const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
    if (size <= 0) break;
    target.resize(static_cast<std::size_t>(size));
    path = target[0] == '/' ? target : Joined({FolderOf(path), "/", target});
  }
  return path;
}

std::string FolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// Of some filesystems, those of a network, a signal breaks off what waits.
bool Sync(int fd) {
  int result;
  do {
    result = ::fsync(fd);
  } while (result != 0 && errno == EINTR);
  return result == 0;
}

}  // namespace

// ------------------------------------------------------------------------ new

NewFile::NewFile(const char* path) : path_(Resolved(path)) {
  struct stat old;
  const bool is_there = ::stat(path_.c_str(), &old) == 0;
  if (is_there && !S_ISREG(old.st_mode)) {
    // What is no file would be gone.
    error_ = S_ISDIR(old.st_mode) ? EISDIR : EINVAL;
    return;
  }
  if (path_.empty()) {
    error_ = ENOENT;
    return;
  }
  constexpr int kTries = 16;
  std::random_device device;
  for (int i = 0; i < kTries; ++i) {
    char name[24];
    std::snprintf(name, sizeof name, "/.acre-%08x.new", device());
    own_path_ = FolderOf(path_) + name;
    fd_ = ::open(own_path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                 0666);
    if (fd_ >= 0 || (errno != EEXIST && errno != EINTR)) break;
  }
  if (fd_ < 0) {
    error_ = errno;
  } else if (is_there) {
    // As the one whose place it takes; where that is not allowed it stays ours.
    static_cast<void>(::fchmod(fd_, old.st_mode & 0777));
  }
}

NewFile::~NewFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  if (!own_path_.empty()) ::unlink(own_path_.c_str());
}

bool NewFile::MayHold(std::uint64_t bytes) {
  rlimit limit;
  if (error_ == 0 && ::getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
      bytes > limit.rlim_cur) {
    error_ = EFBIG;
  }
  return error_ == 0;
}

void NewFile::Write(std::uint64_t at, const void* bytes, std::size_t size) {
  const char* from = static_cast<const char*>(bytes);
  while (size != 0 && error_ == 0) {
    const ssize_t done =
        ::pwrite(fd_, from, std::min(size, kPiece), static_cast<off_t>(at));
    if (done > 0) {
      from += done;
      at += static_cast<std::uint64_t>(done);
      size -= static_cast<std::size_t>(done);
    } else if (done == 0 || errno != EINTR) {
      error_ = done == 0 ? EIO : errno;
    }
  }
}

void NewFile::TakePlace(bool sync) {
  if (error_ != 0) return;
  if ((sync && !Sync(fd_)) || ::rename(own_path_.c_str(), path_.c_str()) != 0) {
    error_ = errno;
    return;
  }
  own_path_.clear();
  if (!sync) return;
  // Where the folder cannot be opened nothing can be asked: the file is there.
  const int folder =
      ::open(FolderOf(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  is_unsynced_ = !Sync(folder);
  ::close(folder);
}

// ------------------------------------------------------------------------ old

OldFile::OldFile(const char* path) {
  do {
    fd_ = ::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  } while (fd_ < 0 && errno == EINTR);
  struct stat status;
  if (fd_ < 0 || ::fstat(fd_, &status) != 0) {
    error_ = errno;
  } else if (S_ISDIR(status.st_mode)) {
    error_ = EISDIR;
  } else if (!S_ISREG(status.st_mode)) {
    error_ = EINVAL;
  } else {
    size_ = static_cast<std::uint64_t>(status.st_size);
  }
}

OldFile::~OldFile() {
  if (fd_ >= 0) ::close(fd_);
}

bool OldFile::Read(std::uint64_t at, void* bytes, std::size_t size) {
  char* to = static_cast<char*>(bytes);
  while (size != 0) {
    const ssize_t done =
        ::pread(fd_, to, std::min(size, kPiece), static_cast<off_t>(at));
    if (done > 0) {
      to += done;
      at += static_cast<std::uint64_t>(done);
      size -= static_cast<std::size_t>(done);
    } else if (done == 0 || errno != EINTR) {
      error_ = done == 0 ? 0 : errno;
      return false;
    }
  }
  return true;
}

}  // namespace acre::inline ACRE_ABI::detail
