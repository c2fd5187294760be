// e^x and ln(x) from + - * / alone: the C library's differ in the last bit between versions and machines, and
// what is drawn must not.
#pragma once

#include <cmath>

namespace basin::data {

constexpr double kLn2 = 0.6931471805599453;

/// ln(x) for x > 0, to about one unit in the last place.
inline double logarithm(double x) {
  int exponent = 0;
  const double m = std::frexp(x, &exponent);  // in [1/2, 1); ln m = 2 artanh((m - 1) / (m + 1))
  const double s = (m - 1) / (m + 1);
  double series = 0;
  for (int power = 35; power >= 1; power -= 2) series = series * (s * s) + 1.0 / power;
  return 2 * s * series + exponent * kLn2;
}

/// e^x for |x| < 10^6, to a few units in the last place for |x| up to a hundred; 0 or infinity outside the
/// range of f64.
inline double exponential(double x) {
  const double twos = std::nearbyint(x / kLn2);
  const double rest = x - twos * kLn2;
  double series = 1;
  for (int n = 18; n >= 1; --n) series = 1 + series * rest / n;
  return std::ldexp(series, static_cast<int>(twos));
}

}  // namespace basin::data
