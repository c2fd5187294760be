// What follows from a configuration as a whole: checks between options, derived names, its TOML form.
#include "apps/config.h"

#include <algorithm>

#include "apps/option_tables.h"
#include "core/error.h"

namespace basin::apps {

void validate(const TrainConfig& c) {
  if (c.optimizer.kind == Optimizer::sgd && c.optimizer.nesterov) {
    if (c.optimizer.momentum == 0) throw UsageError("--nesterov needs --momentum > 0");
    if (c.optimizer.dampening != 0) throw UsageError("--nesterov needs --dampening 0");
  }
  const auto epochs = static_cast<double>(c.schedule.epochs);
  if (c.schedule.warmup_epochs > epochs) {
    throw UsageError("--warmup-epochs ", c.schedule.warmup_epochs, " is longer than the run (--epochs ",
                     epochs, ")");
  }
  using Kind = optim::ScheduleKind;
  if ((c.schedule.kind == Kind::cosine || c.schedule.kind == Kind::linear) &&
      c.schedule.min_lr > c.optimizer.lr) {
    throw UsageError("--min-lr ", c.schedule.min_lr, " is above --lr ", c.optimizer.lr);
  }
  if (c.schedule.kind == Kind::step)
    milestone_epochs(c.schedule);  // It becomes the beginning of a directory's name.
  if (c.run.name.find('/') != std::string::npos || c.run.name.starts_with('.')) {
    throw UsageError("--name ", quote(c.run.name),
                     " is no name for a directory: no '/', and no '.' at its start");
  }
  if (c.output.quiet && c.output.verbose) throw UsageError("--quiet and --verbose exclude each other");
  if (c.run.dry_run && c.run.resume)
    throw UsageError("--dry-run starts a new run and --resume an old one: give one");
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
      throw UsageError("--milestones ", m, " is not before the end of the run (--epochs ", epochs, ")");
    resolved.push_back(at);
  }
  return resolved;
}

std::string run_name(const TrainConfig& c) {
  if (!c.run.name.empty()) return c.run.name;
  std::string name = c.data.name + "-" + c.model.name;
  switch (c.sharpness.kind) {
    case Sharpness::none:
      break;
    case Sharpness::sam:
      name += "-sam";
      break;
  }
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
