// Files that survive: writing that is atomic and durable, reading that never trusts a length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/io/read_error.h"

namespace basin {

class FileDescriptor;

/// What write_file_atomically() hands to its caller: bytes in order, buffered.
class FileWriter {
 public:
  FileWriter(int descriptor, const std::string& path) : descriptor_(descriptor), path_(path) {}
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  /// Errors: OutputError with the system's reason.
  void write(const void* data, std::size_t bytes);
  void write(std::string_view content) { write(content.data(), content.size()); }
  /// Asks the file system to set aside the file's final size now, so that a full disk shows before the first
  /// byte; does nothing where it cannot. Errors: OutputError when there is no room.
  void reserve(std::uint64_t bytes);
  /// Hands the buffered bytes to the system.
  void flush();

 private:
  void write_through(const char* data, std::size_t bytes);

  int descriptor_;
  std::string path_;
  std::string buffer_;
};

/// Replaces the file at `path` by what `fill` writes, all or nothing, and returns when it is on the disk:
/// temporary file in the same directory, write, fsync, rename, fsync of the directory.
///
/// On every failure the temporary file is removed and `path` is as it was, with one exception: when only the
/// last step (syncing the directory) fails, the new file stands complete under `path`, and the error says so.
/// A process killed at any moment leaves the old file or the new one, whole; the temporary it may leave
/// behind is removed by the next atomic write to that directory. A new file's mode follows the umask, a
/// replaced file keeps its mode; a symbolic link is followed; a device or pipe is written directly. Errors:
/// OutputError, `[write] PATH: No space left on device; free some space ...`; whatever `fill` throws.
void write_file_atomically(const std::string& path, const std::function<void(FileWriter&)>& fill);
void write_file_atomically(const std::string& path, std::string_view content);

/// Removes the file. Errors: OutputError; a file that is not there is none.
void remove_file(const std::string& path);

/// Removes what killed writers left in a directory: the temporary files of write_file_atomically() that no
/// living process holds. Errors: none, what cannot be removed stays.
void remove_stale_temporaries(const std::string& directory);

/// A regular file open for reading. Reads are positioned and checked (pread, not mmap: a file that shrinks
/// under a map kills the process).
class InputFile {
 public:
  /// Errors: ReadError, `[read] PATH: No such file or directory`; DataError for what is no regular file.
  explicit InputFile(const std::string& path);

  const std::string& path() const { return path_; }
  /// Bytes in the file when it was opened.
  std::uint64_t size() const { return size_; }
  /// Fills `out` with the bytes from `offset` on. Errors: DataError when the file ends before; ReadError.
  void read(std::uint64_t offset, void* out, std::size_t bytes) const;

 private:
  std::string path_;
  std::shared_ptr<const FileDescriptor> descriptor_;
  std::uint64_t size_ = 0;
};

/// The content of a file. Errors: DataError when it cannot be read or has more than `limit` bytes.
std::string read_file(const std::string& path, std::uint64_t limit = std::uint64_t{1} << 30);

}  // namespace basin
