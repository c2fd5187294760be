// The rule that docs/write-your-own-rule.md writes: its numbers by hand, its state, and what every rule of
// Basin must keep.
#include <doctest/doctest.h>

#include "optim/gradient/micro_batches.h"
#include "optim/gradient/sam_family.h"
#include "tests/optim/structure.h"
#include "tests/optim/vasso.h"

namespace basin::optim::testing {
namespace {

Member vasso_member() {
  return {"vasso", [](double scale) { return std::make_unique<mine::Vasso>(0.1 * scale, 0.4); }};
}

/// Two rows of one weight: L_i = a_i w^2 / 2 with a = 2 and 6.
struct TwoParabolas {
  Variable w = Variable::parameter(Tensor::from(Numbers{1}));

  void describe(Inventory& it) { it.parameter("w", w); }
  Objective objective(const ParameterVector& vector) const {
    return [this, &vector](const Request& r) {
      const Numbers a = {2, 6};
      double mean = 0;
      for (std::int64_t i = r.begin; i < r.end; ++i)
        mean += a[static_cast<std::size_t>(i)] / static_cast<double>(r.end - r.begin);
      return evaluate(0.5 * mean * sum(w * w), vector);
    };
  }
};

}  // namespace

TEST_CASE("own rule: VaSSO on the quadratic, by hand") {
  Quadratic q;
  ParameterVector w = ParameterVector::of(q);
  mine::Vasso vasso(0.05, 0.4);
  // g = (3, 4) = d: SAM's step.
  const Direction first = vasso.direction(q.objective(w), w);
  CHECK(gap(first.vector, {3.07, 4.09}) < 1e-14);
  CHECK(first.report.passes == 2);
  CHECK(first.report.rho == 0.05);
  CHECK(first.report.loss == 5.5);
  CHECK(std::abs(first.report.perturbed_loss - 5.75285) < 1e-14);

  // At (1, 0): g = (1, 1), d = 0.6 (3, 4) + 0.4 (1, 1) = (2.2, 2.8), A d = (5, 6.4).
  w.values().copy_from(Tensor::from(Numbers{1, 0}));
  const double scale = 0.05 / std::hypot(2.2, 2.8);
  const Direction second = vasso.direction(q.objective(w), w, {.step = 1});
  CHECK(gap(second.vector, {1 + scale * 5, 1 + scale * 6.4}) < 1e-14);
  CHECK(gap(w.values(), {1, 0}) == 0);
  const std::vector<NamedBuffer> state = entries_of(vasso).buffers;
  REQUIRE(state.size() == 1);
  CHECK(state[0].name == "d");
  CHECK(gap(*state[0].buffer, {2.2, 2.8}) < 1e-15);

  // A gradient that vanishes where the mean does not: the climb is made, and found worth a step.
  w.values().fill(0);
  const Direction third = vasso.direction(q.objective(w), w, {.step = 2});  // d = 0.6 (2.2, 2.8)
  CHECK(gap(third.vector, {scale * 5, scale * 6.4}) < 1e-15);
}

TEST_CASE("own rule: theta = 1 is SAM, bit for bit, and options out of range are errors") {
  Run own({"vasso", [](double) { return std::make_unique<mine::Vasso>(0.1, 1); }});
  Run sam({"sam", [](double) { return std::make_unique<Sam>(SamOptions{.rho = 0.1}); }});
  for (std::int64_t t = 0; t < 4; ++t) {
    own.step(t);
    sam.step(t);
  }
  CHECK(same_bits(own.w.values(), sam.w.values()));
  CHECK_THROWS_WITH_AS(mine::Vasso(0.1, 0), "[vasso] theta must be in (0, 1], got 0", ArgumentError);
  CHECK_THROWS_WITH_AS(mine::Vasso(-1, 0.4), doctest::Contains("[vasso] rho"), ArgumentError);
}

TEST_CASE("own rule: Basin's own VaSSO, an option of Sam, has its bits") {
  Run own(vasso_member());
  Run built_in({"vasso", [](double) { return std::make_unique<Sam>(vasso(0.1, 0.4)); }});
  for (std::int64_t t = 0; t < 5; ++t) {
    own.step(t);
    built_in.step(t);
    CHECK(same_bits(own.w.values(), built_in.w.values()));
  }
  CHECK(same_bits(state_of(*own.rule), state_of(*built_in.rule)));
}

TEST_CASE("own rule: what every rule keeps, this one keeps") {
  const Member vasso = vasso_member();
  check_zero_radius(vasso);
  check_zero_rate(vasso);
  check_zero_gradient(vasso);
  check_faults(vasso);
  check_passes(vasso);
  check_resume(vasso);
  check_threads(vasso);
  check_memory(vasso);
}

TEST_CASE("own rule: inside MicroBatches each part has its own mean") {
  TwoParabolas two;
  ParameterVector w = ParameterVector::of(two);
  MicroBatches parts([] { return std::make_unique<mine::Vasso>(0.1, 0.4); }, 1, 2);
  // At 1 both climb to 1.1: gradients 2.2 and 6.6.
  CHECK(gap(parts.direction(two.objective(w), w, {.rows = 2}).vector, {4.4}) < 1e-14);
  const std::vector<NamedBuffer> state = entries_of(parts).buffers;
  REQUIRE(state.size() == 2);
  CHECK(state[0].name == "0.d");
  CHECK(gap(*state[0].buffer, {2}) == 0);
  CHECK(gap(*state[1].buffer, {6}) == 0);
  // At -1 the means are 0.6 * 2 - 0.4 * 2 = 0.4 and 1.2, still upwards: both climb to -0.9. SAM goes to -1.1.
  w.values().fill(-1);
  CHECK(gap(parts.direction(two.objective(w), w, {.step = 1, .rows = 2}).vector, {-3.6}) < 1e-14);
  CHECK(gap(*state[0].buffer, {0.4}) < 1e-15);
  CHECK(gap(*state[1].buffer, {1.2}) < 1e-15);

  const auto make = [](double scale) {
    return std::make_unique<MicroBatches>([&] { return vasso_member().make(scale); }, 8, SmallNetwork::kRows);
  };
  const Member three = {"vasso in micro-batches", make, 3};
  check_faults(three);
  check_resume(three);
}

TEST_CASE("own rule: used like any other") {
  SmallNetwork network;
  ParameterVector w = ParameterVector::of(network, Decay::weights_only);
  const Objective objective = network.objective(w, 0);
  const double before = objective({}).loss;
  mine::Vasso rule(/*rho=*/0.1, /*theta=*/0.4);
  Sgd update(w, {.momentum = 0.9, .weight_decay = 5e-4});
  for (std::int64_t t = 0; t < 40; ++t) {
    const Direction d = rule.direction(objective, w, {.step = t, .lr = 0.05});
    if (d.report.finite) update.apply(w, d.vector, 0.05);
  }
  CHECK(before > 1.5);
  CHECK(objective({}).loss < 0.5);
}

}  // namespace basin::optim::testing
