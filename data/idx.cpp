#include "data/idx.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "core/error.h"
#include "data/file.h"

namespace basin::data {
namespace {

// A file read front to back through zlib, which passes bytes that are not gzip through unchanged.
class Input {
 public:
  explicit Input(const std::string& path) : path_(path) {
    regular_file_size(path);
    errno = 0;
    file_.reset(gzopen(path.c_str(), "rb"));
    if (!file_)
      throw DataError(path, ": cannot be opened: ", errno != 0 ? std::strerror(errno) : "no memory");
    gzbuffer(file_.get(), 1u << 17);
  }

  /// Up to `bytes` bytes into `out`; fewer only at the end of the file.
  std::size_t read(std::uint8_t* out, std::size_t bytes) {
    std::size_t done = 0;
    while (done < bytes) {
      const auto piece = static_cast<unsigned>(std::min(bytes - done, std::size_t{1} << 20));
      const int got = gzread(file_.get(), out + done, piece);
      check();
      if (got <= 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  /// Ends the reading. Errors: a gzip stream without its proper end.
  void close() {
    if (gzclose_r(file_.release()) != Z_OK) throw DataError(path_, ": gzip data is cut off");
  }

 private:
  struct Close {
    void operator()(gzFile file) const { gzclose_r(file); }
  };

  // A cut or damaged gzip stream shows here only: gzread just returns fewer bytes.
  void check() const {
    int code = Z_OK;
    const char* reason = gzerror(file_.get(), &code);
    if (code == Z_OK || code == Z_STREAM_END) return;
    if (code == Z_ERRNO) throw DataError(path_, ": cannot be read: ", std::strerror(errno));
    if (code == Z_BUF_ERROR) throw DataError(path_, ": gzip data is cut off; fetch the file again");
    // zlib's text repeats the path; what follows the last ": " is the reason.
    const std::string whole = reason != nullptr ? reason : "";
    const std::size_t colon = whole.rfind(": ");
    throw DataError(path_, ": gzip data is damaged (",
                    colon == std::string::npos ? whole : whole.substr(colon + 2), "); fetch the file again");
  }

  std::string path_;
  std::unique_ptr<gzFile_s, Close> file_;
};

std::uint32_t big_endian(const std::uint8_t* p) {
  return std::uint32_t{p[0]} << 24 | std::uint32_t{p[1]} << 16 | std::uint32_t{p[2]} << 8 | p[3];
}

// Says what a file that is not IDX looks like, for the reader of the error.
std::string describe_start(const std::array<std::uint8_t, 16>& start, std::size_t got) {
  const auto end = start.begin() + static_cast<std::ptrdiff_t>(got);
  const auto printable = [](std::uint8_t c) {
    return (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\r' || c == '\t';
  };
  if (got >= 4 && std::all_of(start.begin(), end, printable)) {
    std::string shown(start.begin(), end);
    std::replace_if(
        shown.begin(), shown.end(), [](char c) { return c < ' '; }, ' ');
    return "starts with \"" + shown + "\": a text or HTML page, so the download went wrong; fetch it again";
  }
  std::string shown = "starts with bytes";
  for (std::size_t i = 0; i < std::min<std::size_t>(got, 4); ++i) {
    shown += ' ';
    shown += "0123456789abcdef"[start[i] >> 4];
    shown += "0123456789abcdef"[start[i] & 15];
  }
  return shown;
}

std::string joined(const std::vector<std::int64_t>& extents) {
  std::string out;
  for (const std::int64_t extent : extents) out += (out.empty() ? "" : "x") + std::to_string(extent);
  return out;
}

}  // namespace

IdxArray read_idx(const std::string& path, int rank) {
  if (rank < 1 || rank > 3) throw ArgumentError("[read_idx] rank must be 1 to 3, got ", rank);
  Input input(path);
  std::array<std::uint8_t, 16> start{};
  const std::size_t header_bytes = 4 + 4 * static_cast<std::size_t>(rank);
  const std::size_t got = input.read(start.data(), std::min(start.size(), header_bytes));
  if (got == 0) throw DataError(path, ": the file is empty");
  if (got < 4 || start[0] != 0 || start[1] != 0)
    throw DataError(path, ": not an IDX file: ", describe_start(start, got));
  if (start[2] != 0x08) {
    throw DataError(path, ": IDX element type is ", int{start[2]}, ", expected 8 (unsigned bytes)");
  }
  if (start[3] != rank) {
    throw DataError(path, ": IDX array has ", int{start[3]}, " dimensions, expected ", rank,
                    rank == 1 ? " (labels)" : " (images)");
  }
  if (got < header_bytes) throw DataError(path, ": the file ends inside its header");

  IdxArray array;
  std::uint64_t expected = 1;
  bool fits = true;
  for (std::size_t axis = 0; axis < static_cast<std::size_t>(rank); ++axis) {
    const std::uint32_t extent = big_endian(start.data() + 4 + 4 * axis);
    if (extent == 0) throw DataError(path, ": dimension ", axis, " of the IDX header is 0");
    array.extents.push_back(extent);
    fits = fits && !__builtin_mul_overflow(expected, std::uint64_t{extent}, &expected);
  }
  if (!fits)
    throw DataError(path, ": IDX header promises ", joined(array.extents), " bytes, more than can exist");

  // Grow by what arrives, never by what the header says; what is only reserved takes no memory.
  array.values.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(expected, std::uint64_t{1} << 26)));
  std::uint64_t read = 0;
  while (read < expected) {
    const std::uint64_t piece = std::min<std::uint64_t>(expected - read, std::uint64_t{1} << 20);
    array.values.resize(static_cast<std::size_t>(read + piece));
    const std::size_t now = input.read(array.values.data() + read, static_cast<std::size_t>(piece));
    read += now;
    if (now < piece) {
      throw DataError(path, ": IDX header promises ", joined(array.extents), " = ", expected,
                      " bytes of data, the file ends after ", read);
    }
  }
  std::uint8_t beyond = 0;
  if (input.read(&beyond, 1) != 0) {
    throw DataError(path, ": data goes on after the ", joined(array.extents), " = ", expected,
                    " bytes that the IDX header promises");
  }
  input.close();
  return array;
}

}  // namespace basin::data
