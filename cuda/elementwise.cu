// Elementwise operations (kernels/elementwise.cuh).
#include "cuda/backend.h"
#include "cuda/kernels/elementwise.cuh"
#include "cuda/launch.h"

namespace basin::cuda {

void CudaBackend::fill(Tensor& out, double value) {
  const std::int64_t n = out.elements();
  dispatch_all(out.dtype(), [&](auto type) {
    using T = decltype(type);
    launch(fill_kernel<T>, blocks_for(n), kThreads, stream(), static_cast<T>(value), numbers<T>(out), n);
  });
}

void CudaBackend::unary(UnaryOp op, const Tensor& x, double a, double b, Tensor& out) {
  const std::int64_t n = out.elements();
  functors::with_unary(op, a, b, [&](auto f) {
    dispatch_floating(x.dtype(), "unary", [&](auto type) {
      using T = decltype(type);
      launch(unary_kernel<decltype(f), T>, blocks_for(n), kThreads, stream(), f, numbers<T>(x),
             numbers<T>(out), n);
    });
  });
}

}  // namespace basin::cuda
