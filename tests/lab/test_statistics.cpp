// Student's distribution and intervals of means, against tables and worked numbers.
#include "apps/statistics/statistics.h"

#include <doctest/doctest.h>

#include <cmath>

#include "core/error.h"

using namespace basin;
using namespace basin::apps;

TEST_CASE("Student's t: two-sided quantiles as tables have them") {
  // Abramowitz and Stegun, table 26.10; 1 degree: tan(pi p / 2).
  CHECK(student_quantile(0.95, 1) == doctest::Approx(12.7062047362).epsilon(1e-10));
  CHECK(student_quantile(0.95, 2) == doctest::Approx(4.3026527297).epsilon(1e-10));
  CHECK(student_quantile(0.95, 4) == doctest::Approx(2.7764451052).epsilon(1e-10));
  CHECK(student_quantile(0.95, 10) == doctest::Approx(2.2281388520).epsilon(1e-10));
  CHECK(student_quantile(0.99, 10) == doctest::Approx(3.1692726726).epsilon(1e-10));
  CHECK(student_quantile(0.95, 30) == doctest::Approx(2.0422724563).epsilon(1e-10));
  CHECK(student_quantile(0.95, 1'000'000) == doctest::Approx(1.9599663569).epsilon(1e-8));
}

TEST_CASE("Student's t: the inverse of its inverse, and the forms that are known for 1 and 2 degrees") {
  for (const double x : {0.01, 0.5, 1.0, 3.0, 40.0}) {
    CHECK(student_inside(x, 1) == doctest::Approx(2 / M_PI * std::atan(x)).epsilon(1e-12));
    CHECK(student_inside(x, 2) == doctest::Approx(x / std::sqrt(2 + x * x)).epsilon(1e-12));
    for (const std::int64_t freedom : {1, 3, 7})
      CHECK(student_quantile(student_inside(x, freedom), freedom) == doctest::Approx(x).epsilon(1e-6));
  }
  CHECK(student_inside(0, 5) == 0);
  CHECK_THROWS_AS(student_quantile(1, 5), ArgumentError);
  CHECK_THROWS_AS(student_inside(1, 0), ArgumentError);
}

TEST_CASE("a mean with its interval") {
  // 1..5: mean 3, s^2 = 2.5, t_4 = 2.776445: 3 +- 2.776445 sqrt(0.5).
  const MeanInterval e = mean_interval({1, 2, 3, 4, 5});
  CHECK(e.mean == 3);
  CHECK(e.n == 5);
  CHECK(e.low == doctest::Approx(3 - 2.7764451052 * std::sqrt(0.5)).epsilon(1e-10));
  CHECK(e.high == doctest::Approx(3 + 2.7764451052 * std::sqrt(0.5)).epsilon(1e-10));
  CHECK(mean_interval({7}).mean == 7);
  CHECK(std::isnan(mean_interval({7}).low));
  CHECK(std::isnan(mean_interval({}).mean));
}
