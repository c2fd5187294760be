// LayerDraws: random numbers that a layer draws in a pass, on the device that needs them.
#pragma once

#include <cstdint>

#include "core/functors/draws.h"
#include "core/random.h"
#include "core/scalar.h"
#include "core/tensor.h"

namespace basin {

/// Where the numbers are drawn that one layer needs in one pass. The step is from 0 and below 2^32; of work
/// that is recorded it lives on the device, so that each time that it is made it draws anew.
struct DrawAddress {
  std::uint64_t seed = 0;
  Scalar step = 0;
  std::uint64_t layer = 0;
};

/// The numbers of Random(at.seed, stream, at.step, at.layer), in its order, as a formula takes them: whatever
/// device draws, they have the same bits. Of n elements or images the i-th takes the draws from i kDraws on,
/// and gives out[row, i] for each of the formula's kRows rows; out {kRows, n} in memory, f32 or f64.
struct LayerDraws {
  DrawFormula formula;
  Stream stream;
  DrawAddress at;
};

/// The same in a new tensor. Errors: those of Random; InternalError for more than 2^34 draws.
Tensor drawn(const LayerDraws& d, const Shape& shape, Dtype dtype, Device device);

}  // namespace basin
