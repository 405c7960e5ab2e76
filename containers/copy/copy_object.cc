// SPDX-License-Identifier: MIT

#include "acre/detail/copy_object.h"

#include <cstring>

#include "acre/detail/blocks.h"
#include "copy/copier.h"
#include "copy/graph_copier.h"
#include "copy/graph_team.h"
#include "copy/small_copier.h"
#include "copy/tree_copier.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

void* CopyTree(Arena& arena, const TypeLayout& type, const void* root,
               std::size_t* failed_bytes) {
  void* copy = Blocks::TryTake(arena, type.size, type.align, &type);
  if (copy == nullptr) {
    *failed_bytes = type.size;
    return nullptr;
  }
  if (CopyByValue(arena, type, root, copy, failed_bytes)) return copy;
  Blocks::Give(arena, copy, type.size, type.align, &type);
  return nullptr;
}

}  // namespace

void* CopyObject(Arena& arena, const TypeLayout& type, const void* object,
                 std::size_t* failed_bytes, unsigned threads) {
  if (IsTree(type)) return CopyTree(arena, type, object, failed_bytes);
  {
    SmallCopier small(arena);
    if (small.Run(type, object)) return small.copy();
  }
  {
    const unsigned members = GraphTeam::MembersFor(object, threads);
    GraphCopier graph(arena);
    if (graph.Run(type, object, members)) return graph.copy();
  }
  Copier copier(arena);
  void* copy = copier.Run(type, object);
  *failed_bytes = copier.failed_bytes();
  return copy;
}

bool CopyByValue(Arena& arena, const TypeLayout& type, const void* object,
                 void* to, std::size_t* failed_bytes) {
  std::memcpy(to, object, type.size);
  TreeCopier tree(arena);
  if (tree.Run(type, to)) return true;
  *failed_bytes = tree.failed_bytes();
  return false;
}

}  // namespace acre::inline ACRE_ABI::detail
