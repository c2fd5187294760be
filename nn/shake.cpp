#include "nn/shake.h"

#include <cmath>
#include <vector>

#include "core/random.h"

namespace basin::nn {
namespace {

/// Numbers that each image's branches are multiplied by, a row {N} for each kind of number.
class Factors {
 public:
  Factors(int rows, Index images) : images_(images), numbers_(static_cast<std::size_t>(rows * images)) {}
  double& operator()(int row, Index image) {
    return numbers_[static_cast<std::size_t>(row * images_ + image)];
  }
  const std::vector<double>& numbers() const { return numbers_; }

 private:
  Index images_;
  std::vector<double> numbers_;
};

/// What draw(random, factors, image) gives for the rows of x, in the dtype of x's parameters: {rows,N,1,..}.
template <class Draw>
Tensor drawn(const Variable& x, int rows, Context& ctx, const Draw& draw) {
  Shape shape{rows, x.size(0)};
  for (int axis = 1; axis < x.rank(); ++axis) shape.push_back(1);
  const DrawAddress at = ctx.next_draw();
  const auto numbers = [=, dtype = compute_dtype(x.dtype())](std::uint64_t step) {
    Random random(at.seed, Stream::shake, step, at.layer);
    Factors factors(rows, shape[1]);
    for (Index image = 0; image < shape[1]; ++image) draw(random, factors, image);
    return Tensor::from(factors.numbers(), shape).to(dtype);
  };
  return at.drawn(numbers, x.value().device());
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
  const Tensor factors = drawn(x, 4, ctx, [](Random& random, Factors& f, Index image) {
    for (int pass = 0; pass < 2; ++pass) {
      f(pass, image) = random.uniform();
      f(2 + pass, image) = 1 - f(pass, image);
    }
  });
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
  const Tensor factors = drawn(x, 2, ctx, [o](Random& random, Factors& f, Index image) {
    const bool kept = random.uniform() < o.keep;
    const double alpha = random.uniform(o.alpha_low, o.alpha_high);
    const double beta = random.uniform(o.beta_low, o.beta_high);
    f(0, image) = kept ? 1 : alpha;
    f(1, image) = kept ? 1 : beta;
  });
  return shaken(x, factors, 0, ctx);
}

}  // namespace basin::nn
