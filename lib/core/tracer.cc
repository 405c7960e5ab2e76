// SPDX-License-Identifier: MIT

#include "core/tracer.h"

#include <algorithm>
#include <cstring>

#include "acre/detail/heap_arena.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

constexpr std::size_t kWord = sizeof(void*);

std::size_t WordAt(const Chunk& chunk, const void* address) {
  return static_cast<std::size_t>(
             static_cast<const char*>(address) -
             static_cast<const char*>(chunk.memory.address)) /
         kWord;
}

void Or(std::uint64_t* at, std::uint64_t bits) {
  __atomic_store_n(at, *at | bits, __ATOMIC_RELEASE);
}

/// Sets the bits of `mask`, the lowest of which is that word's.
ACRE_INLINE void Set(std::uint64_t* bits, std::size_t word,
                     std::uint64_t mask) {
  const std::size_t shift = word % 64;
  Or(&bits[word / 64], mask << shift);
  const std::uint64_t rest = shift == 0 ? 0 : mask >> (64 - shift);
  if (rest != 0) Or(&bits[word / 64 + 1], rest);
}

/// Calls visit(bitmap word, mask) for the words from `begin` to `end`.
template <class Visit>
void ForEachMask(std::uint64_t* bits, std::size_t begin, std::size_t end,
                 Visit visit) {
  while (begin < end) {
    const std::size_t first = begin % 64;
    const std::size_t count = std::min(end - begin, 64 - first);
    const std::uint64_t all =
        count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
    visit(&bits[begin / 64], all << first);
    begin += count;
  }
}

struct Visitor {
  void (*visit)(void* context, std::size_t offset);
  void* context;
  void operator()(std::size_t offset) const {
    // What is packed closer than words the collector does not see anywhere.
    if (offset % kWord == 0) visit(context, offset);
  }
};

void VisitWords(const TypeLayout& type, std::size_t offset,
                const Visitor& visit);

void VisitFields(const TypeLayout& type, std::size_t offset,
                 const Visitor& visit) {
  for (const FieldLayout& field : type.fields) {
    if (field.note == FieldNote::kOpaque) continue;
    const std::size_t begin = offset + field.offset;
    if (field.note != FieldNote::kBorrowed) {
      VisitWords(*field.type(), begin, visit);
      continue;
    }
    // It may be anything that points somewhere.
    const std::size_t end = begin + field.size;
    for (std::size_t at = RoundUp(begin, kWord); at + kWord <= end;
         at += kWord) {
      visit(at);
    }
  }
}

void VisitWords(const TypeLayout& type, std::size_t offset,
                const Visitor& visit) {
  switch (type.kind) {
    case TypeKind::kPlain:
    case TypeKind::kHandle:  // leads into the arena itself, or has a slot
      return;
    case TypeKind::kPointer:
      return visit(offset);
    case TypeKind::kView:
      return visit(offset + AddressOffset(type));
    case TypeKind::kStruct:
      return VisitFields(type, offset, visit);
    case TypeKind::kArray:
      for (std::size_t i = 0; i < type.count; ++i) {
        VisitWords(*type.element(), offset + i * type.element()->size, visit);
      }
      return;
    case TypeKind::kTuple:
      // Its parts lie where they do in any object: none is read.
      for (std::size_t i = 0; i < type.fields.size(); ++i) {
        alignas(64) static constexpr char kPlace[64] = {};
        const auto* const part =
            static_cast<const char*>(type.ops->part(kPlace, i));
        VisitWords(*type.fields[i].type(),
                   offset + static_cast<std::size_t>(part - kPlace), visit);
      }
      return;
    case TypeKind::kChoice:
      // In the libraries that there are each of them is at the beginning.
      for (const FieldLayout& part : type.fields) {
        VisitWords(*part.type(), offset, visit);
      }
      return;
  }
}

}  // namespace

std::size_t AddressOffset(const TypeLayout& slot) {
  if (slot.kind != TypeKind::kView) return 0;
  constexpr std::size_t kMost = 4;
  const char* const probe = "probe";
  const void* words[kMost] = {};
  if (slot.size > sizeof words) return 0;
  slot.ops->set_view(words, probe);
  for (std::size_t i = 0; i < kMost; ++i) {
    if (words[i] == probe) return i * kWord;
  }
  return 0;
}

void ForEachAddressWord(const TypeLayout& type, std::size_t offset,
                        void (*visit)(void* context, std::size_t offset),
                        void* context) {
  VisitWords(type, offset, {visit, context});
}

/// Requires: up to 64 words.
std::uint64_t Tracer::MaskOf(const TypeLayout& type) {
  Known& place =
      known[reinterpret_cast<std::uintptr_t>(&type) / alignof(TypeLayout) /
            (sizeof(TypeLayout) / alignof(TypeLayout)) % kKnown];
  if (ACRE_LIKELY(place.type == &type)) return place.mask;
  std::uint64_t mask = 0;
  ForEachAddressWord(
      type, 0,
      [](void* context, std::size_t offset) {
        *static_cast<std::uint64_t*>(context) |= std::uint64_t{1}
                                                 << offset / kWord;
      },
      &mask);
  place = {&type, mask};
  return mask;
}

void Tracer::NoteTaken(const Chunk& chunk, void* block, std::size_t bytes,
                       const TypeLayout* type) {
  if (type != nullptr) return NoteRow(chunk, block, bytes, *type);
  if (scans_raw == 0) return;
  SetAll(chunk, block, static_cast<char*>(block) + bytes);
}

void Tracer::NoteRow(const Chunk& chunk, void* row, std::size_t bytes,
                     const TypeLayout& element) {
  if (ACRE_UNLIKELY(element.align < kWord)) {
    // Only a borrowed field of bytes can hold an address, wherever it lies.
    if (MayHoldAddress(element)) {
      SetAll(chunk, static_cast<char*>(row) + (kWord - 1),
             static_cast<char*>(row) + bytes);
    }
    return;
  }
  if (ACRE_LIKELY(bytes == element.size && bytes <= 64 * kWord)) {
    // One object, which is made at once: what is there may be seen until then.
    const std::uint64_t mask = MaskOf(element);
    return mask == 0 ? void() : Set(chunk.bits, WordAt(chunk, row), mask);
  }
  NoteMany(chunk, row, bytes, element);
}

void Tracer::NoteMany(const Chunk& chunk, void* row, std::size_t bytes,
                      const TypeLayout& element) {
  const std::size_t words = element.size / kWord;
  const std::size_t count = words == 0 ? 0 : bytes / element.size;
  if (count == 0) return;
  std::uint64_t* const bits = chunk.bits;
  std::size_t word = WordAt(chunk, row);
  char* const end = static_cast<char*>(row) + count * element.size;
  if (element.kind == TypeKind::kPointer) {
    std::memset(row, 0, count * element.size);
    return SetAll(chunk, row, end);
  }
  const std::uint64_t mask = words <= 64 ? MaskOf(element) : 0;
  if (words <= 64 && mask == 0) return;
  std::memset(row, 0, count * element.size);
  for (std::size_t i = 0; i < count; ++i, word += words) {
    if (mask != 0) {
      Set(bits, word, mask);
      continue;
    }
    struct Context {
      std::uint64_t* bits;
      std::size_t word;
    } context{bits, word};
    ForEachAddressWord(
        element, 0,
        [](void* data, std::size_t offset) {
          const auto& to = *static_cast<Context*>(data);
          Set(to.bits, to.word + offset / kWord, 1);
        },
        &context);
  }
}

void Tracer::Clear(const Chunk& chunk, const void* from, const void* to) {
  ForEachMask(chunk.bits, WordAt(chunk, from), WordAt(chunk, to),
              [](std::uint64_t* at, std::uint64_t mask) {
                if ((*at & mask) == 0) return;
                __atomic_store_n(at, *at & ~mask, __ATOMIC_RELEASE);
              });
}

void Tracer::SetAll(const Chunk& chunk, const void* from, const void* to) {
  ForEachMask(chunk.bits, WordAt(chunk, from), WordAt(chunk, to),
              [](std::uint64_t* at, std::uint64_t mask) { Or(at, mask); });
}

bool Tracer::IsTraced(const Chunk& chunk, const void* word) {
  const std::size_t at = WordAt(chunk, word);
  return (chunk.bits[at / 64] >> at % 64 & 1) != 0;
}

}  // namespace acre::inline ACRE_ABI::detail
