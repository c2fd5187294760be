// Lengths, angles and projections of flat vectors, also where squares overflow or vanish, and what of a
// difference is rounding.
#pragma once

#include "core/tensor.h"

namespace basin::optim {

/// The largest number of f32 or f64.
double largest_number(Dtype dtype);

/// x / |x|, for |x| > 0 and finite.
Tensor unit(const Tensor& x, double x_norm);

/// The cosine of the angle between x and y, in [-1, 1]; NaN where one of them is zero.
double cosine(const Tensor& x, double x_norm, const Tensor& y, double y_norm);

/// c for which c y is the projection of x on y: x . y / |y|^2. `y_squared` is |y|^2 as the caller has it
/// (it may have overflowed or vanished). 0 where y = 0.
double share_along(const Tensor& x, const Tensor& y, double y_squared);

/// x less its projection on y, or an undefined Tensor where nothing is left but rounding. In exact arithmetic
/// that is y parallel to x. With u half the spacing of x's dtype at 1 and d numbers, c = x . y / |y|^2 is
/// rounded to it (u |x|), so are c y (u |x|), the difference and the numbers of x and y themselves (u |x|
/// each), and the sum of d products in f64 is off by at most d 2^-53 |x|: what is shorter than
/// (16 u + d 2^-53) |x| has no direction of its own.
Tensor orthogonal_part(const Tensor& x, double x_norm, const Tensor& y, double y_norm);

/// Whether each number of `difference` = x - z is within a few roundings of x's own, so that x and z are
/// equal as far as their dtype can tell. `difference_norm`: its length.
bool is_rounding(const Tensor& difference, double difference_norm, const Tensor& x, double x_norm);

}  // namespace basin::optim
