#include "data/formats/idx.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "data/formats/byte_stream.h"
#include "data/formats/file.h"

namespace basin::data {
namespace {

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

IdxArray read_idx(const std::string& path, int rank, const Watch& watch) {
  if (rank < 1 || rank > 3) throw ArgumentError("[read_idx] rank must be 1 to 3, got ", rank);
  GzipStream input(path);
  std::array<std::uint8_t, 16> start{};
  const std::size_t header_bytes = 4 + 4 * static_cast<std::size_t>(rank);
  const std::size_t got = input.read(start.data(), std::min(start.size(), header_bytes));
  if (got == 0) throw DataError(path, ": the file is empty");
  if (const Packing* packing = packing_of({reinterpret_cast<const char*>(start.data()), got}))
    throw DataError(unpack_first(path, *packing));
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
  array.values.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(expected, std::uint64_t{1} << 25)));
  std::uint64_t read = 0;
  while (read < expected) {
    if (watch) watch(static_cast<std::int64_t>(read), static_cast<std::int64_t>(expected));
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
