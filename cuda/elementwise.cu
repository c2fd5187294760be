// Fill, cast and where (kernels/elementwise.cuh).
#include <cmath>

#include "cuda/backend.h"
#include "cuda/map.h"

namespace basin::cuda {

void CudaBackend::fill(Tensor& out, double value) {
  const std::int64_t n = out.elements();
  if (n == 0) return;
  if (value == 0 && !std::signbit(value)) {  // zeros are zero bytes, in every type
    check(cudaMemsetAsync(out.mutable_raw(), 0, out.bytes(), stream()), "cudaMemsetAsync");
    return;
  }
  dispatch_all(out.dtype(), [&](auto type) {
    using T = decltype(type);
    launch(fill_kernel<T>, blocks_for(n / pack_width<T>), kThreads, stream(), functors::convert<T>(value),
           numbers<T>(out), n);
  });
}

void CudaBackend::cast(const Tensor& x, Tensor& out) {
  const std::int64_t n = out.elements();
  if (n == 0) return;
  dispatch_all(x.dtype(), [&](auto from) {
    dispatch_all(out.dtype(), [&](auto to) {
      using From = decltype(from);
      using To = decltype(to);
      launch(cast_kernel<To, From>, blocks_for(n / pack_width<To, From>), kThreads, stream(),
             numbers<From>(x), numbers<To>(out), n);
    });
  });
}

void CudaBackend::where(const Tensor& condition, const Tensor& x, const Tensor& z, Tensor& out) {
  dispatch_activations(out.dtype(), "where", [&](auto type) {
    using T = decltype(type);
    map<T, T, T, T>(stream(), Where{}, out, condition, x, z);
  });
}

}  // namespace basin::cuda
