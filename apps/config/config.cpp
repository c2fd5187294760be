// What follows from a configuration as a whole: checks between options, derived names, its TOML form.
#include "apps/config/config.h"

#include <filesystem>
#include <system_error>

#include "apps/config/names.h"
#include "apps/config/option_tables.h"
#include "apps/config/run_length.h"
#include "apps/training/axes.h"
#include "core/cpu/conv/kernels.h"
#include "core/error.h"
#include "core/parallel.h"

namespace basin::apps {

namespace {

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
  // Of a run that is counted in steps they are checked when the data are known.
  if (c.schedule.steps == 0) check_moments(c, run_length(c.schedule, 0));
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

TrainConfig with_whole_paths(const TrainConfig& config) {
  TrainConfig whole = config;
  for (std::string* path : {&whole.data.dir, &whole.model.init}) {
    std::error_code error;
    const std::string absolute = path->empty() ? "" : std::filesystem::absolute(*path, error).string();
    if (!error) *path = absolute;  // without a current directory, as given
  }
  return whole;
}

void apply(const DeviceConfig& device) {
  cpu::instruction_set();  // reads BASIN_ARCH, which may be wrong
  if (device.threads > 0) set_thread_count(static_cast<int>(device.threads));
  set_conv_algorithm(device.conv_algorithm);
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
