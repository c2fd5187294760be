// Which data a command works on: the struct and its options.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/options/bindings.h"
#include "data/loading/label_noise.h"
#include "data/sets/image_folder.h"

namespace basin::apps {

class OptionTable;
struct Option;

enum class CropPadding { zero, reflect };
enum class HeldOutFrom { drawn, end };
enum class DataCheck { fast, full };

struct DataConfig {
  std::string name = "cifar10";
  std::string dir;              // empty: the data set's usual places
  std::int64_t limit = 0;       // the first so many training images; 0: all
  std::int64_t subset = 0;      // then so many drawn, classes balanced; 0: all
  std::int64_t validation = 0;  // then so many held out; 0: none
  HeldOutFrom validation_from = HeldOutFrom::drawn;
  double label_noise = 0;  // share of the remaining training images
  data::NoiseTarget noise_target = data::NoiseTarget::other_classes;
  std::uint64_t seed = 0;         // of these draws; apart from the run's, so that runs share their data
  std::string augment = "basic";  // a list that data::parse_augmentation() reads
  CropPadding crop_padding = CropPadding::zero;
  std::int64_t image_size = 224;  // of a picture set: height and width
  data::BadImages bad_images = data::BadImages::fail;
  DataCheck check = DataCheck::fast;         // how far the content of pictures is known, see LoadPlan
  std::string train_shards = "train-*.tar";  // of a webdataset, see data::find_shards()
  std::string test_shards;                   // the same; empty: test-*.tar or val-*.tar
  std::int64_t workers = 2;                  // 0: batches are prepared by the training thread
};

/// Adds the group "Data" with all of it: what a training run may be told.
void add(OptionTable& table, DataConfig& data);

// The parts of it, for commands that need less. Each adds to the group that is open.
/// Which data set it is and where its files are.
void add_source(OptionTable& table, DataConfig& data);
/// Which of its training images take part and how they are changed; with `labels` also what is done to their
/// labels.
void add_examples(OptionTable& table, DataConfig& data, bool labels);
/// Threads that prepare batches.
void add_workers(OptionTable& table, DataConfig& data);

/// The name of a data set.
Binding data_name(std::string& field);
/// A list that data::parse_augmentation() reads.
Binding augmentation(std::string& field);
/// Makes an option count only for sets of pictures in files.
void count_for_pictures(Option& option);

}  // namespace basin::apps
