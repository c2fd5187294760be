// Learned and random augmentation policies: AutoAugment, RandAugment, colour jitter. Every draw has an
// address.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/random.h"
#include "data/image.h"

namespace basin::data {

/// An operation of data/augment/image_ops.h, in RandAugment's order of choice; `invert` is AutoAugment's
/// alone.
enum class ImageOperation {
  identity,
  shear_x,
  shear_y,
  translate_x,
  translate_y,
  rotate,
  brightness,
  color,
  contrast,
  sharpness,
  posterize,
  solarize,
  autocontrast,
  equalize,
  invert
};

/// An operation and how strong it is: a slope, pixels, degrees, factor - 1, bits, threshold.
struct ImageChange {
  ImageOperation operation = ImageOperation::identity;
  double magnitude = 0;
  bool operator==(const ImageChange&) const = default;
};

/// Changes the picture.
void apply(const ImageChange& change, Image& image);

/// The change at `level` of 0..levels-1 for a picture of height x width, torchvision's scales in f32: slopes
/// to 0.3, shifts to 150/331 of the side (whole pixels, towards 0), 30 degrees, enhancements by 0.9, 8 to 4
/// bits, thresholds 255 to 0. `negative` turns the sign of those that have one: slopes, shifts, degrees,
/// enhancements.
ImageChange change_at_level(ImageOperation operation, int level, int levels, bool negative,
                            std::int64_t height, std::int64_t width);

/// Which policy.
struct Policy {
  enum class Kind { none, autoaugment_cifar10, autoaugment_imagenet, randaugment };

  Kind kind = Kind::none;
  int operations = 2;  // randaugment: so many one after another, 1 to 20
  int magnitude = 9;   // randaugment: level of 0 to 30

  bool operator==(const Policy&) const = default;
};

/// One operation of an AutoAugment pair: done with `probability`, at `level` of 0..9.
struct PolicyOperation {
  ImageOperation operation = ImageOperation::identity;
  double probability = 0;
  int level = 0;
};
using AutoAugmentTable = std::array<std::array<PolicyOperation, 2>, 25>;

/// The pairs of Cubuk et al. 2019, tables 7 and 9, as torchvision has them. Errors: ArgumentError for a kind
/// without such a table.
const AutoAugmentTable& autoaugment_table(Policy::Kind kind);

/// Errors: UsageError for numbers out of range.
void check(const Policy& policy);

/// Draws what happens to a picture of height x width. AutoAugment: below(25) picks the pair, then for each
/// of its two operations uniform() below its probability has it done, and the top bit of bits() set makes
/// its sign negative. RandAugment (Cubuk et al. 2020): for each operation below(14) picks it, the top bit of
/// bits() its sign. All are drawn always, used or not.
std::vector<ImageChange> draw_policy(const Policy& policy, std::int64_t height, std::int64_t width,
                                     Random& random);

/// Random changes of colour, torchvision's ColorJitter: factors uniform from max(0, 1 - s) to 1 + s for
/// brightness, contrast and saturation s, a turn of the hue uniform from -hue to hue; 0 leaves one out.
struct ColorJitter {
  double brightness = 0;
  double contrast = 0;
  double saturation = 0;
  double hue = 0;  // of the circle, at most 1/2

  bool operator==(const ColorJitter&) const = default;
};

/// Errors: UsageError for numbers out of range.
void check(const ColorJitter& jitter);

/// Draws and applies: the order of the four by below(4), below(3), below(2) (Fisher and Yates from the last
/// place down over brightness, contrast, saturation, hue), then one uniform() for each of the four in that
/// original order. All are drawn always.
void jitter_colors(const ColorJitter& jitter, Image& image, Random& random);

/// The policy, then the jitter, on picture `index` (below 2^48) in epoch `epoch`: from
/// Random(seed, Stream::augment, epoch, index + 2^48) and Random(seed, Stream::augment, epoch, index + 2^49),
/// so that neither moves the other or a crop.
void augment_colors(const Policy& policy, const ColorJitter& jitter, std::uint64_t seed, std::uint64_t epoch,
                    std::uint64_t index, Image& image);

}  // namespace basin::data
