// Weights as files: written for every program that reads safetensors, read from those that write it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "autograd/inventory.h"
#include "core/archive.h"

namespace basin::apps {

template <class T>
concept Described = requires(T& object, Inventory& it) {
  object.describe(it);
};

/// Parameters and buffers under the names and in the layouts that files have. Errors: ArgumentError for a
/// model whose statistics are undefined: nothing could evaluate the file.
std::vector<ArchiveEntry> weight_entries(const Entries& model);

/// Writes weight_entries(). Equal tensors give equal bytes; there is no date in the file. Errors:
/// OutputError; NumericalError for a number that is not finite; those of weight_entries().
void save_weights(const std::string& path, const Entries& model);
template <Described Model>
void save_weights(const std::string& path, Model& model) {
  save_weights(path, entries_of(model));
}

struct LoadOptions {
  std::string head{};        // the model's last layer: "fc"
  bool ignore_head = false;  // it keeps its values, whatever the file has of it
  bool read = true;          // false: check alone, by the file's header
};

/// What load_weights() did.
struct LoadReport {
  std::string prefix{};       // that the names had in the file: "module."
  std::int64_t tensors = 0;   // read
  std::int64_t renamed = 0;   // of those, under other programs' names (apps/weight_names.h)
  std::int64_t left_out = 0;  // of the ignored head
};

/// Copies the weights of a file into a model, in place: of save_weights(), of a checkpoint, or of another
/// program, under its names and prefixes (apps/weight_names.h). Counters (num_batches_tracked) are read where
/// the file has them and never missed. Checks everything before it writes anything. Errors: CheckpointError
/// listing what is missing, unexpected, or of another shape or dtype; for a file of numpy's or torch.save's
/// it says how to convert it. NumericalError naming the first tensor with a NaN or an infinity; the model is
/// then written all the same.
LoadReport load_weights(const std::string& path, const Entries& model, const LoadOptions& options = {});
template <Described Model>
LoadReport load_weights(const std::string& path, Model& model, const LoadOptions& options = {}) {
  return load_weights(path, entries_of(model), options);
}

/// Opens a file for load_weights(). Errors: CheckpointError; for a file of numpy's or torch.save's it says
/// how to convert it.
Archive open_weights(const std::string& path);

/// The tensor that load_weights() would read for that parameter or buffer of `model`, as the file's header
/// has it. Errors: CheckpointError, there is none.
const ArchiveTensor& find_weight(const Archive& archive, const Entries& model, const std::string& name);

}  // namespace basin::apps
