// A file that grows by whole records, each written at once, so that a killed process leaves whole records but
// perhaps the last.
#pragma once

#include <string>

namespace basin::apps {

/// Appends to a file and survives a full disk: what could not be written is kept (up to 16 MiB) and tried
/// again with the next record; the file never holds a part of a record followed by another.
class RecordFile {
 public:
  /// Opens or makes the file; a failure shows in error().
  explicit RecordFile(const std::string& path);
  ~RecordFile();
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;

  /// Appends one record, its newline included.
  void append(const std::string& record);
  /// Waits until all records are on the disk.
  void sync();
  /// Cuts the file to its first `bytes` bytes. Errors: OutputError.
  void truncate(std::size_t bytes);

  const std::string& path() const { return path_; }
  /// Why records are missing from the file, for people: "[write] PATH: No space left on device"; empty if
  /// none are.
  const std::string& error() const { return error_; }

 private:
  void fail(const char* step, int number);

  std::string path_;
  int descriptor_ = -1;
  std::size_t size_ = 0;  // of the file, whole records
  std::string pending_;   // not yet written
  std::string error_;
  bool given_up_ = false;
};

}  // namespace basin::apps
