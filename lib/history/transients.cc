// SPDX-License-Identifier: MIT

#include "history/transients.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "acre/arena.h"
#include "acre/detail/location.h"
#include "acre/detail/parts.h"
#include "acre/detail/walk.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

/// Calls visit(type) for what the type has parts of, or leads to.
template <class Visit>
void ForEachTypeIn(const TypeLayout& type, Visit visit) {
  if (type.kind == TypeKind::kPlain) return;
  for (const FieldLayout& field : type.fields) {
    if (IsFollowed(field)) visit(*field.type());
  }
  if (type.element != nullptr) visit(*type.element());
}

bool ListsTransient(const TypeLayout& type) {
  return type.kind == TypeKind::kStruct &&
         std::any_of(
             type.fields.begin(), type.fields.end(),
             [](const FieldLayout& field) { return field.is_transient; });
}

}  // namespace

TransientTypes::TransientTypes(const TypeLayout* root) {
  if (root == nullptr) return;
  Add(*root);
  for (std::size_t i = 0; i < types_.size(); ++i) {
    ForEachTypeIn(*types_[i].type, [&](const TypeLayout& part) { Add(part); });
  }
  // Types lead to each other in cycles: until nothing more is found.
  for (bool found = true; found;) {
    found = false;
    for (Known& known : types_) {
      if (known.reaches) continue;
      ForEachTypeIn(*known.type, [&](const TypeLayout& part) {
        known.reaches = known.reaches || Find(part)->reaches;
      });
      found = found || known.reaches;
    }
  }
  if (Find(*root)->reaches) root_ = root;
}

const TransientTypes::Known* TransientTypes::Find(
    const TypeLayout& type) const {
  const auto at = std::lower_bound(by_id_.begin(), by_id_.end(), type.id,
                                   [&](std::uint32_t i, std::uint64_t id) {
                                     return types_[i].type->id < id;
                                   });
  if (at == by_id_.end() || types_[*at].type->id != type.id) return nullptr;
  return &types_[*at];
}

void TransientTypes::Add(const TypeLayout& type) {
  if (Find(type) != nullptr) return;
  types_.push_back({&type, ListsTransient(type)});
  const auto behind = std::upper_bound(by_id_.begin(), by_id_.end(), type.id,
                                       [&](std::uint64_t id, std::uint32_t i) {
                                         return id < types_[i].type->id;
                                       });
  by_id_.insert(behind, static_cast<std::uint32_t>(types_.size() - 1));
}

/// One walk. Rows wait in a list, so that depth takes no stack.
class TransientWalk {
 public:
  TransientWalk(const TransientTypes& types, const Arena& arena)
      : types_(types), arena_(arena) {}

  void Run(const TypeLayout& type, void* object) {
    rows_.push_back({&type, {object, 1}});
    while (!rows_.empty()) {
      const Row row = rows_.back();
      rows_.pop_back();
      char* at = static_cast<char*>(const_cast<void*>(row.run.data));
      for (std::size_t i = 0; i < row.run.count; ++i, at += row.type->size) {
        if (visited_.Insert(at, *row.type)) Visit(*row.type, at);
      }
    }
  }

  std::vector<TransientField> found;

 private:
  struct Row {
    const TypeLayout* type;
    ElementRun run;
  };

  void Visit(const TypeLayout& type, char* object) {
    if (!types_.Find(type)->reaches) return;
    switch (type.kind) {
      case TypeKind::kPlain:
        return;
      case TypeKind::kStruct:
        for (std::size_t i = 0; i < type.fields.size(); ++i) {
          const FieldLayout& field = type.fields[i];
          if (field.is_transient) {
            const HoleBytes bytes = field.note == FieldNote::kOpaque
                                        ? HoleAt(type, i)
                                        : HoleBytes{field.offset, field.size};
            found.push_back({object + bytes.offset, type.id,
                             static_cast<std::uint32_t>(bytes.size),
                             static_cast<std::uint32_t>(bytes.offset)});
          } else if (IsFollowed(field)) {
            Visit(*field.type(), object + field.offset);
          }
        }
        return;
      case TypeKind::kArray:
        for (std::size_t i = 0; i < type.count; ++i) {
          Visit(*type.element(), object + i * type.element()->size);
        }
        return;
      case TypeKind::kTuple:
        for (std::size_t i = 0; i < type.fields.size(); ++i) {
          const void* const part = type.ops->part(object, i);
          Visit(*type.fields[i].type(),
                static_cast<char*>(const_cast<void*>(part)));
        }
        return;
      case TypeKind::kChoice: {
        const ActivePart active = type.ops->active(object);
        if (active.object == nullptr) return;
        return Visit(*type.fields[active.index].type(),
                     static_cast<char*>(const_cast<void*>(active.object)));
      }
      case TypeKind::kPointer:
      case TypeKind::kView: {
        const ElementRun run = PointedTo({&type, object, nullptr});
        if (run.data == nullptr || run.count == 0) return;
        // What lies elsewhere does not go back.
        const Location where = Locate(run.data);
        if (where.arena != &arena_ || where.place != Place::kLive) return;
        return rows_.push_back({type.element(), run});
      }
      case TypeKind::kHandle:
        return ForEachRun(type, object, [&](ElementRun run, std::size_t) {
          rows_.push_back({type.element(), run});
        });
    }
  }

  const TransientTypes& types_;
  const Arena& arena_;
  VisitSet visited_;
  std::vector<Row> rows_;
};

std::vector<TransientField> TransientTypes::In(const Arena& arena,
                                               void* object) const {
  if (root_ == nullptr) return {};
  TransientWalk walk(*this, arena);
  walk.Run(*root_, object);
  std::sort(walk.found.begin(), walk.found.end());
  return std::move(walk.found);
}

void KeptValues::Take(const std::vector<TransientField>& then,
                      const std::vector<TransientField>& now) {
  std::set_intersection(then.begin(), then.end(), now.begin(), now.end(),
                        std::back_inserter(fields_));
  for (const TransientField& field : fields_) {
    values_.insert(values_.end(), field.address, field.address + field.size);
  }
}

void KeptValues::Put() const {
  const char* value = values_.data();
  for (const TransientField& field : fields_) {
    std::memcpy(field.address, value, field.size);
    value += field.size;
  }
}

}  // namespace acre::inline ACRE_ABI::detail
