// Softmax and its logarithm, over the last axis.
#include "autograd/ops/op_support.h"

namespace basin {

Variable softmax(const Variable& x) {
  if (x.dtype() == Dtype::bf16) return to(softmax(to(x, Dtype::f32)), Dtype::bf16);
  return exp(log_softmax(x));
}

// y = x - log(sum exp(x)): dL/dx = g - softmax(x) sum(g).
Variable log_softmax(const Variable& x) {
  if (x.dtype() == Dtype::bf16) return to(log_softmax(to(x, Dtype::f32)), Dtype::bf16);
  if (!is_floating(x.dtype()) || x.rank() < 1)
    throw ArgumentError("[log_softmax] expects f32 or f64 x {...,K}, got ", x.dtype(), " ", x.shape());
  Tensor value = empty_like(x.value());
  if (value.elements() > 0) backend_of(value, Work::norm)->log_softmax(x.value(), value);
  return record("log_softmax", std::move(value), {x}, Keep::output, [](const Backward& b) -> Variables {
    const Variable& g = b.grad();
    const Variable y = b.output();
    if (recording()) return {g - exp(y) * sum(g, {-1}, /*keep=*/true)};
    Tensor dx = empty_like(g.value());
    if (dx.elements() > 0) backend_of(dx, Work::norm)->log_softmax_grad(y.value(), g.value(), dx);
    return {dx};
  });
}

}  // namespace basin
