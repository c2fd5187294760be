// JPEG by libjpeg-turbo, for files that nobody vouches for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "data/image.h"

namespace basin::data {

/// Decodes a JPEG to RGB with libjpeg's defaults (accurate integer DCT, smooth upsampling), bit for bit what
/// Pillow's convert("RGB") gives with the same libjpeg. Baseline, progressive and arithmetic coding; grey is
/// repeated in three channels; four channels (CMYK, YCCK) are taken for inverted, as Adobe writes them.
/// Ignored: the EXIF rotation, colour profiles.
///
/// A picture is whole if all its rows were decoded: bytes that no scan needs (between segments, before or
/// after the end marker), a missing end marker, restart markers out of order and oddities of the header are
/// told in DecodedImage::stray and cost nothing.
///
/// Errors: UnsupportedImageError for lossless JPEG, JPEG-LS, more than 8 bits a channel and other kinds that
/// libjpeg does not decode; DataError with `name`, the reason and the byte reached, for what libjpeg rejects
/// and for what it would only warn of though pixels are lost; for more than `max_pixels`, for more pixels
/// than so few bytes can hold, and for more than 200 scans. Memory: at most about 20 bytes a pixel
/// (progressive CMYK).
DecodedImage decode_jpeg(std::string_view bytes, const std::string& name, std::int64_t max_pixels);

}  // namespace basin::data
