// The strict JSON reader.
#include <algorithm>
#include <charconv>
#include <unordered_set>

#include "core/io/json.h"
#include "core/io/utf8.h"

namespace basin {
namespace {

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

}  // namespace

Json parse_json(std::string_view text) {
  JsonReader reader(text);
  Json value = reader.value();
  reader.end();
  return value;
}

JsonReader::JsonReader(std::string_view text) : text_(text) {
  const std::size_t bad = first_invalid_utf8(text);
  if (bad != std::string_view::npos) fail_at(bad, "invalid UTF-8");
}

void JsonReader::fail_at(std::size_t offset, const std::string& what) const {
  int line = 1, column = 1;
  for (const char c : text_.substr(0, offset)) {
    if (c == '\n') {
      ++line;
      column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {  // characters, not bytes
      ++column;
    }
  }
  throw JsonError("[json] line ", line, ", column ", column, ": ", what);
}

char JsonReader::peek() {
  while (at_ < text_.size() && std::string_view(" \t\n\r").find(text_[at_]) != std::string_view::npos) ++at_;
  return at_ < text_.size() ? text_[at_] : '\0';
}

void JsonReader::expect(char wanted, const char* what) {
  const char got = peek();
  if (at_ >= text_.size()) fail(text("expects ", what, ", the text ends"));
  if (got != wanted) {
    const std::size_t length = std::max<std::size_t>(utf8_length(text_, at_), 1);
    fail(text("expects ", what, ", got '", excerpt(text_.substr(at_, length)), "'"));
  }
  ++at_;
}

void JsonReader::begin_object() {
  expect('{', "an object");
  if (++depth_ > kMaxDepth) fail(text("nested more than ", kMaxDepth, " levels deep"));
  first_ = true;
}

void JsonReader::begin_array() {
  expect('[', "an array");
  if (++depth_ > kMaxDepth) fail(text("nested more than ", kMaxDepth, " levels deep"));
  first_ = true;
}

bool JsonReader::next_item(char close, const char* what) {
  if (peek() == close) {
    ++at_;
    --depth_;
    first_ = false;
    return false;
  }
  if (!first_) expect(',', what);
  first_ = false;
  return true;
}

bool JsonReader::next_member(std::string& key) {
  if (!next_item('}', "',' or '}'")) return false;
  key = string();
  expect(':', "':'");
  return true;
}

bool JsonReader::next_element() { return next_item(']', "',' or ']'"); }

std::string JsonReader::string() {
  expect('"', "a string");
  std::string out;
  while (true) {
    const std::size_t run = at_;
    while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\' &&
           static_cast<unsigned char>(text_[at_]) >= 0x20)
      ++at_;
    out.append(text_, run, at_ - run);
    if (at_ == text_.size()) fail("a string without its closing quote");
    if (text_[at_] == '"') break;
    if (text_[at_] != '\\') fail("a control character in a string; write it as an escape");
    ++at_;
    escape(out);
  }
  ++at_;
  return out;
}

void JsonReader::escape(std::string& out) {
  static constexpr std::string_view kNames = "\"\\/bfnrt", kValues = "\"\\/\b\f\n\r\t";
  const std::size_t backslash = at_ - 1;
  const char c = at_ < text_.size() ? text_[at_++] : '\0';
  const std::size_t simple = c == '\0' ? std::string_view::npos : kNames.find(c);
  if (simple != std::string_view::npos) {
    out += kValues[simple];
    return;
  }
  if (c != 'u') fail_at(backslash, "an unknown escape in a string");
  std::uint32_t code = hex4();
  if (code >= 0xD800 && code < 0xDC00 && text_.substr(at_, 2) == "\\u") {
    at_ += 2;
    const std::uint32_t low = hex4();
    if (low < 0xDC00 || low > 0xDFFF) fail_at(backslash, "half of a surrogate pair in a string");
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  } else if (code >= 0xD800 && code <= 0xDFFF) {
    fail_at(backslash, "half of a surrogate pair in a string");
  }
  append_utf8(out, code);
}

std::uint32_t JsonReader::hex4() {
  std::uint32_t code = 0;
  const std::string_view four = text_.substr(at_, 4);
  const auto [end, error] = std::from_chars(four.data(), four.data() + four.size(), code, 16);
  if (four.size() < 4 || error != std::errc() || end != four.data() + 4) fail("\\u expects four hex digits");
  at_ += 4;
  return code;
}

bool JsonReader::digits() {
  const std::size_t begin = at_;
  while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
  return at_ > begin;
}

Json JsonReader::number() {
  peek();
  const std::size_t begin = at_;
  const auto accept = [&](std::string_view set) {
    const bool found = at_ < text_.size() && set.find(text_[at_]) != std::string_view::npos;
    at_ += found;
    return found;
  };
  const bool negative = accept("-");
  const std::size_t leading = at_;
  if (!digits()) fail_at(begin, "expects a number");
  if (text_[leading] == '0' && at_ - leading > 1) fail_at(begin, "a number with a leading zero");
  bool whole = true;
  if (accept(".")) {
    whole = false;
    if (!digits()) fail("expects digits after the decimal point");
  }
  if (accept("eE")) {
    whole = false;
    accept("+-");
    if (!digits()) fail("expects digits in the exponent");
  }
  const std::string_view literal_text = text_.substr(begin, at_ - begin);
  const auto convert = [&](auto value) -> Json {
    const auto error =
        std::from_chars(literal_text.data(), literal_text.data() + literal_text.size(), value).ec;
    if (error != std::errc()) fail_at(begin, text("number ", excerpt(literal_text), " is out of range"));
    return value;
  };
  if (!whole || literal_text == "-0") return convert(double{});  // an integer has no -0
  return negative ? convert(std::int64_t{}) : convert(std::uint64_t{});
}

std::uint64_t JsonReader::natural() {
  peek();
  const std::size_t begin = at_;
  const Json value = number();
  try {
    return value.natural();
  } catch (const JsonError&) {
    fail_at(begin, "expects an integer of 0 or more");
  }
}

void JsonReader::literal(std::string_view word) {
  if (text_.substr(at_, word.size()) != word) fail("expects a value");
  at_ += word.size();
}

Json JsonReader::value() {
  switch (peek()) {
    case '{': {
      Json::Object members;
      std::unordered_set<std::string> seen;
      begin_object();
      for (std::string key; next_member(key);) {
        if (!seen.insert(key).second) fail(text("key \"", excerpt(key), "\" appears twice"));
        members.emplace_back(key, value());
      }
      return members;
    }
    case '[': {
      Json::Array elements;
      begin_array();
      while (next_element()) elements.push_back(value());
      return elements;
    }
    case '"':
      return string();
    case 't':
      literal("true");
      return true;
    case 'f':
      literal("false");
      return false;
    case 'n':
      literal("null");
      return {};
    default:
      if (at_ >= text_.size()) fail("expects a value, the text ends");
      if (text_[at_] != '-' && (text_[at_] < '0' || text_[at_] > '9')) fail("expects a value");
      return number();
  }
}

void JsonReader::end() {
  if (peek() != '\0' || at_ < text_.size()) fail("text after the end of the value");
}

}  // namespace basin
