// Data sets by name: what `--data NAME --data-dir DIR` means.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/sets/dataset.h"
#include "data/sets/synthetic.h"
#include "data/watch.h"

namespace basin::data {

/// A data set that load_data_set() knows.
struct DataSetInfo {
  std::string name;     // "cifar10"
  std::string summary;  // "60,000 colour photographs, 32x32, 10 classes"
  std::string source;   // how to get the files; empty if none are needed
  Shape image;          // {H,W,C} of one image (synthetic: unless asked otherwise)
  std::int64_t classes = 0;
};

/// All of them, for help texts and for suggestions after a typing error.
const std::vector<DataSetInfo>& known_data_sets();

/// What to load.
struct DataRequest {
  std::string name{};      // one of known_data_sets()
  std::string dir{};       // where its files are; may be empty for fashion-mnist (Debian's folder), synthetic
  std::int64_t limit = 0;  // keep the first so many training images; 0 keeps all
  std::uint64_t seed = 0;  // synthetic only: which data are drawn (not the training seed)
  SyntheticOptions synthetic{};  // synthetic only
  Watch watch{};                 // of each file's bytes or images
};

struct LoadedData {
  Dataset train{};
  Dataset test{};
};

/// Reads a whole data set into memory. Folders: docs/data.md.
/// Errors: UsageError for an unknown name or a limit above the number of images; DataError (exit 3) naming
/// file and reason for data that are missing, damaged or foreign.
LoadedData load_data_set(const DataRequest& request);

}  // namespace basin::data
