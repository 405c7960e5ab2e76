// SPDX-License-Identifier: MIT
//
// Table: the open-addressing hash table behind Map and Set. Internal to acre.
//
//   one block of the arena:
//   | control: 16 bytes a group | slots: 15 a group                    |
//
// Group index: the TOP bits of the hash; fingerprint: its low byte. When the
// table doubles, group g feeds only groups 2g and 2g+1, so growth streams
// through both tables once. Probing goes by triangular steps over groups.
// Below, `group` is where the control bytes of a group begin, counted from the
// first of all: 16 times its index.
// Elements are moved by copying their bytes. At most 7/8 of the slots are
// used. What was measured and what lost is in tests/perf/DEAD_ENDS.md.

#ifndef ACRE_CONTAINERS_DETAIL_TABLE_H_
#define ACRE_CONTAINERS_DETAIL_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/group.h"
#include "acre/detail/handle.h"
#include "acre/detail/table_cursor.h"
#include "acre/element.h"
#include "acre/hash.h"

namespace acre::inline ACRE_ABI::detail {

/// What a table is made of, without its types; 56 bytes.
/// `size` and `limit` are kept apart: adjacent, g++ updates both with one
/// 16-byte access, which stalls on the 8-byte store of the last insertion.
struct TableRep {
  std::uint8_t* control = const_cast<std::uint8_t*>(kEmptyGroups);
  void* slots = nullptr;
  std::uint32_t mask = 0;    // groups - 1; groups are a power of two >= 2
  std::uint32_t shift = 59;  // 60 - log2(groups)
  std::size_t size = 0;
  Arena* arena = nullptr;  // null: not bound yet
  std::size_t limit = 0;   // insertions beyond this size rehash; 0: no table
  std::uint64_t stamp = 0;

  bool has_table() const { return slots != nullptr; }
  std::size_t groups() const { return has_table() ? mask + std::size_t{1} : 0; }
  std::size_t control_bytes() const { return groups() * kGroupBytes; }
};
static_assert(sizeof(TableRep) == 56);

inline constexpr std::size_t kMaxGroups = std::size_t{1} << 31;

/// Size and alignment of a slot, and of the tables made of them. A group wants
/// 16; more would round small tables up to powers of two.
struct SlotShape {
  std::size_t size;
  std::size_t align;

  constexpr std::size_t table_align() const {
    return align > kGroupBytes ? align : kGroupBytes;
  }
  constexpr std::size_t control_bytes(std::size_t groups) const {
    return RoundUp(groups * kGroupBytes, table_align());
  }
  constexpr std::size_t table_bytes(std::size_t groups) const {
    return control_bytes(groups) + groups * kGroupSlots * size;
  }
};
constexpr std::size_t LimitOf(std::size_t groups) {
  return groups * kGroupSlots * 7 / 8;
}

/// Points `rep` to a new, empty table; the old one stays with the caller.
/// `what` names the container for messages.
void MakeTable(TableRep& rep, std::size_t groups, SlotShape shape,
               const char* what);
void GiveTable(const TableRep& rep, SlotShape shape);
/// See TypeOps::copy_storage.
StorageCopy CopyTable(TableRep& rep, Arena& arena, SlotShape shape);
/// An empty, bound rep.
TableRep EmptyTable(Arena* arena);
/// Groups for `count` elements at least; `what` names the container.
std::size_t GroupsFor(std::size_t count, const char* what);

template <class H, class Q>
concept Hashes = requires(const Q& key) {
  H()(key);
};

/// Policy: Slot, Key, kName, static const Key& KeyOf(const Slot&).
template <class Policy, class H, class E>
class Table {
 public:
  using Slot = typename Policy::Slot;
  using Key = typename Policy::Key;
  static constexpr SlotShape kShape{sizeof(Slot), alignof(Slot)};

  using iterator = TableCursor<Slot, typename Policy::Value>;
  using const_iterator = TableCursor<Slot, const typename Policy::Value>;

  Table() = default;
  explicit Table(Arena& arena) { rep_.arena = &arena; }
  Table(Table&& other) noexcept : rep_(other.rep_) {
    other.rep_ = EmptyTable(rep_.arena);
  }
  Table& operator=(Table&& other) noexcept {
    if (this == &other) return *this;
    if constexpr (kChecked) {
      CheckTakes(this, other.rep_.arena, other.rep_.slots);
    }
    // Taken first: `other` may lie in an element of this one.
    const TableRep taken = other.rep_;
    other.rep_ = EmptyTable(taken.arena);
    Release();
    Arena* const own = rep_.arena;
    rep_ = taken;
    if (rep_.arena == nullptr) rep_.arena = own;
    return *this;
  }

  TableRep& rep() { return rep_; }
  const TableRep& rep() const { return rep_; }

  iterator begin() const { return First<iterator>(); }
  iterator end() const { return {}; }

  void Release() {
    RequireParts();
    ReleaseTable();
  }
  /// Release for layouts: whether the parts are elements was asked where the
  /// table was made, and here it would make an error of asking.
  void ReleaseTable() {
    if (!rep_.has_table()) return;
    if (rep_.arena->IsLive(rep_.stamp)) {
      ReleaseAllElements();
      GiveTable(rep_, kShape);
    }
    rep_ = EmptyTable(rep_.arena);
  }

  void Clear() {
    RequireParts();
    if (!rep_.has_table()) return;
    if (!rep_.arena->IsLive(rep_.stamp)) {
      rep_ = EmptyTable(rep_.arena);
      return;
    }
    ReleaseAllElements();
    std::memset(rep_.control, 0, rep_.control_bytes());
    rep_.size = 0;
    rep_.limit = LimitOf(rep_.groups());
  }

  void Reserve(std::size_t count) {
    const std::size_t groups = GroupsFor(count, Policy::kName);
    if (groups > rep_.groups()) Rehash(groups);
  }

  /// Elements are where their keys say no longer: keys were rewritten. Calls
  /// moved(from, to) for each slot, in their old order.
  template <class Moved>
  void Reinsert(Moved moved) {
    if (rep_.size == 0) return;
    const std::size_t bytes = kShape.table_bytes(rep_.groups());
    const Buffer buffer(bytes);
    std::memcpy(buffer.bytes, rep_.control, bytes);
    std::memset(rep_.control, 0, rep_.control_bytes());
    TableRep old = rep_;
    old.control = static_cast<std::uint8_t*>(buffer.bytes);
    old.slots = old.control + kShape.control_bytes(old.groups());
    for (std::size_t group = 0; group < old.control_bytes();
         group += kGroupBytes) {
      SlotMask left = Used(old.control + group);
      for (; left != 0; left &= left - 1) {
        const unsigned i = FirstSlot(left);
        moved(RowOf(rep_, group) + i, Place(RowOf(old, group)[i]));
      }
    }
  }

  template <class Q>
  ACRE_INLINE Slot* Find(const Q& key) const {
    CheckLive();
    Position at;
    return Look(key, HashOf(key), &at);
  }
  template <class Q>
  iterator FindIterator(const Q& key) const {
    CheckLive();
    Position at;
    if (Look(key, HashOf(key), &at) == nullptr) return end();
    return At(at);
  }

  struct Insertion {
    Slot* slot;
    bool is_new;
  };
  /// Finds `key`, or makes a slot by `construct(void*)`.
  template <class Q, class Construct>
  ACRE_INLINE Insertion TryInsert(const Q& key, Construct construct) {
    CheckLive();
    const std::uint64_t hash = HashOf(key);
    Position at;
    if (Slot* slot = Look(key, hash, &at)) return {slot, false};
    if (ACRE_UNLIKELY(rep_.size >= rep_.limit)) {
      return {InsertGrowing(hash, construct), true};
    }
    at = Locate(hash);
    Slot* slot = SlotAt(at.group, at.slot);
    construct(static_cast<void*>(slot));
    ControlOf(at.group)[at.slot] = FingerprintOf(hash);
    ++rep_.size;
    return {slot, true};
  }

  template <class Q>
  std::size_t Erase(const Q& key) {
    CheckLive();
    Position at;
    const std::uint64_t hash = HashOf(key);
    if (Look(key, hash, &at) == nullptr) return 0;
    EraseAt(at, hash);
    return 1;
  }

  template <class Iterator>
  Iterator EraseAt(Iterator it) {
    const Slot* slot = it.slot();
    EraseAt(PositionOf(slot), HashOf(Policy::KeyOf(*slot)));
    it.KnowErasure();
    return ++it;
  }

  /// The iterator to a slot that TryInsert or Find returned.
  iterator At(const Slot* slot) const { return At(PositionOf(slot)); }

  void swap(Table& other) noexcept {
    if constexpr (kChecked) {
      CheckTakes(this, other.rep_.arena, other.rep_.slots);
      CheckTakes(&other, rep_.arena, rep_.slots);
    }
    std::swap(rep_, other.rep_);
  }

 private:
  struct Position {
    std::size_t group;
    unsigned slot;
  };
  /// Room for a table, for a moment.
  struct Buffer {
    static constexpr std::align_val_t kAlign{kShape.table_align()};
    explicit Buffer(std::size_t size) : bytes(::operator new(size, kAlign)) {}
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() { ::operator delete(bytes, kAlign); }
    void* const bytes;
  };

  void CheckLive() const {
    if constexpr (kChecked) {
      if (rep_.has_table() && !rep_.arena->IsLive(rep_.stamp)) {
        FailDead(*rep_.arena, Policy::kName);
      }
    }
  }

  template <class Q>
  static ACRE_INLINE std::uint64_t HashOf(const Q& key) {
    static_assert(Hashes<H, Q>,
                  "acre: no hash for this key: specialise acre::Hash<K>, or "
                  "give the container a hasher of your own");
    if constexpr (requires { typename H::is_avalanching; }) {
      return H()(key);
    } else {
      return Mix(static_cast<std::uint64_t>(H()(key)), kMix0);
    }
  }

  /// Where the search for a hash begins.
  ACRE_INLINE std::size_t HomeOf(std::uint64_t hash) const {
    return (hash >> rep_.shift) & ~(kGroupBytes - 1);
  }
  ACRE_INLINE std::size_t Next(std::size_t group, std::size_t step) const {
    return (group + step * kGroupBytes) & (rep_.mask * kGroupBytes);
  }
  ACRE_INLINE std::uint8_t* ControlOf(std::size_t group) const {
    return rep_.control + group;
  }
  const std::uint8_t* EndOfControl() const {
    return rep_.control + rep_.control_bytes();
  }
  static ACRE_INLINE Slot* RowOf(const TableRep& rep, std::size_t group) {
    return reinterpret_cast<Slot*>(static_cast<char*>(rep.slots) +
                                   RowOffset<sizeof(Slot)>(group));
  }
  ACRE_INLINE Slot* SlotAt(std::size_t group, unsigned slot) const {
    return InRow(RowOf(rep_, group), slot);
  }
  Position PositionOf(const Slot* slot) const {
    const auto index =
        static_cast<std::size_t>(slot - static_cast<Slot*>(rep_.slots));
    return {index / kGroupSlots * kGroupBytes,
            static_cast<unsigned>(index % kGroupSlots)};
  }
  iterator At(Position at) const {
    return iterator::At(*rep_.arena, ControlOf(at.group), EndOfControl(),
                        RowOf(rep_, at.group), at.slot);
  }
  template <class Iterator>
  Iterator First() const {
    if (rep_.size == 0) return {};
    CheckLive();
    return Iterator::First(*rep_.arena, rep_.control, EndOfControl(),
                           static_cast<Slot*>(rep_.slots));
  }

  // The first third of the slots: each line more costs as much as it brings.
  // Fetched only once a fingerprint has matched, so that misses fetch nothing.
  ACRE_INLINE void PrefetchSlots(std::size_t group) const {
    constexpr std::size_t kLines = (kGroupSlots / 3 * sizeof(Slot) + 63) / 64;
    if constexpr (kLines <= 5) {
      const char* at = reinterpret_cast<const char*>(RowOf(rep_, group));
      for (std::size_t i = 0; i < kLines; ++i) __builtin_prefetch(at + 64 * i);
    }
  }

  template <class Q>
  ACRE_INLINE Slot* LookInGroup(const Q& key, Pattern pattern,
                                std::size_t group, Position* at) const {
    SlotMask mask = Match(ControlOf(group), pattern);
    if (mask == 0) return nullptr;  // and always without a table
    Slot* const row = RowOf(rep_, group);
    PrefetchSlots(group);
    for (; mask != 0; mask &= mask - 1) {
      Slot* slot = InRow(row, FirstSlot(mask));
      if (ACRE_LIKELY(E()(Policy::KeyOf(*slot), key))) {
        *at = {group, FirstSlot(mask)};
        return slot;
      }
    }
    return nullptr;
  }

  /// The first group inline, the rest out of line. Null where `key` is absent,
  /// and `*at` of no meaning then.
  template <class Q>
  ACRE_INLINE Slot* Look(const Q& key, std::uint64_t hash, Position* at) const {
    std::size_t group = HomeOf(hash);
    // An empty table has two groups of control bytes to look at.
    Slot* slot = LookInGroup(key, PatternOf(hash), group, at);
    if (slot != nullptr) return slot;
    // Or g++ works the address out for both questions, before the first.
    ACRE_FORGET(group);
    if (ACRE_LIKELY(!HasOverflow(ControlOf(group), hash))) return nullptr;
    const Found found = LookFurther(key, hash);
    *at = found.at;
    return found.slot;
  }

  /// By value: of a Position whose address went to a function, every search
  /// would store.
  struct Found {
    Slot* slot;
    Position at;
  };
  template <class Q>
  __attribute__((noinline)) Found LookFurther(const Q& key,
                                              std::uint64_t hash) const {
    const Pattern pattern = PatternOf(hash);
    Position at{HomeOf(hash), 0};
    for (std::size_t step = 1; step <= rep_.mask; ++step) {
      const std::size_t group = Next(at.group, step);
      if (Slot* slot = LookInGroup(key, pattern, group, &at)) return {slot, at};
      if (!HasOverflow(ControlOf(group), hash)) break;
      at.group = group;
    }
    return {nullptr, at};
  }

  /// The first free slot on the probe path; marks the full groups passed.
  ACRE_INLINE Position Locate(std::uint64_t hash) {
    std::size_t group = HomeOf(hash);
    for (std::size_t step = 1;; ++step) {
      std::uint8_t* control = ControlOf(group);
      const SlotMask free = Free(control);
      if (ACRE_LIKELY(free != 0)) return {group, FirstSlot(free)};
      control[kGroupSlots] |= OverflowBit(hash);
      group = Next(group, step);
    }
  }

  /// Puts the bytes of an element, known to be absent, where they belong.
  Slot* Place(const Slot& from) {
    const std::uint64_t hash = HashOf(Policy::KeyOf(from));
    const Position at = Locate(hash);
    ControlOf(at.group)[at.slot] = FingerprintOf(hash);
    Slot* to = SlotAt(at.group, at.slot);
    CopySlot(to, from);
    return to;
  }

  static ACRE_INLINE void CopySlot(Slot* to, const Slot& from) {
    std::memcpy(static_cast<void*>(to), static_cast<const void*>(&from),
                sizeof(Slot));
  }

  static void RequireParts() {
    if constexpr (kHandlesIn<typename Policy::Parts>) {
      static_assert(RequireElement<typename Policy::Parts>());
    }
  }

  void EraseAt(Position at, std::uint64_t hash) {
    RequireParts();
    ReleaseIn(*SlotAt(at.group, at.slot));
    std::uint8_t* const control = ControlOf(at.group);
    // A slot freed in a group that has overflowed still lies behind its bit:
    // counting it as unusable bounds the drift of overflow bits.
    rep_.limit -= std::size_t{HasOverflow(control, hash)};
    --rep_.size;
    Blocks::CountErasure(*rep_.arena);
    control[at.slot] = 0;
  }

  void ReleaseAllElements() {
    if constexpr (kHandlesIn<typename Policy::Parts>) {
      for (auto it = begin(); it != end(); ++it) ReleaseIn(*it);
    }
  }

  /// The size of the next table.
  std::size_t NextGroups() const {
    const std::size_t groups = rep_.groups();
    if (groups == 0) return 2;
    // Mostly drift from erasures: the same size, with clean overflow bits.
    if (rep_.size * 16 < LimitOf(groups) * 13) return groups;
    return groups < 64 ? 4 * groups : 2 * groups;
  }

  /// The new element is made before the others move: `construct` may refer to
  /// them, or move from them.
  template <class Construct>
  ACRE_COLD Slot* InsertGrowing(std::uint64_t hash, Construct construct) {
    static_assert(RequireElement<typename Policy::Parts>());
    const TableRep old = StartRehash(NextGroups());
    const Position at = Locate(hash);
    Slot* slot = SlotAt(at.group, at.slot);
#if ACRE_EXCEPTIONS
    try {
#endif
      construct(static_cast<void*>(slot));
#if ACRE_EXCEPTIONS
    } catch (...) {
      GiveTable(rep_, kShape);
      rep_ = old;
      throw;
    }
#endif
    ControlOf(at.group)[at.slot] = FingerprintOf(hash);
    FinishRehash(old);
    ++rep_.size;
    return slot;
  }

  ACRE_COLD void Rehash(std::size_t groups) {
    FinishRehash(StartRehash(groups));
  }

  /// An empty table, but for the size; returns the old one.
  TableRep StartRehash(std::size_t groups) {
    if (rep_.arena == nullptr) rep_.arena = &FindArena(this, Policy::kName);
    const TableRep old = rep_;
    if (old.has_table()) CheckMayGrow(*old.arena, old.stamp, Policy::kName);
    CheckMayAllocate(this, *rep_.arena, Policy::kName);
    MakeTable(rep_, groups, kShape, Policy::kName);
    return old;
  }

  void FinishRehash(const TableRep& old) {
    if (!old.has_table()) return;
    if (rep_.groups() == 2 * old.groups()) {
      Split(old);
    } else {
      for (std::size_t group = 0; group < old.control_bytes();
           group += kGroupBytes) {
        PlaceAll(old, group, Used(old.control + group));
      }
    }
    GiveTable(old, kShape);
  }

  __attribute__((noinline)) void PlaceAll(const TableRep& old,
                                          std::size_t group, SlotMask mask) {
    for (; mask != 0; mask &= mask - 1) {
      Place(RowOf(old, group)[FirstSlot(mask)]);
    }
  }

  /// Doubling: old group g feeds new groups 2g and 2g+1, whose free slots are
  /// kept in registers (reading control bytes just written would stall).
  /// Elements that had overflowed into g, or do not fit, are placed the slow
  /// way.
  void Split(const TableRep& old) {
    for (std::size_t group = 0; group < old.control_bytes();
         group += kGroupBytes) {
      const SlotMask away = SplitGroup(old, group);
      if (ACRE_UNLIKELY(away != 0)) PlaceAll(old, group, away);
    }
  }

  /// Returns the slots that have to go elsewhere.
  ACRE_INLINE SlotMask SplitGroup(const TableRep& old, std::size_t group) {
    const SlotMask used = Used(old.control + group);
    const Slot* row = RowOf(old, group);
    const std::size_t first = 2 * group;
    const std::size_t second = first + kGroupBytes;
    std::uint8_t* const control[2] = {ControlOf(first), ControlOf(second)};
    Slot* const to[2] = {RowOf(rep_, first), RowOf(rep_, second)};
    SlotMask free[2] = {Free(control[0]), Free(control[1])};
    SlotMask away = 0;
    for (SlotMask mask = used; mask != 0; mask &= mask - 1) {
      const unsigned i = FirstSlot(mask);
      const std::uint64_t hash = HashOf(Policy::KeyOf(row[i]));
      const std::size_t home = HomeOf(hash);
      const std::size_t half = home / kGroupBytes & 1;
      if (ACRE_UNLIKELY(home - half * kGroupBytes != first ||
                        free[half] == 0)) {
        away |= SlotMask{1} << i;
        continue;
      }
      const unsigned slot = FirstSlot(free[half]);
      free[half] &= free[half] - 1;
      control[half][slot] = FingerprintOf(hash);
      CopySlot(to[half] + slot, row[i]);
    }
    return away;
  }

  TableRep rep_;
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_TABLE_H_
