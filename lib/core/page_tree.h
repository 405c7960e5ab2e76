// SPDX-License-Identifier: MIT
//
// PageTree: what lies in a page of the address space, a radix tree of three
// levels. Writers hold the lock of the index; readers take none, at any moment.
//
//   root -> 64 GiB each -> 16 MiB each (leaves) -> links of a page's chunks

#ifndef ACRE_LIB_CORE_PAGE_TREE_H_
#define ACRE_LIB_CORE_PAGE_TREE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "acre/chunk_source.h"
#include "acre/config.h"
#include "core/chunk.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail::index {

struct PageTree {
  static constexpr unsigned kPageBits = 12;
  static constexpr unsigned kLevelBits = 12;
  static constexpr std::size_t kFanOut = std::size_t{1} << kLevelBits;
  static constexpr unsigned kAddressBits = kPageBits + 3 * kLevelBits;

  template <class Child>
  struct Node {
    std::atomic<Child*> children[kFanOut];
  };
  /// Never freed, since readers may hold stale pointers to it; one in which
  /// nothing is any more serves elsewhere. Whoever still reads it as what it
  /// was finds chunks that lie elsewhere, and believes none.
  struct Leaf : Node<IndexLink> {
    std::size_t used;  // slots that lead to something
    Leaf* next_free;

    std::atomic<IndexLink*>& SlotOf(std::uintptr_t page) {
      return children[page % kFanOut];
    }
    const std::atomic<IndexLink*>& SlotOf(std::uintptr_t page) const {
      return children[page % kFanOut];
    }
  };
  using Middle = Node<Leaf>;
  using Root = Node<Middle>;

  // On the heap: as a part of a static it would be 32 KiB that the collector
  // scans each time.
  std::atomic<Root*> root{nullptr};
  Leaf* free_leaves = nullptr;

  static std::uintptr_t PageOf(const void* p) {
    return reinterpret_cast<std::uintptr_t>(p) >> kPageBits;
  }

  /// Null: nothing is near the page.
  Leaf* Find(std::uintptr_t page) const {
    const auto* const place = PlaceOf(page);
    return place == nullptr ? nullptr : place->load(std::memory_order_acquire);
  }

  /// The leaf of a page, made if need be; null where memory ran out.
  Leaf* Make(std::uintptr_t page) {
    Root* const top = GetOrMake(root);
    if (top == nullptr) return nullptr;
    Middle* const middle = GetOrMake(top->children[page >> 2 * kLevelBits]);
    if (middle == nullptr) return nullptr;
    auto& place = middle->children[page >> kLevelBits & (kFanOut - 1)];
    if (place.load(std::memory_order_relaxed) == nullptr &&
        free_leaves != nullptr) {
      Leaf* const leaf = free_leaves;
      free_leaves = leaf->next_free;
      place.store(leaf, std::memory_order_release);
    }
    return GetOrMake(place);
  }

  /// Calls visit(leaf, page, link) for every page of the chunk; false where
  /// there is no memory for a leaf. A chunk of a gigabyte has a quarter of a
  /// million.
  template <class Visit>
  bool ForEachPage(Chunk* chunk, Visit visit) {
    const char* start = static_cast<char*>(chunk->memory.address);
    const std::uintptr_t first = PageOf(start);
    const std::uintptr_t last = PageOf(start + chunk->memory.size - 1);
    Leaf* leaf = nullptr;
    for (std::uintptr_t page = first; page <= last; ++page) {
      if (page == first || page % kFanOut == 0) leaf = Make(page);
      if (leaf == nullptr) return false;
      IndexLink* link = page == first  ? &chunk->first_page
                        : page == last ? &chunk->last_page
                                       : &chunk->inner_pages;
      visit(*leaf, page, link);
    }
    return true;
  }

  static void Link(Leaf& leaf, std::uintptr_t page, IndexLink* link) {
    auto& slot = leaf.SlotOf(page);
    // An inner page belongs to one chunk, so its shared link ends the list.
    IndexLink* const head = slot.load(std::memory_order_relaxed);
    if (head == link) return;
    if (head == nullptr) ++leaf.used;
    link->next.store(head, std::memory_order_relaxed);
    slot.store(link, std::memory_order_release);
  }

  static void Unlink(Leaf& leaf, std::uintptr_t page, const IndexLink* link) {
    auto& slot = leaf.SlotOf(page);
    std::atomic<IndexLink*>* at = &slot;
    while (IndexLink* here = at->load(std::memory_order_relaxed)) {
      if (here == link) {
        at->store(here->next.load(std::memory_order_relaxed),
                  std::memory_order_release);
        if (slot.load(std::memory_order_relaxed) == nullptr) --leaf.used;
        return;
      }
      at = &here->next;
    }
  }

  /// Sets aside the leaves around the addresses in which nothing is any more.
  /// Requires: nobody is about to link something there.
  void Recycle(ChunkMemory memory) {
    const std::uintptr_t last =
        PageOf(static_cast<char*>(memory.address) + memory.size - 1);
    for (std::uintptr_t page = PageOf(memory.address) / kFanOut * kFanOut;
         page <= last; page += kFanOut) {
      auto* const place = PlaceOf(page);
      Leaf* const leaf = place == nullptr ? nullptr : place->load();
      if (leaf == nullptr || leaf->used != 0) continue;
      place->store(nullptr, std::memory_order_release);
      leaf->next_free = free_leaves;
      free_leaves = leaf;
    }
  }

 private:
  template <class T>
  static T* GetOrMake(std::atomic<T*>& slot) {
    T* node = slot.load(std::memory_order_acquire);
    if (node != nullptr) return node;
    node = static_cast<T*>(std::calloc(1, sizeof(T)));
    if (node != nullptr) slot.store(node, std::memory_order_release);
    return node;
  }

  /// Where the leaf of a page is told.
  std::atomic<Leaf*>* PlaceOf(std::uintptr_t page) const {
    if (page >> 3 * kLevelBits != 0) return nullptr;
    Root* const top = root.load(std::memory_order_acquire);
    if (top == nullptr) return nullptr;
    Middle* const middle =
        top->children[page >> 2 * kLevelBits].load(std::memory_order_acquire);
    if (middle == nullptr) return nullptr;
    return &middle->children[page >> kLevelBits & (kFanOut - 1)];
  }
};

}  // namespace acre::inline ACRE_ABI::detail::index
#pragma GCC visibility pop

#endif  // ACRE_LIB_CORE_PAGE_TREE_H_
