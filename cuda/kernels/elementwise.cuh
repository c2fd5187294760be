// One number in, one out: the formulas of core/functors over vectors and broadcast tensors.
#pragma once

#include "core/shape.h"
#include "cuda/kernels/device.cuh"

namespace basin::cuda {

/// y_i = value.
template <class T>
__global__ void __launch_bounds__(kThreads) fill_kernel(T value, T* y, std::int64_t n) {
  for (std::int64_t i = thread_index(); i < n; i += thread_count()) y[i] = value;
}

/// y_i = f(x_i).
template <class F, class T>
__global__ void __launch_bounds__(kThreads) unary_kernel(F f, const T* x, T* y, std::int64_t n) {
  for (std::int64_t i = thread_index(); i < n; i += thread_count())
    y[i] = static_cast<T>(f(static_cast<Compute<T>>(x[i])));
}

}  // namespace basin::cuda
