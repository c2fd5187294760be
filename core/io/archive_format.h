// What reader and writer of core/io/archive.h share: the words, limits and checksums of our safetensors
// files.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/dtype.h"
#include "core/io/hash.h"

namespace basin::archive_format {

static_assert(std::endian::native == std::endian::little, "numbers are written as they lie in memory");

inline constexpr std::size_t kLengthBytes = 8;                // the header's length, little-endian
inline constexpr std::uint64_t kLargestHeader = 100'000'000;  // the format's own limit
inline constexpr std::uint64_t kLargestExtent = (std::uint64_t{1} << 53) - 1;

inline constexpr std::string_view kMetadataKey = "__metadata__";
/// CRC-32C of each tensor: eight hexadecimal digits, in the order of the data, separated by spaces.
inline constexpr std::string_view kCrcKey = "crc32c";
/// CRC-32C of length and header, computed with this value's own eight digits as '0'.
inline constexpr std::string_view kHeaderCrcKey = "header_crc32c";
inline constexpr std::size_t kCrcDigits = 8;

struct FileDtype {
  std::string_view name;
  std::size_t bytes;
};
/// All dtypes of the format that take whole bytes.
inline constexpr std::array<FileDtype, 18> kFileDtypes{{{"F64", 8},
                                                        {"I64", 8},
                                                        {"U64", 8},
                                                        {"C64", 8},
                                                        {"F32", 4},
                                                        {"I32", 4},
                                                        {"U32", 4},
                                                        {"F16", 2},
                                                        {"BF16", 2},
                                                        {"I16", 2},
                                                        {"U16", 2},
                                                        {"F8_E4M3", 1},
                                                        {"F8_E5M2", 1},
                                                        {"F8_E8M0", 1},
                                                        {"F8_E4M3FNUZ", 1},
                                                        {"I8", 1},
                                                        {"U8", 1},
                                                        {"BOOL", 1}}};

/// Bytes of one element; 0 for a dtype that the format does not know.
constexpr std::size_t element_size(std::string_view dtype) {
  for (const FileDtype& known : kFileDtypes)
    if (known.name == dtype) return known.bytes;
  return 0;
}

inline std::array<unsigned char, kLengthBytes> length_bytes(std::size_t header_bytes) {
  std::array<unsigned char, kLengthBytes> out{};
  for (std::size_t i = 0; i < kLengthBytes; ++i) out[i] = static_cast<unsigned char>(header_bytes >> (8 * i));
  return out;
}

/// A checksum as it is written: eight lower-case digits.
inline std::string hex(std::uint32_t crc) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out(kCrcDigits, '0');
  for (std::size_t i = 0; i < kCrcDigits; ++i) out[i] = kDigits[crc >> (28 - 4 * i) & 15];
  return out;
}

/// The checksum of a header whose own digits stand at `digits_at`.
inline std::uint32_t header_crc(std::string_view header, std::size_t digits_at) {
  const auto length = length_bytes(header.size());
  const std::string zeros(kCrcDigits, '0');
  const std::string_view rest = header.substr(digits_at + kCrcDigits);
  std::uint32_t crc = crc32c(length.data(), length.size());
  crc = crc32c(header.data(), digits_at, crc);
  crc = crc32c(zeros.data(), zeros.size(), crc);
  return crc32c(rest.data(), rest.size(), crc);
}

}  // namespace basin::archive_format
