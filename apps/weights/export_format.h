// The formats that `basin export` writes: one row each.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/weights/identity.h"
#include "core/io/archive.h"
#include "nn/module.h"

namespace basin::apps {

/// What is exported: a model that holds its weights, and what else a file may want to say.
struct ExportSource {
  nn::Module& model;
  Identity identity;                    // model, image and classes are known
  Dtype dtype = Dtype::f32;             // of weights and activations
  std::vector<ArchiveEntry> tensors{};  // weight_entries() of the model
};

/// What of the source was found in the file again.
struct Compared {
  std::int64_t tensors = 0, numbers = 0;
};

struct ExportFormat {
  std::string name;    // "safetensors"
  std::string ending;  // ".safetensors"
  std::string about;   // one line for people: what reads it
  /// Writes the file atomically. Errors: OutputError; ArgumentError for a model that the format cannot hold.
  void (*write)(const ExportSource& source, const std::string& path);
  /// Reads the file back and compares every tensor of the source that the format holds, bit for bit, and
  /// the metadata. Errors: CheckFailedError naming the first that differs; CheckpointError for a file that
  /// cannot be read.
  Compared (*check)(const ExportSource& source, const std::string& path);
};

const std::vector<ExportFormat>& export_formats();

/// The format of that name, or for "auto" by the ending of `path`. Errors: UsageError naming those there are.
const ExportFormat& export_format(const std::string& name, const std::string& path);

/// Compares one tensor of the source with what a file gave back for it. Errors: CheckFailedError for another
/// dtype, shape or bit.
void expect_equal(const std::string& path, const ArchiveEntry& written, const Tensor& read);

}  // namespace basin::apps
