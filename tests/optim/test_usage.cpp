// The code that docs/optimizers.md quotes, for every gradient rule with every update rule.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <string>

#include "nn/layers.h"
#include "optim/averages/average.h"
#include "optim/averages/stand_in.h"
#include "optim/buffer_guard.h"
#include "optim/gradient/sam_family.h"
#include "optim/schedule/schedule.h"
#include "optim/update/lookahead.h"
#include "optim/update/muon.h"
#include "optim/update/schedule_free.h"
#include "optim/update/update_rule.h"
#include "tests/optim/family.h"

namespace basin::optim {
namespace {

constexpr std::int64_t kRows = 8;

/// Exclusive or, each case twice: with micro-batches of four rows, every one has all four cases.
const Tensor& inputs() {
  static const Tensor x = Tensor::from<float>({0, 0, 0, 1, 1, 0, 1, 1, 0, 0, 0, 1, 1, 0, 1, 1}, {kRows, 2});
  return x;
}
const Tensor& labels() {
  static const Tensor y = Tensor::from<std::int64_t>({0, 1, 1, 0, 0, 1, 1, 0});
  return y;
}

/// Two inputs, 16 hidden units with batch norm, two classes.
nn::Sequential small_model() {
  nn::Initializer init(1);
  nn::Sequential model;
  model.add<nn::Linear>(2, 16, init);
  model.add<nn::BatchNorm2d>(16, init);
  model.add<nn::Relu>();
  model.add<nn::Linear>(16, 2, init);
  return model;
}

/// The update rules, and a learning rate that suits each here.
struct Update {
  double lr;
  std::function<std::unique_ptr<UpdateRule>(const ParameterVector&)> make;
};
std::vector<Update> update_rules() {
  using W = const ParameterVector&;
  return {
      {0.1, [](W w) { return std::make_unique<Sgd>(w, SgdOptions{.momentum = 0.9, .weight_decay = 5e-4}); }},
      {0.03, [](W w) { return std::make_unique<Adam>(w, AdamOptions{.weight_decay = 5e-4}); }},
      {0.03,
       [](W w) { return std::make_unique<Adam>(w, AdamOptions{.weight_decay = 0.01, .decoupled = true}); }},
      {0.01, [](W w) { return std::make_unique<RmsProp>(w); }},
      {0.01, [](W w) { return std::make_unique<Lion>(w, LionOptions{.weight_decay = 0.01}); }},
      {0.1,
       [](W w) {
         return std::make_unique<Lookahead>(w, std::make_unique<Sgd>(w, SgdOptions{.momentum = 0.9}));
       }},
      {0.03, [](W w) { return std::make_unique<Muon>(w); }},
  };
}

/// Trains `model` on one batch and returns the loss of the last step.
double train(nn::Module& model, const Tensor& x, const Tensor& y, GradientRule& rule, ParameterVector& w,
             UpdateRule& update, const Schedule& schedule, std::int64_t steps) {
  double loss = 0;
  const std::vector<NamedBuffer> buffers = entries_of(model).buffers;
  for (std::int64_t t = 0; t < steps; ++t) {
    const Objective objective = [&](const Request& request) {
      const bool first = request.pass == Pass::first;
      nn::Context ctx{.statistics = first ? nn::Statistics::update : nn::Statistics::hold,
                      .seed = 1,
                      .step = static_cast<std::uint64_t>(t),
                      .true_gradient = request.true_gradient};
      return evaluate(cross_entropy(model(x, ctx), y), w, {.norm_gradient = request.norm_gradient});
    };
    const StepInfo now{.step = t, .lr = schedule.lr(t), .rows = kRows, .momentum = update.momentum()};
    BufferGuard statistics(buffers);
    const Direction d = rule.direction(objective, w, now);
    if (!d.report.finite) continue;  // weights, momentum and statistics are as if the step had not been
    update.apply(w, d.vector, now.lr);
    statistics.keep();
    loss = d.report.loss;
  }
  return loss;
}

/// Trains and averages the weights of the second half.
void train_and_average(const Objective& objective, ParameterVector& w, GradientRule& rule, UpdateRule& update,
                       const Schedule& schedule, WeightAverage& swa, std::int64_t steps) {
  for (std::int64_t t = 0; t < steps; ++t) {
    const StepInfo now{.step = t, .lr = schedule.lr(t), .rows = kRows, .momentum = update.momentum()};
    const Direction d = rule.direction(objective, w, now);
    if (d.report.finite) update.apply(w, d.vector, now.lr);
    if (2 * t >= steps) swa.collect(w);
  }
}

/// The loss of the rows that a rule asks for.
Objective objective_of(nn::Module& model, const ParameterVector& w) {
  return [&](const Request& request) {
    const Index end = request.end < 0 ? kRows : request.end;
    const bool first = request.pass == Pass::first;
    nn::Context ctx{.statistics = first ? nn::Statistics::update : nn::Statistics::hold};
    const Variable logits = model(inputs().slice_rows(request.begin, end), ctx);
    return evaluate(cross_entropy(logits, labels().slice_rows(request.begin, end)), w,
                    {.norm_gradient = request.norm_gradient});
  };
}

}  // namespace

TEST_CASE("usage: the documented loop, with every pair of rules") {
  for (const testing::Member& member : testing::family())
    for (const Update& how : update_rules()) {
      nn::Sequential model = small_model();
      ParameterVector w = ParameterVector::of(model, Decay::weights_only);
      const std::unique_ptr<GradientRule> rule = member.make(1);
      const std::unique_ptr<UpdateRule> update = how.make(w);
      const Schedule schedule(
          {.kind = ScheduleKind::cosine, .lr = how.lr, .total_steps = 60, .warmup_steps = 5});
      CAPTURE(member.name);
      CAPTURE(std::string(update->name()));
      const double loss = train(model, inputs(), labels(), *rule, w, *update, schedule, 60);
      CHECK(loss > 0);
      CHECK(loss < 0.3);  // it starts near ln 2
    }
}

TEST_CASE("usage: ten lines, GSAM with SGD, a cosine and an average") {
  nn::Sequential model = small_model();
  const std::int64_t steps = 60;
  ParameterVector w = ParameterVector::of(model, Decay::weights_only);
  Sam rule(gsam(/*rho=*/0.05, /*alpha=*/0.4));
  Sgd update(w, {.momentum = 0.9, .weight_decay = 5e-4});
  const Schedule schedule({.kind = ScheduleKind::cosine, .lr = 0.1, .total_steps = steps});
  WeightAverage swa = WeightAverage::mean();
  const Objective objective = objective_of(model, w);
  train_and_average(objective, w, rule, update, schedule, swa, steps);
  CHECK(swa.n() == 30);
  const double last = objective({}).loss;
  CHECK(last < 0.1);
  StandIn average(w, entries_of(model).buffers, swa.values());
  nn::Context ctx{.statistics = nn::Statistics::hold};
  CHECK(cross_entropy(model(inputs(), ctx), labels()).value().item() < 0.1);
}

TEST_CASE("usage: the ten lines with every pair of rules, micro-batches among them") {
  const std::int64_t steps = 60;
  for (const testing::Member& member : testing::all_rules(4, kRows))
    for (const Update& how : update_rules()) {
      nn::Sequential model = small_model();
      ParameterVector w = ParameterVector::of(model, Decay::weights_only);
      const std::unique_ptr<GradientRule> rule = member.make(1);
      const std::unique_ptr<UpdateRule> update = how.make(w);
      const Schedule schedule({.kind = ScheduleKind::cosine, .lr = how.lr, .total_steps = steps});
      WeightAverage swa = WeightAverage::mean();
      CAPTURE(member.name);
      CAPTURE(std::string(update->name()));
      const Objective objective = objective_of(model, w);
      const double before = objective({}).loss;
      train_and_average(objective, w, *rule, *update, schedule, swa, steps);
      const double after = objective({}).loss;
      CHECK(before > 0.6);
      CHECK(after < 0.3);
      StandIn average(w, entries_of(model).buffers, swa.values());
      CHECK(objective_of(model, w)({.pass = Pass::repeat}).loss < 0.35);
    }
}

}  // namespace basin::optim
