// SPDX-License-Identifier: MIT

#include "acre/detail/process_map.h"

#include "acre/detail/gc_query.h"

#if defined(__linux__)
#include <link.h>
#include <pthread.h>
#endif

namespace acre::inline ACRE_ABI::detail {

#if defined(__linux__)

ProcessMap::ProcessMap() {
  const auto add = [](dl_phdr_info* info, std::size_t, void* self) {
    auto& map = *static_cast<ProcessMap*>(self);
    for (unsigned i = 0; i < info->dlpi_phnum; ++i) {
      const auto& segment = info->dlpi_phdr[i];
      if (segment.p_type != PT_LOAD) continue;
      const auto* begin =
          reinterpret_cast<const char*>(info->dlpi_addr + segment.p_vaddr);
      map.statics_.push_back({begin, begin + segment.p_memsz});
    }
    return 0;
  };
  dl_iterate_phdr(add, this);

  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
  void* lowest = nullptr;
  std::size_t size = 0;
  if (pthread_attr_getstack(&attributes, &lowest, &size) == 0) {
    stack_ = {static_cast<char*>(lowest), static_cast<char*>(lowest) + size};
  }
  pthread_attr_destroy(&attributes);
  // A fiber's stack is not the thread's.
  const auto* frame = static_cast<const char*>(__builtin_frame_address(0));
  const auto* bottom = static_cast<const char*>(CollectedStackBottom());
  if (!Holds(stack_, frame) && bottom != nullptr && bottom > frame) {
    stack_ = {frame, bottom};
  }
}

#else

// Elsewhere such pointers are reported as unknown.
ProcessMap::ProcessMap() = default;

#endif

bool ProcessMap::Holds(const Range& range, const void* address) {
  return address >= range.begin && address < range.end;
}

bool ProcessMap::IsStatic(const void* address) const {
  for (const Range& range : statics_) {
    if (Holds(range, address)) return true;
  }
  return false;
}

bool ProcessMap::IsStack(const void* address) const {
  return Holds(stack_, address);
}

}  // namespace acre::inline ACRE_ABI::detail
