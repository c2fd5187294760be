#include "core/io/protobuf.h"

#include <bit>

#include "core/error.h"

namespace basin {
namespace {

enum WireType : unsigned { varint_type = 0, eight_bytes_type = 1, length_type = 2, four_bytes_type = 5 };

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

ProtobufMessage& ProtobufMessage::real(int field, double value) {
  key(field, eight_bytes_type);
  const auto bits = std::bit_cast<std::uint64_t>(value);
  for (int shift = 0; shift < 64; shift += 8) bytes_.push_back(static_cast<char>(bits >> shift & 0xff));
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

std::uint64_t ProtobufFields::varint() {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(take(1)[0]);
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  throw CheckpointError("[protobuf] a number of more than ten bytes");
}

std::string_view ProtobufFields::take(std::uint64_t count) {
  if (count > rest_.size()) throw CheckpointError("[protobuf] a field ends outside of its message");
  const std::string_view taken = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return taken;
}

bool ProtobufFields::next() {
  if (rest_.empty()) return false;
  const std::uint64_t key = varint();
  if (key >> 3 == 0 || key >> 32 != 0) throw CheckpointError("[protobuf] no field has the number ", key >> 3);
  number_ = static_cast<int>(key >> 3);
  integer_ = 0;
  bytes_ = {};
  switch (key & 7) {
    case varint_type:
      integer_ = static_cast<std::int64_t>(varint());
      return true;
    case eight_bytes_type:
      bytes_ = take(8);
      return true;
    case length_type:
      bytes_ = take(varint());
      return true;
    case four_bytes_type:
      bytes_ = take(4);
      return true;
    default:
      throw CheckpointError("[protobuf] field ", number_, " is of wire type ", key & 7);
  }
}

}  // namespace basin
