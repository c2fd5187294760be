#include "nn/shake.h"

#include <cmath>

#include "core/draws.h"

namespace basin::nn {
namespace {

/// The rows that a formula gives for the images of x, in the dtype of x's parameters: {rows,N,1,..}.
template <class Formula>
Tensor factors_of(const Variable& x, const Formula& formula, Context& ctx) {
  Shape shape{Formula::kRows, x.size(0)};
  for (int axis = 1; axis < x.rank(); ++axis) shape.push_back(1);
  return drawn({formula, Stream::shake, ctx.next_draw()}, shape, compute_dtype(x.dtype()),
               x.value().device());
}

/// x by the factors of a row, and its gradient by those of the next.
Variable shaken(const Variable& x, const Tensor& factors, int row, const Context& ctx) {
  Shape shape = x.shape();
  for (int axis = 1; axis < x.rank(); ++axis) shape[axis] = 1;
  const auto row_of = [&](int r) { return factors.slice_rows(r, r + 1).reshape(shape); };
  return shake(x, row_of(row), row_of(ctx.true_gradient ? row : row + 1));
}

bool draws(const Context& ctx) { return ctx.training() && ctx.dropout; }

}  // namespace

Variable shake_shake(const Variable& x, const Variable& y, Context& ctx) {
  if (x.shape() != y.shape())
    throw ArgumentError("[shake_shake] branches of shapes ", x.shape(), " and ", y.shape());
  if (!draws(ctx)) return (x + y) * 0.5;
  const Tensor factors = factors_of(x, ShakeShakeFactors{}, ctx);
  return shaken(x, factors, 0, ctx) + shaken(y, factors, 2, ctx);
}

ShakeDrop::ShakeDrop(const ShakeDropOptions& o) : options_(o) {
  if (!(o.keep >= 0 && o.keep <= 1))
    throw ArgumentError("[shake_drop] keep is a probability in [0, 1], got ", o.keep);
  if (!(o.alpha_low < o.alpha_high && o.beta_low < o.beta_high) ||
      !std::isfinite(o.alpha_high - o.alpha_low) || !std::isfinite(o.beta_high - o.beta_low))
    throw ArgumentError("[shake_drop] alpha and beta need intervals, got [", o.alpha_low, ", ", o.alpha_high,
                        "] and [", o.beta_low, ", ", o.beta_high, "]");
}

Variable ShakeDrop::forward(const Variable& x, Context& ctx) {
  const ShakeDropOptions& o = options_;
  if (!draws(ctx)) return x * (o.keep + (1 - o.keep) * (o.alpha_low + o.alpha_high) / 2);
  const ShakeDropFactors formula{o.keep, o.alpha_low, o.alpha_high, o.beta_low, o.beta_high};
  return shaken(x, factors_of(x, formula, ctx), 0, ctx);
}

}  // namespace basin::nn
