// SPDX-License-Identifier: MIT

#include "acre/detail/std_copy.h"

#include "copy/copier.h"

namespace acre::inline ACRE_ABI::detail {

StdCopy::StdCopy(Arena& arena) : arena_(arena), copier_(new Copier(arena)) {}

StdCopy::~StdCopy() { delete copier_; }

void StdCopy::Place(const TypeLayout& type, const void* source,
                    std::size_t count, void* to) {
  copier_->Place(type, source, count, to);
}

void StdCopy::RehashLater(const TypeLayout& type, void* handle) {
  copier_->RehashLater(type, handle);
}

void StdCopy::Run() {
  if (!copier_->RunPlaced()) Blocks::Fail(arena_, copier_->failed_bytes());
}

void StdCopy::Abandon() { copier_->AbandonPlaced(); }

}  // namespace acre::inline ACRE_ABI::detail
