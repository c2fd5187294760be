// Pictures side by side in one, to look at what a network sees.
#pragma once

#include <cstdint>
#include <vector>

#include "core/shape.h"
#include "data/image.h"
#include "data/loading/source.h"

namespace basin::data {

struct ContactSheet {
  std::int64_t columns = 8;
  std::int64_t gap = 2;       // dark pixels between pictures and around them
  std::int64_t enlarged = 1;  // each pixel becomes a square of this side
};

/// The pictures row by row in cells of the largest one's size, each in the middle of its cell. Errors:
/// ArgumentError for no pictures, sizes below 1 (gap: 0), more than kMostPixels.
Image contact_sheet(const std::vector<Image>& pictures, const ContactSheet& options = {});

/// Numbers of shape {H,W,1 or 3} back to bytes: 255 (number deviation + mean) rounded and clipped; one
/// channel is repeated. Errors: ArgumentError for another shape or normalisation.
Image picture_of(const float* numbers, const Shape& shape, const std::vector<double>& mean,
                 const std::vector<double>& deviation);

/// The examples at `indices` as they look in `epoch`, normalisation undone (cutout's squares show the mean).
std::vector<Image> pictures_of(const ExampleSource& source, std::int64_t epoch,
                               const std::vector<std::int64_t>& indices, const std::vector<double>& mean,
                               const std::vector<double>& deviation);

}  // namespace basin::data
