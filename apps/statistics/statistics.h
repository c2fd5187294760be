// Statistics of a few numbers: means with their intervals.
#pragma once

#include <cstdint>
#include <vector>

namespace basin::apps {

/// Mean of a sample with its 95 % interval by Student's t, mean +- t sqrt(s^2 / n) with s^2 the unbiased
/// variance. The interval is [NaN, NaN] for fewer than two numbers, and so is the mean of none.
struct MeanInterval {
  double mean = 0, low = 0, high = 0;
  std::int64_t n = 0;
};
MeanInterval mean_interval(const std::vector<double>& sample);

/// P(|t| < x) for t of Student's distribution with `freedom` degrees, whole or not; for x >= 0. Errors:
/// ArgumentError for less than one degree of freedom.
double student_inside(double x, double freedom);
/// P(|t| >= x), also where that is far below the rounding of 1.
double student_outside(double x, double freedom);
/// The inverse of student_inside(): the x for which |t| is below it with that probability. Errors:
/// ArgumentError for a probability outside (0, 1).
double student_quantile(double probability, double freedom);

}  // namespace basin::apps
