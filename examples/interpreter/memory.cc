// SPDX-License-Identifier: MIT

#include "memory.h"

#include <acre/escape.h>
#include <acre/gc.h>
#include <gc/gc.h>

#include <bit>
#include <new>

namespace scheme {
namespace {

// A nursery stays in the second cache.
constexpr std::size_t kNurseryBytes = std::size_t{1} << 20;
constexpr std::size_t kCellsInNursery = kNurseryBytes / sizeof(Cell);

constexpr std::int64_t kLeastCached = -1024;
constexpr std::int64_t kMostCached = 1023;

/// Small integers are made once.
Cell* Cached(std::int64_t value) {
  static Cell* const cells = [] {
    static Cell all[kMostCached - kLeastCached + 1];
    for (std::int64_t i = kLeastCached; i <= kMostCached; ++i) {
      all[i - kLeastCached] = {.kind = Kind::kInteger, .number = i};
    }
    return all;
  }();
  return &cells[value - kLeastCached];
}

/// A payload whose containers live on the collected heap.
Payload* NewCollectedPayload() { return acre::Escape(Payload()); }

}  // namespace

Cell nil = {.kind = Kind::kNil};
Cell no = {.kind = Kind::kBoolean, .number = 0};
Cell yes = {.kind = Kind::kBoolean, .number = 1};
Cell unspecified = {.kind = Kind::kUnspecified};

double RealOf(const Cell* cell) {
  return cell->kind == Kind::kReal ? std::bit_cast<double>(cell->number)
                                   : static_cast<double>(cell->number);
}

Memory::Memory(bool with_arenas)
    : with_arenas_(with_arenas),
      program_({.name = "program", .trace = acre::Trace::kPointers}),
      changes_({.name = "changes", .trace = acre::Trace::kPointers}),
      changed_(changes_),
      changed_globals_(changes_) {}

acre::Arena& Memory::Nursery() {
  if (nursery_ == nullptr || made_ == kCellsInNursery) {
    nursery_ = acre::NewCollectedArena({.name = "nursery",
                                        .first_chunk = kNurseryBytes,
                                        .max_chunk = kNurseryBytes,
                                        .trace = acre::Trace::kPointers});
    ++nurseries_;
    made_ = 0;
  }
  ++made_;
  return *nursery_;
}

Cell* Memory::New(Kind kind) {
  Cell* const cell = with_arenas_ && !is_lasting_
                         ? Nursery().New<Cell>()
                         : ::new (GC_malloc(sizeof(Cell))) Cell();
  cell->kind = kind;
  return cell;
}

Cell* Memory::Integer(std::int64_t value) {
  if (value >= kLeastCached && value <= kMostCached) return Cached(value);
  Cell* const cell = New(Kind::kInteger);
  cell->number = value;
  return cell;
}

Cell* Memory::Real(double value) {
  Cell* const cell = New(Kind::kReal);
  cell->number = std::bit_cast<std::int64_t>(value);
  return cell;
}

Cell* Memory::Pair(Cell* head, Cell* tail) {
  Cell* const cell = New(Kind::kPair);
  cell->head = head;
  cell->tail = tail;
  return cell;
}

Cell* Memory::Compound(Kind kind) {
  Cell* const cell = New(kind);
  cell->payload = with_arenas_ && !is_lasting_ ? Nursery().New<Payload>()
                                               : NewCollectedPayload();
  return cell;
}

Cell* Memory::Text(std::string_view text) {
  Cell* const cell = Compound(Kind::kText);
  cell->payload->text.assign(text);
  return cell;
}

// ------------------------------------------------------------------- changes

void Memory::Remember(Cell* cell) {
  if (with_arenas_ && !IsYoung(cell)) changed_.insert(cell);
}

void Memory::SetHead(Cell* cell, Cell* value) {
  Remember(cell);
  cell->head = value;
}

void Memory::SetTail(Cell* cell, Cell* value) {
  Remember(cell);
  cell->tail = value;
}

void Memory::SetGlobal(Global* global, Cell* value) {
  if (with_arenas_) changed_globals_.insert(global);
  global->value = value;
}

/// Calls visit(Cell*&) for each place of before that may lead into the form's
/// arena; twice in the same order.
template <class Visit>
void Memory::ForEachPlace(Visit visit) {
  for (Global* global : changed_globals_) visit(global->value);
  for (Cell* cell : changed_) {
    visit(cell->head);
    visit(cell->tail);
    if (cell->payload == nullptr) continue;
    for (Cell*& item : cell->payload->items) visit(item);
    for (auto& [name, entry] : cell->payload->entries) {
      visit(entry.key);
      visit(entry.value);
    }
  }
}

Cell* Memory::EndForm(Cell* result) {
  if (!with_arenas_) return result;
  // All at once, so that what is shared stays so.
  acre::Vector<Cell*> left(changes_);
  left.push_back(result);
  ForEachPlace([&](Cell*& place) {
    if (IsYoung(place)) left.push_back(place);
  });
  if (left.size() > 1 || IsYoung(result)) {
    const acre::Vector<Cell*>& escaped = *acre::Escape(left);
    std::size_t next = 0;
    result = escaped[next++];
    ForEachPlace([&](Cell*& place) {
      if (IsYoung(place)) place = escaped[next++];
    });
  }
  changes_.Reset();
  changed_ = acre::Set<Cell*>(changes_);
  changed_globals_ = acre::Set<Global*>(changes_);
  // Nothing refers to what is in it any more.
  if (nursery_ != nullptr) nursery_->Reset();
  made_ = 0;
  return result;
}

}  // namespace scheme
