#include "apps/training/experiment.h"

#include <cmath>

#include "apps/training/parameter_names.h"
#include "apps/training/start.h"
#include "optim/buffer_guard.h"

namespace basin::apps {

namespace {

/// The model as the run starts with it; `start` gets what --init gave it.
std::unique_ptr<nn::Module> first_model(const TrainConfig& config, const ImageSet& set,
                                        std::optional<Start>& start) {
  const bool from_file = !config.model.init.empty();
  auto built = build_model(config.model, set.image, set.classes(), config.run.seed, config.device.dtype,
                           /*blank=*/from_file && !config.model.ignore_head, config.device.device);
  if (from_file) start = start_from_file(*built, config.model, set);
  return built;
}

/// Why a device did not make the step, as far as its report tells.
NonFinite refusal(const optim::StepReport& report) {
  if (report.failed_pass < 0)
    return {.refused = "the direction, or a weight or statistic after it, would not be finite"};
  const double loss = report.failed_pass > 0 ? report.perturbed_loss : report.loss;
  return {.loss = !std::isfinite(loss)};
}

}  // namespace

std::unique_ptr<nn::Module> build_model(const ModelConfig& config, const Shape& image, std::int64_t classes,
                                        std::uint64_t seed, Dtype dtype, bool blank, Device device) {
  return nn::make_model({.name = config.name,
                         .height = image[0],
                         .width = image[1],
                         .channels = image[2],
                         .classes = classes,
                         .shortcut = config.shortcut,
                         .seed = seed,
                         .dtype = dtype,
                         .device = device,
                         .blank = blank});
}

Experiment::Experiment(const TrainConfig& config, const ImageSet& set, const RunLength& length)
    : model_(first_model(config, set, start_)),
      entries_(entries_of(*model_)),
      frozen_(freeze(entries_.parameters, patterns(config.model.freeze))),
      w_(frozen_.trained,
         config.optimizer.decay == Decay::all ? optim::Decay::all : optim::Decay::weights_only),
      rule_(make_gradient_rule(config, length)),
      update_(make_update_rule(config.optimizer, w_)),
      schedule_(schedule_options(config, length)),
      averaging_(make_averaging(config, length)),
      loss_{.cross_entropy = {.label_smoothing = config.loss.label_smoothing, .form = config.loss.form},
            .weight_decay = config.optimizer.decay_in == DecayIn::loss ? config.optimizer.weight_decay : 0,
            .micro_norm = config.sharpness.micro_norm,
            .frozen_statistics = config.model.norm_statistics == NormStatistics::frozen},
      accumulate_(config.sharpness.micro == Micro::shared ? config.sharpness.micro_size : 0),
      clip_(config.optimizer.clip),
      seed_(config.run.seed),
      buffers_here_(optim::not_on_device(entries_.buffers)),
      joined_(optim::side_by_side(optim::on_device(entries_.buffers))),
      places_(w_.values().device(), config.device.activations(), set.classes()),
      graph_(make_step_graph(config.device)) {
  expect_perturbed(config.sharpness, w_);
  rule_->check_parameters(w_);
  for (Tensor& t : joined_) buffers_there_.push_back({"statistics", &t});
}

void Experiment::touch() {
  w_.values().mutable_raw();
  for (const NamedBuffer& b : buffers_there_) b.buffer->mutable_raw();
}

optim::StepReport Experiment::step(const data::Batch& given, std::int64_t step, double lr) {
  const optim::StepInfo now{.step = step, .lr = lr, .rows = given.size(), .momentum = update_->momentum()};
  const StepBatch batch = places_.put(given);
  const std::vector<NamedBuffer> state =
      rule_->remembers(now) ? entries_of(*rule_).buffers : std::vector<NamedBuffer>{};
  optim::BufferGuard statistics(buffers_here_), rule_state(optim::not_on_device(state));
  optim::StepReport report =
      graph_->run(sequence_of(*rule_, batch, now), now, [&](const optim::StepInfo& info) {
        BatchObjective loss(*model_, entries_, w_, batch.made(), loss_, seed_, step, info.numbers);
        optim::Objective objective = [&loss](const optim::Request& request) { return loss(request); };
        if (accumulate_ > 0) objective = optim::accumulated(objective, batch.rows(), accumulate_);
        optim::BufferGuard statistics_there(buffers_there_), state_there(optim::on_device(state));

        optim::Direction d = rule_->direction(objective, w_, info);
        failure_ = loss.failure();
        if (possibly(d.report.finite)) {
          try {
            const Scalar sound = both(d.report.finite, both(statistics.finite(), statistics_there.finite()));
            if (!possibly(sound)) throw NumericalError("a running statistic is not finite");
            if (clip_ > 0) d = optim::clipped(d, clip_);
            d.report.finite = update_->apply(w_, d.vector, info, d.report.direction_norm, sound);
          } catch (const NumericalError& refusal) {
            failure_ = {.refused = refusal.what()};
            d.report.finite = false;
          }
        }
        statistics_there.settle(d.report.finite);
        state_there.settle(d.report.finite);
        return d.report;
      });

  const bool made_elsewhere = !report.finite.known();
  report.bring_here();
  if (made_elsewhere) touch();
  if (report.finite) {
    statistics.keep();
    rule_state.keep();
  } else if (made_elsewhere) {
    failure_ = refusal(report);
    update_->withdraw();
  }
  return report;
}

void Experiment::collect(std::int64_t step, bool applied) {
  if (averaging_ && averaging_->times.due(step + 1) && (applied || !averaging_->after_applied_steps))
    averaging_->average.collect(w_);
}

}  // namespace basin::apps
