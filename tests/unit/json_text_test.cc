// SPDX-License-Identifier: MIT
//
// Texts of JSON: the grammar, numbers exactly, files, lines, and memory that
// runs out.

#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "json_types.h"

namespace json_test {
namespace {

// ---- the grammar

TEST_CASE("json: what RFC 8259 allows, and what it does not") {
  for (const char* fine : {"null",
                           " true ",
                           "false\n",
                           "0",
                           "-0",
                           "-0.0e-0",
                           "1E+2",
                           "\"\"",
                           "[]",
                           "{}",
                           "[ ]",
                           "{ }",
                           "[1,2]",
                           "\t[\r\n1 ,\n2 ]",
                           R"({"":""})",
                           R"("\"\\\/\b\f\n\r\t\u00e4\uD83C\udf88")",
                           R"([[],{},"",0,null,true,false])",
                           "\"\x7F\"",
                           "\"\xF4\x8F\xBF\xBF\"",
                           "\xEF\xBB\xBF[1]",
                           "1e-400",
                           "0.00000000000000000000000000000000001",
                           "123456789012345678901234567890",
                           "[\"\\u0000\"]"}) {
    CAPTURE(fine);
    CHECK(ErrorOf<Json>(fine) == "fine");
  }
  for (const char* bad : {"",
                          " ",
                          "nul",
                          "nullx",
                          "True",
                          "tru",
                          "[1,]",
                          "[,1]",
                          "[1 2]",
                          "[1",
                          "1]",
                          "{\"a\"}",
                          "{\"a\":}",
                          "{\"a\":1,}",
                          "{a:1}",
                          "{1:2}",
                          "{\"a\" 1}",
                          "{\"a\":1 \"b\":2}",
                          "[1}",
                          "{\"a\":1]",
                          "01",
                          "-01",
                          "+1",
                          ".5",
                          "1.",
                          "1.e1",
                          "1e",
                          "1e+",
                          "-",
                          "--1",
                          "0x10",
                          "1_000",
                          "NaN",
                          "Infinity",
                          "'a'",
                          "\"a",
                          "\"a\" \"b\"",
                          "\"a\"b",
                          "1 2",
                          "[] []",
                          "\"\\x\"",
                          "\"\\u12\"",
                          "\"\\u12g4\"",
                          "\"\\ud800\"",
                          "\"\\ud800x\"",
                          "\"\\ud800\\u0041\"",
                          "\"\\udc00\"",
                          "\"\\ud800\\ud800\"",
                          "\"\n\"",
                          "\"\t\"",
                          "\"\x01\"",
                          "\"\xFF\"",
                          "\"\xC0\x80\"",
                          "\"\xED\xA0\x80\"",
                          "\"\xE4\"",
                          "\xEF\xBB",
                          "[1]\x01",
                          "1\x0B",
                          "[1\x0C,2]",
                          "1e400",
                          "-1e400",
                          "//x\n1",
                          "[1,/**/2]",
                          "{\"a\":1}}",
                          "[[1]"}) {
    CAPTURE(bad);
    const std::string error = ErrorOf<Json>(bad);
    CHECK(error != "fine");
    CHECK(error.find("(line ") != std::string::npos);
    CHECK(error.find("the parser refuses") == std::string::npos);
    CHECK(ErrorOf<Vector<int>>(bad) != "fine");
    CHECK(ErrorOf<double>(bad) != "fine");
  }
  CHECK(ErrorOf<Json>("{\"a\":[1,\n  2,,3]}") ==
        "a[2]: expected a value (line 2, column 5)");
  CHECK(ErrorOf<Json>(std::string_view("[1\0]", 4)) != "fine");
}

TEST_CASE("json: a damaged text is refused, or is another one") {
  Arena arena;
  All& all = *arena.New<All>();
  Fill(all, arena);
  const std::string text = Text(ToJson(all));
  std::mt19937 random(11);
  const std::string_view kBytes = "{}[]\",:0123456789.eE-+\\utrue nf\x01\xFF";
  acre::JsonReader reader;
  for (std::size_t cut = 0; cut < text.size(); cut += acre::kChecked ? 17 : 1) {
    Arena other;
    CHECK_FALSE(reader.Read<All>(other, std::string_view(text).substr(0, cut)));
    CHECK(other.stats().live() == 0);
  }
  for (int i = 0; i < Scaled(20000, 1000); ++i) {
    std::string damaged = text;
    for (unsigned n = 1 + random() % 3; n != 0; --n) {
      const std::size_t at = random() % damaged.size();
      const char byte = kBytes[random() % kBytes.size()];
      switch (random() % 3) {
        case 0:
          damaged[at] = byte;
          break;
        case 1:
          damaged.insert(at, 1, byte);
          break;
        default:
          damaged.erase(at, 1);
      }
    }
    Arena other;
    const JsonOr<Json*> any = reader.Read<Json>(other, damaged);
    const JsonOr<All*> read = reader.Read<All>(other, damaged);
    CAPTURE(damaged);
    if (read) CHECK(any);
    if (!any) CHECK(any.error().line >= 1);
    if (!read) CHECK(read.error().line >= 1);
  }
}

// ---- numbers

TEST_CASE("json: integers to their edges, however they are written") {
  Arena arena;
  const auto read = [&]<class T>(const char* text, T expected) {
    CAPTURE(text);
    const JsonOr<T*> value = FromJson<T>(arena, text);
    REQUIRE_MESSAGE(value, value.error().text());
    CHECK(**value == expected);
  };
  read("9223372036854775807", std::numeric_limits<std::int64_t>::max());
  read("-9223372036854775808", std::numeric_limits<std::int64_t>::min());
  read("18446744073709551615", std::numeric_limits<std::uint64_t>::max());
  read("-128", std::int8_t{-128});
  read("-0", std::int32_t{0});
  read("1e3", std::int32_t{1000});
  read("12.0", std::uint8_t{12});
  read("9007199254740991.0", std::int64_t{9007199254740991});
  CHECK(ErrorOf<std::int64_t>("9223372036854775808") != "fine");
  CHECK(ErrorOf<std::int64_t>("-9223372036854775809") != "fine");
  // By their digits, however they are written.
  read("9007199254740993.0", std::int64_t{9007199254740993});
  read("1e18", std::int64_t{1000000000000000000});
  read("9223372036854775807.000", std::numeric_limits<std::int64_t>::max());
  read("-92233720368547758.08E2", std::numeric_limits<std::int64_t>::min());
  read("1.8446744073709551615e19", std::numeric_limits<std::uint64_t>::max());
  read("0e999999", std::int32_t{0});
  for (const char* none :
       {"1e-400", "1.00000000000000000000000001", "0.99999999999999999999999",
        "4503599627370496.5000000000000000001", "1e19", "1e-1", "1e999999"}) {
    CAPTURE(none);
    CHECK(ErrorOf<std::int64_t>(none) != "fine");
  }
  CHECK(ErrorOf<std::uint64_t>("-1") != "fine");
}

TEST_CASE("json: floats are rounded once") {
  Arena arena;
  const JsonOr<float*> read =
      FromJson<float>(arena, "1.00000005960464477539062500000000000000000001");
  REQUIRE(read);
  CHECK(**read == std::nextafter(1.0F, 2.0F));
  CHECK_FALSE(Json(1e300).get_if<float>().has_value());
}

TEST_CASE("json: every double is the one nearest to its text") {
  std::mt19937_64 random(20261130);
  const auto digits = [&](std::uint64_t count) {
    std::string text;
    while (count-- != 0) text += static_cast<char>('0' + random() % 10);
    return text;
  };
  const int count = Scaled(1000000, 40000);
  acre::JsonReader reader;
  constexpr int kBatch = 1000;
  for (int done = 0; done < count; done += kBatch) {
    std::string text = "[";
    std::vector<double> expected;
    for (int i = 0; i < kBatch; ++i) {
      std::string number;
      char room[80];
      switch (random() % 8) {
        case 0: {
          const auto value = std::bit_cast<double>(random());
          std::snprintf(room, sizeof room, "%.17g",
                        std::isfinite(value) ? value : 1.0);
          number = room;
          break;
        }
        case 1:
          number = "0." + digits(1 + random() % 45);
          break;
        case 2:
          number = std::to_string(random() >> random() % 64);
          break;
        case 3:
          number = "-" + std::to_string(random() % 1000) + "." +
                   digits(1 + random() % 20) + "E" +
                   std::to_string(static_cast<int>(random() % 640) - 330);
          break;
        case 4:
          number = std::to_string(1 + random() % 9) + digits(random() % 40);
          break;
        case 5: {  // half-way between two doubles
          const auto low =
              static_cast<double>(random() >> (11 + random() % 40));
          const double high = std::nextafter(low, 1e300);
          std::snprintf(room, sizeof room, "%.50g", (low + high) / 2);
          number = room;
          break;
        }
        case 6:
          std::snprintf(room, sizeof room, "%.55f",
                        static_cast<double>(random() % 1000) / 10);
          number = room;
          break;
        default:
          number = "-0";
      }
      const double value = std::strtod(number.c_str(), nullptr);
      if (!std::isfinite(value)) continue;
      expected.push_back(value);
      text += (expected.size() == 1 ? "" : ",") + number;
    }
    text += ']';
    Arena arena;
    const JsonOr<Vector<double>*> read =
        reader.Read<Vector<double>>(arena, text);
    REQUIRE_MESSAGE(read, read.error().text());
    REQUIRE((*read)->size() == expected.size());
    CHECK(std::memcmp((*read)->data(), expected.data(),
                      expected.size() * sizeof(double)) == 0);
  }
}

// ---- files, lines, memory

TEST_CASE("json: files, pipes, and files that are not there") {
  Arena arena;
  char path[] = "/tmp/acre-json-XXXXXX";
  const int file = mkstemp(path);
  REQUIRE(file >= 0);
  std::string text = "[";
  for (int i = 0; i < 50000; ++i) text += "1234,";
  text += "5]";
  std::FILE* const out = fdopen(file, "wb");
  std::fwrite(text.data(), 1, text.size(), out);
  std::fclose(out);
  const JsonOr<Vector<int>*> read = acre::ReadJson<Vector<int>>(arena, path);
  REQUIRE_MESSAGE(read, read.error().text());
  CHECK((*read)->size() == 50001);
  CHECK(acre::ReadJson<Vector<int>>(arena, path, {.max_bytes = 1000})
            .error()
            .text()
            .find("is larger than is allowed") != std::string::npos);
  std::remove(path);
  CHECK(acre::ReadJson<Vector<int>>(arena, path).error().text() ==
        std::string(path) + ": No such file or directory");
}

TEST_CASE("json: many lines by one reader, the arena reset between") {
  acre::JsonReader reader;
  Arena arena;
  std::string lines;
  acre::JsonWriter writer(lines);
  for (int i = 0; i < 300; ++i) {
    arena.Reset();
    Item& item = *arena.New<Item>();
    item.id = i;
    item.name = std::string(static_cast<std::size_t>(i), 'x');
    CHECK_FALSE(acre::WriteJson(item, writer));
    writer.EndLine();
  }
  writer.Flush();
  std::string_view rest(lines);
  for (int i = 0; i < 300; ++i) {
    const std::size_t end = rest.find('\n');
    arena.Reset();
    const JsonOr<Item*> item = reader.Read<Item>(arena, rest.substr(0, end));
    REQUIRE_MESSAGE(item, item.error().text());
    CHECK(item->id == i);
    CHECK(item->name.size() == static_cast<std::size_t>(i));
    rest.remove_prefix(end + 1);
  }
}

TEST_CASE("json: where memory runs out nothing stays") {
  Arena whole;
  All& all = *whole.New<All>();
  Fill(all, whole);
  const std::string text = Text(ToJson(all));
  bool was_enough = false;
  for (std::size_t limit = 256; !was_enough; limit += 128) {
    REQUIRE(limit < 100000);
    Arena arena({.source = &acre::MallocSource::Instance(),
                 .first_chunk = 256,
                 .max_chunk = 256,
                 .byte_limit = limit});
    try {
      const JsonOr<All*> read = FromJson<All>(arena, text);
      REQUIRE_MESSAGE(read, read.error().text());
      was_enough = true;
    } catch (const acre::OutOfMemory&) {
      CHECK(arena.stats().live() == 0);
    }
  }
}

}  // namespace
}  // namespace json_test
