// Where a loader's examples come from: one at a time, by index, from any thread.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "data/augment/augment.h"
#include "data/sets/dataset.h"

namespace basin::data {

/// Examples as bytes on a device, which makes batches of them by image_batch(), of what draw() gives.
struct Pictures {
  Tensor pixels;  // u8 {n,H,W,C}
  Tensor table;   // f32 {C,256}
  bool reflect;   // see ImageBatch
};

/// A numbered set of examples ready for a network. Constant, so many threads may call it at once.
class ExampleSource {
 public:
  virtual ~ExampleSource() = default;

  virtual std::int64_t size() const = 0;
  virtual Shape image_shape() const = 0;  // {H,W,C}

  /// Writes example `index` as it looks in epoch `epoch`: H*W*C numbers to `image`; returns the label. The
  /// same arguments give the same bits.
  virtual std::int64_t write(std::int64_t epoch, std::int64_t index, float* image) const = 0;

  /// What people call example `index`: the path of its picture, or its number.
  virtual std::string name(std::int64_t index) const { return std::to_string(index); }

  /// The examples on that device, for as long as a handle is kept; nothing where they must be written here:
  /// pictures in files, random changes that a device can't make, more bytes than it has room for.
  virtual std::optional<Pictures> pictures(Device device) const {
    static_cast<void>(device);
    return {};
  }
  /// In place of write(), where there are pictures(): the row of ImageBatch::draws, 8 numbers; returns the
  /// label.
  virtual std::int64_t draw(std::int64_t epoch, std::int64_t index, std::int64_t* row) const;
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

  /// Of a set of at most 4 GiB, without policy and jitter. They are sent once, and stay there as long as this
  /// lives or until another device is asked for.
  std::optional<Pictures> pictures(Device device) const override;
  std::int64_t draw(std::int64_t epoch, std::int64_t index, std::int64_t* row) const override;

  const Dataset& dataset() const { return set_; }

 private:
  Draw drawn(std::int64_t epoch, std::int64_t index) const;

  Dataset set_;
  Augmentation augmentation_;
  std::uint64_t seed_;
  const std::uint8_t* pixels_;
  bool changes_colors_ = false;
  std::vector<std::uint8_t> black_row_;
  std::vector<float> normalised_;  // [channel][pixel value]

  mutable std::mutex mutex_;                // guards sent_
  mutable std::optional<Pictures> sent_{};  // on the device that was asked for last
};

}  // namespace basin::data
