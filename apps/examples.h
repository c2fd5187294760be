// The examples of a run: training, validation and test images as the configuration asks for them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "apps/config.h"
#include "data/label_noise.h"
#include "data/load.h"
#include "data/loader.h"
#include "data/source.h"

namespace basin::apps {

/// What the images of a data set look like to a network, and what they are called.
struct ImageSet {
  std::string name;        // "cifar10"
  std::string test_split;  // the split that is evaluated on: "test", or a folder's "val"
  Shape image;             // {H,W,C}
  std::vector<std::string> class_names;
  std::vector<double> mean, deviation;  // that inputs are normalised with, a channel each
  std::int64_t classes() const { return static_cast<std::int64_t>(class_names.size()); }
};

/// The training images are, in this order: the first --limit of the set, --subset of them, without the
/// --validation images, with --label-noise. Only they are augmented, and only their labels are noisy.
struct Examples {
  ImageSet set;
  std::shared_ptr<const data::ExampleSource> train, test;
  std::shared_ptr<const data::ExampleSource> validation;  // null without --validation
  std::vector<data::DrawnLabel> noise;  // index: place in the data set's own training images
  std::vector<std::string> left_out;    // pictures that cannot be decoded, with their reasons
  std::string hash;                     // of all splits
};
/// `seed` is that of the augmentation's draws. Errors: UsageError for parts that the set has not, or options
/// that are not for it; those of load_data_set() and load_image_folders().
Examples load_examples(const DataConfig& config, std::uint64_t seed);

/// A data set's shape and classes as far as they are known without its files: a picture set is taken to have
/// the crop's size and ImageNet's thousand classes. Errors: UsageError for an unknown name.
data::DataSetInfo nominal_set(const DataConfig& config);

/// Batches of one epoch; the incomplete last one counts.
std::int64_t steps_per_epoch(const TrainConfig& config, const Examples& examples);

/// Loader of training batches from a position on. The same batches for any number of workers.
data::LoaderOptions training_batches(const TrainConfig& config, std::int64_t epoch, std::int64_t batch);

}  // namespace basin::apps
