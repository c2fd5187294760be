// Appending by POSIX calls: the position is ours, so that a torn record can be overwritten.
#include "apps/record_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/error.h"

namespace basin::apps {

namespace {

constexpr std::size_t kMostPending = std::size_t{16} << 20;

std::string reason(const char* step, const std::string& path, int number) {
  return text("[", step, "] ", path, ": ", std::generic_category().message(number));
}

}  // namespace

RecordFile::RecordFile(const std::string& path) : path_(path) {
  descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  struct stat info {};
  if (descriptor_ == -1 || ::fstat(descriptor_, &info) == -1) {
    fail("open", errno);
    given_up_ = true;
    return;
  }
  size_ = static_cast<std::size_t>(info.st_size);
}

RecordFile::~RecordFile() {
  if (descriptor_ != -1) ::close(descriptor_);
}

void RecordFile::append(const std::string& record) {
  if (given_up_) return;
  pending_ += record;
  std::size_t written = 0;
  while (written < pending_.size()) {
    const ssize_t n = ::pwrite(descriptor_, pending_.data() + written, pending_.size() - written,
                               static_cast<off_t>(size_ + written));
    if (n == -1 && errno == EINTR) continue;
    if (n == -1) {
      fail("write", errno);
      // Take back a part of a record; if even that fails, the next attempt writes over it.
      if (::ftruncate(descriptor_, static_cast<off_t>(size_)) == -1) errno = 0;
      if (pending_.size() > kMostPending) {
        given_up_ = true;
        pending_ = {};
      }
      return;
    }
    written += static_cast<std::size_t>(n);
  }
  size_ += written;
  pending_.clear();
  error_.clear();
}

void RecordFile::sync() {
  if (given_up_) return;
  if (!pending_.empty()) append("");
  if (::fsync(descriptor_) == -1 && errno != EINVAL) fail("fsync", errno);  // EINVAL: a pipe or a device
}

void RecordFile::truncate(std::size_t bytes) {
  if (descriptor_ == -1) throw OutputError(error_);
  if (::ftruncate(descriptor_, static_cast<off_t>(bytes)) == -1)
    throw OutputError(reason("truncate", path_, errno));
  size_ = bytes;
  pending_.clear();
}

void RecordFile::fail(const char* step, int number) { error_ = reason(step, path_, number); }

}  // namespace basin::apps
