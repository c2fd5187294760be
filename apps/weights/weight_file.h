// WeightFile: a file of named tensors, safetensors or npz, open for reading.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "core/io/archive.h"
#include "core/io/npz.h"

namespace basin::apps {

/// The key of a checkpoint's metadata that holds its position: a file with it is a checkpoint.
inline constexpr const char* kPositionKey = "basin";

/// A safetensors file (core/io/archive.h) or, by its first bytes, an npz file (core/io/npz.h). Errors:
/// CheckpointError; for a file of torch.save's or numpy.save's it says how to convert it.
class WeightFile {
 public:
  explicit WeightFile(const std::string& path);

  const std::string& path() const;
  const std::vector<ArchiveTensor>& tensors() const;
  std::vector<std::string> names() const;
  /// The tensor of that name. Errors: there is none.
  const ArchiveTensor& at(const std::string& name) const;
  /// The texts beside the tensors.
  const ArchiveMetadata& metadata() const;
  /// The numbers of that name, in memory's layout; F16 and BF16 as f32, exactly. Errors: those of
  /// Archive::read() and NpzFile::read().
  Tensor read(const std::string& name, FileLayout layout = FileLayout::plain) const;
  /// Reads everything once; true if the file has checksums to compare with. Errors: as read().
  bool verify() const;

 private:
  std::variant<Archive, NpzFile> file_;
};

/// The shell command that turns a file of torch.save (a state_dict, a dictionary that holds one, or a whole
/// module) into PATH.safetensors. It unpickles: for files that one trusts.
std::string torch_conversion(const std::string& path);

}  // namespace basin::apps
