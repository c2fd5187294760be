// Tar archives read front to back: ustar, GNU's and pax's long names and sizes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "data/formats/byte_stream.h"

namespace basin::data {

/// One member of an archive.
struct TarMember {
  enum class Kind { file, folder, link, other };

  std::string name{};  // as it stands in the archive: may be absolute or hold ".."
  Kind kind = Kind::file;
  std::uint64_t offset = 0;  // of its first byte in the archive
  std::uint64_t bytes = 0;
};

/// Headers are checked by their sums, sizes against what is left, and nothing is taken from a header that the
/// file does not bear out. Names that are longer than a header holds come from GNU's 'L' members or pax's
/// `path`, sizes beyond 8 GiB from base-256 fields or pax's `size`. Sparse members are refused.
class TarReader {
 public:
  /// The stream must outlive this and be read by this alone.
  explicit TarReader(ByteStream& stream) : stream_(stream) {}

  /// The next member, passing over what was not read of the last; none at the archive's end mark. Errors:
  /// DataError, "FILE: damaged tar at byte N: ...": a wrong sum, a number that is none, an end without mark.
  std::optional<TarMember> next();

  /// Up to `bytes` bytes of the member that next() gave; fewer only at its end. Errors: DataError for an
  /// archive that ends before.
  std::size_t read(void* out, std::size_t bytes);

 private:
  struct Header;
  struct Extended;  // what extended headers say about the member after them

  bool read_header(Header& header);
  std::string read_extension(const Header& header);
  void read_pax(const Header& header, Extended& into);
  void pass(std::uint64_t bytes);
  [[noreturn]] void damaged(const std::string& reason) const;

  ByteStream& stream_;
  std::uint64_t at_ = 0;       // in the archive
  std::uint64_t left_ = 0;     // of the current member's content
  std::uint64_t padding_ = 0;  // after it, to the next block
  std::uint64_t header_at_ = 0;
  bool ended_ = false;
};

}  // namespace basin::data
