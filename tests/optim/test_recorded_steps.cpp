// Steps made from records on the test device: all that changes from step to step is a number or a tensor
// there that is refilled, and everything has the CPU's bits.
#include <doctest/doctest.h>

#include <cmath>

#include "optim/gradient/gam.h"
#include "optim/gradient/sam_family.h"
#include "optim/update/lookahead.h"
#include "optim/update/muon.h"
#include "optim/update/schedule_free.h"
#include "tests/device/test_device.h"
#include "tests/optim/step_run.h"

namespace basin::optim::testing {
namespace {

using basin::testing::test_device;

constexpr std::int64_t kSteps = 20, kSpoiled = 13;

/// Steps of kSteps, one of them not finite, that were played without calling the body. They had one read.
std::int64_t played(const Member& member, const MakeUpdate& make_update) {
  CAPTURE(member.name);
  StepRun here({}, member, make_update, kSteps), there(test_device(), member, make_update, kSteps);
  StepGraph calls;
  RecordedSteps graph(test_device());
  for (std::int64_t t = 0; t < kSteps; ++t) {
    CAPTURE(t);
    const std::int64_t reads = basin::testing::host_reads();
    const std::vector<const void*> before = places(there);
    const std::int64_t again = graph.played();
    const StepReport wanted = here.step(t, calls, t == kSpoiled),
                     report = there.step(t, graph, t == kSpoiled);
    if (graph.played() > again) CHECK(places(there) == before);
    CHECK(basin::testing::host_reads() - reads == 1);
    CHECK(report.finite == (t != kSpoiled));
    CHECK(wanted.finite == (t != kSpoiled));
    if (!report.finite) continue;
    CHECK(report.loss == wanted.loss);
    CHECK((report.rho == wanted.rho || std::isnan(wanted.rho)));
    CHECK(report.direction_norm == wanted.direction_norm);
    CHECK(report.passes == wanted.passes);
  }
  CHECK(same_bits(there.everything(), here.everything()));
  return graph.played();
}

const MakeUpdate kSgd = update<Sgd>(SgdOptions{.momentum = 0.9, .weight_decay = 5e-4});

const RadiusSchedule kWithLr{.kind = RadiusKind::with_lr, .end = 0.01, .lr_peak = 0.1, .lr_end = 0};

/// A rule whose step is as long as the learning rate, by a double, which its record holds for ever.
class Frozen : public GradientRule {
 public:
  const char* name() const override { return "frozen"; }
  Sequence sequence(const StepInfo&) const override { return std::vector<std::int64_t>{}; }

 protected:
  Direction form(const Objective& objective, ParameterVector&, const StepInfo& now) override {
    StepReport report;
    const Evaluation here = objective({.pass = Pass::first});
    report.enter(here);
    return along(here.gradient * now.lr, here.gradient, report);
  }
};

/// A rule that looks at its gradient on the host.
class Reader : public Frozen {
 protected:
  Direction form(const Objective& objective, ParameterVector&, const StepInfo&) override {
    StepReport report;
    const Evaluation here = objective({.pass = Pass::first});
    report.enter(here);
    return along(report.gradient_norm.value() > 1 ? here.gradient : here.gradient * 2.0, here.gradient,
                 report);
  }
};

}  // namespace

TEST_CASE("recorded steps: every gradient rule, one step not finite, with the CPU's bits and one read") {
  for (const Member& member : all_rules(8, SmallNetwork::kRows)) CHECK(played(member, kSgd) >= kSteps / 2);
}

TEST_CASE("recorded steps: every update rule, its rate and its count of steps from step to step") {
  for (const MakeUpdate& make :
       {kSgd, update<Sgd>(SgdOptions{.momentum = 0.9, .nesterov = true}),
        update<Adam>(AdamOptions{.weight_decay = 1e-3}),
        update<Adam>(AdamOptions{.weight_decay = 1e-2, .decoupled = true}), update<RmsProp>(RmsPropOptions{}),
        update<Lion>(LionOptions{.weight_decay = 1e-2})})
    CHECK(played(plain_rule(), make) == kSteps - 2);
}

TEST_CASE("recorded steps: rules whose share of a step changes, and one of matrix products") {
  const MakeUpdate lookahead = [](const ParameterVector& w) {
    return std::make_unique<Lookahead>(w, std::make_unique<Sgd>(w, SgdOptions{.momentum = 0.9}),
                                       LookaheadOptions{.every = 3});
  };
  for (const MakeUpdate& make :
       {lookahead, update<ScheduleFree>(ScheduleFreeOptions{.weight_decay = 1e-3}),
        update<ScheduleFree>(ScheduleFreeOptions{.step = FreeStep::adamw, .weight_decay = 1e-3}),
        update<Muon>(MuonOptions{.weight_decay = 1e-2})})
    CHECK(played(plain_rule(), make) == kSteps - 2);
}

TEST_CASE("recorded steps: a radius that follows the learning rate") {
  const Member sam{"sam, with lr",
                   [](double) { return std::make_unique<Sam>(SamOptions{.rho = 0.1, .schedule = kWithLr}); }};
  const Member gam{"gam, with lr",
                   [](double) { return std::make_unique<Gam>(GamOptions{.rho = 0.2, .schedule = kWithLr}); }};
  for (const Member& member : {sam, gam}) CHECK(played(member, kSgd) == kSteps - 2);
  // Every third step looks uphill. The first has no g_v yet, so that it is made by calls.
  const Member looksam{
      "looksam, with lr", [](double) {
        return std::make_unique<Sam>(
            SamOptions{.rho = 0.1, .schedule = kWithLr, .alpha = 0.7, .every = 3, .between = Between::reuse});
      }};
  CHECK(played(looksam, kSgd) == kSteps - 5);
}

TEST_CASE("recorded steps: a number of the host is held for ever") {
  const Member frozen{"frozen", [](double) { return std::make_unique<Frozen>(); }};
  StepRun here({}, frozen, kSgd, kSteps), there(test_device(), frozen, kSgd, kSteps);
  StepGraph calls;
  RecordedSteps graph(test_device());
  for (std::int64_t t = 0; t < 2; ++t)
    CHECK(here.step(t, calls).direction_norm == there.step(t, graph).direction_norm);
  CHECK(here.step(2, calls).direction_norm != there.step(2, graph).direction_norm);
}

TEST_CASE(
    "recorded steps: a body that reads or sends is refused, and made by calls when there is no record") {
  const Member reader{"reader", [](double) { return std::make_unique<Reader>(); }};
  StepRun there(test_device(), reader, kSgd, kSteps);
  RecordedSteps graph(test_device());
  there.step(0, graph);
  CHECK_THROWS_WITH_AS(there.step(1, graph),
                       "[recording] the host waits for 8 bytes inside work that is recorded", InternalError);
  const Tensor rows = Tensor::from(std::vector<float>{1, 2});
  const StepGraph::Body sends = [&](const StepInfo&) {
    rows.to(test_device());
    return StepReport{.passes = 1};
  };
  graph.run(std::vector<std::int64_t>{7}, {}, sends);
  CHECK_THROWS_WITH_AS(graph.run(std::vector<std::int64_t>{7}, {}, sends),
                       doctest::Contains("the host sends"), InternalError);
}

TEST_CASE("recorded steps: a rule that tells no sequence is made by calls, and so is every step of a CPU") {
  RecordedSteps graph(test_device());
  bool recorded = true;
  const StepGraph::Body look = [&](const StepInfo& now) {
    recorded = now.numbers != nullptr;
    return StepReport{};
  };
  graph.run({}, {.lr = 0.1}, look);
  CHECK_FALSE(recorded);
  CHECK(graph.sequences() == 0);
  CHECK_THROWS_WITH_AS(RecordedSteps(Device{}), "[recorded steps] cpu makes no records", ArgumentError);
  recorded = true;
  step_graph(Device{})->run(std::vector<std::int64_t>{}, {.lr = 0.1}, look);
  CHECK_FALSE(recorded);
}

TEST_CASE("recorded steps: numbers beyond one tensor's, and what the host does, in its order") {
  RecordedSteps graph(test_device());
  std::int64_t count = 0;
  const auto run = [&](std::int64_t t) {
    StepReport r = graph.run(std::vector<std::int64_t>{}, {.step = t}, [&](const StepInfo& now) {
      Scalar total = 0;
      for (int i = 0; i < 150; ++i)
        total += now.number([i](const StepInfo& then) { return static_cast<double>(i + then.step); });
      total += now.number([&](const StepInfo&) { return 1000.0 * static_cast<double>(count); });
      now.also([&] { ++count; });
      total += now.number([&](const StepInfo&) { return 1e6 * static_cast<double>(count); });
      return StepReport{.loss = total, .passes = 1};
    });
    return r.loss.value();
  };
  for (std::int64_t t = 0; t < 5; ++t)
    CHECK(run(t) == 149.0 * 75 + 150.0 * static_cast<double>(t) + 1000.0 * static_cast<double>(t) +
                        1e6 * static_cast<double>(t + 1));
  CHECK(graph.played() == 3);
}

}  // namespace basin::optim::testing
