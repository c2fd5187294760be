// Random changes to training images, drawn by address: sample i looks the same in epoch e whoever prepares
// it.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>

#include "data/augment/mix.h"
#include "data/augment/policies.h"

namespace basin::data {

/// Which random changes are made, in this order: policy, jitter, crop, flip, cutout (Cubuk et al. 2019 and
/// the JAX code of SAM have the policy first as well), and those of the batch, which the loader makes.
struct Augmentation {
  enum class Padding {
    zero,
    reflect
  };  // black pixels; the image mirrored at its edge pixel, which is not repeated

  int crop = 0;  // border added on each side before cutting the old size out at random; 0: no crop
  Padding padding = Padding::zero;  // what the border holds
  bool flip = false;                // left and right exchanged with probability 1/2
  int cutout = 0;                   // side of the square set to the channel means; 0: none
  Policy policy{};                  // for images of three channels only
  ColorJitter jitter{};             // the same
  BatchMix mix{};                   // for LoaderOptions::mix

  bool operator==(const Augmentation&) const = default;
};

/// Reads a comma-separated list: `none`, `basic` (crop=4,flip), `cutout` (crop=4,flip,cutout=16), `crop=P`,
/// `flip`, `cutout=S`, `reflect`, `autoaugment` (CIFAR-10's policy) or `autoaugment=imagenet`, `randaugment`
/// (=2:9) or `randaugment=N:M`, `jitter=BRIGHTNESS:CONTRAST:SATURATION:HUE`, and of batches `mixup=ALPHA`,
/// `cutmix=ALPHA`, `batch-cutout=S`. A term sets one thing, once; what `basic` and `cutout` stand for gives
/// way to terms behind them, as in `cutout,cutout=8`. Errors: UsageError naming the term: one that is
/// unknown, changes nothing or sets what is set already, `none` beside others, `reflect` without a crop,
/// mixup and cutmix together.
Augmentation parse_augmentation(const std::string& list);

/// Prints the list that parse_augmentation() reads back: "crop=4,flip,cutout=16", "none".
std::ostream& operator<<(std::ostream& out, const Augmentation& augmentation);

/// One outcome of the random changes for an image of height x width pixels.
struct Draw {
  std::int64_t down = 0;  // the crop's corner relative to the image's, from -crop to crop
  std::int64_t right = 0;
  bool flipped = false;
  std::int64_t box_top = 0;  // cutout's square [top, bottom) x [left, right), cut at the image's border
  std::int64_t box_bottom = 0;
  std::int64_t box_left = 0;
  std::int64_t box_right = 0;
};

/// The outcome for sample `index` in epoch `epoch`, from Random(seed, Stream::augment, epoch, index): in this
/// order below(2 crop + 1) for down and right, the top bit of bits() for the flip, below(height) and
/// below(width) for the square's centre. All five are drawn always, used or not.
Draw draw_augmentation(const Augmentation& augmentation, std::int64_t height, std::int64_t width,
                       std::uint64_t seed, std::uint64_t epoch, std::uint64_t index);

}  // namespace basin::data
