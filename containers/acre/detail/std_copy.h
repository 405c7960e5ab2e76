// SPDX-License-Identifier: MIT
//
// StdCopy: what the conversion of std containers (Native) asks of the engine of
// deep copy, which stays out of the headers: its own are as long as all others
// together. Internal to acre.

#ifndef ACRE_CONTAINERS_DETAIL_STD_COPY_H_
#define ACRE_CONTAINERS_DETAIL_STD_COPY_H_

#include <cstddef>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/type_layout.h"

namespace acre::inline ACRE_ABI::detail {

class StdCopy {
 public:
  explicit StdCopy(Arena& arena);
  StdCopy(const StdCopy&) = delete;
  StdCopy& operator=(const StdCopy&) = delete;
  ~StdCopy();

  Arena& arena() const { return arena_; }

  /// `count` objects at `source` have their copies at `to`, in memory that is
  /// there already; their bytes are copied here and their slots by Run.
  void Place(const TypeLayout& type, const void* source, std::size_t count,
             void* to);
  /// A table whose keys may change when Run rewrites them.
  void RehashLater(const TypeLayout& type, void* handle);
  /// Copies what placed objects reach. Fails where memory runs out.
  void Run();
  /// Empties the containers in placed objects: their bytes are still those of
  /// the source. For a copy that failed.
  void Abandon();

 private:
  Arena& arena_;
  void* const copier_;  // a Copier, owned; a hidden class, so not by its name
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_STD_COPY_H_
