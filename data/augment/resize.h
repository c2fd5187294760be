// Resizing and cutting of pictures, bit for bit as Pillow and torchvision do it.
#pragma once

#include <cstdint>
#include <vector>

#include "core/random.h"
#include "data/image.h"

namespace basin::data {

enum class Interpolation { bilinear, bicubic };

/// What each place of a new grid of `to` places takes from one of `from`: place i is the sum of
/// weights[first + k] old[begin + k] over k < count, its weights having the sum 1. The filter is that of
/// resize(), its weights not rounded.
struct Resampling {
  struct Taps {
    std::int64_t begin = 0, count = 0;
    std::size_t first = 0;
  };
  std::vector<Taps> taps;  // one for each new place
  std::vector<double> weights;
};
Resampling resampling(std::int64_t from, std::int64_t to, Interpolation interpolation);

/// Resizes by convolution with a triangle of half-width 1 or Keys's cubic (a = -1/2) of half-width 2, in
/// units of the coarser of the two grids, so that shrinking does not alias. Pillow's arithmetic: columns then
/// rows, weights that sum to 1 rounded to multiples of 2^-22, sums rounded half up and clipped to 0..255
/// after each of the two. Errors: ArgumentError for an empty image or a size below 1.
Image resize(const Image& image, std::int64_t height, std::int64_t width, Interpolation interpolation);

/// Makes the shorter side `size` long and the longer one floor(size longer / shorter), torchvision's
/// Resize(size).
Image resize_shorter_side(const Image& image, std::int64_t size, Interpolation interpolation);

/// A rectangle of pixels.
struct Box {
  std::int64_t top = 0;
  std::int64_t left = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  bool operator==(const Box&) const = default;
};

/// The pixels in `box`; black where it reaches beyond the picture. Errors: ArgumentError for a negative size.
Image crop(const Image& image, const Box& box);

/// The middle of the picture, torchvision's CenterCrop: an odd remainder 2 r + 1 leaves the even one of r and
/// r + 1 before the cut. Black is added around a picture that is too small.
Image center_crop(const Image& image, std::int64_t height, std::int64_t width);

/// Left and right exchanged.
void flip(Image& image);

/// What part of a picture RandomResizedCrop takes.
struct ResizedCrop {
  double least_area = 0.08;  // of the picture's
  double most_area = 1;
  double least_ratio = 3.0 / 4;  // width / height
  double most_ratio = 4.0 / 3;
};

/// Draws torchvision's RandomResizedCrop (Szegedy et al. 2015): up to ten times an area uniform between its
/// bounds (one uniform()) and a ratio whose logarithm is uniform between those of its bounds (one uniform()),
/// until the rectangle, its sides rounded half to even, fits into the picture; then below() for its top and
/// left. If none fits: the middle of the picture, cut to the nearest allowed ratio. Errors: ArgumentError
/// unless 0 < least_area <= most_area and 0 < least_ratio <= most_ratio.
Box draw_resized_crop(const ResizedCrop& options, std::int64_t height, std::int64_t width, Random& random);

}  // namespace basin::data
