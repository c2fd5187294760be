// A data set that needs no file: oriented stripes in noise, learnable by a small convolutional net.
#pragma once

#include <cstdint>

#include "data/sets/dataset.h"

namespace basin::data {

/// What to draw.
struct SyntheticOptions {
  std::int64_t classes = 10;  // 2 to 1000
  std::int64_t size = 32;     // height and width, 8 to 512
  std::int64_t channels = 3;  // 1 to 16
  std::int64_t train = 2048;  // images, >= 1
  std::int64_t test = 512;    // images, >= 1
  std::int64_t noise = 100;   // strength of the pixel noise in percent of the default, 0 to 400
};

/// Draws one split, a pure function of (options, seed, split), the same on every machine (integer
/// arithmetic). Image i has class i mod classes. With o = ceil(classes / 2), class k shows stripes at the
/// angle pi (k mod o) / o, narrow (5 pixels) for k < o, wide (9 pixels) above, with angle and width jittered;
/// where they are seen (a disc that fades out), phase, contrast and colour are random and say nothing about
/// the class. Noise of deviation 37 grey levels is added to each value. Errors: UsageError for an option out
/// of range.
Dataset synthetic(const SyntheticOptions& options, std::uint64_t seed, bool train);

}  // namespace basin::data
