// Sums over the threads of a block.
#pragma once

#include "cuda/kernels/device.cuh"

namespace basin::cuda {

/// The sum of what all kThreads threads bring, for thread 0; others get numbers of no meaning. Lanes meet in
/// pairs 16, 8, 4, 2, 1 apart, then warps: the order is the same in every run. Tag names the kernel's use of
/// it; between two uses of one tag all threads must have waited for each other.
template <class Tag, class T>
__device__ T block_sum(T sum) {
  constexpr int kWarps = kThreads / 32;
  T* sums = shared_array<Tag, T, kWarps>();
  const int lane = static_cast<int>(threadIdx.x % 32), warp = static_cast<int>(threadIdx.x / 32);
  for (unsigned apart = 16; apart > 0; apart /= 2) sum += __shfl_down_sync(0xffffffffU, sum, apart);
  if (lane == 0) sums[warp] = sum;
  __syncthreads();
  if (warp == 0) {
    sum = lane < kWarps ? sums[lane] : T(0);
    for (unsigned apart = kWarps / 2; apart > 0; apart /= 2) sum += __shfl_down_sync(0xffffffffU, sum, apart);
  }
  return sum;
}

}  // namespace basin::cuda
