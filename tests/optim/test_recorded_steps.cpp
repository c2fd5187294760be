// Steps made from a record on the test device: all that changes from step to step is a number there, and the
// weights have the CPU's bits.
#include <doctest/doctest.h>

#include <cmath>

#include "core/ops.h"
#include "optim/buffer_guard.h"
#include "optim/gradient/gam.h"
#include "optim/gradient/sam_family.h"
#include "optim/schedule/schedule.h"
#include "optim/update/update_rule.h"
#include "tests/optim/family.h"
#include "tests/optim/problems.h"
#include "tests/optim/recorded_steps.h"

namespace basin::optim::testing {
namespace {

using basin::testing::test_device;

constexpr std::int64_t kSteps = 10;

using MakeUpdate = std::function<std::unique_ptr<UpdateRule>(const ParameterVector&)>;

template <class Rule, class Options>
MakeUpdate update(const Options& options) {
  return [options](const ParameterVector& w) { return std::make_unique<Rule>(w, options); };
}

/// A run whose learning rate falls by a cosine. Its batch and its draws stay: what an objective sends in a
/// step is no matter of rules.
struct Run {
  SmallNetwork network;
  ParameterVector w = ParameterVector::of(network);
  std::unique_ptr<UpdateRule> update;
  std::unique_ptr<GradientRule> rule;
  Schedule schedule{{.kind = ScheduleKind::cosine, .lr = 0.1, .total_steps = kSteps}};

  Run(Device device, const Member& member, const MakeUpdate& make_update)
      : network(device), update(make_update(w)), rule(member.make(1)) {}

  StepReport step(std::int64_t t, StepGraph& graph) {
    const StepInfo now{
        .step = t, .lr = schedule.lr(t), .rows = SmallNetwork::kRows, .momentum = update->momentum()};
    Direction d;
    graph.run(rule->sequence(now), now, [&](const StepInfo& info) {
      d = rule->direction(network.objective(w, 0), w, info);
      d.report.finite = update->apply(w, d.vector, info, d.report.direction_norm, d.report.finite);
    });
    d.report.bring_here();
    return d.report;
  }

  Tensors everything() {
    Tensors all{w.values().to(Device{}).clone()};
    const auto add = [&](auto& object) {
      for (const NamedBuffer& b : entries_of(object).buffers) all.push_back(b.buffer->to(Device{}).clone());
    };
    add(network);
    add(*update);
    add(*rule);
    return all;
  }
};

/// Where the numbers are that outlive a step.
std::vector<const void*> places(Run& run) {
  std::vector<const void*> all{run.w.values().raw()};
  const auto add = [&](auto& object) {
    for (const NamedBuffer& b : entries_of(object).buffers)
      if (b.buffer->defined()) all.push_back(b.buffer->raw());
  };
  add(run.network);
  add(*run.update);
  add(*run.rule);
  return all;
}

/// Steps whose record was made before, of kSteps.
std::int64_t made_again(const Member& member, const MakeUpdate& make_update) {
  CAPTURE(member.name);
  Run here({}, member, make_update), there(test_device(), member, make_update);
  StepGraph calls;
  RecordedSteps graph;
  for (std::int64_t t = 0; t < kSteps; ++t) {
    CAPTURE(t);
    const std::int64_t reads = basin::testing::host_reads();
    const std::vector<const void*> before = places(there);
    const std::int64_t again = graph.made_again();
    const StepReport wanted = here.step(t, calls), report = there.step(t, graph);
    if (graph.made_again() > again) CHECK(places(there) == before);
    CHECK(basin::testing::host_reads() - reads == 1);
    CHECK(report.finite);
    CHECK(report.loss == wanted.loss);
    CHECK((report.rho == wanted.rho || std::isnan(wanted.rho)));
    CHECK(report.direction_norm == wanted.direction_norm);
  }
  CHECK(same_bits(there.everything(), here.everything()));
  return graph.made_again();
}

const MakeUpdate kSgd = update<Sgd>(SgdOptions{.momentum = 0.9, .weight_decay = 5e-4});

const RadiusSchedule kWithLr{.kind = RadiusKind::with_lr, .end = 0.01, .lr_peak = 0.1, .lr_end = 0};

/// A rule whose radius is a double, which its record holds for ever.
class Frozen : public GradientRule {
 public:
  const char* name() const override { return "frozen"; }
  Sequence sequence(const StepInfo&) const override { return std::vector<std::int64_t>{}; }

 protected:
  Direction form(const Objective& objective, ParameterVector& w, const StepInfo& now) override {
    const double factor = now.lr;
    StepReport report;
    const Evaluation here = objective({.pass = Pass::first});
    report.enter(here);
    static_cast<void>(w);
    return along(here.gradient * factor, here.gradient, report);
  }
};

}  // namespace

TEST_CASE("recorded steps: every gradient rule, made again with the CPU's bits and one read") {
  for (const Member& member : all_rules(8, SmallNetwork::kRows))
    CHECK(made_again(member, kSgd) >= kSteps / 2);
}

TEST_CASE("recorded steps: every update rule, its rate and its count of steps from step to step") {
  for (const MakeUpdate& make :
       {kSgd, update<Sgd>(SgdOptions{.momentum = 0.9, .nesterov = true}),
        update<Adam>(AdamOptions{.weight_decay = 1e-3}),
        update<Adam>(AdamOptions{.weight_decay = 1e-2, .decoupled = true}), update<RmsProp>(RmsPropOptions{}),
        update<Lion>(LionOptions{.weight_decay = 1e-2})})
    CHECK(made_again(plain_rule(), make) == kSteps - 1);
}

TEST_CASE("recorded steps: a radius that follows the learning rate") {
  const Member sam{"sam, with lr",
                   [](double) { return std::make_unique<Sam>(SamOptions{.rho = 0.1, .schedule = kWithLr}); }};
  const Member gam{"gam, with lr",
                   [](double) { return std::make_unique<Gam>(GamOptions{.rho = 0.2, .schedule = kWithLr}); }};
  for (const Member& member : {sam, gam}) CHECK(made_again(member, kSgd) == kSteps - 1);
  // Steps 0, 3, 6, 9 look uphill. The first has no g_v yet, so that three sequences are recorded.
  const Member looksam{
      "looksam, with lr", [](double) {
        return std::make_unique<Sam>(
            SamOptions{.rho = 0.1, .schedule = kWithLr, .alpha = 0.7, .every = 3, .between = Between::reuse});
      }};
  CHECK(made_again(looksam, kSgd) == kSteps - 3);
}

TEST_CASE("recorded steps: a number of the host that changes is found, and its call named") {
  const Member frozen{"frozen", [](double) { return std::make_unique<Frozen>(); }};
  Run there(test_device(), frozen, kSgd);
  RecordedSteps graph;
  there.step(0, graph);
  CHECK_THROWS_WITH_AS(there.step(1, graph), doctest::Contains("was 'unary "), InternalError);
}

TEST_CASE("recorded steps: a rule that tells no sequence is made by calls") {
  RecordedSteps graph;
  bool recorded = true;
  graph.run({}, {.lr = 0.1}, [&](const StepInfo& now) { recorded = now.numbers != nullptr; });
  CHECK_FALSE(recorded);
  CHECK(graph.records() == 0);
}

}  // namespace basin::optim::testing
