// The layout of weights: Basin has {KH,KW,Cin/groups,Cout}, cuDNN wants KRSC, {Cout,KH,KW,Cin/groups}. Seen
// as matrices, {KH KW Cin/groups, Cout} and {Cout, KH KW Cin/groups}, each is the other transposed.
#pragma once

#include "cuda/kernels/device.cuh"

namespace basin::cuda {

inline constexpr int kSide = 32;  // of a tile; one column more keeps its columns in different banks

struct TransposeTile;

/// y[j, i] = x[i, j], x {rows, columns}, rounded where To is shorter. A block moves tiles of 32 x 32 through
/// its shared memory, so that reads and writes are both of neighbours.
template <class From, class To>
__global__ void __launch_bounds__(kThreads)
    transpose_kernel(const From* x, To* y, std::int64_t rows, std::int64_t columns) {
  Compute<From>* tile = shared_array<TransposeTile, Compute<From>, kSide*(kSide + 1)>();
  const std::int64_t across = (columns + kSide - 1) / kSide, tiles = across * ((rows + kSide - 1) / kSide);
  const int lane = static_cast<int>(threadIdx.x) % kSide, first = static_cast<int>(threadIdx.x) / kSide;
  for (std::int64_t t = blockIdx.x; t < tiles; t += gridDim.x) {
    const std::int64_t row = t / across * kSide, column = t % across * kSide;
    for (int i = first; i < kSide; i += kThreads / kSide)
      if (row + i < rows && column + lane < columns)
        tile[i * (kSide + 1) + lane] = static_cast<Compute<From>>(x[(row + i) * columns + column + lane]);
    __syncthreads();
    for (int i = first; i < kSide; i += kThreads / kSide)
      if (column + i < columns && row + lane < rows)
        y[(column + i) * rows + row + lane] = static_cast<To>(tile[lane * (kSide + 1) + i]);
    __syncthreads();
  }
}

}  // namespace basin::cuda
