// Differentiable layer norm, dropout and shake.
#include <algorithm>

#include "autograd/ops/norm_support.h"
#include "core/op_checks.h"

namespace basin {
namespace {

/// What layer norm means; inputs x, gamma, beta, and each row's mean and 1/sqrt(var + eps), which it computes
/// from x.
Variable layer_norm_meaning(const Variables& in, double eps) {
  const Variable x = wide(in[x_at]), centred = x - mean(x, {-1}, /*keep=*/true);
  const Variable inv_std = rsqrt(mean(square(centred), {-1}, /*keep=*/true) + eps);
  return to(centred * inv_std * in[gamma_at] + in[beta_at], in[x_at].dtype());
}

/// The same gradient by one kernel.
Tensors layer_norm_backward(const KernelBackward& k) {
  Tensors grads = room_for_norm_grads(k);
  if (k.grad.elements() == 0) return grads;
  backend_of(k.grad, Work::norm)
      ->layer_norm_grad({.x = k.inputs[x_at],
                         .gamma = k.inputs[gamma_at],
                         .mean = k.inputs[mean_at],
                         .inv_std = k.inputs[inv_std_at],
                         .dy = k.grad},
                        grads[x_at], grads[gamma_at], grads[beta_at]);
  return grads;
}

}  // namespace

Variable layer_norm(const Variable& x, const Variable& gamma, const Variable& beta, double eps) {
  checks::expect_computed("layer_norm", x.value(), "x");
  if (!has_derivatives(x.dtype()) || x.rank() < 1)
    throw ArgumentError("[layer_norm] expects f32 or f64 x {...,C}, got ", x.dtype(), " ", x.shape());
  expect_channels("layer_norm", x, "gamma", gamma.value());
  expect_channels("layer_norm", x, "beta", beta.value());
  const Index rows = x.value().elements() / std::max<Index>(1, x.size(-1));
  Tensor y = empty_like(x.value()), row_mean = empty_parameter_like(y, {rows});
  Tensor inv_std = empty_like(row_mean);
  if (y.elements() > 0)
    backend_of(y, Work::norm)
        ->layer_norm({.x = x.value(), .gamma = gamma.value(), .beta = beta.value(), .eps = eps}, y, row_mean,
                     inv_std);
  return fused({"layer_norm", eps}, {x, gamma, beta, row_mean, inv_std},
               [eps](const Variables& in) { return layer_norm_meaning(in, eps); },
               {.value = std::move(y), .backward = layer_norm_backward});
}

Variable dropout(const Variable& x, double p, const DrawAddress& at) {
  if (!(p >= 0 && p < 1)) throw ArgumentError("[dropout] p is a probability in [0, 1), got ", p);
  if (p == 0) return x;
  const LayerDraws mask{DropoutMask(p), Stream::dropout, at};
  return x * Variable(drawn(mask, x.shape(), compute_dtype(x.dtype()), x.value().device()));
}

Variable shake(const Variable& x, const Tensor& forward, const Tensor& backward) {
  for (const Tensor* coefficient : {&forward, &backward}) {
    checks::expect_parameter("shake", x.value(), "x", *coefficient, "the coefficient");
    if (broadcast_shapes(x.shape(), coefficient->shape(), "shake") != x.shape())
      throw ArgumentError("[shake] a coefficient of shape ", coefficient->shape(),
                          " does not stretch to x, which is ", x.shape());
  }
  return record("shake", x.value() * forward, {x, backward}, Keep::second,
                [](const Backward& b) -> Variables {
                  return {b.grad() * b.input(1), none};
                });
}

}  // namespace basin
