// SPDX-License-Identifier: MIT

#include "acre/json.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "acre/detail/blocks.h"
#include "acre/hash.h"
#include "json_storage.h"

namespace acre::inline ACRE_ABI {

using detail::ByteLayout;
using detail::IndexSlot;
using detail::JsonLayout;
using detail::SlotLayout;
using detail::SlotsFor;

namespace {

/// An object with more members has an index: places of members, each one more
/// than it is, by the hash of its name, the next one free where that is taken.
/// Zero: none. Half of it is free, so that searches end soon.
constexpr std::size_t kIndexed = 16;

/// Names may come from anybody.
std::size_t HashOf(std::string_view name) {
  return static_cast<std::size_t>(UntrustedHash<std::string_view>()(name));
}

}  // namespace

// ---- storage

void Json::SetStamp(std::uint64_t stamp) noexcept {
  for (int i = 0; i < 3; ++i) {
    bytes_[12 + i] = static_cast<unsigned char>(stamp >> 8 * i);
  }
}

/// Three bytes of a stamp are kept: the youngest one that ends so.
std::uint64_t Json::StampIn(const Arena& arena) const noexcept {
  std::uint64_t low = 0;
  for (int i = 0; i < 3; ++i) low |= std::uint64_t{bytes_[12 + i]} << 8 * i;
  const std::uint64_t now = arena.stamp();
  return now - ((now - low) & 0xFFFFFF);
}

Arena* Json::home() const noexcept {
  return may_have_storage() && storage() != nullptr ? ArenaOf(storage())
                                                    : nullptr;
}

void Json::CheckLiveSlow() const {
  if (!may_have_storage() || storage() == nullptr) return;
  const Arena* const arena = ArenaOf(storage());
  if (arena == nullptr) {
    detail::FailMisuse(
        "acre: the Json at %p is used, but the arena of its storage has ended",
        static_cast<const void*>(this));
  }
  if (!arena->IsLive(StampIn(*arena))) detail::FailDead(*arena, "Json");
}

/// The arena for more storage: misuse where there is none, or where a mark has
/// been opened since what there is was made.
Arena& Json::HomeToGrow(std::size_t more) {
  if (size() + more > std::size_t{1} << 31) {
    detail::FailLength("Json", size() + more, std::size_t{1} << 31);
  }
  Arena* const arena = home();
  Arena& found = arena != nullptr ? *arena : detail::FindArena(this, "Json");
  detail::CheckMayAllocate(this, found, "Json");
  if (arena != nullptr) detail::CheckMayGrow(found, StampIn(found), "Json");
  return found;
}

void Json::Release() noexcept {
  const Tag was = tag();
  Arena* const arena = home();
  if (arena != nullptr && arena->IsLive(StampIn(*arena))) {
    if (was == Tag::kText) {
      detail::Blocks::Give(*arena, storage(), count(), 1, &ByteLayout());
    } else if (was == Tag::kHeader) {
      detail::Blocks::Give(*arena, storage(),
                           SlotsFor(count()) * sizeof(IndexSlot),
                           alignof(IndexSlot), &SlotLayout());
    } else {
      Json* const first = header();
      const std::size_t bytes = (capacity() + 1) * sizeof(Json);
      for (std::size_t i = 0; i <= used(); ++i) {
        if (first[i].may_have_storage()) {
          detail::ReleaseHandles(JsonLayout(), first + i);
        }
      }
      detail::Blocks::Give(*arena, first, bytes, alignof(Json), &JsonLayout());
    }
  }
  Forget();
}

/// Room for `capacity` elements, or members; what there is moves along.
void Json::Grow(Arena& arena, std::size_t capacity) {
  const bool has_members = is_object();
  const std::size_t wanted = has_members ? 2 * capacity : capacity;
  const std::size_t bytes =
      detail::UsableBytes((wanted + 1) * sizeof(Json), alignof(Json)) /
      sizeof(Json) * sizeof(Json);
  std::size_t items = bytes / sizeof(Json) - 1;
  if (has_members) items = items / 2 * 2;
  const std::size_t taken = (items + 1) * sizeof(Json);
  const Json before(tag(), payload());
  auto* const block = static_cast<Json*>(
      detail::Blocks::Take(arena, taken, alignof(Json), &JsonLayout()));
  // Getting memory may have run code that used this very value.
  if (payload() != before.payload() || tag() != before.tag()) {
    detail::Blocks::Give(arena, block, taken, alignof(Json), &JsonLayout());
    return;
  }
  detail::Blocks::NoteStorage(arena, block);
  std::memset(static_cast<void*>(block), 0, taken);
  const std::size_t kept = used();
  Json* const old = header();
  if (old != nullptr) {
    const std::size_t old_bytes = (old->count() + 1) * sizeof(Json);
    std::memcpy(static_cast<void*>(block + 1),
                static_cast<const void*>(old + 1), kept * sizeof(Json));
    if (old->tag() == Tag::kHeader) old->Release();
    detail::Blocks::Give(arena, old, old_bytes, alignof(Json), &JsonLayout());
  }
  block->set_count(items);
  set_payload(reinterpret_cast<std::uintptr_t>(block));
  SetStamp(arena.stamp());
  if (has_members && items / 2 > kIndexed) MakeIndex(arena);
}

void Json::MakeIndex(Arena& arena) {
  const std::size_t bytes = SlotsFor(capacity()) * sizeof(IndexSlot);
  Json* const before = header();
  void* const block =
      detail::Blocks::Take(arena, bytes, alignof(IndexSlot), &SlotLayout());
  if (header() != before || before->tag() == Tag::kHeader) {
    detail::Blocks::Give(arena, block, bytes, alignof(IndexSlot),
                         &SlotLayout());
    return;
  }
  detail::Blocks::NoteStorage(arena, block);
  before->set_payload(reinterpret_cast<std::uintptr_t>(block));
  before->set_tag(Tag::kHeader);
  before->SetStamp(arena.stamp());
  RefillIndex();
}

void Json::RefillIndex() noexcept {
  Json* const first = header();
  if (first == nullptr || first->tag() != Tag::kHeader) return;
  std::memset(first->storage(), 0,
              SlotsFor(first->count()) * sizeof(IndexSlot));
  for (std::size_t i = 0; i < count(); ++i) AddToIndex(i);
}

void Json::AddToIndex(std::size_t member) noexcept {
  Json* const first = header();
  if (first->tag() != Tag::kHeader) return;
  auto* const slots = static_cast<IndexSlot*>(first->storage());
  const std::size_t mask = SlotsFor(first->count()) - 1;
  std::size_t at = HashOf(first[1 + 2 * member].text()) & mask;
  while (slots[at] != 0) at = (at + 1) & mask;
  slots[at] = static_cast<IndexSlot>(member + 1);
}

/// The place of a member; count() where there is none.
std::size_t Json::IndexOf(std::string_view name) const noexcept {
  const Json* const first = header();
  if (first == nullptr) return count();
  if (first->tag() == Tag::kHeader) {
    const auto* const slots = static_cast<const IndexSlot*>(first->storage());
    const std::size_t mask = SlotsFor(first->count()) - 1;
    for (std::size_t at = HashOf(name) & mask; slots[at] != 0;
         at = (at + 1) & mask) {
      const std::size_t member = slots[at] - 1;
      if (first[1 + 2 * member].text() == name) return member;
    }
    return count();
  }
  if (name.size() <= kShort) {
    // As it lies there: two words.
    Json wanted;
    wanted.SetText(nullptr, name);
    for (std::size_t i = 0; i < count(); ++i) {
      if (std::memcmp(first[1 + 2 * i].bytes_, wanted.bytes_,
                      sizeof wanted.bytes_) == 0) {
        return i;
      }
    }
    return count();
  }
  for (std::size_t i = 0; i < count(); ++i) {
    if (first[1 + 2 * i].text() == name) return i;
  }
  return count();
}

// ---- values

std::string_view Json::text() const noexcept {
  if (tag() == Tag::kText) {
    CheckLive();
    return {static_cast<const char*>(storage()), count()};
  }
  return {reinterpret_cast<const char*>(bytes_),
          static_cast<std::size_t>(bytes_[15] & 0x0F)};
}

void Json::SetLongText(Arena* arena, std::string_view text) {
  if (text.size() > UINT32_MAX) {
    detail::FailLength("Json", text.size(), UINT32_MAX);
  }
  if (arena == nullptr) arena = &detail::FindArena(this, "Json");
  detail::CheckMayAllocate(this, *arena, "Json");
  void* const block =
      detail::Blocks::Take(*arena, text.size(), 1, &ByteLayout());
  detail::Blocks::NoteStorage(*arena, block);
  std::memcpy(block, text.data(), text.size());
  Json made(Tag::kText, reinterpret_cast<std::uintptr_t>(block));
  made.set_count(text.size());
  made.SetStamp(arena->stamp());
  Release();  // getting memory may have run code that used this
  std::memcpy(bytes_, made.bytes_, sizeof bytes_);
}

Json::Json(Arena& arena, std::string_view text) { SetText(&arena, text); }

Json& Json::operator=(Json&& other) noexcept {
  if (this == &other) return *this;
  unsigned char taken[sizeof bytes_];  // `other` may lie in this
  std::memcpy(taken, other.bytes_, sizeof taken);
  if constexpr (kChecked) {
    Arena* const arena = other.home();
    if (arena != nullptr) detail::CheckTakes(this, arena, other.storage());
    if (other.Holds(this)) {
      detail::FailMisuse("acre: the Json at %p is moved into a part of itself",
                         static_cast<void*>(&other));
    }
  }
  other.Forget();
  Release();
  std::memcpy(bytes_, taken, sizeof bytes_);
  return *this;
}

void Json::AssignText(std::string_view text) {
  // The text may be a part of this.
  Json made;
  Arena* const arena = home();
  made.SetText(arena != nullptr ? arena : ArenaOf(this), text);
  *this = std::move(made);
}

/// Whether `inner` lies in it, however deep.
bool Json::Holds(const Json* inner) const {
  std::vector<const Json*> to_do{this};
  while (!to_do.empty()) {
    const Json& json = *to_do.back();
    to_do.pop_back();
    if (!json.is_array() && !json.is_object()) continue;
    const Json* const first = json.items();
    for (std::size_t i = 0; i < json.used(); ++i) {
      if (first + i == inner) return true;
      if (first[i].is_array() || first[i].is_object()) {
        to_do.push_back(first + i);
      }
    }
  }
  return false;
}

Json::Kind Json::kind() const noexcept {
  if (tag() >= Tag::kShortText) return Kind::kText;
  return static_cast<Kind>(tag());
}

std::optional<std::int64_t> Json::Signed() const noexcept {
  const std::uint64_t bits = payload();
  if (tag() == Tag::kInt) return static_cast<std::int64_t>(bits);
  if (tag() == Tag::kUint && bits <= INT64_MAX) {
    return static_cast<std::int64_t>(bits);
  }
  if (tag() == Tag::kDouble) {
    const auto value = std::bit_cast<double>(bits);
    if (std::fabs(value) < 0x1p53 && value == std::trunc(value)) {
      return static_cast<std::int64_t>(value);
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> Json::Unsigned() const noexcept {
  if (tag() == Tag::kUint) return payload();
  const std::optional<std::int64_t> value = Signed();
  if (!value || *value < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*value);
}

std::optional<double> Json::Real() const noexcept {
  const std::uint64_t bits = payload();
  if (tag() == Tag::kDouble) return std::bit_cast<double>(bits);
  if (tag() == Tag::kInt) {
    return static_cast<double>(static_cast<std::int64_t>(bits));
  }
  if (tag() == Tag::kUint) return static_cast<double>(bits);
  return std::nullopt;
}

void Json::FailKind(const char* wanted) const {
  constexpr const char* kNames[] = {"null",     "a bool",   "a number",
                                    "a number", "a number", "a text",
                                    "an array", "an object"};
  detail::FailMisuse("acre: a Json is asked for %s, but it is %s", wanted,
                     kNames[static_cast<std::size_t>(kind())]);
}

bool Json::Equal(const Json& first, const Json& second) {
  // Values may nest deeper than the stack.
  std::vector<std::pair<const Json*, const Json*>> to_do{{&first, &second}};
  while (!to_do.empty()) {
    const auto [a, b] = to_do.back();
    to_do.pop_back();
    if (a->kind() != b->kind() || !(a->is_array() || a->is_object())) {
      if (!EqualAlone(*a, *b)) return false;
      continue;
    }
    a->CheckLive();
    b->CheckLive();
    if (a->size() != b->size()) return false;
    if (a->is_array()) {
      for (std::size_t i = 0; i < a->size(); ++i) {
        to_do.emplace_back(a->begin() + i, b->begin() + i);
      }
      continue;
    }
    for (const Member& member : a->members()) {
      const Json* const other = b->find(member.name());
      if (other == nullptr) return false;
      to_do.emplace_back(&member.value(), other);
    }
  }
  return true;
}

/// Of values that are not both arrays or both objects.
bool Json::EqualAlone(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) {
    if (a.tag() == Tag::kDouble || b.tag() == Tag::kDouble) {
      // Whole doubles against integers: exactly.
      const std::optional<std::int64_t> left = a.Signed();
      const std::optional<std::int64_t> right = b.Signed();
      if (left && right) return *left == *right;
      return a.tag() == b.tag() && a.Real() == b.Real();
    }
    return a.Signed() == b.Signed() && a.Unsigned() == b.Unsigned();
  }
  if (a.kind() != b.kind()) return false;
  if (a.is_bool()) return a.payload() == b.payload();
  return !a.is_text() || a.text() == b.text();
}

// ---- arrays and objects

Json& Json::at(std::size_t index) {
  if (!is_array()) FailKind("an array");
  CheckLive();
  if (index >= count()) detail::FailOutOfRange("Json", index, count());
  return items()[index];
}

Json& Json::push_back(Json value) {
  if (is_null()) set_tag(Tag::kArray);
  if (!is_array()) FailKind("an array");
  CheckLive();
  while (count() == capacity()) {
    Grow(HomeToGrow(1), std::max(2 * std::size_t{count()}, std::size_t{3}));
  }
  Json& last = items()[count()];
  set_count(count() + std::size_t{1});
  last = std::move(value);
  return last;
}

void Json::reserve(std::size_t wanted) {
  if (!is_array() && !is_object()) FailKind("an array or object");
  CheckLive();
  const std::size_t room = is_object() ? capacity() / 2 : capacity();
  if (wanted > room) Grow(HomeToGrow(wanted - count()), wanted);
}

void Json::clear() noexcept {
  const Tag was = tag();
  if (was != Tag::kArray && was != Tag::kObject) return;
  Release();
  set_tag(was);
}

void Json::erase(std::size_t index) {
  Json& gone = at(index);
  gone.Release();
  std::memmove(static_cast<void*>(&gone), static_cast<const void*>(&gone + 1),
               (count() - index - 1) * sizeof(Json));
  set_count(count() - std::size_t{1});
  items()[count()].Forget();
}

Json* Json::find(std::string_view name) noexcept {
  if (!is_object()) return nullptr;
  CheckLive();
  const std::size_t member = IndexOf(name);
  return member == count() ? nullptr : items() + 2 * member + 1;
}

Json& Json::at(std::string_view name) {
  if (!is_object()) FailKind("an object");
  Json* const found = find(name);
  if (found == nullptr) {
    detail::FailMisuse("acre: a Json object has no member \"%.*s\"",
                       static_cast<int>(std::min<std::size_t>(name.size(), 80)),
                       name.data());
  }
  return *found;
}

Json& Json::Append(Arena& arena, std::string_view name) {
  Json made;
  made.SetText(&arena, name);
  Json* const slot = items() + 2 * std::size_t{count()};
  std::memcpy(static_cast<void*>(slot), made.bytes_, sizeof made.bytes_);
  made.Forget();
  set_count(count() + std::size_t{1});
  AddToIndex(count() - std::size_t{1});
  return slot[1];
}

Json& Json::FindOrAdd(std::string_view name) {
  if (is_null()) set_tag(Tag::kObject);
  if (!is_object()) FailKind("an object");
  CheckLive();
  if (Json* const found = find(name)) return *found;
  // Made first: the name may lie in this object, which moves as it grows.
  Arena& arena = HomeToGrow(1);
  Json made;
  made.SetText(&arena, name);
  // Getting memory may run code that uses this very object.
  for (;;) {
    if (Json* const found = find(made.text())) {
      made.Release();
      return *found;
    }
    if (2 * std::size_t{count()} < capacity()) break;
    Grow(HomeToGrow(1), std::max(2 * std::size_t{count()}, std::size_t{3}));
  }
  Json* const slot = items() + 2 * std::size_t{count()};
  std::memcpy(static_cast<void*>(slot), made.bytes_, sizeof made.bytes_);
  set_count(count() + std::size_t{1});
  AddToIndex(count() - std::size_t{1});
  return slot[1];
}

bool Json::erase(std::string_view name) {
  if (!is_object()) return false;
  CheckLive();
  const std::size_t member = IndexOf(name);
  if (member == count()) return false;
  Json* const gone = items() + 2 * member;
  gone[0].Release();
  gone[1].Release();
  std::memmove(static_cast<void*>(gone), static_cast<const void*>(gone + 2),
               2 * (count() - member - 1) * sizeof(Json));
  set_count(count() - std::size_t{1});
  Json* const end = items() + 2 * std::size_t{count()};
  end[0].Forget();
  end[1].Forget();
  RefillIndex();
  return true;
}

}  // namespace acre::inline ACRE_ABI
