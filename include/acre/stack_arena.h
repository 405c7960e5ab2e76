// SPDX-License-Identifier: MIT
//
// StackArena: a stack of bytes and values, popped by size or back to a marker.
//
//   acre::StackArena stack(arena, 64 * 1024);
//   stack.Push(3.5);
//   stack.Push(std::as_bytes(std::span("text")));
//   const acre::StackMarker marker = stack.marker();
//   stack.Push(Vec3{1, 2, 3});
//   stack.Restore(marker);                 // Vec3 gone
//   stack.Pop(5);                          // "text" and its zero
//   double x = stack.Pop<double>();        // 3.5
//
// Values are copied in and out byte by byte, so they stand without padding and
// at any address; to work on objects in place use a Scope.
//
// Ownership: one block of the arena, given back at the end of the stack; the
// arena must outlive it and must not be Reset meanwhile.
// Units: bytes. Threads: one at a time. Complexity: constant, the copy aside.
// Errors: pushing more than fits runs out of memory (TryPush: returns null);
// popping more than is there, and restoring a marker above the top, is misuse
// (TryPop, TryRestore: return false), and nothing is lost.

#ifndef ACRE_STACK_ARENA_H_
#define ACRE_STACK_ARENA_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <optional>
#include <span>
#include <type_traits>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/blocks.h"
#include "acre/detail/location.h"
#include "acre/element.h"
#include "acre/failure.h"

namespace acre::inline ACRE_ABI {

/// A height of a StackArena. A plain value.
class StackMarker {
 public:
  StackMarker() = default;
  /// Bytes on the stack when the marker was taken.
  std::size_t height() const noexcept { return height_; }

 private:
  friend class StackArena;
  explicit StackMarker(std::size_t height) : height_(height) {}
  std::size_t height_ = 0;
};

/// See the top of this file.
class StackArena {
 public:
  /// Takes `capacity` bytes of the arena; fails like Allocate.
  StackArena(Arena& arena, std::size_t capacity)
      : arena_(arena),
        bytes_(static_cast<std::byte*>(arena.Allocate(capacity))),
        capacity_(capacity) {}
  StackArena(const StackArena&) = delete;
  StackArena& operator=(const StackArena&) = delete;
  /// Gives nothing back where a History has brought the arena back since.
  ~StackArena() {
    if (detail::TimesBroughtBack(arena_) == times_brought_back_) {
      arena_.Free(bytes_, capacity_);
    }
  }

  /// Copies the bytes onto the stack and returns where they are. They may come
  /// from the stack itself, also from a part that was just popped.
  std::byte* Push(std::span<const std::byte> bytes) {
    std::byte* at = TryPush(bytes);
    if (ACRE_UNLIKELY(at == nullptr)) {
      detail::Blocks::Fail(arena_, bytes.size());
    }
    return at;
  }
  [[nodiscard]] std::byte* TryPush(std::span<const std::byte> bytes) {
    if (bytes.size() > remaining()) return nullptr;
    std::byte* at = bytes_ + used_;
    if (!bytes.empty()) std::memmove(at, bytes.data(), bytes.size());
    used_ += bytes.size();
    return at;
  }

  /// Copies a value onto the stack. T is data that may be copied byte by byte.
  template <class T>
  requires(!std::is_convertible_v<
           const T&, std::span<const std::byte>>) void Push(const T& value) {
    Push(BytesOf(value));
  }
  /// As Push; false where it does not fit.
  template <class T>
  requires(!std::is_convertible_v<const T&, std::span<const std::byte>>)
      [[nodiscard]] bool TryPush(const T& value) {
    return TryPush(BytesOf(value)) != nullptr;
  }

  /// Removes the topmost `bytes` bytes. Requires: bytes <= used().
  void Pop(std::size_t bytes) {
    ACRE_CHECK(TryPop(bytes),
               "StackArena of arena '%s': Pop of %zu bytes from %zu",
               arena_.name(), bytes, used_);
  }
  [[nodiscard]] bool TryPop(std::size_t bytes) {
    if (bytes > used_) return false;
    used_ -= bytes;
    return true;
  }

  /// Removes the topmost sizeof(T) bytes and returns them as a T.
  template <class T>
  T Pop() {
    T value = Top<T>();
    used_ -= sizeof(T);
    return value;
  }
  /// As Pop; nothing, and nothing changed, where there are too few bytes.
  template <class T>
  [[nodiscard]] std::optional<T> TryPop() {
    if (sizeof(T) > used_) return std::nullopt;
    return Pop<T>();
  }

  /// The topmost sizeof(T) bytes, as a T.
  template <class T>
  T Top() const {
    CheckValue<T>();
    ACRE_CHECK(sizeof(T) <= used_,
               "StackArena of arena '%s': a value of %zu bytes from %zu",
               arena_.name(), sizeof(T), used_);
    alignas(T) std::byte value[sizeof(T)];
    std::memcpy(value, bytes_ + used_ - sizeof(T), sizeof(T));
    return *std::launder(reinterpret_cast<T*>(value));
  }

  /// The present height.
  StackMarker marker() const noexcept { return StackMarker(used_); }

  /// Removes everything pushed since the marker was taken. Requires: the stack
  /// is at least as high; markers may be restored more than once.
  void Restore(StackMarker marker) {
    ACRE_CHECK(TryRestore(marker),
               "StackArena of arena '%s': the marker stands at %zu bytes, the "
               "stack at %zu",
               arena_.name(), marker.height_, used_);
  }
  [[nodiscard]] bool TryRestore(StackMarker marker) {
    if (marker.height_ > used_) return false;
    used_ = marker.height_;
    return true;
  }

  /// Removes everything.
  void Reset() noexcept { used_ = 0; }

  /// All bytes, bottom first.
  std::span<const std::byte> bytes() const noexcept { return {bytes_, used_}; }
  std::size_t used() const noexcept { return used_; }
  const char* name() const noexcept { return arena_.name(); }
  /// As Arena::HandOver, of the arena that its memory is of.
  void HandOver() noexcept { arena_.HandOver(); }
  std::size_t remaining() const noexcept { return capacity_ - used_; }
  std::size_t capacity() const noexcept { return capacity_; }
  bool empty() const noexcept { return used_ == 0; }

 private:
  template <class T>
  static constexpr void CheckValue() {
    static_assert(detail::RequireElement<T>());
    static_assert(std::is_trivially_copyable_v<T>,
                  "acre: a StackArena takes data that may be copied byte by "
                  "byte; make other objects in a Scope");
    static_assert(
        LayoutOf<T>().kind != TypeKind::kView,
        "acre: this would push a pointer and a count; push the bytes: "
        "Push(std::as_bytes(span))");
  }
  template <class T>
  static std::span<const std::byte> BytesOf(const T& value) {
    CheckValue<T>();
    return {reinterpret_cast<const std::byte*>(&value), sizeof(T)};
  }

  Arena& arena_;
  std::byte* bytes_;  // a block of arena_, of capacity_ bytes
  std::size_t capacity_;
  std::uint64_t times_brought_back_ = detail::TimesBroughtBack(arena_);
  std::size_t used_ = 0;  // <= capacity_
};

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_STACK_ARENA_H_
