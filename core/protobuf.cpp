#include "core/protobuf.h"

#include <bit>

namespace basin {
namespace {

enum WireType : unsigned { varint_type = 0, length_type = 2, four_bytes_type = 5 };

}  // namespace

void ProtobufMessage::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>((value & 0x7f) | 0x80));
  bytes_.push_back(static_cast<char>(value));
}

ProtobufMessage& ProtobufMessage::integer(int field, std::int64_t value) {
  key(field, varint_type);
  varint(static_cast<std::uint64_t>(value));
  return *this;
}

ProtobufMessage& ProtobufMessage::number(int field, float value) {
  key(field, four_bytes_type);
  const auto bits = std::bit_cast<std::uint32_t>(value);
  for (int shift = 0; shift < 32; shift += 8) bytes_.push_back(static_cast<char>(bits >> shift & 0xff));
  return *this;
}

ProtobufMessage& ProtobufMessage::string(int field, std::string_view value) {
  announce(field, value.size());
  bytes_.append(value);
  return *this;
}

ProtobufMessage& ProtobufMessage::announce(int field, std::uint64_t length) {
  key(field, length_type);
  varint(length);
  return *this;
}

}  // namespace basin
