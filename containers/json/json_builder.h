// SPDX-License-Identifier: MIT
//
// Builds a value from the tokens of a text, straight into an arena.

#ifndef ACRE_JSON_BUILDER_H_
#define ACRE_JSON_BUILDER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/json_type.h"
#include "acre/from_json.h"
#include "json_number.h"
#include "json_text.h"
#include "json_tokens.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// One value in the making. Takes back all that it made unless Keep is called:
/// after an error, and where an exception passes through.
class JsonBuilder {
 public:
  JsonBuilder(Arena& arena, const JsonTokens& tokens, const JsonRules& rules)
      : arena_(arena), tokens_(tokens), rules_(rules) {}
  JsonBuilder(const JsonBuilder&) = delete;
  JsonBuilder& operator=(const JsonBuilder&) = delete;
  ~JsonBuilder();

  /// The object that a pointer of that type may point to; null on an error.
  void* Build(GetJsonType pointer_type);
  void Keep() { made_.clear(); }

  /// Why there is none: without its place, which is where the levels lead to.
  const std::string& what() const { return what_; }
  /// Follows the words, unless empty: ", found " and what the text has there.
  bool tells_found() const { return tells_found_; }
  /// The name of a member is the place, not its value.
  bool names_member() const { return names_member_; }
  /// Outermost first.
  const std::vector<JsonLevel>& levels() const { return levels_; }
  /// The text breaks the grammar: what() does not say how.
  bool has_met_offence() const { return has_met_offence_; }

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
    std::string_view path;  // in the text, or in paths_
  };
  /// A table whose keys hold pointers: filled when all else is there.
  struct Late {
    const JsonType* type;
    void* table;
    JsonAt at;
  };
  struct State {
    std::size_t made;
    std::size_t links;
    std::size_t late;
    std::size_t memory;
  };
  /// A key that stands in the text as a value.
  struct KeySource {
    JsonBuilder* builder;
    JsonKind kind;
    GetJsonType type;
  };
  enum class Result : std::uint8_t { kFine, kError, kDuplicate };
  using Form = JsonLevel::Form;

  // Each reads the value at at_, and leaves at_ behind it.
  bool Read(JsonKind kind, GetJsonType type, void* slot);
  bool ReadAt(std::size_t ordinal, Form form, JsonKind kind, GetJsonType type,
              void* slot) {
    if (ACRE_LIKELY(Read(kind, type, slot))) return true;
    levels_.push_back({ordinal, form});
    return false;
  }
  bool ReadInteger(JsonKind kind, void* slot);
  ACRE_COLD bool ReadOtherInteger(JsonKind kind, void* slot);
  ACRE_INLINE bool ReadDouble(double* value) {
    const char* end = nullptr;
    if (ACRE_LIKELY(ParseDouble(tokens_.Start(at_.token), &end, value) &&
                    tokens_.EndsAt(at_.token, end))) {
      ++at_.token;
      return true;
    }
    return ReadOddDouble(value);
  }
  ACRE_COLD bool ReadOddDouble(double* value);
  bool ReadEnum(const JsonType& type, void* slot);
  bool ReadText(JsonKind kind, GetJsonType type, void* slot);
  bool ReadStruct(const JsonType& type, char* object);
  bool IsName(const JsonField& field) const;
  Result ReadMembers(const JsonType& type, char* object,
                     const std::vector<bool>& skipped);
  bool ReadList(const JsonType& type, void* slot);
  bool ReadElements(const JsonType& type, char* first);
  bool ReadTuple(const JsonType& type, void* slot);
  bool ReadSet(const JsonType& type, void* slot, bool is_late);
  bool ReadMap(const JsonType& type, void* slot);
  Result ReadEntries(const JsonType& type, void* map,
                     const std::vector<bool>& skipped);
  bool ReadPairs(const JsonType& type, void* map, bool is_late);
  bool ReadPair(const JsonType& type, void* map, std::size_t entry);
  /// As ReadAt, of a key, which is hashed by where its pointers lead: those are
  /// resolved at once.
  bool ReadKey(const KeySource& source, void* key);
  /// Notes the entry that is `ordinal` in the text, for references to it.
  void NoteEntry(const void* table, std::size_t ordinal, const void* entry);
  /// Default contents go: of a list or table, an optional, a variant.
  void Renew(const JsonType& type, void* slot);
  void RenewTable(const JsonType& type, void* table);
  /// Whether a table waits until all else is there; then it is noted, unless
  /// that is where this builder stops.
  bool IsLate(const JsonType& type, const JsonType& key_type, void* table);
  bool ReadNamed(const JsonType& type, void* slot);
  bool ReadAny(Json* json);
  bool ReadAnyArray(Json* json);
  bool ReadAnyObject(Json* json);
  bool ReadVariant(const JsonType& type, void* slot);
  bool ReadPointer(const JsonType& type, void* slot);
  bool ReadReference(const void** slot, GetJsonType type, bool* is_reference);
  bool ReadKeyText(const JsonType& type, std::string_view text, void* key);
  /// Members of one name are found while they are read; what there is by then
  /// is taken back, and only the last ones are read.
  template <class ReadAll>
  bool ReadOnce(const JsonType& type, void* object, ReadAll read_all) {
    const State before = state();
    const JsonAt start = at_;
    static const std::vector<bool> kNone;
    const Result result = read_all(kNone);
    if (result != Result::kDuplicate) return result == Result::kFine;
    if (rules_.refuse_duplicates) return false;
    Return(before);
    prefixes_ = {};
    at_ = start;
    levels_.clear();
    names_member_ = false;
    type.ops->renew(object, arena_);
    return read_all(Repeated()) == Result::kFine;
  }

  /// Members of which a later one has the name.
  std::vector<bool> Repeated();
  void* MakeText(std::string_view text);

  // ---- tokens

  char Peek() const { return tokens_[at_.token]; }
  bool Offence() {
    has_met_offence_ = true;
    return false;
  }
  /// Past a bracket, and whether something stands in it. Requires: it is there.
  bool Open() {
    ++at_.token;
    ++at_.opening;
    const char c = Peek();
    if (c != ']' && c != '}') return true;
    return false;
  }
  /// Past that bracket; an offence where it is not there.
  bool TakeClosing(char bracket) {
    if (Peek() != bracket) return Offence();
    ++at_.token;
    return true;
  }
  /// Past what stands behind a member or element: whether there is another.
  /// Neither a comma nor the bracket: an offence.
  ACRE_INLINE bool HasNext(char bracket, bool* is_fine) {
    const char c = Peek();
    ++at_.token;
    if (c == ',') return true;
    if (ACRE_UNLIKELY(c != bracket)) *is_fine = Offence();
    return false;
  }
  /// A text, its escapes replaced; false for an offence. `room` holds it.
  ACRE_INLINE bool TakeText(std::string_view* text) {
    std::string_view raw;
    if (ACRE_UNLIKELY(!tokens_.GetRaw(at_.token, &raw))) return Offence();
    ++at_.token;
    if (ACRE_LIKELY(!HasEscapes(raw))) {
      *text = raw;
      return true;
    }
    return Unescape(raw, &room_, text) || Offence();
  }
  /// The name of a member, and its colon.
  ACRE_INLINE bool TakeName(std::string_view* name) {
    if (ACRE_UNLIKELY(Peek() != '"')) return Offence();
    return TakeText(name) && TakeColon();
  }
  ACRE_INLINE bool TakeColon() {
    if (ACRE_UNLIKELY(Peek() != ':')) return Offence();
    ++at_.token;
    return true;
  }
  /// true, false or null.
  bool TakeWord(std::string_view word);
  bool IsNull() const { return Peek() == 'n'; }
  bool TakeNull() { return TakeWord("null"); }
  /// Past a value of any kind, which is checked.
  bool Skip();

  bool FillLate();
  bool ResolveLinks();
  /// What a path leads to, as an object of that type; null, with an error.
  const void* Resolve(std::string_view path, const JsonType& wanted);
  const void* Step(const JsonType*& type, const void* object,
                   std::string_view segment);
  const void* FindInTable(const JsonType*& type, const void* table,
                          std::string_view segment, std::string_view* rest);

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
  /// Something that made_ will have to name, whatever memory there is by then.
  void WillMake() {
    if (made_.size() == made_.capacity()) made_.reserve(2 * made_.size() + 8);
  }

  Arena& arena_;
  const JsonTokens& tokens_;
  const JsonRules& rules_;
  JsonAt at_;
  bool has_met_offence_ = false;
  Stop stop_;
  Stop failed_;
  bool tells_found_ = false;
  bool names_member_ = false;
  bool resolves_at_once_ = false;  // in the key of a table
  bool has_links_ = false;         // of the root's type, whether there may be
  std::size_t memory_ = 0;
  std::vector<Made> made_;
  std::vector<Link> links_;
  std::deque<std::string> paths_;  // those that have escapes
  std::vector<Late> late_;
  /// Of tables whose keys are no texts: their entries in the order of the text.
  std::unordered_map<const void*, std::vector<const void*>> entries_;
  /// Where references led lately, but for their last step.
  struct Prefix {
    std::string_view path;
    const JsonType* type = nullptr;  // null: none
    const void* object = nullptr;
  };
  std::array<Prefix, 16> prefixes_;
  const JsonType* root_type_ = nullptr;  // of root_
  const void* root_ = nullptr;
  std::string room_;  // of the text that was taken last
  std::string what_;
  std::vector<JsonLevel> levels_;  // innermost first, until Build returns
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_JSON_BUILDER_H_
