#include "apps/examples.h"

#include <numeric>

#include "core/hash.h"
#include "data/folder_source.h"
#include "data/load.h"
#include "data/pictures.h"
#include "data/split.h"

namespace basin::apps {
namespace {

data::Augmentation augmentation(const DataConfig& config) {
  data::Augmentation a = data::parse_augmentation(config.augment);
  if (config.crop_padding == CropPadding::reflect) a.padding = data::Augmentation::Padding::reflect;
  return a;
}

/// What pictures of any size go through: a crop is a resized one, the rest as for images in memory.
data::PictureTransform picture_transform(const DataConfig& config) {
  const data::Augmentation a = augmentation(config);
  const bool reflects = a.padding == data::Augmentation::Padding::reflect;
  if (a.cutout > 0 || reflects)
    throw UsageError("--augment ", config.augment, ": ",
                     reflects ? "a border that reflects" : "cutout of each image",
                     " is for images in memory, not for --data ", config.name);
  data::PictureTransform t =
      a.crop > 0 ? data::train_transform(config.image_size) : data::eval_transform(config.image_size);
  t.flip = a.flip;
  t.policy = a.policy;
  t.jitter = a.jitter;
  return t;
}

/// places[indices[i]] for each i.
std::vector<std::int64_t> through(const std::vector<std::int64_t>& places,
                                  const std::vector<std::int64_t>& indices) {
  std::vector<std::int64_t> all;
  for (const std::int64_t i : indices) all.push_back(places[static_cast<std::size_t>(i)]);
  return all;
}

/// What --subset, --validation and --label-noise choose of a set, each by places in what the step before
/// left.
struct Parts {
  std::vector<std::int64_t> train;       // places in the whole
  std::vector<std::int64_t> validation;  // empty without --validation
  std::vector<std::int64_t> labels;      // of the training images, noisy
  std::vector<data::DrawnLabel> noise;   // index: place in the whole
};

/// Chooses by labels alone, from a set of one-pixel images: no picture is copied or decoded before it is
/// known to be wanted.
Parts choose(const std::string& name, const std::string& split, std::vector<std::int64_t> labels,
             const std::vector<std::string>& class_names, const DataConfig& config) {
  Parts parts;
  parts.train.resize(labels.size());
  std::iota(parts.train.begin(), parts.train.end(), 0);
  data::Dataset rest =
      data::finished({.name = name,
                      .split = split,
                      .images = Tensor::zeros({static_cast<Index>(labels.size()), 1, 1, 1}, Dtype::u8),
                      .labels = std::move(labels),
                      .class_names = class_names,
                      .mean = {0},
                      .deviation = {1}});
  if (config.subset > 0) {
    parts.train = data::subset_indices(rest, config.subset, config.seed);
    rest = data::select(rest, parts.train);
  }
  if (config.validation > 0) {
    data::HeldOut held = config.validation_from == HeldOutFrom::drawn
                             ? data::split(rest, config.validation, config.seed)
                             : data::split_last(rest, config.validation);
    parts.validation = through(parts.train, held.validation_indices);
    parts.train = through(parts.train, held.train_indices);
    rest = std::move(held.train);
  }
  if (config.label_noise > 0) {
    data::NoisyDataset noisy = data::with_label_noise(
        rest, {.rate = config.label_noise, .seed = config.seed, .target = config.noise_target});
    rest = std::move(noisy.set);
    parts.noise = std::move(noisy.drawn);
    for (data::DrawnLabel& label : parts.noise)
      label.index = parts.train[static_cast<std::size_t>(label.index)];
  }
  parts.labels = rest.labels;
  return parts;
}

/// A set of images in memory.
Examples examples_in_memory(const DataConfig& config, std::uint64_t seed) {
  const data::LoadedData loaded =
      data::load_data_set({.name = config.name, .dir = config.dir, .limit = config.limit});
  const data::Dataset& whole = loaded.train;
  Parts parts = choose(whole.name, whole.split, whole.labels, whole.class_names, config);
  Examples e;
  e.set = {.name = whole.name,
           .test_split = loaded.test.split,
           .image = {whole.height(), whole.width(), whole.channels()},
           .class_names = whole.class_names,
           .mean = whole.mean,
           .deviation = whole.deviation};
  data::Dataset train = static_cast<std::int64_t>(parts.train.size()) == whole.size()
                            ? whole
                            : data::select(whole, parts.train);
  if (!parts.noise.empty()) {
    train.labels = std::move(parts.labels);
    train = data::finished(std::move(train));
  }
  std::string validation_hash;
  if (!parts.validation.empty()) {
    data::Dataset validation = data::select(whole, parts.validation);
    validation_hash = validation.hash;
    e.validation = std::make_shared<data::DatasetSource>(std::move(validation), data::Augmentation{}, seed);
  }
  e.noise = std::move(parts.noise);
  e.hash = sha256_text(train.hash + loaded.test.hash + validation_hash);
  e.train = std::make_shared<data::DatasetSource>(std::move(train), augmentation(config), seed);
  e.test = std::make_shared<data::DatasetSource>(loaded.test, data::Augmentation{}, seed);
  return e;
}

/// Pictures in files, decoded when they are asked for.
Examples examples_in_files(const DataConfig& config, std::uint64_t seed) {
  const data::PictureTransform changed = picture_transform(config);
  data::ImageFolders folders = data::load_pictures({.name = config.name,
                                                    .dir = config.dir,
                                                    .bad_images = config.bad_images,
                                                    .train_shards = config.train_shards,
                                                    .test_shards = config.test_shards});
  data::ImageFolder whole = std::move(folders.train);
  Examples e;
  for (const data::ImageFolder* folder : {&whole, &folders.test})
    for (const data::BadImage& bad : folder->bad) e.left_out.push_back(bad.reason);
  if (config.limit > whole.size())
    throw UsageError("--limit ", config.limit, ": ", whole.root, " has ", whole.size(), " pictures");
  if (config.limit > 0) {
    std::vector<std::int64_t> first(static_cast<std::size_t>(config.limit));
    std::iota(first.begin(), first.end(), 0);
    whole = data::select(whole, first);
  }
  Parts parts = choose(config.name, whole.split, whole.labels(), whole.class_names, config);
  e.set = {.name = config.name,
           .test_split = folders.test.split,
           .image = {config.image_size, config.image_size, 3},
           .class_names = whole.class_names,
           .mean = changed.mean,
           .deviation = changed.deviation};
  const data::PictureTransform as_is = data::eval_transform(config.image_size);
  data::ImageFolder train = data::select(whole, parts.train);
  for (std::size_t i = 0; i < train.files.size(); ++i) train.files[i].label = parts.labels[i];
  train.hash = data::folder_hash(train);
  std::string validation_hash;
  if (!parts.validation.empty()) {
    data::ImageFolder validation = data::select(whole, parts.validation);
    validation_hash = validation.hash;
    e.validation = std::make_shared<data::FolderSource>(std::move(validation), as_is, seed);
  }
  e.noise = std::move(parts.noise);
  e.hash = sha256_text(train.hash + folders.test.hash + validation_hash);
  e.train = std::make_shared<data::FolderSource>(std::move(train), changed, seed);
  e.test = std::make_shared<data::FolderSource>(std::move(folders.test), as_is, seed);
  return e;
}

}  // namespace

Examples load_examples(const DataConfig& config, std::uint64_t seed) {
  return data::is_picture_set(config.name) ? examples_in_files(config, seed)
                                           : examples_in_memory(config, seed);
}

data::DataSetInfo nominal_set(const DataConfig& config) {
  if (data::is_picture_set(config.name))
    return {.name = config.name,
            .summary = "",
            .source = "",
            .image = {config.image_size, config.image_size, 3},
            .classes = 1000};
  for (const data::DataSetInfo& info : data::known_data_sets())
    if (info.name == config.name) return info;
  throw UsageError("unknown data set '", config.name, "'");
}

std::int64_t steps_per_epoch(const TrainConfig& config, const Examples& examples) {
  return (examples.train->size() + config.schedule.batch_size - 1) / config.schedule.batch_size;
}

data::LoaderOptions training_batches(const TrainConfig& config, std::int64_t epoch, std::int64_t batch) {
  return {.batch_size = config.schedule.batch_size,
          .drop_last = false,
          .seed = config.run.seed,
          .mix = data::parse_augmentation(config.data.augment).mix,
          .workers = static_cast<int>(config.data.workers),
          .first_epoch = epoch,
          .first_step = batch,
          .end_epoch = epoch + 1};
}

}  // namespace basin::apps
