// Appending by POSIX calls: the position is ours, so that a torn record can be overwritten.
#include "core/io/record_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/error.h"
#include "core/io/system_call.h"

namespace basin::apps {

namespace {

constexpr std::size_t kMostPending = std::size_t{16} << 20;
constexpr std::size_t kBlock = std::size_t{1} << 16, kLongestLine = std::size_t{1} << 20;

std::string failure(const char* step, const std::string& path, int number) {
  return text("[", step, "] ", path, ": ", reason(number));
}

}  // namespace

RecordFile::RecordFile(const std::string& path) : path_(path) {
  // O_NONBLOCK: a pipe without a reader must not hang us before we see that it is one.
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
  struct stat info {};
  if (descriptor_ == -1 || ::fstat(descriptor_, &info) == -1) {
    give_up("open", errno);
    return;
  }
  if (!S_ISREG(info.st_mode) && !S_ISCHR(info.st_mode)) {
    given_up_ = true;
    error_ = text("[open] ", path, ": is no regular file; move it away");
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
  cut();
  if (::fsync(descriptor_) == -1 && errno != EINVAL) fail("fsync", errno);  // EINVAL: a pipe or a device
}

void RecordFile::keep_lines(const std::function<bool(const std::string&)>& keep) {
  if (given_up_) return;
  // What is kept moves towards the front over what is not: read at `at`, written at `end`, never ahead of it.
  std::size_t at = 0, end = 0, begin = 0;  // `begin`: of the line in `line`
  std::string line, block(kBlock, '\0');
  bool too_long = false;
  while (at < size_) {
    const ssize_t got = ::pread(descriptor_, block.data(), block.size(), static_cast<off_t>(at));
    if (got == -1 && errno == EINTR) continue;
    if (got == -1) return give_up("read", errno);
    if (got == 0) break;
    for (std::size_t i = 0; i < static_cast<std::size_t>(got); ++i) {
      if (block[i] != '\n') {
        if (line.size() < kLongestLine)
          line += block[i];
        else
          too_long = true;
        continue;
      }
      if (keep(too_long ? std::string() : line) && !too_long) {
        line += '\n';
        if (begin != end &&
            ::pwrite(descriptor_, line.data(), line.size(), static_cast<off_t>(end)) != std::ssize(line))
          return give_up("write", errno);
        end += line.size();
      }
      line.clear();
      too_long = false;
      begin = at + i + 1;
    }
    at += static_cast<std::size_t>(got);
  }
  uncut_ = end != size_;
  size_ = end;
  cut();
}

void RecordFile::cut() {
  if (!uncut_) return;
  uncut_ = ::ftruncate(descriptor_, static_cast<off_t>(size_)) == -1;
  if (uncut_) fail("truncate", errno);
}

void RecordFile::fail(const char* step, int number) { error_ = failure(step, path_, number); }

void RecordFile::give_up(const char* step, int number) {
  fail(step, number);
  given_up_ = true;
}

}  // namespace basin::apps
