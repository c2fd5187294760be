// What every rule must keep, worked number 21 of facts/sam_gam.md: rho = 0 is the plain rule, a step that
// fails changes nothing, passes are counted, draws are replayed, threads do not show.
#include <doctest/doctest.h>

#include <limits>
#include <stdexcept>

#include "core/ops.h"
#include "optim/buffer_guard.h"
#include "optim/sam.h"
#include "tests/optim/problems.h"

namespace basin::optim::testing {
namespace {

using Fault = Watched::Fault;

/// A network in training: SAM or plain, momentum.
struct Run {
  SmallNetwork network;
  ParameterVector w = ParameterVector::of(network, Decay::weights_only);
  Sgd update{w, {.momentum = 0.9, .weight_decay = 5e-4}};

  /// One step as docs/optimizers.md advises, with a fault planted if wanted.
  StepReport step(GradientRule& rule, std::int64_t t, Fault fault = Fault::none, std::size_t pass = 0) {
    Watched watched{network.objective(w, t), fault, pass};
    BufferGuard statistics(entries_of(network).buffers);
    const Direction d = rule.direction(watched.objective(), w);
    CHECK(static_cast<int>(watched.passes.size()) == d.report.passes);
    for (std::size_t i = 0; i < watched.passes.size(); ++i)
      CHECK((watched.passes[i] == Pass::first) == (i == 0));
    CHECK(d.vector.defined() == d.report.finite);
    if (d.report.finite) {
      update.apply(w, d.vector, 0.05);
      statistics.keep();
    }
    return d.report;
  }
  Tensors everything() {
    Tensors all = network.buffers();
    all.push_back(w.values().clone());
    for (const Tensor& t : state_of(update)) all.push_back(t);
    return all;
  }
};

}  // namespace

TEST_CASE("structure 21: rho = 0 is the plain rule, bit for bit, in one pass") {
  Run plain, zero;
  Plain rule;
  Sam none({.rho = 0}), other_norm({.rho = 0, .p = 3});
  for (std::int64_t t = 0; t < 12; ++t) {
    const StepReport a = plain.step(rule, t);
    const StepReport b = zero.step(t % 2 == 0 ? none : other_norm, t);
    CHECK(b.passes == 1);
    CHECK(a.loss == b.loss);
    CHECK(a.direction_norm == b.direction_norm);
  }
  CHECK(same_bits(plain.everything(), zero.everything()));
  // A radius that is not zero goes elsewhere.
  Run sharp;
  Sam sam({.rho = 0.1});
  for (std::int64_t t = 0; t < 12; ++t) CHECK(sharp.step(sam, t).passes == 2);
  CHECK_FALSE(same_bits(plain.everything(), sharp.everything()));
}

TEST_CASE("structure 21: the running statistics and counters of SAM's first step are the plain rule's") {
  Run plain, sharp;
  Plain rule;
  Sam sam({.rho = 0.1});
  plain.step(rule, 0);
  sharp.step(sam, 0);
  CHECK(same_bits(plain.network.buffers(), sharp.network.buffers()));
  CHECK(plain.network.buffers()[2].item() == 1);
}

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

TEST_CASE(
    "structure 21: a value that is not finite in pass k leaves weights, momentum and statistics untouched") {
  for (Fault fault : {Fault::infinite_loss, Fault::infinite_gradient, Fault::nan_gradient})
    for (std::size_t pass : {std::size_t{0}, std::size_t{1}}) {
      CAPTURE(static_cast<int>(fault));
      CAPTURE(pass);
      Run disturbed, straight;
      Sam sam({.rho = 0.1});
      for (std::int64_t t = 0; t < 3; ++t) CHECK(disturbed.step(sam, t).finite);
      const Tensors before = disturbed.everything();
      const StepReport report = disturbed.step(sam, 3, fault, pass);
      CHECK_FALSE(report.finite);
      CHECK(report.failed_pass == static_cast<int>(pass));
      CHECK(report.passes == static_cast<int>(pass) + 1);  // no pass is made after the one that failed
      CHECK(same_bits(disturbed.everything(), before));

      // The run goes on as if the step had not been there.
      for (std::int64_t t = 0; t < 3; ++t) straight.step(sam, t);
      disturbed.step(sam, 4);
      straight.step(sam, 4);
      CHECK(same_bits(disturbed.everything(), straight.everything()));
    }
}

TEST_CASE("structure 21: the plain rule reports a value that is not finite") {
  Run run;
  Plain plain;
  const Tensors before = run.everything();
  const StepReport report = run.step(plain, 0, Fault::nan_gradient, 0);
  CHECK_FALSE(report.finite);
  CHECK(report.failed_pass == 0);
  CHECK(same_bits(run.everything(), before));
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

TEST_CASE("structure 21: an exception in any pass passes through and leaves everything as it was") {
  for (std::size_t pass : {std::size_t{0}, std::size_t{1}}) {
    CAPTURE(pass);
    Run run;
    Sam sam({.rho = 0.1});
    run.step(sam, 0);
    const Tensors before = run.everything();
    CHECK_THROWS_WITH_AS(run.step(sam, 1, Fault::exception, pass), "the objective gave up",
                         std::runtime_error);
    CHECK(same_bits(run.everything(), before));
    CHECK(run.step(sam, 1).finite);
  }
}

TEST_CASE("structure 21: both passes of a step meet the same dropout mask, and it is the plain run's") {
  nn::Dropout dropout(0.5);
  Quadratic q;
  ParameterVector w = ParameterVector::of(q);
  const Variable ones = Tensor::full({64}, 1);
  const auto masks = [&](GradientRule& rule, std::uint64_t t) {
    Tensors seen;
    rule.direction(
        [&](const Request&) {
          nn::Context ctx{.seed = 9, .step = t};
          seen.push_back(dropout(ones, ctx).value());
          return evaluate(q.loss(), w);
        },
        w);
    return seen;
  };
  Sam sam({.rho = 0.05});
  Plain plain;
  const Tensors first = masks(sam, 0), second = masks(sam, 1);
  REQUIRE(first.size() == 2);
  CHECK(same_bits(first[0], first[1]));
  CHECK(same_bits(second[0], second[1]));
  CHECK_FALSE(same_bits(first[0], second[0]));
  CHECK(same_bits(masks(plain, 0)[0], first[0]));
  CHECK(same_bits(masks(plain, 1)[0], second[0]));
}

TEST_CASE("structure 21: a step leaves no memory behind") {
  Run run;
  Sam sam({.rho = 0.1}), cubes({.rho = 0.1, .p = 3});
  run.step(sam, 0);
  const std::int64_t before = Storage::live_count();
  for (std::int64_t t = 1; t < 5; ++t) run.step(t % 2 ? sam : cubes, t);
  CHECK(Storage::live_count() == before);
}

TEST_CASE("structure: f32 training has the same bits for 1 to 4 threads") {
  const auto train = [](int threads) {
    const WithThreads with(threads);
    Run run;
    Sam sam({.rho = 0.1}), cubes({.rho = 0.1, .p = 3});
    Adam adam(run.w, {.weight_decay = 1e-2, .decoupled = true});
    Tensors all;
    for (std::int64_t t = 0; t < 4; ++t) {
      const StepReport report = run.step(t % 2 ? cubes : sam, t);
      adam.apply(run.w, Plain().direction(run.network.objective(run.w, t), run.w).vector, 1e-3);
      all.push_back(Tensor::from(Numbers{report.loss, report.perturbed_loss, report.gradient_norm,
                                         report.direction_norm, report.cosine}));
    }
    for (const Tensor& t : run.everything()) all.push_back(t);
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
