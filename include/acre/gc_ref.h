// SPDX-License-Identifier: MIT
//
// GcRef and GcWeakRef: fields of arena objects that refer to the collected
// heap. A plain pointer there is a leak: the collector does not look into
// arenas, and frees what only they point to.
//
//   struct Node { acre::GcRef<Object> value; Node* next; };
//   ACRE_LAYOUT(Node, value, next)
//
//   node->value = object;              // holds the object alive from now on
//   node->value->Print();              // reading costs what a pointer costs
//   arena.Free(node);                  // gives it up; so do Reset and Rewind
//
//   struct Cell { acre::GcWeakRef<Object> owner; };   // does not hold it
//   if (Object* owner = cell->owner.lock()) ...       // null once it is gone
//
// How: beside its pointer a GcRef in an arena has a slot, a word of a table
// that the collector scans. The table is the arena's: that of a collected
// arena lives and dies with it, so that a cycle from an arena to an object and
// back is collected as a whole. A GcWeakRef has a slot in a table in which the
// collector's next event clears what was not marked.
//
// Where they may stand: in objects of an arena, and in what these hold by
// value: Vectors, Maps (values, and keys of GcRef, by identity), optionals,
// variants, arrays. They are handles, as Vector is: found by layout and
// released with what holds them, without a destructor. So optional::reset, a
// variant that changes its kind, and a struct assigned over by placement new
// leave the slot behind, and its object held until Reset: acre::Clear(x) first.
// A slot belongs to its place: copying or moving a reference gives the other
// place a slot of its own, and may fail for memory; never memcpy one. A field
// that is one can be neither borrowed nor transient. On a stack,
// in a register or in a static neither needs one: there the collector sees the
// pointer itself, and a GcWeakRef is as strong as any pointer. In memory that
// it does not scan and that is no arena's (malloc'ed, thread_local) they hold
// nothing; checked builds refuse that where they can tell.
//
// What they refer to: an object of the collected heap, or a place inside it
// where the host sees interior pointers (see CollectorSeesInteriorPointers);
// another collected arena, by any object in it. What is no address of the
// collected heap (a host's small integers, static objects) a GcRef keeps as it
// is; a GcWeakRef takes addresses alone.
// DeepCopy, Clone and Escape copy what they refer to by reference. Checksum and
// Diff see whether a GcRef is null, and of a GcWeakRef nothing: which object it
// is has no meaning in another process. A History keeps what the GcRefs of its
// frames referred to; a GcWeakRef comes back null where that is gone. Save and
// JSON have no form for them.
//
// Ownership: a GcRef shares its target with all others that refer to it.
// Failure: assigning for the first time takes a slot, and fails like New where
// memory runs out; the reference is as it was then. Memory: 8 bytes a slot,
// beside the 16 bytes of a GcRef and 8 of a GcWeakRef; in pages of 4 KiB, one
// at least for each of the two kinds, and for each open mark since which one
// was made; kept by the arena for its next ones until Reset(kRelease).
// Threads: those of the arena. The thread must be registered with the
// collector. Not in a callback of the collector.

#ifndef ACRE_GC_REF_H_
#define ACRE_GC_REF_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "acre/config.h"
#include "acre/detail/fill.h"
#include "acre/detail/shape.h"
#include "acre/fwd.h"
#include "acre/type_layout.h"

namespace acre::inline ACRE_ABI {
namespace detail {

/// Checked builds: `ref` lies in memory that was given up.
[[noreturn]] ACRE_COLD void FailRefPlace(const void* ref, const char* what);

/// True where a host has switched interior pointers off: slots hold where
/// objects begin.
extern bool refs_need_base;

/// A GcRef without its type.
struct GcRefRep {
  void* object = nullptr;
  std::uintptr_t* slot = nullptr;  // null: none yet, or outside of arenas

  ACRE_INLINE void Set(void* target) {
    if constexpr (!kChecked) {
      if (ACRE_LIKELY(slot != nullptr && !refs_need_base)) {
        return SetIn(target);
      }
      if (slot == nullptr && target == nullptr) {
        object = nullptr;
        return;
      }
    }
    SetSlowly(target);
  }
  /// Of a place that holds nothing yet.
  ACRE_INLINE void Start(void* target) {
    if (target != nullptr) SetSlowly(target);
  }
  ACRE_INLINE void* Get() const {
    if constexpr (kChecked) {
      if (IsFillWord(object) || IsFillWord(slot)) FailRefPlace(this, "GcRef");
    }
    return object;
  }
  void SetIn(void* target) {
    // The collector may look at any moment.
    __atomic_store_n(slot, reinterpret_cast<std::uintptr_t>(target),
                     __ATOMIC_RELAXED);
    object = target;
  }
  void SetSlowly(void* target);
};

/// A GcWeakRef without its type: null, an address as it is (outside of arenas),
/// or the complement of its slot's. A slot holds null, or the complement of an
/// address, so that nothing takes it for a reference; without bit 62 where that
/// is not the beginning of an object.
struct GcWeakRefRep {
  static constexpr std::uintptr_t kIsBase = std::uintptr_t{1} << 62;

  std::intptr_t word = 0;

  void Set(void* target);
  ACRE_INLINE void* Lock() const;
  std::uintptr_t* slot() const {
    return reinterpret_cast<std::uintptr_t*>(~word);
  }
};

/// Where it stands how many collections there have been, and up to which the
/// slots of weak references were swept. They differ where somebody has taken
/// acre's callback out.
extern const struct SweepNumbers {
  const unsigned long* collections;
  const unsigned long* swept;
} sweep_numbers;
/// Fails, having seen to it that the next collection sweeps.
[[noreturn]] ACRE_COLD void FailUnswept();

ACRE_INLINE void* GcWeakRefRep::Lock() const {
  if constexpr (kChecked) {
    if (IsFillWord(reinterpret_cast<const void*>(word))) {
      FailRefPlace(this, "GcWeakRef");
    }
  }
  if (word >= 0) return reinterpret_cast<void*>(word);
  const std::uintptr_t hidden = __atomic_load_n(slot(), __ATOMIC_RELAXED);
  if (hidden == 0) return nullptr;
  // From here on the collector sees the address, in a register or on this
  // stack; what it did before shows in the slot.
  std::uintptr_t target = ~(hidden | kIsBase);
  __asm__ volatile("" : "+r"(target) : : "memory");
  if (__atomic_load_n(slot(), __ATOMIC_RELAXED) != hidden) return nullptr;
  if (ACRE_UNLIKELY(
          __atomic_load_n(sweep_numbers.swept, __ATOMIC_RELAXED) !=
          __atomic_load_n(sweep_numbers.collections, __ATOMIC_RELAXED))) {
    FailUnswept();
  }
  __asm__ volatile("" : "+r"(target));
  return reinterpret_cast<void*>(target);
}

/// Slots for as many references as were counted, so that a copy of them in the
/// arena cannot fail; false where memory runs out.
bool ReserveRefSlots(Arena& arena, std::size_t strong, std::size_t weak);
/// The slot of a reference, null where it has none; and to give one back whose
/// reference is gone.
std::uintptr_t* SlotOf(const TypeLayout& type, const void* ref) noexcept;
void GiveSlot(std::uintptr_t* slot) noexcept;
/// What the collector is asked for at a time.
inline constexpr std::size_t kSlotBytes = 4080;

template <class T>
void* Erased(T* object) {
  return const_cast<void*>(static_cast<const volatile void*>(object));
}

}  // namespace detail

/// Holds the object that it refers to alive; see the top of this file. Null by
/// default. Complexity: reading is a load; assigning two stores, and the first
/// time a look-up of its own address and a slot.
template <class T>
class GcRef {
 public:
  using element_type = T;

  constexpr GcRef() noexcept = default;
  constexpr GcRef(std::nullptr_t) noexcept {}  // NOLINT: as pointers do
  GcRef(T* object) { rep_.Start(detail::Erased(object)); }  // NOLINT
  GcRef(const GcRef& other) : GcRef(other.get()) {}
  /// Leaves the other one null, with its slot.
  // NOLINTNEXTLINE: not noexcept, since it may need a slot
  GcRef(GcRef&& other) : GcRef(other.get()) { other.reset(); }
  template <class U>
  requires(!std::is_same_v<T, U> && std::is_convertible_v<U*, T*>)
      GcRef(const GcRef<U>& other)  // NOLINT: as pointers do
      : GcRef(static_cast<T*>(other.get())) {}
  ~GcRef() = default;

  GcRef& operator=(T* object) {
    rep_.Set(detail::Erased(object));
    return *this;
  }
  GcRef& operator=(std::nullptr_t) {
    rep_.Set(nullptr);
    return *this;
  }
  GcRef& operator=(const GcRef& other) { return *this = other.get(); }
  // NOLINTNEXTLINE: not noexcept, since it may need a slot
  GcRef& operator=(GcRef&& other) {
    *this = other.get();
    if (this != &other) other.reset();
    return *this;
  }

  T* get() const { return static_cast<T*>(rep_.Get()); }
  T* operator->() const { return get(); }
  std::add_lvalue_reference_t<T> operator*() const { return *get(); }
  explicit operator bool() const { return get() != nullptr; }
  void reset() { rep_.Set(nullptr); }

  /// By identity.
  friend bool operator==(const GcRef& a, const GcRef& b) {
    return a.get() == b.get();
  }
  friend bool operator==(const GcRef& a, const T* b) { return a.get() == b; }
  friend bool operator==(const GcRef& a, std::nullptr_t) {
    return a.get() == nullptr;
  }

 private:
  detail::GcRefRep rep_;
};

/// Knows whether the object that it refers to is still there, and does not hold
/// it; see the top of this file. Null by default.
template <class T>
class GcWeakRef {
 public:
  using element_type = T;

  constexpr GcWeakRef() noexcept = default;
  constexpr GcWeakRef(std::nullptr_t) noexcept {}  // NOLINT: as pointers do
  GcWeakRef(T* object) { rep_.Set(detail::Erased(object)); }  // NOLINT
  template <class U>
  requires std::is_convertible_v<U*, T*> GcWeakRef(
      const GcRef<U>& ref)  // NOLINT
      : GcWeakRef(static_cast<T*>(ref.get())) {}
  template <class U>
  requires(!std::is_same_v<T, U> && std::is_convertible_v<U*, T*>)
      GcWeakRef(const GcWeakRef<U>& other)  // NOLINT: as pointers do
      : GcWeakRef(static_cast<T*>(other.lock())) {}
  GcWeakRef(const GcWeakRef& other) : GcWeakRef(other.lock()) {}
  /// Leaves the other one null, with its slot.
  // NOLINTNEXTLINE: not noexcept, since it may need a slot
  GcWeakRef(GcWeakRef&& other) : GcWeakRef(other.lock()) { other.reset(); }
  ~GcWeakRef() = default;

  GcWeakRef& operator=(T* object) {
    rep_.Set(detail::Erased(object));
    return *this;
  }
  GcWeakRef& operator=(const GcWeakRef& other) { return *this = other.lock(); }
  // NOLINTNEXTLINE: not noexcept, since it may need a slot
  GcWeakRef& operator=(GcWeakRef&& other) {
    *this = other.lock();
    if (this != &other) other.reset();
    return *this;
  }

  /// The object, or null once the collector has found that nothing holds it:
  /// also where a finalizer of it is still to run. It lives for as long as the
  /// caller keeps what is returned on its stack. Fails (misuse) where a host
  /// has replaced acre's callback of collections by one that does not call it,
  /// so that nobody knows. Lock-free, some 2 ns.
  T* lock() const { return static_cast<T*>(rep_.Lock()); }
  bool expired() const { return lock() == nullptr; }
  /// Refer to the same object, or both to none (any more).
  friend bool operator==(const GcWeakRef& a, const GcWeakRef& b) {
    return a.lock() == b.lock();
  }
  void reset() { rep_.Set(nullptr); }

 private:
  detail::GcWeakRefRep rep_;
};

namespace detail {

/// How layouts see either: containers without elements.
struct GcRefOps {
  static void Bind(void* ref, Arena* arena);
  static void Release(void* ref);
  static HandleStorage Storage(const void* ref);
  static ElementRun None(const void*) { return {}; }
  static ElementRun NoRun(const void*, std::size_t*) { return {}; }
  static void Adopt(void* ref, Arena* arena, void* block, std::size_t bytes);
  static StorageCopy Copy(void* ref, Arena* arena);
  static std::uint64_t Digest(const void* ref);
  static constexpr TypeOps kOps{.form = HandleForm::kRef,
                                .bind = &Bind,
                                .release = &Release,
                                .storage = &Storage,
                                .in_use = &None,
                                .next_run = &NoRun,
                                .adopt = &Adopt,
                                .copy_storage = &Copy,
                                .digest = &Digest};
};
struct GcWeakRefOps {
  static void Bind(void* ref, Arena* arena);
  static void Release(void* ref);
  static HandleStorage Storage(const void* ref);
  static void Adopt(void* ref, Arena* arena, void* block, std::size_t bytes);
  static StorageCopy Copy(void* ref, Arena* arena);
  static std::uint64_t Digest(const void* ref);
  static constexpr TypeOps kOps{.form = HandleForm::kWeakRef,
                                .bind = &Bind,
                                .release = &Release,
                                .storage = &Storage,
                                .in_use = &GcRefOps::None,
                                .next_run = &GcRefOps::NoRun,
                                .adopt = &Adopt,
                                .copy_storage = &Copy,
                                .digest = &Digest};
};

template <class Ops>
struct RefShape : PlainShape {
  static constexpr TypeKind kKind = TypeKind::kHandle;
  static constexpr bool kHasSlots = true;
  static constexpr unsigned kHandles = kRefs;
  static constexpr const TypeLayout* (*kElement)() = &GetLayout<std::byte>;
  static constexpr const TypeOps* kOps = &Ops::kOps;
  static void BindTo(void* ref, Arena* arena) { Ops::Bind(ref, arena); }
  static void Release(void* ref) { Ops::Release(ref); }
};
template <class T>
inline constexpr bool kIsRef<GcRef<T>> = true;
template <class T>
inline constexpr bool kIsRef<GcWeakRef<T>> = true;
template <class T>
struct Shape<GcRef<T>> : RefShape<GcRefOps> {};
template <class T>
struct Shape<GcWeakRef<T>> : RefShape<GcWeakRefOps> {};

}  // namespace detail

/// By identity. Collected objects do not move; but addresses differ from run to
/// run, and so does the order of such keys.
template <class T>
struct Hash<GcRef<T>> : Hash<T*> {
  using is_transparent = void;
  std::uint64_t operator()(const T* object) const {
    return Hash<T*>()(const_cast<T*>(object));
  }
  std::uint64_t operator()(const GcRef<T>& ref) const {
    return Hash<T*>()(ref.get());
  }
  std::uint64_t operator()(const GcRef<T>& ref, std::uint64_t seed) const {
    return Hash<T*>()(ref.get(), seed);
  }
};

}  // namespace acre::inline ACRE_ABI

template <class T>
struct std::hash<acre::GcRef<T>> {
  std::size_t operator()(const acre::GcRef<T>& ref) const noexcept {
    return std::hash<T*>()(ref.get());
  }
};

#endif  // ACRE_GC_REF_H_
