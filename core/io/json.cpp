// The JSON value and its writer.
#include "core/io/json.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <type_traits>

#include "core/io/utf8.h"

namespace basin {
namespace {

void write_string(std::string& out, std::string_view s) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (std::size_t at = 0; at < s.size();) {
    const std::size_t length = utf8_length(s, at);
    const char c = s[at];
    if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else if (length > 1) {
      out.append(s, at, length);
    } else if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += {kHex[c >> 4], kHex[c & 15]};
    } else {
      out += c;
    }
    at += length == 0 ? 1 : length;
  }
  out += '"';
}

template <class Number>
void write_number(std::string& out, Number value) {
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, end);
  if constexpr (std::is_floating_point_v<Number>)  // 1.0, not 1: a double stays a double
    if (std::string_view(buffer, end).find_first_of(".e") == std::string_view::npos) out += ".0";
}

void new_line(std::string& out, int indent) {
  out += '\n';
  out.append(2 * static_cast<std::size_t>(indent), ' ');
}

}  // namespace

void Json::set_unsigned(std::uint64_t value) {
  if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    value_ = static_cast<std::int64_t>(value);
  else
    value_ = value;
}

const char* Json::kind() const {
  static constexpr const char* kKinds[] = {"null",     "a boolean", "an integer", "an integer",
                                           "a number", "a string",  "an array",   "an object"};
  return kKinds[value_.index()];
}

bool Json::boolean() const {
  if (const auto* b = std::get_if<bool>(&value_)) return *b;
  throw JsonError("[json] expects true or false, got ", kind());
}

std::int64_t Json::integer() const {
  if (const auto* i = std::get_if<std::int64_t>(&value_)) return *i;
  if (const auto* u = std::get_if<std::uint64_t>(&value_))
    throw JsonError("[json] expects an integer below 2^63, got ", *u);
  throw JsonError("[json] expects an integer, got ", kind());
}

std::uint64_t Json::natural() const {
  if (const auto* u = std::get_if<std::uint64_t>(&value_)) return *u;
  const std::int64_t i = integer();
  if (i < 0) throw JsonError("[json] expects an integer of 0 or more, got ", i);
  return static_cast<std::uint64_t>(i);
}

double Json::number() const {
  if (const auto* d = std::get_if<double>(&value_)) return *d;
  const auto exactly = [](auto integer) {
    const double d = static_cast<double>(integer);
    // 2^63 and 2^64 themselves cannot come back, so compare below them only.
    if (d < std::ldexp(1.0, std::numeric_limits<decltype(integer)>::digits) &&
        static_cast<decltype(integer)>(d) == integer)
      return d;
    throw JsonError("[json] expects a number that a double holds, got ", integer);
  };
  if (const auto* i = std::get_if<std::int64_t>(&value_)) return exactly(*i);
  if (const auto* u = std::get_if<std::uint64_t>(&value_)) return exactly(*u);
  throw JsonError("[json] expects a number, got ", kind());
}

const std::string& Json::string() const {
  if (const auto* s = std::get_if<std::string>(&value_)) return *s;
  throw JsonError("[json] expects a string, got ", kind());
}

const Json::Array& Json::array() const {
  if (const auto* a = std::get_if<Array>(&value_)) return *a;
  throw JsonError("[json] expects an array, got ", kind());
}

const Json::Object& Json::object() const {
  if (const auto* o = std::get_if<Object>(&value_)) return *o;
  throw JsonError("[json] expects an object, got ", kind());
}

const Json* Json::find(std::string_view key) const {
  for (const auto& [name, value] : object())
    if (name == key) return &value;
  return nullptr;
}

const Json& Json::at(std::string_view key) const {
  if (const Json* value = find(key)) return *value;
  throw JsonError("[json] member \"", key, "\" is missing");
}

Json& Json::set(std::string_view key, Json value) {
  if (is_null()) value_ = Object{};
  if (const Json* old = find(key))
    *const_cast<Json*>(old) = std::move(value);
  else
    std::get<Object>(value_).emplace_back(key, std::move(value));
  return *this;
}

Json& Json::append(Json value) {
  if (is_null()) value_ = Array{};
  array();  // throws for another kind
  std::get<Array>(value_).push_back(std::move(value));
  return *this;
}

void Json::write(std::string& out, int indent) const {
  const auto inner = indent < 0 ? -1 : indent + 1;
  const auto write_value = [&](const auto& v) {
    using T = std::decay_t<decltype(v)>;
    if constexpr (std::is_same_v<T, std::monostate>) {
      out += "null";
    } else if constexpr (std::is_same_v<T, bool>) {
      out += v ? "true" : "false";
    } else if constexpr (std::is_same_v<T, double>) {
      if (!std::isfinite(v))
        throw ArgumentError("[json] JSON has no ", v, "; use recorded() for such numbers");
      write_number(out, v);
    } else if constexpr (std::is_arithmetic_v<T>) {
      write_number(out, v);
    } else if constexpr (std::is_same_v<T, std::string>) {
      write_string(out, v);
    } else if constexpr (std::is_same_v<T, Array>) {
      bool lines = false;
      for (const Json& element : v) lines = lines || element.is_array() || element.is_object();
      lines = lines && indent >= 0;
      out += '[';
      for (std::size_t i = 0; i < v.size(); ++i) {
        if (i > 0) out += indent >= 0 && !lines ? ", " : ",";
        if (lines) new_line(out, inner);
        v[i].write(out, inner);
      }
      if (lines) new_line(out, indent);
      out += ']';
    } else {
      out += '{';
      for (std::size_t i = 0; i < v.size(); ++i) {
        if (i > 0) out += ',';
        if (indent >= 0) new_line(out, inner);
        write_string(out, v[i].first);
        out += indent >= 0 ? ": " : ":";
        v[i].second.write(out, inner);
      }
      if (indent >= 0 && !v.empty()) new_line(out, indent);
      out += '}';
    }
  };
  std::visit(write_value, value_);
}

std::string Json::compact() const {
  std::string out;
  write(out, -1);
  return out;
}

std::string Json::indented() const {
  std::string out;
  write(out, 0);
  return out;
}

Json recorded(double value) {
  if (std::isfinite(value)) return value;
  if (std::isnan(value)) return "nan";
  return value > 0 ? "inf" : "-inf";
}

double recorded_number(const Json& value) {
  if (!value.is_string()) return value.number();
  if (value.string() == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (value.string() == "inf") return std::numeric_limits<double>::infinity();
  if (value.string() == "-inf") return -std::numeric_limits<double>::infinity();
  throw JsonError("[json] expects a number, \"nan\", \"inf\" or \"-inf\", got \"", value.string(), '"');
}

Json recorded(const std::vector<double>& values) {
  Json list = Json::Array{};
  for (const double value : values) list.append(recorded(value));
  return list;
}

std::vector<double> recorded_numbers(const Json& list) {
  std::vector<double> values;
  for (const Json& value : list.array()) values.push_back(recorded_number(value));
  return values;
}

}  // namespace basin
