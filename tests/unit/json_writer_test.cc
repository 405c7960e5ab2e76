// SPDX-License-Identifier: MIT
//
// JsonWriter: what stands where, numbers that read back, texts of any bytes.

#include <acre/enum_names.h>
#include <acre/json_writer.h>
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <sstream>
#include <string>

#include "support/scaled.h"

namespace acre {
namespace {

/// What `write` writes.
template <class Write>
std::string Written(Write write, const JsonStyle& style = {}) {
  std::string text;
  {
    JsonWriter json(text, style);
    write(json);
  }
  return text;
}

template <class T>
std::string One(const T& value, const JsonStyle& style = {}) {
  return Written([&](JsonWriter& json) { json.Value(value); }, style);
}

void WriteSome(JsonWriter& json) {
  json.BeginObject();
  json.Field("name", "Ann");
  json.Key("scores");
  json.BeginArray();
  json.Value(1);
  json.Value(-2.5);
  json.BeginArray();
  json.EndArray();
  json.EndArray();
  json.PlainKey("none");
  json.BeginObject();
  json.EndObject();
  json.PlainKey("nothing");
  json.Null();
  json.EndObject();
}

TEST_CASE("json: commas, keys and brackets, in one line or in many") {
  CHECK(Written(WriteSome) ==
        R"({"name":"Ann","scores":[1,-2.5,[]],"none":{},"nothing":null})");
  CHECK(Written(WriteSome, {.indent = 2}) == R"({
  "name": "Ann",
  "scores": [
    1,
    -2.5,
    []
  ],
  "none": {},
  "nothing": null
})");
  CHECK(Written([](JsonWriter& json) {
          json.Value(1);
          json.EndLine();
          json.BeginArray();
          json.Word("true");
          json.EndArray();
          json.EndLine();
        }) == "1\n[true]\n");
}

TEST_CASE("json: integers to their edges, addresses") {
  CHECK(One(std::numeric_limits<std::int64_t>::min()) ==
        "-9223372036854775808");
  CHECK(One(std::numeric_limits<std::uint64_t>::max()) ==
        "18446744073709551615");
  CHECK(One(true) == "true");
  CHECK(One(static_cast<const void*>(nullptr)) == "null");
  CHECK(One(reinterpret_cast<const void*>(std::uintptr_t{0x7f00})) ==
        R"("0x7f00")");
  std::uint64_t power = 1;
  for (int digits = 1; digits <= 19; ++digits, power *= 10) {
    for (const std::uint64_t value : {power - 1, power, power + 1}) {
      CHECK(One(value) == std::to_string(value));
      CHECK(One(-static_cast<std::int64_t>(value)) ==
            std::to_string(-static_cast<std::int64_t>(value)));
    }
  }
}

TEST_CASE("json: doubles look as in JavaScript, whole ones as doubles") {
  const struct {
    double value;
    const char* text;
  } kCases[] = {{0.0, "0.0"},
                {-0.0, "-0.0"},
                {1, "1.0"},
                {-1.5, "-1.5"},
                {0.1, "0.1"},
                {123456789.123, "123456789.123"},
                {1e9, "1000000000.0"},
                {0.1 + 0.2, "0.30000000000000004"},
                {1e20, "100000000000000000000.0"},
                {123456789012345680000.0, "123456789012345680000.0"},
                {1e21, "1e+21"},
                {1e22, "1e+22"},
                {0.000001, "0.000001"},
                {0.0000015, "0.0000015"},
                {0.00000015, "1.5e-7"},
                {9007199254740993.0, "9007199254740992.0"},
                {1234567890123456.7, "1234567890123456.8"},
                {5e-324, "5e-324"},
                {2.2250738585072014e-308, "2.2250738585072014e-308"},
                {1.7976931348623157e308, "1.7976931348623157e+308"}};
  for (const auto& each : kCases) CHECK(One(each.value) == each.text);
  CHECK(One(0.1F) == "0.1");
  CHECK(One(3.0F) == "3.0");
  CHECK(One(std::numeric_limits<float>::max()) == "3.4028235e+38");
}

TEST_CASE("json: every double reads back, and no shorter text would") {
  std::mt19937_64 random(20261129);
  const int count = acre_test::Scaled(200000, 20000);
  for (int i = 0; i < count; ++i) {
    double value = 0;
    switch (i % 4) {
      case 0:  // any bits
        value = std::bit_cast<double>(random());
        break;
      case 1:  // powers of two and their neighbours
        value = std::bit_cast<double>(
            std::bit_cast<std::uint64_t>(
                std::ldexp(1.0, static_cast<int>(random() % 2097) - 1073)) +
            random() % 3 - 1);
        break;
      case 2:  // prices, coordinates
        value = std::round(static_cast<double>(random() % 2000000000)) /
                std::pow(10, static_cast<double>(random() % 10));
        break;
      default:
        value = static_cast<double>(static_cast<std::int64_t>(random())) /
                static_cast<double>(random() % 1000 + 1);
    }
    if (!std::isfinite(value)) continue;
    const std::string text = One(value);
    CAPTURE(text);
    const double back = std::strtod(text.c_str(), nullptr);
    REQUIRE(std::bit_cast<std::uint64_t>(back) ==
            std::bit_cast<std::uint64_t>(value));
    int digits = 0;
    for (int most = 1; most <= 17; ++most) {
      char shorter[40];
      std::snprintf(shorter, sizeof shorter, "%.*e", most - 1, value);
      if (std::strtod(shorter, nullptr) == value) {
        digits = most;
        break;
      }
    }
    // Digits of ours: between the first and the last that is no zero.
    std::string only;
    for (const char c : text.substr(0, text.find('e'))) {
      if (c >= '0' && c <= '9' && (c != '0' || !only.empty())) only += c;
    }
    while (only.size() > 1 && only.back() == '0') only.pop_back();
    if (value != 0) REQUIRE(static_cast<int>(only.size()) <= digits);
  }
}

TEST_CASE("json: NaN and infinities are an error, null or text") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  std::string text;
  {
    JsonWriter json(text);
    json.Value(nan);
    CHECK(json.error() == JsonWriteError::kNotFinite);
  }
  CHECK(text == "null");
  CHECK(One(-infinity, {.not_finite = JsonNotFinite::kNull}) == "null");
  CHECK(One(nan, {.not_finite = JsonNotFinite::kText}) == R"("NaN")");
  CHECK(One(-infinity, {.not_finite = JsonNotFinite::kText}) ==
        R"("-Infinity")");
  CHECK(One(static_cast<float>(infinity),
            {.not_finite = JsonNotFinite::kText}) == R"("Infinity")");
}

TEST_CASE("json: texts are escaped where they have to be") {
  CHECK(One("say \"hi\" \\ to\n\t\r\b\f\x01 me") ==
        R"("say \"hi\" \\ to\n\t\r\b\f\u0001 me")");
  CHECK(One(std::string_view("a\0b", 3)) == R"("a\u0000b")");
  CHECK(One(std::string_view()) == R"("")");
  CHECK(One("\x7F") == R"("\u007f")");
  CHECK(One("</script>&") == R"("</script>&")");
  CHECK(One("</script>&", {.in_script = true}) ==
        R"("\u003c/script\u003e\u0026")");
  CHECK(One("Grüße, 世界 🎈") == "\"Grüße, 世界 🎈\"");
  // At every place of a word, and around the writer's own room.
  for (std::size_t length = 0; length < 40; ++length) {
    for (std::size_t at = 0; at < length; ++at) {
      std::string plain(length, 'x');
      plain[at] = '"';
      std::string quoted = plain;
      quoted.insert(at, "\\");
      CHECK(One(plain) == '"' + quoted + '"');
    }
  }
  for (std::size_t length = 900; length < 2100; length += 7) {
    const std::string plain(length, 'y');
    CHECK(One(plain + "\n") == '"' + plain + "\\n\"");
  }
}

TEST_CASE("json: bytes that are no UTF-8 are replaced, shown or refused") {
  const std::string_view text = "a\xFFz\xC3";
  CHECK(One(text) == "\"a\xEF\xBF\xBDz\xEF\xBF\xBD\"");
  CHECK(One(text, {.bytes = JsonBytes::kShow}) == R"("a\\xffz\\xc3")");
  std::string out;
  JsonWriter json(out, {.bytes = JsonBytes::kRefuse});
  json.Value("fine");
  CHECK(json.error() == JsonWriteError::kNone);
  json.Value(text);
  CHECK(json.error() == JsonWriteError::kNotUtf8);
  // Overlong, surrogates, beyond Unicode.
  for (const char* bad : {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80"}) {
    CHECK(One(bad).find("\xEF\xBF\xBD") != std::string::npos);
  }
}

TEST_CASE("json: into streams and files; what they do not take is an error") {
  std::ostringstream stream;
  {
    JsonWriter json(stream);
    WriteSome(json);
  }
  CHECK(stream.str() == Written(WriteSome));

  std::FILE* const file = std::tmpfile();
  REQUIRE(file != nullptr);
  {
    JsonWriter json(*file);
    WriteSome(json);
  }
  CHECK(std::ftell(file) == static_cast<long>(stream.str().size()));
  std::fclose(file);

  const JsonSink full{[](void*, const char*, std::size_t) { return false; },
                      nullptr};
  JsonWriter json(full);
  json.Value(std::string(5000, 'x'));
  json.Flush();
  CHECK(json.error() == JsonWriteError::kSink);
}

enum class Color : std::uint8_t { kRed, kGreen, kBlue = 200 };
ACRE_ENUM(Color, kRed, enum_name(kGreen, "green"), kBlue)
enum Plain : int { kNo = -1, kYes = 1, kAlso = 1 };
ACRE_ENUM(Plain, kNo, kYes, kAlso)
enum class Nameless { kOne };

TEST_CASE("enumerations have names, in both directions") {
  static_assert(EnumName(Color::kRed) == "kRed");
  static_assert(EnumValue<Color>("green") == Color::kGreen);
  CHECK(EnumName(Color::kBlue) == "kBlue");
  CHECK(EnumName(static_cast<Color>(77)).empty());
  CHECK_FALSE(EnumValue<Color>("kGreen").has_value());
  CHECK(EnumName(kNo) == "kNo");
  CHECK(EnumName(kAlso) == "kYes");
  CHECK(EnumValue<Plain>("kAlso") == kYes);
  static_assert(NamedEnum<Color> && !NamedEnum<Nameless> && !NamedEnum<int>);
}

}  // namespace
}  // namespace acre
