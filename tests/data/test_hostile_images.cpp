// Hostile and broken pictures: each ends with one line that names file and reason, never with a crash or with
// memory that the file's bytes do not justify.
#include <doctest/doctest.h>
#include <zlib.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>
// libjpeg's header needs <cstdio> before it.
#include <jpeglib.h>

#include "core/error.h"
#include "tests/core/contains.h"
#include "tests/data/golden.h"

using namespace basin;
using namespace basin::data;
using basin::test::picture;
using basin::test::picture_bytes;
using test::contains;

namespace {

std::string message_of(const std::string& bytes) {
  try {
    decode_image(bytes, "bad.jpg");
  } catch (const DataError& error) {
    return error.what();
  }
  return "decoded";
}

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

std::string chunk(const std::string& kind, const std::string& payload) {
  const std::string body = kind + payload;
  const unsigned long sum =
      crc32(0, reinterpret_cast<const unsigned char*>(body.data()), static_cast<unsigned>(body.size()));
  return big_endian(static_cast<std::uint32_t>(payload.size())) + body +
         big_endian(static_cast<std::uint32_t>(sum));
}

std::string deflated(const std::string& bytes) {
  std::string out(compressBound(bytes.size()), '\0');
  unsigned long size = out.size();
  compress(reinterpret_cast<unsigned char*>(out.data()), &size,
           reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  out.resize(size);
  return out;
}

// A PNG of 8-bit RGB whose header, data and end are what the caller says.
std::string png_of(std::uint32_t width, std::uint32_t height, const std::string& data,
                   const std::string& end = chunk("IEND", "")) {
  return "\x89PNG\r\n\x1a\n" +
         chunk("IHDR", big_endian(width) + big_endian(height) + std::string("\x08\x02\0\0\0", 5)) +
         chunk("IDAT", data) + end;
}

// tiny.jpg with another size in its frame header.
std::string jpeg_of(int width, int height) {
  std::string bytes = picture_bytes("tiny.jpg");
  const std::size_t frame = bytes.find("\xff\xc0");
  bytes[frame + 5] = static_cast<char>(height >> 8);
  bytes[frame + 6] = static_cast<char>(height);
  bytes[frame + 7] = static_cast<char>(width >> 8);
  bytes[frame + 8] = static_cast<char>(width);
  return bytes;
}

// A grey 8x8 JPEG of three channels, one scan each.
std::string jpeg_of_three_scans() {
  jpeg_compress_struct codec;
  jpeg_error_mgr errors;
  codec.err = jpeg_std_error(&errors);
  jpeg_create_compress(&codec);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&codec, &out, &size);
  codec.image_width = codec.image_height = 8;
  codec.input_components = 3;
  codec.in_color_space = JCS_RGB;
  jpeg_set_defaults(&codec);
  const jpeg_scan_info scans[3] = {
      {1, {0, 0, 0, 0}, 0, 63, 0, 0}, {1, {1, 0, 0, 0}, 0, 63, 0, 0}, {1, {2, 0, 0, 0}, 0, 63, 0, 0}};
  codec.scan_info = scans;
  codec.num_scans = 3;
  jpeg_start_compress(&codec, TRUE);
  std::string row(24, 'x');
  JSAMPROW rows = reinterpret_cast<JSAMPROW>(row.data());
  while (codec.next_scanline < 8) jpeg_write_scanlines(&codec, &rows, 1);
  jpeg_finish_compress(&codec);
  jpeg_destroy_compress(&codec);
  std::string bytes(reinterpret_cast<const char*>(out), size);
  std::free(out);
  return bytes;
}

// 32 x 64 pixels, grey, a restart marker after each row of blocks.
std::string jpeg_with_restarts(bool arithmetic) {
  jpeg_compress_struct codec;
  jpeg_error_mgr errors;
  codec.err = jpeg_std_error(&errors);
  jpeg_create_compress(&codec);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&codec, &out, &size);
  codec.image_width = 32;
  codec.image_height = 64;
  codec.input_components = 1;
  codec.in_color_space = JCS_GRAYSCALE;
  jpeg_set_defaults(&codec);
  codec.restart_in_rows = 1;
  codec.arith_code = arithmetic ? TRUE : FALSE;
  jpeg_start_compress(&codec, TRUE);
  std::string row(32, '\0');
  JSAMPROW rows = reinterpret_cast<JSAMPROW>(row.data());
  while (codec.next_scanline < 64) {
    for (std::size_t x = 0; x < row.size(); ++x)
      row[x] = static_cast<char>(x * x * 5 + codec.next_scanline * (x + 3) * 7);
    jpeg_write_scanlines(&codec, &rows, 1);
  }
  jpeg_finish_compress(&codec);
  jpeg_destroy_compress(&codec);
  std::string bytes(reinterpret_cast<const char*>(out), size);
  std::free(out);
  return bytes;
}

// Where a JPEG's segments begin, that of the first scan included.
std::vector<std::size_t> segments_of(const std::string& bytes) {
  const auto byte = [&](std::size_t i) { return std::size_t{static_cast<unsigned char>(bytes[i])}; };
  std::vector<std::size_t> all = {2};
  while (byte(all.back() + 1) != 0xda)
    all.push_back(all.back() + 2 + byte(all.back() + 2) * 256 + byte(all.back() + 3));
  return all;
}

}  // namespace

TEST_CASE("hostile images: cut inside of its rows a picture is damaged, cut behind them it is whole") {
  // A JPEG's end is a marker of two bytes, a PNG's a chunk of twelve.
  const std::vector<std::pair<const char*, std::size_t>> ends = {
      {"tiny.png", 12}, {"tiny.jpg", 2}, {"tiny-progressive.jpg", 2}, {"cmyk.jpg", 2}, {"palette4.png", 12}};
  for (const auto& one : ends) {
    const char* name = one.first;
    const std::size_t end = one.second;
    CAPTURE(name);
    const std::string whole = picture_bytes(name);
    for (std::size_t length = 0; length < whole.size(); ++length) {
      CAPTURE(length);
      const std::string bytes = whole.substr(0, length);
      if (length >= whole.size() - end) {
        const DecodedImage decoded = decode_file(bytes, "cut");
        REQUIRE(decoded.image == picture(name));
        REQUIRE_FALSE(decoded.stray.empty());
        continue;
      }
      const std::string message = message_of(bytes);
      REQUIRE(message.starts_with("bad.jpg: "));
      if (length > 8) REQUIRE(contains(message, "of " + std::to_string(length) + ")"));
    }
  }
}

TEST_CASE("hostile images: one wrong bit anywhere in a PNG is found, or changes no pixel") {
  const std::string whole = picture_bytes("tiny.png");
  const Image right = picture("tiny.png");
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
      CAPTURE(at);
      if (at < whole.size() - 12) {
        REQUIRE(message_of(bytes).starts_with("bad.jpg: "));
      } else {
        const DecodedImage decoded = decode_file(bytes, "end chunk");
        REQUIRE(decoded.image == right);
        REQUIRE_FALSE(decoded.stray.empty());
      }
    }
  }
}

TEST_CASE("hostile images: a wrong bit in a JPEG gives an error or a picture of bounded size") {
  const std::string whole = picture_bytes("tiny-progressive.jpg");
  int errors = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << (at % 8)));
    try {
      const Image image = decode_image(bytes, "bad.jpg");
      REQUIRE(static_cast<std::size_t>(image.height * image.width) <= 2048 * bytes.size());
    } catch (const DataError&) {
      ++errors;
    }
  }
  CHECK(errors > 100);
}

TEST_CASE("hostile images: other formats are named") {
  CHECK(message_of("") == "bad.jpg: the file is empty");
  CHECK(message_of("GIF89a...") ==
        "bad.jpg: unsupported, looks like a GIF: convert it to JPEG (baseline or progressive) or PNG");
  CHECK(message_of("RIFF1234WEBPVP8 ") ==
        "bad.jpg: unsupported, looks like a WebP: convert it to JPEG (baseline or progressive) or PNG");
  CHECK(message_of("<!DOCTYPE html><html>") ==
        "bad.jpg: looks like a web page or XML; JPEG and PNG are read");
  CHECK(message_of("just some text") == "bad.jpg: neither JPEG nor PNG by its first bytes");
  CHECK(message_of(std::string(100, '\0')) == "bad.jpg: neither JPEG nor PNG by its first bytes");
  CHECK(message_of("\xff\xd8\xff").starts_with("bad.jpg: damaged JPEG: "));
  CHECK(message_of("\x89PNG\r\n\x1a\n") == "bad.jpg: damaged PNG: the file ends too early (byte 8 of 8)");
}

TEST_CASE("hostile images: lying sizes take no memory") {
  const std::string none = deflated("");
  CHECK(message_of(png_of(60000, 60000, none)) ==
        "bad.jpg: PNG of 60000x60000 pixels; at most 67108864 are read");
  CHECK(message_of(png_of(0x7fffffff, 0x7fffffff, none)) ==
        "bad.jpg: PNG of 2147483647x2147483647 pixels; at most 67108864 are read");
  CHECK(contains(message_of(png_of(8000, 8000, none)), "bytes cannot hold 8000x8000 pixels"));
  CHECK(contains(message_of(png_of(0, 5, none)), "damaged PNG: "));
  CHECK(contains(message_of(png_of(0xffffffff, 1, none)), "damaged PNG: "));
  CHECK(contains(message_of(png_of(3, 3, none)), "damaged PNG: "));
  CHECK(message_of(jpeg_of(65500, 65500)) ==
        "bad.jpg: JPEG of 65500x65500 pixels; at most 67108864 are read");
  CHECK(contains(message_of(jpeg_of(8000, 8000)), "bytes cannot hold 8000x8000 pixels"));
  CHECK(contains(message_of(jpeg_of(0, 5)), "damaged JPEG: "));
  CHECK(contains(message_of(jpeg_of(100, 100)), "damaged JPEG: "));
}

TEST_CASE("hostile images: a PNG's data must be whole, right and ended") {
  const std::string rows = std::string(2 * (1 + 3 * 3), '\0');
  CHECK(decode_image(png_of(3, 2, deflated(rows)), "good") == Image::black(2, 3));
  CHECK(contains(message_of(png_of(3, 2, deflated(rows.substr(1)))), "damaged PNG: "));
  std::string sum = deflated(rows);  // the deflate stream's own checksum, below a right chunk's checksum
  sum.back() = static_cast<char>(sum.back() ^ 1);
  CHECK(contains(message_of(png_of(3, 2, sum)), "damaged PNG: "));
  CHECK(contains(message_of(png_of(3, 2, "not deflate")), "damaged PNG: "));
  std::string filter = rows;
  filter[0] = 9;
  CHECK(contains(message_of(png_of(3, 2, deflated(filter))), "damaged PNG: "));
  std::string bytes = png_of(3, 2, deflated(rows));
  bytes[30] = static_cast<char>(bytes[30] ^ 1);  // in the header chunk's checksum
  CHECK(contains(message_of(bytes), "CRC error"));
}

TEST_CASE("stray bytes: a JPEG that loses no pixel is whole, wherever they are") {
  std::string counting;
  for (int i = 1; i <= 240; ++i) counting += static_cast<char>(i);
  for (const char* name : {"tiny.jpg", "photo.jpg", "progressive.jpg", "cmyk.jpg"}) {
    CAPTURE(name);
    const std::string whole = picture_bytes(name);
    const Image right = picture(name);
    CHECK(decode_file(whole, name).stray.empty());
    const auto same = [&](const std::string& bytes, const std::string& stray) {
      const DecodedImage decoded = decode_file(bytes, name);
      CHECK(decoded.image == right);
      CHECK_MESSAGE(contains(decoded.stray, stray), decoded.stray);
    };
    for (const std::string& junk : {std::string(4, '\0'), counting, std::string("hello")}) {
      for (const std::size_t at : segments_of(whole))
        same(whole.substr(0, at) + junk + whole.substr(at), "stray bytes before marker 0x");
      // The decoder's look ahead swallows the first few.
      same(whole.substr(0, whole.size() - 2) + junk + "\xff\xd9",
           junk.size() > 8 ? "stray bytes before marker 0xd9" : "");
      same(whole + junk, std::to_string(junk.size()) + " bytes after the end marker");
    }
    same(whole + whole, "bytes after the end marker");  // a second picture, as cameras write
    same(whole.substr(0, whole.size() - 2), "no end marker");
    same(whole.substr(0, whole.size() - 2) + counting, "");
    for (const std::size_t at : segments_of(whole))  // fill bytes are part of the format
      CHECK(decode_file(whole.substr(0, at) + "\xff\xff\xff" + whole.substr(at), name).stray.empty());
  }
  // What no scan needs may even look like the beginning of something.
  const std::string tiny = picture_bytes("tiny.jpg"), head = tiny.substr(0, tiny.size() - 2);
  for (const char* begun : {"\xff\xc0", "\xff\xda", "\xff\xc4\xff", "\xff\x02"})
    CHECK(decode_file(head + begun, "tiny").image == picture("tiny.jpg"));
}

TEST_CASE(
    "stray bytes: restart markers that are repeated or misnumbered lose nothing, missing intervals do") {
  const std::string whole = jpeg_with_restarts(false);
  const Image right = decode_image(whole, "restarts");
  std::vector<std::size_t> marks;  // RST0 to RST6 before the eight rows of blocks but the first
  for (std::size_t at = 0; at + 1 < whole.size(); ++at)
    if (whole[at] == '\xff' && (whole[at + 1] & '\xf8') == '\xd0') marks.push_back(at);
  REQUIRE(marks.size() == 7);
  const auto numbered = [&](std::size_t mark, int number) {
    std::string bytes = whole;
    bytes[marks[mark] + 1] = static_cast<char>(0xd0 + number);
    return bytes;
  };
  const auto interval = [&](std::size_t mark) {  // with the marker before it
    return whole.substr(marks[mark], marks[mark + 1] - marks[mark]);
  };
  const std::vector<std::string> same = {
      numbered(2, 6),                                                    // too far away to be another one's
      whole.substr(0, marks[3]) + interval(2) + whole.substr(marks[3]),  // one interval twice
      whole.substr(0, marks[3]) + "padding" + whole.substr(marks[3]),    // before a marker
      whole.substr(0, marks[3]) + "\xff\xff" + whole.substr(marks[3])};  // fill bytes
  for (const std::string& bytes : same) CHECK(decode_image(bytes, "same") == right);
  CHECK(decode_file(same[0], "same").stray == "restart markers out of order");
  const std::vector<std::string> lost = {
      numbered(2, 3),                                           // as if an interval were missing
      whole.substr(0, marks[2]) + whole.substr(marks[3]),       // it is
      whole.substr(0, marks[2]) + whole.substr(marks[2] + 2),   // a marker is missing
      whole.substr(0, marks[2] + 4) + whole.substr(marks[3])};  // bits are missing
  for (const std::string& bytes : lost) CHECK(message_of(bytes).starts_with("bad.jpg: damaged JPEG: "));
}

TEST_CASE("hostile images: a progressive or three-scan JPEG cut between scans has lost bits") {
  const std::string progressive = picture_bytes("progressive.jpg"), three = jpeg_of_three_scans();
  for (const std::string& whole : {progressive, three}) {
    std::vector<std::size_t> scans;
    for (std::size_t at = whole.find("\xff\xda"); at != whole.npos; at = whole.find("\xff\xda", at + 2))
      scans.push_back(at);
    REQUIRE(scans.size() > 2);
    for (const std::size_t at : scans)
      CHECK(contains(message_of(whole.substr(0, at)), "the file ends too early"));
  }
  // An end marker in the place of the last channel's scan.
  const std::string two = three.substr(0, three.rfind("\xff\xda")) + "\xff\xd9";
  CHECK(contains(message_of(two), "a channel's scan is missing"));
}

TEST_CASE("hostile images: arithmetic coding is read, and cut it is damaged") {
  const std::string whole = jpeg_with_restarts(true);
  CHECK(message_of(whole) == "decoded");
  for (std::size_t length = 100; length + 2 < whole.size(); length += 7)
    CHECK(message_of(whole.substr(0, length)).starts_with("bad.jpg: damaged JPEG: "));
}

TEST_CASE("unsupported pictures are told from damaged ones") {
  const std::string tiny = picture_bytes("tiny.jpg");
  const std::size_t frame = tiny.find("\xff\xc0");
  const auto with = [&](std::size_t at, int byte) {
    std::string bytes = tiny;
    bytes[frame + at] = static_cast<char>(byte);
    return bytes;
  };
  const std::string convert = ": convert it to JPEG (baseline or progressive) or PNG";
  const std::vector<std::pair<std::string, std::string>> kinds = {
      {with(1, 0xc3), "a lossless JPEG"},
      {with(1, 0xcb), "a lossless JPEG"},
      {with(1, 0xc5), "a JPEG of process SOF5"},
      {with(1, 0xf7), "a JPEG-LS"},
      {with(4, 12), "a JPEG of 12 bits a channel"},
      {std::string("\xff\x4f\xff\x51 and on"), "looks like a JPEG 2000"},
      {std::string("\0\0\0\x18"
                   "ftypheic",
                   12),
       "looks like a HEIC"},
      {std::string("\0\0\0\x18"
                   "ftypmif1",
                   12),
       "looks like a HEIC"},
      {std::string("\0\0\0\x18"
                   "ftypavif",
                   12),
       "looks like an AVIF"},
      {std::string("\0\0\0\x0cJXL ", 8), "looks like a JPEG XL"},
      {std::string("II*\0", 4), "looks like a TIFF"},
      {"BM1234", "looks like a BMP"},
  };
  for (const auto& [bytes, kind] : kinds) {
    CHECK(message_of(bytes) == "bad.jpg: unsupported, " + kind + convert);
    CHECK_THROWS_AS(decode_image(bytes, "x"), UnsupportedImageError);
  }
  std::string later = jpeg_of(0, 5);  // height 0: it is to follow the rows
  later[frame + 5] = later[frame + 6] = '\0';
  later[frame + 8] = 7;
  CHECK(contains(message_of(later), "damaged JPEG"));
  CHECK(contains(message_of(later + std::string("\xff\xdc\0\x04\0\x05", 6)),
                 "unsupported, a JPEG that gives its height"));
  // A picture of such a kind that is cut off may be of any.
  CHECK(contains(message_of("\x1f\x8b and on"), "is compressed by gzip; unpack it first, with: gunzip"));
  CHECK(contains(message_of("PK\x03\x04 and on"), "is a zip archive; unpack it first, with: unzip"));
}

TEST_CASE("stray bytes: what is wrong with a PNG outside of its rows costs nothing") {
  const std::string rows = deflated(std::string(2 * (1 + 3 * 3), '\0'));
  const Image black = Image::black(2, 3);
  const auto same = [&](const std::string& bytes, const std::string& stray) {
    const DecodedImage decoded = decode_file(bytes, "png");
    CHECK(decoded.image == black);
    CHECK_MESSAGE(contains(decoded.stray, stray), decoded.stray);
  };
  const std::string whole = png_of(3, 2, rows), head = whole.substr(0, 33), body = whole.substr(33);
  const auto broken = [](std::string bytes) {
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    return bytes;
  };
  CHECK(decode_file(whole, "png").stray.empty());
  same(whole + std::string(100, '\0'), "100 bytes after the end chunk");
  same(png_of(3, 2, rows, ""), "ends too early");
  same(png_of(3, 2, rows, std::string(7, '\0')), "");
  same(head + broken(chunk("tEXt", "a")) + body, "CRC error");
  same(head + broken(chunk("iCCP", "no profile")) + body, "CRC error");
  same(whole.substr(0, whole.size() - 12) + broken(chunk("tIME", "1234567")) + chunk("IEND", ""),
       "CRC error");
  same(png_of(3, 2, rows + "and more"), "Extra compressed data");
  same(png_of(3, 2, deflated(std::string(2 * (1 + 3 * 3) + 50, '\0'))), "oo much");
  for (const char* kind : {"iCCP", "sBIT", "gAMA", "cHRM", "bKGD", "hIST", "pHYs", "eXIf", "abCd"})
    same(head + chunk(kind, "xyz") + body, "");
  CHECK(contains(message_of(head + chunk("ABCD", "xyz") + body), "damaged PNG"));  // says that it is needed
  CHECK(contains(message_of(head + chunk("CgBI", "1234") + body), "damaged PNG"));
  CHECK(contains(message_of("\x89PNG\r\n\x1a\n" + chunk("CgBI", "1234") + body), "Apple's own form"));
}

TEST_CASE("hostile images: a scan repeated without end is not followed") {
  const std::string bytes = jpeg_of_three_scans();
  CHECK(message_of(bytes) == "decoded");
  const std::size_t first = bytes.find("\xff\xda");
  const std::size_t second = bytes.find("\xff\xda", first + 2);
  const std::string scan = bytes.substr(first, second - first);
  std::string repeated = bytes.substr(0, second);
  for (int i = 0; i < 100; ++i) repeated += scan;
  CHECK(message_of(repeated + bytes.substr(second)) == "decoded");
  for (int i = 0; i < 200; ++i) repeated += scan;
  CHECK(contains(message_of(repeated + bytes.substr(second)), "damaged JPEG: more than 200 scans (byte "));
}
