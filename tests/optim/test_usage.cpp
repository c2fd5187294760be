// The training loop that docs/optimizers.md quotes, for every pair of gradient rule and update rule.
#include <doctest/doctest.h>

#include <memory>

#include "nn/models/mlp.h"
#include "optim/buffer_guard.h"
#include "optim/sam.h"
#include "optim/schedule.h"
#include "optim/update_rule.h"

namespace basin::optim {
namespace {

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
                      .step = static_cast<std::uint64_t>(t)};
      return evaluate(cross_entropy(model(x, ctx), y), w);
    };
    BufferGuard statistics(buffers);
    const Direction d = rule.direction(objective, w);
    if (!d.report.finite) continue;  // weights, momentum and statistics are as if the step had not been
    update.apply(w, d.vector, schedule.lr(t));
    statistics.keep();
    loss = d.report.loss;
  }
  return loss;
}

}  // namespace

TEST_CASE("usage: the documented loop, with every pair of rules") {
  const Tensor x = Tensor::from<float>({0, 0, 0, 1, 1, 0, 1, 1}, {4, 2});
  const Tensor y = Tensor::from<std::int64_t>({0, 1, 1, 0});  // exclusive or
  Plain plain;
  Sam sam({.rho = 0.05});
  for (GradientRule* rule : {static_cast<GradientRule*>(&plain), static_cast<GradientRule*>(&sam)})
    for (int which = 0; which < 3; ++which) {
      nn::Initializer init(1);
      nn::Mlp model(2, {16}, 2, init);
      ParameterVector w = ParameterVector::of(model, Decay::weights_only);
      std::unique_ptr<UpdateRule> update;
      if (which == 0)
        update = std::make_unique<Sgd>(w, SgdOptions{.momentum = 0.9, .weight_decay = 5e-4});
      else
        update = std::make_unique<Adam>(w, AdamOptions{.weight_decay = 1e-2, .decoupled = which == 2});
      const double lr = which == 0 ? 0.1 : 0.03;
      const Schedule schedule(
          {.kind = ScheduleKind::cosine, .lr = lr, .total_steps = 150, .warmup_steps = 10});
      CAPTURE(rule->name());
      CAPTURE(update->name());
      const double loss = train(model, x, y, *rule, w, *update, schedule, 150);
      CHECK(loss > 0);
      CHECK(loss < 0.3);  // it starts near ln 2
    }
}

}  // namespace basin::optim
