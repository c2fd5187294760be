#include "data/loading/label_noise.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/random.h"

namespace basin::data {
namespace {

// Addresses under Stream::label_noise.
constexpr std::uint64_t kWhich = 0;
constexpr std::uint64_t kLabel = 1;

std::int64_t draw_label(const LabelNoiseOptions& options, std::int64_t index, std::int64_t clean,
                        std::int64_t classes) {
  Random random(options.seed, Stream::label_noise, kLabel, static_cast<std::uint64_t>(index));
  if (options.target == NoiseTarget::all_classes) {
    return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(classes)));
  }
  const auto other = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(classes - 1)));
  return other < clean ? other : other + 1;
}

}  // namespace

NoisyDataset with_label_noise(const Dataset& set, const LabelNoiseOptions& options) {
  if (!(options.rate >= 0 && options.rate <= 1)) {
    throw UsageError("label noise: the rate is a share from 0 to 1 (0.2 for 20 %), got ", options.rate);
  }
  if (set.split == "test") {
    throw UsageError("label noise: ", set.name, " (test) stays clean; change training labels only");
  }
  if (set.classes() < 2) {
    throw UsageError("label noise: ", set.name, " (", set.split, ") has no second class to draw");
  }
  const std::int64_t chosen = std::llround(options.rate * static_cast<double>(set.size()));
  std::vector<std::int64_t> order = permutation(set.size(), options.seed, Stream::label_noise, kWhich);
  order.resize(static_cast<std::size_t>(chosen));
  std::sort(order.begin(), order.end());

  NoisyDataset result{.set = set};
  for (const std::int64_t index : order) {
    std::int64_t& label = result.set.labels[static_cast<std::size_t>(index)];
    const std::int64_t noisy = draw_label(options, index, label, set.classes());
    result.drawn.push_back({.index = index, .clean = label, .noisy = noisy});
    label = noisy;
  }
  result.set = finished(std::move(result.set));
  return result;
}

std::string label_noise_csv(const std::vector<DrawnLabel>& drawn) {
  std::string csv = "index,clean,noisy\n";
  for (const DrawnLabel& d : drawn) {
    csv += std::to_string(d.index) + ',' + std::to_string(d.clean) + ',' + std::to_string(d.noisy) + '\n';
  }
  return csv;
}

}  // namespace basin::data
