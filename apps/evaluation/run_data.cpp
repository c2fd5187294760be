#include "apps/evaluation/run_data.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "apps/evaluation/chosen_images.h"
#include "core/io/hash.h"
#include "core/io/utf8.h"
#include "data/loading/folder_source.h"
#include "data/loading/split.h"
#include "data/loading/verify.h"
#include "data/sets/load.h"
#include "data/sets/picture_files.h"
#include "data/sets/pictures.h"

namespace basin::apps {
namespace {

data::Augmentation augmentation(const DataConfig& config) {
  data::Augmentation a = data::parse_augmentation(config.augment);
  if (config.crop_padding == CropPadding::reflect) a.padding = data::Augmentation::Padding::reflect;
  return a;
}

data::Watch watch_of(const LoadPlan& plan, const std::string& what, const std::string& unit) {
  return plan.watch ? plan.watch(what, unit) : data::Watch{};
}

/// "airplane 100, bird 0 and 8 more", those without an example first.
std::string counts_text(const std::vector<std::int64_t>& counts, const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 10;
  std::vector<std::size_t> order(counts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_partition(order.begin(), order.end(), [&](std::size_t k) { return counts[k] == 0; });
  std::string all;
  for (std::size_t i = 0; i < std::min(kShown, order.size()); ++i)
    all += text(i == 0 ? "" : ", ", names[order[i]], ' ', counts[order[i]]);
  return order.size() > kShown ? text(all, " and ", order.size() - kShown, " more classes") : all;
}

/// Warns of classes without an example.
void count_classes(RunData& e, const char* what, const std::vector<std::int64_t>& labels, const char* why) {
  std::vector<std::int64_t> counts(e.set.class_names.size());
  for (const std::int64_t label : labels) ++counts[static_cast<std::size_t>(label)];
  const auto empty = std::count(counts.begin(), counts.end(), 0);
  if (empty > 0)
    e.warnings.push_back(text(empty, " of ", counts.size(), " classes have no ", what, " image (",
                              counts_text(counts, e.set.class_names), ")", why));
}

/// Warns where the parts that were chosen leave classes out.
void count_classes(RunData& e, const DataConfig& config, const std::vector<std::int64_t>& train,
                   const std::vector<std::int64_t>& validation, const std::vector<std::int64_t>& test) {
  count_classes(
      e, "training", train,
      config.limit > 0 ? "; --limit takes the first images of the set, --subset some of each class" : "");
  if (!validation.empty())
    count_classes(e, "validation", validation,
                  config.validation_from == HeldOutFrom::end
                      ? "; --validation-from end takes the last images of the set, drawn some of all"
                      : "");
  count_classes(e, "test", test, "");
}

/// Warns of pictures of `other` that are training pictures too.
void find_shared(RunData& e, const data::ImageFolder& train, const data::ImageFolder& other,
                 const char* what) {
  const auto sums = [](const data::ImageFolder& folder) {
    std::vector<std::string> all;
    for (const data::ImageFile& file : folder.files) all.push_back(file.sum);
    return all;
  };
  const auto pairs = data::same_content(sums(train), sums(other));
  if (!pairs.empty())
    e.warnings.push_back(text(pairs.size(), " of ", other.size(), ' ', what,
                              " pictures are training pictures too, byte for byte: ",
                              other.path_of(pairs[0].first), " is ", train.path_of(pairs[0].second)));
}

/// Says what of a folder is not among the pictures.
void tell_passed_over(RunData& e, const data::ImageFolder& folder) {
  if (!folder.passed_over.empty())
    e.warnings.push_back(text(folder.split, ": ", folder.passed_over.size(), " pictures are passed over: ",
                              folder.passed_over.front(), folder.passed_over.size() > 1 ? "; ..." : ""));
  if (folder.ignored > 0)
    e.notes.push_back(text(folder.split, ": ", folder.ignored, " other files are passed over"));
}

/// Fills in what is known of the contents of all parts, or nothing: see LoadPlan.
void know_contents(const std::vector<std::pair<const char*, data::ImageFolder*>>& parts,
                   const DataConfig& config, const LoadPlan& plan) {
  const bool full = config.check == DataCheck::full;
  std::uint64_t bytes = 0;
  bool known = false;
  for (const auto& part : parts) {
    bytes += part.second->bytes();
    if (full) continue;
    known = take_sums(plan.known, part.first, *part.second) || known;
  }
  if (!full && !known && bytes > kSummedByDefault) return;
  for (const auto& part : parts)
    data::sum_contents(*part.second,
                       watch_of(plan, text("checking the content of ", part.first), "pictures"));
}

/// Replaces a set's own mean and deviation. False if nothing changes.
bool normalise_as(const Normalisation& wanted, std::vector<double>& mean, std::vector<double>& deviation) {
  if (wanted.mean.size() != mean.size() || (wanted.mean == mean && wanted.deviation == deviation))
    return false;
  mean = wanted.mean;
  deviation = wanted.deviation;
  return true;
}

/// A set of images in memory.
RunData run_data_in_memory(const DataConfig& config, std::uint64_t seed, const LoadPlan& plan) {
  data::LoadedData loaded =
      data::load_data_set({.name = config.name,
                           .dir = config.dir,
                           .limit = config.limit,
                           .watch = watch_of(plan, "reading " + config.name, "bytes or images")});
  normalise_as(plan.normalisation, loaded.test.mean, loaded.test.deviation);
  const bool changed = normalise_as(plan.normalisation, loaded.train.mean, loaded.train.deviation);
  const data::Dataset& whole = loaded.train;
  ChosenImages parts = choose_images(whole.name, whole.split, whole.labels, whole.class_names, config);
  RunData e;
  e.set = {.name = whole.name,
           .test_split = loaded.test.split,
           .image = {whole.height(), whole.width(), whole.channels()},
           .class_names = whole.class_names,
           .mean = whole.mean,
           .deviation = whole.deviation,
           .own_normalisation = !changed};
  data::Dataset train = static_cast<std::int64_t>(parts.train.size()) == whole.size()
                            ? whole
                            : data::select(whole, parts.train);
  if (!parts.noise.empty()) {
    train.labels = std::move(parts.labels);
    train = data::finished(std::move(train));
  }
  e.files = {whole_part("train", train), whole_part("test", loaded.test)};
  std::string validation_hash;
  std::vector<std::int64_t> validation_labels;
  if (!parts.validation.empty()) {
    data::Dataset validation = data::select(whole, parts.validation);
    validation_hash = validation.hash;
    validation_labels = validation.labels;
    e.files.push_back(whole_part("validation", validation));
    e.validation = std::make_shared<data::DatasetSource>(std::move(validation), data::Augmentation{}, seed);
  }
  if (plan.training) count_classes(e, config, train.labels, validation_labels, loaded.test.labels);
  e.noise = std::move(parts.noise);
  e.hash = sha256_text(train.hash + loaded.test.hash + validation_hash);
  if (plan.plain_train)
    e.plain_train = std::make_shared<data::DatasetSource>(train, data::Augmentation{}, seed);
  e.train = std::make_shared<data::DatasetSource>(std::move(train), augmentation(config), seed);
  e.test = std::make_shared<data::DatasetSource>(loaded.test, data::Augmentation{}, seed);
  return e;
}

/// Pictures in files, decoded when they are asked for.
RunData run_data_in_files(const DataConfig& config, std::uint64_t seed, const LoadPlan& plan) {
  data::PictureTransform changed = training_transform(config), as_is = evaluation_transform(config);
  normalise_as(plan.normalisation, as_is.mean, as_is.deviation);
  const bool renormalised = normalise_as(plan.normalisation, changed.mean, changed.deviation);
  data::ImageFolders folders = data::load_pictures({.name = config.name,
                                                    .dir = config.dir,
                                                    .train_shards = config.train_shards,
                                                    .test_shards = config.test_shards},
                                                   watch_of(plan, "listing " + config.name, "pictures"));
  if (config.bad_images == data::BadImages::skip) {
    const auto good = [&](data::ImageFolder& folder, const data::PictureTransform& transform) {
      folder = data::without_bad_images(data::FolderSource(folder, transform, seed),
                                        watch_of(plan, "decoding " + folder.split, "pictures"));
    };
    // Held-out pictures are looked at as test pictures are, which refuses more.
    good(folders.train, config.validation > 0 ? as_is : changed);
    good(folders.test, as_is);
  }
  RunData e;
  for (const data::ImageFolder* folder : {&folders.train, &folders.test}) {
    for (const data::BadImage& bad : folder->bad) e.left_out.push_back(bad.reason);
    tell_passed_over(e, *folder);
  }
  const data::ImageFolder whole = limited(std::move(folders.train), config.limit);
  ChosenImages parts = choose_images(config.name, whole.split, whole.labels(), whole.class_names, config);
  e.set = {.name = config.name,
           .test_split = folders.test.split,
           .image = {config.image_size, config.image_size, 3},
           .class_names = whole.class_names,
           .mean = changed.mean,
           .deviation = changed.deviation,
           .own_normalisation = !renormalised};
  data::ImageFolder train = data::select(whole, parts.train), validation, &test = folders.test;
  for (std::size_t i = 0; i < train.files.size(); ++i) train.files[i].label = parts.labels[i];
  train.hash = data::folder_hash(train);
  std::vector<std::pair<const char*, data::ImageFolder*>> all = {{"train", &train}, {"test", &test}};
  if (!parts.validation.empty()) {
    validation = data::select(whole, parts.validation);
    all.emplace_back("validation", &validation);
  }
  e.hash = e.hash_by_sizes = sha256_text(train.hash + test.hash + validation.hash);
  if (plan.training) {
    for (const auto& part : all) data::expect_readable(*part.second);
    know_contents(all, config, plan);
    count_classes(e, config, train.labels(), validation.labels(), test.labels());
    find_shared(e, train, test, "test");
    std::string contents;
    for (const auto& part : all) {
      const std::string hash = data::content_hash(*part.second);
      contents += hash.empty() ? "-" : hash;
      add_files(e.files, part.first, *part.second);
    }
    if (contents.find('-') == contents.npos) e.hash = sha256_text("contents " + contents);
  }
  e.noise = std::move(parts.noise);
  if (!validation.files.empty()) {
    find_shared(e, train, validation, "validation");
    e.validation = std::make_shared<data::FolderSource>(std::move(validation), as_is, seed);
  }
  if (plan.plain_train) e.plain_train = std::make_shared<data::FolderSource>(train, as_is, seed);
  e.train = std::make_shared<data::FolderSource>(std::move(train), changed, seed);
  e.test = std::make_shared<data::FolderSource>(std::move(test), as_is, seed);
  return e;
}

}  // namespace

data::PictureTransform training_transform(const DataConfig& config) {
  // A crop is a resized one, the rest is as for images in memory.
  const data::Augmentation a = augmentation(config);
  const bool reflects = a.padding == data::Augmentation::Padding::reflect;
  if (a.cutout > 0 || reflects)
    throw UsageError("--augment ", excerpt(config.augment), ": ",
                     reflects ? "a border that reflects" : "cutout of each image",
                     " is for images in memory, not for --data ", config.name);
  data::PictureTransform t =
      a.crop > 0 ? data::train_transform(config.image_size) : data::eval_transform(config.image_size);
  t.flip = a.flip;
  t.policy = a.policy;
  t.jitter = a.jitter;
  return t;
}

data::PictureTransform evaluation_transform(const DataConfig& config) {
  return data::eval_transform(config.image_size);
}

data::ImageFolder limited(data::ImageFolder folder, std::int64_t limit) {
  if (limit > folder.size())
    throw UsageError("--limit ", limit, ": ", folder.root, " has ", folder.size(), " pictures");
  if (limit == 0) return folder;
  std::vector<std::int64_t> first(static_cast<std::size_t>(limit));
  std::iota(first.begin(), first.end(), 0);
  return data::select(folder, first);
}

RunData load_run_data(const DataConfig& config, std::uint64_t seed, const LoadPlan& plan) {
  return data::is_picture_set(config.name) ? run_data_in_files(config, seed, plan)
                                           : run_data_in_memory(config, seed, plan);
}

void tell(const RunData& data, Terminal& terminal) {
  for (const std::string& warning : data.warnings) terminal.warn(warning);
  for (const std::string& reason : data.left_out) terminal.warn("left out: " + reason);
  for (const std::string& note : data.notes) terminal.note("       " + note);
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
  throw UsageError("unknown data set ", quote(config.name));
}

data::LoaderOptions training_batches(const TrainConfig& config, std::int64_t epoch, std::int64_t batch) {
  return {.batch_size = config.schedule.batch_size,
          .drop_last = false,
          .seed = config.run.seed,
          .mix = data::parse_augmentation(config.data.augment).mix,
          .workers = static_cast<int>(config.data.workers),
          .first_epoch = epoch,
          .first_step = batch,
          .end_epoch = epoch + 1,
          .device = config.device.device,
          .drawn_only = true};
}

}  // namespace basin::apps
