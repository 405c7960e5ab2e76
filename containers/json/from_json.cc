// SPDX-License-Identifier: MIT

#include "acre/from_json.h"

#include <simdjson.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <string>

#include "acre/chunk_source.h"
#include "json_builder.h"
#include "json_text.h"
#include "json_tokens.h"

namespace acre::inline ACRE_ABI {
namespace detail {
namespace {

/// Text with room behind it that the parser may read.
class PaddedText {
 public:
  bool Reserve(std::size_t size) {
    if (size + simdjson::SIMDJSON_PADDING <= capacity_) return true;
    capacity_ = size + simdjson::SIMDJSON_PADDING;
    bytes_.reset(new (std::nothrow) char[capacity_]);
    if (bytes_ == nullptr) capacity_ = 0;
    return bytes_ != nullptr;
  }
  char* data() { return bytes_.get(); }
  /// Whether the text is the one that was finished here.
  bool Holds(std::string_view text) const {
    return bytes_ != nullptr && text.data() >= bytes_.get() &&
           text.data() < bytes_.get() + capacity_;
  }
  /// Zeros behind the text.
  std::string_view Finish(std::size_t size) {
    std::memset(bytes_.get() + size, 0, simdjson::SIMDJSON_PADDING);
    return {bytes_.get(), size};
  }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
};

/// Whether the parser may read behind the text: on its last page it may not.
/// Sanitizers would complain of what nobody minds.
bool HasRoomBehind(std::string_view text) {
#if defined(__SANITIZE_ADDRESS__)
  static_cast<void>(text);
  return false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
  static_cast<void>(text);
  return false;
#endif
#endif
  if (text.empty()) return false;
  constexpr std::uintptr_t kPage = 4096;  // at least
  const auto end = reinterpret_cast<std::uintptr_t>(text.data()) + text.size();
  return end % kPage != 0 && end % kPage + simdjson::SIMDJSON_PADDING <= kPage;
}

JsonError ErrorOf(std::string what) {
  JsonError error;
  error.what = std::move(what);
  return error;
}

std::string SizeText(std::size_t bytes) {
  return std::to_string(bytes) + " bytes";
}

}  // namespace

class JsonParser {
 public:
  JsonOr<void*> Read(Arena& arena, GetJsonType type, std::string_view text,
                     const JsonRules& rules);
  JsonOr<void*> ReadFile(Arena& arena, GetJsonType type, const char* path,
                         const JsonRules& rules);

 private:
  JsonError PlaceOf(const JsonBuilder& builder, GetJsonType type,
                    const JsonRules& rules);

  JsonTokens tokens_;
  PaddedText padded_;  // of a text without room behind it
  PaddedText file_;
  std::string_view text_;  // the one that is read, as it was given
};

JsonOr<void*> JsonParser::Read(Arena& arena, GetJsonType type,
                               std::string_view text, const JsonRules& rules) {
  const std::size_t most =
      std::min<std::size_t>(rules.max_bytes, simdjson::SIMDJSON_MAXSIZE_BYTES);
  if (text.size() > most) {
    return ErrorOf("the text has " + SizeText(text.size()) + ", more than " +
                   SizeText(most));
  }
  const unsigned max_depth = std::min(rules.max_depth, 1024U);
  text_ = text;
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  std::string_view parsed = text;
  if (parsed.starts_with(kMark)) parsed.remove_prefix(kMark.size());
  if (!file_.Holds(parsed) && !HasRoomBehind(parsed)) {
    if (!padded_.Reserve(parsed.size())) {
      return ErrorOf("no memory for a text of " + SizeText(parsed.size()));
    }
    if (!parsed.empty()) {
      std::memcpy(padded_.data(), parsed.data(), parsed.size());
    }
    parsed = padded_.Finish(parsed.size());
  }
  switch (tokens_.Find(parsed, max_depth)) {
    case JsonTokens::Outcome::kFine:
      break;
    case JsonTokens::Outcome::kNoMemory:
      return ErrorOf("no memory for parsing a text of " +
                     SizeText(parsed.size()));
    case JsonTokens::Outcome::kOffence:
      return FindOffence(text, max_depth);
  }
  JsonBuilder builder(arena, tokens_, rules);
  void* const object = builder.Build(type);
  if (object != nullptr) {
    builder.Keep();
    return object;
  }
  // Whatever was met first: a text that is none is told as that.
  JsonError error = FindOffence(text, max_depth);
  if (!error && builder.has_met_offence()) {
    error = ErrorOf("the text is no JSON");  // the two looks at it differ
  }
  if (!error) error = PlaceOf(builder, type, rules);
  return error;
}

JsonError JsonParser::PlaceOf(const JsonBuilder& builder, GetJsonType type,
                              const JsonRules& rules) {
  std::vector<JsonLevel> levels = builder.levels();
  const JsonBuilder::Stop stop = builder.failed();
  if (stop.link != JsonBuilder::Stop::kNever ||
      stop.late != JsonBuilder::Stop::kNever) {
    // Once more, aside, up to where the link or the table stands.
    Arena aside({.name = "place of an error in JSON",
                 .source = &MallocSource::Instance()});
    JsonBuilder finder(aside, tokens_, rules);
    finder.StopAt(stop);
    static_cast<void>(finder.Build(type));
    std::vector<JsonLevel> outer = finder.levels();
    outer.insert(outer.end(), levels.begin(), levels.end());
    levels = std::move(outer);
  }
  JsonError error;
  const JsonPlace place = FindPlace(text_, levels, builder.names_member());
  error.path = place.path;
  error.what = builder.what();
  if (builder.tells_found()) error.what += ", found " + place.found;
  SetPlace(error, text_, place.offset);
  return error;
}

JsonOr<void*> JsonParser::ReadFile(Arena& arena, GetJsonType type,
                                   const char* path, const JsonRules& rules) {
  const auto fail = [&](const char* what) {
    return ErrorOf(std::string(path) + ": " + what);
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
      std::fopen(path, "rb"), &std::fclose);
  if (file == nullptr) return fail(std::strerror(errno));
  std::size_t size = 0;
  std::size_t room = std::size_t{64} << 10;
  if (std::fseek(file.get(), 0, SEEK_END) == 0) {
    const long end = std::ftell(file.get());
    if (end > 0) room = static_cast<std::size_t>(end) + 1;
    std::rewind(file.get());
  }
  const std::size_t most =
      std::min<std::size_t>(rules.max_bytes, simdjson::SIMDJSON_MAXSIZE_BYTES);
  room = std::min(room, most + 1);
  // Pipes have no size, and files may grow.
  std::string grown;
  for (;;) {
    if (!file_.Reserve(room)) return fail("no memory for it");
    if (!grown.empty()) {
      std::memcpy(file_.data(), grown.data(), size);
      grown.clear();
    }
    errno = 0;
    size += std::fread(file_.data() + size, 1, room - size, file.get());
    if (std::ferror(file.get()) != 0) return fail(std::strerror(errno));
    if (size < room) break;
    if (size > most) return fail("is larger than is allowed");
    grown.assign(file_.data(), size);
    room = std::min(room * 2, most + 1);
  }
  JsonOr<void*> read = Read(arena, type, file_.Finish(size), rules);
  if (!read) {
    JsonError error = read.error();
    error.what = std::string(path) + ": " + error.what;
    return error;
  }
  return read;
}

}  // namespace detail

JsonReader::~JsonReader() { delete parser_; }

JsonOr<void*> JsonReader::ReadText(Arena& arena, detail::GetJsonType type,
                                   std::string_view text,
                                   const JsonRules& rules) {
  if (parser_ == nullptr) parser_ = new detail::JsonParser;
  return parser_->Read(arena, type, text, rules);
}

JsonOr<void*> JsonReader::ReadPath(Arena& arena, detail::GetJsonType type,
                                   const char* path, const JsonRules& rules) {
  if (parser_ == nullptr) parser_ = new detail::JsonParser;
  return parser_->ReadFile(arena, type, path, rules);
}

}  // namespace acre::inline ACRE_ABI
