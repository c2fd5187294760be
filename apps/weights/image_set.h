// ImageSet: what the images of a data set look like to a network, and what they are called.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/shape.h"

namespace basin::apps {

struct ImageSet {
  std::string name;        // "cifar10"
  std::string test_split;  // the split that is evaluated on: "test", or a folder's "val"
  Shape image;             // {H,W,C}
  std::vector<std::string> class_names;
  std::vector<double> mean{}, deviation{};  // that inputs are normalised with, a channel each
  bool own_normalisation = true;            // false: one that load_run_data() was given
  std::int64_t classes() const { return static_cast<std::int64_t>(class_names.size()); }
};

}  // namespace basin::apps
