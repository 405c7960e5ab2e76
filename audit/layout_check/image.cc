// SPDX-License-Identifier: MIT

#include "image.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace layout_check {
namespace {

/// The relocations that put an address into data, by machine: one adds the
/// load address, the others name a symbol.
struct Relocations {
  GElf_Half machine;
  unsigned relative;
  unsigned absolute;
};
constexpr Relocations kRelocations[] = {
    {EM_X86_64, R_X86_64_RELATIVE, R_X86_64_64},
    {EM_AARCH64, R_AARCH64_RELATIVE, R_AARCH64_ABS64},
};

const Relocations* RelocationsOf(GElf_Half machine) {
  for (const Relocations& relocations : kRelocations) {
    if (relocations.machine == machine) return &relocations;
  }
  return nullptr;
}

/// Empty where the file is one that this tool understands.
std::string Refusal(const GElf_Ehdr& header) {
  if (header.e_type == ET_REL) return "an object file that is not linked yet";
  if (header.e_type != ET_EXEC && header.e_type != ET_DYN) {
    return "neither a program nor a shared object";
  }
  if (header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB ||
      RelocationsOf(header.e_machine) == nullptr) {
    return "of a machine that this tool does not know";
  }
  return {};
}

}  // namespace

std::unique_ptr<Image> Image::Open(const std::string& path,
                                   std::string* error) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    *error = std::strerror(errno);
    return nullptr;
  }
  std::unique_ptr<Image> image(new Image(file));
  struct stat status {};
  if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
    *error = "not a regular file";
    return nullptr;
  }
  *error = image->Read();
  if (!error->empty()) return nullptr;
  return image;
}

Image::~Image() {
  if (elf_ != nullptr) elf_end(elf_);
  close(file_);
}

std::string Image::Read() {
  elf_version(EV_CURRENT);
  elf_ = elf_begin(file_, ELF_C_READ_MMAP, nullptr);
  GElf_Ehdr header;
  if (elf_ == nullptr || elf_kind(elf_) != ELF_K_ELF ||
      gelf_getehdr(elf_, &header) == nullptr) {
    return "not an ELF file";
  }
  if (std::string refusal = Refusal(header); !refusal.empty()) return refusal;
  machine_ = header.e_machine;

  for (Elf_Scn* section = elf_nextscn(elf_, nullptr); section != nullptr;
       section = elf_nextscn(elf_, section)) {
    GElf_Shdr at;
    if (gelf_getshdr(section, &at) == nullptr) return "a damaged ELF file";
    const bool is_loaded = (at.sh_flags & SHF_ALLOC) != 0;
    if (is_loaded && at.sh_type == SHT_RELA) ReadRelocations(section, at);
    if (!is_loaded || at.sh_type == SHT_NOBITS) continue;
    const Elf_Data* data = elf_rawdata(section, nullptr);
    if (data != nullptr && data->d_buf != nullptr) {
      segments_.push_back(
          {at.sh_addr, {static_cast<const char*>(data->d_buf), data->d_size}});
    }
  }
  ReadSymbols(elf_);
  return {};
}

void Image::ReadSymbols(Elf* elf) {
  if (has_all_symbols_) return;
  Elf_Scn* names = nullptr;
  GElf_Shdr header{};
  for (Elf_Scn* section = elf_nextscn(elf, nullptr); section != nullptr;
       section = elf_nextscn(elf, section)) {
    GElf_Shdr at;
    if (gelf_getshdr(section, &at) == nullptr) return;
    if (at.sh_type == SHT_SYMTAB ||
        (at.sh_type == SHT_DYNSYM && header.sh_type != SHT_SYMTAB)) {
      names = section;
      header = at;
    }
  }
  if (names == nullptr) return;
  has_all_symbols_ = header.sh_type == SHT_SYMTAB;
  symbols_.clear();
  AddSymbols(elf, names, header);
}

void Image::AddSymbols(Elf* elf, Elf_Scn* section, const GElf_Shdr& header) {
  Elf_Data* data = elf_getdata(section, nullptr);
  if (data == nullptr || header.sh_entsize == 0) return;
  unsigned source = 0;
  const auto count = static_cast<int>(header.sh_size / header.sh_entsize);
  for (int i = 0; i < count; ++i) {
    GElf_Sym symbol;
    if (gelf_getsym(data, i, &symbol) == nullptr) return;
    const unsigned type = GELF_ST_TYPE(symbol.st_info);
    if (type == STT_FILE) ++source;
    if (symbol.st_shndx == SHN_UNDEF ||
        (type != STT_OBJECT && type != STT_FUNC)) {
      continue;
    }
    const char* name = elf_strptr(elf, header.sh_link, symbol.st_name);
    const bool is_local = GELF_ST_BIND(symbol.st_info) == STB_LOCAL;
    if (name == nullptr) continue;
    symbols_.push_back(
        {name, symbol.st_value, symbol.st_size, is_local ? source : 0});
  }
}

void Image::ReadRelocations(Elf_Scn* section, const GElf_Shdr& header) {
  const Relocations& known = *RelocationsOf(machine_);
  Elf_Data* data = elf_getdata(section, nullptr);
  Elf_Data* symbols = nullptr;
  if (Elf_Scn* linked = elf_getscn(elf_, header.sh_link); linked != nullptr) {
    symbols = elf_getdata(linked, nullptr);
  }
  if (data == nullptr || header.sh_entsize == 0) return;
  const auto count = static_cast<int>(header.sh_size / header.sh_entsize);
  for (int i = 0; i < count; ++i) {
    GElf_Rela entry;
    if (gelf_getrela(data, i, &entry) == nullptr) return;
    const auto addend = static_cast<std::uint64_t>(entry.r_addend);
    if (GELF_R_TYPE(entry.r_info) == known.relative) {
      written_[entry.r_offset] = addend;
    } else if (GELF_R_TYPE(entry.r_info) == known.absolute) {
      const auto index = static_cast<int>(GELF_R_SYM(entry.r_info));
      GElf_Sym symbol;
      if (symbols != nullptr &&
          gelf_getsym(symbols, index, &symbol) != nullptr &&
          symbol.st_shndx != SHN_UNDEF) {
        written_[entry.r_offset] = symbol.st_value + addend;
      } else {
        written_[entry.r_offset] = std::nullopt;
      }
    }
  }
}

std::optional<std::uint64_t> Image::Number(std::uint64_t address,
                                           std::size_t size) const {
  if (size == sizeof(std::uint64_t)) {
    if (const auto at = written_.find(address); at != written_.end()) {
      return at->second;
    }
  }
  const auto bytes = Text(address, size);
  if (!bytes || size > sizeof(std::uint64_t)) return std::nullopt;
  std::uint64_t number = 0;
  for (std::size_t i = size; i > 0; --i) {
    number = number << 8 | static_cast<unsigned char>((*bytes)[i - 1]);
  }
  return number;
}

std::optional<std::string_view> Image::Text(std::uint64_t address,
                                            std::size_t size) const {
  if (size == 0) return std::string_view();
  for (const Segment& segment : segments_) {
    const std::uint64_t offset = address - segment.address;
    if (address >= segment.address && offset < segment.bytes.size() &&
        segment.bytes.size() - offset >= size) {
      return segment.bytes.substr(offset, size);
    }
  }
  return std::nullopt;
}

}  // namespace layout_check
