// JSON: exact numbers, kept order, strict reading with line and column, writing that reads back as the same
// value.
#include "core/io/json.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/io/utf8.h"
#include "core/random.h"

namespace basin {
namespace {

std::string error_of(std::string_view text) {
  try {
    parse_json(text);
  } catch (const JsonError& e) {
    CHECK(e.code() == ExitCode::data);
    return e.what();
  }
  return "(no error)";
}

bool contains(const std::string& whole, std::string_view part) {
  return whole.find(part) != std::string::npos;
}

TEST_CASE("json: objects keep the order of insertion, set replaces in place") {
  Json j;
  j.set("step", 12).set("loss", 0.1).set("done", false).set("note", "a\"b\\c\n\x01").set("none", Json());
  j.set("step", 13);
  CHECK(j.compact() == R"({"step":13,"loss":0.1,"done":false,"note":"a\"b\\c\n\u0001","none":null})");
  CHECK(parse_json(j.compact()) == j);
  CHECK(j.at("step").integer() == 13);
  CHECK(j.find("other") == nullptr);
  CHECK_THROWS_WITH_AS(j.at("other"), "[json] member \"other\" is missing", JsonError);
  CHECK_THROWS_WITH_AS(j.at("note").integer(), "[json] expects an integer, got a string", JsonError);
}

TEST_CASE("json: the indented form") {
  Json j;
  j.set("shape", Json::Array{2, 3}).set("rows", Json::Array{Json::Array{1}, Json::Object{{"a", "b"}}});
  j.set("empty", Json::Object{}).set("none", Json::Array{});
  const char* expected = R"({
  "shape": [2, 3],
  "rows": [
    [1],
    {
      "a": "b"
    }
  ],
  "empty": {},
  "none": []
})";
  CHECK(j.indented() == expected);
  CHECK(parse_json(j.indented()) == j);
}

TEST_CASE("json: integers of 64 bits are exact, and stay integers") {
  for (const std::int64_t i : {std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min(),
                               std::numeric_limits<std::int64_t>::max(), (std::int64_t{1} << 53) + 1})
    CHECK(parse_json(Json(i).compact()).integer() == i);
  const std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
  CHECK(parse_json("18446744073709551615").natural() == largest);
  CHECK(Json(largest).compact() == "18446744073709551615");
  CHECK(Json(std::uint64_t{7}) == Json(7));
  CHECK_THROWS_AS(Json(largest).integer(), JsonError);
  CHECK_THROWS_AS(Json(-1).natural(), JsonError);
  CHECK_THROWS_AS(Json(1.0).integer(), JsonError);
  CHECK(Json(1 << 30).number() == 1073741824.0);
  CHECK_THROWS_AS(Json((std::int64_t{1} << 53) + 1).number(), JsonError);
  CHECK_THROWS_AS(Json(std::numeric_limits<std::int64_t>::max()).number(), JsonError);
  CHECK_THROWS_AS(Json(largest).number(), JsonError);
}

TEST_CASE("json: a double reads back as the same bits, and stays a double") {
  const auto round_trip = [](double d) {
    const Json back = parse_json(Json(d).compact());
    CHECK(std::bit_cast<std::uint64_t>(back.number()) == std::bit_cast<std::uint64_t>(d));
    CHECK(back == Json(d));
  };
  for (const double d : {0.0, -0.0, 1.0, 0.1, 1e22, 1e23, 123456789012345680.0, 5e-324,
                         2.2250738585072014e-308, std::numeric_limits<double>::max()})
    round_trip(d);
  Random random(1, Stream::user);
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t high = random.bits();
    const double d = std::bit_cast<double>(high << 32 | random.bits());
    if (std::isfinite(d)) round_trip(d);
  }
  CHECK(Json(1.0).compact() == "1.0");
  CHECK(Json(0.1).compact() == "0.1");
}

TEST_CASE("json: numbers that JSON lacks are records in words") {
  const double inf = std::numeric_limits<double>::infinity();
  CHECK_THROWS_AS(Json(inf).compact(), ArgumentError);
  CHECK(recorded(inf).compact() == "\"inf\"");
  CHECK(recorded(-inf).compact() == "\"-inf\"");
  CHECK(recorded(std::nan("")).compact() == "\"nan\"");
  for (const double d : {inf, -inf, 0.25}) CHECK(recorded_number(recorded(d)) == d);
  CHECK(std::isnan(recorded_number(recorded(std::nan("")))));
  CHECK_THROWS_AS(recorded_number("1.0"), JsonError);
  CHECK(recorded({0.5, -inf}).compact() == "[0.5,\"-inf\"]");
  CHECK(recorded_numbers(recorded({0.5, -inf})) == std::vector<double>{0.5, -inf});
}

TEST_CASE("json: what is not JSON is refused, with line and column") {
  CHECK(error_of("{\"a\": 1,\n  \"b\": x}") == "[json] line 2, column 8: expects a value");
  CHECK(error_of("") == "[json] line 1, column 1: expects a value, the text ends");
  CHECK(error_of("{\"a\": 1") == "[json] line 1, column 8: expects ',' or '}', the text ends");
  CHECK(error_of("[1 2]") == "[json] line 1, column 4: expects ',' or ']', got '2'");
  CHECK(error_of("[\"\xC3\xA4\" 2]") == "[json] line 1, column 6: expects ',' or ']', got '2'");
  CHECK(error_of("{\"a\":1,\"b\":2,\"a\":3}") == "[json] line 1, column 18: key \"a\" appears twice");
  for (const char* bad : {"{\"a\":1,}",
                          "[1,]",
                          "[,1]",
                          "{,}",
                          "{a:1}",
                          "{\"a\" 1}",
                          "{1:2}",
                          "01",
                          "-",
                          "1.",
                          ".5",
                          "1e",
                          "+1",
                          "0x10",
                          "1e999",
                          "1e-999",
                          "18446744073709551616",
                          "-9223372036854775809",
                          "nan",
                          "NaN",
                          "Infinity",
                          "tru",
                          "nul",
                          "// c\n1",
                          "1 2",
                          "'a'",
                          "\"a",
                          "\"\\q\"",
                          "\"\\u12\"",
                          "\"\\u-123\"",
                          "\"\\ud800\"",
                          "\"\\udc00\"",
                          "\"\\ud800\\u0041\"",
                          "\"a\nb\"",
                          "]",
                          "}",
                          "[}",
                          "{]",
                          "\xEF\xBB\xBF{}",
                          "\"\xFF\"",
                          "\"\xC0\xAF\"",
                          "\"\xED\xA0\x80\""}) {
    CAPTURE(bad);
    CHECK(contains(error_of(bad), "[json] line "));
  }
  CHECK(contains(error_of(std::string_view("1\0", 2)), "after the end"));
  CHECK(contains(error_of(std::string_view("\0", 1)), "expects a value"));
}

TEST_CASE("json: nesting has a limit, and a deep text does not overflow the stack") {
  const auto nested = [](std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
  CHECK_NOTHROW(parse_json(nested(JsonReader::kMaxDepth)));
  CHECK(contains(error_of(nested(JsonReader::kMaxDepth + 1)), "levels deep"));
  CHECK(contains(error_of(std::string(200'000, '[')), "levels deep"));
  std::string objects;
  for (int i = 0; i < 200'000; ++i) objects += "{\"a\":";
  CHECK(contains(error_of(objects), "levels deep"));
}

TEST_CASE("json: strings are UTF-8") {
  CHECK(parse_json(R"("\u00e4\u20ac\ud83d\ude00\/\b\f\n\r\t\u0000")").string() ==
        std::string("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80/\b\f\n\r\t\0", 16));
  CHECK(Json("\xC3\xA4").compact() == "\"\xC3\xA4\"");
  CHECK(Json("a\xFFz").compact() == "\"a\xEF\xBF\xBDz\"");  // what cannot be written is marked
  CHECK(is_utf8("\xF4\x8F\xBF\xBF"));
  CHECK_FALSE(is_utf8("\xF4\x90\x80\x80"));
  CHECK_FALSE(is_utf8("\xE2\x82"));
  CHECK_FALSE(is_utf8("\x80"));
}

TEST_CASE("json: every prefix of a text is refused, every byte changed is read or refused") {
  const std::string whole =
      R"({"a":[1,-2.5e3,"x\u0041"],"b":{"c":null,"d":[true,false]},"e":18446744073709551615})";
  CHECK(parse_json(whole).compact().size() > 0);
  for (std::size_t n = 0; n < whole.size(); ++n) CHECK(error_of(whole.substr(0, n)) != "(no error)");
  int refused = 0;
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (int value = 0; value < 256; ++value) {
      std::string changed = whole;
      changed[at] = static_cast<char>(value);
      try {
        const Json j = parse_json(changed);
        CHECK(parse_json(j.compact()) == j);
      } catch (const JsonError&) {
        ++refused;
      }
    }
  CHECK(refused > 1000);
}

TEST_CASE("json: the reader without a tree") {
  const std::string source = R"( {"a": [1, 2], "b": "x", "c": {}} )";
  JsonReader reader(source);
  std::string keys;
  std::uint64_t sum = 0;
  reader.begin_object();
  for (std::string key; reader.next_member(key);) {
    keys += key;
    if (key == "a") {
      reader.begin_array();
      while (reader.next_element()) sum += reader.natural();
    } else if (key == "b") {
      CHECK(reader.string() == "x");
    } else {
      CHECK(reader.value() == Json(Json::Object{}));
    }
  }
  reader.end();
  CHECK(keys == "abc");
  CHECK(sum == 3);

  JsonReader negative("-1"), fraction("1.5"), word("\"1\"");
  CHECK_THROWS_AS(negative.natural(), JsonError);
  CHECK_THROWS_AS(fraction.natural(), JsonError);
  CHECK_THROWS_AS(word.natural(), JsonError);
}

}  // namespace
}  // namespace basin
