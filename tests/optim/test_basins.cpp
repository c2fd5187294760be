// Worked number 22 of facts/sam_gam.md: of a sharp and a wide minimum of equal loss, SAM and GAM end in the
// wide one, SGD in whichever is nearer.
#include <doctest/doctest.h>

#include <cmath>

#include "core/random.h"
#include "optim/gradient/gam.h"
#include "optim/gradient/sam.h"
#include "tests/optim/family.h"
#include "tests/optim/problems.h"

namespace basin::optim::testing {
namespace {

/// A valley along x with two minima of loss 0, at (-1, 0) and (1, 0):
///
///     L(x, y) = h (1 - x^2)^2 + lambda(x) y^2 / 2,   log10 lambda(x) = 1 - tanh(x)/tanh(1)
///
/// Hessians there: diag(8h, 100), sharp, and diag(8h, 1), wide. The barrier between them is h high.
struct Valley {
  static constexpr double h = 0.2;

  Variable w = Variable::parameter(Tensor::zeros({2}, Dtype::f64));
  double noise = 0;  // deviation of the gradient's: a batch's, so all passes of a step have it
  std::uint64_t start = 0, step = 0;  // its address

  void describe(Inventory& it) { it.parameter("w", w); }

  /// L and its first and second derivatives.
  struct Point {
    double loss, gx, gy, hxx, hxy, hyy;
  };
  static Point at(double x, double y) {
    const double c = std::log(10.0) / std::tanh(1.0), t = std::tanh(x), rise = 1 - t * t;
    const double lambda = 10 * std::exp(-c * t);
    const double first = -lambda * c * rise, second = -c * rise * first + 2 * lambda * c * rise * t;
    const double well = 1 - x * x;
    return {h * well * well + lambda * y * y / 2,
            -4 * h * x * well + first * y * y / 2,
            lambda * y,
            h * (12 * x * x - 4) + second * y * y / 2,
            first * y,
            lambda};
  }
  Objective objective(const ParameterVector& vector) const {
    return [this, &vector](const Request& request) {
      const double* v = vector.values().data<double>();
      const Point p = at(v[0], v[1]);
      Evaluation e = {.loss = p.loss, .gradient = Tensor::from(Numbers{p.gx, p.gy})};
      if (noise > 0) {
        Random random(5, Stream::user, start, step);
        e.gradient = Tensor::from(Numbers{p.gx + noise * random.normal(), p.gy + noise * random.normal()});
      }
      if (request.norm_gradient) {
        const std::vector<double> g = e.gradient.to_vector<double>();
        const double size = std::hypot(g[0], g[1]), scale = size > 0 ? 1 / size : 0;
        e.norm_gradient = Tensor::from(
            Numbers{scale * (p.hxx * g[0] + p.hxy * g[1]), scale * (p.hxy * g[0] + p.hyy * g[1])});
      }
      return e;
    };
  }
};

/// A distance s from the sharp minimum in its sharp direction the loss is 50 s^2. The basin's half-width is
/// the s at which that is as high as the barrier.
const double kHalfWidth = std::sqrt(Valley::h / 50);

constexpr int kStarts = 100;
constexpr double kNoise = 0.5;

Member sam_with(double rho) {
  return {"sam", [rho](double) { return std::make_unique<Sam>(SamOptions{.rho = rho}); }};
}
Member gam_with(GamForm form, double rho) {
  const GamOptions options{.form = form, .rho = rho, .rho_prime = rho / 10};
  return {"gam", [options](double) { return std::make_unique<Gam>(options); }};
}

struct Ends {
  int sharp = 0, wide = 0;
};

/// Where SGD (rate 0.01, 1000 steps) with this rule ends from starts drawn uniformly from [-1.5, 1.5] x
/// [-0.5, 0.5].
Ends ends_of(const Member& member, double noise) {
  Ends ends;
  for (int i = 0; i < kStarts; ++i) {
    Valley valley;
    valley.noise = noise;
    ParameterVector w = ParameterVector::of(valley);
    Random random(1, Stream::user, 0, static_cast<std::uint64_t>(i));
    const double x = random.uniform(-1.5, 1.5), y = random.uniform(-0.5, 0.5);
    w.values().copy_from(Tensor::from(Numbers{x, y}));
    valley.start = static_cast<std::uint64_t>(i);
    const std::unique_ptr<GradientRule> rule = member.make(1);
    Sgd sgd(w);
    const Objective objective = valley.objective(w);
    for (int t = 0; t < 1000; ++t) {
      valley.step = static_cast<std::uint64_t>(t);
      sgd.apply(w, rule->direction(objective, w).vector, 0.01);
    }
    const Numbers end = w.values().to_vector<double>();
    if (std::hypot(end[0] + 1, end[1]) < 0.5) ++ends.sharp;
    if (std::hypot(end[0] - 1, end[1]) < 0.5) ++ends.wide;
  }
  return ends;
}

}  // namespace

TEST_CASE("basins 22: two minima of equal loss, 100 and 1 their largest curvatures") {
  for (const double x : {-1.0, 1.0}) {
    const Valley::Point p = Valley::at(x, 0);
    CHECK(p.loss == 0);
    CHECK(p.gx == 0);
    CHECK(p.gy == 0);
    CHECK(p.hxx == doctest::Approx(8 * Valley::h));
    CHECK(p.hxy == 0);
    CHECK(p.hyy == doctest::Approx(x < 0 ? 100 : 1));
  }
  CHECK(Valley::at(0, 0).loss == Valley::h);
  CHECK(Valley::at(-1, kHalfWidth).loss == doctest::Approx(Valley::h));
  // The derivatives elsewhere, against central differences.
  constexpr double r = 1e-5;
  for (const double x : {-1.3, -0.2, 0.7})
    for (const double y : {-0.4, 0.3}) {
      const Valley::Point p = Valley::at(x, y);
      const Valley::Point east = Valley::at(x + r, y), west = Valley::at(x - r, y);
      const Valley::Point north = Valley::at(x, y + r), south = Valley::at(x, y - r);
      const auto near = [](double value) { return doctest::Approx(value).epsilon(1e-7); };
      CHECK(p.gx == near((east.loss - west.loss) / (2 * r)));
      CHECK(p.gy == near((north.loss - south.loss) / (2 * r)));
      CHECK(p.hxx == near((east.gx - west.gx) / (2 * r)));
      CHECK(p.hxy == near((east.gy - west.gy) / (2 * r)));
      CHECK(p.hyy == near((north.gy - south.gy) / (2 * r)));
    }
}

TEST_CASE("slow: basins 22: SGD ends in the nearer minimum, and so does SAM with a radius well inside it") {
  const Ends sgd = ends_of(plain_rule(), kNoise);
  CHECK(sgd.sharp + sgd.wide == kStarts);
  CHECK(sgd.sharp > 0.4 * kStarts);
  const Ends small = ends_of(sam_with(kHalfWidth / 6), kNoise);
  CHECK(small.sharp > 0.4 * kStarts);
}

TEST_CASE("slow: basins 22: SAM with a radius of several half-widths ends in the wide minimum") {
  for (const double widths : {3, 6}) {
    CAPTURE(widths);
    CHECK(ends_of(sam_with(widths * kHalfWidth), kNoise).wide > 0.95 * kStarts);
  }
  // Without noise it leaves the sharp minimum too, but not every start passes the saddle.
  CHECK(ends_of(sam_with(3 * kHalfWidth), 0).sharp == 0);
}

TEST_CASE("slow: basins 22: GAM by Algorithm 2 ends in the wide minimum") {
  for (const GamForm form : {GamForm::paper, GamForm::official}) {
    CAPTURE(static_cast<int>(form));
    CHECK(ends_of(gam_with(form, 3 * kHalfWidth), kNoise).wide > 0.95 * kStarts);
  }
}

TEST_CASE("slow: basins 22: GAM by products and by differences ends in the wide minimum") {
  for (const GamForm form : {GamForm::exact, GamForm::differences}) {
    CAPTURE(static_cast<int>(form));
    CHECK(ends_of(gam_with(form, 3 * kHalfWidth), kNoise).wide > 0.95 * kStarts);
  }
}

}  // namespace basin::optim::testing
