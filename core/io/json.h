// JSON: a value, a strict reader, a writer. For the records of a run and the header of a tensor file.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/error.h"

namespace basin {

/// Text that is not JSON (`[json] line 3, column 7: ...`), or JSON of another kind than the reader expects.
struct JsonError : ErrorOf<ExitCode::data> {
  using ErrorOf::ErrorOf;
};

/// One JSON value. Objects keep the order of insertion; integers of 64 bits, signed or not, stay exact and
/// stay integers; a double is written with the fewest digits that read back as the same bits, and stays a
/// double.
class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;

  Json() = default;  // null
  template <std::same_as<bool> T>
  Json(T value) : value_(value) {}  // NOLINT: implicit, so that {"step", 5} is a member
  template <std::integral T>
  requires(!std::same_as<T, bool>) Json(T value) {  // NOLINT
    if constexpr (std::is_unsigned_v<T>) {
      set_unsigned(value);
    } else {
      value_ = static_cast<std::int64_t>(value);
    }
  }
  Json(double value) : value_(value) {}                         // NOLINT
  Json(const char* value) : value_(std::string(value)) {}       // NOLINT
  Json(std::string_view value) : value_(std::string(value)) {}  // NOLINT
  Json(std::string value) : value_(std::move(value)) {}         // NOLINT
  Json(Array value) : value_(std::move(value)) {}               // NOLINT
  Json(Object value) : value_(std::move(value)) {}              // NOLINT

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }

  // The value. Errors: JsonError when it is of another kind or out of the type's range.
  bool boolean() const;
  std::int64_t integer() const;
  std::uint64_t natural() const;  // an integer >= 0
  double number() const;          // a double, or an integer that a double holds exactly
  const std::string& string() const;
  const Array& array() const;
  const Object& object() const;

  /// The member of that name, or null if there is none (a linear search). Errors: not an object.
  const Json* find(std::string_view key) const;
  /// The member of that name. Errors: JsonError when it is missing.
  const Json& at(std::string_view key) const;
  /// Adds or replaces a member; a null value becomes an object first. Errors: neither null nor object.
  Json& set(std::string_view key, Json value);
  /// Adds an element; a null value becomes an array first. Errors: neither null nor array.
  Json& append(Json value);

  /// One line without spaces. Bytes that are not UTF-8 become U+FFFD.
  /// Errors: ArgumentError on a NaN or infinity, which JSON does not have (see recorded).
  std::string compact() const;
  /// Two spaces a level; arrays of plain values on one line; no newline at the end.
  std::string indented() const;

  bool operator==(const Json&) const = default;

 private:
  void set_unsigned(std::uint64_t value);  // std::uint64_t only where std::int64_t cannot hold it
  const char* kind() const;
  void write(std::string& out, int indent) const;  // indent < 0: compact

  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Array, Object> value_;
};

/// A double for a record: itself if finite, else "nan", "inf" or "-inf".
Json recorded(double value);
/// The inverse of recorded().
double recorded_number(const Json& value);
/// The same of a list: [0.5, "nan"].
Json recorded(const std::vector<double>& values);
std::vector<double> recorded_numbers(const Json& list);

/// The value of a whole text. Strict (RFC 8259): no comments, no trailing commas, valid UTF-8, no duplicate
/// keys, no integer beyond 64 bits, no number beyond a double, at most JsonReader::kMaxDepth levels. Errors:
/// JsonError.
Json parse_json(std::string_view text);

/// Reads a text value by value, without a tree: for input whose size is not to be trusted with memory.
/// Does not look for duplicate keys. Errors: JsonError with line and column.
///   reader.begin_object();
///   for (std::string key; reader.next_member(key);) use(key, reader.string());
///   reader.end();
class JsonReader {
 public:
  static constexpr int kMaxDepth = 100;

  /// The text must outlive the reader. Errors: not UTF-8.
  explicit JsonReader(std::string_view text);

  void begin_object();
  /// Moves to the next member's value; false after the last one, past the closing brace.
  bool next_member(std::string& key);
  void begin_array();
  /// Moves to the next element; false after the last one, past the closing bracket.
  bool next_element();

  std::string string();
  Json number();
  std::uint64_t natural();
  /// Any value, with all below it.
  Json value();
  /// Errors: anything but white space is left.
  void end();

  /// Bytes read so far.
  std::size_t offset() const { return at_; }
  /// Throws a JsonError that names the line and column read so far.
  [[noreturn]] void fail(const std::string& what) const { fail_at(at_, what); }

 private:
  [[noreturn]] void fail_at(std::size_t offset, const std::string& what) const;
  char peek();  // the next byte after white space; 0 at the end
  void expect(char wanted, const char* what);
  bool next_item(char close, const char* what);
  void literal(std::string_view word);
  void escape(std::string& out);
  std::uint32_t hex4();
  bool digits();

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool first_ = false;  // no item of the innermost open array or object has been read
};

}  // namespace basin
