// Checksums: CRC-32C for tensors in files, SHA-256 for the identity of data sets and files.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace basin {

/// CRC-32C (Castagnoli, polynomial 0x1EDC6F41 reflected, RFC 3720 appendix B.4) of `bytes` bytes at `data`.
/// Streams: crc32c(b, nb, crc32c(a, na)) is the sum of a followed by b. Uses the SSE4.2 instruction where it
/// exists.
std::uint32_t crc32c(const void* data, std::size_t bytes, std::uint32_t seed = 0);

/// The same sum by tables only: what crc32c() falls back to, kept public so that tests compare the two.
std::uint32_t crc32c_by_table(const void* data, std::size_t bytes, std::uint32_t seed = 0);

/// SHA-256 (FIPS 180-4) of a stream of bytes. Uses the x86 SHA instructions where they exist.
class Sha256 {
 public:
  Sha256();
  /// The same sum by portable code only: what Sha256() falls back to, kept public so that tests compare the
  /// two.
  static Sha256 portable();

  /// Appends `bytes` bytes.
  void update(const void* data, std::size_t bytes);
  /// The digest of everything so far as 64 lower-case hexadecimal digits; more updates may follow.
  std::string hex() const;

 private:
  using State = std::array<std::uint32_t, 8>;
  using Fold = void (*)(State& state, const std::uint8_t* blocks, std::size_t count);
  explicit Sha256(Fold fold) : fold_(fold) {}

  Fold fold_;
  State state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
               0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::uint8_t, 64> block_{};
  std::uint64_t length_ = 0;  // bytes seen
};

/// SHA-256 of a text, in hexadecimal.
std::string sha256_text(std::string_view text);
/// SHA-256 of a file's contents, in hexadecimal. `each_piece`, if given, is called before each megabyte with
/// the bytes so far; what it throws ends the reading. Errors: DataError naming the file that cannot be read.
std::string sha256_file(const std::string& path,
                        const std::function<void(std::uint64_t bytes)>& each_piece = {});

}  // namespace basin
