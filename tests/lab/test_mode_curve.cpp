// Curves between two solutions: the worked numbers of swa_landscape 5.4, and their training.
#include "apps/lab/curve/mode_curve.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "apps/lab/curve/curve_fit.h"
#include "core/ops.h"
#include "tests/apps/calls.h"

using namespace basin;
using namespace basin::apps;
using namespace basin::test;

namespace {

using Numbers = std::vector<double>;

void check_near(const Numbers& found, const Numbers& expected, double within = 1e-12) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    CHECK(found[i] == doctest::Approx(expected[i]).scale(1).epsilon(within));
}

Tensor point(const Numbers& numbers) { return Tensor::from(numbers); }
Numbers numbers_of(const Tensor& t) { return t.to_vector<double>(); }

const Numbers kA = {0, 0}, kB = {2, 0}, kCentre = {1, 1};

/// grad |w - c|^2 / 2 = w - c.
Tensor pull(const Tensor& w) { return w - point(kCentre); }

double total(const Numbers& pieces) { return std::accumulate(pieces.begin(), pieces.end(), 0.0); }

/// E_t |phi(t) - c|^2 / 2 by the midpoint rule.
double mean_loss(const ModeCurve& curve) {
  constexpr int kPlaces = 4000;
  double sum = 0;
  for (int i = 0; i < kPlaces; ++i) {
    const Tensor r = pull(curve.at((i + 0.5) / kPlaces));
    sum += static_cast<double>(dot(r, r)) / 2;
  }
  return sum / kPlaces;
}

/// The one bend after many steps at a falling rate.
Numbers trained_bend(CurveKind kind) {
  CurveFit fit(kind, point(kA), point(kB), 1, /*momentum=*/0);
  constexpr int kSteps = 60'000;
  for (int step = 0; step < kSteps; ++step) {
    const double t = CurveFit::place(1, step);
    fit.descend(t, pull(fit.curve().at(t)), 2.0 / (1 + 0.02 * step));
  }
  return numbers_of(fit.curve().points()[1]);
}

}  // namespace

TEST_CASE("5.4 mode curves: coefficients at t = 0.25") {
  check_near(coefficients(CurveKind::bezier, 3, 0.25), {0.5625, 0.375, 0.0625});
  check_near(coefficients(CurveKind::chain, 3, 0.25), {0.5, 0.5, 0});
  check_near(coefficients(CurveKind::bezier, 4, 0.25), {0.421875, 0.421875, 0.140625, 0.015625});
  check_near(coefficients(CurveKind::chain, 4, 0.25), {0.25, 0.75, 0, 0});
  check_near(coefficients(CurveKind::line, 2, 0.25), {0.75, 0.25});
}

TEST_CASE("5.4 mode curves: coefficients sum to 1, and t = 0 and 1 are the ends bit for bit") {
  const Tensor a = point({0.1, -1e30}), b = point({1.0 / 3, 7});
  for (const CurveKind kind : {CurveKind::bezier, CurveKind::chain})
    for (std::size_t points = 2; points < 7; ++points) {
      for (const double t : {0.0, 0.1, 0.37, 0.5, 2.0 / 3, 0.99, 1.0})
        CHECK(total(coefficients(kind, points, t)) == doctest::Approx(1).epsilon(1e-14));
      Tensors all(points, point({5, std::numeric_limits<double>::infinity()}));
      all.front() = a;
      all.back() = b;
      const ModeCurve curve(kind, all);
      CHECK(numbers_of(curve.at(0)) == numbers_of(a));
      CHECK(numbers_of(curve.at(1)) == numbers_of(b));
    }
}

TEST_CASE("5.4 curve training: optima, expected losses and lengths on |w - c|^2 / 2") {
  const ModeCurve bezier(CurveKind::bezier, {point(kA), point({1, 2.5}), point(kB)});
  const ModeCurve chain(CurveKind::chain, {point(kA), point({1, 1.5}), point(kB)});
  const ModeCurve line(CurveKind::line, {point(kA), point(kB)});
  CHECK(mean_loss(bezier) == doctest::Approx(0.25).epsilon(1e-6));
  CHECK(mean_loss(chain) == doctest::Approx(7.0 / 24).epsilon(1e-6));
  CHECK(mean_loss(line) == doctest::Approx(2.0 / 3).epsilon(1e-6));
  // The integral of sqrt(4 + (5 - 10 t)^2) in closed form; a sum of chords, as 3.351448 is, lies below it.
  const double exact = std::sqrt(29) / 2 + 0.4 * std::asinh(2.5);
  CHECK(exact == doctest::Approx(3.351448).epsilon(1e-5));
  CHECK(total(lengths(bezier, {0, 1})) == doctest::Approx(exact).epsilon(1e-10));
  CHECK(total(lengths(bezier, equally_spaced(61))) == doctest::Approx(exact).epsilon(1e-12));
  CHECK(total(lengths(chain, {0, 1})) == doctest::Approx(3.605551).epsilon(1e-6));
  CHECK(total(lengths(chain, equally_spaced(62))) == doctest::Approx(3.605551).epsilon(1e-6));
  CHECK(total(lengths(line, {0, 0.3, 1})) == doctest::Approx(2).epsilon(1e-14));
  // Each is the optimum: a bend beside it does worse.
  for (const double off : {-0.01, 0.01}) {
    CHECK(mean_loss({CurveKind::bezier, {point(kA), point({1, 2.5 + off}), point(kB)}}) > mean_loss(bezier));
    CHECK(mean_loss({CurveKind::chain, {point(kA), point({1 + off, 1.5}), point(kB)}}) > mean_loss(chain));
  }
}

TEST_CASE("5.4 curve training: SGD with one t a step finds the optimum") {
  check_near(trained_bend(CurveKind::bezier), {1, 2.5}, 0.03);
  check_near(trained_bend(CurveKind::chain), {1, 1.5}, 0.03);
}

TEST_CASE("5.4 curve training: the gradient of bend j is c_j(t) grad L(phi(t))") {
  const Tensor g = point({3, -2});
  for (const CurveKind kind : {CurveKind::bezier, CurveKind::chain}) {
    CurveFit fit(kind, point(kA), point(kB), 2, 0);
    const Numbers first = numbers_of(fit.curve().points()[1]), second = numbers_of(fit.curve().points()[2]);
    fit.descend(0.25, g, 1);
    const Numbers c = coefficients(kind, 4, 0.25);
    check_near(numbers_of(fit.curve().points()[1]), {first[0] - 3 * c[1], first[1] + 2 * c[1]});
    // On the chain the third point gets no gradient at t = 0.25.
    check_near(numbers_of(fit.curve().points()[2]), {second[0] - 3 * c[2], second[1] + 2 * c[2]});
    if (kind == CurveKind::chain) CHECK(numbers_of(fit.curve().points()[2]) == second);
  }
}

TEST_CASE("5.4 curve training: L2 is of the point on the curve, its gradient wd c_j(t) phi(t)") {
  constexpr double kDecay = 0.1, kPlace = 0.25;
  CurveFit fit(CurveKind::bezier, point({1, 2}), point({3, -1}), 1, 0);
  const Numbers phi = numbers_of(fit.curve().at(kPlace)), before = numbers_of(fit.curve().points()[1]);
  fit.descend(kPlace, fit.curve().at(kPlace) * kDecay, 1);
  check_near(numbers_of(fit.curve().points()[1]),
             {before[0] - kDecay * 0.375 * phi[0], before[1] - kDecay * 0.375 * phi[1]});
}

TEST_CASE("the ends of a curve stay, and its bends begin on the line") {
  CurveFit fit(CurveKind::chain, point(kA), point(kB), 3);
  check_near(numbers_of(fit.curve().points()[1]), {0.5, 0});
  check_near(numbers_of(fit.curve().points()[3]), {1.5, 0});
  fit.descend(0.4, point({1, 1}), 0.1);
  CHECK(numbers_of(fit.curve().at(0)) == kA);
  CHECK(numbers_of(fit.curve().at(1)) == kB);
}

TEST_CASE("the rate of a curve's training is the authors'") {
  check_near({curve_rate(0.1, 0.01), curve_rate(0.1, 0.5), curve_rate(0.1, 0.7), curve_rate(0.1, 0.9),
              curve_rate(0.1, 1)},
             {0.1, 0.1, 0.0505, 0.001, 0.001});
}

TEST_CASE("three heights of a barrier") {
  // Ends 1 and 3; the line between them is 2 in the middle.
  const Barrier b = barrier_of({0, 0.5, 1}, {1, 5, 3}, {1, 3});
  CHECK(b.highest == 5);
  CHECK(b.at == 0.5);
  CHECK(b.lowest == 1);
  CHECK(b.over_ends == 2);
  CHECK(b.over_mean == 3);
  CHECK(b.over_line == 3);
  CHECK(b.mean == doctest::Approx((3 * 1 + 4 * 3) / 4.0));
  const Barrier flat = barrier_of({0, 0.5, 1}, {2, 1, 2}, {1, 1});
  CHECK(flat.over_ends == 0);
  CHECK(flat.over_line == 0);
  CHECK(std::isinf(barrier_of({0, 1}, {std::nan(""), 1}, {1}).highest));
}

TEST_CASE("what is no curve is refused") {
  CHECK(failure([] { coefficients(CurveKind::line, 3, 0.5); }) == "2: [curve] a line has 2 points, got 3");
  CHECK(failure([] { coefficients(CurveKind::bezier, 3, 1.5); }) == "2: [curve] t is in [0, 1], got 1.5");
  CHECK(failure([] { CurveFit(CurveKind::line, point(kA), point(kB), 1); }) ==
        "2: [curve] only a curve with inner points can be trained");
}
