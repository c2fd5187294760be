#include "apps/reproduce/cost.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>

#include "apps/evaluation/run_data.h"
#include "apps/options/period.h"
#include "apps/training/axes.h"
#include "apps/training/experiment.h"
#include "core/parallel.h"
#include "data/loading/loader.h"
#include "nn/summary.h"

namespace basin::apps {
namespace {

/// A data set as far as its cost goes.
struct SetSize {
  std::int64_t training, test, side, channels, classes;
};

/// Sizes as published; a folder of pictures is taken for ImageNet.
SetSize size_of(const DataConfig& data) {
  static const std::map<std::string, SetSize> known = {{"mnist", {60'000, 10'000, 28, 1, 10}},
                                                       {"fashion-mnist", {60'000, 10'000, 28, 1, 10}},
                                                       {"synthetic", {2'000, 500, 32, 3, 10}},
                                                       {"pets", {3'680, 3'669, data.image_size, 3, 37}},
                                                       {"cars", {8'144, 8'041, data.image_size, 3, 196}}};
  const auto found = known.find(data.name);
  SetSize size{1'281'167, 50'000, data.image_size, 3, 1000};
  if (found != known.end()) size = found->second;
  if (data.name.starts_with("cifar")) size = {50'000, 10'000, 32, 3, std::stoll(data.name.substr(5))};
  if (data.limit > 0) size.training = std::min(size.training, data.limit);
  if (data.subset > 0) size.training = std::min(size.training, data.subset);
  size.training -= data.validation;
  return size;
}

}  // namespace

double passes_of(const SharpnessConfig& c) {
  double climbing = 1 + static_cast<double>(c.inner_steps);
  if (c.kind == Sharpness::none || c.kind == Sharpness::msam) climbing = 1;
  if (c.kind == Sharpness::gam) climbing = differentiates_twice(c) ? 6 : 4;
  if (c.kind == Sharpness::gam && c.gam_with_sam) climbing += 1;
  const double each = 1 + (climbing - 1) / static_cast<double>(c.every);
  const double plain = c.start < 1 ? c.start : 0;  // a start in epochs is a small part of a run
  return plain + (1 - plain) * each;
}

double multiply_adds_of(const TrainConfig& config) {
  static std::map<std::tuple<std::string, std::int64_t, std::int64_t, std::int64_t>, double> known;
  const SetSize size = size_of(config.data);
  const auto key = std::tuple(config.model.name, size.side, size.channels, size.classes);
  const auto found = known.find(key);
  if (found != known.end()) return found->second;
  const Shape image{size.side, size.side, size.channels};
  const auto model = build_model(config.model, image, size.classes, 1, Dtype::f32, true);
  return known[key] = static_cast<double>(nn::summarize(*model, image).multiply_adds);
}

double trained_images(const TrainConfig& config) {
  const RunLength length = run_length(config.schedule, size_of(config.data).training);
  return static_cast<double>(length.steps) * static_cast<double>(config.schedule.batch_size) *
         passes_of(config.sharpness);
}

double work_of(const TrainConfig& config) {
  const SetSize size = size_of(config.data);
  const RunLength length = run_length(config.schedule, size.training);
  const double evaluated =
      static_cast<double>(length.epochs) * static_cast<double>(size.test + config.data.validation);
  return multiply_adds_of(config) * (6 * trained_images(config) + 2 * evaluated);
}

double measured_speed() {
  TrainConfig config;
  config.data.name = "synthetic";
  config.data.limit = 64;
  config.schedule.batch_size = 32;
  config.model.name = "resnet20";
  const WithThreads one(1);
  const RunData data = load_run_data(config.data, config.run.seed, {.training = true});
  const RunLength length = run_length(config.schedule, data.train->size());
  Experiment experiment(config, data.set, length);
  data::Loader loader(data.train, training_batches(config, 0, 0));
  data::Batch batch;
  loader.next(batch);
  const Clock clock = steady_clock();
  double begin = 0;
  constexpr std::int64_t kSteps = 10;
  for (std::int64_t step = 0; step <= kSteps; ++step) {
    experiment.step(batch, step);
    if (step == 0) begin = clock();  // the first one warms up
  }
  return 6 * multiply_adds_of(config) * static_cast<double>(kSteps * batch.size()) / (clock() - begin);
}

}  // namespace basin::apps
