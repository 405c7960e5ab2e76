// SPDX-License-Identifier: MIT

#include "saved/saved_home.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <random>
#include <utility>

#include "acre/detail/blocks.h"
#include "acre/detail/size_class.h"
#include "acre/failure.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

constexpr int kProtection = PROT_READ | PROT_WRITE;
// Memory that is not touched is not asked for.
constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

/// Bytes at that very address, or null.
char* MapAt(std::uintptr_t address, std::size_t bytes) {
  void* const wanted = reinterpret_cast<void*>(address);
  void* const mapped =
      ::mmap(wanted, bytes, kProtection, kFlags | MAP_FIXED_NOREPLACE, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  if (mapped == wanted) return static_cast<char*>(mapped);
  ::munmap(mapped, bytes);  // before Linux 4.17 the address is a wish
  return nullptr;
}

char* MapAtRandom(std::size_t bytes) {
  constexpr std::size_t kAll = SavedHome::kEnd - SavedHome::kFirst;
  constexpr int kTries = 64;
  if (bytes >= kAll) return nullptr;
  const std::size_t places = (kAll - bytes) / SavedHome::kAlign;
  std::random_device device;
  for (int i = 0; i < kTries; ++i) {
    const std::uint64_t number = std::uint64_t{device()} << 32 | device();
    char* const mapped =
        MapAt(SavedHome::kFirst + number % places * SavedHome::kAlign, bytes);
    if (mapped != nullptr) return mapped;
  }
  return nullptr;
}

char* MapAnywhere(std::size_t bytes) {
  void* const mapped = ::mmap(nullptr, bytes, kProtection, kFlags, -1, 0);
  return mapped == MAP_FAILED ? nullptr : static_cast<char*>(mapped);
}

}  // namespace

// --------------------------------------------------------------------- source

ChunkMemory HomeSource::Acquire(std::size_t min_size, std::size_t wanted) {
  if (!is_taken_ && min_size <= first_.size) {
    is_taken_ = true;
    return first_;
  }
  return more_ != nullptr ? more_->Acquire(min_size, wanted) : ChunkMemory{};
}

void HomeSource::Release(ChunkMemory memory) noexcept {
  if (memory.address != first_.address) return more_->Release(memory);
  is_taken_ = false;
  if (keeps_contents_) return;
  // The memory goes back, the address stays.
  static_cast<void>(::mmap(first_.address, first_.size, kProtection,
                           kFlags | MAP_FIXED, -1, 0));
}

std::size_t HomeSource::Extend(ChunkMemory memory, std::size_t min_more,
                               std::size_t wanted_more) {
  if (memory.address == first_.address) return 0;
  return more_->Extend(memory, min_more, wanted_more);
}

// ----------------------------------------------------------------------- home

SavedHome* SavedHome::Make(const void* address, std::size_t image_bytes) {
  // Room for the first of what is made later.
  constexpr std::size_t kRoom = std::size_t{64} << 10;
  if (image_bytes > PTRDIFF_MAX / 4) {
    errno = ENOMEM;
    return nullptr;
  }
  const std::size_t image = RoundUp(image_bytes, kHomeBytes) + kRoom;
  const std::size_t bytes = kHomeBytes + image;
  char* base = address != nullptr
                   ? MapAt(reinterpret_cast<std::uintptr_t>(address), bytes)
                   : MapAtRandom(bytes);
  if (base == nullptr) base = MapAnywhere(bytes);
  if (base == nullptr) return nullptr;
  auto* const home = new (std::nothrow) SavedHome(base, bytes, image);
  if (home == nullptr) {
    ::munmap(base, bytes);
    errno = ENOMEM;
  }
  return home;
}

SavedHome::SavedHome(char* base, std::size_t bytes, std::size_t image_bytes)
    : base_(base), bytes_(bytes), image_bytes_(image_bytes) {}

void SavedHome::EndArena() {
  if (source_ == nullptr) return;
  source_->KeepContents();
  // None where there was no memory for it.
  if (arena_ != nullptr) std::exchange(arena_, nullptr)->~Arena();
  delete std::exchange(source_, nullptr);
}

SavedHome::~SavedHome() {
  EndArena();
  ::munmap(base_, bytes_);
}

bool SavedHome::MapFile(int fd, std::size_t at, std::size_t bytes) {
  return ::mmap(image(), bytes, kProtection, MAP_PRIVATE | MAP_FIXED, fd,
                static_cast<off_t>(at)) != MAP_FAILED;
}

void SavedHome::PreferHugePages() {
  // A refusal costs speed only.
  static_cast<void>(::madvise(image(), image_bytes_, MADV_HUGEPAGE));
}

Arena* SavedHome::StartArena(const char* name, ChunkSource* more,
                             std::size_t bytes) {
  name_ = name;
  source_ = new HomeSource({image(), image_bytes_}, more);
  arena_ = ::new (base_) Arena({.name = name_.c_str(), .source = source_});
  if (bytes == 0) return arena_;
  const char* const room = Blocks::TryTakeRoom(*arena_, bytes);
  if (room == nullptr) return nullptr;
  ACRE_CHECK(room == image() + kChunkHeader,
             "a saved arena does not begin where its image does");
  return arena_;
}

}  // namespace acre::inline ACRE_ABI::detail
