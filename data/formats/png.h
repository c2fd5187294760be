// PNG by libpng: reading files that nobody vouches for, and writing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "data/image.h"

namespace basin::data {

/// Decodes a PNG to RGB: all colour types, depths and interlacing. Grey is repeated in three channels, of 16
/// bits the upper 8 are kept, transparency is dropped (the colour below it shows), gamma and colour profiles
/// are ignored: all as Pillow's convert("RGB") does, but for 16-bit grey, which Pillow clips at 255.
///
/// A picture is whole if all its rows were decoded from whole chunks with right checksums. Damage in chunks
/// that hold no pixels, more pixel data than rows, a missing end chunk and bytes after it are told in
/// DecodedImage::stray.
///
/// Errors: DataError with `name`, the reason and the byte reached, for what libpng rejects, for wrong or
/// missing pixel data or a wrong checksum of them; for more than `max_pixels`; for more pixels than so few
/// bytes can hold.
DecodedImage decode_png(std::string_view bytes, const std::string& name, std::int64_t max_pixels);

/// A PNG of 8-bit RGB. The same pixels give the same bytes with the same libpng and zlib.
/// Errors: ArgumentError for an empty image.
std::string encode_png(const Image& image);

/// Writes encode_png() to a file, all or nothing. Errors: OutputError.
void write_png(const std::string& path, const Image& image);

}  // namespace basin::data
