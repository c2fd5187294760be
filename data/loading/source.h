// Where a loader's examples come from: one at a time, by index, from any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "data/augment/augment.h"
#include "data/sets/dataset.h"

namespace basin::data {

/// A numbered set of examples ready for a network. Constant, so many threads may call it at once.
class ExampleSource {
 public:
  virtual ~ExampleSource() = default;

  virtual std::int64_t size() const = 0;
  virtual Shape image_shape() const = 0;  // {H,W,C}

  /// Writes example `index` as it looks in epoch `epoch`: H*W*C numbers to `image`; returns the label. The
  /// same arguments give the same bits.
  virtual std::int64_t write(std::int64_t epoch, std::int64_t index, float* image) const = 0;
};

/// [channel][byte]: (byte / 255 - mean[c]) / deviation[c] in f64, rounded once.
std::vector<float> normalisation_table(const std::vector<double>& mean, const std::vector<double>& deviation);

/// The examples of a Dataset, augmented and normalised: channel c becomes (pixel / 255 - mean[c]) /
/// deviation[c], computed in f64 and rounded once. A border of zeros is black, so it is normalised too;
/// cutout's square is 0 after normalisation.
class DatasetSource : public ExampleSource {
 public:
  /// `seed` is that of the augmentation's draws. Errors: UsageError for reflect padding not below height and
  /// width; for a policy or jitter out of range, or of images that do not have three channels.
  DatasetSource(Dataset set, const Augmentation& augmentation, std::uint64_t seed);

  std::int64_t size() const override { return set_.size(); }
  Shape image_shape() const override { return {set_.height(), set_.width(), set_.channels()}; }
  std::int64_t write(std::int64_t epoch, std::int64_t index, float* image) const override;

  const Dataset& dataset() const { return set_; }

 private:
  Dataset set_;
  Augmentation augmentation_;
  std::uint64_t seed_;
  const std::uint8_t* pixels_;
  bool changes_colors_ = false;
  std::vector<std::uint8_t> black_row_;
  std::vector<float> normalised_;  // [channel][pixel value]
};

}  // namespace basin::data
