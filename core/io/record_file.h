// A file that grows by whole records, each written at once, so that a killed process leaves whole records but
// perhaps the last.
#pragma once

#include <functional>
#include <string>

namespace basin::apps {

/// Appends to a file and survives a full disk: what could not be written is kept (up to 16 MiB) and tried
/// again with the next record; the file never holds a part of a record followed by another.
class RecordFile {
 public:
  /// Opens or makes the file; a failure shows in error(), and so does something that is no file.
  explicit RecordFile(const std::string& path);
  ~RecordFile();
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;

  /// Appends one record, its newline included.
  void append(const std::string& record);
  /// Waits until all records are on the disk.
  void sync();
  /// Goes through the whole lines of the file, without their ends, and leaves those that `keep` accepts; a
  /// torn last line goes too. When the file cannot be read it stays as it is, which shows in error(), and
  /// takes no further records. To be called before the first append().
  void keep_lines(const std::function<bool(const std::string& line)>& keep);

  const std::string& path() const { return path_; }
  /// Why records are missing from the file, for people: "[write] PATH: No space left on device"; empty if
  /// none are.
  const std::string& error() const { return error_; }

 private:
  void cut();
  void fail(const char* step, int number);
  void give_up(const char* step, int number);

  std::string path_;
  int descriptor_ = -1;
  std::size_t size_ = 0;  // of the file, whole records
  std::string pending_;   // not yet written
  std::string error_;
  bool given_up_ = false;
  bool uncut_ = false;  // bytes beyond size_ could not be cut off yet
};

}  // namespace basin::apps
