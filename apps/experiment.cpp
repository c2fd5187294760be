#include "apps/experiment.h"

#include <cmath>

#include "apps/checkpoint.h"
#include "core/ops.h"
#include "optim/buffer_guard.h"
#include "optim/sam.h"

namespace basin::apps {
namespace {

std::unique_ptr<optim::GradientRule> build_rule(const SharpnessConfig& config) {
  if (config.kind == Sharpness::sam)
    return std::make_unique<optim::Sam>(optim::SamOptions{.rho = config.rho});
  return std::make_unique<optim::Plain>();
}

std::unique_ptr<optim::UpdateRule> build_update(const OptimizerConfig& o, const optim::ParameterVector& w) {
  if (o.kind == Optimizer::sgd)
    return std::make_unique<optim::Sgd>(w, optim::SgdOptions{.momentum = o.momentum,
                                                             .dampening = o.dampening,
                                                             .weight_decay = o.weight_decay,
                                                             .nesterov = o.nesterov});
  return std::make_unique<optim::Adam>(w, optim::AdamOptions{.beta1 = o.beta1,
                                                             .beta2 = o.beta2,
                                                             .eps = o.adam_eps,
                                                             .weight_decay = o.weight_decay,
                                                             .decoupled = o.kind == Optimizer::adamw});
}

std::int64_t count_correct(const Tensor& logits, const Tensor& labels) {
  const Tensor best = argmax(logits);
  std::int64_t correct = 0;
  for (Index i = 0; i < labels.elements(); ++i)
    correct += best.data<std::int64_t>()[i] == labels.data<std::int64_t>()[i];
  return correct;
}

}  // namespace

std::unique_ptr<nn::Module> build_model(const ModelConfig& config, const data::Dataset& set,
                                        std::uint64_t seed, Dtype dtype) {
  auto model = nn::make_model({.name = config.name,
                               .height = set.height(),
                               .width = set.width(),
                               .channels = set.channels(),
                               .classes = set.classes(),
                               .shortcut = config.shortcut,
                               .seed = seed,
                               .dtype = dtype});
  if (!config.init.empty()) load_weights(config.init, *model);
  return model;
}

optim::ScheduleOptions schedule_options(const TrainConfig& config, std::int64_t steps_per_epoch) {
  const ScheduleConfig& s = config.schedule;
  const auto steps = [&](double epochs) {
    return std::llround(epochs * static_cast<double>(steps_per_epoch));
  };
  optim::ScheduleOptions options{.kind = s.kind,
                                 .lr = config.optimizer.lr,
                                 .total_steps = s.epochs * steps_per_epoch,
                                 .warmup_steps = steps(s.warmup_epochs)};
  if (s.kind == optim::ScheduleKind::step) {
    options.gamma = s.gamma;
    for (double epoch : milestone_epochs(s)) options.milestones.push_back(steps(epoch));
  }
  if (s.kind == optim::ScheduleKind::cosine || s.kind == optim::ScheduleKind::linear)
    options.min_lr = s.min_lr;
  return options;
}

Experiment::Experiment(const TrainConfig& config, const data::Dataset& train, std::int64_t steps_per_epoch)
    : model_(build_model(config.model, train, config.run.seed, config.device.dtype)),
      entries_(entries_of(*model_)),
      w_(entries_.parameters,
         config.optimizer.decay == Decay::all ? optim::Decay::all : optim::Decay::weights_only),
      rule_(build_rule(config.sharpness)),
      update_(build_update(config.optimizer, w_)),
      schedule_(schedule_options(config, steps_per_epoch)),
      loss_{.label_smoothing = config.loss.label_smoothing, .form = config.loss.form},
      seed_(config.run.seed),
      dtype_(config.device.dtype) {}

optim::StepReport Experiment::step(const data::Batch& batch, std::int64_t step) {
  const Variable images(batch.images.to(dtype_));
  failure_ = {};

  const optim::Objective objective = [&](const optim::Request& request) {
    const bool first = request.pass == optim::Pass::first;
    nn::Context ctx{.statistics = first ? nn::Statistics::update : nn::Statistics::hold,
                    .seed = seed_,
                    .step = static_cast<std::uint64_t>(step)};
    const Variable logits = (*model_)(images, ctx);
    optim::Evaluation e = optim::evaluate(cross_entropy(logits, batch.labels, loss_), w_);
    e.rows = batch.size();
    if (first) e.correct = count_correct(logits.value(), batch.labels);
    if (!std::isfinite(e.loss)) failure_.loss = true;
    if (!failure_.loss && failure_.parameter.empty() && !all_finite(e.gradient)) {
      const Tensors parts = w_.split(e.gradient);
      for (std::size_t i = 0; i < parts.size() && failure_.parameter.empty(); ++i)
        if (!all_finite(parts[i])) failure_.parameter = w_.segments()[i].name;
    }
    return e;
  };

  optim::BufferGuard statistics(entries_.buffers);
  const optim::Direction d = rule_->direction(objective, w_);
  if (!d.report.finite) return d.report;
  update_->apply(w_, d.vector, schedule_.lr(step));
  statistics.keep();
  return d.report;
}

}  // namespace basin::apps
