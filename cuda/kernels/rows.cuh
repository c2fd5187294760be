// Rows of numbers, each worked off by some threads together.
#pragma once

#include <algorithm>

#include "cuda/kernels/device.cuh"

namespace basin::cuda {

template <class T>
__device__ T shuffle_xor(T number, int far, int width) {
  return __shfl_xor_sync(0xffffffffU, number, far, width);
}

/// `width` threads work on a row: a power of two up to 32, or all of a block. Blocks stride over the rows.
template <int width>
struct Rows {
  static_assert(width == kThreads || (width <= 32 && 32 % width == 0));
  static constexpr int kOfBlock = kThreads / width;

  static unsigned blocks(std::int64_t rows) {
    return static_cast<unsigned>(std::clamp<std::int64_t>((rows + kOfBlock - 1) / kOfBlock, 1, 132 * 16));
  }
  __device__ static int lane() { return static_cast<int>(threadIdx.x) % width; }

  /// Calls body(row, counts). All threads of a block call it equally often, as the joins below need; where
  /// no row is left it gets the last one again, which then does not count.
  template <class Body>
  __device__ static void each(std::int64_t rows, Body body) {
    for (std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * kOfBlock; first < rows;
         first += static_cast<std::int64_t>(gridDim.x) * kOfBlock) {
      const std::int64_t row = first + static_cast<int>(threadIdx.x) / width;
      body(row < rows ? row : rows - 1, row < rows);
    }
  }

  /// The numbers of a row's threads joined, in an order that is always the same. T is what shuffle_xor()
  /// takes.
  template <class T, class Join>
  __device__ static T joined(T number, Join join) {
    constexpr int of_warp = width < 32 ? width : 32;
    for (int far = of_warp / 2; far > 0; far /= 2) number = join(number, shuffle_xor(number, far, of_warp));
    if constexpr (width > 32) {
      struct Warps;
      T* warps = shared_array<Warps, T, kThreads / 32>();
      __syncthreads();  // the numbers of the join before are read
      if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = number;
      __syncthreads();
      number = warps[0];
      for (int i = 1; i < kThreads / 32; ++i) number = join(number, warps[i]);
    }
    return number;
  }
  __device__ static double sum(double number) {
    return joined(number, [](double a, double b) { return a + b; });
  }
};

}  // namespace basin::cuda
