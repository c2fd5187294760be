// Protocol buffers, their wire format without a schema: enough for a file in someone else's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace basin {

/// The bytes of one message, field after field: a key, (field number << 3 | wire type) as a varint, then the
/// value. Numbers of fields come from the schema; a repeated field is written once for each element.
class ProtobufMessage {
 public:
  /// int32, int64, bool, enum: a varint of the 64-bit two's complement, seven bits a byte, the lowest first.
  ProtobufMessage& integer(int field, std::int64_t value);
  /// float: four bytes, the lowest first.
  ProtobufMessage& number(int field, float value);
  /// double: eight bytes, the lowest first.
  ProtobufMessage& real(int field, double value);
  /// string, bytes: a length and the bytes.
  ProtobufMessage& string(int field, std::string_view value);
  /// A message in this one, as its bytes.
  ProtobufMessage& message(int field, const ProtobufMessage& value) { return string(field, value.bytes()); }
  /// The key and the length of bytes that the caller writes behind this message's own.
  ProtobufMessage& announce(int field, std::uint64_t length);

  const std::string& bytes() const { return bytes_; }

 private:
  void varint(std::uint64_t value);
  void key(int field, unsigned wire_type) { varint(static_cast<std::uint64_t>(field) << 3 | wire_type); }

  std::string bytes_;
};

/// The fields of a message one after the other, as views of its bytes, which must outlive them.
///
///     for (ProtobufFields f(bytes); f.next();)
///       if (f.number() == 8) name = f.bytes();
class ProtobufFields {
 public:
  explicit ProtobufFields(std::string_view message) : rest_(message) {}

  /// Goes to the next field; false behind the last. Errors: CheckpointError for a field that does not end
  /// within the message, or of a wire type that no message has.
  bool next();
  int number() const { return number_; }
  /// Its value, if that is a varint; else 0.
  std::int64_t integer() const { return integer_; }
  /// Its value, if that is a text, bytes or a message (or the bytes of a fixed-size number); else empty.
  std::string_view bytes() const { return bytes_; }

 private:
  std::uint64_t varint();
  std::string_view take(std::uint64_t count);

  std::string_view rest_, bytes_;
  std::int64_t integer_ = 0;
  int number_ = 0;
};

}  // namespace basin
