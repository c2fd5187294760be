// Log-softmax (kernels/softmax.cuh).
#include "cuda/backend.h"
#include "cuda/dispatch.h"
#include "cuda/kernels/softmax.cuh"
#include "cuda/launch.h"

namespace basin::cuda {

void CudaBackend::log_softmax(const Tensor& x, Tensor& y) {
  if (x.elements() == 0) return;
  const std::int64_t n = x.shape()[x.rank() - 1], rows = x.elements() / n;
  dispatch_activations(x.dtype(), "log_softmax", [&](auto type) {
    using T = decltype(type);
    dispatch_width(n, [&](auto width) {
      launch(log_softmax_kernel<T, width>, Rows<width>::blocks(rows), kThreads, stream(), numbers<T>(x), rows,
             n, numbers<T>(y));
    });
  });
}

void CudaBackend::log_softmax_grad(const Tensor& y, const Tensor& dy, Tensor& dx) {
  if (y.elements() == 0) return;
  const std::int64_t n = y.shape()[y.rank() - 1], rows = y.elements() / n;
  dispatch_activations(y.dtype(), "log_softmax_grad", [&](auto type) {
    using T = decltype(type);
    dispatch_width(n, [&](auto width) {
      launch(log_softmax_grad_kernel<T, width>, Rows<width>::blocks(rows), kThreads, stream(), numbers<T>(y),
             numbers<T>(dy), rows, n, numbers<T>(dx));
    });
  });
}

}  // namespace basin::cuda
