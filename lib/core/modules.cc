// SPDX-License-Identifier: MIT

#include "core/modules.h"

#if ACRE_HAS_MODULES
#include <dlfcn.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#endif

namespace acre::inline ACRE_ABI::detail {

#if ACRE_HAS_MODULES

namespace {

const char* AddressOf(const dl_phdr_info& module, ElfW(Addr) address) {
  return reinterpret_cast<const char*>(module.dlpi_addr + address);
}

/// True for bytes that the module has in memory and that can be read. The
/// headers of some name notes that are not loaded.
bool IsLoaded(const dl_phdr_info& module, ElfW(Addr) begin, ElfW(Xword) size) {
  for (const ElfW(Phdr)* part = module.dlpi_phdr;
       part != module.dlpi_phdr + module.dlpi_phnum; ++part) {
    if (part->p_type == PT_LOAD && (part->p_flags & PF_R) != 0 &&
        begin >= part->p_vaddr && size <= part->p_memsz &&
        begin - part->p_vaddr <= part->p_memsz - size) {
      return true;
    }
  }
  return false;
}

struct NoteVisit {
  const char* owner;
  bool (*visit)(const Note&, void*);
  void* data;
};

std::size_t AlignUp(std::size_t size, std::size_t align) {
  return (size + align - 1) / align * align;
}

/// False where the visit is over.
bool VisitNotes(const char* notes, std::size_t size, std::size_t align,
                const NoteVisit& visit) {
  const std::size_t owner_size = std::strlen(visit.owner) + 1;
  while (size >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) header;
    std::memcpy(&header, notes, sizeof header);
    const std::size_t content = AlignUp(sizeof header + header.n_namesz, align);
    const std::size_t end = content + header.n_descsz;
    if (header.n_namesz > size || content > size || end > size) return true;
    if (header.n_namesz == owner_size &&
        std::memcmp(notes + sizeof header, visit.owner, owner_size) == 0 &&
        !visit.visit({header.n_type, notes + content, header.n_descsz},
                     visit.data)) {
      return false;
    }
    const std::size_t next = AlignUp(end, align);
    if (next >= size) return true;
    notes += next;
    size -= next;
  }
  return true;
}

int VisitModule(dl_phdr_info* module, std::size_t, void* data) {
  for (const ElfW(Phdr)* part = module->dlpi_phdr;
       part != module->dlpi_phdr + module->dlpi_phnum; ++part) {
    if (part->p_type != PT_NOTE ||
        !IsLoaded(*module, part->p_vaddr, part->p_memsz)) {
      continue;
    }
    if (!VisitNotes(AddressOf(*module, part->p_vaddr), part->p_memsz,
                    part->p_align == 8 ? 8 : 4,
                    *static_cast<const NoteVisit*>(data))) {
      return 1;
    }
  }
  return 0;
}

struct Call {
  void (*run)(void*);
  void* data;
};

/// What is asked about one module.
struct Question {
  const void* address;
  bool is_first = true;  // the program comes first
  bool is_unloadable = false;
  ModuleRange range = {};
};

bool Holds(const dl_phdr_info& module, const void* address) {
  const auto at = reinterpret_cast<ElfW(Addr)>(address);
  return IsLoaded(module, at - module.dlpi_addr, 1);
}

bool HasNoDelete(const dl_phdr_info& module) {
  for (const ElfW(Phdr)* part = module.dlpi_phdr;
       part != module.dlpi_phdr + module.dlpi_phnum; ++part) {
    if (part->p_type != PT_DYNAMIC) continue;
    for (const auto* entry = reinterpret_cast<const ElfW(Dyn)*>(
             AddressOf(module, part->p_vaddr));
         entry->d_tag != DT_NULL; ++entry) {
      if (entry->d_tag == DT_FLAGS_1) {
        return (entry->d_un.d_val & DF_1_NODELETE) != 0;
      }
    }
  }
  return false;
}

ModuleRange RangeOf(const dl_phdr_info& module) {
  ModuleRange range{UINTPTR_MAX, 0};
  for (const ElfW(Phdr)* part = module.dlpi_phdr;
       part != module.dlpi_phdr + module.dlpi_phnum; ++part) {
    if (part->p_type != PT_LOAD) continue;
    const std::uintptr_t begin = module.dlpi_addr + part->p_vaddr;
    range.begin = std::min(range.begin, begin);
    range.end = std::max(range.end, begin + part->p_memsz);
  }
  return range;
}

int Answer(dl_phdr_info* module, std::size_t, void* data) {
  auto& question = *static_cast<Question*>(data);
  const bool is_first = question.is_first;
  question.is_first = false;
  if (!Holds(*module, question.address)) return 0;
  question.is_unloadable = !is_first && !HasNoDelete(*module);
  question.range = RangeOf(*module);
  return 1;
}

}  // namespace

void ForEachNote(const char* owner, bool (*visit)(const Note&, void*),
                 void* data) noexcept {
  NoteVisit visit_all{owner, visit, data};
  dl_iterate_phdr(&VisitModule, &visit_all);
}

// glibc holds a lock, which one thread may take twice, around all calls.
void UnderLoaderLock(void (*run)(void*), void* data) noexcept {
  Call call{run, data};
  dl_iterate_phdr(
      [](dl_phdr_info*, std::size_t, void* once) {
        const auto& wanted = *static_cast<const Call*>(once);
        wanted.run(wanted.data);
        return 1;
      },
      &call);
}

bool IsUnloadable(const void* address) noexcept {
  Question question{address};
  dl_iterate_phdr(&Answer, &question);
  return question.is_unloadable;
}

ModuleRange RangeAround(const void* address) noexcept {
  Question question{address};
  dl_iterate_phdr(&Answer, &question);
  return question.range;
}

void* Hold(const void* address) noexcept {
  Dl_info info;
  if (dladdr(address, &info) == 0 || info.dli_fname == nullptr) return nullptr;
  return dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
}

void LetGo(void* handle) noexcept {
  if (handle != nullptr) dlclose(handle);
}

void ParkForEver(const char* name, void* pointer) noexcept {
  const int file = memfd_create(name, MFD_CLOEXEC);
  if (file < 0) return;
  if (write(file, &pointer, sizeof pointer) == sizeof pointer) {
    // Never unmapped. Private: a child's is its own.
    static_cast<void>(
        mmap(nullptr, sizeof pointer, PROT_READ, MAP_PRIVATE, file, 0));
  }
  close(file);
}

void* FindParked(const char* name) noexcept {
  std::FILE* const maps = std::fopen("/proc/self/maps", "re");
  if (maps == nullptr) return nullptr;
  char wanted[64];
  std::snprintf(wanted, sizeof wanted, "/memfd:%s (deleted)\n", name);
  void* found = nullptr;
  char line[512];
  while (found == nullptr && std::fgets(line, sizeof line, maps) != nullptr) {
    const char* const path = std::strchr(line, '/');
    unsigned long begin = 0;
    if (path == nullptr || std::strcmp(path, wanted) != 0 ||
        std::sscanf(line, "%lx-", &begin) != 1) {
      continue;
    }
    std::memcpy(&found, reinterpret_cast<const void*>(begin), sizeof found);
  }
  std::fclose(maps);
  return found;
}

#else

void ForEachNote(const char*, bool (*)(const Note&, void*), void*) noexcept {}
void UnderLoaderLock(void (*run)(void*), void* data) noexcept { run(data); }
bool IsUnloadable(const void*) noexcept { return false; }
ModuleRange RangeAround(const void*) noexcept { return {0, UINTPTR_MAX}; }
void* Hold(const void*) noexcept { return nullptr; }
void LetGo(void*) noexcept {}
void ParkForEver(const char*, void*) noexcept {}
void* FindParked(const char*) noexcept { return nullptr; }

#endif

}  // namespace acre::inline ACRE_ABI::detail
