// Differentiable normalisation: batch norm (fused with ReLU and residual), layer norm, dropout, shake.
#include <algorithm>

#include "autograd/fused.h"
#include "autograd/op_support.h"
#include "core/op_checks.h"
#include "core/random.h"

namespace basin {
namespace {

enum class Statistics { of_batch, given };

// Inputs of the fused op. mean and inv_std = 1/sqrt(var + eps) travel as constants for the kernels.
enum Place : std::size_t { x_at, gamma_at, beta_at, mean_at, inv_std_at, residual_at };

/// What batch norm means. The statistics of a batch depend on x, so they are computed from it here: as
/// constants they would give the right value and wrong derivatives.
Variable batch_norm_meaning(const Variables& in, Statistics statistics, double eps, bool with_relu) {
  Variable centred, inv_std;
  if (statistics == Statistics::of_batch) {
    Axes rows;
    for (int i = 0; i + 1 < in[x_at].rank(); ++i) rows.push_back(i);
    centred = in[x_at] - mean(in[x_at], rows);
    inv_std = rsqrt(mean(square(centred), rows) + eps);
  } else {
    centred = in[x_at] - in[mean_at];
    inv_std = in[inv_std_at];
  }
  Variable y = centred * (inv_std * in[gamma_at]) + in[beta_at];
  if (in.size() > residual_at) y = y + in[residual_at];
  return with_relu ? relu(y) : y;
}

/// Room for dL/dx, dL/dgamma and dL/dbeta. Without any x the last two are sums of nothing: zeros.
Tensors room_for_grads(const KernelBackward& k) {
  Tensors grads(k.inputs.size());
  for (std::size_t i : {x_at, gamma_at, beta_at}) grads[i] = empty_like(k.inputs[i]);
  if (k.grad.elements() == 0)
    for (std::size_t i : {gamma_at, beta_at}) grads[i].fill(0);
  return grads;
}

/// The same gradient by one kernel: dL/dx, dL/dgamma, dL/dbeta, and the cotangent of the residual.
Tensors batch_norm_backward(const KernelBackward& k, Statistics statistics, bool with_relu) {
  Tensors grads = room_for_grads(k);
  const bool residual = k.inputs.size() > residual_at;
  // Without a ReLU the residual's cotangent is dy itself.
  if (residual) grads[residual_at] = with_relu ? empty_like(k.grad) : k.grad;
  if (k.grad.elements() == 0) return grads;
  backend_of(k.grad).batch_norm_grad({.x = k.inputs[x_at],
                                      .gamma = k.inputs[gamma_at],
                                      .mean = k.inputs[mean_at],
                                      .inv_std = k.inputs[inv_std_at],
                                      .dy = k.grad,
                                      .y = with_relu ? &k.output : nullptr,
                                      .batch_statistics = statistics == Statistics::of_batch},
                                     grads[x_at], grads[gamma_at], grads[beta_at],
                                     residual && with_relu ? &grads[residual_at] : nullptr);
  return grads;
}

void expect_channels(const char* op, const Variable& x, const char* what, const Tensor& t) {
  if (t.shape() != Shape{x.size(-1)} || t.dtype() != x.dtype())
    throw ArgumentError("[", op, "] ", what, " is ", t.dtype(), " ", t.shape(), ", x ", x.dtype(), " ",
                        x.shape(), " expects {", x.size(-1), "}");
}

void expect_batch_norm(const char* op, const Variable& x, const Variable& gamma, const Variable& beta,
                       const BatchNormOptions& options) {
  if (!is_floating(x.dtype()) || x.rank() < 1)
    throw ArgumentError("[", op, "] expects f32 or f64 x {...,C}, got ", x.dtype(), " ", x.shape());
  expect_channels(op, x, "gamma", gamma.value());
  expect_channels(op, x, "beta", beta.value());
  const Variable& r = options.residual;
  if (r.defined() && (r.shape() != x.shape() || r.dtype() != x.dtype()))
    throw ArgumentError("[", op, "] the residual is ", r.dtype(), " ", r.shape(), ", x is ", x.dtype(), " ",
                        x.shape());
}

Variable batch_norm(const char* op, Statistics statistics, const Variable& x, const Variable& gamma,
                    const Variable& beta, const Tensor& mean, const Tensor& var,
                    const BatchNormOptions& options) {
  const Tensor inv_std = unary(UnaryOp::rsqrt, unary(UnaryOp::add_scalar, var, options.eps));
  Variables inputs{x, gamma, beta, mean, inv_std};
  if (options.residual.defined()) inputs.push_back(options.residual);

  Tensor y = empty_like(x.value());
  if (y.elements() > 0)
    backend_of(y).batch_norm({.x = x.value(),
                              .gamma = gamma.value(),
                              .beta = beta.value(),
                              .mean = mean,
                              .inv_std = inv_std,
                              .residual = options.residual.defined() ? &options.residual.value() : nullptr,
                              .relu = options.relu},
                             y);
  const Tensor given = statistics == Statistics::given ? var : Tensor();
  return fused({op, attribute::Normalisation{options.eps, options.relu, given}}, inputs,
               [statistics, eps = options.eps, with_relu = options.relu](const Variables& in) {
                 return batch_norm_meaning(in, statistics, eps, with_relu);
               },
               {.value = std::move(y),
                .keep_output = options.relu,
                .backward = [statistics, with_relu = options.relu](const KernelBackward& k) {
                  return batch_norm_backward(k, statistics, with_relu);
                }});
}

}  // namespace

BatchNormResult batch_norm_train(const Variable& x, const Variable& gamma, const Variable& beta,
                                 const BatchNormOptions& options) {
  expect_batch_norm("batch_norm_train", x, gamma, beta, options);
  if (x.value().elements() == 0)
    throw ArgumentError("[batch_norm_train] no rows to take the mean of, x is ", x.shape());
  Tensor mean = empty_like(x.value(), gamma.shape()), var = empty_like(mean);
  backend_of(mean).moments(x.value(), mean, var);
  return {batch_norm("batch_norm_train", Statistics::of_batch, x, gamma, beta, mean, var, options), mean,
          var};
}

Variable batch_norm_eval(const Variable& x, const Variable& gamma, const Variable& beta, const Tensor& mean,
                         const Tensor& var, const BatchNormOptions& options) {
  expect_batch_norm("batch_norm_eval", x, gamma, beta, options);
  expect_channels("batch_norm_eval", x, "mean", mean);
  expect_channels("batch_norm_eval", x, "var", var);
  return batch_norm("batch_norm_eval", Statistics::given, x, gamma, beta, mean, var, options);
}

namespace {

/// What layer norm means; inputs x, gamma, beta, and each row's mean and 1/sqrt(var + eps), which it computes
/// from x.
Variable layer_norm_meaning(const Variables& in, double eps) {
  const Variable centred = in[x_at] - mean(in[x_at], {-1}, /*keep=*/true);
  const Variable inv_std = rsqrt(mean(square(centred), {-1}, /*keep=*/true) + eps);
  return centred * inv_std * in[gamma_at] + in[beta_at];
}

/// The same gradient by one kernel.
Tensors layer_norm_backward(const KernelBackward& k) {
  Tensors grads = room_for_grads(k);
  if (k.grad.elements() == 0) return grads;
  backend_of(k.grad).layer_norm_grad({.x = k.inputs[x_at],
                                      .gamma = k.inputs[gamma_at],
                                      .mean = k.inputs[mean_at],
                                      .inv_std = k.inputs[inv_std_at],
                                      .dy = k.grad},
                                     grads[x_at], grads[gamma_at], grads[beta_at]);
  return grads;
}

}  // namespace

Variable layer_norm(const Variable& x, const Variable& gamma, const Variable& beta, double eps) {
  if (!is_floating(x.dtype()) || x.rank() < 1)
    throw ArgumentError("[layer_norm] expects f32 or f64 x {...,C}, got ", x.dtype(), " ", x.shape());
  expect_channels("layer_norm", x, "gamma", gamma.value());
  expect_channels("layer_norm", x, "beta", beta.value());
  const Index rows = x.value().elements() / std::max<Index>(1, x.size(-1));
  Tensor y = empty_like(x.value()), row_mean = empty_like(y, {rows}), inv_std = empty_like(row_mean);
  if (y.elements() > 0)
    backend_of(y).layer_norm({.x = x.value(), .gamma = gamma.value(), .beta = beta.value(), .eps = eps}, y,
                             row_mean, inv_std);
  return fused({"layer_norm", eps}, {x, gamma, beta, row_mean, inv_std},
               [eps](const Variables& in) { return layer_norm_meaning(in, eps); },
               {.value = std::move(y), .backward = layer_norm_backward});
}

Variable dropout(const Variable& x, double p, const DrawAddress& at) {
  if (!(p >= 0 && p < 1)) throw ArgumentError("[dropout] p is a probability in [0, 1), got ", p);
  if (p == 0) return x;
  const auto threshold = static_cast<std::uint64_t>(p * 4294967296.0);
  Random random(at.seed, Stream::dropout, at.step, at.layer);
  Tensor mask = Tensor::empty(x.shape(), x.dtype());
  dispatch_floating(x.dtype(), "dropout", [&]<class T>(T) {
    T* m = mask.mutable_data<T>();
    const T kept = static_cast<T>(1 / (1 - p));
    for (Index i = 0; i < mask.elements(); ++i) m[i] = random.bits() < threshold ? T(0) : kept;
  });
  return x * Variable(mask);
}

Variable shake(const Variable& x, const Tensor& forward, const Tensor& backward) {
  for (const Tensor* coefficient : {&forward, &backward}) {
    checks::expect_alike("shake", x.value(), "x", *coefficient, "the coefficient");
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
