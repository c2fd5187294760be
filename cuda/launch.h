// How a kernel is started and what it is handed, alike under nvcc and under the emulator of the tests.
#pragma once

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <type_traits>

#include "core/scalar.h"
#include "cuda/kernels/device.cuh"
#include "cuda/runtime/check.h"

#ifndef __CUDACC__
#include <runtime_double.h>
#endif

namespace basin::cuda {

/// Blocks of kThreads threads for n numbers, one a thread, but no more than fill a large card: the kernels'
/// loops stride over the rest. At least 1.
inline unsigned blocks_for(std::int64_t n) {
  return static_cast<unsigned>(std::clamp<std::int64_t>((n + kThreads - 1) / kThreads, 1, 132 * 16));
}

/// Starts kernel(arguments...) on a stream. Arguments are converted to the kernel's own parameter types
/// first. Errors: InternalError for a launch that CUDA refuses.
template <class... P, class... A>
void launch(void (*kernel)(P...), dim3 grid, dim3 block, cudaStream_t stream, A&&... arguments) {
  static_assert(sizeof...(P) == sizeof...(A), "as many arguments as the kernel has parameters");
#ifdef __CUDACC__
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.stream = stream;
  check(cudaLaunchKernelEx(&config, kernel, static_cast<P>(arguments)...), "cudaLaunchKernelEx");
#else
  const std::tuple<std::decay_t<P>...> copy(static_cast<P>(arguments)...);
  check(fake::enqueue_kernel(stream, grid, block, 0, reinterpret_cast<const void*>(kernel),
                             fake::pointers_of(copy), [kernel, copy] { std::apply(kernel, copy); }),
        "launch");
#endif
}

/// The numbers of a tensor at their address on the card; for kernels alone.
template <class T>
const T* numbers(const Tensor& t) {
  return reinterpret_cast<const T*>(t.raw());
}
template <class T>
T* numbers(Tensor& t) {
  return reinterpret_cast<T*>(t.mutable_raw());
}

/// A known number by value, another by its address on the card. `keep` holds the tensor alive until the
/// launch.
inline Number number_of(const Scalar& a, Tensor& keep, Device device) {
  if (a.known()) return {.here = a.value()};
  keep = a.tensor(device);
  return {.there = reinterpret_cast<const double*>(keep.raw())};
}

}  // namespace basin::cuda
