// Files read front to back, plain or gzip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/io/files.h"

namespace basin::data {

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  /// The file, for messages.
  virtual const std::string& name() const = 0;
  /// Up to `bytes` bytes into `out`; fewer only at the end. Errors: DataError naming the file.
  virtual std::size_t read(void* out, std::size_t bytes) = 0;
  /// Passes over so many bytes; false if the end comes first. Errors: as read().
  virtual bool skip(std::uint64_t bytes) = 0;
};

/// A file as it is.
class PlainStream : public ByteStream {
 public:
  explicit PlainStream(const std::string& path) : file_(path) {}
  const std::string& name() const override { return file_.path(); }
  std::size_t read(void* out, std::size_t bytes) override;
  bool skip(std::uint64_t bytes) override;

 private:
  InputFile file_;
  std::uint64_t at_ = 0;
};

/// A gzip file unpacked; a file that is not gzip as it is.
class GzipStream : public ByteStream {
 public:
  /// Errors: DataError naming the path: missing, no regular file.
  explicit GzipStream(const std::string& path);
  ~GzipStream() override;
  const std::string& name() const override { return path_; }
  /// Errors: also gzip data that are cut off or damaged.
  std::size_t read(void* out, std::size_t bytes) override;
  bool skip(std::uint64_t bytes) override;
  /// Ends the reading. Errors: a gzip stream without its proper end.
  void close();

 private:
  struct File;  // zlib's
  void check() const;

  std::string path_;
  std::unique_ptr<File> file_;
};

}  // namespace basin::data
