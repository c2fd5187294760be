// ChosenImages: which images of a set a run trains on and holds out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/config/data.h"
#include "data/loading/label_noise.h"

namespace basin::apps {

/// What --subset, --validation and --label-noise choose of a set, in this order, each of what the step before
/// left.
struct ChosenImages {
  std::vector<std::int64_t> train{};       // places in the whole
  std::vector<std::int64_t> validation{};  // the same; empty without --validation
  std::vector<std::int64_t> labels{};      // of the training images, noisy
  std::vector<data::DrawnLabel> noise{};   // index: place in the whole
};

/// Chooses by labels alone: no picture is copied or decoded before it is known to be wanted. `name` and
/// `split` are for errors. Errors: UsageError for more images than there are.
ChosenImages choose_images(const std::string& name, const std::string& split,
                           std::vector<std::int64_t> labels, const std::vector<std::string>& class_names,
                           const DataConfig& config);

}  // namespace basin::apps
