// Labelled images held in memory: what every reader of this folder returns and everything else consumes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace basin::data {

/// One split of a data set. Copies share the pixels; nobody writes to them.
struct Dataset {
  std::string name{};                      // "cifar10"
  std::string split{};                     // "train" or "test"
  Tensor images{};                         // u8 {N,H,W,C}
  std::vector<std::int64_t> labels{};      // N values in [0, classes())
  std::vector<std::string> class_names{};  // one a class
  std::vector<double> mean{};              // of each channel, in units where 255 is 1
  std::vector<double> deviation{};         // same units, > 0
  std::string hash{};                      // content_hash() of the fields above

  std::int64_t size() const { return static_cast<std::int64_t>(labels.size()); }
  std::int64_t height() const { return images.size(1); }
  std::int64_t width() const { return images.size(2); }
  std::int64_t channels() const { return images.size(3); }
  std::int64_t classes() const { return static_cast<std::int64_t>(class_names.size()); }
};

/// SHA-256 of the line "basin-images N H W C K\n", the labels (8 bytes each, little-endian), the pixels.
/// Names and normalisation are not part of it.
std::string content_hash(const Dataset& set);

/// Checks the fields against each other (shapes, labels in range, normalisation usable) and returns the set
/// with its hash. Errors: DataError naming set, split and position.
Dataset finished(Dataset set);

/// The first n examples, sharing pixels, with the hash of these. Errors: UsageError unless 1 <= n <= size.
Dataset first(const Dataset& set, std::int64_t n);

}  // namespace basin::data
