// SPDX-License-Identifier: MIT
//
// ToJson and FromJson: what is written reads back; what is wrong is told by
// path, line and column, and leaves nothing behind.

#include <cmath>
#include <sstream>

#include "json_types.h"

namespace json_test {
namespace {

TEST_CASE("json: every kind of type reads back what was written") {
  Arena arena;
  All& all = *arena.New<All>();
  Fill(all, arena);
  for (const unsigned indent : {0U, 2U}) {
    const std::string text =
        Text(ToJson(all, {.indent = indent, .sort_keys = true}));
    CAPTURE(text);
    Arena other;
    const JsonOr<All*> read = FromJson<All>(other, text);
    REQUIRE_MESSAGE(read, read.error().text());
    CHECK(Text(ToJson(**read, {.indent = indent, .sort_keys = true})) == text);
    CHECK(read->i64 == all.i64);
    CHECK(read->u64 == all.u64);
    CHECK(read->real == all.real);
    CHECK(std::string_view(read->letters, 6) == "abcdef");
    CHECK(read->bare == Bare::kMinus);
    CHECK(read->view == "view");
    CHECK(read->by_number[-2] == "n2");
    CHECK(read->by_real[0.25] == "r");
    CHECK(std::get<3>(read->choice) == "chosen");
    CHECK(read->circle.area == 2);
    CHECK(read->any == all.any);
  }
  // A fresh one, too: empty lists, null, the first alternative.
  const std::string text = Text(ToJson(*arena.New<All>()));
  Arena other;
  const JsonOr<All*> read = FromJson<All>(other, text);
  REQUIRE_MESSAGE(read, read.error().text());
  CHECK(Text(ToJson(**read)) == text);
}

TEST_CASE("json: how things look") {
  Arena arena;
  Item& item = *arena.New<Item>();
  item.name = "Ann";
  CHECK(Text(ToJson(item)) == R"({"the id":7,"name":"Ann"})");
  Circle& circle = *arena.New<Circle>();
  CHECK(Text(ToJson(circle)) == R"({"area":0.0,"radius":1.0})");
  Map<std::int32_t, Color> colors(arena);
  colors[7] = Color::kGreen;
  CHECK(Text(ToJson(colors)) == R"({"7":"green"})");
  CHECK(Text(ToJson(static_cast<Color>(9))) == "9");
  Map<double, bool> reals(arena);
  reals[0.5] = true;
  CHECK(Text(ToJson(reals)) == "[[0.5,true]]");
  std::variant<std::monostate, Item, std::int32_t, int> same;
  CHECK(Text(ToJson(same)) == "null");
  same.emplace<3>(5);
  CHECK(Text(ToJson(same)) == R"({"3":5})");
  same.emplace<1>();
  CHECK(Text(ToJson(same)) == R"({"Item":{"the id":7,"name":""}})");
  CHECK(Text(ToJson("text")) == R"("text")");
  std::ostringstream stream;
  CHECK_FALSE(acre::WriteJson(item, stream));
  CHECK(stream.str() == R"({"the id":7,"name":"Ann"})");
}

TEST_CASE("json: what cannot be written is told with its path") {
  Arena arena;
  All& all = *arena.New<All>();
  all.by_name["a b"].name = "\xFF";
  CHECK(ToJson(all, {.bytes = acre::JsonBytes::kRefuse}).error().text() ==
        "by_name[\"a b\"].name: the text is no UTF-8 (see JsonStyle::bytes)");
  all.rows.resize(2);
  std::get<1>(all.tuple) = std::nan("");
  CHECK(ToJson(all).error().text() ==
        "tuple[1]: JSON has no number for NaN and infinities (see "
        "JsonStyle::not_finite)");
  all.any["deep"].push_back(1e300 * 1e300);
  std::get<1>(all.tuple) = 0;
  CHECK(ToJson(all).error().path == "any.deep[0]");
  const JsonOr<std::string> text =
      ToJson(all, {.not_finite = acre::JsonNotFinite::kText});
  REQUIRE(text);
  const JsonOr<Vector<double>*> read =
      FromJson<Vector<double>>(arena, R"(["NaN","Infinity","-Infinity"])");
  REQUIRE(read);
  CHECK(std::isnan((**read)[0]));
  CHECK((**read)[2] == -std::numeric_limits<double>::infinity());
}

// ---- errors

TEST_CASE("json: errors have path, line and column, what was wanted, found") {
  CHECK(
      ErrorOf<All>("{\n  \"items\": [{}, {}, {},\n {\"the id\": \"many\"}]}") ==
      "items[3].the id: expected int32, found \"many\" (line 3, column 13)");
  const struct {
    const char* text;
    const char* error;
  } kCases[] = {
      {R"({"flag":1})", "flag: expected true or false, found 1"},
      {R"({"i8":128})", "i8: expected int8 (-128 to 127), found 128"},
      {R"({"u8":-1})", "u8: expected uint8 (0 to 255), found -1"},
      {R"({"u64":18446744073709551616})",
       "u64: expected uint64 (0 to 18446744073709551615), found "
       "18446744073709551616"},
      {R"({"i64":1e300})",
       "i64: expected int64 (-9223372036854775808 to 9223372036854775807), "
       "found 1e300"},
      {R"({"i32":1.5})", "i32: expected int32, found 1.5"},
      {R"({"wide":"1"})", "wide: expected a number, found \"1\""},
      {R"({"real":1e39})",
       "real: expected float (up to 3.4028235e+38), found 1e39"},
      {R"({"letters":"abcdefg"})",
       "letters: expected a text of at most 6 bytes, none of them zero, found "
       "\"abcdefg\""},
      {R"({"color":"pink"})",
       "color: expected Color (kRed, green, kBlue), found \"pink\""},
      {R"({"text":[1]})", "text: expected a text, found a list"},
      {R"({"items":{}})", "items: expected a list, found an object"},
      {R"({"three":[1,2]})", "three: expected 3 elements, found 2"},
      {R"({"rows":[[1],[2,null]]})", "rows[1][1]: expected int32, found null"},
      {R"({"by_name":{"x":{"name":5}}})",
       "by_name[\"x\"].name: expected a text, found 5"},
      {R"({"by_number":{"5x":""}})",
       "by_number[5x]: expected a key of type int32, found \"5x\""},
      {R"({"by_number":{"3000000000":""}})",
       "by_number[3000000000]: expected a key of type int32, found "
       "\"3000000000\""},
      {R"({"by_real":[[1]]})",
       "by_real[0]: expected a pair of key and value, found a list"},
      {R"({"by_real":[[1,""],[1.0,""]]})",
       "by_real[1][0]: the key is there twice"},
      {R"({"names":["a","b","a"]})", "names[2]: the element is there twice"},
      {R"({"tuple":[true,1]})", "tuple: expected 3 elements, found 2"},
      {R"({"maybe":[]})", "maybe: expected an object for Item, found a list"},
      {R"({"choice":{"Thing":1}})",
       "choice.Thing: no alternative has this name; there are: Item, int32, "
       "text"},
      {R"({"choice":5})",
       "choice: expected an object with one member, named as one of: Item, "
       "int32, text, found 5"},
      {R"({"nonsense":1})", "nonsense: All has no such field"},
      {R"({"secret":null})", "secret: All has no such field"},
      {R"([])", "expected an object for All, found a list"},
  };
  for (const auto& each : kCases) {
    const std::string error = ErrorOf<All>(each.text);
    CAPTURE(each.text);
    CHECK(error.substr(0, error.rfind(" (line")) == each.error);
    CHECK(error.find("(line 1, column ") != std::string::npos);
  }
}

TEST_CASE("json: references that lead nowhere, or to something else") {
  CHECK(ErrorOf<Node>(R"({"kids":[{},{"next":{"$ref":"/kids/7"}}]})") ==
        "kids[1].next: the reference \"/kids/7\" leads nowhere (line 1, column "
        "21)");
  CHECK(
      ErrorOf<Node>(R"({"next":{"$ref":"/id"}})")
          .starts_with("next: the reference \"/id\" leads to what is no Node"));
  CHECK(ErrorOf<Node>(R"({"next":{"$ref":"kids"}})")
            .starts_with("next: the reference \"kids\" is no JSON Pointer"));
  CHECK(ErrorOf<Node>(R"({"next":{"$ref":"/next"}})")
            .starts_with(
                "next: the reference \"/next\" leads to what is no Node"));
  CHECK(ErrorOf<Links>(R"({"scores":[[{"$ref":"/items/0"},1]]})")
            .starts_with("scores[0][0]: the reference \"/items/0\" leads "
                         "nowhere (line 1, column 13)"));
}

TEST_CASE("json: the rules") {
  CHECK(ErrorOf<Item>(R"({"x":[{"y":"\u0041"}, 1e5, true], "name":"n"})",
                      {.ignore_unknown = true}) == "fine");
  // What is passed over has to be JSON all the same.
  for (const char* bad :
       {R"({"x":[01]})", R"({"x":tru})", R"({"x":"\q"})", R"({"x":{1:2}})",
        R"({"x":[1 2]})", R"({"x":{"a" 1}})", R"({"x":[1}})"}) {
    CAPTURE(bad);
    CHECK(ErrorOf<Item>(bad, {.ignore_unknown = true}) != "fine");
  }
  CHECK(ErrorOf<Item>(R"({"name":"n"})", {.require_fields = true})
            .starts_with("Item lacks its field the id"));
  CHECK(ErrorOf<Item>(R"({"name":"n","the id":1})", {.require_fields = true}) ==
        "fine");
  CHECK(ErrorOf<Item>(R"({"name":"a","name":"b"})", {.refuse_duplicates = true})
            .starts_with("name: the name is there twice"));
  CHECK(
      ErrorOf<Map<String, int>>(R"({"a":1,"a":2})", {.refuse_duplicates = true})
          .starts_with("[\"a\"]: the key is there twice"));
  CHECK(ErrorOf<Json>(R"({"a":{"b":1,"b":2}})", {.refuse_duplicates = true})
            .find("the name is there twice") != std::string::npos);
  CHECK(ErrorOf<Vector<int>>("[1,2,3]", {.max_bytes = 6})
            .starts_with("the text has 7 bytes, more than 6"));
  CHECK(ErrorOf<Vector<Item>>("[{},{},{},{}]", {.max_memory = 100})
            .starts_with("needs more than the 100 bytes"));
  CHECK(ErrorOf<Json>("[[[[1]]]]", {.max_depth = 4}) == "fine");
  CHECK(ErrorOf<Json>("[[[[[1]]]]]", {.max_depth = 4})
            .find("nests deeper than is allowed") != std::string::npos);
}

TEST_CASE("json: of members with one name the last counts, and nothing stays") {
  Arena arena;
  const JsonOr<Node*> read = FromJson<Node>(
      arena,
      R"({"id":1,"next":{"id":2,"next":{"$ref":"/kids/0"}},"kids":[{"id":5}],)"
      R"("named":{"x":{"id":8},"x":{"id":9},"y":{"$ref":"/kids/0"}},)"
      R"("next":{"$ref":"/kids/0"},"kids":[{"id":6},{"id":7}],"id":3})");
  REQUIRE_MESSAGE(read, read.error().text());
  CHECK(read->id == 3);
  CHECK(read->kids.size() == 2);
  CHECK(read->next == &read->kids[0]);
  CHECK(read->next->id == 6);
  CHECK((*read->named.get("x"))->id == 9);
  CHECK(*read->named.get("y") == &read->kids[0]);
  const JsonOr<Json*> any = FromJson<Json>(
      arena, R"({"a":[1,2,3],"b":0,"a":"last of them, a text"})");
  REQUIRE(any);
  CHECK(any->at("a").get<std::string_view>() == "last of them, a text");
  CHECK(any->size() == 2);
  arena.Free(*any);
  arena.Free(*read->named.get("x"));
  arena.Free(*read);
  CHECK(arena.stats().live() == 0);
}

// ---- defaults and keys

inline const Row* const kDefaultRow = &kRows[0];

struct Defaults {
  std::optional<std::int32_t> number = 5;
  std::optional<String> text;
  Json any = Json("default");
  Vector<std::int32_t> list;
  Map<String, std::int32_t> map;
  const Row* row = kDefaultRow;
  const std::int32_t fixed = 9;
};
ACRE_LAYOUT(Defaults, number, text, any, list, map, borrowed(row), fixed)

TEST_CASE("json: what the text has takes the place of defaults, null too") {
  Arena arena;
  const auto read = [&](const char* text) {
    const JsonOr<Defaults*> value = FromJson<Defaults>(arena, text);
    REQUIRE_MESSAGE(value, value.error().text());
    return *value;
  };
  const Defaults* const kept = read(R"({"fixed":1})");
  CHECK(kept->number == 5);
  CHECK(kept->any == "default");
  CHECK(kept->row == kDefaultRow);
  CHECK(kept->fixed == 9);
  const Defaults* const gone = read(R"({"number":null,"any":null,"row":null})");
  CHECK_FALSE(gone->number.has_value());
  CHECK(gone->any.is_null());
  CHECK(gone->row == nullptr);
  CHECK_FALSE(read(R"({"number":7,"number":null})")->number.has_value());
  CHECK(read(R"({"any":[1]})")->any[0].get<int>() == 1);
  CHECK(read(R"({"any":{"a":1}})")->any["a"].get<int>() == 1);
  CHECK(ErrorOf<Defaults>(R"({"list":null})") != "fine");
  CHECK(ErrorOf<Defaults>("{}", {.require_fields = true})
            .starts_with("Defaults lacks its field any"));
}

TEST_CASE("json: keys with texts of any length, and none that stays") {
  constexpr const char* kTexts[] = {
      R"(["a name of more than twenty-three bytes","b"])",
      R"(["a name of more than twenty-three bytes",)"
      R"("a name of more than twenty-three bytes"])"};
  CHECK(ErrorOf<Set<String>>(kTexts[0]) == "fine");
  CHECK(ErrorOf<Set<String>>(kTexts[1]) != "fine");
  CHECK(ErrorOf<Set<std::optional<String>>>(kTexts[0]) == "fine");
  CHECK(ErrorOf<Set<std::optional<String>>>(kTexts[1]) != "fine");
  using Choice = std::variant<std::int32_t, String>;
  CHECK(ErrorOf<Map<Choice, std::int32_t>>(
            R"([[{"text":"a name of more than twenty-three bytes"},1]])") ==
        "fine");
  using Pair = std::pair<String, std::int32_t>;
  CHECK(ErrorOf<Map<Pair, std::int32_t>>(
            R"([[["a name of more than twenty-three bytes",1],2]])") == "fine");
  CHECK(ErrorOf<Map<Pair, std::int32_t>>(
            R"([[["a name of more than twenty-three bytes",""],2]])") !=
        "fine");
}

template <class T>
struct Box {
  T value{};
};
template <class T>
ACRE_LAYOUT(Box<T>, value)

TEST_CASE("json: tags are the same with every compiler and in either mode") {
  Arena arena;
  auto& choice = *arena.New<std::variant<std::int32_t, Box<String>>>();
  choice.emplace<1>();
  CHECK(Text(ToJson(choice)) == R"({"Box":{"value":""}})");
}

}  // namespace
}  // namespace json_test
