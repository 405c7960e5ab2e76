// SPDX-License-Identifier: MIT
//
// Builds a value from a parsed text, straight into an arena.

#ifndef ACRE_JSON_BUILDER_H_
#define ACRE_JSON_BUILDER_H_

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/json_type.h"
#include "acre/from_json.h"
#include "json_text.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

using JsonElement = simdjson::dom::element;

/// One value in the making. Takes back all that it made unless Keep is called:
/// after an error, and where an exception passes through.
class JsonBuilder {
 public:
  JsonBuilder(Arena& arena, const JsonRules& rules)
      : arena_(arena), rules_(rules) {}
  JsonBuilder(const JsonBuilder&) = delete;
  JsonBuilder& operator=(const JsonBuilder&) = delete;
  ~JsonBuilder();

  /// The object that a pointer of that type may point to; null on an error.
  void* Build(GetJsonType pointer_type, JsonElement root);
  void Keep() { made_.clear(); }

  /// Why there is none: without its place, which is where the levels lead to.
  const std::string& what() const { return what_; }
  /// Follows the words, unless empty: ", found " and what the text has there.
  bool tells_found() const { return tells_found_; }
  /// The name of a member is the place, not its value.
  bool names_member() const { return names_member_; }
  /// Outermost first.
  const std::vector<JsonLevel>& levels() const { return levels_; }
  /// Whether a double was read from an integer 0: the parser does not tell
  /// whether that was -0.
  bool has_met_zero() const { return has_met_zero_; }

  /// Which link, or late table, was wrong: without a place, which a second
  /// builder finds that stops there.
  struct Stop {
    static constexpr std::size_t kNever = ~std::size_t{0};
    std::size_t link = kNever;
    std::size_t late = kNever;
  };
  const Stop& failed() const { return failed_; }
  void StopAt(const Stop& stop) { stop_ = stop; }

 private:
  /// What is in the arena beside what containers hold.
  struct Made {
    void* block;
    std::size_t count;
    void (*free)(Arena& arena, void* made, std::size_t count);
  };
  /// A pointer that waits for what it points to.
  struct Link {
    const void** slot;
    GetJsonType type;
    std::string_view path;  // in the parser's room
  };
  /// A table whose keys hold pointers: filled when all else is there.
  struct Late {
    const JsonType* type;
    void* table;
    JsonElement element;
  };
  struct State {
    std::size_t made;
    std::size_t links;
    std::size_t late;
    std::size_t memory;
  };
  enum class Result : std::uint8_t { kFine, kError, kDuplicate };
  using Form = JsonLevel::Form;

  bool Read(JsonKind kind, GetJsonType type, JsonElement element, void* slot);
  bool ReadAt(std::size_t ordinal, Form form, JsonKind kind, GetJsonType type,
              JsonElement element, void* slot) {
    if (ACRE_LIKELY(Read(kind, type, element, slot))) return true;
    levels_.push_back({ordinal, form});
    return false;
  }
  bool ReadInteger(JsonKind kind, JsonElement element, void* slot);
  bool ReadDouble(JsonElement element, double* value, const char* expected);
  bool ReadEnum(const JsonType& type, JsonElement element, void* slot);
  bool ReadText(JsonKind kind, GetJsonType type, JsonElement element,
                void* slot);
  bool ReadStruct(const JsonType& type, JsonElement element, char* object);
  Result ReadMembers(const JsonType& type, simdjson::dom::object members,
                     char* object, const std::vector<bool>& skipped);
  bool ReadList(const JsonType& type, JsonElement element, void* slot);
  bool ReadElements(const JsonType& type, simdjson::dom::array elements,
                    std::size_t count, char* first);
  bool ReadTuple(const JsonType& type, JsonElement element, void* slot);
  bool ReadSet(const JsonType& type, JsonElement element, void* slot);
  bool ReadMap(const JsonType& type, JsonElement element, void* slot);
  Result ReadEntries(const JsonType& type, simdjson::dom::object members,
                     void* map, const std::vector<bool>& skipped);
  bool ReadPairs(const JsonType& type, JsonElement element, void* map);
  bool ReadVariant(const JsonType& type, JsonElement element, void* slot);
  bool ReadPointer(const JsonType& type, JsonElement element, void* slot);
  bool ReadKeyText(const JsonType& type, std::string_view text, void* key);
  /// Members of which a later one has the name.
  static std::vector<bool> Repeated(simdjson::dom::object members);
  template <class ReadAll>
  bool ReadOnce(const JsonType& type, simdjson::dom::object members,
                void* object, ReadAll read_all);
  void* MakeText(std::string_view text);
  bool FollowReference(JsonElement element, const void** slot, GetJsonType type,
                       bool* is_reference);

  bool FillLate();
  bool ResolveLinks();
  /// What a path leads to, as an object of that type; null, with an error.
  const void* Resolve(std::string_view path, const JsonType& wanted);
  const void* Step(const JsonType*& type, const void* object,
                   std::string_view segment);
  const void* FindInTable(const JsonType*& type, const void* table,
                          std::string_view element_path,
                          std::string_view* rest);

  bool Fail(std::string what) {
    what_ = std::move(what);
    return false;
  }
  bool Expected(std::string_view what) {
    what_ = "expected ";
    what_ += what;
    tells_found_ = true;
    return false;
  }
  bool FailAtName(std::size_t ordinal, std::string what) {
    what_ = std::move(what);
    names_member_ = true;
    levels_.push_back({ordinal, Form::kField});
    return false;
  }
  /// False, with an error, where that is more than is allowed.
  bool Charge(std::size_t count, std::size_t bytes) {
    if (ACRE_LIKELY(bytes == 0 ||
                    count <= (rules_.max_memory - memory_) / bytes)) {
      memory_ += count * bytes;
      return true;
    }
    return Fail("needs more than the " + std::to_string(rules_.max_memory) +
                " bytes that are allowed (JsonRules::max_memory)");
  }
  State state() const {
    return {made_.size(), links_.size(), late_.size(), memory_};
  }
  void Return(const State& state);

  Arena& arena_;
  const JsonRules& rules_;
  bool has_met_zero_ = false;
  Stop stop_;
  Stop failed_;
  bool tells_found_ = false;
  bool names_member_ = false;
  bool resolves_at_once_ = false;  // keys of tables
  std::size_t memory_ = 0;
  std::vector<Made> made_;
  std::vector<Link> links_;
  std::vector<Late> late_;
  const JsonType* root_type_ = nullptr;  // of root_
  const void* root_ = nullptr;
  JsonElement root_element_;
  std::string what_;
  std::vector<JsonLevel> levels_;  // innermost first, until Build returns
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_JSON_BUILDER_H_
