// SPDX-License-Identifier: MIT

#include "acre/arena_binding.h"

namespace acre::inline ACRE_ABI {
namespace {

thread_local ArenaBinding* t_innermost = nullptr;

}  // namespace

ArenaBinding::ArenaBinding(void* arena, const detail::BindingClass& arena_class,
                           Private)
    : arena_(arena), class_(&arena_class), outer_(t_innermost) {
  t_innermost = this;
}

ArenaBinding::~ArenaBinding() {
  ACRE_CHECK(t_innermost == this,
             "an ArenaBinding ends in another thread than it began, or before "
             "one that was made inside it");
  t_innermost = outer_;
}

HandedArena ArenaBinding::HandOver() {
  if (arena_ != nullptr) class_->hand_over(arena_);
  return HandedArena(std::exchange(arena_, nullptr), *class_);
}

void* ArenaBinding::Find(const detail::BindingClass& arena_class,
                         BindingError* error) noexcept {
  *error =
      t_innermost == nullptr ? BindingError::kAbsent : BindingError::kWrongType;
  for (const ArenaBinding* b = t_innermost; b != nullptr; b = b->outer_) {
    if (b->class_ != &arena_class) continue;
    *error = b->arena_ == nullptr ? BindingError::kEmpty : BindingError::kNone;
    return b->arena_;
  }
  return nullptr;
}

}  // namespace acre::inline ACRE_ABI
