// Images of a batch out of pictures of bytes: crop, mirror, cutout and mix in one pass
// (core/images/image_batch.h).
#pragma once

#include "core/functors/image.h"
#include "cuda/kernels/device.cuh"

namespace basin::cuda {

/// Numbers of an image that a thread writes, kThreads apart.
inline constexpr int kNumbersOfImage = 4;

/// out_(b, y, x, c) = formula(b, y, x, c, lambda). A block writes a piece of one image; an image has `pieces`
/// of them. kChannels is the number of channels where the compiler should know it, else 0.
template <int kChannels>
__global__ void __launch_bounds__(kThreads)
    image_batch_kernel(functors::ImageFormula formula, Number lambda, std::int64_t pieces, float* out) {
  const std::int64_t image = blockIdx.x / pieces, piece = blockIdx.x % pieces;
  const auto channels = static_cast<unsigned>(kChannels != 0 ? kChannels : formula.channels);
  const auto width = static_cast<unsigned>(formula.width);
  const std::int64_t numbers = formula.height * formula.width * formula.channels;
  const auto share = static_cast<float>(lambda.value());
  for (int i = 0; i < kNumbersOfImage; ++i) {
    const std::int64_t at = (piece * kNumbersOfImage + i) * kThreads + threadIdx.x;
    if (at >= numbers) return;
    const auto number = static_cast<unsigned>(at);  // of one image: 32 bits divide faster
    const unsigned pixel = number / channels, row = pixel / width;
    out[image * numbers + at] = formula(image, row, pixel - row * width, number - pixel * channels, share);
  }
}

}  // namespace basin::cuda
