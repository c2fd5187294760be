#include "apps/experiment.h"

#include "apps/weights.h"
#include "optim/buffer_guard.h"

namespace basin::apps {

std::unique_ptr<nn::Module> build_model(const ModelConfig& config, const Shape& image, std::int64_t classes,
                                        std::uint64_t seed, Dtype dtype, bool blank) {
  auto model = nn::make_model({.name = config.name,
                               .height = image[0],
                               .width = image[1],
                               .channels = image[2],
                               .classes = classes,
                               .shortcut = config.shortcut,
                               .seed = seed,
                               .dtype = dtype,
                               .blank = blank || !config.init.empty()});
  if (!config.init.empty()) load_weights(config.init, *model);
  return model;
}

Experiment::Experiment(const TrainConfig& config, const ImageSet& set, std::int64_t steps_per_epoch)
    : model_(build_model(config.model, set.image, set.classes(), config.run.seed, config.device.dtype)),
      entries_(entries_of(*model_)),
      w_(entries_.parameters,
         config.optimizer.decay == Decay::all ? optim::Decay::all : optim::Decay::weights_only),
      rule_(make_gradient_rule(config, steps_per_epoch)),
      update_(make_update_rule(config.optimizer, w_)),
      schedule_(schedule_options(config, steps_per_epoch)),
      averaging_(make_averaging(config, steps_per_epoch)),
      loss_{.cross_entropy = {.label_smoothing = config.loss.label_smoothing, .form = config.loss.form},
            .weight_decay = config.optimizer.decay_in == DecayIn::loss ? config.optimizer.weight_decay : 0,
            .micro_norm = config.sharpness.micro_norm},
      accumulate_(config.sharpness.micro == Micro::shared ? config.sharpness.micro_size : 0),
      clip_(config.optimizer.clip),
      seed_(config.run.seed),
      dtype_(config.device.dtype) {}

optim::StepReport Experiment::step(const data::Batch& batch, std::int64_t step) {
  const double lr = schedule_.lr(step);
  BatchObjective loss(*model_, entries_, w_, batch, dtype_, loss_, seed_, step);
  optim::Objective objective = [&loss](const optim::Request& request) { return loss(request); };
  if (accumulate_ > 0) objective = optim::accumulated(objective, batch.size(), accumulate_);

  optim::BufferGuard statistics(entries_.buffers);
  optim::Direction d = rule_->direction(
      objective, w_, {.step = step, .lr = lr, .rows = batch.size(), .momentum = update_->momentum()});
  if (d.report.finite) {
    if (clip_ > 0) d = optim::clipped(d, clip_);
    update_->apply(w_, d.vector, lr);
    statistics.keep();
  } else {
    failure_ = loss.failure();
  }
  return d.report;
}

void Experiment::collect(std::int64_t step, bool applied) {
  if (averaging_ && averaging_->collection.due(step + 1) && (applied || !averaging_->after_applied_steps))
    averaging_->average.collect(w_);
}

}  // namespace basin::apps
