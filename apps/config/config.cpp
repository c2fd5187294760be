// What follows from a configuration as a whole: checks between options, derived names, its TOML form.
#include "apps/config/config.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <system_error>

#include "apps/config/names.h"
#include "apps/config/option_tables.h"
#include "apps/training/axes.h"
#include "core/cpu/simd/instruction_set.h"
#include "core/error.h"
#include "core/parallel.h"

namespace basin::apps {

namespace {

/// The length of the run as it was given: "--epochs 3", "--steps 100, 2 epochs".
std::string length_in_words(const ScheduleConfig& s) {
  if (s.steps == 0) return text("--epochs ", s.epochs);
  return text("--steps ", s.steps, ", ", s.epochs, s.epochs == 1 ? " epoch" : " epochs");
}

/// Checks of moments against the length of the run.
void check_length(const TrainConfig& c) {
  const auto epochs = static_cast<double>(c.schedule.epochs);
  const std::string length = length_in_words(c.schedule);
  const auto not_longer = [&](const char* flag, double given) {
    if (given > epochs) throw UsageError("--", flag, " ", given, " is longer than the run (", length, ")");
  };
  const auto in_the_run = [&](const char* flag, double start) {
    if (first_epoch(start, c.schedule.epochs) > c.schedule.epochs)
      throw UsageError("--", flag, " ", start, " is not within the run (", length, ")");
  };
  not_longer("warmup-epochs", c.schedule.warmup_epochs);
  if (c.schedule.kind == optim::ScheduleKind::step) milestone_epochs(c.schedule);
  if (c.sharpness.kind != Sharpness::none) {
    not_longer("rho-warmup-epochs", c.sharpness.rho_warmup_epochs);
    if (c.sharpness.start >= epochs)  // so many epochs are done before
      throw UsageError("--sharpness-start ", c.sharpness.start, " is not within the run (", length, ")");
  }
  if (c.average.kind != Average::none) in_the_run("average-start", c.average.start);
  if (c.average.kind == Average::swa && c.average.swa_lr > 0)
    not_longer("swa-anneal-epochs", c.average.swa_anneal_epochs);
  if (c.ensemble.kind == EnsembleKind::fge) in_the_run("fge-start", c.ensemble.start);
}

void check_sharpness(const TrainConfig& c) {
  const SharpnessConfig& s = c.sharpness;
  if (s.perturb == optim::Perturbed::named && s.perturb_names.empty())
    throw UsageError("--perturb named needs --perturb-names");
  if (s.micro != Micro::none && s.micro_size > c.schedule.batch_size)
    throw UsageError("--micro-size ", s.micro_size, " is above --batch-size ", c.schedule.batch_size);
  const bool momentum_is_optional =
      c.optimizer.kind == Optimizer::sgd || c.optimizer.kind == Optimizer::rmsprop;
  if (s.kind == Sharpness::msam && momentum_is_optional && c.optimizer.momentum == 0)
    throw UsageError("--sharpness msam climbs along the momentum: it needs --momentum > 0");
  if (s.kind == Sharpness::gam && s.gam_form == optim::GamForm::exact && s.micro == Micro::shared)
    throw UsageError("--gam-form exact needs the whole batch at once, or --micro own");
}

}  // namespace

void validate(const TrainConfig& c) {
  if (c.optimizer.kind == Optimizer::sgd && c.optimizer.nesterov) {
    if (c.optimizer.momentum == 0) throw UsageError("--nesterov needs --momentum > 0");
    if (c.optimizer.dampening != 0) throw UsageError("--nesterov needs --dampening 0");
  }
  if (c.optimizer.kind == Optimizer::sgd && c.optimizer.dampening != 0 && c.optimizer.momentum == 0)
    throw UsageError("--dampening needs --momentum > 0");
  if (c.schedule.steps == 0) check_length(c);  // else with_length() does
  using Kind = optim::ScheduleKind;
  const bool has_least = c.schedule.kind != Kind::constant && c.schedule.kind != Kind::step &&
                         c.schedule.kind != Kind::one_cycle;
  if (has_least && c.schedule.min_lr > c.optimizer.lr) {
    throw UsageError("--min-lr ", c.schedule.min_lr, " is above --lr ", c.optimizer.lr);
  }
  // It becomes the beginning of a directory's name.
  if (c.run.name.find('/') != std::string::npos || c.run.name.starts_with('.')) {
    throw UsageError("--name ", quote(c.run.name),
                     " is no name for a directory: no '/', and no '.' at its start");
  }
  if (c.ensemble.kind == EnsembleKind::fge) {
    if (c.average.kind == Average::swa && c.average.swa_lr > 0)
      throw UsageError(
          "--ensemble fge and --average swa both set the learning rate of the last phase: give --swa-lr 0");
    if (c.ensemble.low_lr > c.ensemble.high_lr)
      throw UsageError("--fge-low-lr ", c.ensemble.low_lr, " is above --fge-high-lr ", c.ensemble.high_lr);
  }
  check_sharpness(c);
  if (c.run.dry_run && c.run.resume)
    throw UsageError("--dry-run starts a new run and --resume an old one: give one");
  if (c.run.dry_run && c.run.stop_after_steps > 0)
    throw UsageError("--dry-run tries one step: --stop-after-steps does not count");
}

TrainConfig with_length(const TrainConfig& config, std::int64_t steps_per_epoch) {
  TrainConfig resolved = config;
  if (config.schedule.steps == 0) return resolved;
  resolved.schedule.epochs = (config.schedule.steps + steps_per_epoch - 1) / steps_per_epoch;
  check_length(resolved);
  return resolved;
}

TrainConfig with_whole_paths(const TrainConfig& config) {
  TrainConfig whole = config;
  for (std::string* path : {&whole.data.dir, &whole.model.init}) {
    std::error_code error;
    const std::string absolute = path->empty() ? "" : std::filesystem::absolute(*path, error).string();
    if (!error) *path = absolute;  // without a current directory, as given
  }
  return whole;
}

std::int64_t total_steps(const TrainConfig& config, std::int64_t steps_per_epoch) {
  const ScheduleConfig& s = config.schedule;
  return s.steps > 0 ? s.steps : s.epochs * steps_per_epoch;
}

std::vector<double> milestone_epochs(const ScheduleConfig& schedule) {
  const std::vector<double>& given = schedule.milestones;
  const auto below_one = std::count_if(given.begin(), given.end(), [](double m) { return m < 1; });
  if (below_one != 0 && below_one != static_cast<std::ptrdiff_t>(given.size())) {
    throw UsageError(
        "--milestones are either all fractions of the run (below 1) or all epochs (1 and above)");
  }
  const auto epochs = static_cast<double>(schedule.epochs);
  std::vector<double> resolved;
  for (const double m : given) {
    const double at = m < 1 ? m * epochs : m;
    if (!resolved.empty() && at <= resolved.back())
      throw UsageError("--milestones must rise: ", m, " does not");
    if (at >= epochs)
      throw UsageError("--milestones ", m, " is not before the end of the run (", length_in_words(schedule),
                       ")");
    resolved.push_back(at);
  }
  return resolved;
}

void apply(const DeviceConfig& device) {
  cpu::instruction_set();  // reads BASIN_ARCH, which may be wrong
  if (device.threads > 0) set_thread_count(static_cast<int>(device.threads));
  set_conv_algorithm(device.conv_algorithm);
}

std::int64_t first_epoch(double start, std::int64_t epochs) {
  const double epoch = start < 1 ? start * static_cast<double>(epochs) : start;
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(epoch - 1e-9)));
}

std::string run_name(const TrainConfig& c) {
  if (!c.run.name.empty()) return c.run.name;
  std::string name = c.data.name + "-" + c.model.name;
  if (c.sharpness.kind != Sharpness::none) name += "-" + rule_name(c.sharpness.kind);
  if (c.average.kind != Average::none) name += "-" + name_of(average_names(), c.average.kind);
  if (c.ensemble.kind != EnsembleKind::none) name += "-" + name_of(ensemble_names(), c.ensemble.kind);
  return name;
}

std::string to_toml(const TrainConfig& config) {
  TrainConfig copy = config;
  FrameConfig frame;
  return train_options(copy, frame).toml();
}

std::string recipe_toml(const TrainConfig& config) {
  TrainConfig copy = config;
  FrameConfig frame;
  return train_options(copy, frame).toml(true);
}

}  // namespace basin::apps
