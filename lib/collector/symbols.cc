// SPDX-License-Identifier: MIT
//
// dladdr knows what a program exports, which of a static variable is nothing:
// the table of all symbols is read from the file.

#include "collector/symbols.h"

#if defined(__linux__)
#include <cxxabi.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#endif

namespace acre::inline ACRE_ABI::detail {

#if defined(__linux__)

namespace {

struct Module {
  std::uintptr_t address;  // asked for
  std::uintptr_t bias = 0;
  std::string path;
  bool is_found = false;
};

int FindModule(dl_phdr_info* info, std::size_t, void* data) {
  auto& module = *static_cast<Module*>(data);
  for (unsigned i = 0; i < info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    const std::uintptr_t begin = info->dlpi_addr + segment.p_vaddr;
    if (segment.p_type != PT_LOAD || module.address < begin ||
        module.address >= begin + segment.p_memsz) {
      continue;
    }
    module.bias = info->dlpi_addr;
    module.path = info->dlpi_name;
    if (module.path.empty()) module.path = "/proc/self/exe";
    module.is_found = true;
    return 1;
  }
  return 0;
}

/// A file, mapped; empty where it cannot be.
class MappedFile {
 public:
  explicit MappedFile(const char* path) {
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    struct stat status;
    if (fstat(file, &status) == 0 && status.st_size > 0) {
      const auto size = static_cast<std::size_t>(status.st_size);
      void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
      if (data != MAP_FAILED) {
        data_ = static_cast<const char*>(data);
        size_ = size;
      }
    }
    close(file);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile() {
    if (data_ != nullptr) munmap(const_cast<char*>(data_), size_);
  }

  /// `count` records at an offset, or null where the file is shorter.
  template <class T>
  const T* At(std::uint64_t offset, std::uint64_t count = 1) const {
    if (offset > size_ || count > (size_ - offset) / sizeof(T)) return nullptr;
    return reinterpret_cast<const T*>(data_ + offset);
  }
  /// A string that ends in the file, or "".
  const char* TextAt(std::uint64_t offset) const {
    for (std::uint64_t end = offset; end < size_; ++end) {
      if (data_[end] == '\0') return data_ + offset;
    }
    return "";
  }

 private:
  const char* data_ = nullptr;
  std::size_t size_ = 0;
};

struct Symbol {
  std::string name;  // empty: none
  std::uint64_t offset = 0;
};

Symbol FindSymbol(const MappedFile& file, std::uint64_t value) {
  const auto* header = file.At<Elf64_Ehdr>(0);
  if (header == nullptr || header->e_ident[EI_CLASS] != ELFCLASS64) return {};
  const auto* sections = file.At<Elf64_Shdr>(header->e_shoff, header->e_shnum);
  if (sections == nullptr) return {};
  Symbol found;
  for (unsigned i = 0; i < header->e_shnum; ++i) {
    const Elf64_Shdr& section = sections[i];
    if (section.sh_type != SHT_SYMTAB && section.sh_type != SHT_DYNSYM) {
      continue;
    }
    if (section.sh_link >= header->e_shnum) continue;
    const std::uint64_t count = section.sh_size / sizeof(Elf64_Sym);
    const auto* symbols = file.At<Elf64_Sym>(section.sh_offset, count);
    if (symbols == nullptr) continue;
    for (std::uint64_t s = 0; s < count; ++s) {
      const Elf64_Sym& symbol = symbols[s];
      if (ELF64_ST_TYPE(symbol.st_info) != STT_OBJECT ||
          value < symbol.st_value ||
          value - symbol.st_value >= symbol.st_size) {
        continue;
      }
      found.name =
          file.TextAt(sections[section.sh_link].sh_offset + symbol.st_name);
      found.offset = value - symbol.st_value;
      if (section.sh_type == SHT_SYMTAB) return found;
    }
  }
  return found;
}

std::string Demangled(const std::string& name) {
  int status = 0;
  char* text = abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status);
  if (text == nullptr) return name;
  std::string result = text;
  std::free(text);
  return result;
}

std::string Hex(std::uint64_t value) {
  char text[32];
  std::snprintf(text, sizeof text, "+%#llx",
                static_cast<unsigned long long>(value));
  return text;
}

}  // namespace

std::string SymbolAt(const void* address) {
  Module module{reinterpret_cast<std::uintptr_t>(address), 0, {}, false};
  dl_iterate_phdr(&FindModule, &module);
  if (!module.is_found) return {};
  const std::uint64_t value = module.address - module.bias;
  const MappedFile file(module.path.c_str());
  const Symbol symbol = FindSymbol(file, value);
  const bool is_program = module.path == "/proc/self/exe";
  const std::string where = is_program ? "the program" : module.path;
  if (symbol.name.empty()) return where + Hex(value);
  std::string text = Demangled(symbol.name);
  if (symbol.offset != 0) text += Hex(symbol.offset);
  return is_program ? text : text + " (" + where + ")";
}

#else

std::string SymbolAt(const void*) { return {}; }

#endif

}  // namespace acre::inline ACRE_ABI::detail
