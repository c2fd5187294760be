// Tests of differences against SciPy 1.17 (ttest_ind(equal_var=False), ttest_rel, permutation_test with all
// permutations), counts by itertools.combinations, and worked examples.
#include "apps/statistics/comparison.h"

#include <doctest/doctest.h>

#include <cmath>

#include "apps/statistics/rank_correlation.h"
#include "apps/statistics/statistics.h"
#include "core/error.h"

using namespace basin;
using namespace basin::apps;
using doctest::Approx;

namespace {

using Sample = std::vector<double>;

// "Student" 1908: hours of sleep that two drugs added, ten patients (data set `sleep` of R).
const Sample kDrug1 = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
const Sample kDrug2 = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};

Approx close(double x) { return Approx(x).epsilon(1e-9); }

}  // namespace

TEST_CASE("Welch's and the paired t-test of Student's sleep data are those of SciPy, and of R's t.test") {
  const MeanTest welch = welch_test(kDrug1, kDrug2);
  CHECK(welch.difference == close(-1.58));
  CHECK(welch.t == close(-1.8608134674868526));
  CHECK(welch.freedom == close(17.776473516178488));
  CHECK(welch.p == close(0.0793941401873583));
  CHECK(welch.low == close(-3.3654832307117104));
  CHECK(welch.high == close(0.20548323071171137));

  const MeanTest paired = paired_test(kDrug1, kDrug2);
  CHECK(paired.t == close(-4.062127683382037));
  CHECK(paired.freedom == 9);
  CHECK(paired.p == close(0.002832890197384273));
  CHECK(paired.low == close(-2.459885763276983));
  CHECK(paired.high == close(-0.7001142367230175));
}

TEST_CASE("Welch's test takes samples of different lengths and spreads, numbers from SciPy") {
  const Sample a = {27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4};
  const Sample b = {27.1, 22.0, 20.8, 23.4, 23.4};
  const MeanTest test = welch_test(a, b);
  CHECK(test.t == close(-1.9653371116292584));
  CHECK(test.freedom == close(8.116638275532281));
  CHECK(test.p == close(0.0844356877872397));
  CHECK(test.low == close(-5.469431333152152));
  CHECK(test.high == close(0.4294313331521389));
  CHECK(permutation_p(a, b) == close(1387.0 / 15504));
  CHECK(hedges_g(a, b) == close(-0.889447723098924));
}

TEST_CASE("a p value far below the rounding of 1 keeps its digits, freedom need not be whole") {
  CHECK(student_outside(40, 9) == close(1.8982998449339822e-11));
  CHECK(student_outside(3, 4.7) == close(0.03253927397703679));
  CHECK(student_quantile(0.95, 4.7) == close(2.62072607535317));
}

TEST_CASE("exact p values count rearrangements: SciPy's, and those that can be counted by hand") {
  CHECK(sign_flip_p(differences(kDrug1, kDrug2)) == 0.00390625);
  CHECK(permutation_p(kDrug1, kDrug2) == close(0.08144796380090498));
  const Sample five = {73.42, 74.4, 73.9, 73.1, 74.0}, worse = {71.51, 72.44, 71.9, 71.6, 72.1};
  CHECK(sign_flip_p(differences(five, worse)) == 2.0 / 32);
  CHECK(permutation_p(five, worse) == close(2.0 / 252));

  CHECK(sign_flip_p({1, 2, 3}) == 0.25);      // only +++ and --- reach 6
  CHECK(sign_flip_p({1, 2, -3}) == 1);        // the sum is 0, which all reach
  CHECK(sign_flip_p({0.1, 0.2, -0.3}) == 1);  // and so where it is 0 but for rounding
  CHECK(permutation_p({1, 2}, {3, 4}) == close(2.0 / 6));
  CHECK(std::isnan(sign_flip_p({})));
  CHECK(std::isnan(sign_flip_p(Sample(17, 1.0))));
  CHECK(std::isnan(permutation_p({1}, {})));
  CHECK(std::isnan(permutation_p(Sample(20, 1.0), {1})));
}

TEST_CASE("Holm's correction of (0.01, 0.04, 0.03, 0.005) is (0.03, 0.06, 0.06, 0.02), as R's p.adjust") {
  const std::vector<double> p = holm({0.01, 0.04, 0.03, 0.005});
  CHECK(p[0] == close(0.03));
  CHECK(p[1] == close(0.06));  // 1 x 0.04 would be less than the one before it
  CHECK(p[2] == close(0.06));
  CHECK(p[3] == close(0.02));
  CHECK(holm({0.7, 0.6}) == std::vector<double>{1, 1});

  const std::vector<double> some = holm({0.02, std::nan(""), 0.03});
  CHECK(some[0] == close(0.04));
  CHECK(std::isnan(some[1]));
  CHECK(some[2] == close(0.04));
}

TEST_CASE("sizes of effects") {
  CHECK(hedges_g(kDrug1, kDrug2) == close(-0.7970185004474464));
  CHECK(cohen_dz(differences(kDrug1, kDrug2)) == close(-1.2845575625910546));
  CHECK(std::isnan(hedges_g({1}, {1, 2})));
  CHECK(std::isnan(cohen_dz({1})));
}

TEST_CASE("samples without spread, of one number, and pairs that are none") {
  CHECK(welch_test({2, 2}, {2, 2}).p == 1);
  CHECK(welch_test({3, 3}, {2, 2}).p == 0);
  CHECK(welch_test({3, 3}, {2, 2}).low == 1);
  CHECK(paired_test({3, 4}, {2, 3}).p == 0);
  const MeanTest one = paired_test({3}, {2});
  CHECK(one.difference == 1);
  CHECK(std::isnan(one.p));
  CHECK(std::isnan(one.high));
  CHECK(std::isnan(welch_test({3}, {2, 4}).p));
  CHECK_THROWS_AS(paired_test({1, 2}, {1}), ArgumentError);
}

TEST_CASE("Kendall's tau-b and its p against SciPy's example and counts of all orders") {
  // The example of scipy.stats.kendalltau, with ties.
  CHECK(kendall_tau({12, 2, 1, 12, 2}, {1, 4, 7, 1, 0}) == close(-0.47140452079103173));
  // Of all 720 orders 98 have a |tau| of 0.6 or more.
  const Sample rising = {1, 2, 3, 4, 5, 6}, swapped = {2, 1, 4, 3, 6, 5};
  CHECK(kendall_tau(rising, swapped) == close(0.6));
  CHECK(kendall_p(rising, swapped) == Approx(98.0 / 720).epsilon(0.08));
  CHECK(kendall_p(rising, swapped) == kendall_p(rising, swapped));
  CHECK(kendall_tau(rising, {5, 4, 3, 2, 1, 0}) == -1);
  CHECK(std::isnan(kendall_tau({1, 1}, {1, 2})));
  CHECK(std::isnan(kendall_p({1}, {1})));
  CHECK_THROWS_AS(kendall_tau({1, 2}, {1}), ArgumentError);
}

TEST_CASE("Kendall's tau within groups: what differs between them has no part in it") {
  const Sample a = {1, 2, 3, 11, 12, 13}, b = {30, 20, 10, 130, 120, 110};
  CHECK(kendall_tau(a, b) == close(0.2));
  CHECK(kendall_tau(a, b, {0, 0, 0, 1, 1, 1}) == -1);
  // Each group's three numbers in one of two of six orders, the same of both: 2 of 36.
  CHECK(kendall_p(a, b, {0, 0, 0, 1, 1, 1}) == Approx(2.0 / 36).epsilon(0.12));
}
