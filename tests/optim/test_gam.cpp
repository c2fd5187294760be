// GAM in its four forms: worked numbers 13 to 16, 19 and 20 of facts/sam_gam.md, section 5.
#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include "autograd/curvature/hvp.h"
#include "core/ops.h"
#include "optim/gradient/gam.h"
#include "optim/gradient/sam_family.h"
#include "tests/optim/problems.h"

namespace basin::optim::testing {
namespace {

/// The setting of items 15 and 19.
GamOptions accelerated(GamForm form) {
  return {.form = form, .rho = 0.2, .rho_prime = 0.02, .alpha = 0.6, .beta = 0.5, .gamma = 0.03};
}
GamOptions exact() { return {.form = GamForm::exact, .rho = 0.2, .alpha = 0.5}; }

Direction step_of(const GamOptions& options, Quadratic& q, ParameterVector& w) {
  return Gam(options).direction(q.objective(w), w);
}

}  // namespace

TEST_CASE("worked number 13: flatness of both orders on the base problem") {
  Quadratic q;
  ParameterVector w = ParameterVector::of(q);
  const auto at = [&](double x, double y) {
    w.values().copy_from(Tensor::from(Numbers{x, y}));
    const Evaluation e = q.objective(w)({});
    return std::pair(e.loss, norm(e.gradient));
  };
  // Largest of L(w + e) - L(w) and of |grad L(w + e)| on the circle |e| = 0.2: golden sections of the angle.
  const auto highest = [&](double x, double y, auto value) {
    const double ratio = (std::sqrt(5.0) - 1) / 2;
    double best = 0;
    for (int start = 0; start < 8; ++start) {
      double low = start * std::numbers::pi / 4, high = low + std::numbers::pi / 2;
      const auto f = [&](double angle) {
        return value(at(x + 0.2 * std::cos(angle), y + 0.2 * std::sin(angle)));
      };
      while (high - low > 1e-9) {
        const double a = high - ratio * (high - low), b = low + ratio * (high - low);
        (f(a) > f(b) ? high : low) = f(a) > f(b) ? b : a;
      }
      best = std::max(best, f(low));
    }
    return best;
  };
  const auto loss = [](const std::pair<double, double>& p) { return p.first; };
  const auto slope = [](const std::pair<double, double>& p) { return 0.2 * p.second; };
  CHECK(std::abs(highest(0, 0, loss) - 0.0456155281) < kTenDecimals);
  CHECK(std::abs(highest(0, 0, slope) - 0.0912310563) < kTenDecimals);
  CHECK(std::abs(highest(1, 2, loss) - 5.5 - 1.0456011826) < kTenDecimals);
  CHECK(std::abs(highest(1, 2, slope) - 1.0912154450) < kTenDecimals);

  at(1, 2);
  const StepReport sam = Sam({.rho = 0.2}).direction(q.objective(w), w).report;
  CHECK(std::abs(sam.perturbed_loss - sam.loss - 1.0456) < kTenDecimals);
  CHECK(std::abs(0.2 * step_of(exact(), q, w).report.perturbed_norm - 1.0912154439) < kTenDecimals);
}

TEST_CASE("worked number 14: exact GAM, step by step") {
  Quadratic q;
  ParameterVector w = ParameterVector::of(q);
  const Evaluation here = q.objective(w)({.norm_gradient = true});
  CHECK(gap(here.norm_gradient, {1.4, 1.8}) < 1e-14);

  Gam gam(exact());
  const Tensors seen = weights_of_passes(gam, q.objective(w), w);
  REQUIRE(seen.size() == 2);
  CHECK(gap(seen[1], {1.1227881227, 2.1578704435}) < kTenDecimals);
  const Direction d = gam.direction(q.objective(w), w);
  CHECK(std::abs(d.report.perturbed_norm - std::hypot(3.2806585662, 4.3595937879)) < kTenDecimals);
  CHECK(gap(combination(2, d.vector, -2, here.gradient), {0.2800639378, 0.3599673851}) < 2 * kTenDecimals);
  CHECK(gap(d.vector, {3.1400319689, 4.1799836926}) < kTenDecimals);
  CHECK(d.report.passes == 2);

  // With SAM's gradient in place of g.
  GamOptions both = exact();
  both.with_sam = true;
  both.rho_prime = 0.05;
  const Direction b = step_of(both, q, w);
  CHECK(gap(b.vector, {3.1400319689 + 0.07, 4.1799836926 + 0.09}) < kTenDecimals);
  CHECK(b.report.passes == 3);
  CHECK(gap(w.values(), {1, 2}) == 0);
}

TEST_CASE("worked number 15: accelerated GAM as printed, and as the released code computes it") {
  Quadratic q;
  ParameterVector w = ParameterVector::of(q);
  Gam paper(accelerated(GamForm::paper));
  const Tensors seen = weights_of_passes(paper, q.objective(w), w);
  REQUIRE(seen.size() == 4);
  CHECK(gap(seen[1], {1 + 0.012, 2 + 0.016}) < 1e-14);  // grad there: (3.028, 4.036)
  CHECK(gap(seen[2], {1.1227881227, 2.1578704435}) < kTenDecimals);
  CHECK(gap(seen[3], {1.1348138270, 2.1738511329}) < kTenDecimals);

  const Direction d = paper.direction(q.objective(w), w);
  CHECK(gap(d.vector, {3.1402642037, 4.1798375481}) < kTenDecimals);
  CHECK(d.report.passes == 4);
  CHECK(gap(step_of(accelerated(GamForm::official), q, w).vector, {3.1403136494, 4.1798004000}) <
        kTenDecimals);

  // h+ alone, and what gamma takes from it.
  GamOptions no_gamma = accelerated(GamForm::paper);
  no_gamma.gamma = 0;
  const Tensor plus = step_of(no_gamma, q, w).vector;
  CHECK(gap(plus, {3.1402659840, 4.1798362106}) < kTenDecimals);
  const Tensor across = combination(1 / 0.03, plus, -1 / 0.03, d.vector);
  CHECK(gap(across, {5.93423e-5, -4.45833e-5}) < 1e-9);
  no_gamma.form = GamForm::official;
  const Tensor code = combination(1 / 0.03, step_of(no_gamma, q, w).vector, -1 / 0.03,
                                  step_of(accelerated(GamForm::official), q, w).vector);
  CHECK(gap(code, {-0.0015888475, 0.0011936840}) < 1e-8);

  // Differences of gradients are the products here, whatever rho': (g3 - g2) rho / rho' = h of item 14.
  for (const double rho_prime : {0.02, 0.3}) {
    GamOptions sums{.form = GamForm::differences, .rho = 0.2, .rho_prime = rho_prime, .alpha = 0.5};
    CHECK(gap(step_of(sums, q, w).vector, {3.1400319689, 4.1799836926}) < kTenDecimals);
    sums.with_sam = true;
    const double share = rho_prime / 5;  // g1 = A (w + share (3, 4))
    CHECK(gap(step_of(sums, q, w).vector, {3.1400319689 + 7 * share, 4.1799836926 + 9 * share}) <
          kTenDecimals);
  }
}

TEST_CASE("worked number 16: corners of GAM that are SAM and GSAM") {
  Quadratic q;
  ParameterVector w = ParameterVector::of(q);
  const auto corner = [&](double alpha, double beta, double gamma) {
    return step_of({.rho = 0.2, .rho_prime = 0.05, .alpha = alpha, .beta = beta, .gamma = gamma}, q, w)
        .vector;
  };
  CHECK(gap(corner(1, 0.3, 0), {3.07, 4.09}) < 1e-14);
  CHECK(gap(corner(1, 1, 0.4), {3.0706255497, 4.0895304554}) < kTenDecimals);

  // At an eigenvector of A exact GAM with alpha = 1 is SAM of the same radius.
  const double lambda = 2.2807764064, x = 1, y = lambda - 1;
  w.values().copy_from(Tensor::from(Numbers{x, y}));
  const Tensor gam = step_of({.form = GamForm::exact, .rho = 0.2, .alpha = 1}, q, w).vector;
  const Tensor sam = Sam({.rho = 0.2}).direction(q.objective(w), w).vector;
  CHECK(norm(gam - sam) < 1e-9);
  const double stretch = lambda * (1 + 0.2 / std::hypot(x, y));
  CHECK(gap(gam, {stretch * x, stretch * y}) < 1e-9);
}

TEST_CASE("worked number 19: GAM on the tanh network, in every form") {
  TanhNetwork network;
  ParameterVector w = ParameterVector::of(network);
  const Objective objective = network.objective(w);
  const Evaluation here = objective({.norm_gradient = true});
  CHECK(std::abs(norm(here.norm_gradient) - 0.4772810493) < kTenDecimals);
  const Direction d = Gam(exact()).direction(objective, w);
  CHECK(std::abs(d.report.perturbed_norm - 0.4780010162) < kTenDecimals);
  CHECK(std::abs(2 * norm(d.vector - here.gradient) - 0.1054503557) < kTenDecimals);
  CHECK(std::abs(d.report.direction_norm - 0.4069045147) < kTenDecimals);
  CHECK(
      d.report.cosine ==
      doctest::Approx(dot(d.vector, here.gradient) / (norm(d.vector) * norm(here.gradient))).epsilon(1e-14));

  GamOptions sum_only = accelerated(GamForm::paper);
  sum_only.gamma = 0;
  CHECK(std::abs(Gam(sum_only).direction(objective, w).report.direction_norm - 0.4220980290) < kTenDecimals);
  const Direction paper = Gam(accelerated(GamForm::paper)).direction(objective, w);
  CHECK(std::abs(paper.report.direction_norm - 0.4220980441) < kTenDecimals);
  CHECK(gap(paper.vector.slice_rows(0, 3), {-0.0546261671, 0.0984358427, -0.0482241608}) < kTenDecimals);
  const Direction code = Gam(accelerated(GamForm::official)).direction(objective, w);
  CHECK(std::abs(code.report.direction_norm - 0.4220984059) < kTenDecimals);
  CHECK(gap(code.vector.slice_rows(0, 3), {-0.0547941917, 0.0983038397, -0.0483984207}) < kTenDecimals);

  // Differences tend to the products as rho' falls.
  const auto error = [&](double rho_prime) {
    const GamOptions o{.form = GamForm::differences, .rho = 0.2, .rho_prime = rho_prime, .alpha = 0.5};
    return norm(Gam(o).direction(objective, w).vector - d.vector);
  };
  CHECK(error(1e-5) < 1e-5);
  CHECK(error(1e-4) < 0.2 * error(1e-3));
}

TEST_CASE("worked number 19: the extreme eigenvalues of the tanh network's Hessian") {
  TanhNetwork network;
  ParameterVector w = ParameterVector::of(network);
  // Power iteration on H + shift, which makes the wanted end the largest.
  const auto extreme = [&](double shift) {
    Tensor v = Tensor::full({w.size()}, 1, Dtype::f64);
    double value = 0;
    for (int i = 0; i < 3000; ++i) {
      v = unary(UnaryOp::mul_scalar, v, 1 / norm(v));
      const Tensor hv = w.flatten(hessian_vector_product(network.loss(), w.variables(), w.split(v)));
      value = dot(v, hv);
      v = combination(1, hv, shift, v);
    }
    return value;
  };
  CHECK(std::abs(extreme(1) - 0.6601584404) < kTenDecimals);
  CHECK(std::abs(extreme(-1) + 0.4612258294) < kTenDecimals);
}

TEST_CASE("worked number 20: one step of GAM moves the batch-norm statistics once") {
  const Tensor x = Tensor::from(Numbers{1, 2, 3, 4}, {4, 1});
  for (const GamForm form : {GamForm::paper, GamForm::official, GamForm::exact, GamForm::differences}) {
    CAPTURE(static_cast<int>(form));
    nn::Initializer init(1, Dtype::f64);
    nn::BatchNorm2d norm(1, init);
    ParameterVector w = ParameterVector::of(norm);
    GamOptions options = accelerated(form);
    const Direction d = Gam(options).direction(
        [&](const Request& request) {
          const bool hold = request.pass == Pass::repeat;
          nn::Context ctx{.statistics = hold ? nn::Statistics::hold : nn::Statistics::update};
          const Variable y = norm(x, ctx);
          return evaluate(sum(y * y * Variable(x)), w, {.norm_gradient = request.norm_gradient});
        },
        w);
    CHECK(d.report.passes == (form == GamForm::exact ? 2 : 4));
    const Tensors state = state_of(norm);
    CHECK(std::abs(state[0].item() - 0.25) < kTenDecimals);
    CHECK(std::abs(state[1].item() - 1.0666666667) < kTenDecimals);
    CHECK(state[2].item() == 1);
  }
}

TEST_CASE("gam: rho = 0 is the plain rule, and where a gradient does not change there is nothing to climb") {
  Quadratic q;
  ParameterVector w = ParameterVector::of(q);
  for (const GamForm form : {GamForm::paper, GamForm::official, GamForm::exact, GamForm::differences}) {
    CAPTURE(static_cast<int>(form));
    const Direction d = step_of({.form = form, .rho = 0}, q, w);
    CHECK(gap(d.vector, {3, 4}) == 0);
    CHECK(d.report.passes == 1);
    // L = w0 + w1: H = 0, so the direction is that of h+ with g0 = g1 = g2 = g3.
    const Direction flat =
        Gam(accelerated(form))
            .direction(
                [&](const Request& r) { return evaluate(sum(q.w), w, {.norm_gradient = r.norm_gradient}); },
                w);
    CHECK(gap(flat.vector, {1, 1}) < 1e-14);
    CHECK(flat.report.finite);
    // A zero gradient.
    w.values().fill(0);
    const Direction none = step_of(accelerated(form), q, w);
    CHECK(gap(none.vector, {0, 0}) == 0);
    CHECK(none.report.finite);
    CHECK(none.report.passes == 1);
    w.values().copy_from(Tensor::from(Numbers{1, 2}));
  }
}

TEST_CASE("gam: both radii follow the schedule") {
  Quadratic q;
  ParameterVector w = ParameterVector::of(q);
  GamOptions options = accelerated(GamForm::paper);
  options.schedule = {.kind = RadiusKind::with_lr, .lr_peak = 0.1};
  Gam gam(options);
  GamOptions half = accelerated(GamForm::paper);
  half.rho = 0.1;
  half.rho_prime = 0.01;
  const Direction d = gam.direction(q.objective(w), w, {.lr = 0.05});
  CHECK(d.report.rho == doctest::Approx(0.1).epsilon(1e-15));
  CHECK(norm(d.vector - step_of(half, q, w).vector) < 1e-14);
  CHECK(gam.direction(q.objective(w), w, {.lr = 0}).report.passes == 1);
}

TEST_CASE("gam: every k-th step from a step on, plain ones between") {
  Quadratic q;
  ParameterVector w = ParameterVector::of(q);
  GamOptions options = accelerated(GamForm::paper);
  options.every = 3;
  options.start_step = 2;
  Gam gam(options);
  std::vector<int> passes;
  for (std::int64_t t = 0; t < 9; ++t)
    passes.push_back(gam.direction(q.objective(w), w, {.step = t}).report.passes);
  CHECK(passes == std::vector<int>{1, 1, 4, 1, 1, 4, 1, 1, 4});
}

TEST_CASE("gam: scaled by |w|, its first climb is ASAM's") {
  Quadratic q;
  ParameterVector w = ParameterVector::of(q);
  GamOptions options = accelerated(GamForm::paper);
  options.rho_prime = 0.5;
  options.scaling = Scaling::all;
  Gam gam(options);
  CHECK(gap(weights_of_passes(gam, q.objective(w), w).at(1), {1.1755617208, 2.9363291776}) < kTenDecimals);
}

TEST_CASE("gam: three vectors beside the gradient are alive during a pass, and none after the step") {
  Quadratic q;
  ParameterVector w = ParameterVector::of(q);
  const auto most = [&](GradientRule& rule) {
    std::int64_t largest = 0;
    const std::int64_t before = Storage::live_count();
    {
      const Direction d = rule.direction(
          [&](const Request& r) {
            largest = std::max(largest, Storage::live_count() - before);
            return q.objective(w)(r);
          },
          w);
    }
    CHECK(Storage::live_count() == before);
    return largest;
  };
  Sam sam({.rho = 0.05});
  Gam gam(accelerated(GamForm::paper)), official(accelerated(GamForm::official));
  CHECK(most(sam) == 2);  // g0 and the copy of w
  CHECK(most(gam) == 4);
  CHECK(most(official) == 4);
}

TEST_CASE("gam: options out of range, or in vain, are errors") {
  const auto refused = [](const GamOptions& o, const char* why) {
    CHECK_THROWS_WITH_AS(Gam{o}, doctest::Contains(why), ArgumentError);
  };
  refused({.rho = -1}, "rho");
  refused({.rho_prime = -1}, "rho_prime");
  refused({.rho_prime = 0}, "rho_prime");
  refused({.alpha = HUGE_VAL}, "alpha");
  refused({.gamma = std::nan("")}, "gamma");
  refused({.form = GamForm::paper, .with_sam = true}, "with_sam");
  refused({.form = GamForm::exact, .scaling = Scaling::all}, "scaling");
}

}  // namespace basin::optim::testing
