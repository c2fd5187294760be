#include "core/io/tf_record.h"

#include <cstdint>

#include "core/io/hash.h"

namespace basin {
namespace {

constexpr std::size_t kHead = 12, kTail = 4;  // bytes around a record's own

std::uint32_t masked(std::string_view bytes) {
  const std::uint32_t crc = crc32c(bytes.data(), bytes.size());
  return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

std::string little_endian(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}

}  // namespace

std::string tf_record(std::string_view bytes) {
  const std::string length = little_endian(bytes.size(), 8);
  return length + little_endian(masked(length), 4) + std::string(bytes) + little_endian(masked(bytes), 4);
}

bool take_tf_record(std::string_view& rest, std::string_view& record) {
  if (rest.size() < kHead + kTail) return false;
  std::uint64_t length = 0;
  for (std::size_t i = 8; i-- > 0;) length = length << 8 | static_cast<unsigned char>(rest[i]);
  if (rest.substr(8, 4) != little_endian(masked(rest.substr(0, 8)), 4)) return false;
  if (length > rest.size() - kHead - kTail) return false;
  const std::string_view bytes = rest.substr(kHead, length);
  if (rest.substr(kHead + length, kTail) != little_endian(masked(bytes), 4)) return false;
  record = bytes;
  rest.remove_prefix(kHead + length + kTail);
  return true;
}

}  // namespace basin
