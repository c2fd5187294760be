#include "apps/evaluation/chosen_images.h"

#include <numeric>
#include <utility>

#include "core/tensor.h"
#include "data/loading/split.h"

namespace basin::apps {
namespace {

/// places[indices[i]] for each i.
std::vector<std::int64_t> through(const std::vector<std::int64_t>& places,
                                  const std::vector<std::int64_t>& indices) {
  std::vector<std::int64_t> all;
  for (const std::int64_t i : indices) all.push_back(places[static_cast<std::size_t>(i)]);
  return all;
}

}  // namespace

ChosenImages choose_images(const std::string& name, const std::string& split,
                           std::vector<std::int64_t> labels, const std::vector<std::string>& class_names,
                           const DataConfig& config) {
  ChosenImages chosen;
  chosen.train.resize(labels.size());
  std::iota(chosen.train.begin(), chosen.train.end(), 0);
  // A set of one-pixel images stands for the whole.
  data::Dataset rest =
      data::finished({.name = name,
                      .split = split,
                      .images = Tensor::zeros({static_cast<Index>(labels.size()), 1, 1, 1}, Dtype::u8),
                      .labels = std::move(labels),
                      .class_names = class_names,
                      .mean = {0},
                      .deviation = {1}});
  if (config.subset > 0) {
    chosen.train = data::subset_indices(rest, config.subset, config.seed);
    rest = data::select(rest, chosen.train);
  }
  if (config.validation > 0) {
    data::HeldOut held = config.validation_from == HeldOutFrom::drawn
                             ? data::split(rest, config.validation, config.seed)
                             : data::split_last(rest, config.validation);
    chosen.validation = through(chosen.train, held.validation_indices);
    chosen.train = through(chosen.train, held.train_indices);
    rest = std::move(held.train);
  }
  if (config.label_noise > 0) {
    data::NoisyDataset noisy = data::with_label_noise(
        rest, {.rate = config.label_noise, .seed = config.seed, .target = config.noise_target});
    rest = std::move(noisy.set);
    chosen.noise = std::move(noisy.drawn);
    for (data::DrawnLabel& label : chosen.noise)
      label.index = chosen.train[static_cast<std::size_t>(label.index)];
  }
  chosen.labels = rest.labels;
  return chosen;
}

}  // namespace basin::apps
