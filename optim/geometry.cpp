#include "optim/geometry.h"

#include <limits>

#include "core/ops.h"

namespace basin::optim {
namespace {

/// Between 1e-250 and 1e250 a product of two lengths leaves room for the products of the numbers.
Scalar has_room(const Scalar& product) { return both(product > 1e-250, product < 1e250); }

template <class Body>
double limit(Dtype dtype, Body body) {
  return dispatch_floating(dtype, "geometry", body);
}

double least_normal(Dtype dtype) {
  return limit(dtype, []<class T>(T) -> double { return std::numeric_limits<T>::min(); });
}

/// How far, relative to its size, a number may be off after the few roundings of a gradient rule.
double few_roundings(Dtype dtype) {
  return 8 * limit(dtype, []<class T>(T) -> double { return std::numeric_limits<T>::epsilon(); });
}

/// Whether a length, above 0, is one of that dtype's normal numbers.
Scalar fits(const Scalar& length, Dtype dtype) {
  return both(length <= largest_number(dtype), length >= least_normal(dtype));
}

}  // namespace

double largest_number(Dtype dtype) {
  return limit(dtype, []<class T>(T) -> double { return std::numeric_limits<T>::max(); });
}

Tensor unit(const Tensor& x, const Scalar& x_norm) {
  const Scalar scale = 1 / x_norm;
  return select(
      fits(scale, x.dtype()), [&] { return x * scale; },
      [&] {
        // Relative to its largest number x has a length that can be inverted.
        const Tensor relative = x / reduce(ReduceOp::max, unary(UnaryOp::abs, x));
        return relative * (1 / norm(relative));
      });
}

Scalar cosine(const Tensor& x, const Scalar& x_norm, const Tensor& y, const Scalar& y_norm) {
  return select(
      either(x_norm == 0, y_norm == 0), [] { return std::numeric_limits<double>::quiet_NaN(); },
      [&] {
        const Scalar product = x_norm * y_norm;
        const Scalar cosine = select(
            has_room(product), [&] { return dot(x, y) / product; },
            [&] { return dot(unit(x, x_norm), unit(y, y_norm)); });
        return max(-1, min(cosine, 1));
      });
}

Scalar share_along(const Tensor& x, const Tensor& y, const Scalar& y_squared) {
  const Scalar product = dot(x, y);
  return select(
      both(has_room(y_squared), is_finite(product)), [&] { return product / y_squared; },
      [&] {
        const Scalar x_norm = norm(x), y_norm = norm(y);
        return select(
            either(x_norm == 0, y_norm == 0), [] { return 0; },
            [&] { return cosine(x, x_norm, y, y_norm) * (x_norm / y_norm); });
      });
}

Remainder orthogonal_part(const Tensor& x, const Scalar& x_norm, const Tensor& y, const Scalar& y_norm) {
  const Scalar share = share_along(x, y, y_norm * y_norm);
  Tensor part = select(
      fits(abs(share), x.dtype()), [&] { return combination(-share, y, 1, x); },
      [&] { return combination(-(cosine(x, x_norm, y, y_norm) * x_norm), unit(y, y_norm), 1, x); });
  const double sums = static_cast<double>(x.elements()) * 0x1p-53;
  const Scalar left = norm(part);
  const Scalar there = both(is_finite(left), left > (few_roundings(x.dtype()) + sums) * x_norm);
  if (!possibly(there)) return {};
  if (!there.known()) part = select(there, part, Tensor::zeros(part.shape(), part.dtype(), part.device()));
  return {part, there};
}

Scalar is_rounding(const Tensor& difference, const Scalar& difference_norm, const Tensor& x,
                   const Scalar& x_norm) {
  const double few = few_roundings(x.dtype());
  return select(
      difference_norm <= few * x_norm,  // nearly never: without another pass where that is known
      [&] {
        const Tensor excess = unary(UnaryOp::abs, difference) - few * unary(UnaryOp::abs, x);
        return excess.elements() == 0 ? Scalar(1) : Scalar(reduce(ReduceOp::max, excess)) <= 0;
      },
      [] { return Scalar(0); });
}

}  // namespace basin::optim
