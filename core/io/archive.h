// Archive: named tensors and text in one file of the safetensors format, which every other program reads too.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/io/files.h"
#include "core/tensor.h"

namespace basin {

/// How a tensor lies in files: as in memory, or as other frameworks keep convolution weights: {KH,KW,I,O} in
/// memory is {O,I,KH,KW} in the file.
enum class FileLayout { plain, convolution };

/// {KH,KW,I,O} to {O,I,KH,KW} and back, bit for bit, any dtype. Errors: ArgumentError for a rank other
/// than 4.
Tensor to_file_layout(const Tensor& memory);
Tensor from_file_layout(const Tensor& file);

/// How the format spells a dtype: F32, F64, BF16, I64, U8.
std::string_view file_dtype(Dtype dtype);

/// One tensor to write, as it is in memory.
struct ArchiveEntry {
  std::string name;
  Tensor tensor;
  FileLayout layout = FileLayout::plain;
};

/// A file that the system does not let us read, though it may be whole.
struct UnreadableError : CheckpointError {
  UnreadableError(int error_number, const std::string& message)
      : CheckpointError(message), number(error_number) {}
  int number;  // errno
};

using ArchiveMetadata = std::map<std::string, std::string>;

/// Writes the entries and the metadata to `path`, atomically and durably (write_file_atomically), with a
/// CRC-32C of each tensor and of the header. The bytes depend on names, numbers and metadata only, not on the
/// order of entries; memory beyond the entries: one tensor at most, and copies of those that are on a device.
/// Errors: ArgumentError for a name or metadata key that is used twice, reserved or not UTF-8, an undefined
/// tensor; OutputError.
void write_archive(const std::string& path, const std::vector<ArchiveEntry>& entries,
                   const ArchiveMetadata& metadata = {});

/// What the header says of a tensor.
struct ArchiveTensor {
  std::string name;
  std::string dtype;         // as the format spells it: F32, F64, I64, U8, also others: F16, BF16, ...
  Shape shape;               // as in the file
  std::uint64_t offset = 0;  // of its first byte in the file
  std::uint64_t bytes = 0;
  std::optional<std::uint32_t> crc;  // absent in files of other programs
};

/// A safetensors file open for reading. Opening reads and checks the header alone, against the file's size:
/// whatever it claims, memory stays a small multiple of the header, and reads stay in the file. Tensors are
/// read when asked for. Every failure is a CheckpointError, `[archive] PATH: reason`.
class Archive {
 public:
  /// Errors: UnreadableError; breaks a rule of the format (docs/files.md lists them); a header that does not
  /// match its checksum.
  explicit Archive(const std::string& path);

  const std::string& path() const { return file_.path(); }
  /// In the order of the data in the file.
  const std::vector<ArchiveTensor>& tensors() const { return tensors_; }
  std::vector<std::string> names() const;
  bool contains(const std::string& name) const { return index_.count(name) > 0; }
  /// The entry of that name. Errors: there is none.
  const ArchiveTensor& at(const std::string& name) const;
  /// The text of the file, its checksums left out.
  const ArchiveMetadata& metadata() const { return metadata_; }
  /// Whether the file carries checksums: always if Basin wrote it, never if another program did.
  bool checksummed() const { return checksummed_; }

  /// The numbers of that name, in memory's layout; F16 and BF16 as f32, exactly. Errors: no such name,
  /// another dtype that Tensor does not have, numbers that do not match their checksum, a file that has
  /// changed since it was opened.
  Tensor read(const std::string& name, FileLayout layout = FileLayout::plain) const;
  /// Reads everything once and compares the checksums. Errors: as read().
  void verify() const;

 private:
  void parse(const std::string& header);
  void check_spans(std::uint64_t data_bytes) const;
  void take_checksums(const std::string& header, std::size_t header_crc_at);
  void read_bytes(std::uint64_t offset, void* out, std::size_t bytes) const;
  void check_sum(const ArchiveTensor& tensor, std::uint32_t crc) const;
  template <class... Parts>
  [[noreturn]] void fail(const Parts&... reason) const;

  InputFile file_;
  std::vector<ArchiveTensor> tensors_;
  std::unordered_map<std::string, std::size_t> index_;
  ArchiveMetadata metadata_;
  bool checksummed_ = false;
};

}  // namespace basin
