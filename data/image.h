// A picture in memory: what the decoders return and every change of pixels works on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/error.h"

namespace basin::data {

/// `height` rows of `width` pixels of three bytes R, G, B, without gaps: the numbers of a u8 {H,W,3}.
struct Image {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::vector<std::uint8_t> pixels{};

  /// A black picture.
  static Image black(std::int64_t height, std::int64_t width) {
    return {height, width, std::vector<std::uint8_t>(static_cast<std::size_t>(height * width * 3))};
  }

  std::uint8_t* row(std::int64_t y) { return pixels.data() + y * width * 3; }
  const std::uint8_t* row(std::int64_t y) const { return pixels.data() + y * width * 3; }

  bool operator==(const Image&) const = default;
};

/// A picture from a file, and what in the file is odd though it costs no pixel: "4 stray bytes before marker
/// 0xdb"; empty for most.
struct DecodedImage {
  Image image{};
  std::string stray{};
};

/// A picture of a format, or a kind of JPEG, that is not read: whole as far as one can tell, so that it can
/// be converted. "x.jpg: unsupported, a lossless JPEG: convert it to JPEG or PNG".
struct UnsupportedImageError : DataError {
  UnsupportedImageError(const std::string& name, const std::string& kind)
      : DataError(name, ": unsupported, ", kind, ": convert it to JPEG (baseline or progressive) or PNG") {}
};

}  // namespace basin::data
