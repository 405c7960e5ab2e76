// SPDX-License-Identifier: MIT
//
//   find   what the root reaches, and whether it may be saved    SavedFinder
//   write  a copy of it, at the address where it will be mapped  SavedWriter
//   file   beside the old one, whose place it takes              NewFile

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>
#include <vector>

#include "acre/detail/path.h"
#include "acre/failure.h"
#include "acre/saved_arena.h"
#include "saved/saved_file.h"
#include "saved/saved_finder.h"
#include "saved/saved_format.h"
#include "saved/saved_home.h"
#include "saved/saved_plan.h"
#include "saved/saved_types.h"
#include "saved/saved_writer.h"

namespace acre::inline ACRE_ABI {

std::string SaveError::text() const {
  std::string all;
  for (const std::string* part : {&file, &path}) {
    if (!part->empty()) all += *part + ": ";
  }
  return all + what;
}

namespace detail {
namespace {

SaveError SystemError(const char* what, int code) {
  SaveError error;
  error.code = code;
  error.what = what + std::generic_category().message(code);
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

SaveError Refusal(const Arena& arena, const SavedPlans& plans, const void* root,
                  bool may_drop) {
  SavedFinder teller(arena, may_drop, true);
  static_cast<void>(teller.Run(plans.root(), root));
  SaveError error;
  error.path = teller.path();
  error.what = teller.what();
  return error;
}

SaveError TrySave(const Arena& arena, const TypeLayout& type, const void* root,
                  const char* path, const SaveOptions& options) {
  const SavedPlans plans(type);
  if (const TypeLayout* unsaved = plans.unsaved()) {
    SaveError error;
    error.path = TypeText(type.name) + "." + TypeText(unsaved->name);
    error.what = "containers of this type cannot be saved";
    return error;
  }
  const bool may_drop = options.outside == Outside::kNull;
  SavedFinder finder(arena, may_drop, false);
  if (!finder.Run(plans.root(), root)) {
    return Refusal(arena, plans, root, may_drop);
  }
  NewFile file(path);
  if (file.error() != 0) return SystemError("cannot be made: ", file.error());
  SavedWriter writer(finder);
  const std::size_t bytes = writer.Place();
  const std::unique_ptr<SavedHome> home(
      SavedHome::Make(options.address, bytes));
  if (home == nullptr) return SystemError("no room for a copy: ", errno);
  if (options.address != nullptr && !home->is_at(options.address)) {
    SaveError error;
    error.what = "something lies already at the address that was asked for";
    return error;
  }
  home->PreferHugePages();
  Arena* const copy =
      home->StartArena(arena.name(), nullptr, bytes - kChunkHeader);
  if (copy == nullptr) return SystemError("no room for a copy: ", ENOMEM);
  writer.Write(*home, *copy);

  SavedHeader header{};
  std::memcpy(header.magic, kSavedMagic, sizeof kSavedMagic);
  header.version = kSavedVersion;
  header.byte_order = kByteOrder;
  header.pointer_bytes = sizeof(void*);
  header.is_checked = kChecked ? 1 : 0;
  header.base = reinterpret_cast<std::uintptr_t>(home->base());
  header.stamp = copy->stamp();
  header.root = static_cast<std::uint64_t>(
      writer.ImageOf(static_cast<const char*>(root)) - home->image());
  header.block_count = finder.blocks().size();
  // Before: what lies between the blocks may be read only then.
  home->EndArena();
  if (WriteFile(file, header, DescribeTypes(plans), writer.list(), *home,
                bytes) == 0) {
    file.TakePlace(options.sync);
  }
  if (file.error() == 0) return {};
  return SystemError("cannot be written: ", file.error());
}

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
  SaveError error = TrySave(arena, type, root, path, options);
  if (error) error.file = path;
  return error;
}

}  // namespace detail
}  // namespace acre::inline ACRE_ABI
