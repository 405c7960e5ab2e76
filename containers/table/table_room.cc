// SPDX-License-Identifier: MIT
//
// How room in a table lasts. A slot that is erased in a group which has
// overflowed is taken off the limit, or overflow bits would drift, and misses
// walk far. Where that leaves a table full that has few elements, the bits are
// worked out anew: no element moves, and no memory of the arena is needed.

#include <cstring>
#include <new>

#include "acre/arena.h"
#include "acre/detail/table_rep.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

/// One byte of overflow bits a group; null data where memory ran out.
class Bits {
 public:
  explicit Bits(std::size_t groups) {
    if (groups > sizeof near_) {
      far_ = static_cast<std::uint8_t*>(::operator new(groups, std::nothrow));
    }
    data_ = groups > sizeof near_ ? far_ : near_;
    if (data_ != nullptr) std::memset(data_, 0, groups);
  }
  Bits(const Bits&) = delete;
  Bits& operator=(const Bits&) = delete;
  ~Bits() { ::operator delete(far_); }
  std::uint8_t* data() { return data_; }

 private:
  std::uint8_t near_[512];
  std::uint8_t* far_ = nullptr;
  std::uint8_t* data_ = nullptr;
};

/// The bits that elements need which are not in their home group. False where
/// a hash has changed the table.
bool CollectBits(const TableRep& live, const SlotOps& ops, std::uint8_t* bits) {
  const TableRep rep = live;
  const char* row = static_cast<const char*>(rep.slots);
  const std::size_t end = rep.control_bytes();
  for (std::size_t at = 0; at < end; at += kGroupBytes) {
    const SlotMask used = Used(rep.control + at);
    std::uint64_t hashes[kGroupSlots];
    if (!ops.hash(live, row, used, hashes)) return false;
    row += kGroupSlots * ops.shape.size;
    const std::uint64_t* next = hashes;
    for (SlotMask left = used; left != 0; left &= left - 1, ++next) {
      std::size_t group = rep.HomeOf(*next);
      for (std::size_t step = 1; group != at && step <= rep.mask; ++step) {
        bits[group / kGroupBytes] |= OverflowBit(*next);
        group = rep.Next(group, step);
      }
    }
  }
  return true;
}

}  // namespace

bool CleanOverflow(TableRep& rep, const SlotOps& ops) {
  if (rep.size >= LastingLimit(rep)) return false;
  Bits bits(rep.groups());
  if (bits.data() == nullptr) return false;
  // A hash may run anything: a finalizer that uses this table, too.
  const Watched watched(rep);
#if ACRE_EXCEPTIONS
  try {
#endif
    if (!CollectBits(rep, ops, bits.data())) return false;
#if ACRE_EXCEPTIONS
  } catch (...) {
    return false;  // growing asks the hash again
  }
#endif
  if (!watched.IsUnchanged()) return false;
  for (std::size_t i = 0; i < rep.groups(); ++i) {
    rep.control[i * kGroupBytes + kGroupSlots] = bits.data()[i];
  }
  rep.limit = LimitOf(rep.groups());
  return true;
}

}  // namespace acre::inline ACRE_ABI::detail
