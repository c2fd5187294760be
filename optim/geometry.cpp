#include "optim/geometry.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/ops.h"

namespace basin::optim {
namespace {

/// Between 1e-250 and 1e250 a product of two lengths leaves room for the products of the numbers.
bool has_room(double product) { return product > 1e-250 && product < 1e250; }

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

}  // namespace

double largest_number(Dtype dtype) {
  return limit(dtype, []<class T>(T) -> double { return std::numeric_limits<T>::max(); });
}

Tensor unit(const Tensor& x, double x_norm) {
  const double scale = 1 / x_norm;
  if (scale <= largest_number(x.dtype()) && scale >= least_normal(x.dtype())) return x * scale;
  // Relative to its largest number x has a length that can be inverted.
  const Tensor relative = x / reduce(ReduceOp::max, unary(UnaryOp::abs, x));
  return relative * (1 / norm(relative));
}

double cosine(const Tensor& x, double x_norm, const Tensor& y, double y_norm) {
  if (x_norm == 0 || y_norm == 0) return std::numeric_limits<double>::quiet_NaN();
  const double product = x_norm * y_norm;
  const double cosine = has_room(product) ? dot(x, y) / product : dot(unit(x, x_norm), unit(y, y_norm));
  return std::clamp(cosine, -1.0, 1.0);
}

double share_along(const Tensor& x, const Tensor& y, double y_squared) {
  if (has_room(y_squared)) {
    const double product = dot(x, y);
    if (std::isfinite(product)) return product / y_squared;
  }
  const double x_norm = norm(x), y_norm = norm(y);
  if (x_norm == 0 || y_norm == 0) return 0;
  return cosine(x, x_norm, y, y_norm) * (x_norm / y_norm);
}

Tensor orthogonal_part(const Tensor& x, double x_norm, const Tensor& y, double y_norm) {
  const double share = share_along(x, y, y_norm * y_norm);
  const double size = std::abs(share);
  const bool fits = size <= largest_number(x.dtype()) && size >= least_normal(x.dtype());
  Tensor part = fits ? combination(-share, y, 1, x)
                     : combination(-cosine(x, x_norm, y, y_norm) * x_norm, unit(y, y_norm), 1, x);
  const double sums = static_cast<double>(x.elements()) * 0x1p-53;
  const double left = norm(part);
  if (!std::isfinite(left) || left <= (few_roundings(x.dtype()) + sums) * x_norm) return {};
  return part;
}

bool is_rounding(const Tensor& difference, double difference_norm, const Tensor& x, double x_norm) {
  const double few = few_roundings(x.dtype());
  if (!(difference_norm <= few * x_norm)) return false;  // nearly always, and without another pass
  const Tensor excess = unary(UnaryOp::abs, difference) - few * unary(UnaryOp::abs, x);
  return excess.elements() == 0 || reduce(ReduceOp::max, excess).item() <= 0;
}

}  // namespace basin::optim
