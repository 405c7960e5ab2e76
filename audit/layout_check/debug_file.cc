// SPDX-License-Identifier: MIT

#include "debug_file.h"

#include <elfutils/libdwelf.h>
#include <elfutils/version.h>
#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

namespace layout_check {
namespace {

namespace fs = std::filesystem;

bool HasDebugInfo(const ElfFile& file) {
  return file.Section(".debug_info") != nullptr ||
         file.Section(".zdebug_info") != nullptr;
}

/// Under the directory: .build-id/ab/cdef.debug. Empty without a build ID.
std::string BuildIdPath(std::string_view id, const std::string& directory) {
  if (id.size() < 2) return {};
  std::string path = directory + "/.build-id/";
  for (std::size_t i = 0; i < id.size(); ++i) {
    path += fmt::format("{:02x}", static_cast<unsigned char>(id[i]));
    if (i == 0) path += '/';
  }
  return path + ".debug";
}

/// The checksum in a .gnu_debuglink: CRC-32 as Ethernet has it.
std::uint32_t Checksum(std::string_view bytes) {
  static constexpr auto kTable = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
      std::uint32_t sum = i;
      for (int bit = 0; bit < 8; ++bit) {
        sum = (sum & 1) != 0 ? sum >> 1 ^ 0xedb88320u : sum >> 1;
      }
      table[i] = sum;
    }
    return table;
  }();
  std::uint32_t sum = ~0u;
  for (const char c : bytes) {
    sum = kTable[(sum ^ static_cast<unsigned char>(c)) & 0xff] ^ sum >> 8;
  }
  return ~sum;
}

/// A .gnu_debuglink: name, padding, checksum.
struct Link {
  std::string name;
  std::uint32_t checksum = 0;
};
Link LinkOf(const ElfFile& file) {
  const std::string_view bytes = file.Bytes(".gnu_debuglink");
  Link link;
  if (bytes.size() < 2 * sizeof link.checksum) return link;
  link.name = bytes.substr(0, bytes.find('\0'));
  std::memcpy(&link.checksum,
              bytes.data() + bytes.size() - sizeof link.checksum,
              sizeof link.checksum);
  return link;
}

bool IsOfChecksum(const std::string& path, std::uint32_t checksum) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return false;
  std::string bytes;
  std::array<char, 1 << 16> buffer;
  while (const std::size_t n =
             std::fread(buffer.data(), 1, buffer.size(), file)) {
    bytes.append(buffer.data(), n);
  }
  std::fclose(file);
  return Checksum(bytes) == checksum;
}

/// Of many names the first.
std::string Listed(const std::vector<std::string>& names) {
  if (names.size() == 1) return names.front();
  return fmt::format("{} and {} more", names.front(), names.size() - 1);
}

}  // namespace

std::unique_ptr<DebugFile> DebugFile::Find(const std::string& program,
                                           const std::string& directory,
                                           std::string* error) {
  std::unique_ptr<DebugFile> file(new DebugFile);
  *error = file->Open(program, directory);
  return error->empty() ? std::move(file) : nullptr;
}

DebugFile::~DebugFile() {
  if (dwarf_ != nullptr) dwarf_end(dwarf_);
  if (shared_ != nullptr) dwarf_end(shared_);
}

std::string DebugFile::Open(const std::string& program,
                            const std::string& directory) {
  program_ = program;
  std::string error;
  file_ = ElfFile::Open(program, &error);
  if (file_ == nullptr) return error;
  if (!HasDebugInfo(*file_)) error = FindApart(directory);
  if (!error.empty()) return error;
  dwarf_ = dwarf_begin_elf(file_->elf(), DWARF_C_READ, nullptr);
  if (dwarf_ == nullptr) {
    return fmt::format("the debug information in {} cannot be read: {}",
                       file_->path(), dwarf_errmsg(-1));
  }
  return FindShared(directory);
}

// As gdb looks for it.
std::string DebugFile::FindApart(const std::string& directory) {
  const std::string by_id = BuildIdPath(file_->BuildId(), directory);
  const Link link = LinkOf(*file_);
  std::error_code ignored;
  const fs::path folder = fs::weakly_canonical(program_, ignored).parent_path();
  std::vector<std::string> places;
  if (!by_id.empty()) places.push_back(by_id);
  if (!link.name.empty()) {
    places.push_back(folder / link.name);
    places.push_back(folder / ".debug" / link.name);
    places.push_back(directory + (folder / link.name).string());
  }
  std::string why;
  for (const std::string& place : places) {
    if (!fs::exists(place, ignored)) continue;
    std::string error;
    auto file = ElfFile::Open(place, &error);
    if (file == nullptr) {
      why = fmt::format("; {}: {}", place, error);
    } else if (place == by_id ? file->BuildId() != file_->BuildId()
                              : !IsOfChecksum(place, link.checksum)) {
      why = fmt::format("; {} is of another build", place);
    } else if (HasDebugInfo(*file)) {
      file_ = std::move(file);
      return {};
    }
  }
  if (!link.name.empty()) {
    return fmt::format(
        "no debug information: it was split off into {}, which is neither "
        "beside the program, nor in .debug there, nor in {}{}",
        link.name, directory, why);
  }
  return fmt::format("no debug information: compile with -g, do not strip{}{}",
                     by_id.empty() ? "" : "; nor is there " + by_id, why);
}

std::string DebugFile::FindShared(const std::string& directory) {
  const char* name = nullptr;
  const void* id = nullptr;
  const ssize_t size = dwelf_dwarf_gnu_debugaltlink(dwarf_, &name, &id);
  if (size <= 0) return {};
  const std::string_view wanted(static_cast<const char*>(id),
                                static_cast<std::size_t>(size));
  std::error_code ignored;
  const fs::path folder =
      fs::weakly_canonical(file_->path(), ignored).parent_path();
  std::string why;
  // An absolute name stays what it is.
  for (const std::string& place :
       {(folder / name).string(), BuildIdPath(wanted, directory)}) {
    std::string error;
    shared_file_ = ElfFile::Open(place, &error);
    if (shared_file_ == nullptr) continue;
    if (shared_file_->BuildId() != wanted) {
      why = fmt::format("; {} is of another build", place);
      continue;
    }
    shared_ = dwarf_begin_elf(shared_file_->elf(), DWARF_C_READ, nullptr);
    if (shared_ == nullptr) continue;
    dwarf_setalt(dwarf_, shared_);
    return {};
  }
  return fmt::format(
      "a part of its debug information is in {}, which dwz -m made, and that "
      "is not there{}",
      name, why);
}

std::string DebugFile::SplitAdvice(
    const std::vector<std::string>& missing) const {
  std::string advice = fmt::format(
      "debug information in files of its own (-gsplit-dwarf) that are not "
      "there: {}",
      Listed(missing));
  std::error_code ignored;
  const std::string package = program_ + ".dwp";
  if (fs::exists(package, ignored)) {
    advice += fmt::format(
        "; {} cannot stand for them, libdw 0.{} does not read it (0.191 does): "
        "keep the .dwo files, or compile without -gsplit-dwarf",
        package, _ELFUTILS_VERSION);
  }
  return advice;
}

std::string DebugFile::RepeatedAdvice(const std::vector<std::string>& files) {
  return fmt::format(
      "debug information in files of its own (-gsplit-dwarf) of which libdw "
      "reads only a part: {}; compile without -fdebug-types-section",
      Listed(files));
}

}  // namespace layout_check
