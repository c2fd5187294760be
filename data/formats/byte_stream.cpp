#include "data/formats/byte_stream.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "data/formats/file.h"

namespace basin::data {

std::size_t PlainStream::read(void* out, std::size_t bytes) {
  const auto now = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, file_.size() - at_));
  file_.read(at_, out, now);
  at_ += now;
  return now;
}

bool PlainStream::skip(std::uint64_t bytes) {
  if (bytes > file_.size() - at_) return false;
  at_ += bytes;
  return true;
}

struct GzipStream::File {
  gzFile handle = nullptr;
  ~File() {
    if (handle != nullptr) gzclose_r(handle);
  }
};

GzipStream::GzipStream(const std::string& path) : path_(path), file_(std::make_unique<File>()) {
  regular_file_size(path);
  errno = 0;
  file_->handle = gzopen(path.c_str(), "rb");
  if (file_->handle == nullptr)
    throw DataError(path, ": cannot be opened: ", errno != 0 ? std::strerror(errno) : "no memory");
  gzbuffer(file_->handle, 1u << 17);
}

GzipStream::~GzipStream() = default;

std::size_t GzipStream::read(void* out, std::size_t bytes) {
  auto* to = static_cast<std::uint8_t*>(out);
  std::size_t done = 0;
  while (done < bytes) {
    const auto piece = static_cast<unsigned>(std::min(bytes - done, std::size_t{1} << 20));
    const int got = gzread(file_->handle, to + done, piece);
    check();
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

bool GzipStream::skip(std::uint64_t bytes) {
  std::array<char, 1 << 14> passed{};
  while (bytes > 0) {
    const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, passed.size()));
    if (read(passed.data(), piece) < piece) return false;
    bytes -= piece;
  }
  return true;
}

void GzipStream::close() {
  if (gzclose_r(std::exchange(file_->handle, nullptr)) != Z_OK)
    throw DataError(path_, ": gzip data is cut off");
}

// A cut or damaged gzip stream shows here only: gzread just returns fewer bytes.
void GzipStream::check() const {
  int code = Z_OK;
  const char* reason = gzerror(file_->handle, &code);
  if (code == Z_OK || code == Z_STREAM_END) return;
  if (code == Z_ERRNO) throw DataError(path_, ": cannot be read: ", std::strerror(errno));
  if (code == Z_BUF_ERROR) throw DataError(path_, ": gzip data is cut off; fetch the file again");
  // zlib's text repeats the path; what follows the last ": " is the reason.
  const std::string whole = reason != nullptr ? reason : "";
  const std::size_t colon = whole.rfind(": ");
  throw DataError(path_, ": gzip data is damaged (",
                  colon == std::string::npos ? whole : whole.substr(colon + 2), "); fetch the file again");
}

}  // namespace basin::data
