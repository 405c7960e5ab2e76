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
#include <optional>
#include <string>

#include "acre/chunk_source.h"
#include "json_builder.h"
#include "json_text.h"

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
  std::size_t capacity() const { return capacity_; }
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
  /// Null where `error` is filled in, or nothing is: then the text is to be
  /// mended.
  void* ReadParsed(Arena& arena, GetJsonType type, JsonElement root,
                   const JsonRules& rules, bool may_mend, JsonError* error);
  JsonError PlaceOf(const JsonBuilder& builder, GetJsonType type,
                    JsonElement root, const JsonRules& rules);
  JsonOr<void*> ReadMended(Arena& arena, GetJsonType type,
                           const JsonRules& rules);
  std::optional<JsonElement> Parse(std::string_view text,
                                   const JsonRules& rules);

  simdjson::dom::parser parser_;
  simdjson::error_code status_ = simdjson::SUCCESS;
  PaddedText padded_;  // of a text without room behind it
  PaddedText file_;
  std::string_view text_;  // the one that is read, as it was given
};

std::optional<JsonElement> JsonParser::Parse(std::string_view text,
                                             const JsonRules& rules) {
  // The parser's limit is where it stops, ours the last level that is fine.
  const std::size_t depth = std::min(rules.max_depth, 1024U) + 1;
  if (parser_.max_depth() != depth || parser_.capacity() < text.size()) {
    status_ =
        parser_.allocate(std::max(parser_.capacity(), text.size()), depth);
    if (status_ != simdjson::SUCCESS) return std::nullopt;
  }
  JsonElement root;
  status_ = parser_.parse(text.data(), text.size(), false).get(root);
  if (status_ != simdjson::SUCCESS) return std::nullopt;
  return root;
}

JsonOr<void*> JsonParser::Read(Arena& arena, GetJsonType type,
                               std::string_view text, const JsonRules& rules) {
  constexpr std::size_t kMost = simdjson::SIMDJSON_MAXSIZE_BYTES;
  const std::size_t most = std::min(rules.max_bytes, kMost);
  if (text.size() > most) {
    return ErrorOf("the text has " + SizeText(text.size()) + ", more than " +
                   SizeText(most));
  }
  text_ = text;
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  std::string_view parsed = text;
  if (parsed.starts_with(kMark)) parsed.remove_prefix(kMark.size());
  const bool is_padded = parsed.data() >= file_.data() &&
                         file_.data() != nullptr &&
                         parsed.data() < file_.data() + file_.capacity();
  if (!is_padded && (parsed.empty() || !HasRoomBehind(parsed))) {
    if (!padded_.Reserve(parsed.size())) {
      return ErrorOf("no memory for a text of " + SizeText(parsed.size()));
    }
    if (!parsed.empty()) {
      std::memcpy(padded_.data(), parsed.data(), parsed.size());
    }
    parsed = padded_.Finish(parsed.size());
  }
  const std::optional<JsonElement> root = Parse(parsed, rules);
  JsonError error;
  if (root) {
    void* const object = ReadParsed(arena, type, *root, rules, true, &error);
    if (object != nullptr) return object;
    if (error) return error;
    return ReadMended(arena, type, rules);
  }
  if (status_ == simdjson::MEMALLOC) {
    return ErrorOf("no memory for parsing a text of " +
                   SizeText(parsed.size()));
  }
  error = FindOffence(text, std::min(rules.max_depth, 1024U));
  if (error) return error;
  // No offence: numbers that fit a double, but no integer.
  return ReadMended(arena, type, rules);
}

JsonOr<void*> JsonParser::ReadMended(Arena& arena, GetJsonType type,
                                     const JsonRules& rules) {
  std::optional<std::string> mended = MendNumbers(text_);
  if (mended) {
    mended->append(simdjson::SIMDJSON_PADDING, '\0');
    std::string_view text(*mended);
    text.remove_suffix(simdjson::SIMDJSON_PADDING);
    constexpr std::string_view kMark = "\xEF\xBB\xBF";
    if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
    JsonError error;
    if (const std::optional<JsonElement> root = Parse(text, rules)) {
      void* const object = ReadParsed(arena, type, *root, rules, false, &error);
      if (object != nullptr) return object;
      return error;
    }
  }
  return ErrorOf(std::string("the parser refuses it: ") +
                 simdjson::error_message(status_));
}

void* JsonParser::ReadParsed(Arena& arena, GetJsonType type, JsonElement root,
                             const JsonRules& rules, bool may_mend,
                             JsonError* error) {
  JsonBuilder builder(arena, rules);
  void* const object = builder.Build(type, root);
  const bool wants_mending =
      may_mend && builder.has_met_zero() && MayHaveMinusZero(text_);
  if (object != nullptr && !wants_mending) {
    builder.Keep();
    return object;
  }
  if (object == nullptr) *error = PlaceOf(builder, type, root, rules);
  return nullptr;
}

JsonError JsonParser::PlaceOf(const JsonBuilder& builder, GetJsonType type,
                              JsonElement root, const JsonRules& rules) {
  std::vector<JsonLevel> levels = builder.levels();
  const JsonBuilder::Stop stop = builder.failed();
  if (stop.link != JsonBuilder::Stop::kNever ||
      stop.late != JsonBuilder::Stop::kNever) {
    // Once more, aside, up to where the link or the table stands.
    Arena aside({.name = "place of an error in JSON",
                 .source = &MallocSource::Instance()});
    JsonBuilder finder(aside, rules);
    finder.StopAt(stop);
    static_cast<void>(finder.Build(type, root));
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
