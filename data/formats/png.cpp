#include "data/formats/png.h"

#include <png.h>
#include <zlib.h>

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/io/files.h"

namespace basin::data {
namespace {

constexpr std::uint64_t kMostInflation = 1032;  // deflate writes at least 2 bits for 258 bytes

// libpng reports errors by a function that must not return. Ours jumps back into the function that called
// libpng, which holds no object with a destructor; all memory belongs to the callers of those and to the
// session.
struct Session {
  png_structp codec = nullptr;
  png_infop info = nullptr;
  bool writing = false;
  std::jmp_buf back{};
  char reason[200]{};
  char stray[200]{};       // the first remark that costs no pixel
  bool damaged = false;    // pixel data that libpng only warns of
  bool rows_done = false;  // every row is there
  const char* begin = nullptr;
  std::size_t bytes = 0;
  std::size_t reached = 0;
  std::string* out = nullptr;
  bool out_of_memory = false;

  Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    if (writing) {
      png_destroy_write_struct(&codec, &info);
    } else {
      png_destroy_read_struct(&codec, &info, nullptr);
    }
  }
};

void note(char (&place)[200], const char* reason) { std::snprintf(place, sizeof place, "%s", reason); }

[[noreturn]] void on_error(png_structp codec, png_const_charp reason) {
  Session& session = *static_cast<Session*>(png_get_error_ptr(codec));
  note(session.reason, reason);
  std::longjmp(session.back, 1);
}

// libpng only warns of what it meets in ancillary chunks and of pixel data after the last row. Of the latter,
// a wrong checksum means that pixels are wrong; more data than rows does not.
void on_warning(png_structp codec, png_const_charp reason) {
  Session& session = *static_cast<Session*>(png_get_error_ptr(codec));
  const std::string_view said = reason;
  if (said.starts_with("IDAT:") && said != "IDAT: Too much image data" &&
      said != "IDAT: Extra compressed data" && !session.damaged) {
    session.damaged = true;
    note(session.reason, reason);
  }
  if (session.stray[0] == '\0') note(session.stray, reason);
}

void on_read(png_structp codec, png_bytep to, std::size_t count) {
  Session& session = *static_cast<Session*>(png_get_io_ptr(codec));
  if (count > session.bytes - session.reached) {
    session.reached = session.bytes;
    png_error(codec, "the file ends too early");
  }
  std::memcpy(to, session.begin + session.reached, count);
  session.reached += count;
}

bool read_header(Session& session) {
  if (setjmp(session.back) != 0) return false;
  session.codec = png_create_read_struct(PNG_LIBPNG_VER_STRING, &session, on_error, on_warning);
  if (session.codec == nullptr) return false;
  session.info = png_create_info_struct(session.codec);
  if (session.info == nullptr) return false;
  png_set_read_fn(session.codec, &session, on_read);
  png_set_user_limits(session.codec, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // decode_png() has its own
  png_set_crc_action(session.codec, PNG_CRC_ERROR_QUIT, PNG_CRC_WARN_DISCARD);
  png_set_keep_unknown_chunks(session.codec, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);  // pixels only
  png_read_info(session.codec, session.info);
  return true;
}

bool convert_to_rgb(Session& session) {
  if (setjmp(session.back) != 0) return false;
  png_set_palette_to_rgb(session.codec);
  png_set_expand_gray_1_2_4_to_8(session.codec);
  png_set_strip_16(session.codec);
  png_set_strip_alpha(session.codec);
  png_set_gray_to_rgb(session.codec);
  png_set_interlace_handling(session.codec);
  png_read_update_info(session.codec, session.info);
  return true;
}

std::uint32_t big_endian(const char* at) {
  const auto byte = [at](int i) { return std::uint32_t{static_cast<unsigned char>(at[i])}; };
  return byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
}

// Whether the chunks of pixel data are all in the file, with the right checksums: then what goes wrong after
// the last row is of no concern to it.
bool pixel_chunks_are_whole(const Session& session) {
  const std::string_view file(session.begin, session.bytes);
  bool met = false;
  for (std::size_t at = 8; file.size() - at >= 12;) {
    const std::size_t length = big_endian(file.data() + at);
    const bool pixels = file.substr(at + 4, 4) == "IDAT";
    if (met && !pixels) return true;
    if (length > file.size() - at - 12) return false;
    const auto* body = reinterpret_cast<const png_byte*>(file.data() + at + 4);
    if (pixels && crc32(0, body, static_cast<uInt>(length + 4)) != big_endian(file.data() + at + 8 + length))
      return false;
    met = met || pixels;
    at += length + 12;
  }
  return met;
}

bool read_rows(Session& session, png_bytepp rows) {
  if (setjmp(session.back) != 0) {
    if (!session.rows_done || session.damaged || !pixel_chunks_are_whole(session)) return false;
    if (session.stray[0] == '\0') note(session.stray, session.reason);
    return true;
  }
  png_read_image(session.codec, rows);
  session.rows_done = true;
  png_read_end(session.codec, nullptr);
  if (session.stray[0] == '\0' && session.reached < session.bytes)
    std::snprintf(session.stray, sizeof session.stray, "%zu bytes after the end chunk",
                  session.bytes - session.reached);
  return !session.damaged;
}

void on_write(png_structp codec, png_bytep from, std::size_t count) {
  Session& session = *static_cast<Session*>(png_get_io_ptr(codec));
  try {
    session.out->append(reinterpret_cast<const char*>(from), count);
  } catch (const std::bad_alloc&) {
    session.out_of_memory = true;
  }
  if (session.out_of_memory) png_error(codec, "out of memory");
}

void on_flush(png_structp) {}

bool write_rows(Session& session, const Image& image) {
  if (setjmp(session.back) != 0) return false;
  session.codec = png_create_write_struct(PNG_LIBPNG_VER_STRING, &session, on_error, on_warning);
  if (session.codec == nullptr) return false;
  session.info = png_create_info_struct(session.codec);
  if (session.info == nullptr) return false;
  png_set_write_fn(session.codec, &session, on_write, on_flush);
  png_set_IHDR(session.codec, session.info, static_cast<png_uint_32>(image.width),
               static_cast<png_uint_32>(image.height), 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(session.codec, session.info);
  for (std::int64_t y = 0; y < image.height; ++y) png_write_row(session.codec, image.row(y));
  png_write_end(session.codec, session.info);
  return true;
}

}  // namespace

DecodedImage decode_png(std::string_view bytes, const std::string& name, std::int64_t max_pixels) {
  Session session;
  session.begin = bytes.data();
  session.bytes = bytes.size();
  const auto damaged = [&] {
    return DataError(name, ": damaged PNG: ", static_cast<const char*>(session.reason), " (byte ",
                     session.reached, " of ", session.bytes, ")");
  };
  if (!read_header(session)) throw damaged();

  const std::int64_t height = png_get_image_height(session.codec, session.info);
  const std::int64_t width = png_get_image_width(session.codec, session.info);
  if (height > max_pixels / width) {
    throw DataError(name, ": PNG of ", width, 'x', height, " pixels; at most ", max_pixels, " are read");
  }
  const auto packed =
      static_cast<std::uint64_t>(height) * (1 + png_get_rowbytes(session.codec, session.info));
  if (packed / kMostInflation > bytes.size()) {
    throw DataError(name, ": damaged PNG: ", bytes.size(), " bytes cannot hold ", width, 'x', height,
                    " pixels");
  }
  if (!convert_to_rgb(session)) throw damaged();
  if (png_get_rowbytes(session.codec, session.info) != static_cast<std::size_t>(width) * 3) {
    throw InternalError("[png] ", name, ": a row is not of RGB after conversion");
  }
  Image image = Image::black(height, width);
  std::vector<png_bytep> rows;
  for (std::int64_t y = 0; y < height; ++y) rows.push_back(image.row(y));
  if (!read_rows(session, rows.data())) throw damaged();
  return {std::move(image), session.stray};
}

std::string encode_png(const Image& image) {
  if (image.height < 1 || image.width < 1) throw ArgumentError("[png] cannot write an empty image");
  std::string bytes;
  Session session;
  session.writing = true;
  session.out = &bytes;
  if (!write_rows(session, image)) {
    if (session.out_of_memory) throw MemoryError("[png] out of memory");
    throw InternalError("[png] ", static_cast<const char*>(session.reason));
  }
  return bytes;
}

void write_png(const std::string& path, const Image& image) {
  write_file_atomically(path, encode_png(image));
}

}  // namespace basin::data
