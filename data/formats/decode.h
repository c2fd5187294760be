// Pictures from files: JPEG and PNG, told apart by their content and not by their names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "data/image.h"

namespace basin::data {

constexpr std::int64_t kMostPixels = std::int64_t{64} << 20;         // of one picture: 8192 x 8192
constexpr std::uint64_t kMostImageBytes = std::uint64_t{256} << 20;  // of one file

/// Decodes the content of a file, a JPEG (decode_jpeg()) or a PNG (decode_png()), to RGB. A rotation asked
/// for by EXIF is ignored, as torchvision does. Errors: DataError, one line that begins with `name` and tells
/// the reason: no picture, damage, more than `max_pixels`; UnsupportedImageError for another format.
DecodedImage decode_file(std::string_view bytes, const std::string& name,
                         std::int64_t max_pixels = kMostPixels);
/// Its picture alone.
Image decode_image(std::string_view bytes, const std::string& name, std::int64_t max_pixels = kMostPixels);

/// Whether the first bytes of a file are those of a JPEG or PNG. Errors: as decode_file() for other formats
/// and for no bytes.
void expect_format(std::string_view bytes, const std::string& name);

}  // namespace basin::data
