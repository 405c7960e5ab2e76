// SPDX-License-Identifier: MIT

#include "acre/detail/std_copy.h"

#include "acre/detail/blocks.h"
#include "copy/copier.h"

namespace acre::inline ACRE_ABI::detail {

namespace {

Copier& CopierAt(void* copier) { return *static_cast<Copier*>(copier); }

}  // namespace

StdCopy::StdCopy(Arena& arena) : arena_(arena), copier_(new Copier(arena)) {}

StdCopy::~StdCopy() { delete &CopierAt(copier_); }

void StdCopy::Place(const TypeLayout& type, const void* source,
                    std::size_t count, void* to) {
  CopierAt(copier_).Place(type, source, count, to);
}

void StdCopy::RehashLater(const TypeLayout& type, void* handle) {
  CopierAt(copier_).RehashLater(type, handle);
}

void StdCopy::Run() {
  Copier& copier = CopierAt(copier_);
  if (!copier.RunPlaced()) Blocks::Fail(arena_, copier.failed_bytes());
}

void StdCopy::Abandon() { CopierAt(copier_).AbandonPlaced(); }

}  // namespace acre::inline ACRE_ABI::detail
