// m-sharpness and gradient accumulation: worked number 12 of facts/sam_gam.md, section 5.
#include <doctest/doctest.h>

#include <cmath>

#include "core/ops.h"
#include "optim/gradient/gam.h"
#include "optim/gradient/micro_batches.h"
#include "optim/gradient/sam_family.h"
#include "tests/optim/problems.h"

namespace basin::optim::testing {
namespace {

/// L_i = (w - c_i)^T A_i (w - c_i) / 2 with A_1 = diag(4, 1), c_1 = (0.5, 0), A_2 = diag(1, 6), c_2 = (0,
/// -1); a row each, the loss of rows their mean.
struct TwoRows {
  Variable w = Variable::parameter(Tensor::from(Numbers{1, 2}));
  Tensor a = Tensor::from(Numbers{4, 1, 1, 6}, {2, 2});
  Tensor c = Tensor::from(Numbers{.5, 0, 0, -1}, {2, 2});
  std::vector<std::pair<std::int64_t, std::int64_t>> asked = {};

  void describe(Inventory& it) { it.parameter("w", w); }
  Objective objective(const ParameterVector& vector) {
    return [this, &vector](const Request& r) {
      const std::int64_t end = r.end < 0 ? 2 : r.end;
      asked.emplace_back(r.begin, end);
      const Variable x = reshape(w, {1, 2}) - Variable(c.slice_rows(r.begin, end));
      Evaluation e = evaluate(
          0.5 / static_cast<double>(end - r.begin) * sum(x * x * Variable(a.slice_rows(r.begin, end))),
          vector, {.norm_gradient = r.norm_gradient});
      e.rows = end - r.begin;
      return e;
    };
  }
};

MicroBatches::Make make(const SamOptions& options) {
  return [options] { return std::make_unique<Sam>(options); };
}

}  // namespace

TEST_CASE("worked number 12: a perturbation for each part, and one from all parts") {
  TwoRows two;
  ParameterVector w = ParameterVector::of(two);
  MicroBatches own(make({.rho = 0.05}), 1, 2);
  const Direction d = own.direction(two.objective(w), w, {.rows = 2});
  CHECK(gap(d.vector, {1.5720974286, 10.1674467225}) < kTenDecimals);
  CHECK(d.report.passes == 2);
  CHECK(d.report.rows == 2);
  CHECK(gap(w.values(), {1, 2}) == 0);
  using Asked = std::vector<std::pair<std::int64_t, std::int64_t>>;
  CHECK(two.asked == Asked{{0, 1}, {0, 1}, {1, 2}, {1, 2}});

  // The report is of the batch: mean losses, and |g| of the mean gradient.
  const Direction whole = Sam({.rho = 0.05}).direction(two.objective(w), w);
  CHECK(gap(whole.vector, {1.5185425566, 10.1730638618}) < kTenDecimals);
  CHECK(d.report.loss == doctest::Approx(whole.report.loss).epsilon(1e-15));
  CHECK(d.report.gradient_norm == doctest::Approx(whole.report.gradient_norm).epsilon(1e-15));

  two.asked.clear();
  const Objective sweeps = accumulated(two.objective(w), 2, 1);
  const Direction one = Sam({.rho = 0.05}).direction(sweeps, w);
  CHECK(gap(one.vector, {1.5185425566, 10.1730638618}) < kTenDecimals);
  CHECK(two.asked == Asked{{0, 1}, {1, 2}, {0, 1}, {1, 2}});
  CHECK(one.report.rows == 2);
  CHECK(one.report.loss == doctest::Approx(whole.report.loss).epsilon(1e-15));
}

TEST_CASE("micro-batches: one part of all rows is the rule itself, bit for bit") {
  TwoRows two;
  ParameterVector w = ParameterVector::of(two);
  MicroBatches own(make({.rho = 0.05}), 2, 2);
  const Direction d = own.direction(two.objective(w), w, {.rows = 2});
  const Direction whole = Sam({.rho = 0.05}).direction(two.objective(w), w);
  CHECK(same_bits(d.vector, whole.vector));
  CHECK(d.report.loss == whole.report.loss);
  CHECK(d.report.cosine == whole.report.cosine);
  CHECK(same_bits(Sam({.rho = 0.05}).direction(accumulated(two.objective(w), 2, 7), w).vector, whole.vector));
}

TEST_CASE("micro-batches: with rho = 0 the mean over parts is the gradient") {
  TwoRows two;
  ParameterVector w = ParameterVector::of(two);
  MicroBatches own(make({.rho = 0}), 1, 2);
  const Direction d = own.direction(two.objective(w), w, {.rows = 2});
  CHECK(norm(d.vector - Plain().direction(two.objective(w), w).vector) < 1e-14);
  CHECK(d.report.passes == 1);
}

TEST_CASE("micro-batches: exact GAM has its own Hessian in each part, and cannot be accumulated") {
  TwoRows two;
  ParameterVector w = ParameterVector::of(two);
  const GamOptions exact{.form = GamForm::exact, .rho = 0.2, .alpha = 0.5};
  MicroBatches own([&] { return std::make_unique<Gam>(exact); }, 1, 2);
  const Direction d = own.direction(two.objective(w), w, {.rows = 2});
  Tensor mean = Tensor::zeros({2}, Dtype::f64);
  for (std::int64_t i : {0, 1}) {
    const Objective part = [&](Request r) {
      r.begin = i;
      r.end = i + 1;
      return two.objective(w)(r);
    };
    axpby(0.5, Gam(exact).direction(part, w).vector, 1, mean);
  }
  CHECK(norm(d.vector - mean) < 1e-14);
  CHECK_THROWS_WITH_AS(Gam(exact).direction(accumulated(two.objective(w), 2, 1), w),
                       doctest::Contains("exact GAM"), ArgumentError);
}

TEST_CASE(
    "micro-batches: each part keeps its own state, and a failure in a later part takes all of it back") {
  TwoRows two;
  ParameterVector w = ParameterVector::of(two);
  MicroBatches own(make(fsam(0.05)), 1, 2);
  own.direction(two.objective(w), w, {.rows = 2});
  const std::vector<NamedBuffer> state = entries_of(own).buffers;
  REQUIRE(state.size() == 2);
  CHECK(state[0].name == "0.m");
  CHECK(state[1].name == "1.m");
  CHECK(gap(*state[0].buffer, {2, 2}) < 1e-14);
  CHECK(gap(*state[1].buffer, {1, 18}) < 1e-14);

  const Tensors before = state_of(own);
  w.values().copy_from(Tensor::from(Numbers{3, 3}));
  const Direction failed = own.direction(
      [&](const Request& r) {
        Evaluation e = two.objective(w)(r);
        if (r.begin == 1 && r.pass == Pass::repeat) e.loss = HUGE_VAL;
        return e;
      },
      w, {.rows = 2});
  CHECK_FALSE(failed.report.finite);
  CHECK(failed.report.failed_pass == 1);
  CHECK(std::isnan(failed.report.loss));  // of a part of the batch alone it would pass for a mean
  CHECK(failed.report.perturbed_loss == HUGE_VAL);
  CHECK(std::isnan(failed.report.gradient_norm));
  CHECK(failed.report.rows == 2);
  CHECK_FALSE(failed.vector.defined());
  CHECK(same_bits(state_of(own), before));
  CHECK(gap(w.values(), {3, 3}) == 0);
  CHECK(own.direction(two.objective(w), w, {.rows = 2}).report.finite);
  CHECK_FALSE(same_bits(state_of(own), before));
}

TEST_CASE("micro-batches: a smaller last part counts by its rows") {
  // Three rows of one weight, L_i = c_i w: gradients 1, 2, 6; parts {1, 2} and {6}.
  struct Line {
    Variable w = Variable::parameter(Tensor::from(Numbers{1}));
    void describe(Inventory& it) { it.parameter("w", w); }
  } line;
  ParameterVector w = ParameterVector::of(line);
  const Numbers c = {1, 2, 6};
  const Objective objective = [&](const Request& r) {
    double mean = 0;
    for (std::int64_t i = r.begin; i < r.end; ++i)
      mean += c[static_cast<std::size_t>(i)] / static_cast<double>(r.end - r.begin);
    Evaluation e = evaluate(mean * sum(line.w), w);
    e.rows = r.end - r.begin;
    return e;
  };
  MicroBatches own(make({.rho = 0.1}), 2, 3);
  CHECK(gap(own.direction(objective, w, {.rows = 3}).vector, {3}) < 1e-14);
  CHECK(gap(Plain().direction(accumulated(objective, 3, 2), w).vector, {3}) < 1e-14);
  CHECK_THROWS_AS(own.direction(objective, w, {.rows = 5}), ArgumentError);
  CHECK_THROWS_AS(own.direction(objective, w), ArgumentError);
  CHECK_THROWS_AS(MicroBatches(make({}), 0, 2), ArgumentError);
  CHECK_THROWS_AS(accumulated(objective, 3, 0), ArgumentError);
}

}  // namespace basin::optim::testing
