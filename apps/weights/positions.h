// Positions of a vision transformer for another number of patches: bicubic, as timm resizes them.
#pragma once

#include <optional>

#include "core/tensor.h"

namespace basin::apps {

/// How many patches a side {1,1+s*s,D} has, one token for the class in front; nothing for another shape.
std::optional<Index> position_side(const Shape& positions);

/// {1,1+s*s,D} for t x t patches: the class's token as it is, the grid resized by convolution with Keys's
/// cubic (a = -1/2) of half-width 2 in units of the coarser grid, weights at the border summing to 1: timm's
/// resample_abs_pos_embed(), that is torch's bicubic interpolate(antialias=True). In f64, rounded once to the
/// dtype of the positions. The same bits for t = s. Errors: ArgumentError for another shape or t below 1.
Tensor resized_positions(const Tensor& positions, Index t);

}  // namespace basin::apps
