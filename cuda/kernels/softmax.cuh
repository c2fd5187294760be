// Log-softmax of the rows of x {rows, n}, and its gradient.
#pragma once

#include "core/functors/binary.h"
#include "cuda/kernels/rows.cuh"

namespace basin::cuda {

/// y_j = x_j - top - log(sum_k exp(x_k - top)), top the row's maximum.
template <class T, int width>
__global__ void __launch_bounds__(kThreads)
    log_softmax_kernel(const T* x, std::int64_t rows, std::int64_t n, T* y) {
  using N = Compute<T>;
  Rows<width>::each(rows, [=](std::int64_t r, bool counts) {
    const functors::Binary<BinaryOp::maximum> maximum;
    const T* row = x + r * n;
    N top = static_cast<N>(row[0]);
    for (std::int64_t j = Rows<width>::lane(); j < n; j += width) top = maximum(top, static_cast<N>(row[j]));
    top = Rows<width>::joined(top, maximum);
    double total = 0;
    for (std::int64_t j = Rows<width>::lane(); j < n; j += width)
      total += static_cast<double>(std::exp(static_cast<N>(row[j]) - top));
    const N log_total = static_cast<N>(std::log(Rows<width>::sum(total)));
    if (!counts) return;
    for (std::int64_t j = Rows<width>::lane(); j < n; j += width)
      y[r * n + j] = static_cast<T>(static_cast<N>(row[j]) - top - log_total);
  });
}

/// dx_j = dy_j - exp(y_j) sum_k dy_k.
template <class T, int width>
__global__ void __launch_bounds__(kThreads)
    log_softmax_grad_kernel(const T* y, const T* dy, std::int64_t rows, std::int64_t n, T* dx) {
  using N = Compute<T>;
  Rows<width>::each(rows, [=](std::int64_t r, bool counts) {
    double sum = 0;
    for (std::int64_t j = Rows<width>::lane(); j < n; j += width)
      sum += static_cast<double>(static_cast<N>(dy[r * n + j]));
    const N total = static_cast<N>(Rows<width>::sum(sum));
    if (!counts) return;
    for (std::int64_t j = Rows<width>::lane(); j < n; j += width) {
      const std::int64_t i = r * n + j;
      dx[i] = static_cast<T>(static_cast<N>(dy[i]) - std::exp(static_cast<N>(y[i])) * total);
    }
  });
}

}  // namespace basin::cuda
