#include "data/formats/jpeg.h"

#include <array>
#include <csetjmp>
#include <cstdio>
#include <utility>
// libjpeg's headers need <cstdio> before them.
#include <jerror.h>
#include <jpeglib.h>

#include "core/error.h"

namespace basin::data {
namespace {

constexpr int kMostScans = 200;
// At least one bit a block, and at most 8 blocks for 32x32 pixels (sampling factors 4x1 and 1x4): 1024 pixels
// a byte by Huffman codes; twice that for arithmetic coding.
constexpr std::uint64_t kMostPixelsPerByte = 2048;

// libjpeg reports errors by a function that must not return. Ours jumps back into read_header() or
// read_rows(), which call nothing but libjpeg and hold no object with a destructor; all memory belongs to
// decode_jpeg() and to the session.
struct Session {
  jpeg_decompress_struct codec{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf back{};
  char reason[JMSG_LENGTH_MAX]{};
  char stray[JMSG_LENGTH_MAX]{};  // the first remark that costs no pixel
  const JOCTET* begin = nullptr;
  std::size_t bytes = 0;
  std::size_t reached = 0;
  bool ended = false;               // the data are used up: libjpeg reads an end marker that is not there
  bool rows_done = false;           // nothing that follows can change a pixel
  std::array<bool, 256> scanned{};  // components, by identifier, that a scan was begun for

  Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() { jpeg_destroy_decompress(&codec); }
};

Session& session_of(j_common_ptr codec) { return *static_cast<Session*>(codec->client_data); }

// Back to where libjpeg was called, with the reason that is in the session.
[[noreturn]] void leave(Session& session) {
  const jpeg_source_mgr* source = session.codec.src;
  if (session.ended) {
    session.reached = session.bytes;
  } else if (source != nullptr) {
    session.reached = session.bytes - source->bytes_in_buffer;
  }
  std::longjmp(session.back, 1);
}

[[noreturn]] void give_up(Session& session, const char* reason) {
  std::snprintf(session.reason, sizeof session.reason, "%s", reason);
  leave(session);
}

[[noreturn]] void give_up(j_common_ptr codec) {
  Session& session = session_of(codec);
  if (session.ended) give_up(session, "the file ends too early");
  codec->err->format_message(codec, session.reason);
  leave(session);
}

// libjpeg's warning as a remark, unless there is one.
void note_stray(Session& session) {
  if (session.stray[0] != '\0') return;
  const jpeg_error_mgr& errors = session.errors;
  switch (errors.msg_code) {
    case JWRN_EXTRANEOUS_DATA:
      std::snprintf(session.stray, sizeof session.stray, "%d stray bytes before marker 0x%02x",
                    errors.msg_parm.i[0], static_cast<unsigned>(errors.msg_parm.i[1]));
      break;
    case JWRN_JPEG_EOF:
      std::snprintf(session.stray, sizeof session.stray, "no end marker");
      break;
    case JWRN_MUST_RESYNC:
      std::snprintf(session.stray, sizeof session.stray, "restart markers out of order");
      break;
    default:
      errors.format_message(reinterpret_cast<j_common_ptr>(&session.codec), session.stray);
  }
}

// What a scan's refinement of some bits leaves out: earlier bits that no scan has brought. A scan that comes
// again, or before the scan of the means, loses nothing.
bool skips_bits(const Session& session) {
  const int component = session.errors.msg_parm.i[0], place = session.errors.msg_parm.i[1];
  if (session.codec.Ah == 0 || session.codec.coef_bits == nullptr) return false;
  const int bits = session.codec.coef_bits[component][place];
  return bits < 0 || bits > session.codec.Ah;
}

// Whether a warning means that pixels are lost. It does not where libjpeg passes over bytes that no scan
// needed, finds no end marker after the last row, or has remarks on the header.
bool means_damage(const Session& session) {
  switch (session.errors.msg_code) {
    case JWRN_ADOBE_XFORM:
    case JWRN_BOGUS_ICC:
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_MUST_RESYNC:     // see kSkipInterval
    case JWRN_NOT_SEQUENTIAL:  // a scan's parameters, which a sequential JPEG does not use
      return false;
    case JWRN_JPEG_EOF:
      // Bits that are missing are another warning, but not in arithmetic coding, where the rest is read as
      // zeros.
      return session.codec.arith_code != FALSE;
    case JWRN_BOGUS_PROGRESSION:
      return skips_bits(session);
    default:  // JWRN_HIT_MARKER, JWRN_HUFF_BAD_CODE, JWRN_ARITH_BAD_CODE
      return true;
  }
}

// jpeg_resync_to_restart()'s third action: the marker stays, so that the interval before it is left empty.
constexpr int kSkipInterval = 3;

void on_message(j_common_ptr codec, int level) {
  Session& session = session_of(codec);
  const jpeg_error_mgr& errors = session.errors;
  if (level >= 0) {
    if (errors.msg_code == JTRC_SOS_COMPONENT) session.scanned[errors.msg_parm.i[0] & 255] = true;
    if (errors.msg_code == JTRC_RECOVERY_ACTION && errors.msg_parm.i[1] == kSkipInterval &&
        !session.rows_done)
      give_up(session,
              session.ended ? "the file ends too early" : "data between two restart markers are missing");
    return;
  }
  if (errors.msg_code == JWRN_JPEG_EOF) session.ended = true;
  if (!session.rows_done && means_damage(session)) give_up(codec);
  note_stray(session);
}

void on_progress(j_common_ptr codec) {
  Session& session = session_of(codec);
  if (session.codec.input_scan_number <= kMostScans) return;
  std::snprintf(session.reason, sizeof session.reason, "more than %d scans", kMostScans);
  leave(session);
}

bool read_header(Session& session) {
  session.codec.err = jpeg_std_error(&session.errors);
  session.errors.error_exit = give_up;
  session.errors.emit_message = on_message;
  session.codec.client_data = &session;
  if (setjmp(session.back) != 0) return false;
  jpeg_create_decompress(&session.codec);  // keeps err and client_data
  session.progress.progress_monitor = on_progress;
  session.codec.progress = &session.progress;
  jpeg_mem_src(&session.codec, session.begin, static_cast<unsigned long>(session.bytes));
  jpeg_read_header(&session.codec, TRUE);
  return true;
}

// Whether every channel was in a scan, and, if the data ended without an end marker, every bit of it.
bool has_all_scans(const Session& session) {
  const jpeg_decompress_struct& codec = session.codec;
  for (int c = 0; c < codec.num_components; ++c) {
    if (!session.scanned[codec.comp_info[c].component_id & 255]) return false;
    if (codec.coef_bits == nullptr) continue;  // not progressive
    if (codec.coef_bits[c][0] < 0) return false;
    for (int k = 0; session.ended && k < DCTSIZE2; ++k)
      if (codec.coef_bits[c][k] != 0) return false;
  }
  return true;
}

// Pillow's conversion from inverted CMYK: with n = 255 - K, R = n - C n / 255, the quotient rounded.
void cmyk_to_rgb(const std::uint8_t* in, std::int64_t width, std::uint8_t* out) {
  for (std::int64_t x = 0; x < width; ++x, in += 4, out += 3) {
    const int n = in[3];
    for (int c = 0; c < 3; ++c) {
      const int product = (255 - in[c]) * n + 128;
      out[c] = static_cast<std::uint8_t>(n - ((product + (product >> 8)) >> 8));
    }
  }
}

// Writes every row to `image`; rows of four channels pass through `four`. What comes after the last row can
// only be stray.
bool read_rows(Session& session, Image& image, std::uint8_t* four) {
  if (setjmp(session.back) != 0) {
    if (session.rows_done) note_stray(session);
    return session.rows_done;
  }
  jpeg_start_decompress(&session.codec);  // reads all scans if there are several
  if (!has_all_scans(session))
    give_up(session, session.ended ? "the file ends too early" : "a channel's scan is missing");
  while (session.codec.output_scanline < session.codec.output_height) {
    std::uint8_t* out = image.row(session.codec.output_scanline);
    JSAMPROW row = four != nullptr ? four : out;
    jpeg_read_scanlines(&session.codec, &row, 1);
    if (four != nullptr) cmyk_to_rgb(four, image.width, out);
  }
  session.rows_done = true;
  jpeg_finish_decompress(&session.codec);  // reads to the end marker
  if (session.stray[0] == '\0' && !session.ended && session.codec.src->bytes_in_buffer > 0)
    std::snprintf(session.stray, sizeof session.stray, "%zu bytes after the end marker",
                  session.codec.src->bytes_in_buffer);
  return true;
}

// The kinds of JPEG that libjpeg tells from damage; "" for all else.
std::string unsupported_kind(const Session& session) {
  const jpeg_error_mgr& errors = session.errors;
  const int parameter = errors.msg_parm.i[0];
  switch (errors.msg_code) {
    case JERR_SOF_UNSUPPORTED:
      return parameter == 0xc3 || parameter == 0xcb ? "a lossless JPEG"
                                                    : text("a JPEG of process SOF", parameter - 0xc0);
    case JERR_UNKNOWN_MARKER:
      return parameter == 0xf7 ? "a JPEG-LS" : "";
    case JERR_BAD_PRECISION:
      return text("a JPEG of ", parameter, " bits a channel");
    case JERR_ARITH_NOTIMPL:
      return "a JPEG with arithmetic coding";
    case JERR_COMPONENT_COUNT:
      return text("a JPEG of ", parameter, " channels");
    case JERR_EMPTY_IMAGE: {
      using namespace std::string_view_literals;
      const std::string_view all(reinterpret_cast<const char*>(session.begin), session.bytes);
      const bool later = session.codec.image_height == 0 && all.find("\xff\xdc\0\x04"sv) != all.npos;
      return later ? "a JPEG that gives its height after its rows (DNL)" : "";
    }
    case JERR_CCIR601_NOTIMPL:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_NOTIMPL:
    case JERR_NOT_COMPILED:
      return text("a JPEG of a rare kind (", session.reason, ")");
    default:
      return "";
  }
}

}  // namespace

DecodedImage decode_jpeg(std::string_view bytes, const std::string& name, std::int64_t max_pixels) {
  Session session;
  session.begin = reinterpret_cast<const JOCTET*>(bytes.data());
  session.bytes = bytes.size();
  const auto damaged = [&] {
    return DataError(name, ": damaged JPEG: ", static_cast<const char*>(session.reason), " (byte ",
                     session.reached, " of ", session.bytes, ")");
  };
  const auto fail = [&] {
    // A file that ended would be whole in its kind.
    const std::string kind = session.ended ? "" : unsupported_kind(session);
    if (!kind.empty()) throw UnsupportedImageError(name, kind);
    throw damaged();
  };
  if (!read_header(session)) fail();

  jpeg_decompress_struct& codec = session.codec;
  const std::int64_t height = codec.image_height;
  const std::int64_t width = codec.image_width;
  if (height * width > max_pixels) {
    throw DataError(name, ": JPEG of ", width, 'x', height, " pixels; at most ", max_pixels, " are read");
  }
  if (static_cast<std::uint64_t>(height * width) > kMostPixelsPerByte * bytes.size()) {
    throw DataError(name, ": damaged JPEG: ", bytes.size(), " bytes cannot hold ", width, 'x', height,
                    " pixels");
  }
  const bool four = codec.num_components == 4;
  if (codec.num_components != 1 && codec.num_components != 3 && !four) {
    throw UnsupportedImageError(name, text("a JPEG of ", codec.num_components, " channels"));
  }
  codec.out_color_space = four ? JCS_CMYK : JCS_RGB;
  Image image = Image::black(height, width);
  std::vector<std::uint8_t> row(four ? static_cast<std::size_t>(width * 4) : 0);
  if (!read_rows(session, image, four ? row.data() : nullptr)) fail();
  return {std::move(image), session.stray};
}

}  // namespace basin::data
