#include "data/formats/decode.h"

#include "core/error.h"
#include "data/formats/file.h"
#include "data/formats/jpeg.h"
#include "data/formats/png.h"

namespace basin::data {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kJpeg = "\xff\xd8"sv, kPng = "\x89PNG\r\n\x1a\n"sv;

struct Signature {
  std::size_t offset;
  std::string_view bytes;
  const char* format;
  bool picture = true;  // that could be converted
};

// What is met in image folders but not read.
constexpr Signature kOthers[] = {
    {0, "GIF8"sv, "a GIF"},
    {0, "BM"sv, "a BMP"},
    {8, "WEBP"sv, "a WebP"},
    {0, "II*\0"sv, "a TIFF"},
    {0, "MM\0*"sv, "a TIFF"},
    {0, "II+\0"sv, "a TIFF"},
    {0, "MM\0+"sv, "a TIFF"},
    {4, "ftypavi"sv, "an AVIF"},
    {4, "ftyphe"sv, "a HEIC"},
    {4, "ftypmif1"sv, "a HEIC"},
    {4, "ftypmsf1"sv, "a HEIC"},
    {4, "ftypjp2"sv, "a JPEG 2000"},
    {0, "\0\0\0\x0cjP  "sv, "a JPEG 2000"},
    {0, "\xff\x4f\xff\x51"sv, "a JPEG 2000"},
    {0, "\0\0\0\x0cJXL "sv, "a JPEG XL"},
    {0, "\xff\x0a"sv, "a JPEG XL"},
    {0, "II\xbc"sv, "a JPEG XR"},
    {12, "CgBI"sv, "a PNG in Apple's own form (CgBI)"},
    {0, "\x8aMNG"sv, "an MNG"},
    {0, "\x8bJNG"sv, "a JNG"},
    {0, "8BPS"sv, "a Photoshop file"},
    {0, "qoif"sv, "a QOI"},
    {0, "\0\0\1\0"sv, "an ICO"},
    {0, "P2\n"sv, "a PGM"},
    {0, "P3\n"sv, "a PPM"},
    {0, "P5"sv, "a PGM"},
    {0, "P6"sv, "a PPM"},
    {0, "<svg"sv, "an SVG"},
    {0, "%PDF"sv, "a PDF"},
    {0, "<"sv, "a web page or XML", false},
    {0, "version https://git-lfs"sv, "a Git LFS pointer", false},
};

bool has(std::string_view bytes, std::size_t offset, std::string_view signature) {
  return bytes.size() >= offset && bytes.substr(offset).starts_with(signature);
}

}  // namespace

void expect_format(std::string_view bytes, const std::string& name) {
  if (bytes.empty()) throw DataError(name, ": the file is empty");
  for (const Signature& other : kOthers) {
    if (!has(bytes, other.offset, other.bytes)) continue;
    if (other.picture) throw UnsupportedImageError(name, text("looks like ", other.format));
    throw DataError(name, ": looks like ", other.format, "; JPEG and PNG are read");
  }
  if (has(bytes, 0, kJpeg) || has(bytes, 0, kPng)) return;
  if (const Packing* packing = packing_of(bytes)) throw DataError(unpack_first(name, *packing));
  throw DataError(name, ": neither JPEG nor PNG by its first bytes");
}

DecodedImage decode_file(std::string_view bytes, const std::string& name, std::int64_t max_pixels) {
  expect_format(bytes, name);
  return has(bytes, 0, kJpeg) ? decode_jpeg(bytes, name, max_pixels) : decode_png(bytes, name, max_pixels);
}

Image decode_image(std::string_view bytes, const std::string& name, std::int64_t max_pixels) {
  return decode_file(bytes, name, max_pixels).image;
}

}  // namespace basin::data
