// Symmetric label noise: the same wrong labels for the same seed, and a list of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/sets/dataset.h"

namespace basin::data {

/// What a chosen image's label is drawn from.
enum class NoiseTarget {
  other_classes,  // uniform over the K-1 other classes: every chosen label is wrong
  all_classes     // uniform over all K: one in K chosen labels stays right, by chance
};

struct LabelNoiseOptions {
  double rate = 0;  // share of the images that are chosen, 0 to 1
  std::uint64_t seed = 0;
  NoiseTarget target = NoiseTarget::other_classes;
};

struct DrawnLabel {
  std::int64_t index = 0;  // place in the set
  std::int64_t clean = 0;
  std::int64_t noisy = 0;  // equal to clean by chance, with all_classes

  bool operator==(const DrawnLabel&) const = default;
};

struct NoisyDataset {
  Dataset set{};                    // shares the pixels; its hash is that of the noisy labels
  std::vector<DrawnLabel> drawn{};  // one for each chosen image, by rising index
};

/// Gives round(rate N) distinct images (halves away from zero) a drawn label: the first ones of
/// permutation(N, seed, Stream::label_noise, 0). Image i's label is drawn at (seed, label_noise, 1, i), so a
/// higher rate keeps the wrong labels of a lower one. Errors: UsageError for a rate outside [0, 1], a set of
/// one class, or a test split, which stays clean.
NoisyDataset with_label_noise(const Dataset& set, const LabelNoiseOptions& options);

/// The list as CSV text: the line "index,clean,noisy", then a line for each.
std::string label_noise_csv(const std::vector<DrawnLabel>& drawn);

}  // namespace basin::data
