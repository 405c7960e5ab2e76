// SPDX-License-Identifier: MIT

#include "elf_file.h"

#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <gelf.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#ifdef ACRE_HAS_ZSTD
#include <zstd.h>
#endif

namespace layout_check {
namespace {

constexpr std::uint32_t kZlib = 1;  // ELFCOMPRESS_ZLIB
constexpr std::uint32_t kZstd = 2;  // ELFCOMPRESS_ZSTD, not in old elf.h

/// The bytes of a section as they are in the file.
std::string_view RawBytes(Elf_Scn* section) {
  const Elf_Data* data = elf_rawdata(section, nullptr);
  if (data == nullptr || data->d_buf == nullptr) return {};
  return {static_cast<const char*>(data->d_buf), data->d_size};
}

/// How a section is compressed; 0: not at all.
std::uint32_t CompressionOf(Elf_Scn* section) {
  GElf_Shdr header;
  if (gelf_getshdr(section, &header) == nullptr ||
      (header.sh_flags & SHF_COMPRESSED) == 0) {
    return 0;
  }
  Elf64_Chdr compressed;
  const std::string_view bytes = RawBytes(section);
  if (bytes.size() < sizeof compressed) return 0;
  std::memcpy(&compressed, bytes.data(), sizeof compressed);
  return compressed.ch_type;
}

#ifdef ACRE_HAS_ZSTD
/// What frames of zstd say that they hold; 0: they are damaged.
std::size_t SizeOf(std::string_view frames) {
  std::size_t size = 0;
  while (!frames.empty()) {
    const std::size_t frame =
        ZSTD_findFrameCompressedSize(frames.data(), frames.size());
    const auto holds = ZSTD_getFrameContentSize(frames.data(), frames.size());
    if (ZSTD_isError(frame) != 0 || holds >= ZSTD_CONTENTSIZE_ERROR) return 0;
    size += holds;
    frames.remove_prefix(frame);
  }
  return size;
}

/// Appends the bytes that a section had before it was compressed, and changes
/// its header to say where they are. False: it is damaged.
bool Append(std::string_view bytes, Elf64_Shdr* header,
            std::vector<char>* file) {
  Elf64_Chdr compressed;
  std::memcpy(&compressed, bytes.data(), sizeof compressed);
  bytes.remove_prefix(sizeof compressed);
  // Before so much memory is asked for.
  if (SizeOf(bytes) != compressed.ch_size) {
    return false;
  }
  const std::size_t align =
      compressed.ch_addralign < 8 ? 8 : compressed.ch_addralign;
  const std::size_t at = (file->size() + align - 1) / align * align;
  file->resize(at + compressed.ch_size);
  const std::size_t size = ZSTD_decompress(
      file->data() + at, compressed.ch_size, bytes.data(), bytes.size());
  header->sh_offset = at;
  header->sh_size = compressed.ch_size;
  header->sh_addralign = compressed.ch_addralign;
  header->sh_flags &= ~std::uint64_t{SHF_COMPRESSED};
  return size == compressed.ch_size;
}
#endif

}  // namespace

std::unique_ptr<ElfFile> ElfFile::Open(const std::string& path,
                                       std::string* error) {
  std::unique_ptr<ElfFile> file(new ElfFile(path));
  *error = file->Read();
  return error->empty() ? std::move(file) : nullptr;
}

ElfFile::~ElfFile() {
  if (elf_ != nullptr) elf_end(elf_);
  if (file_ >= 0) close(file_);
}

std::string ElfFile::Read() {
  file_ = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (file_ < 0) return std::strerror(errno);
  elf_version(EV_CURRENT);
  elf_ = elf_begin(file_, ELF_C_READ_MMAP, nullptr);
  GElf_Ehdr header;
  if (elf_ == nullptr || elf_kind(elf_) != ELF_K_ELF ||
      gelf_getehdr(elf_, &header) == nullptr ||
      header.e_ident[EI_CLASS] != ELFCLASS64) {
    return "not an ELF file";
  }
  return Decompress();
}

// libelf itself knows zlib.
std::string ElfFile::Decompress() {
  std::vector<std::size_t> sections;
  for (Elf_Scn* section = elf_nextscn(elf_, nullptr); section != nullptr;
       section = elf_nextscn(elf_, section)) {
    const std::uint32_t compression = CompressionOf(section);
    if (compression == 0 || compression == kZlib) continue;
    if (compression != kZstd) {
      return "its debug sections are compressed in a way that this tool does "
             "not know: try objcopy --decompress-debug-sections on a copy";
    }
    sections.push_back(elf_ndxscn(section));
  }
  if (sections.empty()) return {};
#ifdef ACRE_HAS_ZSTD
  std::size_t size = 0;
  const char* bytes = elf_rawfile(elf_, &size);
  if (bytes == nullptr) return "cannot be read";
  copy_.assign(bytes, bytes + size);
  Elf64_Ehdr header;
  std::memcpy(&header, copy_.data(), sizeof header);
  for (const std::size_t index : sections) {
    // libelf has read them, so that they are there.
    const std::size_t at = header.e_shoff + index * header.e_shentsize;
    Elf64_Shdr section;
    std::memcpy(&section, copy_.data() + at, sizeof section);
    if (!Append(RawBytes(elf_getscn(elf_, index)), &section, &copy_)) {
      return "damaged: a section compressed with zstd cannot be decompressed";
    }
    std::memcpy(copy_.data() + at, &section, sizeof section);
  }
  elf_end(elf_);
  elf_ = elf_memory(copy_.data(), copy_.size());
  return elf_ == nullptr ? "cannot be read" : "";
#else
  // libelf 0.189 may know it.
  if (elf_compress(elf_getscn(elf_, sections.front()), 0, 0) >= 0) return {};
  return "its debug sections are compressed with zstd, and this "
         "acre-layout-check was built without libzstd: build it with that, or "
         "unpack a copy with objcopy --decompress-debug-sections, where that "
         "knows zstd";
#endif
}

Elf_Scn* ElfFile::Section(std::string_view name) const {
  std::size_t names = 0;
  if (elf_getshdrstrndx(elf_, &names) != 0) return nullptr;
  for (Elf_Scn* section = elf_nextscn(elf_, nullptr); section != nullptr;
       section = elf_nextscn(elf_, section)) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr) continue;
    const char* own = elf_strptr(elf_, names, header.sh_name);
    if (own != nullptr && own == name && header.sh_type != SHT_NOBITS) {
      return section;
    }
  }
  return nullptr;
}

std::string_view ElfFile::Bytes(std::string_view name) const {
  Elf_Scn* section = Section(name);
  return section == nullptr ? std::string_view() : RawBytes(section);
}

std::string_view ElfFile::BuildId() const {
  const void* id = nullptr;
  const ssize_t size = dwelf_elf_gnu_build_id(elf_, &id);
  if (size <= 0) return {};
  return {static_cast<const char*>(id), static_cast<std::size_t>(size)};
}

}  // namespace layout_check
