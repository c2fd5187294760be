// The unary operations, all of core/functors/unary.h.
#include "cuda/backend.h"
#include "cuda/map.h"

namespace basin::cuda {

void CudaBackend::unary(UnaryOp op, const Tensor& x, double a, double b, Tensor& out) {
  if (op == UnaryOp::copy) {
    copy_along(stream(), broadcast_axes(out.shape(), x.shape()), size_of(x.dtype()), x.raw(),
               out.mutable_raw());
    return;
  }
  functors::with_unary(op, a, b, [&](auto f) {
    dispatch_activations(x.dtype(), "unary", [&](auto type) {
      using T = decltype(type);
      map<T, T>(stream(), f, out, x);
    });
  });
}

}  // namespace basin::cuda
