// Worked number 21 of facts/sam_gam.md where one rule or one value is special (all rules, all passes:
// test_structure_family.cpp): gradients that cannot be normalised, values that are not finite by themselves,
// second derivatives, what is refused.
#include <doctest/doctest.h>

#include <limits>

#include "core/ops.h"
#include "optim/gradient/gam.h"
#include "optim/gradient/sam.h"
#include "tests/optim/structure.h"

namespace basin::optim::testing {

TEST_CASE("structure 21: a zero gradient perturbs nothing and makes no second pass") {
  Quadratic q;
  ParameterVector w = ParameterVector::of(q);
  w.values().fill(0);
  for (double p : {2.0, 3.0, std::numeric_limits<double>::infinity()}) {
    CAPTURE(p);
    const Direction d = Sam({.rho = 0.05, .p = p}).direction(q.objective(w), w);
    CHECK(d.report.finite);
    CHECK(d.report.passes == 1);
    CHECK(d.report.gradient_norm == 0);
    CHECK(d.report.direction_norm == 0);
    CHECK(std::isnan(d.report.cosine));
    CHECK(std::isnan(d.report.perturbed_loss));
    CHECK(gap(d.vector, {0, 0}) == 0);
  }
  CHECK(gap(w.values(), {0, 0}) == 0);
}

TEST_CASE("structure 21: a gradient too small to be normalised gives no NaN") {
  struct Flat {
    Variable w = Variable::parameter(Tensor::from(std::vector<float>{1, 2, 3}));
    void describe(Inventory& it) { it.parameter("w", w); }
  } flat;
  ParameterVector w = ParameterVector::of(flat);
  const Tensor tiny = Tensor::from(std::vector<float>{1e-42f, 0, -1e-43f});
  for (double p : {2.0, 3.0, std::numeric_limits<double>::infinity()}) {
    CAPTURE(p);
    const Direction d = Sam({.rho = 0.05, .p = p})
                            .direction(
                                [&](const Request&) {
                                  CHECK(all_finite(w.values()));
                                  return Evaluation{.loss = 1, .gradient = tiny};
                                },
                                w);
    CHECK(d.report.finite);
    CHECK(same_bits(d.vector, tiny));
  }
}

TEST_CASE("structure 21: a loss that overflows at w + e, found without help") {
  struct Steep {
    Variable w = Variable::parameter(Tensor::from(std::vector<float>{88.0f}));
    void describe(Inventory& it) { it.parameter("w", w); }
  } steep;
  ParameterVector w = ParameterVector::of(steep);
  const Direction d =
      Sam({.rho = 2}).direction([&](const Request&) { return evaluate(sum(exp(steep.w)), w); }, w);
  CHECK(std::isfinite(d.report.loss));
  CHECK(std::isinf(d.report.perturbed_loss));
  CHECK_FALSE(d.report.finite);
  CHECK(d.report.failed_pass == 1);
  CHECK_FALSE(d.vector.defined());
  CHECK(steep.w.value().item() == 88);
}

TEST_CASE("structure 21: grad |grad L| that is not finite ends exact GAM's step in its pass") {
  Quadratic q;
  ParameterVector w = ParameterVector::of(q);
  for (const bool with_sam : {false, true}) {
    Gam gam({.form = GamForm::exact, .with_sam = with_sam});
    for (const double value : {HUGE_VAL, std::nan("")})
      for (const int bad : {0, with_sam ? 2 : 1}) {
        CAPTURE(with_sam);
        CAPTURE(value);
        CAPTURE(bad);
        int passes = 0;
        const Direction d = gam.direction(
            [&](const Request& request) {
              Evaluation e = q.objective(w)(request);
              if (passes++ == bad) e.norm_gradient.fill(value);
              return e;
            },
            w);
        CHECK_FALSE(d.report.finite);
        CHECK(d.report.failed_pass == bad);
        CHECK(passes == bad + 1);
        CHECK_FALSE(d.vector.defined());
        CHECK(gap(w.values(), {1, 2}) == 0);
      }
  }
  // An objective that does not know the request is told so.
  const Objective first_order = [&](const Request&) { return evaluate(q.loss(), w); };
  CHECK_THROWS_WITH_AS(Gam({.form = GamForm::exact}).direction(first_order, w),
                       doctest::Contains("norm_gradient"), ArgumentError);
}

TEST_CASE(
    "structure 21: a direction that overflows although all passes were finite is none, and not remembered") {
  Quadratic q;
  ParameterVector w = ParameterVector::of(q);
  Sam sam({.along = ClimbAlong::residual, .combine = Combine::mix, .alpha = 1e308});
  const Direction d = sam.direction(q.objective(w), w);
  CHECK(d.report.passes == 2);
  CHECK_FALSE(d.report.finite);
  CHECK(d.report.failed_pass == -1);
  CHECK_FALSE(d.vector.defined());
  CHECK_FALSE(entries_of(sam).buffers.at(0).buffer->defined());
  CHECK(gap(w.values(), {1, 2}) == 0);
}

TEST_CASE("structure: AdamW under two norms has the same bits for 1 to 4 threads") {
  const auto train = [](int threads) {
    const WithThreads with(threads);
    SmallNetwork network;
    ParameterVector w = ParameterVector::of(network, Decay::weights_only);
    Sam sam({.rho = 0.1}), cubes({.rho = 0.1, .p = 3});
    Adam adam(w, {.weight_decay = 1e-2, .decoupled = true});
    for (std::int64_t t = 0; t < 4; ++t)
      adam.apply(w, (t % 2 ? cubes : sam).direction(network.objective(w, t), w).vector, 1e-3);
    Tensors all = network.buffers();
    all.push_back(w.values().clone());
    for (const Tensor& t : state_of(adam)) all.push_back(t);
    return all;
  };
  const Tensors one = train(1);
  for (int threads : {2, 3, 4}) {
    CAPTURE(threads);
    CHECK(same_bits(train(threads), one));
  }
}

TEST_CASE("sam: options out of range, and an objective without a gradient, are errors") {
  const auto refused = [](const SamOptions& o) { CHECK_THROWS_AS(Sam{o}, ArgumentError); };
  refused({.rho = -0.1});
  refused({.rho = std::nan("")});
  refused({.rho = HUGE_VAL});
  refused({.p = 1});
  refused({.p = 0});
  refused({.p = std::nan("")});

  Quadratic q;
  ParameterVector w = ParameterVector::of(q);
  const Objective lazy = [](const Request&) { return Evaluation{.loss = 1}; };
  CHECK_THROWS_AS(Plain().direction(lazy, w), ArgumentError);
  const Objective foreign = [](const Request&) {
    return Evaluation{.loss = 1, .gradient = Tensor::from(Numbers{1, 2, 3})};
  };
  CHECK_THROWS_AS(Sam({.rho = 0.1}).direction(foreign, w), ArgumentError);
  CHECK(gap(w.values(), {1, 2}) == 0);
}

}  // namespace basin::optim::testing
