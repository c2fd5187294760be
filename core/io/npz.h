// NumPy's files: arrays by name in a zip file, numpy.savez's way; numpy.load reads them.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "core/io/archive.h"

namespace basin {

/// Writes the entries in their order to `path`, atomically: a zip file of stored members "NAME.npy", each an
/// array in format 1.0 (little-endian, row-major, header padded to a multiple of 64 bytes); bf16, for which
/// NumPy has no type, becomes f32. Convolution
/// weights are {O,I,KH,KW}, as in safetensors files. Metadata, if there are any, become the last array,
/// "__metadata__": bytes (u1) of a JSON object of texts. Dates are 1980-01-01, so that the bytes depend on
/// names, numbers, order and metadata only. Memory beyond the entries: one tensor, and copies of
/// those that are on a device. Errors: ArgumentError for a name that is used twice, empty or not UTF-8, an
/// undefined tensor, more than 65,535 entries, 4 GiB or more (a zip file's limits without its 64-bit
/// extension); OutputError.
void write_npz(const std::string& path, const std::vector<ArchiveEntry>& entries,
               const ArchiveMetadata& metadata = {});

/// An npz file open for reading, written here or by numpy.savez or numpy.savez_compressed. Opening reads the
/// zip directory and the arrays' headers and checks them against each other and the file's size; an array's
/// numbers are read when asked for and compared with their checksum. No length is believed before it is known
/// to fit: deflate makes 1,032 bytes of one at most, so memory stays in that proportion to the file. Every
/// failure is a CheckpointError, `[npz] PATH: reason`.
///
/// Read: members stored or deflated; headers 1.0, 2.0, 3.0; little-endian f2, f4, f8, i8, and u1; C and
/// Fortran order. Refused: Python objects (they are pickles), records, big-endian and other types,
/// encryption, the 64-bit extension of zip, members that are not arrays.
class NpzFile {
 public:
  explicit NpzFile(const std::string& path);

  const std::string& path() const { return file_.path(); }
  /// Names (without ".npy"), dtypes in the words of safetensors, shapes, in the order of the directory.
  const std::vector<ArchiveTensor>& tensors() const { return tensors_; }
  /// What write_npz() was given; an array "__metadata__" of another form is one of the tensors.
  const ArchiveMetadata& metadata() const { return metadata_; }
  /// The numbers of that name, in memory's layout; F16 as f32, exactly. Errors: no such name, numbers that do
  /// not match their checksum, a file that has changed since it was opened.
  Tensor read(const std::string& name, FileLayout layout = FileLayout::plain) const;

 private:
  /// Where an array lies, and how.
  struct Member {
    std::uint64_t offset, packed, size;  // of its first byte in the file; bytes there; bytes unpacked
    std::uint32_t crc;
    bool deflated;
    std::uint64_t header = 0;  // bytes before the numbers
    Dtype dtype = Dtype::f32;  // in memory
    bool half = false;         // of two bytes in the file
    bool fortran = false;
  };
  struct Directory;

  Directory find_directory() const;
  Member locate(std::uint64_t local_record, Member member, const std::string& name) const;
  void read_header(const std::string& name, Member member);
  void take_metadata();
  template <class... Parts>
  [[noreturn]] void fail(const Parts&... reason) const;

  InputFile file_;
  std::vector<ArchiveTensor> tensors_;
  std::vector<Member> members_;  // as tensors_
  std::unordered_map<std::string, std::size_t> index_;
  ArchiveMetadata metadata_;
};

}  // namespace basin
