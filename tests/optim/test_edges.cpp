// The edges of the rules: directions that are nothing but rounding, and lengths whose squares f64 does not
// hold.
#include <doctest/doctest.h>

#include <functional>

#include "core/ops.h"
#include "optim/geometry.h"
#include "optim/gradient/gam.h"
#include "optim/gradient/sam_family.h"
#include "tests/optim/problems.h"

namespace basin::optim::testing {
namespace {

/// A vector with a loss of its own choice.
struct Free {
  Variable w;
  std::function<Variable(const Variable&)> loss;
  void describe(Inventory& it) { it.parameter("w", w); }
  Objective objective(const ParameterVector& vector) const {
    return [this, &vector](const Request& r) {
      return evaluate(loss(w), vector, {.norm_gradient = r.norm_gradient});
    };
  }
};

Tensor wavy(Index n, Dtype dtype) {
  Tensor x = Tensor::empty({n}, Dtype::f64);
  for (Index i = 0; i < n; ++i) x.mutable_data<double>()[i] = std::sin(static_cast<double>(i) + 1);
  return x.to(dtype);
}

Variable half_square(const Variable& w) { return 0.5 * sum(square(w)); }

/// |direction - g| / |g| of LookSAM in the step behind a look.
double off_step_error(Free& p) {
  ParameterVector w = ParameterVector::of(p);
  Sam rule(looksam(0.05, 0.7, 2));
  Sgd update(w);
  update.apply(w, rule.direction(p.objective(w), w, {.step = 0}).vector, 0.05);
  const Tensor d = rule.direction(p.objective(w), w, {.step = 1}).vector;
  const Tensor g = p.objective(w)({}).gradient;
  return norm(d - g) / norm(g);
}

}  // namespace

TEST_CASE("edge: LookSAM goes along g where g_s is parallel to it") {
  for (Dtype dtype : {Dtype::f32, Dtype::f64}) {
    CAPTURE(dtype);
    for (int k = 1; k <= 100; ++k) {  // in one dimension everything is parallel
      Free p{Variable::parameter(Tensor::full({1}, 0.013 * k, dtype)),
             [](const Variable& w) { return sum(square(square(w)) + square(w)); }};
      CHECK(off_step_error(p) == 0);
    }
    for (Index n : {2, 1000, 100000}) {  // isotropic: g_s = (1 + rho/|w|) g
      Free p{Variable::parameter(wavy(n, dtype)), half_square};
      CHECK(off_step_error(p) == 0);
    }
  }
}

TEST_CASE("edge: LookSAM keeps a g_v that is small and not rounding") {
  // L = (w0^2 + (1 + c) w1^2) / 2 at (1, 1): g = (1, 1 + c), and g_v ~ c rho.
  for (double c : {1e-1, 1e-5, 1e-9}) {
    CAPTURE(c);
    Free p{Variable::parameter(Tensor::from(Numbers{1, 1})), [c](const Variable& w) {
             return 0.5 * sum(square(w) * Variable(Tensor::from(Numbers{1, 1 + c})));
           }};
    ParameterVector w = ParameterVector::of(p);
    Sam rule(looksam(0.05, 0.7, 2));
    rule.direction(p.objective(w), w, {.step = 0});
    const Tensor g = p.objective(w)({}).gradient, d = rule.direction(p.objective(w), w, {.step = 1}).vector;
    CHECK(norm(d - g) == doctest::Approx(0.7 * norm(g)).epsilon(1e-6));
    CHECK(std::abs(cosine(d - g, norm(d - g), g, norm(g))) < 1e-5);
  }
}

TEST_CASE("edge: g_v that came to nothing replaces the one before") {
  Free p{Variable::parameter(Tensor::from(std::vector<float>{1, 2})), [](const Variable& w) {
           return 0.5 * sum(square(w) * Variable(Tensor::from(std::vector<float>{1, 3})));
         }};
  ParameterVector w = ParameterVector::of(p);
  Sam rule(looksam(0.05, 0.7, 2));
  rule.direction(p.objective(w), w, {.step = 0});
  CHECK(state_of(rule)[0].defined());
  p.loss = half_square;
  rule.direction(p.objective(w), w, {.step = 2});
  CHECK_FALSE(state_of(rule)[0].defined());
  CHECK(same_bits(rule.direction(p.objective(w), w, {.step = 3}).vector, p.objective(w)({}).gradient));
}

TEST_CASE("edge: F-SAM does not climb along a residual that is rounding") {
  // A constant gradient is its own mean.
  for (Dtype dtype : {Dtype::f32, Dtype::f64}) {
    Free p{Variable::parameter(wavy(50, dtype)),
           [&](const Variable& w) { return sum(w * Variable(wavy(50, dtype))); }};
    ParameterVector w = ParameterVector::of(p);
    Sam rule(fsam());
    CHECK(rule.direction(p.objective(w), w, {.step = 0}).report.passes == 2);  // m = g: along g
    for (int t = 1; t < 5; ++t) CHECK(rule.direction(p.objective(w), w, {.step = t}).report.passes == 1);
  }
}

TEST_CASE("edge: GAM does not climb along a difference that is rounding") {
  // A linear loss written so that its gradient is rounded differently from point to point: 3 (w + 1) - w.
  const auto linear_loss = [](const Variable& w) { return sum((3.0 * w) / 7.0); };
  for (Dtype dtype : {Dtype::f32, Dtype::f64}) {
    Free p{Variable::parameter(wavy(50, dtype)), linear_loss};
    ParameterVector w = ParameterVector::of(p);
    const Direction d = Gam({}).direction(p.objective(w), w);
    CHECK(d.report.passes == 2);
  }
  const Tensor x = wavy(100, Dtype::f32);
  Tensor near = x.clone(), far = x.clone();
  for (Index i = 0; i < 100; ++i) near.mutable_data<float>()[i] *= 1 + 3e-7f;
  far.mutable_data<float>()[7] += 1e-5f;
  CHECK(is_rounding(near - x, norm(near - x), x, norm(x)));
  CHECK_FALSE(is_rounding(far - x, norm(far - x), x, norm(x)));
  // Small against the whole vector and not against its own numbers: a curvature of its own.
  const Tensor steep = Tensor::from(Numbers{1e12, 1}), moved = Tensor::from(Numbers{1e12, 1 + 1e-9});
  CHECK_FALSE(is_rounding(moved - steep, norm(moved - steep), steep, norm(steep)));
}

TEST_CASE("edge: projections and cosines hold where products vanish or overflow") {
  const auto pair = [](double a, double b, double size) { return Tensor::from(Numbers{a * size, b * size}); };
  for (double x_size : {1e-300, 1e-200, 1e-100, 1.0, 1e100, 1e200, 1e300})
    for (double y_size : {1e-300, 1e-200, 1e-100, 1.0, 1e100, 1e200, 1e300}) {
      CAPTURE(x_size);
      CAPTURE(y_size);
      const Tensor x = pair(3, 4, x_size), y = pair(1, 0, y_size);
      CHECK(cosine(x, norm(x), y, norm(y)) == doctest::Approx(0.6).epsilon(1e-14));
      const double share = 3 * (x_size / y_size);
      if (std::isfinite(share) && share > 1e-300)
        CHECK(share_along(x, y, dot(y, y)) == doctest::Approx(share).epsilon(1e-13));
      const Tensor part = orthogonal_part(x, norm(x), y, norm(y));
      REQUIRE(part.defined());
      CHECK(part.to_vector<double>()[1] == doctest::Approx(4 * x_size).epsilon(1e-13));
      CHECK(std::abs(part.to_vector<double>()[0]) <= 1e-13 * x_size);
      CHECK(norm(unit(x, norm(x))) == doctest::Approx(1).epsilon(1e-14));
    }
  CHECK(share_along(pair(1, 1, 1), pair(0, 0, 1), 0) == 0);
  CHECK(std::isnan(cosine(pair(1, 1, 1), 1, pair(0, 0, 1), 0)));
}

TEST_CASE("edge: every rule on gradients that f64 squares do not hold") {
  // L = scale (w0^2 / 2 + w1^2) at (1, 2): g = scale (1, 4), in all sizes the same angles.
  for (double scale : {1e-200, 1e-165, 1.0, 1e156, 1e200}) {
    CAPTURE(scale);
    Free p{Variable::parameter(Tensor::from(Numbers{1, 2})), [scale](const Variable& w) {
             return sum(square(w) * Variable(Tensor::from(Numbers{0.5 * scale, scale})));
           }};
    ParameterVector w = ParameterVector::of(p);
    const auto check = [&](GradientRule&& rule, int passes, const Numbers& expected) {
      CAPTURE(rule.name());
      const Direction d = rule.direction(p.objective(w), w);
      REQUIRE(d.report.finite);
      CHECK(d.report.passes == passes);
      CHECK(gap(d.vector / scale, expected) < 1e-12);
      CHECK(d.report.direction_norm / scale == doctest::Approx(std::hypot(expected[0], expected[1])));
      CHECK(d.report.cosine > 0.99);
      CHECK(d.report.cosine <= 1);
    };
    const double root = std::sqrt(17.0);
    check(Plain(), 1, {1, 4});
    const Numbers sam = {1 + 0.05 / root, 4 + 0.4 / root};
    check(Sam({.rho = 0.05}), 2, sam);
    // GSAM: g_s - alpha (g - (g . g_s / |g_s|^2) g_s).
    const double share = (sam[0] + 4 * sam[1]) / (sam[0] * sam[0] + sam[1] * sam[1]);
    check(Sam(gsam(0.05, 0.4)), 2,
          {sam[0] - 0.4 * (1 - share * sam[0]), sam[1] - 0.4 * (4 - share * sam[1])});
    // Exact GAM: f ~ H g^ = (1, 8)/root, w_a = w + rho f^, direction g + alpha rho H g_a^.
    const double f = std::sqrt(65.0), a0 = 1 + 0.2 / f, a1 = 2 * (2 + 0.2 * 8 / f), a = std::hypot(a0, a1);
    check(Gam({.form = GamForm::exact, .rho = 0.2, .alpha = 0.5}), 2,
          {1 + 0.1 * a0 / a / scale * scale, 4 + 0.1 * 2 * a1 / a});
    check(Gam({.form = GamForm::differences, .rho = 0.2, .alpha = 0.5}), 4,
          {1 + 0.1 * a0 / a, 4 + 0.1 * 2 * a1 / a});
  }
}

TEST_CASE("edge: exact GAM on an f32 gradient of 1e-41") {
  Free p{Variable::parameter(Tensor::from(std::vector<float>{1e-41f, -2e-41f})), half_square};
  ParameterVector w = ParameterVector::of(p);
  const Direction d = Gam({.form = GamForm::exact, .rho = 0.2, .alpha = 0.5}).direction(p.objective(w), w);
  REQUIRE(d.report.finite);
  // H = 1: g + alpha rho g^.
  CHECK(gap(d.vector, {0.1 / std::sqrt(5.0), -0.2 / std::sqrt(5.0)}) < 1e-4);
}

TEST_CASE("radius factors: a group's part of the perturbation is multiplied, the norm is over all") {
  // The base problem Q in two parameters: g = (3, 4), |g| = 5.
  struct Two {
    Variable a = Variable::parameter(Tensor::from(Numbers{1})),
             b = Variable::parameter(Tensor::from(Numbers{2}));
    void describe(Inventory& it) {
      it.parameter("trunk.a", a);
      it.parameter("head.b", b, ParameterRole::bias);
    }
  } q;
  ParameterVector w = ParameterVector::of(q);
  const Objective objective = [&](const Request&) {
    return evaluate(0.5 * sum(square(q.a)) + sum(q.a * q.b) + 0.75 * sum(square(q.b)), w);
  };
  const auto direction = [&](const SamOptions& options) {
    return Sam(options).direction(objective, w).vector;
  };
  CHECK(gap(direction({.factors = {{"head.*", 0.5}}}), {3.05, 4.06}) < 1e-12);           // e = (0.03, 0.02)
  CHECK(gap(direction({.factors = {{"head.b", 0}}}), {3.03, 4.03}) < 1e-12);             // e = (0.03, 0)
  CHECK(gap(direction({.factors = {{"trunk.a", 2}, {"*", 3}}}), {3.18, 4.24}) < 1e-12);  // e = (0.06, 0.12)
  CHECK(gap(direction({.p = HUGE_VAL, .factors = {{"head.*", 0.5}}}), {3.075, 4.0875}) < 1e-12);
  CHECK(same_bits(direction({.factors = {{"*", 1}}}), direction({})));
  CHECK(gap(w.values(), {1, 2}) == 0);
  for (double bad : {-1.0, std::nan(""), HUGE_VAL})
    CHECK_THROWS_AS(Sam({.factors = {{"*", bad}}}), ArgumentError);
  CHECK_THROWS_AS(Sam({.factors = {{"*", 1}}, .inner_steps = 2}), ArgumentError);
  CHECK_THROWS_WITH_AS(direction({.factors = {{"haed.*", 0.5}}}),
                       "[sam] no parameter that trains has the name 'haed.*'; the first is 'trunk.a'",
                       ArgumentError);
  // Each name must match, not only one of them.
  CHECK_THROWS_WITH_AS(direction({.perturbed = Perturbed::named, .names = {"trunk.*", "typo"}}),
                       "[sam] no parameter that trains has the name 'typo'; the first is 'trunk.a'",
                       ArgumentError);
}

TEST_CASE("options that are not numbers are refused, and MSAM says what it was not given") {
  const double nan = std::nan("");
  CHECK_THROWS_AS(Sam({.rho = nan}), ArgumentError);
  CHECK_THROWS_AS(Sam({.p = nan}), ArgumentError);
  CHECK_THROWS_AS(Sam({.scaling = Scaling::all, .eta = nan}), ArgumentError);
  CHECK_THROWS_AS(Sam({.along = ClimbAlong::residual, .sigma = nan}), ArgumentError);
  CHECK_THROWS_AS(Sam({.along = ClimbAlong::residual, .lambda = nan}), ArgumentError);
  CHECK_THROWS_AS(Sam({.inner_steps = 2, .inner_step = nan}), ArgumentError);
  CHECK_THROWS_AS(Sam({.combine = Combine::mix, .alpha = nan}), ArgumentError);
  CHECK_THROWS_AS(Sam({.schedule = {.kind = RadiusKind::linear, .end = nan}}), ArgumentError);
  CHECK_THROWS_AS(Sam({.schedule = {.kind = RadiusKind::with_lr, .lr_peak = nan}}), ArgumentError);
  CHECK_THROWS_AS(Sam({.schedule = {.kind = RadiusKind::with_lr, .lr_peak = HUGE_VAL}}), ArgumentError);
  CHECK_THROWS_AS(Gam({.rho = nan}), ArgumentError);
  CHECK_THROWS_AS(Gam({.rho_prime = nan}), ArgumentError);
  CHECK_THROWS_AS(Gam({.beta = nan}), ArgumentError);
  CHECK_THROWS_AS(Gam({.scaling = Scaling::all, .eta = nan}), ArgumentError);
  Quadratic q;
  ParameterVector w = ParameterVector::of(q);
  CHECK_THROWS_AS(Ascent("sam", {})(w, w.values(), nan), ArgumentError);
  CHECK_THROWS_AS(Ascent("sam", {})(w, w.values(), -1), ArgumentError);
  Sam following({.schedule = {.kind = RadiusKind::with_lr}});
  CHECK_THROWS_AS(following.direction(q.objective(w), w, {.lr = nan}), ArgumentError);
  CHECK_THROWS_WITH_AS(Sam(msam()).direction(q.objective(w), w),
                       doctest::Contains("the step was given none: pass StepInfo{.momentum"), ArgumentError);
  const Tensor other = Tensor::from(Numbers{1, 2, 3});
  CHECK_THROWS_WITH_AS(Sam(msam()).direction(q.objective(w), w, {.momentum = &other}),
                       doctest::Contains("the momentum is f64 {3}, the weights are f64 {2}"), ArgumentError);
}

}  // namespace basin::optim::testing
