#include "nn/shake.h"

#include <cmath>
#include <vector>

#include "core/random.h"

namespace basin::nn {
namespace {

/// What each image's branch is multiplied by.
struct Factors {
  explicit Factors(Index images)
      : forward(static_cast<std::size_t>(images)), backward(static_cast<std::size_t>(images)) {}
  std::vector<double> forward, backward;
};

/// One number for each row of x, in the dtype of x's parameters.
Tensor for_rows(const Variable& x, const std::vector<double>& numbers) {
  Shape shape{x.size(0)};
  for (int axis = 1; axis < x.rank(); ++axis) shape.push_back(1);
  return Tensor::from(numbers, shape).to(compute_dtype(x.dtype())).to(x.value().device());
}

Variable shaken(const Variable& x, const Factors& f, const Context& ctx) {
  const Tensor forward = for_rows(x, f.forward);
  return shake(x, forward, ctx.true_gradient ? forward : for_rows(x, f.backward));
}

bool draws(const Context& ctx) { return ctx.training() && ctx.dropout; }

Random random_at(const DrawAddress& at) { return {at.seed, Stream::shake, at.step, at.layer}; }

}  // namespace

Variable shake_shake(const Variable& x, const Variable& y, Context& ctx) {
  if (x.shape() != y.shape())
    throw ArgumentError("[shake_shake] branches of shapes ", x.shape(), " and ", y.shape());
  if (!draws(ctx)) return (x + y) * 0.5;
  Random random = random_at(ctx.next_draw());
  Factors a(x.size(0)), rest(x.size(0));
  for (std::size_t i = 0; i < a.forward.size(); ++i) {
    a.forward[i] = random.uniform();
    a.backward[i] = random.uniform();
    rest.forward[i] = 1 - a.forward[i];
    rest.backward[i] = 1 - a.backward[i];
  }
  return shaken(x, a, ctx) + shaken(y, rest, ctx);
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
  Random random = random_at(ctx.next_draw());
  Factors factors(x.size(0));
  for (std::size_t i = 0; i < factors.forward.size(); ++i) {
    const bool kept = random.uniform() < o.keep;
    const double alpha = random.uniform(o.alpha_low, o.alpha_high);
    const double beta = random.uniform(o.beta_low, o.beta_high);
    factors.forward[i] = kept ? 1 : alpha;
    factors.backward[i] = kept ? 1 : beta;
  }
  return shaken(x, factors, ctx);
}

}  // namespace basin::nn
