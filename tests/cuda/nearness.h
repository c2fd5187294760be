// How near the numbers of the card are to the CPU's, in roundings.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/random.h"
#include "tests/cuda/comparison.h"

namespace cuda_testing {

/// Normal numbers, `mean` with deviation `deviation`, rounded to dtype.
inline Tensor draw(const Shape& shape, Dtype dtype, std::uint64_t seed, double mean = 0,
                   double deviation = 1) {
  Random random(seed, Stream::user);
  std::vector<double> numbers(static_cast<std::size_t>(shape.elements()));
  for (double& x : numbers) x = mean + deviation * random.normal();
  return Tensor::from(numbers, shape).to(dtype);
}

/// Half a unit in the last place, relative: an upper bound of one rounding.
inline double half_unit(Dtype dtype) {
  return dtype == Dtype::f64 ? 0x1p-53 : dtype == Dtype::f32 ? 0x1p-24 : 0x1p-8;
}

/// Checks |got - wanted| <= roundings * half_unit(dtype) * (|wanted| + scale) in each element; `scale` is
/// what the numbers were made of, where more than they are.
inline void check_near(const Tensor& got, const Tensor& wanted, Dtype dtype, double roundings,
                       double scale = 0) {
  REQUIRE(got.shape() == wanted.shape());
  const std::vector<double> a = got.to(Device{}).to_vector<double>(), b = wanted.to_vector<double>();
  std::size_t worst = 0;
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double off = std::abs(a[i] - b[i]) / (std::abs(b[i]) + scale + 1e-300);
    const bool same = a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]));
    if (same || off <= most) continue;
    if (std::isnan(off)) most = HUGE_VAL;
    most = std::max(most, off);
    worst = i;
  }
  const double is = a.empty() ? 0 : a[worst], should = b.empty() ? 0 : b[worst];
  CAPTURE(worst);
  CAPTURE(is);
  CAPTURE(should);
  CHECK(most <= roundings * half_unit(dtype));
}

/// Checks that all elements are equal; a NaN equals a NaN.
inline void check_equal(const Tensor& got, const Tensor& wanted) { check_near(got, wanted, Dtype::f64, 0); }

}  // namespace cuda_testing
