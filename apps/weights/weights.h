// Weights as files: written for every program that reads safetensors, read from those that write it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/weights/identity.h"
#include "apps/weights/weight_file.h"
#include "autograd/inventory.h"
#include "core/io/archive.h"

namespace basin::apps {

template <class T>
concept Described = requires(T& object, Inventory& it) {
  object.describe(it);
};

/// Parameters and buffers under the names and in the layouts that files have. Errors: ArgumentError for a
/// model whose statistics are undefined: nothing could evaluate the file.
std::vector<ArchiveEntry> weight_entries(const Entries& model);

/// The metadata of a file of weights: the identity's, and the word that some loaders insist on.
ArchiveMetadata weight_metadata(const Identity& identity);

/// Writes weight_entries() and what is known of the network. Equal tensors and identities give equal bytes;
/// there is no date in the file. Errors: OutputError; NumericalError for a number that is not finite; those
/// of weight_entries().
void save_weights(const std::string& path, const Entries& model, const Identity& identity = {});
template <Described Model>
void save_weights(const std::string& path, Model& model, const Identity& identity = {}) {
  save_weights(path, entries_of(model), identity);
}

struct LoadOptions {
  std::string head{};        // the model's last layer: "fc"
  bool ignore_head = false;  // it keeps its values, whatever the file has of it
  Identity wanted{};         // of the model, for the words of errors
  /// Of each row of the model's head the row of the file's; empty: in the same order.
  std::vector<std::int64_t> head_rows{};
  /// Positions of a vision transformer for another number of patches are resized (resized_positions()).
  bool resize_positions = false;
};

/// What load_weights() did.
struct LoadReport {
  std::string prefix{};           // that the names had in the file: "module."
  std::int64_t tensors = 0;       // read
  std::int64_t renamed = 0;       // of those, under other programs' names (apps/weights/weight_names.h)
  std::int64_t left_out = 0;      // of the ignored head
  std::int64_t converted = 0;     // of those read, from another dtype
  std::string resized_words{};    // "positions of 14 x 14 patches resized to 7 x 7"; empty if none were
  std::string converted_words{};  // "from F64, rounded to f32"; empty if none was
};
/// "62 tensors, named module...., 4 of them under other names, 62 converted from F16, exactly".
std::string in_words(const LoadReport& report);

/// Copies the weights of a file into a model, in place: of save_weights(), of a checkpoint, or of another
/// program, under its names and prefixes (apps/weights/weight_names.h). F16, BF16, F32 and F64 become the
/// model's dtype: exactly, or from F64 to f32 rounded to the nearest. Counters (num_batches_tracked) are read
/// where the file has them and never missed. Names, shapes and dtypes are checked before anything is written.
/// Errors: CheckpointError listing what is missing, unexpected, or of another shape or dtype, and what the
/// file says of itself that differs; for a number that f32 cannot hold; those of WeightFile.
/// NumericalError naming the first tensor with a NaN or an infinity; the model is then written all the same.
LoadReport load_weights(const std::string& path, const Entries& model, const LoadOptions& options = {});
template <Described Model>
LoadReport load_weights(const std::string& path, Model& model, const LoadOptions& options = {}) {
  return load_weights(path, entries_of(model), options);
}

/// The tensor that load_weights() would read for that parameter or buffer of `model`, as the file's header
/// has it. Errors: CheckpointError, there is none.
const ArchiveTensor& find_weight(const WeightFile& file, const Entries& model, const std::string& name);

}  // namespace basin::apps
