// The members of the SAM family: worked numbers 7, 9 and 19 of facts/sam_gam.md, section 5, and what each
// member must be in its corner cases.
#include <doctest/doctest.h>

#include <cmath>

#include "core/ops.h"
#include "optim/gradient/gam.h"
#include "optim/gradient/sam_family.h"
#include "tests/optim/problems.h"

namespace basin::optim::testing {
namespace {

/// The base problem with its second weight called a bias.
struct BiasedQuadratic {
  Quadratic q;
  Variable w0, w1;

  BiasedQuadratic()
      : w0(Variable::parameter(Tensor::from(Numbers{1}))),
        w1(Variable::parameter(Tensor::from(Numbers{2}))) {}
  void describe(Inventory& it) {
    it.parameter("weight", w0);
    it.parameter("bias", w1, ParameterRole::bias);
  }
  Objective objective(const ParameterVector& w) const {
    return [this, &w](const Request& request) {
      const Variable row = concat({reshape(w0, {1, 1}), reshape(w1, {1, 1})}, 1);
      return evaluate(0.5 * sum(matmul(row, q.a) * row), w, {.norm_gradient = request.norm_gradient});
    };
  }
};

/// e of the rule's first climb.
template <class Problem>
Tensor climb_of(GradientRule& rule, Problem& problem, ParameterVector& w, const StepInfo& now = {}) {
  return weights_of_passes(rule, problem.objective(w), w, now).at(1) - w.values();
}

Tensor direction_of(const SamOptions& options, Quadratic& q, ParameterVector& w) {
  return Sam(options).direction(q.objective(w), w).vector;
}

/// Steps of a rule on a small network, and what they report.
std::vector<StepReport> reports_of(GradientRule& rule, std::int64_t steps, double lr = 0.05) {
  SmallNetwork network;
  ParameterVector w = ParameterVector::of(network);
  Sgd sgd(w, {.momentum = 0.9});
  std::vector<StepReport> reports;
  for (std::int64_t t = 0; t < steps; ++t) {
    const Direction d = rule.direction(network.objective(w, t), w,
                                       {.step = t, .lr = lr, .momentum = entries_of(sgd).buffers[0].buffer});
    sgd.apply(w, d.vector, lr);
    reports.push_back(d.report);
  }
  return reports;
}

/// All passes of a run together.
int passes(GradientRule& rule, std::int64_t steps) {
  int sum = 0;
  for (const StepReport& r : reports_of(rule, steps)) sum += r.passes;
  return sum;
}

}  // namespace

TEST_CASE("worked number 7: ASAM in the three definitions, with the invariant of its ball") {
  Quadratic q;
  ParameterVector w = ParameterVector::of(q);
  Sam plain(asam_davda54(0.5));
  CHECK(gap(climb_of(plain, q, w), {0.1755617208, 0.9363291776}) < kTenDecimals);
  CHECK(gap(plain.direction(q.objective(w), w).vector, {4.1118908984, 5.5800554871}) < kTenDecimals);

  SamOptions everywhere = asam_davda54(0.5);
  everywhere.eta = 0.01;
  CHECK(gap(direction_of(everywhere, q, w), {4.1185227720, 5.5887391378}) < kTenDecimals);

  Sam outer(asam_big_vision(0.5));
  CHECK(gap(climb_of(outer, q, w), {0.3, 0.8}) < 1e-15);
  CHECK(gap(outer.direction(q.objective(w), w).vector, {4.1, 5.5}) < 1e-14);

  BiasedQuadratic biased;
  ParameterVector v = ParameterVector::of(biased);
  Sam paper(asam(0.5, 0.01));
  const Tensor e = climb_of(paper, biased, v);
  CHECK(gap(e, {0.3049287563, 0.3985606069}) < kTenDecimals);
  CHECK(gap(paper.direction(biased.objective(v), v).vector, {3.7034893632, 4.9027696667}) < kTenDecimals);
  CHECK(norm(e / Tensor::from(Numbers{1.01, 1})) == doctest::Approx(0.5).epsilon(1e-14));
  CHECK(gap(w.values(), {1, 2}) == 0);
}

TEST_CASE("worked number 9: GSAM, GNP, and WSAM as mixing beyond SAM") {
  Quadratic q;
  ParameterVector w = ParameterVector::of(q);
  const Direction g = Sam(gsam(0.05, 0.4)).direction(q.objective(w), w);
  CHECK(gap(g.vector, {3.0706255497, 4.0895304554}) < kTenDecimals);
  // What GSAM takes away is 0.4 of the part of g orthogonal to g_s.
  const Tensor s = direction_of({.rho = 0.05}, q, w);
  CHECK(gap(combination(1 / 0.4, s, -1 / 0.4, g.vector), {-0.0015638741, 0.0011738615}) < 2 * kTenDecimals);
  CHECK(std::abs(dot(s - g.vector, s)) < 1e-14);

  CHECK(gap(direction_of(gnp(0.05, 0.8), q, w), {3.056, 4.072}) < 1e-14);
  CHECK(gap(direction_of(gnp(0.05, 9), q, w), {3.63, 4.81}) < 1e-13);  // WSAM, gamma 0.9
  CHECK(gap(direction_of(gnp(0.05, 3 / 7.), q, w), {3.03, 4.0385714286}) < kTenDecimals);
  // WSAM's decoupled step is the coupled one under SGD without momentum.
  Sgd(w).apply(w, direction_of(gnp(0.05, 9), q, w), 0.1);
  CHECK(gap(w.values(), {0.637, 1.519}) < 1e-14);
}

TEST_CASE("worked number 19: ASAM on the tanh network") {
  TanhNetwork network;
  ParameterVector w = ParameterVector::of(network);
  const auto check = [&](const SamOptions& options, double e_norm, double loss, double g_norm) {
    Sam rule(options);
    CHECK(std::abs(norm(climb_of(rule, network, w)) - e_norm) < kTenDecimals);
    const StepReport report = rule.direction(network.objective(w), w).report;
    CHECK(std::abs(report.perturbed_loss - loss) < kTenDecimals);
    CHECK(std::abs(report.perturbed_norm - g_norm) < kTenDecimals);
    CHECK(report.direction_norm == report.perturbed_norm);
  };
  check(asam_davda54(0.5), 0.1682852195, 1.0784951662, 0.3613039597);
  check(asam(0.5, 0.01), 0.4893811607, 1.2466003707, 0.5482422065);
}

TEST_CASE("sam family: ASAM does not see a factor moved from one layer to the next, SAM does") {
  const Tensor x = Tensor::from(Numbers{1, 2, -1, .5, .3, -.7, 2, -1}, {4, 2});
  const Tensor y = Tensor::from(std::vector<std::int64_t>{0, 1, 2, 1});
  struct TwoLayers {
    Variable first, second;
    explicit TwoLayers(double factor) {
      Numbers a, b;
      for (int i = 0; i < 6; ++i) a.push_back(factor * (0.3 - 0.11 * i));
      for (int i = 0; i < 9; ++i) b.push_back((0.07 * i - 0.2) / factor);
      first = Variable::parameter(Tensor::from(a, {3, 2}));
      second = Variable::parameter(Tensor::from(b, {3, 3}));
    }
    void describe(Inventory& it) {
      it.parameter("first", first);
      it.parameter("second", second);
    }
  };
  const auto sharpness = [&](double factor, const SamOptions& options) {
    TwoLayers net(factor);
    ParameterVector w = ParameterVector::of(net);
    Sam rule(options);
    const Direction d = rule.direction(
        [&](const Request&) {
          return evaluate(
              cross_entropy(
                  matmul(relu(matmul(Variable(x), net.first, false, true)), net.second, false, true), y),
              w);
        },
        w);
    return d.report.perturbed_loss - d.report.loss;
  };
  const SamOptions segments{.rho = 0.1, .scaling = Scaling::segments, .eta = 0};
  CHECK(sharpness(4, asam(0.1, 0)) == doctest::Approx(sharpness(1, asam(0.1, 0))).epsilon(1e-12));
  CHECK(sharpness(4, segments) == doctest::Approx(sharpness(1, segments)).epsilon(1e-12));
  CHECK(sharpness(4, {.rho = 0.1}) > 1.5 * sharpness(1, {.rho = 0.1}));
}

TEST_CASE("sam family: F-SAM's first step is SAM's, then it climbs along the residual") {
  Quadratic q;
  ParameterVector w = ParameterVector::of(q);
  Sam f(fsam(0.05, 0.5, 0.6));
  CHECK(same_bits(f.direction(q.objective(w), w).vector, direction_of({.rho = 0.05}, q, w)));
  w.values().copy_from(Tensor::from(Numbers{1, 0}));  // g = (1, 1), m = (3, 4)
  // residual g - 0.5 m = (-0.5, -1), of length sqrt(1.25)
  const double length = std::sqrt(1.25);
  CHECK(gap(climb_of(f, q, w), {-0.025 / length, -0.05 / length}) < 1e-15);
  // m was 0.6 m + 0.4 g = (2.2, 2.8) after that; residual (-0.1, -0.4)
  const double next = std::sqrt(0.17);
  CHECK(gap(climb_of(f, q, w), {-0.005 / next, -0.02 / next}) < 1e-15);
  // The mean is state under its name.
  REQUIRE(entries_of(f).buffers.size() == 1);
  CHECK(entries_of(f).buffers[0].name == "m");
  CHECK(gap(*entries_of(f).buffers[0].buffer, {0.6 * 2.2 + 0.4, 0.6 * 2.8 + 0.4}) < 1e-15);
}

TEST_CASE("sam family: LookSAM's steps in between, worked by hand") {
  Quadratic q;
  ParameterVector w = ParameterVector::of(q);
  Sam look(looksam(0.05, 0.7, 3));
  const Direction first = look.direction(q.objective(w), w, {.step = 0});
  CHECK(gap(first.vector, {3.07, 4.09}) < 1e-14);
  CHECK(first.report.passes == 2);
  // g_v = g_s less its part along g = (3, 4): (3.07, 4.09) . g = 25.57
  const Numbers v = {3.07 - 3 * 25.57 / 25, 4.09 - 4 * 25.57 / 25};
  const double size = std::hypot(v[0], v[1]);
  REQUIRE(gap(*entries_of(look).buffers.at(0).buffer, v) < 1e-13);

  w.values().copy_from(Tensor::from(Numbers{1, 0}));  // g = (1, 1)
  const Direction second = look.direction(q.objective(w), w, {.step = 1});
  const double factor = 0.7 * std::sqrt(2.0) / size;
  CHECK(gap(second.vector, {1 + factor * v[0], 1 + factor * v[1]}) < 1e-12);
  CHECK(second.report.passes == 1);
  CHECK(std::isnan(second.report.perturbed_loss));
  CHECK(look.direction(q.objective(w), w, {.step = 2}).report.passes == 1);
  CHECK(look.direction(q.objective(w), w, {.step = 3}).report.passes == 2);
}

TEST_CASE("sam family: MSAM looks ahead along the momentum, in one pass") {
  Quadratic q;
  ParameterVector w = ParameterVector::of(q);
  Sam m(msam(0.5));
  const Tensor v = Tensor::from(Numbers{0.6, -0.8});
  const Direction d = m.direction(q.objective(w), w, {.momentum = &v});
  CHECK(gap(d.vector, {0.7 + 2.4, 0.7 + 3.6}) < 1e-14);  // A (w - 0.5 v) = A (0.7, 2.4)
  CHECK(d.report.passes == 1);
  CHECK(gap(w.values(), {1, 2}) == 0);
  const Tensor none = Tensor::zeros({2}, Dtype::f64);
  CHECK(gap(m.direction(q.objective(w), w, {.momentum = &none}).vector, {3, 4}) == 0);
  CHECK_THROWS_WITH_AS(m.direction(q.objective(w), w), doctest::Contains("momentum"), ArgumentError);
}

TEST_CASE("sam family: SAM-ON and names perturb the chosen parameters alone, with their own norm") {
  SmallNetwork network;
  ParameterVector w = ParameterVector::of(network);
  const auto moved = [&](const SamOptions& options) {
    Sam rule(options);
    const Tensor e = weights_of_passes(rule, network.objective(w, 0), w).at(1) - w.values();
    std::vector<std::string> names;
    for (const Segment& s : w.segments())
      if (norm(e.view(s.offset, s.shape)) > 0) names.push_back(s.name);
    CHECK(norm(e) == doctest::Approx(options.rho).epsilon(1e-4));  // f32: w + e is rounded
    return names;
  };
  using Names = std::vector<std::string>;
  CHECK(moved(sam_on(0.5)) == Names{"norm.weight", "norm.bias"});
  CHECK(moved({.rho = 0.5, .perturbed = Perturbed::no_biases}) ==
        Names{"first.weight", "norm.weight", "second.weight"});
  CHECK(moved({.rho = 0.5, .perturbed = Perturbed::named, .names = {"second.*", "*st.bias"}}) ==
        Names{"first.bias", "second.weight", "second.bias"});
  CHECK_THROWS_WITH_AS(moved({.perturbed = Perturbed::named, .names = {"third.*"}}),
                       doctest::Contains("no parameter that trains has the name 'third.*'"), ArgumentError);
}

TEST_CASE("sam family: K inner steps stay in the ball, one is SAM, and more climb higher") {
  TanhNetwork network;
  ParameterVector w = ParameterVector::of(network);
  const auto loss = [&](const SamOptions& options) {
    Sam rule(options);
    const Tensors seen = weights_of_passes(rule, network.objective(w), w);
    CHECK(static_cast<int>(seen.size()) == options.inner_steps + 1);
    CHECK(norm(seen.back() - w.values()) <= options.rho * (1 + 1e-12));
    return rule.direction(network.objective(w), w).report.perturbed_loss;
  };
  const double one = loss(k_step_sam(0.5, 1));
  CHECK(one == loss({.rho = 0.5}));
  CHECK(loss(k_step_sam(0.5, 5)) > one);
  // Steps of half the radius leave the ball unless they are put back.
  CHECK(loss({.rho = 0.5, .inner_steps = 8, .inner_step = 0.5}) > loss(k_step_sam(0.5, 5)));
}

TEST_CASE("sam family: un-normalised, e is rho g") {
  Quadratic q;
  ParameterVector w = ParameterVector::of(q);
  Sam rule(usam(0.05));
  CHECK(gap(climb_of(rule, q, w), {0.15, 0.2}) < 1e-15);
}

TEST_CASE("sam family: corners that are other members") {
  Quadratic q;
  ParameterVector w = ParameterVector::of(q);
  const Tensor g = Plain().direction(q.objective(w), w).vector;
  const Tensor s = direction_of({.rho = 0.05}, q, w);
  CHECK(same_bits(direction_of(gnp(0.05, 0), q, w), g));
  CHECK(same_bits(direction_of(gnp(0.05, 1), q, w), s));
  CHECK(same_bits(direction_of(gsam(0.05, 0), q, w), s));
}

TEST_CASE("sam family: passes a step, counted over a run of 20") {
  struct Row {
    SamOptions options;
    int passes;
  };
  const Row rows[] = {{{.rho = 0.05}, 40},
                      {asam(), 40},
                      {gsam(), 40},
                      {gnp(), 40},
                      {fsam(), 40},
                      {looksam(), 22},
                      {interval_sam(), 22},
                      {msam(), 20},
                      {sam_on(), 40},
                      {usam(), 40},
                      {k_step_sam(0.05, 3), 80},
                      {{.rho = 0.05, .start_step = 15}, 25}};
  for (const Row& row : rows) {
    CAPTURE(row.options.name);
    CAPTURE(row.passes);
    Sam rule(row.options);
    CHECK(passes(rule, 20) == row.passes);
  }
}

TEST_CASE("sam family: the radius over time, for each schedule") {
  const auto radii = [](const RadiusSchedule& schedule, const std::vector<double>& lrs) {
    const Radius radius("sam", 0.4, schedule);
    Numbers all;
    for (std::size_t t = 0; t < lrs.size(); ++t)
      all.push_back(radius({.step = static_cast<std::int64_t>(t), .lr = lrs[t]}));
    return Tensor::from(all);
  };
  const std::vector<double> lrs = {1.6, 1.2, 0.8, 0.4, 0};
  CHECK(gap(radii({}, lrs), {0.4, 0.4, 0.4, 0.4, 0.4}) == 0);
  CHECK(gap(radii({.kind = RadiusKind::linear, .end = 0.2, .total_steps = 4}, lrs),
            {0.4, 0.35, 0.3, 0.25, 0.2}) < 1e-15);
  // GSAM: rho between its ends as the learning rate is between its own.
  CHECK(gap(radii({.kind = RadiusKind::with_lr, .end = 0.2, .lr_peak = 1.6, .lr_end = 0.8}, lrs),
            {0.4, 0.3, 0.2, 0.2, 0.2}) < 1e-15);
  CHECK(gap(radii({.warmup_steps = 4}, lrs), {0.1, 0.2, 0.3, 0.4, 0.4}) < 1e-15);
  CHECK_THROWS_AS(radii({.kind = RadiusKind::with_lr, .lr_peak = 0.1, .lr_end = 0.1}, lrs), ArgumentError);
  CHECK_THROWS_AS(radii({.end = -1}, lrs), ArgumentError);
  CHECK_THROWS_AS(radii({.total_steps = 0}, lrs), ArgumentError);

  // Rules follow it, and report it.
  Sam sam({.rho = 0.4, .schedule = {.kind = RadiusKind::linear, .end = 0, .total_steps = 4}});
  const std::vector<StepReport> reports = reports_of(sam, 6);
  CHECK(reports[0].rho == 0.4);
  CHECK(reports[3].rho == doctest::Approx(0.1).epsilon(1e-15));
  CHECK(reports[3].passes == 2);
  CHECK(reports[4].rho == 0);
  CHECK(reports[4].passes == 1);
}

TEST_CASE("sam family: clipping shortens the final direction and nothing else") {
  Quadratic q;
  ParameterVector w = ParameterVector::of(q);
  const Direction free = Sam({.rho = 0.05}).direction(q.objective(w), w);
  const Direction same = clipped(free, 6);
  CHECK(same_bits(same.vector, free.vector));
  CHECK(same.report.clipped == 1);
  const Direction half = clipped(free, 0.5 * free.report.direction_norm);
  CHECK(gap(half.vector, {3.07 / 2, 4.09 / 2}) < 1e-14);
  CHECK(half.report.clipped == 0.5);
  CHECK(half.report.perturbed_norm == free.report.perturbed_norm);
  CHECK(half.report.cosine == free.report.cosine);
  CHECK(gap(free.vector, {3.07, 4.09}) < 1e-14);  // a vector of its own
  CHECK_THROWS_AS(clipped(free, 0), ArgumentError);
}

TEST_CASE("sam family: options that exclude each other are errors that say why") {
  const auto refused = [](const SamOptions& o, const char* why) {
    CHECK_THROWS_WITH_AS(Sam{o}, doctest::Contains(why), ArgumentError);
  };
  refused({.rho = 0.1, .p = 3, .normalise = false}, "un-normalised");
  refused({.rho = 0.1, .p = 3, .scaling = Scaling::outer}, "outer");
  refused({.rho = 0.1, .eta = -1}, "eta");
  refused({.rho = 0.1, .perturbed = Perturbed::named}, "names");
  refused({.rho = 0.1, .names = {"x"}}, "names");
  refused({.rho = 0.1, .inner_steps = 0}, "inner_steps");
  refused({.rho = 0.1, .inner_step = 0.5}, "inner_step");
  refused({.rho = 0.1, .p = 3, .inner_steps = 2}, "inner steps");
  refused({.rho = 0.1, .along = ClimbAlong::momentum, .combine = Combine::mix}, "momentum");
  refused({.rho = 0.1, .combine = Combine::mix, .between = Between::reuse}, "LookSAM");
  refused({.rho = 0.1, .every = 0}, "every");
  refused({.rho = 0.1, .along = ClimbAlong::residual, .lambda = 1}, "lambda");
  refused({.rho = 0.1, .alpha = HUGE_VAL}, "alpha");
}

}  // namespace basin::optim::testing
