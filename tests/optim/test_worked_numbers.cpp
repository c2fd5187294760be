// The worked numbers of facts/sam_gam.md, section 5 (f64, ten decimals): items 1,
// 2, 3, 19, 20 for SAM. Its family: test_sam_family.cpp, GAM: test_gam.cpp, m-sharpness:
// test_micro_batches.cpp.
#include <doctest/doctest.h>

#include <limits>

#include "autograd/curvature/hvp.h"
#include "core/ops.h"
#include "core/random.h"
#include "optim/gradient/sam.h"
#include "optim/perturbation.h"
#include "tests/optim/problems.h"

namespace basin::optim::testing {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The gradient at w + e.
Tensor gradient_at(ParameterVector& w, const Tensor& e, const Objective& objective) {
  Perturbation moved(w, e, 1);
  return objective({.pass = Pass::repeat}).gradient;
}

Tensor scaled(const Tensor& x, double a) { return unary(UnaryOp::mul_scalar, x, a); }
Tensor vector_of(const Numbers& numbers) { return Tensor::from(numbers); }

/// Three steps of SAM with an update rule at lr 0.1, the weights after each.
Tensors three_steps(UpdateRule& update, Quadratic& q, ParameterVector& w) {
  Sam sam({.rho = 0.05});
  Tensors trace;
  for (int i = 0; i < 3; ++i) {
    update.apply(w, sam.direction(q.objective(w), w).vector, 0.1);
    trace.push_back(w.values().clone());
  }
  return trace;
}

}  // namespace

TEST_CASE("worked number 1: SAM on the base problem, and SGD's step along it") {
  Quadratic q;
  ParameterVector w = ParameterVector::of(q);
  Sam sam({.rho = 0.05});
  const Tensors seen = weights_of_passes(sam, q.objective(w), w);
  REQUIRE(seen.size() == 2);
  CHECK(gap(seen[0], {1, 2}) == 0);
  CHECK(gap(seen[1], {1.03, 2.04}) < 1e-15);

  const Direction d = sam.direction(q.objective(w), w);
  CHECK(d.report.loss == doctest::Approx(5.5).epsilon(1e-15));
  CHECK(d.report.perturbed_loss == doctest::Approx(5.7528500000).epsilon(1e-14));
  CHECK(d.report.gradient_norm == doctest::Approx(5).epsilon(1e-15));
  CHECK(gap(d.vector, {3.07, 4.09}) < 1e-14);
  CHECK(d.report.direction_norm == doctest::Approx(std::hypot(3.07, 4.09)).epsilon(1e-14));
  CHECK(d.report.cosine ==
        doctest::Approx((3 * 3.07 + 4 * 4.09) / (5 * std::hypot(3.07, 4.09))).epsilon(1e-14));
  CHECK(d.report.passes == 2);
  CHECK(d.report.finite);
  CHECK(d.report.failed_pass == -1);

  Sgd(w).apply(w, d.vector, 0.1);
  CHECK(gap(w.values(), {0.693, 1.591}) < 1e-15);
}

TEST_CASE("worked number 2: SAM in other norms, p = infinity and p = 3") {
  Quadratic q;
  ParameterVector w = ParameterVector::of(q);
  Sam signs({.rho = 0.05, .p = kInfinity});
  CHECK(gap(weights_of_passes(signs, q.objective(w), w)[1], {1.05, 2.05}) < 1e-15);
  CHECK(gap(signs.direction(q.objective(w), w).vector, {3.10, 4.125}) < 1e-14);

  Sam cubes({.rho = 0.05, .p = 3});
  const Tensor e = weights_of_passes(cubes, q.objective(w), w)[1] - w.values();
  CHECK(gap(e, {0.0366478238, 0.0423172619}) < kTenDecimals);
  const Numbers v = e.to_vector<double>();
  CHECK(std::cbrt(v[0] * v[0] * v[0] + v[1] * v[1] * v[1]) == doctest::Approx(0.05).epsilon(1e-13));
  CHECK(3 * v[0] + 4 * v[1] == doctest::Approx(0.2792125188).epsilon(2e-10));
  CHECK(gap(cubes.direction(q.objective(w), w).vector, {3.0789650857, 4.1001237166}) < kTenDecimals);
}

TEST_CASE("worked number 2: the general norm meets p = 2, p = infinity and steepest coordinate at its ends") {
  Quadratic q;
  ParameterVector w = ParameterVector::of(q);
  const auto e_of = [&](double p) {
    Sam sam({.rho = 0.05, .p = p});
    return weights_of_passes(sam, q.objective(w), w)[1] - w.values();
  };
  CHECK(gap(e_of(2 + 1e-12), {0.03, 0.04}) < 1e-11);
  CHECK(gap(e_of(1e9), {0.05, 0.05}) < 1e-9);
  CHECK(gap(e_of(1 + 1e-3), {0, 0.05}) < 1e-6);  // q = 1001: powers that overflow if taken of g itself
}

TEST_CASE("worked number 3: SAM with momentum, Nesterov momentum and Adam") {
  {
    Quadratic q;
    ParameterVector w = ParameterVector::of(q);
    Sgd sgd(w, {.momentum = 0.9});
    const Tensors trace = three_steps(sgd, q, w);
    CHECK(gap(trace[0], {0.693, 1.591}) < 1e-14);
    CHECK(gap(trace[1], {0.1813054469, 0.9059474552}) < kTenDecimals);
    CHECK(gap(trace[2], {-0.3949132142, 0.1263668306}) < kTenDecimals);
    const std::vector<NamedBuffer> state = entries_of(sgd).buffers;
    REQUIRE(state[0].name == "momentum");
    CHECK(gap(*state[0].buffer, {5.7621866108, 7.7958062467}) < kTenDecimals);
  }
  {
    Quadratic q;
    ParameterVector w = ParameterVector::of(q);
    Sgd nesterov(w, {.momentum = 0.9, .nesterov = true});
    const Tensors trace = three_steps(nesterov, q, w);
    CHECK(gap(trace[0], {0.4167, 1.2229}) < 1e-14);
    CHECK(gap(trace[1], {-0.1567661252, 0.4467988856}) < kTenDecimals);
    CHECK(gap(trace[2], {-0.5870850646, -0.1556239860}) < kTenDecimals);
  }
  {
    Quadratic q;
    ParameterVector w = ParameterVector::of(q);
    Adam adam(w, {.eps = 1e-8});
    const Tensors trace = three_steps(adam, q, w);
    CHECK(gap(trace[0], {0.9000000003, 1.9000000002}) < kTenDecimals);
    CHECK(gap(trace[1], {0.8002321000, 1.8002139170}) < kTenDecimals);
  }
}

TEST_CASE("worked number 19: a tanh network, its gradient and SAM's") {
  TanhNetwork network;
  ParameterVector w = ParameterVector::of(network);
  REQUIRE(w.size() == 21);
  const Direction plain = Plain().direction(network.objective(w), w);
  CHECK(std::abs(plain.report.loss - 1.0478028811) < kTenDecimals);
  CHECK(std::abs(plain.report.gradient_norm - 0.3778668275) < kTenDecimals);
  CHECK(gap(plain.vector.slice_rows(0, 3), {-0.0374852960, 0.0965248004, -0.0313632852}) < kTenDecimals);
  CHECK(plain.report.passes == 1);
  CHECK(plain.report.cosine == 1);
  CHECK(plain.report.direction_norm == plain.report.gradient_norm);
  CHECK(std::isnan(plain.report.perturbed_loss));

  const Direction sam = Sam({.rho = 0.05}).direction(network.objective(w), w);
  CHECK(sam.report.loss == plain.report.loss);
  CHECK(std::abs(sam.report.perturbed_loss - 1.0669952577) < kTenDecimals);
  CHECK(std::abs(sam.report.direction_norm - 0.3901830044) < kTenDecimals);
  CHECK(std::abs(sam.report.cosine - 0.9986026161) < kTenDecimals);
  CHECK(gap(sam.vector.slice_rows(0, 3), {-0.0440312370, 0.0937151739, -0.0381330090}) < kTenDecimals);
}

TEST_CASE("worked number 19: Hessian-vector products against central differences, and the trace") {
  TanhNetwork network;
  ParameterVector w = ParameterVector::of(network);
  const Objective objective = network.objective(w);
  const auto product = [&](const Tensor& v) {
    return w.flatten(hessian_vector_product(network.loss(), w.variables(), w.split(v)));
  };

  Random random(1, Stream::probe);
  Numbers draws;
  for (Index i = 0; i < w.size(); ++i) draws.push_back(random.normal());
  const Tensor v = scaled(vector_of(draws), 1 / norm(vector_of(draws)));
  const double r = 1e-5;
  const Tensor difference =
      gradient_at(w, scaled(v, r), objective) - gradient_at(w, scaled(v, -r), objective);
  const Tensor hv = product(v);
  CHECK(norm(hv - scaled(difference, 1 / (2 * r))) < 1e-8 * norm(hv));

  double trace = 0;
  for (Index i = 0; i < w.size(); ++i) {
    Tensor unit = Tensor::zeros({w.size()}, Dtype::f64);
    unit.mutable_data<double>()[i] = 1;
    trace += product(unit).data<double>()[i];
  }
  CHECK(std::abs(trace - 1.7755203309) < kTenDecimals);
}

TEST_CASE("worked number 20: one step of SAM moves the batch-norm statistics once") {
  const Tensor x = Tensor::from(Numbers{1, 2, 3, 4}, {4, 1});
  const auto after_one_step = [&](bool hold_on_repeat) {
    nn::Initializer init(1, Dtype::f64);
    nn::BatchNorm2d norm(1, init);
    ParameterVector w = ParameterVector::of(norm);
    Sam sam({.rho = 0.05});
    const Direction d = sam.direction(
        [&](const Request& request) {
          const bool hold = hold_on_repeat && request.pass == Pass::repeat;
          nn::Context ctx{.statistics = hold ? nn::Statistics::hold : nn::Statistics::update};
          return evaluate(sum(norm(x, ctx) * Variable(x)), w);
        },
        w);
    CHECK(d.report.passes == 2);
    return state_of(norm);  // running_mean, running_var, num_batches_tracked
  };
  const Tensors right = after_one_step(true);
  CHECK(std::abs(right[0].item() - 0.25) < kTenDecimals);
  CHECK(std::abs(right[1].item() - 1.0666666667) < kTenDecimals);
  CHECK(right[2].item() == 1);
  // The mistake that this item is about would be seen.
  const Tensors wrong = after_one_step(false);
  CHECK(std::abs(wrong[0].item() - 0.475) < kTenDecimals);
  CHECK(std::abs(wrong[1].item() - 1.1266666667) < kTenDecimals);
  CHECK(wrong[2].item() == 2);
}

}  // namespace basin::optim::testing
