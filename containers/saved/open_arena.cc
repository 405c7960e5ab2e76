// SPDX-License-Identifier: MIT

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "acre/detail/path.h"
#include "acre/failure.h"
#include "acre/gc.h"
#include "acre/saved_arena.h"
#include "saved/saved_file.h"
#include "saved/saved_format.h"
#include "saved/saved_home.h"
#include "saved/saved_plan.h"
#include "saved/saved_reader.h"
#include "saved/saved_types.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

/// One way from a file to an arena. Each step returns false where it has set
/// the error.
class Opening {
 public:
  Opening(const char* path, const TypeLayout& type, const MapOptions& options,
          bool loads)
      : file_(path),
        plans_(type),
        options_(options),
        loads_(loads),
        verifies_(loads || options.verify) {}

  OpenedArena Run() {
    OpenedArena opened;
    if (ReadHeader() && CheckParts() && CheckTypes() && TakeImage() &&
        CheckImage() && MakeArena()) {
      opened.is_moved = is_moved_;
      opened.arena = arena_;
      opened.root = root_;
      opened.home = home_.release();
    } else {
      opened.error = std::move(error_);
    }
    return opened;
  }

 private:
  bool Fail(std::string what) {
    error_.what = std::move(what);
    return false;
  }
  bool FailSystem(const char* what, int code) {
    error_.code = code;
    return Fail(Joined({what, std::generic_category().message(code)}));
  }
  /// Of a Read that did not bring all.
  bool FailRead() {
    if (file_.error() != 0)
      return FailSystem("cannot be read: ", file_.error());
    return Fail("is shorter than it was");
  }

  bool ReadHeader() {
    if (file_.error() != 0) {
      return FailSystem("cannot be opened: ", file_.error());
    }
    constexpr const char* kNone = "is no saved arena";
    if (file_.size() < kHeaderBytes) return Fail(kNone);
    if (!file_.Read(0, &header_, sizeof header_)) return FailRead();
    if (std::memcmp(header_.magic, kSavedMagic, sizeof kSavedMagic) != 0) {
      return Fail(kNone);
    }
    if (header_.byte_order != kByteOrder) {
      return Fail("was saved on a machine with another order of bytes");
    }
    if (header_.version != kSavedVersion) {
      return Fail(Joined({"has version ", std::to_string(header_.version),
                          " of the format, and this is ",
                          std::to_string(kSavedVersion)}));
    }
    if (header_.sum != SumOf(header_)) return Fail("its header is damaged");
    if (header_.pointer_bytes != sizeof(void*)) {
      return Fail("was saved on a machine with other pointers");
    }
    if (header_.is_checked != (kChecked ? 1 : 0)) {
      return Fail(kChecked ? "was saved by a release build, and this is a "
                             "checked one"
                           : "was saved by a checked build, and this is none");
    }
    if (file_.size() > options_.max_bytes) {
      return Fail(Joined({"has ", std::to_string(file_.size()),
                          " bytes, more than are allowed"}));
    }
    if (header_.file_bytes != file_.size()) {
      return Fail(Joined({"has ", std::to_string(file_.size()), " bytes of ",
                          std::to_string(header_.file_bytes)}));
    }
    return true;
  }

  /// What the header says may be anything that has a right sum.
  bool CheckParts() {
    const auto is_part = [&](const SavedPart& part) {
      return part.at <= file_.size() && part.bytes <= file_.size() - part.at;
    };
    const SavedPart& image = header_.image;
    const bool is_sound =
        is_part(header_.types) && is_part(header_.blocks) &&
        is_part(header_.sums) && is_part(image) && image.at % kHomeBytes == 0 &&
        image.bytes % kGranule == 0 && image.bytes > kChunkHeader &&
        header_.root >= kChunkHeader && header_.root < image.bytes &&
        header_.base % kHomeBytes == 0 &&
        header_.base <= UINTPTR_MAX - image.bytes - 2 * kHomeBytes &&
        header_.sums.bytes ==
            (image.bytes + kSumBytes - 1) / kSumBytes * sizeof(std::uint64_t);
    return is_sound || Fail("its header is damaged");
  }

  bool ReadPart(const SavedPart& part, const char* what, void* bytes) {
    if (!file_.Read(part.at, bytes, part.bytes)) return FailRead();
    return SumOf(bytes, part.bytes) == part.sum ||
           Fail(Joined({what, " is damaged"}));
  }

  bool CheckTypes() {
    // A file may have holes of any size: nothing is read because it says so.
    constexpr std::uint64_t kMostTypes = 16u << 20;
    if (header_.types.bytes > kMostTypes) {
      return Fail("the description of its types is damaged");
    }
    std::string theirs(header_.types.bytes, ' ');
    if (!ReadPart(header_.types, "the description of its types",
                  theirs.data())) {
      return false;
    }
    const std::string ours = DescribeTypes(plans_);
    if (ours != theirs) {
      error_ = ExplainTypes(ours, theirs);
      return false;
    }
    const bool has_root =
        plans_.root().type->size <= header_.image.bytes - header_.root;
    return has_root || Fail("its header is damaged");
  }

  /// Its bytes are there, but nothing was done with them.
  bool TakeImage() {
    const SavedPart& image = header_.image;
    // Others' files do not choose where in this process they come to lie.
    const bool is_usual =
        header_.base >= SavedHome::kFirst && header_.base < SavedHome::kEnd;
    const std::uintptr_t wanted = loads_ && !is_usual ? 0 : header_.base;
    home_.reset(
        SavedHome::Make(reinterpret_cast<const void*>(wanted), image.bytes));
    if (home_ == nullptr) return FailSystem("no room for it: ", errno);
    is_moved_ = !home_->is_at(reinterpret_cast<const void*>(header_.base));
    // What will be written all over is not mapped.
    if (loads_ || is_moved_) {
      home_->PreferHugePages();
      return file_.Read(image.at, home_->image(), image.bytes) || FailRead();
    }
    return home_->MapFile(file_.fd(), image.at, image.bytes) ||
           FailSystem("cannot be mapped: ", errno);
  }

  bool CheckImage() {
    if (!verifies_) return true;
    std::vector<std::uint64_t> sums(header_.sums.bytes / sizeof(std::uint64_t));
    if (!ReadPart(header_.sums, "the list of its checksums", sums.data())) {
      return false;
    }
    const std::uint64_t bytes = header_.image.bytes;
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const std::uint64_t at = i * kSumBytes;
      const std::uint64_t end = std::min<std::uint64_t>(at + kSumBytes, bytes);
      if (SumOf(home_->image() + at, end - at) == sums[i]) continue;
      return Fail(Joined({"bytes ", std::to_string(header_.image.at + at),
                          " to ", std::to_string(header_.image.at + end - 1),
                          " are not what was saved"}));
    }
    return true;
  }

  bool MakeArena() {
    ChunkSource* const more = options_.source != nullptr
                                  ? options_.source
                                  : &CollectedSource::Instance();
    arena_ = home_->StartArena(options_.name, more,
                               header_.image.bytes - kChunkHeader);
    if (arena_ == nullptr) return FailSystem("no room for it: ", ENOMEM);
    const bool is_as_saved = !kChecked && !verifies_ && !is_moved_ &&
                             !plans_.has_seeds() &&
                             header_.stamp == arena_->stamp();
    root_ = home_->image() + header_.root;
    if (is_as_saved) return true;
    // Of each block no more bytes than it has itself.
    if (header_.blocks.bytes > header_.image.bytes) {
      return Fail("the list of its blocks is damaged");
    }
    std::string list(header_.blocks.bytes, ' ');
    if (!ReadPart(header_.blocks, "the list of its blocks", list.data())) {
      return false;
    }
    SavedReader reader(
        plans_,
        {home_->image(), header_.image.bytes, header_.base + kHomeBytes},
        *arena_, verifies_);
    error_ = reader.Run(list, header_.block_count, header_.root);
    root_ = reader.root();
    return !error_;
  }

  OldFile file_;
  const SavedPlans plans_;
  const MapOptions& options_;
  const bool loads_;
  const bool verifies_;
  SavedHeader header_{};
  std::unique_ptr<SavedHome> home_;
  bool is_moved_ = false;
  Arena* arena_ = nullptr;  // in home_
  char* root_ = nullptr;    // the same
  SaveError error_;
};

}  // namespace

OpenedArena OpenArena(const char* path, const TypeLayout& type,
                      const MapOptions& options, bool loads) {
  OpenedArena opened = Opening(path, type, options, loads).Run();
  if (opened.error) opened.error.file = path;
  return opened;
}

void CloseArena(void* home) noexcept { delete static_cast<SavedHome*>(home); }

void FailNoArena(const SaveError& error) {
  const std::string text =
      error ? error.text() : "a SavedArena that holds none is used";
  FailMisuse("acre: %s", text.c_str());
}

}  // namespace acre::inline ACRE_ABI::detail
