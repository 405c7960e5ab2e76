// SPDX-License-Identifier: MIT
//
// Arenas in shared memory: one process builds, others map it read-only and
// read, wherever the mapping lands in their address space.
//
//   // writer
//   acre::SharedMemorySource source({.bytes = 1 << 20});
//   acre::Arena arena({.source = &source});
//   auto* feed = arena.New<Feed>();        // struct with Vector<Tick> ticks
//   source.SetRoot(feed);                  // hand source.fd() to the reader
//
//   // reader: another process
//   acre::SharedMemoryView view(fd);
//   const Feed* feed = view.Root<Feed>();
//   for (const Tick& tick : view.Elements(feed->ticks)) ...
//   for (const auto& [id, order] : view.Elements(feed->orders)) ...
//
// Pointers inside are the writer's. A reader must not follow them: Local()
// translates one, Elements() reads a Vector, String, Map or Set, and both check
// that the result lies in the mapping. Nothing else of a container may be
// called there: what is in a Map is gone through, not looked up. Both sides
// must be built with the same struct and the same acre (checked or release).
// Root() refuses a type that is not the writer's.
//
// Ownership: the source owns the memory's descriptor; a view owns its mapping
// and borrows the descriptor during construction only. The memory lives until
// the last of them is gone, the writer's process included or not.
// Threads: processes and threads order their accesses themselves.
// Linux (memfd). The collector neither scans the memory nor knows it.
// Signals: the descriptor's size is sealed, so that no process can take memory
// away under another's mapping. What remains is SIGBUS where a page is touched
// for the first time and the system has no memory for it: Commit() asks for
// pages beforehand, and is false where there are none. A view of a file of
// another origin, unsealed, is at the mercy of whoever may cut it.

#ifndef ACRE_SHARED_MEMORY_H_
#define ACRE_SHARED_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "acre/config.h"
#include "acre/element.h"
#include "acre/mmap_source.h"

namespace acre::inline ACRE_ABI {

struct SharedMemoryOptions {
  /// The most that the memory can grow to; costs nothing until used.
  std::size_t bytes = std::size_t{1} << 30;

  /// Shown by /proc/PID/maps. Copied.
  const char* name = "acre";
};

/// The writer's side: a chunk source over a memfd.
class SharedMemorySource final : public RangeSource {
 public:
  /// Where the system refuses, fd() is -1, error() says why, and an arena over
  /// this source has no memory. EFBIG: RLIMIT_FSIZE (ulimit -f) is below
  /// `bytes`.
  explicit SharedMemorySource(const SharedMemoryOptions& options = {});
  ~SharedMemorySource() override;

  ChunkMemory Acquire(std::size_t min_size, std::size_t wanted) override;

  /// The descriptor to hand to another process (inherited across fork, or sent
  /// over a Unix socket; close-on-exec is set). Owned by this object.
  int fd() const noexcept { return fd_; }

  /// What readers get from Root<T>(). Requires: an object of an arena over this
  /// source, or null.
  template <class T>
  void SetRoot(const T* object) {
    static_assert(detail::RequireElement<T>());
    SetRootObject(object, LayoutOf<T>().id);
  }

 private:
  void Decommit() noexcept override;
  void SetRootObject(const void* object, std::uint64_t type_id);

  int fd_ = -1;
};

/// The elements of a Map or Set in another process's memory, in the order of
/// its table.
template <class T>
class SharedElements {
 public:
  class iterator {  // NOLINT: as everywhere
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;

    iterator() = default;
    const T& operator*() const { return *element_; }
    const T* operator->() const { return element_; }
    iterator& operator++() {
      const ElementRun run = of_->next_(of_->block_, of_->bytes_, &cursor_);
      const auto* at = static_cast<const char*>(run.data);
      // A table that its writer is changing may say anything.
      const bool is_inside =
          at != nullptr && at - of_->block_ >= 0 &&
          static_cast<std::size_t>(at - of_->block_) + sizeof(T) <= of_->bytes_;
      element_ = is_inside ? static_cast<const T*>(run.data) : nullptr;
      return *this;
    }
    iterator operator++(int) {
      iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const iterator& a, const iterator& b) {
      return a.element_ == b.element_;
    }

   private:
    friend class SharedElements;
    const SharedElements* of_ = nullptr;
    std::size_t cursor_ = 0;
    const T* element_ = nullptr;  // null: the end
  };

  SharedElements() = default;
  iterator begin() const {
    iterator first;
    if (block_ == nullptr) return first;
    first.of_ = this;
    return ++first;
  }
  iterator end() const { return {}; }

 private:
  friend class SharedMemoryView;
  const char* block_ = nullptr;  // the table's, or null: no elements
  std::size_t bytes_ = 0;
  ElementRun (*next_)(const void* block, std::size_t bytes,
                      std::size_t* cursor) = nullptr;
};

/// Another process's view of it, or this one's.
class SharedMemoryView {
 public:
  enum class Access { kRead, kReadWrite };

  SharedMemoryView() = default;
  /// Where `fd` is not such memory, or cannot be mapped, the view is empty and
  /// error() is the errno.
  explicit SharedMemoryView(int fd, Access access = Access::kRead);
  SharedMemoryView(SharedMemoryView&& other) noexcept { Swap(other); }
  SharedMemoryView& operator=(SharedMemoryView&& other) noexcept {
    Swap(other);
    return *this;
  }
  ~SharedMemoryView();

  explicit operator bool() const noexcept { return base_ != nullptr; }
  int error() const noexcept { return error_; }

  /// The object given to SetRoot; null where there is none, where it was of
  /// another type, or where it lies outside the memory.
  template <class T>
  const T* Root() const {
    return static_cast<const T*>(RootObject(LayoutOf<T>().id, sizeof(T)));
  }

  /// The local address of `count` objects at an address of the writer; null
  /// where they do not lie inside the memory, or are misaligned.
  template <class T>
  const T* Local(const T* writers, std::size_t count = 1) const {
    if (count > PTRDIFF_MAX / sizeof(T)) return nullptr;
    const void* local = Translate(writers, count * sizeof(T));
    if (reinterpret_cast<std::uintptr_t>(local) % alignof(T) != 0) {
      return nullptr;
    }
    return static_cast<const T*>(local);
  }
  template <class T>
  std::span<const T> Local(std::span<const T> writers) const {
    const T* local = Local(writers.data(), writers.size());
    return local == nullptr ? std::span<const T>()
                            : std::span<const T>(local, writers.size());
  }

  /// The elements of a Vector, or the characters of a String, that lies in this
  /// mapping. Empty where its storage lies elsewhere.
  template <class Handle>
  requires requires(const Handle& handle) { handle.data(); }
  std::span<const typename Handle::value_type> Elements(
      const Handle& handle) const {
    using T = typename Handle::value_type;
    const std::size_t count = handle.size();
    const HandleStorage storage = LayoutOf<Handle>().ops->storage(&handle);
    if (storage.block == nullptr) {
      // A short String's text is inside the handle. One that its writer is
      // changing may say anything.
      if constexpr (requires { handle.view(); }) {
        const char* const data = handle.data();
        const std::size_t offset = reinterpret_cast<std::uintptr_t>(data) -
                                   reinterpret_cast<std::uintptr_t>(&handle);
        if (offset <= sizeof(handle) && count <= sizeof(handle) - offset) {
          return {data, count};
        }
      }
      return {};
    }
    return Local(
        std::span<const T>(static_cast<const T*>(storage.block), count));
  }

  /// The elements of a Map or Set that lies in this mapping, by value_type.
  /// None where its table lies elsewhere. The range must outlive its iterators.
  template <class Handle>
  requires requires { typename Handle::key_type; }
  SharedElements<typename Handle::value_type> Elements(
      const Handle& handle) const {
    using T = typename Handle::value_type;
    const TypeOps& ops = *LayoutOf<Handle>().ops;
    const HandleStorage storage = ops.storage(&handle);
    SharedElements<T> elements;
    if (storage.block == nullptr) return elements;
    const void* const local = Translate(storage.block, storage.bytes);
    if (local == nullptr ||
        reinterpret_cast<std::uintptr_t>(local) % storage.align != 0) {
      return elements;
    }
    elements.block_ = static_cast<const char*>(local);
    elements.bytes_ = storage.bytes;
    elements.next_ = ops.next_in_storage;
    return elements;
  }

  /// `bytes` bytes at an offset from the start of the memory; writable only
  /// with Access::kReadWrite. Empty where they do not lie inside.
  std::span<std::byte> Bytes(std::size_t offset, std::size_t bytes) const;

 private:
  void Swap(SharedMemoryView& other) noexcept;
  const void* Translate(const void* writers, std::size_t bytes) const;
  const void* RootObject(std::uint64_t type_id, std::size_t bytes) const;

  std::byte* base_ = nullptr;  // owned mapping, or null
  std::size_t size_ = 0;       // bytes mapped
  int error_ = 0;
};

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_SHARED_MEMORY_H_
