// What the files of differentiable ops share. Not for users of the library.
#pragma once

#include "autograd/node.h"
#include "autograd/ops/ops.h"
#include "autograd/recording.h"
#include "core/ops.h"

namespace basin {

/// "No cotangent": for inputs that are data, or whose derivative nobody asked for.
inline const Variable none{};

/// What a product's derivative needs: for each tracked factor, the other one.
inline Keep other_factor(const Variable& x, const Variable& y) {
  return (x.tracked() ? Keep::second : Keep::nothing) | (y.tracked() ? Keep::first : Keep::nothing);
}

/// The derivative of an elementwise function times the cotangent g, as a function of s, the saved input or
/// output. While the sweep does not record, one kernel computes it; while it does, its formula, in
/// differentiable ops.
template <class Formula>
Variable slope(BinaryOp kernel, const Variable& g, const Variable& s, Formula formula) {
  if (recording()) return formula(g, s);
  return binary(kernel, g.value(), s.value());
}

/// An uninitialised tensor like `t`, of another shape if one is given.
inline Tensor empty_like(const Tensor& t, const Shape& shape) {
  return Tensor::empty(shape, t.dtype(), t.device());
}
inline Tensor empty_like(const Tensor& t) { return empty_like(t, t.shape()); }

/// y as the result of conv2d(x, w), for the history alone: y may be undefined.
Variable recorded_conv2d(Tensor y, const Variable& x, const Variable& w, const ConvGeometry& g);

/// The cotangent of input `at` of b, the weight of a convolution of x whose result has the cotangent dy: its
/// numbers zero where nobody reads them.
Variable weight_cotangent(const Backward& b, std::size_t at, const Variable& x, const Variable& dy,
                          const ConvGeometry& g);

/// g where y > 0, else 0, y = relu(...): linear in g, y is data.
Variable relu_grad(const Variable& g, const Variable& y);

/// The number a as a constant that combines with x, of the dtype of x's parameters.
inline Variable scalar_like(const Variable& x, double a) {
  return Tensor::full({}, a, compute_dtype(x.dtype()), x.value().device());
}

/// sum() of bf16 numbers before it is rounded to bf16.
Variable wide_sum(const Variable& x, const Axes& axes, bool keep);
/// sum_to() in x's dtype, or in f32 of bf16.
Variable sum_to(const Variable& x, const Shape& shape, Dtype dtype);
/// g as the cotangent of input i: summed over the axes along which the input was stretched, in its dtype.
inline Variable cotangent_of(const Backward& b, std::size_t i, const Variable& g) {
  return sum_to(g, b.input_shape(i), b.input_dtype(i));
}

}  // namespace basin
