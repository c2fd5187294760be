// Protocol buffers, the writing half of their wire format: enough for a file in someone else's schema.
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

}  // namespace basin
