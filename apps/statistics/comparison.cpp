#include "apps/statistics/comparison.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "apps/statistics/statistics.h"
#include "core/error.h"

namespace basin::apps {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Moments {
  double n = 0, mean = kNaN, squares = 0;  // the sum of squared distances from the mean

  double variance() const { return n < 2 ? kNaN : squares / (n - 1); }
};

Moments moments(const std::vector<double>& sample) {
  Moments m{.n = static_cast<double>(sample.size())};
  m.mean = std::accumulate(sample.begin(), sample.end(), 0.0) / m.n;
  for (const double x : sample) m.squares += (x - m.mean) * (x - m.mean);
  return m;
}

/// Of a difference with this standard error.
MeanTest student_test(double difference, double error, double freedom) {
  MeanTest test{
      .difference = difference, .low = kNaN, .high = kNaN, .t = kNaN, .freedom = freedom, .p = kNaN};
  if (std::isnan(error) || std::isnan(difference)) return test;
  const double half = error > 0 ? student_quantile(0.95, freedom) * error : 0;
  test.low = difference - half;
  test.high = difference + half;
  if (error > 0) {
    test.t = difference / error;
    test.p = student_outside(std::abs(test.t), freedom);
  } else {
    test.t = difference == 0 ? 0 : std::copysign(kInfinity, difference);
    test.p = difference == 0 ? 1 : 0;
  }
  return test;
}

/// Sums of the same numbers in another order differ in their last bits: this much less still counts as equal.
double bar_of(double sum, double scale) { return std::abs(sum) - 1e-12 * scale; }

double sum_of_sizes(const std::vector<double>& numbers) {
  double sum = 0;
  for (const double x : numbers) sum += std::abs(x);
  return sum;
}

}  // namespace

std::vector<double> differences(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size())
    throw ArgumentError("[differences] pairs are needed, got ", a.size(), " numbers and ", b.size());
  std::vector<double> d(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) d[i] = a[i] - b[i];
  return d;
}

MeanTest welch_test(const std::vector<double>& a, const std::vector<double>& b) {
  const Moments x = moments(a), y = moments(b);
  const double u = x.variance() / x.n, v = y.variance() / y.n;
  const double parts = u * u / (x.n - 1) + v * v / (y.n - 1);
  const double freedom = parts > 0 ? (u + v) * (u + v) / parts : x.n + y.n - 2;
  return student_test(x.mean - y.mean, std::sqrt(u + v), freedom);
}

MeanTest paired_test(const std::vector<double>& a, const std::vector<double>& b) {
  const Moments d = moments(differences(a, b));
  return student_test(d.mean, std::sqrt(d.variance() / d.n), d.n - 1);
}

double sign_flip_p(const std::vector<double>& differences) {
  const auto n = static_cast<std::int64_t>(differences.size());
  if (n < 1 || n > kMostFlipped) return kNaN;
  const double sum = std::accumulate(differences.begin(), differences.end(), 0.0);
  const double bar = bar_of(sum, sum_of_sizes(differences));
  const std::uint64_t all = std::uint64_t{1} << n;
  std::uint64_t reached = 0;
  for (std::uint64_t signs = 0; signs < all; ++signs) {
    double flipped = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      const double d = differences[static_cast<std::size_t>(i)];
      flipped += (signs >> i & 1) ? -d : d;
    }
    reached += std::abs(flipped) >= bar;
  }
  return static_cast<double>(reached) / static_cast<double>(all);
}

double permutation_p(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> all = a;
  all.insert(all.end(), b.begin(), b.end());
  if (a.empty() || b.empty() || static_cast<std::int64_t>(all.size()) > kMostPermuted) return kNaN;
  // The difference of the means is that of the sums of `a`, from what is expected, times a constant.
  const double total = std::accumulate(all.begin(), all.end(), 0.0);
  const double expected = total * static_cast<double>(a.size()) / static_cast<double>(all.size());
  const double sum = std::accumulate(a.begin(), a.end(), 0.0);
  const double bar = bar_of(sum - expected, sum_of_sizes(all));
  std::vector<char> first(all.size(), 0);
  std::fill_n(first.begin(), a.size(), 1);
  std::int64_t reached = 0, ways = 0;
  do {
    double dealt = 0;
    for (std::size_t i = 0; i < all.size(); ++i) dealt += first[i] ? all[i] : 0;
    reached += std::abs(dealt - expected) >= bar;
    ++ways;
  } while (std::prev_permutation(first.begin(), first.end()));
  return static_cast<double>(reached) / static_cast<double>(ways);
}

std::vector<double> holm(const std::vector<double>& p) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < p.size(); ++i)
    if (!std::isnan(p[i])) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return p[i] < p[j]; });
  std::vector<double> corrected(p.size(), kNaN);
  double largest = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    largest = std::max(largest, std::min(1.0, static_cast<double>(order.size() - k) * p[order[k]]));
    corrected[order[k]] = largest;
  }
  return corrected;
}

double hedges_g(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() < 2 || b.size() < 2) return kNaN;
  const Moments x = moments(a), y = moments(b);
  const double pooled = std::sqrt((x.squares + y.squares) / (x.n + y.n - 2));
  return (x.mean - y.mean) / pooled * (1 - 3 / (4 * (x.n + y.n) - 9));
}

double cohen_dz(const std::vector<double>& differences) {
  const Moments d = moments(differences);
  return d.mean / std::sqrt(d.variance());
}

}  // namespace basin::apps
