// What the normalising ops share. Not for users of the library.
#pragma once

#include "autograd/fused.h"
#include "autograd/ops/op_support.h"

namespace basin {

/// Inputs of a fused normalisation. mean and inv_std = 1/sqrt(var + eps) travel as constants for the kernels.
enum NormInput : std::size_t { x_at, gamma_at, beta_at, mean_at, inv_std_at };

/// Room for dL/dx, dL/dgamma and dL/dbeta. Without any x the last two are sums of nothing: zeros.
inline Tensors room_for_norm_grads(const KernelBackward& k) {
  Tensors grads(k.inputs.size());
  for (std::size_t i : {x_at, gamma_at, beta_at}) grads[i] = empty_like(k.inputs[i]);
  if (k.inputs[x_at].elements() == 0)
    for (std::size_t i : {gamma_at, beta_at}) grads[i].fill(0);
  return grads;
}

/// x as the statistics are computed from it: f32 for bf16.
inline Variable wide(const Variable& x) { return to(x, compute_dtype(x.dtype())); }

/// An uninitialised parameter of x, or statistics of it.
inline Tensor empty_parameter_like(const Tensor& x, const Shape& shape) {
  return Tensor::empty(shape, compute_dtype(x.dtype()), x.device());
}

/// Errors: t is not {C} of x {...,C}, or not of the dtype of x's parameters.
inline void expect_channels(const char* op, const Variable& x, const char* what, const Tensor& t) {
  if (t.shape() != Shape{x.size(-1)} || t.dtype() != compute_dtype(x.dtype()))
    throw ArgumentError("[", op, "] ", what, " is ", t.dtype(), " ", t.shape(), ", x ", x.dtype(), " ",
                        x.shape(), " expects {", x.size(-1), "}");
}

/// What a batch norm's derivative needs besides the cotangent of its result.
struct NormOfBatch {
  bool batch_statistics;  // they depend on x
  double eps;
};
struct NormCotangents {
  Variable x, gamma, beta;
};
/// The cotangents of x, gamma and beta of a batch norm without a ReLU, `in` the five inputs and dy the
/// cotangent of its result, f32 or f64: as ops that are recorded, whose own derivatives are kernels
/// (batch_norm_second.cpp).
NormCotangents batch_norm_cotangents(const Variables& in, const Variable& dy, const NormOfBatch& norm);

}  // namespace basin
