// RunData: the training, validation and test images of a run as the configuration asks for them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "apps/cli/long_work.h"
#include "apps/cli/terminal.h"
#include "apps/config/train_config.h"
#include "apps/runs/data_files.h"
#include "apps/weights/image_set.h"
#include "data/loading/folder_source.h"
#include "data/loading/label_noise.h"
#include "data/loading/loader.h"
#include "data/loading/source.h"
#include "data/sets/load.h"

namespace basin::apps {

/// What inputs are normalised with, a channel each: (x - mean) / deviation in units where 255 is 1. Empty: as
/// the data set has it.
struct Normalisation {
  std::vector<double> mean{}, deviation{};
};

/// The training images are, in this order: the first --limit of the set, --subset of them, without the
/// --validation images, with --label-noise. Only they are augmented, and only their labels are noisy.
struct RunData {
  ImageSet set;
  std::shared_ptr<const data::ExampleSource> train, test;
  std::shared_ptr<const data::ExampleSource> validation;   // null without --validation
  std::shared_ptr<const data::ExampleSource> plain_train;  // as test images are seen; null unless asked for
  std::vector<data::DrawnLabel> noise;  // index: place in the data set's own training images
  std::vector<std::string> left_out;    // pictures that cannot be decoded, with their reasons
  std::vector<std::string> warnings;    // what may be wrong with the data, a line each
  std::vector<std::string> notes;       // what else is to be known of them
  /// Of all splits: of labels and pixels, or of pictures in files, by content where that is known (LoadPlan),
  /// else by names and sizes.
  std::string hash;
  std::string hash_by_sizes;    // of pictures in files, by names and sizes alone; else empty
  std::vector<DataFile> files;  // what `hash` is of
};

/// How the data of a run are loaded.
struct LoadPlan {
  /// For a loop that does this to things of this unit; may give null.
  WatchMaker watch{};
  /// For training: every picture's file is checked to be there, and the content of pictures in files is
  /// known where that costs seconds (at most kSummedByDefault bytes), where `known` has it, or with
  /// config.check full. Else only what is read is checked, when it is.
  bool training = false;
  bool plain_train = false;  // the training images without augmentation too
  DataFiles known{};  // of the run that is resumed; a file with an equal stamp has the sum that is there
  Normalisation normalisation{};  // in place of the set's own, if it is of as many channels
};

constexpr std::uint64_t kSummedByDefault = std::uint64_t{1} << 30;

/// `seed` is that of the augmentation's draws. Errors: UsageError for parts that the set has not, or options
/// that are not for it; those of load_data_set(), load_pictures() and expect_readable(); what a watch throws.
RunData load_run_data(const DataConfig& config, std::uint64_t seed, const LoadPlan& plan = {});

/// Tells the warnings, what was left out, and the notes.
void tell(const RunData& data, Terminal& terminal);

/// What training and evaluation do to a picture set's images. Errors: UsageError for changes that are not for
/// pictures.
data::PictureTransform training_transform(const DataConfig& config);
data::PictureTransform evaluation_transform(const DataConfig& config);

/// The first --limit pictures of a training folder; 0: all. Errors: UsageError if it has fewer.
data::ImageFolder limited(data::ImageFolder folder, std::int64_t limit);

/// A data set's shape and classes as far as they are known without its files: a picture set is taken to have
/// the crop's size and ImageNet's thousand classes. Errors: UsageError for an unknown name.
data::DataSetInfo nominal_set(const DataConfig& config);

/// Loader of training batches from a position on. The same batches for any number of workers. What a device
/// can make of a batch is left to Experiment::step().
data::LoaderOptions training_batches(const TrainConfig& config, std::int64_t epoch, std::int64_t batch);

}  // namespace basin::apps
