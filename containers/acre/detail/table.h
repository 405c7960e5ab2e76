// SPDX-License-Identifier: MIT
//
// Table: the open-addressing hash table behind Map and Set: a TableRep with the
// types of its elements, and what has to be inline. Internal to acre.
//
// Elements are moved by copying their bytes. What was measured and what lost is
// in tests/perf/DEAD_ENDS.md.

#ifndef ACRE_CONTAINERS_DETAIL_TABLE_H_
#define ACRE_CONTAINERS_DETAIL_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <utility>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/aside.h"
#include "acre/detail/blocks.h"
#include "acre/detail/group.h"
#include "acre/detail/handle.h"
#include "acre/detail/key.h"
#include "acre/detail/shape.h"
#include "acre/detail/table_cursor.h"
#include "acre/detail/table_rep.h"
#include "acre/element.h"
#include "acre/hash.h"

namespace acre::inline ACRE_ABI::detail {

/// Objects of T are all alike, or T is not there at all.
template <class T>
concept Stateless =
    !Complete<T> || (std::is_empty_v<T> && std::is_default_constructible_v<T>);

/// A hash of acre's, of keys that are acre's or the language's.
template <class H, class K>
inline constexpr bool kHashRunsNoCode =
    (std::is_same_v<H, Hash<K>> || std::is_same_v<H, UntrustedHash<K>>)&&(
        std::is_arithmetic_v<K> || std::is_same_v<K, String> ||
        std::is_same_v<K, std::string_view>);

/// Policy: Slot, Key, kName, static const Key& KeyOf(const Slot&), and the
/// layout of the container, static const TypeLayout* Layout().
template <class Policy, class H, class E>
class Table {
 public:
  using Slot = typename Policy::Slot;
  using Key = typename Policy::Key;
  static constexpr SlotShape kShape = [] {
    SlotShape shape{sizeof(Slot), alignof(Slot)};
    shape.container = &Policy::Layout;
    return shape;
  }();

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

  std::size_t size() const {
    CheckPlace(this, rep_.arena, Policy::kName);
    return rep_.size;
  }
  TableRep& rep() { return rep_; }
  const TableRep& rep() const { return rep_; }

  /// Binds an unbound table to the arena that it lies in.
  Arena& BoundArena() {
    if (rep_.arena == nullptr) rep_.arena = &FindArena(&rep_, Policy::kName);
    return *rep_.arena;
  }
  std::size_t slot_count() const {
    return rep_.groups() == 1 ? rep_.limit : rep_.groups() * kGroupSlots;
  }
  float load_factor() const {
    if (rep_.size == 0) return 0;
    return static_cast<float>(rep_.size) / static_cast<float>(slot_count());
  }

  iterator begin() const { return First<iterator>(); }
  iterator end() const { return {}; }

  void Release() {
    RequireParts();
    ReleaseTable();
  }
  /// Release for layouts: whether the parts are elements was asked where the
  /// table was made, and here it would make an error of asking.
  void ReleaseTable() {
    CheckArena(this, rep_.arena, Policy::kName);
    if (!rep_.has_table()) return;
    if (rep_.arena->IsLive(rep_.stamp)) {
      ReleaseAllElements();
      Blocks::CountErasure(*rep_.arena);
      GiveTable(rep_, kShape);
    }
    rep_ = EmptyTable(rep_.arena);
  }

  void Clear() {
    RequireParts();
    CheckArena(this, rep_.arena, Policy::kName);
    if (!rep_.has_table()) return;
    if (!rep_.arena->IsLive(rep_.stamp)) {
      rep_ = EmptyTable(rep_.arena);
      return;
    }
    ReleaseAllElements();
    Blocks::CountErasure(*rep_.arena);
    std::memset(rep_.control, 0, rep_.control_bytes());
    rep_.size = 0;
    rep_.limit = SizeOf(rep_).limit;
  }

  void Reserve(std::size_t count) { ReserveTable(rep_, count, kOps); }
  /// So many slots at least.
  void Rehash(std::size_t count) { Reserve(CountForSlots(count)); }
  /// Fails where a container is part of an element of this table.
  void CheckOutside(const void* container) const {
    const std::size_t slots = slot_count() * sizeof(Slot);
    const auto begin = reinterpret_cast<std::uintptr_t>(rep_.slots);
    const auto at = reinterpret_cast<std::uintptr_t>(container);
    ACRE_CHECK(at - begin >= slots,
               "%s::merge of a %s that is part of an element of this one, "
               "which moves as it grows: move it out first",
               Policy::kName, Policy::kName);
  }

  /// See TypeOps::rehash.
  void Reinsert(void (*moved)(void* context, const void* from, void* to),
                void* context) {
    ReinsertAll(rep_, kOps, moved, context);
  }

  template <class Q>
  ACRE_INLINE Slot* Find(const Q& key) const {
    CheckLive();
    SlotPosition at;
    return Search(key, HashOf(key), &at);
  }
  template <class Q>
  iterator FindIterator(const Q& key) const {
    CheckLive();
    SlotPosition at;
    if (Search(key, HashOf(key), &at) == nullptr) return end();
    return At(at);
  }

  // For what can be looked up, be it a key or not: one is made of it then.
  template <class Q>
  ACRE_INLINE Slot* Look(const Q& key) const {
    if constexpr (kIsAsked<Q>) {
      return Find(key);
    } else {
      return AskMade(key, [this](const Key& made) { return Find(made); });
    }
  }
  template <class Q>
  ACRE_INLINE iterator LookIterator(const Q& key) const {
    if constexpr (kIsAsked<Q>) {
      return FindIterator(key);
    } else {
      return AskMade(key,
                     [this](const Key& made) { return FindIterator(made); });
    }
  }
  template <class Q>
  ACRE_INLINE std::size_t EraseKey(const Q& key) {
    if constexpr (kIsAsked<Q>) {
      return Erase(key);
    } else {
      return AskMade(key, [this](const Key& made) { return Erase(made); });
    }
  }

  struct Insertion {
    Slot* slot;
    bool is_new;
    bool took_value = false;  ///< see PlacedSlot
  };
  /// Finds `key`, or makes a slot by `construct(void*)`, which runs no code
  /// that may use this table, or throw. Inline is what the home group suffices
  /// for. All else is one call, behind which nothing is left to do: no register
  /// has to be saved for it.
  template <TakeValue Take = nullptr, class Q, class Construct>
  ACRE_INLINE Insertion TryInsert(const Q& key, Construct construct) {
    CheckLive();
    const std::uint64_t hash = HashOf(key);
    const std::size_t home = rep_.HomeOf(hash);
    SlotPosition at;
    Slot* slot = LookInGroup(key, PatternOf(hash), home, &at);
    if (slot != nullptr) return {slot, false};
    const SlotMask free = Free(ControlOf(home));
    if (ACRE_UNLIKELY(free == 0 || HasOverflow(ControlOf(home), hash) ||
                      rep_.size >= rep_.limit)) {
      return TryInsertFurther<Take>(key, hash, construct);
    }
    return {MakeAt({home, FirstSlot(free)}, hash, construct), true};
  }

  /// The same for a `construct` that may run anything: a source that collects,
  /// finalizers, code of the user's. `InPlace`: what it makes must lie in the
  /// arena. Where the key has come meanwhile, that one stays.
  template <bool InPlace, TakeValue Take = nullptr, class Q, class Construct>
  __attribute__((noinline)) Insertion TryInsertAside(const Q& key,
                                                     Construct construct) {
    CheckLive();
    const std::uint64_t hash = HashOf(key);
    SlotPosition at;
    if (Slot* slot = Search(key, hash, &at)) return {slot, false};
    Arena& arena = BoundArena();
    if constexpr (kMayGetStorage<typename Policy::Parts>) {
      CheckMayAllocate(
          rep_.has_table() ? static_cast<const void*>(rep_.slots) : this, arena,
          Policy::kName);
    }
    const Watched watched(rep_);
    AsideOf<Slot, InPlace> aside(arena);
    construct(static_cast<void*>(aside.get()));
    return Placed(ACRE_LIKELY(watched.IsUnchanged())
                      ? PlaceAbsent(rep_, kOps, hash, aside.get(), Take)
                      : PlaceMade(rep_, kOps, hash, aside.get(), Take));
  }

  /// The same for an element that is there, in a node: its owner is to forget
  /// it where it is new here. Before that it is not touched.
  Insertion InsertTaken(Slot& element) {
    CheckLive();
    const std::uint64_t hash = HashOf(Policy::KeyOf(element));
    return Placed(PlaceTaken(rep_, kOps, hash, &element, nullptr));
  }

  /// Takes over the elements whose keys are not here. What that runs may use
  /// either table: what is left to be taken is looked at anew then.
  template <class OtherTable>
  void Merge(OtherTable& other) {
    CheckLive();
    unsigned restarts = 0;
    // A hash that erases from another table each time must not go on for ever.
    bool only_this = false;
    for (auto at = other.begin(); at != other.end();) {
      const Watched watched(other.rep_, only_this);
      const Slot* const slot = at.slot();
      const std::uint64_t hash = HashOf(Policy::KeyOf(*slot));
      auto* const taken = const_cast<Slot*>(slot);
      const auto placed = watched.IsUnchanged()
                              ? PlaceTaken(rep_, kOps, hash, taken, &watched)
                              : PlacedSlot{};
      if (placed.slot == nullptr) {
        ACRE_CHECK(++restarts < 1000,
                   "%s::merge: a hash changes what is merged every time",
                   Policy::kName);
        only_this = true;
        at = other.begin();
        continue;
      }
      ++at;
      if (!placed.is_new) continue;
      other.VacateAt(other.PositionOf(slot));
      at.KnowErasure();
      restarts = 0;
    }
  }

  template <class Q>
  std::size_t Erase(const Q& key) {
    CheckLive();
    SlotPosition at;
    const std::uint64_t hash = HashOf(key);
    const Slot* const slot = Search(key, hash, &at);
    if (slot == nullptr) return 0;
    RequireParts();
    ReleaseIn(*slot);
    VacateAt(at, hash);
    return 1;
  }

  template <class Iterator>
  Iterator EraseAt(Iterator it) {
    RequireParts();
    ReleaseIn(*it.slot());
    VacateAt(PositionOf(it.slot()));
    it.KnowErasure();
    return ++it;
  }

  /// Erases, but what the element holds goes to `to` with its bytes.
  void TakeAt(iterator it, void* to) {
    const Slot* slot = it.slot();
    std::memcpy(to, static_cast<const void*>(slot), sizeof(Slot));
    VacateAt(PositionOf(slot));
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

  /// Whether Q is looked up as it is.
  template <class Q>
  static constexpr bool kIsAsked = AskedAsIs<Q, Key, H, E>;

 private:
  template <class, class, class>
  friend class Table;

  /// A table that is not there is not asked.
  template <class Q, class Ask>
  auto AskMade(const Q& key, const Ask& ask) const {
    if (!rep_.has_table()) return decltype(ask(std::declval<const Key&>())){};
    MadeKey<std::remove_const_t<Key>> made(rep_.arena, key);
    return ask(*made);
  }

  void CheckLive() const {
    if constexpr (kChecked) {
      CheckUse(this, rep_.arena, rep_.slots, rep_.stamp, Policy::kName);
    }
  }

  template <class Q>
  static ACRE_INLINE std::uint64_t HashOf(const Q& key) {
    static_assert(Stateless<H> && Stateless<E>,
                  "acre: a hasher or equality with state: no container keeps "
                  "one. Make it an empty struct; what it needs goes into the "
                  "key, or into a static or thread_local variable");
    static_assert(Hashes<H, Q>,
                  "acre: no hash for this key: specialise acre::Hash<K>, or "
                  "give the container a hasher of your own");
    return HashBy<H>(key);
  }

  ACRE_INLINE std::uint8_t* ControlOf(std::size_t group) const {
    return rep_.control + group;
  }
  const std::uint8_t* EndOfControl() const {
    return rep_.control + rep_.control_bytes();
  }
  ACRE_INLINE Slot* RowOf(std::size_t group) const {
    return reinterpret_cast<Slot*>(static_cast<char*>(rep_.slots) +
                                   RowOffset<sizeof(Slot)>(group));
  }
  ACRE_INLINE Slot* SlotAt(std::size_t group, unsigned slot) const {
    return InRow(RowOf(group), slot);
  }
  SlotPosition PositionOf(const Slot* slot) const {
    const auto index =
        static_cast<std::size_t>(slot - static_cast<Slot*>(rep_.slots));
    return {index / kGroupSlots * kGroupBytes,
            static_cast<unsigned>(index % kGroupSlots)};
  }
  iterator At(SlotPosition at) const {
    return iterator::At(*rep_.arena, ControlOf(at.group), EndOfControl(),
                        RowOf(at.group), at.slot);
  }
  template <class Iterator>
  Iterator First() const {
    if (size() == 0) return {};
    CheckLive();
    return Iterator::First(*rep_.arena, rep_.control, EndOfControl(),
                           static_cast<Slot*>(rep_.slots));
  }

  // The first third of the slots: each line more costs as much as it brings.
  // Fetched only once a fingerprint has matched, so that misses fetch nothing.
  ACRE_INLINE void PrefetchSlots(std::size_t group) const {
    constexpr std::size_t kLines = (kGroupSlots / 3 * sizeof(Slot) + 63) / 64;
    if constexpr (kLines <= 5) {
      const char* at = reinterpret_cast<const char*>(RowOf(group));
      for (std::size_t i = 0; i < kLines; ++i) __builtin_prefetch(at + 64 * i);
    }
  }

  template <class Q>
  ACRE_INLINE Slot* LookInGroup(const Q& key, Pattern pattern,
                                std::size_t group, SlotPosition* at) const {
    SlotMask mask = Match(ControlOf(group), pattern);
    if (mask == 0) return nullptr;  // and always without a table
    Slot* const row = RowOf(group);
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

  /// The home group inline, the rest out of line. Null where `key` is absent,
  /// and `*at` of no meaning then.
  template <class Q>
  ACRE_INLINE Slot* Search(const Q& key, std::uint64_t hash,
                           SlotPosition* at) const {
    std::size_t home = rep_.HomeOf(hash);
    // An empty table has two groups of control bytes to look at.
    Slot* slot = LookInGroup(key, PatternOf(hash), home, at);
    if (slot != nullptr) return slot;
    // Or g++ works the address out for both questions, before the first.
    ACRE_FORGET(home);
    if (ACRE_LIKELY(!HasOverflow(ControlOf(home), hash))) return nullptr;
    *at = LookFrom(key, hash, 1);
    return at->slot == kNoSlot ? nullptr : SlotAt(at->group, at->slot);
  }

  /// From the home group on, or without it: from `first`, 0 or 1, steps away.
  /// The slot is kNoSlot where `key` is absent. By value: of a SlotPosition
  /// whose address went to a function, every search would store.
  template <class Q>
  __attribute__((noinline)) SlotPosition LookFrom(const Q& key,
                                                  std::uint64_t hash,
                                                  std::size_t first) const {
    const Pattern pattern = PatternOf(hash);
    SlotPosition at{rep_.HomeOf(hash), 0};
    for (std::size_t step = first; step <= rep_.mask; ++step) {
      const std::size_t group = rep_.Next(at.group, step);
      if (LookInGroup(key, pattern, group, &at) != nullptr) return at;
      if (!HasOverflow(ControlOf(group), hash)) break;
      at.group = group;
    }
    return {0, kNoSlot};
  }

  /// TryInsert, where `key` is not in its home group.
  template <TakeValue Take, class Q, class Construct>
  __attribute__((noinline)) Insertion TryInsertFurther(const Q& key,
                                                       std::uint64_t hash,
                                                       Construct construct) {
    static_assert(RequireElement<typename Policy::Parts>());
    if (HasOverflow(ControlOf(rep_.HomeOf(hash)), hash)) {
      const SlotPosition at = LookFrom(key, hash, 1);
      if (at.slot != kNoSlot) return {SlotAt(at.group, at.slot), false};
    }
    if (ACRE_LIKELY(rep_.size < rep_.limit)) {
      return {MakeAt(rep_.Locate(hash), hash, construct), true};
    }
    return InsertGrowing<Take>(hash, construct);
  }

  /// Apart, or the registers that it saves would be saved above as well.
  template <TakeValue Take, class Construct>
  ACRE_COLD Insertion InsertGrowing(std::uint64_t hash, Construct construct) {
    Arena& arena = BoundArena();
    const Watched watched(rep_);
    if (rep_.mask != 0) {
      if (CleanOverflow(rep_, kOps)) {
        return {MakeAt(rep_.Locate(hash), hash, construct), true};
      }
    } else if (rep_.has_table()) {
      SmallGrowth small;
      if (void* const slot = StartSmallGrowth(rep_, kOps, hash, &small)) {
        construct(slot);
        FinishSmallGrowth(rep_, kOps, hash, small);
        return {static_cast<Slot*>(slot), true};
      }
    } else {
      // Nothing has to move: the element is made where it belongs.
      if (MakeFirst(arena)) return {MakeAt({0, 0}, hash, construct), true};
      FirstTable first(rep_, kOps);
      if (ACRE_LIKELY(first.is_in_use())) {
        const Insertion made{MakeAt(rep_.Locate(hash), hash, construct), true};
        first.Keep();
        return made;
      }
    }
    // Before the new table, which would be lost where this does not fit.
    AsideOf<Slot> aside(arena);
    Growing growing(rep_, kOps, watched);
    construct(static_cast<void*>(aside.get()));
    return Placed(growing.Place(hash, aside.get(), Take));
  }

  /// The first table, as StartSmallGrowth makes the others: of a size that the
  /// compiler knows.
  ACRE_INLINE bool MakeFirst(Arena& arena) {
    constexpr TableSize kSize{1, kOps.limits.after[0]};
    if (Blocks::AreRecorded(arena)) return false;
    void* const block = Blocks::TakeAtHand(arena, kShape.table_bytes(kSize),
                                           kShape.table_align());
    if (ACRE_UNLIKELY(block == nullptr)) return false;
    SetTable(rep_, block, kSize, kShape);
    std::memset(rep_.control, 0, kGroupBytes);
    return true;
  }

  template <class Construct>
  ACRE_INLINE Slot* MakeAt(SlotPosition at, std::uint64_t hash,
                           const Construct& construct) {
    Slot* slot = SlotAt(at.group, at.slot);
    construct(static_cast<void*>(slot));
    Occupy(ControlOf(at.group), at.slot, hash);
    ++rep_.size;
    return slot;
  }

  static void RequireParts() {
    if constexpr (kHandlesIn<typename Policy::Parts>) {
      static_assert(RequireElement<typename Policy::Parts>());
    }
  }

  void VacateAt(SlotPosition at) { VacateAt(at, ControlOf(at.group)[at.slot]); }
  /// `hash`: of the element, or its fingerprint.
  void VacateAt(SlotPosition at, std::uint64_t hash) {
    std::uint8_t* const control = ControlOf(at.group);
    // A slot freed in a group that has overflowed still lies behind its bit:
    // counting it as unusable bounds the drift of overflow bits.
    rep_.limit -= std::size_t{HasOverflow(control, hash)};
    --rep_.size;
    Blocks::CountErasure(*rep_.arena);
    Vacate(control, at.slot);
  }

  void ReleaseAllElements() {
    if constexpr (kHandlesIn<typename Policy::Parts>) {
      const std::size_t end = rep_.control_bytes();
      for (std::size_t group = 0; group != end; group += kGroupBytes) {
        Slot* const row = RowOf(group);
        for (SlotMask used = Used(ControlOf(group)); used != 0;
             used &= used - 1) {
          ReleaseIn(*InRow(row, FirstSlot(used)));
        }
      }
    }
  }

  // ---- for code that is compiled once

  static Insertion Placed(PlacedSlot placed) {
    return {static_cast<Slot*>(placed.slot), placed.is_new, placed.took_value};
  }
  static bool HashUsed(const TableRep& rep, const void* row, SlotMask used,
                       std::uint64_t* hashes) {
    const auto* slots = static_cast<const Slot*>(row);
    [[maybe_unused]] const std::uint8_t* const control = rep.control;
    [[maybe_unused]] const std::size_t size = rep.size;
    for (; used != 0; used &= used - 1) {
      *hashes++ = HashOf(Policy::KeyOf(slots[FirstSlot(used)]));
      if constexpr (!kHashRunsNoCode<H, Key>) {
        if (rep.control != control || rep.size != size) return false;
      }
    }
    return true;
  }
  static SlotPosition FindElement(const TableRep& rep, const void* element,
                                  std::uint64_t hash) {
    // A Table is its rep and nothing else.
    const auto& table = reinterpret_cast<const Table&>(rep);
    const Key& key = Policy::KeyOf(*static_cast<const Slot*>(element));
    return table.LookFrom(key, hash, 0);
  }
  static void ReleaseElement(const void* element) {
    ReleaseIn(*static_cast<const Slot*>(element));
  }
  static constexpr SlotOps kOps{
      kShape,
      Policy::kName,
      &HashUsed,
      &FindElement,
      kHandlesIn<typename Policy::Parts> ? &ReleaseElement : nullptr,
      SmallLimitsOf(kShape),
      kRefsIn<typename Policy::Parts>};

  TableRep rep_;
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_TABLE_H_
