#include "apps/training/axes.h"

#include <cmath>

#include "apps/options/bindings.h"

namespace basin::apps {
namespace {

/// The step at which the averaging phase of SWA begins to have its own rate.
std::int64_t swa_phase(const TrainConfig& config, const RunLength& length) {
  return length.steps_before(length.first_epoch(config.average.start));
}

/// An even number of steps, the nearest to so many epochs.
std::int64_t even_steps(double epochs, const RunLength& length) {
  return 2 * std::max<std::int64_t>(1, length.steps_of(epochs / 2));
}

optim::RadiusSchedule radius_schedule(const TrainConfig& config, const RunLength& length) {
  const SharpnessConfig& s = config.sharpness;
  return {.kind = s.rho_schedule,
          .end = s.rho_end,
          .total_steps = length.steps,
          .lr_peak = config.optimizer.lr,
          .lr_end = schedule_options(config, length).min_lr,
          .warmup_steps = length.steps_of(s.rho_warmup_epochs)};
}

/// Steps done before `moment`: below 1 a fraction of the run, else epochs done.
std::int64_t step_at(double moment, const RunLength& length) {
  if (moment >= 1) return length.steps_of(moment);
  return std::llround(moment * static_cast<double>(length.steps));
}

std::int64_t start_step(const TrainConfig& config, const RunLength& length) {
  return step_at(config.sharpness.start, length);
}

std::int64_t end_step(const TrainConfig& config, const RunLength& length) {
  return config.sharpness.end == 0 ? optim::kNoEnd : step_at(config.sharpness.end, length);
}

/// Times that come to no step of the run would be options without effect, or other times than those given.
void check_times(const TrainConfig& config, const RunLength& length) {
  using Kind = optim::ScheduleKind;
  const auto at_least = [&](const char* flag, double epochs, std::int64_t steps) {
    if (epochs > 0 &&
        2 * epochs * static_cast<double>(length.steps_per_epoch) < static_cast<double>(2 * steps - 1))
      throw UsageError("--", flag, " ", epochs, " is less than ", steps, steps == 1 ? " step" : " steps",
                       " (an epoch has ", length.steps_per_epoch, ")");
  };
  const ScheduleConfig& schedule = config.schedule;
  const AverageConfig& average = config.average;
  at_least("warmup-epochs", schedule.warmup_epochs, 1);
  if (schedule.kind == Kind::sawtooth) at_least("cycle-epochs", schedule.cycle_epochs, 1);
  if (schedule.kind == Kind::triangle) at_least("cycle-epochs", schedule.cycle_epochs, 2);
  if (average.kind == Average::swa && average.swa_lr > 0) {
    at_least("swa-anneal-epochs", average.swa_anneal_epochs, 1);
    at_least("swa-cycle-epochs", average.swa_cycle_epochs, 1);
  }
  if (config.ensemble.kind == EnsembleKind::fge)
    at_least("fge-cycle-epochs", config.ensemble.cycle_epochs, 2);
  if (config.sharpness.kind == Sharpness::none) return;
  at_least("rho-warmup-epochs", config.sharpness.rho_warmup_epochs, 1);
  if (start_step(config, length) >= length.steps)
    throw UsageError("--sharpness-start ", config.sharpness.start, " is not before the last of the ",
                     length.steps, " steps of the run");
  if (end_step(config, length) <= start_step(config, length))
    throw UsageError("--sharpness-end ", config.sharpness.end, " is not after --sharpness-start ",
                     config.sharpness.start, ": no step would look uphill");
}

}  // namespace

optim::ScheduleOptions schedule_options(const TrainConfig& config, const RunLength& length) {
  using Kind = optim::ScheduleKind;
  const ScheduleConfig& s = config.schedule;
  const AverageConfig& average = config.average;
  const bool swa = average.kind == Average::swa;
  const auto steps = [&](double epochs) { return length.steps_of(epochs); };
  optim::ScheduleOptions o{.kind = s.kind,
                           .lr = config.optimizer.lr,
                           .total_steps = length.steps,
                           .warmup_steps = steps(s.warmup_epochs)};
  if (s.kind == Kind::step) {
    o.gamma = s.gamma;
    const double all = static_cast<double>(o.total_steps);
    for (double epoch : length.milestone_epochs(s.milestones)) o.milestones.push_back(steps(epoch));
    if (s.steps > 0 && s.milestones[0] < 1)  // of the steps, not of the epochs that they begin
      for (std::size_t i = 0; i < s.milestones.size(); ++i)
        o.milestones[i] = std::llround(s.milestones[i] * all);
  } else if (s.kind == Kind::one_cycle) {
    o.one_cycle = s.one_cycle;
  } else if (s.kind != Kind::constant) {
    o.min_lr = s.min_lr;
  }
  if (s.kind == Kind::swa) {
    o.steps_per_epoch = length.steps_per_epoch;
    o.span_epochs = swa ? length.first_epoch(average.start) : length.epochs;
    if (swa && average.swa_lr > 0) o.min_lr = average.swa_lr;
  }
  if (s.kind == Kind::sawtooth) o.cycle_steps = std::max<std::int64_t>(1, steps(s.cycle_epochs));
  if (s.kind == Kind::triangle) o.cycle_steps = even_steps(s.cycle_epochs, length);
  if (s.kind == Kind::snapshot) o.cycles = s.cycles;
  if (s.kind == Kind::triangle || s.kind == Kind::snapshot) o.code_form = s.code_form;

  if (config.ensemble.kind == EnsembleKind::fge) {
    const EnsembleConfig& fge = config.ensemble;
    o.tail = optim::ScheduleTail{.start_step = length.steps_before(length.first_epoch(fge.start)),
                                 .lr = fge.low_lr,
                                 .cycle_steps = even_steps(fge.cycle_epochs, length),
                                 .high_lr = fge.high_lr,
                                 .triangle = true};
  } else if (swa && average.swa_lr > 0 && (s.kind != Kind::swa || average.swa_cycle_epochs > 0)) {
    o.tail = optim::ScheduleTail{.start_step = swa_phase(config, length),
                                 .lr = average.swa_lr,
                                 .anneal_steps = steps(average.swa_anneal_epochs),
                                 .anneal = average.swa_anneal};
    if (average.swa_cycle_epochs > 0) {
      o.tail->cycle_steps = std::max<std::int64_t>(1, steps(average.swa_cycle_epochs));
      o.tail->high_lr = average.swa_high_lr;
    }
  }
  return o;
}

std::unique_ptr<optim::StepGraph> make_step_graph(const DeviceConfig& config) {
  return config.graph ? optim::step_graph(config.device) : std::make_unique<optim::StepGraph>();
}

std::optional<Averaging> make_averaging(const TrainConfig& config, const RunLength& length) {
  const AverageConfig& c = config.average;
  if (c.kind == Average::none) return {};
  const std::int64_t first = length.first_epoch(c.start);
  const std::int64_t first_step = length.steps_before(first) + 1;
  auto average = c.kind == Average::swa ? optim::WeightAverage::mean()
                 : c.kind == Average::lawa
                     ? optim::WeightAverage::lawa(c.lawa_window)
                     : optim::WeightAverage::ema({.decay = c.ema_decay, .warmup = c.ema_warmup});
  switch (c.at) {
    case CollectAt::epoch:
      return Averaging{std::move(average),
                       optim::CollectionTimes::epochs(first, c.every, length.steps_per_epoch), false};
    case CollectAt::step:
      return Averaging{std::move(average), optim::CollectionTimes::steps(first_step, c.every), true};
    case CollectAt::cycle:
      break;
  }
  const optim::Schedule schedule(schedule_options(config, length));
  if (!schedule.has_cycles())
    throw UsageError(
        "--average-at cycle needs a schedule with cycles (sawtooth, triangle, snapshot) or "
        "--swa-cycle-epochs");
  return Averaging{std::move(average),
                   optim::CollectionTimes::cycle_ends(
                       [schedule](std::int64_t t) { return schedule.is_cycle_end(t); }, first_step),
                   false};
}

std::optional<optim::CollectionTimes> member_times(const TrainConfig& config, const RunLength& length) {
  const EnsembleConfig& c = config.ensemble;
  if (c.kind == EnsembleKind::none) return {};
  const optim::Schedule schedule(schedule_options(config, length));
  if (!schedule.has_cycles())
    throw UsageError(
        "--ensemble snapshot saves members at the ends of cycles: use --schedule snapshot, sawtooth or "
        "triangle");
  const std::int64_t first =
      c.kind == EnsembleKind::fge ? length.steps_before(length.first_epoch(c.start)) + 1 : 1;
  return optim::CollectionTimes::cycle_ends([schedule](std::int64_t t) { return schedule.is_cycle_end(t); },
                                            first);
}

void check_axes(const TrainConfig& config, const RunLength& length) {
  check_moments(config, length);
  check_times(config, length);
  optim::Schedule{schedule_options(config, length)};
  make_gradient_rule(config, length);
  if (const auto averaging = make_averaging(config, length);
      averaging && averaging->times.count(length.steps) == 0)
    throw UsageError("--average ", name_of(average_names(), config.average.kind),
                     ": no weights enter it in this run; see --average-start ", "and --average-every");
  if (const auto members = member_times(config, length); members && members->count(length.steps) == 0)
    throw UsageError("--ensemble: no cycle ends in this run; see --fge-start and --fge-cycle-epochs");
}

std::unique_ptr<optim::GradientRule> make_gradient_rule(const TrainConfig& config, const RunLength& length) {
  return make_gradient_rule(config.sharpness, {.radius = radius_schedule(config, length),
                                               .start_step = start_step(config, length),
                                               .end_step = end_step(config, length),
                                               .batch_size = config.schedule.batch_size});
}

}  // namespace basin::apps
