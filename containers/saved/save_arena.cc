// SPDX-License-Identifier: MIT
//
//   copy   what the root reaches, to where it will be mapped   SavedCopy, or:
//   find   what it reaches, and whether it may be saved        SavedFinder
//   write  a copy of that                                      SavedWriter
//   file   beside the old one, whose place it takes            NewFile

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>
#include <vector>

#include "acre/detail/path.h"
#include "acre/failure.h"
#include "acre/saved_arena.h"
#include "saved/saved_blocks.h"
#include "saved/saved_copy.h"
#include "saved/saved_file.h"
#include "saved/saved_finder.h"
#include "saved/saved_format.h"
#include "saved/saved_home.h"
#include "saved/saved_mender.h"
#include "saved/saved_plan.h"
#include "saved/saved_types.h"
#include "saved/saved_writer.h"

namespace acre::inline ACRE_ABI {

std::string SaveError::text() const {
  std::string all;
  for (const std::string* part : {&file, &path}) {
    if (!part->empty()) all += detail::Joined({*part, ": "});
  }
  return all + what;
}

namespace detail {
namespace {

SaveError SystemError(const char* what, int code) {
  SaveError error;
  error.code = code;
  error.what = Joined({what, std::generic_category().message(code)});
  return error;
}

std::vector<std::uint64_t> SumsOf(const char* image, std::size_t bytes) {
  std::vector<std::uint64_t> sums;
  for (std::size_t at = 0; at < bytes; at += kSumBytes) {
    sums.push_back(SumOf(image + at, std::min(kSumBytes, bytes - at)));
  }
  return sums;
}

/// Writes header and parts; the image is `bytes` long.
int WriteFile(NewFile& file, SavedHeader header, const std::string& types,
              const std::string& list, const SavedHome& home,
              std::size_t bytes) {
  const std::vector<std::uint64_t> sums = SumsOf(home.image(), bytes);
  std::uint64_t end = kHeaderBytes;
  const auto add = [&](SavedPart& part, const void* data, std::size_t size) {
    part = {end, size, SumOf(data, size)};
    end += size;
  };
  add(header.types, types.data(), types.size());
  add(header.blocks, list.data(), list.size());
  end = RoundUp(end, sizeof(std::uint64_t));
  add(header.sums, sums.data(), sums.size() * sizeof(std::uint64_t));
  header.image = {RoundUp(end, kHomeBytes), bytes, 0};
  header.file_bytes = header.image.at + bytes;
  header.sum = SumOf(header);
  if (!file.MayHold(header.file_bytes)) return file.error();
  file.Write(0, &header, sizeof header);
  file.Write(header.types.at, types.data(), types.size());
  file.Write(header.blocks.at, list.data(), list.size());
  file.Write(header.sums.at, sums.data(), header.sums.bytes);
  file.Write(header.image.at, home.image(), bytes);
  return file.error();
}

/// One way from an arena to a file.
class Saving {
 public:
  Saving(const Arena& arena, const TypeLayout& type, const void* root,
         const char* path, const SaveOptions& options)
      : arena_(arena),
        plans_(type),
        root_(root),
        path_(path),
        options_(options),
        may_drop_(options.outside == Outside::kNull) {}

  SaveError Run() {
    if (const TypeLayout* unsaved = plans_.unsaved()) {
      error_.path = Joined(
          {TypeText(plans_.root().type->name), ".", TypeText(unsaved->name)});
      error_.what = "containers of this type cannot be saved";
    } else if (!kChecked || CanBeSaved()) {
      if (TakeCopy() || TakeSlowly()) {
        Write();
      } else if (!error_) {
        error_.what = "cannot be saved";  // for a reason that nobody told
      }
    }
    return std::move(error_);
  }

 private:
  /// False, and the error set, where there is no room.
  bool MakeHome(std::size_t bytes, std::size_t room) {
    home_.reset();  // may be at the very address
    home_.reset(SavedHome::Make(options_.address, bytes));
    if (home_ == nullptr) {
      error_ = SystemError("no room for a copy: ", errno);
    } else if (options_.address != nullptr && !home_->is_at(options_.address)) {
      error_.what = "something lies already at the address that was asked for";
    } else {
      home_->PreferHugePages();
      copy_ = home_->StartArena(arena_.name(), nullptr, room);
      if (copy_ == nullptr) {
        error_ = SystemError("no room for a copy: ", ENOMEM);
      }
    }
    return !error_;
  }

  /// False, without an error, where it cannot be done so.
  bool TakeCopy() {
    // Addresses alone: a copy takes less than what it is of, most often.
    constexpr std::size_t kMore = std::size_t{1} << 20;
    const bool has_home = MakeHome(2 * arena_.stats().carved + kMore, 0);
    error_ = {};
    if (!has_home) return false;
    SavedCopy copy(plans_, arena_, *home_, *copy_);
    if (!copy.Run(root_)) return false;
    bytes_ = copy.bytes();
    header_.root = copy.root();
    bool is_fine = true;
    copy.ForEachBlock(
        [&](const SavedBlock& block) { is_fine = is_fine && AddBlock(block); });
    return is_fine;
  }

  /// Of a finder that has failed.
  bool Tell() {
    SavedFinder teller(arena_, plans_, may_drop_, true);
    static_cast<void>(teller.Run(root_));
    error_.path = teller.path();
    error_.what = teller.what();
    return false;
  }

  /// Checked builds know what was freed: before it is entered.
  bool CanBeSaved() {
    SavedFinder finder(arena_, plans_, may_drop_, false);
    return finder.Run(root_) || Tell();
  }

  bool TakeSlowly() {
    SavedFinder finder(arena_, plans_, may_drop_, false);
    if (!finder.Run(root_)) return Tell();
    SavedWriter writer(finder, plans_);
    list_ = {};  // of a copy that was begun
    header_.block_count = 0;
    bytes_ = writer.Place();
    if (!MakeHome(bytes_, bytes_ - kChunkHeader)) return false;
    if (!writer.Write(*home_, *copy_, root_)) {
      error_.path = TypeText(plans_.root().type->name);
      error_.what = writer.what();
      return false;
    }
    header_.root = OffsetOf(writer.root());
    for (const FoundBlock& block : finder.blocks()) {
      if (!AddBlock({OffsetOf(block.image), block.bytes, block.plan->number,
                     block.kind})) {
        return false;
      }
    }
    return true;
  }

  bool AddBlock(const SavedBlock& block) {
    if (!SavedMender(plans_, *home_, *copy_, may_drop_).Mend(block)) {
      return false;
    }
    list_.Add(block, plans_[block.type]);
    ++header_.block_count;
    return true;
  }

  std::size_t OffsetOf(const char* image) const {
    return static_cast<std::size_t>(image - home_->image());
  }

  void Write() {
    NewFile file(path_);
    if (file.error() != 0) {
      error_ = SystemError("cannot be made: ", file.error());
      return;
    }
    std::memcpy(header_.magic, kSavedMagic, sizeof kSavedMagic);
    header_.version = kSavedVersion;
    header_.byte_order = kByteOrder;
    header_.pointer_bytes = sizeof(void*);
    header_.is_checked = kChecked ? 1 : 0;
    header_.base = reinterpret_cast<std::uintptr_t>(home_->base());
    header_.stamp = copy_->stamp();
    // Before: what lies between the blocks may be read only then.
    home_->EndArena();
    if (WriteFile(file, header_, DescribeTypes(plans_), list_.text(), *home_,
                  bytes_) == 0) {
      file.TakePlace(options_.sync);
    }
    if (file.error() != 0) {
      error_ = SystemError("cannot be written: ", file.error());
    } else if (file.is_unsynced()) {
      error_.what = "is written, but its folder cannot be put on the disk";
    }
  }

  const Arena& arena_;
  const SavedPlans plans_;
  const void* const root_;
  const char* const path_;
  const SaveOptions& options_;
  const bool may_drop_;
  std::unique_ptr<SavedHome> home_;
  Arena* copy_ = nullptr;  // in home_
  std::size_t bytes_ = 0;  // of the image
  BlockListWriter list_;
  SavedHeader header_{};
  SaveError error_;
};

}  // namespace

SaveError SaveRoot(const Arena& arena, const TypeLayout& type, const void* root,
                   const char* path, const SaveOptions& options) {
  ACRE_CHECK(ArenaOf(root) == &arena,
             "Save: the root at %p does not lie in arena '%s'", root,
             arena.name());
  ACRE_CHECK(
      reinterpret_cast<std::uintptr_t>(options.address) % SavedHome::kAlign ==
          0,
      "Save: the address %p is no multiple of 2 MiB", options.address);
  SaveError error = Saving(arena, type, root, path, options).Run();
  if (error) error.file = path;
  return error;
}

}  // namespace detail
}  // namespace acre::inline ACRE_ABI
