// SPDX-License-Identifier: MIT
//
// How layouts see a Json.

#include <cstddef>
#include <cstdint>

#include "acre/json.h"
#include "json_storage.h"

namespace acre::inline ACRE_ABI::detail {

HandleStorage JsonHandle::Storage(const void* handle) {
  const Json& json = *static_cast<const Json*>(handle);
  void* const block = json.storage();
  HandleStorage storage;
  switch (json.tag()) {
    case Json::Tag::kText:
      storage = {block, json.count(), json.count(), 1};
      storage.type = &ByteLayout();
      break;
    case Json::Tag::kHeader: {
      const std::size_t bytes = SlotsFor(json.count()) * sizeof(IndexSlot);
      storage = {block, bytes, bytes, alignof(IndexSlot)};
      storage.type = &SlotLayout();
      break;
    }
    case Json::Tag::kArray:
    case Json::Tag::kObject:
      if (block == nullptr) return {};
      // What is not used yet is null: all of it may be copied and walked.
      storage.bytes = (json.capacity() + 1) * sizeof(Json);
      storage = {block, storage.bytes, storage.bytes, alignof(Json)};
      storage.type = &JsonLayout();
      break;
    default:
      return {};
  }
  storage.arena = ArenaOf(block);
  if (storage.arena != nullptr) storage.stamp = json.StampIn(*storage.arena);
  return storage;
}

ElementRun JsonHandle::InUse(const void* handle) {
  const HandleStorage storage = Storage(handle);
  return {storage.block, storage.used};
}

/// The header is one of them: its index goes where it goes.
ElementRun JsonHandle::NextRun(const void* handle, std::size_t* cursor) {
  const Json& json = *static_cast<const Json*>(handle);
  const bool has_items = json.is_array() || json.is_object();
  if ((*cursor)++ != 0 || !has_items || json.header() == nullptr) return {};
  return {json.header(), json.capacity() + 1};
}

void JsonHandle::Adopt(void* handle, Arena* arena, void* block, std::size_t) {
  Json& json = *static_cast<Json*>(handle);
  const Json::Tag was = json.tag();
  if (!json.may_have_storage()) return;
  if (block != nullptr) {
    json.set_payload(reinterpret_cast<std::uintptr_t>(block));
    json.SetStamp(arena->stamp());
    return;
  }
  // A header keeps its count: how large the storage around it is.
  const std::uint32_t count = json.count();
  json.Forget();
  if (was == Json::Tag::kHeader) json.set_count(count);
  if (was == Json::Tag::kArray || was == Json::Tag::kObject) json.set_tag(was);
}

StorageCopy JsonHandle::CopyStorage(void* handle, Arena* arena) {
  StorageCopy copy;
  const HandleStorage storage = Storage(handle);
  if (storage.block == nullptr) return copy;
  if (!CopyBlock(*arena, storage.block, storage.bytes, storage.align,
                 storage.type, copy)) {
    return copy;
  }
  Adopt(handle, arena, copy.copy, storage.bytes);
  return copy;
}

/// The index of names goes by a hash with a seed.
void JsonHandle::Reseed(void* handle,
                        void (*)(void* context, const void* from, void* to),
                        void*) {
  auto& json = *static_cast<Json*>(handle);
  if (json.is_object()) json.RefillIndex();
}

/// What the index holds is not looked at: it is made anew.
bool JsonHandle::IsSound(const void* handle, const SavedBytes& bytes,
                         HandleStorage* storage) {
  const Json& json = *static_cast<const Json*>(handle);
  *storage = {};
  const auto take = [&](std::size_t size, std::size_t align,
                        const TypeLayout& type) {
    *storage = {json.storage(), size, size, align};
    storage->type = &type;
    return size != 0 && bytes.Find(json.storage(), size) != nullptr;
  };
  switch (json.tag()) {
    case Json::Tag::kNull:
    case Json::Tag::kInt:
    case Json::Tag::kUint:
    case Json::Tag::kDouble:
      return true;
    case Json::Tag::kBool:
      return json.payload() <= 1;
    case Json::Tag::kText:
      return take(json.count(), 1, ByteLayout());
    case Json::Tag::kHeader:
      return bytes.is_head && take(SlotsFor(json.count()) * sizeof(IndexSlot),
                                   alignof(IndexSlot), SlotLayout());
    case Json::Tag::kArray:
    case Json::Tag::kObject:
      break;
    default:
      return json.tag() >= Json::Tag::kShortText;
  }
  if (json.storage() == nullptr) return json.count() == 0;
  if (reinterpret_cast<std::uintptr_t>(json.storage()) % sizeof(Json) != 0) {
    return false;
  }
  const auto* first =
      static_cast<const Json*>(bytes.Find(json.storage(), sizeof(Json)));
  if (first == nullptr ||
      (first->tag() != Json::Tag::kHeader && !first->is_null())) {
    return false;
  }
  const std::size_t capacity = first->count();
  if (json.used() > capacity ||
      !take((capacity + 1) * sizeof(Json), alignof(Json), JsonLayout())) {
    return false;
  }
  for (std::size_t i = 1; i <= capacity; ++i) {
    const Json& item = first[i];
    const bool is_name = json.is_object() && i % 2 == 1;
    if (i > json.used() ? !item.is_null()
                        : item.tag() == Json::Tag::kHeader ||
                              (is_name && !item.is_text())) {
      return false;
    }
  }
  return true;
}

}  // namespace acre::inline ACRE_ABI::detail
