// SPDX-License-Identifier: MIT
//
// BlockMap: what checked builds know of every block of a chunk, and release
// builds of those in audited pages (sampler.h). One record a
// granule, at the granule where a block starts; a bitmap of starts, so that
// the block around an address is found by scanning words backwards. Costs as
// much memory as the chunk, from calloc, hence untouched pages stay unmapped.

#ifndef ACRE_LIB_CORE_BLOCK_MAP_H_
#define ACRE_LIB_CORE_BLOCK_MAP_H_

#include <cstddef>
#include <cstdint>

#include "acre/config.h"
#include "acre/detail/block_walk.h"
#include "acre/fwd.h"
#include "pages/page_notes.h"

namespace acre::inline ACRE_ABI::detail {

struct ArenaEntry;
class SlowPath;

enum class BlockState : std::uint8_t { kNone, kLive, kFreed };

struct BlockInfo {
  const TypeLayout* type = nullptr;  // of New and NewArray; null: raw bytes
  std::uint64_t bytes : 40 = 0;      // as asked for
  std::uint64_t align_log : 4 = 0;   // as asked for, 16 at least
  std::uint64_t state : 2 = 0;       // a BlockState
  std::uint64_t is_storage : 1 = 0;  // of a container: its handle knows more
  std::uint64_t pass : 16 = 0;       // of the audit that met it last
  std::uint64_t is_table : 1 = 0;    // storage of a container of this type; to
                                     // the arena it is raw bytes

  /// As the arena was told when it was taken.
  const TypeLayout* taken_as() const { return is_table ? nullptr : type; }
};

class BlockMap {
 public:
  /// False where memory ran out. `begin` is 16-aligned.
  bool Create(char* begin, std::size_t capacity);
  bool exists() const { return infos_ != nullptr; }
  /// As Create with a larger capacity, keeping what is known.
  bool Extend(std::size_t capacity);
  void Destroy();
  /// Forgets all blocks at and above `from`.
  void Clear(const char* from);
  /// Its bytes below `top` were brought back: forgets what is above.
  void Mend(const char* top) {
    if (infos_ == nullptr) return;
    Clear(top);
    MakeSummary();
    pages_.NoteAll();
  }

  /// Memory of the map, in whole words.
  struct Part {
    char* begin = nullptr;
    char* end = nullptr;
  };
  /// The two parts, up to what says something of blocks below `top`.
  Part InfosTo(const char* top) const;
  Part StartsTo(const char* top) const;

  /// The record for a block starting at `p`, to be changed; marks the start.
  BlockInfo& At(const char* p);
  const BlockInfo& Get(const char* p) const { return infos_[GranuleOf(p)]; }
  /// The block there was met in a pass of an audit.
  void Meet(const char* p, std::uint16_t pass) {
    infos_[GranuleOf(p)].pass = pass;
  }
  /// False where `p`, a start, is none of a block any more.
  bool Show(const char* p, BlockView* block, std::uint16_t pass = 0) const;
  /// The block that contains or precedes `p`: its start, or null.
  const char* StartOf(const char* p) const;
  bool IsStart(const char* p) const;
  /// The first block that starts at or above `p`, or null.
  const char* NextStart(const char* p) const;

  PageNotes& pages() { return pages_; }
  const PageNotes& pages() const { return pages_; }

 private:
  friend class SlowPath;  // for_debuggers.cc

  std::size_t GranuleOf(const char* p) const;
  std::size_t Words() const;
  void MakeSummary();

  char* begin_ = nullptr;
  std::size_t granules_ = 0;
  BlockInfo* infos_ = nullptr;       // granules_ of them, owned
  std::uint64_t* starts_ = nullptr;  // a bit a granule, owned
  // A bit a word of starts_ that has a bit set: 64 KiB of blocks each word, so
  // that the start of a large block is found in a few steps. Part of starts_.
  std::uint64_t* summary_ = nullptr;
  PageNotes pages_;
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_LIB_CORE_BLOCK_MAP_H_
