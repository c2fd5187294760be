#include "core/io/tf_record.h"

#include <array>

namespace basin {
namespace {

constexpr std::size_t kHead = 12, kTail = 4;  // bytes around a record's own

constexpr std::array<std::uint32_t, 256> table_of_bytes() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = rest >> 1 ^ ((rest & 1) != 0 ? 0x82f63b78u : 0u);
    table[byte] = rest;
  }
  return table;
}

std::uint32_t masked(std::string_view bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

std::string little_endian(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static constexpr std::array<std::uint32_t, 256> kTable = table_of_bytes();
  std::uint32_t crc = 0xffffffffu;
  for (const char c : bytes) crc = crc >> 8 ^ kTable[(crc ^ static_cast<unsigned char>(c)) & 0xff];
  return ~crc;
}

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
