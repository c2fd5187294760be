#include "apps/statistics/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"

namespace basin::apps {
namespace {

/// The regularised incomplete beta function I_x(a, b), by Lentz's continued fraction (DLMF 8.17.22).
double incomplete_beta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incomplete_beta(b, a, 1 - x);
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x)) /
      a;
  constexpr double kTiny = 1e-300;
  double c = 1, d = 1 / (1 - (a + b) * x / (a + 1)), fraction = d;
  for (int m = 1; m < 500; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / std::max(1 + even * d, kTiny);
    c = 1 + even / c;
    fraction *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + odd * d);
    c = 1 + odd / c;
    fraction *= d * c;
    if (std::abs(d * c - 1) < 1e-15) break;
  }
  return front * fraction;
}

}  // namespace

MeanInterval mean_interval(const std::vector<double>& sample) {
  MeanInterval e{.n = static_cast<std::int64_t>(sample.size())};
  const auto n = static_cast<double>(sample.size());
  double sum = 0, squares = 0;
  for (const double x : sample) sum += x;
  e.mean = sum / n;
  for (const double x : sample) squares += (x - e.mean) * (x - e.mean);
  const double half = sample.size() < 2 ? std::numeric_limits<double>::quiet_NaN()
                                        : student_quantile(0.95, n - 1) * std::sqrt(squares / (n - 1) / n);
  e.low = e.mean - half;
  e.high = e.mean + half;
  return e;
}

double student_outside(double x, double freedom) {
  if (!(freedom >= 1))
    throw ArgumentError("[student] at least one degree of freedom is needed, got ", freedom);
  return incomplete_beta(freedom / 2, 0.5, freedom / (freedom + x * x));
}

double student_inside(double x, double freedom) { return 1 - student_outside(x, freedom); }

double student_quantile(double probability, double freedom) {
  if (!(probability > 0 && probability < 1))
    throw ArgumentError("[student] a probability is in (0, 1), got ", probability);
  double low = 0, high = 1;
  while (student_inside(high, freedom) < probability) high *= 2;
  // Halves an interval that holds it until no number is between its ends.
  for (double middle = high / 2; middle > low && middle < high; middle = low + (high - low) / 2)
    (student_inside(middle, freedom) < probability ? low : high) = middle;
  return high;
}

}  // namespace basin::apps
