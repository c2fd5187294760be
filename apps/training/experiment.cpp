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
  if (const Device device = w_.values().device(); !device.is_host())
    made_last_ = Tensor::scalar(1, Dtype::f64, device);
}

void Experiment::touch() {
  w_.values().mutable_raw();
  for (const NamedBuffer& b : buffers_there_) b.buffer->mutable_raw();
}

void Experiment::Begun::keep() {
  statistics.keep();
  rule_state.keep();
  average.keep();
}

optim::StepReport Experiment::step(const data::Batch& batch, std::int64_t step) {
  begin(batch, step);
  return settle();
}

void Experiment::begin(const data::Batch& batch, std::int64_t step) {
  again_.push_back({batch, step});
  try {
    go_on();
  } catch (...) {
    again_.pop_back();
    throw;
  }
}

void Experiment::go_on() {
  while (!again_.empty() && (begun_.empty() || possibly(begun_.back().report.finite))) {
    ask(again_.front());
    again_.pop_front();
  }
}

void Experiment::ask(const Asked& asked) {
  const optim::StepInfo now{
      .step = asked.step, .lr = lr(asked.step), .rows = asked.batch.size(), .momentum = update_->momentum()};
  const StepBatch batch = places_.put(asked.batch);
  const std::vector<NamedBuffer> state =
      rule_->remembers(now) ? entries_of(*rule_).buffers : std::vector<NamedBuffer>{};
  const bool collected = collects_there(asked.step);
  Begun& step = begun_.emplace_back(
      asked, buffers_here_, optim::not_on_device(state),
      collected ? optim::not_on_device(entries_of(averaging_->average).buffers) : std::vector<NamedBuffer>{});
  const optim::Sequence sequence = sequence_of(*rule_, batch, now);
  try {
    step.report = make(step, batch, sequence, now, state);
    step.made_elsewhere = !step.report.finite.known();
    if (step.made_elsewhere) touch();
    step.report.send_here();
    if (collected) averaging_->average.collect(w_, step.report.finite);
    // State that is not there yet may come to be, which a record must not meet before it is there to stay.
    if (!sequence) step.report.bring_here();
  } catch (...) {
    begun_.pop_back();
    throw;
  }
}

optim::StepReport Experiment::make(Begun& step, const StepBatch& batch, const optim::Sequence& sequence,
                                   const optim::StepInfo& now, const std::vector<NamedBuffer>& state) {
  return graph_->run(sequence, now, [&](const optim::StepInfo& info) {
    BatchObjective loss(*model_, entries_, w_, batch.made(), loss_, seed_, info.number(optim::step_of));
    optim::Objective objective = [&loss](const optim::Request& request) { return loss(request); };
    if (accumulate_ > 0) objective = optim::accumulated(objective, batch.rows(), accumulate_);
    optim::BufferGuard statistics_there(buffers_there_), state_there(optim::on_device(state));

    optim::Direction d = rule_->direction(objective, w_, info);
    failure_ = loss.failure();
    if (made_last_.defined()) d.report.finite = both(d.report.finite, Scalar(made_last_));
    if (possibly(d.report.finite)) {
      try {
        const Scalar sound = both(d.report.finite, both(step.statistics.finite(), statistics_there.finite()));
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
    if (made_last_.defined()) made_last_.copy_from(d.report.finite.tensor(made_last_.device()));
    return d.report;
  });
}

optim::StepReport Experiment::settle() {
  if (begun_.empty()) go_on();
  if (begun_.empty()) throw ArgumentError("[experiment] no step is under way that could be settled");
  begun_.front().report.bring_here();
  optim::StepReport report = begun_.front().report;
  if (report.finite) {
    begun_.front().keep();
    begun_.pop_front();
    return report;
  }
  if (begun_.front().made_elsewhere) failure_ = refusal(report);
  for (; !begun_.empty(); begun_.pop_back()) {  // puts back what the host holds, newest first
    if (begun_.back().made_elsewhere) update_->withdraw();
    if (begun_.size() > 1) again_.push_front(begun_.back().asked);
  }
  if (made_last_.defined()) made_last_.fill(1);
  return report;
}

void Experiment::collect(std::int64_t step, bool applied) {
  if (collects(step) && !collects_there(step) && (applied || !averaging_->after_applied_steps))
    averaging_->average.collect(w_);
}

}  // namespace basin::apps
