// Atomic, durable writing and checked reading, on POSIX calls.
#include "core/io/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "core/io/directory.h"
#include "core/io/system_call.h"

namespace basin {
namespace {

constexpr std::size_t kBufferBytes = 1 << 16;
constexpr std::string_view kTemporaryPrefix = ".basin-", kTemporarySuffix = ".tmp";

const char* remedy(int number) {
  switch (number) {
    case ENOSPC:
      return "; free some space there, or write to another disk";
    case EDQUOT:
      return "; your disk quota is used up: remove some files, or write to another disk";
    case EFBIG:
      return "; the file-size limit (ulimit -f) or the file system's largest file is too small";
    case EACCES:
    case EPERM:
      return "; check the owner and the permissions of the file and its directory";
    case EROFS:
      return "; choose a directory on a disk that can be written";
    case ENOENT:
      return "; the directory is not there, create it first";
    case ENOTDIR:
      return "; a part of the path is a file, not a directory";
    case EISDIR:
      return "; name a file in it";
    case EIO:
      return "; the disk reports an error, check it (dmesg)";
    default:
      return "";
  }
}

[[noreturn]] void output_error(const char* step, const std::string& path, int number) {
  throw OutputError("[", step, "] ", path, ": ", reason(number), remedy(number));
}

}  // namespace

/// Owns a descriptor.
class FileDescriptor {
 public:
  explicit FileDescriptor(int number) : number_(number) {}
  ~FileDescriptor() {
    if (number_ >= 0) ::close(number_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return number_; }
  /// Closes now; -1 with errno on failure. EINTR is no failure: Linux has released the descriptor by then.
  int close() {
    const int number = std::exchange(number_, -1);
    int result = ::close(number);
    if (const int injected = injected_fault("close")) {
      errno = injected;
      result = -1;
    }
    return result == -1 && errno != EINTR ? -1 : 0;
  }

 private:
  int number_;
};

namespace {

/// The path with a symbolic link at its end followed.
std::string followed(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0 && S_ISLNK(info.st_mode)) {
    const std::unique_ptr<char, void (*)(void*)> target(::realpath(path.c_str(), nullptr), std::free);
    if (target) return target.get();
  }
  return path;
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// A new file under a temporary name, locked as long as it lives, so that remove_stale_temporaries() of other
/// threads and processes tells it from one whose writer was killed. Removed unless renamed.
class Temporary {
 public:
  Temporary(const std::string& directory, const std::string& target) : target_(target) {
    static std::atomic<unsigned> counter{0};
    while (true) {
      path_ = text(directory, '/', kTemporaryPrefix, ::getpid(), '-', counter++, kTemporarySuffix);
      const int number = system_call(
          "open", [&] { return ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666); });
      if (number == -1 && errno == EEXIST) continue;
      if (number == -1) output_error("write", target, errno);
      file_ = std::make_unique<FileDescriptor>(number);
      // Between open and flock a cleaner may have taken the lock, or removed the file: then try another name.
      struct stat info {};
      const bool taken = ::flock(number, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK;
      if (!taken && ::fstat(number, &info) == 0 && info.st_nlink > 0) return;
      ::unlink(path_.c_str());
    }
  }
  ~Temporary() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  int descriptor() const { return file_->get(); }

  /// Brings the bytes to the disk, then gives the file its name.
  void publish() {
    if (system_call("fsync", [&] { return ::fsync(file_->get()); }) == -1)
      output_error("fsync", target_, errno);
    const FileDescriptor lock(::dup(file_->get()));  // the lock must outlive the close that is checked
    if (file_->close() == -1) output_error("close", target_, errno);
    if (system_call("rename", [&] { return ::rename(path_.c_str(), target_.c_str()); }) == -1)
      output_error("rename", target_, errno);
    path_.clear();
  }

 private:
  std::string target_, path_;
  std::unique_ptr<FileDescriptor> file_;
};

}  // namespace

void FileWriter::write(const void* data, std::size_t bytes) {
  if (buffer_.size() + bytes > kBufferBytes) flush();
  if (bytes > kBufferBytes)
    write_through(static_cast<const char*>(data), bytes);
  else
    buffer_.append(static_cast<const char*>(data), bytes);
}

void FileWriter::flush() {
  write_through(buffer_.data(), buffer_.size());
  buffer_.clear();
}

void FileWriter::write_through(const char* data, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t written = system_call("write", [&] { return ::write(descriptor_, data, bytes); });
    if (written == -1) output_error("write", path_, errno);
    data += written;
    bytes -= static_cast<std::size_t>(written);
  }
}

void FileWriter::reserve(std::uint64_t bytes) {
  if (bytes == 0) return;
  const int result = system_call("fallocate", [&] {
    return ::fallocate(descriptor_, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(bytes));
  });
  if (result == -1 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EIO))
    throw OutputError("[write] ", path_, ": ", reason(errno), " (", bytes, " bytes wanted)", remedy(errno));
}

void write_file_atomically(const std::string& path, const std::function<void(FileWriter&)>& fill) {
  const std::string target = followed(path);
  struct stat old {};
  const bool exists = ::stat(target.c_str(), &old) == 0;
  if (exists && S_ISDIR(old.st_mode)) output_error("write", path, EISDIR);
  if (exists && !S_ISREG(old.st_mode)) {  // a device or pipe: renaming over it would destroy it
    FileDescriptor device(system_call("open", [&] { return ::open(target.c_str(), O_WRONLY | O_CLOEXEC); }));
    if (device.get() == -1) output_error("write", path, errno);
    FileWriter writer(device.get(), path);
    fill(writer);
    writer.flush();
    if (device.close() == -1) output_error("close", path, errno);
    return;
  }

  const std::string directory = directory_of(target);
  const FileDescriptor parent(
      system_call("open", [&] { return ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (parent.get() == -1) output_error("write", path, errno);
  remove_stale_temporaries(directory);

  Temporary temporary(directory, target);
  if (exists) static_cast<void>(::fchmod(temporary.descriptor(), old.st_mode & 07777));
  FileWriter writer(temporary.descriptor(), path);
  fill(writer);
  writer.flush();
  temporary.publish();
  if (const int number = fsync_directory(parent.get()))
    throw OutputError("[fsync] ", directory, ": ", reason(number), "; ", path,
                      " is complete, but would be lost if the machine stopped now", remedy(number));
}

void write_file_atomically(const std::string& path, std::string_view content) {
  write_file_atomically(path, [&](FileWriter& writer) { writer.write(content); });
}

void remove_file(const std::string& path) {
  if (system_call("unlink", [&] { return ::unlink(path.c_str()); }) == -1 && errno != ENOENT)
    output_error("remove", path, errno);
}

void remove_stale_temporaries(const std::string& directory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(directory.c_str()), ::closedir);
  if (!entries) return;
  while (const dirent* entry = ::readdir(entries.get())) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with(kTemporaryPrefix) || !name.ends_with(kTemporarySuffix)) continue;
    const std::string path = text(directory, '/', name);
    const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (file.get() != -1 && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0) ::unlink(path.c_str());
  }
}

InputFile::InputFile(const std::string& path) : path_(path) {
  const auto fail = [&](int number) { throw ReadError(number, text("[read] ", path, ": ", reason(number))); };
  // O_NONBLOCK: a pipe without a writer must not hang us before we see that it is one.
  const int number =
      system_call("open", [&] { return ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC); });
  if (number == -1 && errno == ENXIO)
    throw DataError("[read] ", path, ": is a socket or device, a regular file is expected");
  if (number == -1) fail(errno);
  descriptor_ = std::make_shared<const FileDescriptor>(number);
  struct stat info {};
  if (system_call("fstat", [&] { return ::fstat(number, &info); }) == -1) fail(errno);
  if (!S_ISREG(info.st_mode))
    throw DataError("[read] ", path, ": is ", S_ISDIR(info.st_mode) ? "a directory" : "a device or pipe",
                    ", a regular file is expected");
  size_ = static_cast<std::uint64_t>(info.st_size);
}

void InputFile::read(std::uint64_t offset, void* out, std::size_t bytes) const {
  if (offset > size_ || bytes > size_ - offset)
    throw DataError("[read] ", path_, ": ends at byte ", size_, ", bytes ", offset, " to ", offset, "+",
                    bytes, " are wanted");
  char* to = static_cast<char*>(out);
  while (bytes > 0) {
    const ssize_t got = system_call(
        "pread", [&] { return ::pread(descriptor_->get(), to, bytes, static_cast<off_t>(offset)); });
    if (got == -1) throw ReadError(errno, text("[read] ", path_, ": ", reason(errno)));
    if (got == 0) throw DataError("[read] ", path_, ": was ", size_, " bytes and now ends at byte ", offset);
    to += got;
    offset += static_cast<std::uint64_t>(got);
    bytes -= static_cast<std::size_t>(got);
  }
}

std::string read_file(const std::string& path, std::uint64_t limit) {
  const InputFile file(path);
  if (file.size() > limit)
    throw DataError("[read] ", path, ": has ", file.size(), " bytes, at most ", limit, " are expected");
  std::string content(static_cast<std::size_t>(file.size()), '\0');
  file.read(0, content.data(), content.size());
  return content;
}

}  // namespace basin
