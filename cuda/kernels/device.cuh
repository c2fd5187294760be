// What every kernel file includes: CUDA's own words under nvcc, under the host compiler those of the emulator
// in tests/cuda/emulator, which runs the same kernels without a GPU.
#pragma once

#ifdef __CUDACC__
#include <cuda_runtime.h>

namespace basin::cuda {

/// n numbers that the threads of a block share; nothing is in them at first. A kernel names each of its
/// arrays by a tag:
///
///     struct Sums;
///     float* sums = shared_array<Sums, float, 32>();
///
/// In place of __shared__, which the emulator could not see.
template <class Tag, class T, int n>
__device__ __forceinline__ T* shared_array() {
  __shared__ T numbers[n];
  return numbers;
}

}  // namespace basin::cuda
#else
#include <device_words.h>
#endif

#include <cstdint>

#include "core/bfloat16.h"

namespace basin::cuda {

/// Threads of a block, of all kernels that don't say otherwise.
inline constexpr int kThreads = 256;
/// Blocks that a multiprocessor can hold at once, for kernels that need no more than 64 registers a thread:
/// told of it, the compiler does not spill some of them to hold more blocks.
inline constexpr int kResident = 4;

/// The type in which numbers that are stored as T are computed with: float for bfloat16, T for T.
template <class T>
struct ComputeOf {
  using type = T;
};
template <>
struct ComputeOf<bfloat16> {
  using type = float;
};
template <class T>
using Compute = typename ComputeOf<T>::type;

/// Place of this thread in a one-dimensional grid, and how many there are: a grid-stride loop is
/// for (std::int64_t i = thread_index(); i < n; i += thread_count()).
__device__ inline std::int64_t thread_index() {
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ inline std::int64_t thread_count() { return static_cast<std::int64_t>(gridDim.x) * blockDim.x; }

/// A number for a kernel: `here`, or what `there` points to in the device's memory when the kernel runs.
struct Number {
  double here = 0;
  const double* there = nullptr;

  __device__ double value() const { return there != nullptr ? *there : here; }
  /// For the checks of the emulator: each address that the kernel is handed.
  template <class F>
  void for_each_pointer(F f) const {
    f(there);
  }
};

}  // namespace basin::cuda
