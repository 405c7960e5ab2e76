// SPDX-License-Identifier: MIT

#include "acre/string.h"

#include <algorithm>

#include "acre/detail/blocks.h"

namespace acre::inline ACRE_ABI {

String& String::operator=(String&& other) noexcept {
  if (this == &other) return *this;
  if constexpr (kChecked) {
    detail::CheckTakes(this, other.arena_,
                       other.is_inline() ? nullptr : other.far().data);
  }
  Release();
  Steal(other);
  return *this;
}

/// Takes text and storage; an unbound source, or an inline one, leaves this
/// String's own binding alone.
void String::Steal(String& other) noexcept {
  rep_ = other.rep_;
  if (!is_inline() || arena_ == nullptr) arena_ = other.arena_;
  other.rep_ = {};
}

void String::GiveFar() noexcept {
  const Far far = this->far();
  if (kChecked) detail::CheckArena(this, arena_, "String");
  detail::GiveStorage(*arena_, far.stamp, far.data, far.capacity, 1,
                      &LayoutOf<char>());
}

void String::SetSize(size_type size) noexcept {
  if (is_inline()) {
    rep_.chars[size] = '\0';
    rep_.chars[kInlineCapacity] = static_cast<char>(kInlineCapacity - size);
    return;
  }
  Far far = this->far();
  far.data[size] = '\0';
  far.size = static_cast<std::uint32_t>(size);
  SetFar(far);
}

/// Asking for memory may run code that uses this very String (a source that
/// runs finalizers): everything is read anew after it.
void String::Grow(size_type characters) {
  while (capacity() < characters) GrowOnce(characters);
}

void String::GrowOnce(size_type characters) {
  if (characters > max_size()) {
    detail::FailLength("String", characters, max_size());
  }
  if (arena_ == nullptr) arena_ = &detail::FindArena(this, "String");
  detail::CheckArena(this, arena_, "String");
  detail::CheckMayAllocate(this, *arena_, "String");
  const size_type wanted =
      std::max(characters, std::min(2 * capacity(), max_size())) + 1;
  const size_type bytes =
      std::min(detail::UsableBytes(wanted, 1), detail::kVectorMaxSize);
  if (!is_inline()) {
    Far far = this->far();
    detail::CheckMayGrow(*arena_, far.stamp, "String");
    // As of Vectors: not what a frame has, too.
    if (far.stamp == arena_->stamp() &&
        arena_->TryGrow(far.data, far.capacity, bytes, 1)) {
      far.capacity = static_cast<std::uint32_t>(bytes);
      return SetFar(far);
    }
  }
  const Rep before = rep_;
  auto* block = static_cast<char*>(
      detail::Blocks::Take(*arena_, bytes, 1, &LayoutOf<char>()));
  if (std::memcmp(&before, &rep_, sizeof before) != 0) {
    detail::Blocks::Give(*arena_, block, bytes, 1, &LayoutOf<char>());
    return;
  }
  detail::Blocks::NoteStorage(*arena_, block);
  const size_type old_size = size();
  std::memcpy(block, data(), old_size + 1);
  if (!is_inline()) {
    const Far far = this->far();
    detail::Blocks::Give(*arena_, far.data, far.capacity, 1, &LayoutOf<char>());
  }
  SetFar({block, static_cast<std::uint32_t>(old_size),
          static_cast<std::uint32_t>(bytes), arena_->stamp(), kFarTag});
}

namespace {

void CopyText(char* to, std::string_view text) {
  if (text.size() <= 32) {
    detail::CopyShort(to, text.data(), text.size());
  } else {
    std::memmove(to, text.data(), text.size());
  }
}

}  // namespace

String& String::assign(std::string_view text) {
  if (!IsLive()) Release();
  // A text that does not fit cannot be part of this one.
  if (text.size() > capacity()) Grow(text.size());
  CopyText(data(), text);
  SetSize(text.size());
  return *this;
}

char* String::Open(size_type pos, size_type count, size_type size) {
  const size_type old_size = this->size();
  const size_type kept = old_size - count;
  if (size > max_size() - kept) {
    detail::FailLength("String", size, max_size() - kept);
  }
  reserve(kept + size);
  if (this->size() != old_size) {  // getting memory has run code that used it
    pos = std::min(pos, this->size());
    return Open(pos, std::min(count, this->size() - pos), size);
  }
  char* const at = data() + pos;
  std::memmove(at + size, at + count, old_size - pos - count);
  SetSize(kept + size);
  return at;
}

String& String::replace(size_type pos, size_type count, std::string_view text) {
  count = std::min(count, size() - Within(pos, "String::replace"));
  if (text.data() < data() || text.data() >= end() || text.empty()) {
    CopyText(Open(pos, count, text.size()), text);
    return *this;
  }
  // A part of this text would move with the rest of it.
  struct Copy {
    Copy(const Copy&) = delete;
    Copy(Arena* arena, std::string_view text) {
      string.arena_ = arena;
      string.assign(text);
    }
    ~Copy() { string.Release(); }
    String string;
  };
  const Copy copy(arena_, text);
  return replace(pos, count, copy.string.view());
}

String& String::insert(size_type pos, size_type count, char c) {
  Within(pos, "String::insert");
  std::memset(Open(pos, 0, count), c, count);
  return *this;
}

void String::shrink_to_fit() {
  if (is_inline() || !IsLive()) return;
  const Far far = this->far();
  if (far.size <= kInlineCapacity) {
    Rep rep;
    CopyText(rep.chars, {far.data, far.size});
    rep.chars[kInlineCapacity] = static_cast<char>(kInlineCapacity - far.size);
    GiveFar();
    rep_ = rep;
    return;
  }
  const size_type bytes = detail::UsableBytes(std::size_t{far.size} + 1, 1);
  if (bytes >= far.capacity) return;
  detail::CheckMayGrow(*arena_, far.stamp, "String");
  auto* block = static_cast<char*>(
      detail::Blocks::Take(*arena_, bytes, 1, &LayoutOf<char>()));
  if (std::memcmp(&far, &rep_, sizeof far) != 0) {
    // The source has run code that used this String.
    detail::Blocks::Give(*arena_, block, bytes, 1, &LayoutOf<char>());
    return;
  }
  detail::Blocks::NoteStorage(*arena_, block);
  std::memcpy(block, far.data, std::size_t{far.size} + 1);
  GiveFar();
  SetFar({block, far.size, static_cast<std::uint32_t>(bytes), arena_->stamp(),
          kFarTag});
}

String& String::append(size_type count, char c) {
  const size_type most = max_size() - size();
  if (count > most) detail::FailLength("String", count, most);
  resize(size() + count, c);
  return *this;
}

String& String::append(std::string_view text) {
  if (text.empty()) return *this;
  const bool is_part = text.data() >= data() && text.data() <= end();
  const auto offset = static_cast<size_type>(text.data() - data());
  while (text.size() > capacity() - size()) {
    const size_type most = max_size() - size();
    if (text.size() > most) detail::FailLength("String", text.size(), most);
    Grow(size() + text.size());
    if (is_part) text = view().substr(std::min(offset, size()), text.size());
  }
  const size_type old_size = size();
  CopyText(data() + old_size, text);
  SetSize(old_size + text.size());
  return *this;
}

void String::reserve(size_type characters) {
  if (characters > capacity()) Grow(characters);
}

void String::resize(size_type characters, char fill) {
  reserve(characters);
  const size_type old_size = size();
  if (characters > old_size) {
    std::memset(data() + old_size, fill, characters - old_size);
  }
  SetSize(characters);
}

void String::swap(String& other) noexcept {
  if constexpr (kChecked) {
    detail::CheckTakes(this, other.arena_,
                       other.is_inline() ? nullptr : other.far().data);
    detail::CheckTakes(&other, arena_, is_inline() ? nullptr : far().data);
  }
  std::swap(arena_, other.arena_);
  std::swap(rep_, other.rep_);
}

namespace detail {

HandleStorage Shape<String>::Storage(const void* handle) {
  const auto& string = *static_cast<const String*>(handle);
  if (string.is_inline()) return {.arena = string.arena_};
  const String::Far far = string.far();
  return {far.data,      far.capacity, std::size_t{far.size} + 1, 1,
          string.arena_, far.stamp,    &LayoutOf<char>()};
}

ElementRun Shape<String>::NextRun(const void* handle, std::size_t* cursor) {
  const auto& string = *static_cast<const String*>(handle);
  if ((*cursor)++ != 0) return {};
  return {string.is_inline() ? string.rep_.chars : string.far().data,
          string.size()};
}

void Shape<String>::AdoptFar(String& string, void* block, std::size_t bytes) {
  if (block == nullptr) {
    string.rep_ = {};
    return;
  }
  String::Far far = string.far();
  far.data = static_cast<char*>(block);
  far.capacity = static_cast<std::uint32_t>(bytes);
  far.stamp = string.arena_->stamp();
  string.SetFar(far);
}

bool Shape<String>::IsSound(const void* handle, const SavedBytes& bytes,
                            HandleStorage* storage) {
  const auto& string = *static_cast<const String*>(handle);
  *storage = {};
  if (string.is_inline()) {
    // The tag is what is left of the room, and so the zero behind a full one.
    return string.rep_.tag() <= kInlineText &&
           string.rep_.chars[kInlineText - string.rep_.tag()] == 0;
  }
  const String::Far far = string.far();
  if (far.size >= far.capacity) return false;
  const auto* text =
      static_cast<const char*>(bytes.Find(far.data, far.capacity));
  if (text == nullptr || text[far.size] != 0) return false;
  *storage = {far.data, far.capacity, std::size_t{far.size} + 1, 1};
  storage->type = &LayoutOf<char>();
  return true;
}

StorageCopy Shape<String>::CopyStorage(void* handle, Arena* arena) {
  auto& string = *static_cast<String*>(handle);
  StorageCopy storage;
  if (string.is_inline()) {
    string.arena_ = arena;
    return storage;
  }
  const String::Far far = string.far();
  if (CopyBlock(*arena, far.data, std::size_t{far.size} + 1, 1,
                &LayoutOf<char>(), storage)) {
    Adopt(handle, arena, storage.copy, storage.bytes);
  }
  return storage;
}

}  // namespace detail
}  // namespace acre::inline ACRE_ABI
