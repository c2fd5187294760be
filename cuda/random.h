// Random numbers that are drawn on the card.
#pragma once

#include "core/random.h"
#include "core/scalar.h"
#include "cuda/backend.h"

namespace basin::cuda {

/// The address of Random(seed, stream, epoch, index), of an epoch that may live on the card: draws that are
/// recorded once differ each time they are made.
struct DrawsAt {
  std::uint64_t seed;
  basin::Stream stream;
  Scalar epoch;
  std::uint64_t index = 0;
};

/// Element i of out (f64) is the i-th uniform() there.
void draw_uniform(CudaBackend& card, const DrawsAt& at, Tensor& out);
/// Element i of out (f32, f64 or bf16) is 0 if the i-th bits() there are below p 2^32, else 1 / (1 - p): the
/// mask of dropout(), with its bits.
void draw_mask(CudaBackend& card, const DrawsAt& at, double p, Tensor& out);

}  // namespace basin::cuda
