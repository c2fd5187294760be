#include "apps/config/train_config.h"

#include <filesystem>
#include <system_error>

#include "apps/config/run_length.h"
#include "apps/options/sources.h"
#include "apps/options/toml_file.h"
#include "core/error.h"

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
  if (s.kind == Sharpness::msam && averages_itself(c.optimizer.kind))
    throw UsageError("--sharpness msam climbs along the momentum, which --optimizer ",
                     name_of(optimizer_names(), c.optimizer.kind), " does not keep");
  if (s.kind == Sharpness::msam && momentum_is_optional && c.optimizer.momentum == 0)
    throw UsageError("--sharpness msam climbs along the momentum: it needs --momentum > 0");
  if (differentiates_twice(s) && s.micro == Micro::shared)
    throw UsageError("--gam-form exact needs the whole batch at once, or --micro own");
}

/// Schedule-Free is schedule and average in one.
void check_schedule_free(const TrainConfig& c) {
  if (!averages_itself(c.optimizer.kind)) return;
  const std::string rule = "--optimizer " + name_of(optimizer_names(), c.optimizer.kind);
  if (c.average.kind != Average::none)
    throw UsageError(rule, " averages its weights itself: not with --average ",
                     name_of(average_names(), c.average.kind));
  if (c.ensemble.kind != EnsembleKind::none)
    throw UsageError(rule, " needs no cycles: not with --ensemble ",
                     name_of(ensemble_names(), c.ensemble.kind));
  if (c.schedule.kind != optim::ScheduleKind::constant)
    throw UsageError(rule, " takes the place of a rate that falls: give --schedule constant, and with it ",
                     "--warmup-epochs if you like");
  if (c.average.recalibrate_last)
    throw UsageError(rule, " is evaluated with recalibrated statistics: not with --recalibrate-last");
  if (c.optimizer.lookahead > 0) throw UsageError(rule, " has slow weights of its own: not with --lookahead");
}

}  // namespace

void validate(const TrainConfig& c) {
  check_schedule_free(c);
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
  if (c.device.precision == Precision::bf16 && differentiates_twice(c.sharpness))
    throw UsageError(
        "--gam-form exact differentiates twice, for which bf16 has too few digits: --precision f32 or tf32");
  if (c.run.dry_run && c.run.resume)
    throw UsageError("--dry-run starts a new run and --resume an old one: give one");
  if (c.run.dry_run && c.run.stop_after_steps > 0)
    throw UsageError("--dry-run tries one step: --stop-after-steps does not count");
}

void check_moments(const TrainConfig& c, const RunLength& length) {
  const auto epochs = static_cast<double>(length.epochs);
  const std::string words = length.in_words();
  const auto not_longer = [&](const char* flag, double given) {
    if (given > epochs) throw UsageError("--", flag, " ", given, " is longer than the run (", words, ")");
  };
  const auto in_the_run = [&](const char* flag, double start) {
    if (length.first_epoch(start) > length.epochs)
      throw UsageError("--", flag, " ", start, " is not within the run (", words, ")");
  };
  not_longer("warmup-epochs", c.schedule.warmup_epochs);
  if (c.schedule.kind == optim::ScheduleKind::step) length.milestone_epochs(c.schedule.milestones);
  if (c.sharpness.kind != Sharpness::none) {
    not_longer("rho-warmup-epochs", c.sharpness.rho_warmup_epochs);
    if (c.sharpness.start >= epochs)  // so many epochs are done before
      throw UsageError("--sharpness-start ", c.sharpness.start, " is not within the run (", words, ")");
    if (c.sharpness.end >= epochs)  // the default does that
      throw UsageError("--sharpness-end ", c.sharpness.end, " is not within the run (", words, ")");
  }
  if (c.average.kind != Average::none) in_the_run("average-start", c.average.start);
  if (c.average.kind == Average::swa && c.average.swa_lr > 0)
    not_longer("swa-anneal-epochs", c.average.swa_anneal_epochs);
  if (c.ensemble.kind == EnsembleKind::fge) in_the_run("fge-start", c.ensemble.start);
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

std::string run_name(const TrainConfig& c) {
  if (!c.run.name.empty()) return c.run.name;
  std::string name = c.data.name + "-" + c.model.name;
  if (c.sharpness.kind != Sharpness::none) name += "-" + name_of(sharpness_names(), c.sharpness.kind);
  if (c.average.kind != Average::none) name += "-" + name_of(average_names(), c.average.kind);
  if (c.ensemble.kind != EnsembleKind::none) name += "-" + name_of(ensemble_names(), c.ensemble.kind);
  return name;
}

void add(OptionTable& t, TrainConfig& c, SourceConfig* sources) {
  add(t, c.data);
  add(t, c.model);
  add(t, c.optimizer);
  add(t, c.sharpness);
  add(t, c.schedule);
  add(t, c.average);
  add(t, c.ensemble);
  add(t, c.loss);
  add(t, c.measure);
  add(t, c.run);
  if (sources) add(t, *sources);
  add(t, c.device);
  add_graph(t, c.device);
  add(t, c.output);
  add_progress(t, c.output);
  add_log_every(t, c.output);
}

void add_evaluated(OptionTable& t, TrainConfig& c, const std::string& images) {
  t.group("data", "Data");
  add_source(t, c.data);
  add_workers(t, c.data);
  add_network(t, c.model);
  t.group("schedule", "Work");
  t.add("batch-size", "batch_size", whole(c.schedule.batch_size, 1, 1'000'000),
        images + " in a pass (never changes a result)");
  add(t, c.device);
}

OptionTable train_options(TrainConfig& config) {
  OptionTable table;
  add(table, config);
  return table;
}

std::string to_toml(const TrainConfig& config) {
  TrainConfig copy = config;
  return train_options(copy).toml();
}

std::string recipe_toml(const TrainConfig& config) {
  TrainConfig copy = config;
  return train_options(copy).toml(true);
}

TrainConfig train_config_of(const std::vector<TomlEntry>& entries) {
  TrainConfig config;
  OptionTable table = train_options(config);
  take_toml(table, entries, Source::file);
  table.settle(/*of_run=*/true);
  validate(config);
  return config;
}

TrainConfig read_recipe(const std::string& toml, const std::string& name) {
  try {
    return train_config_of(parse_toml(toml, name));
  } catch (const UsageError& e) {
    throw CheckpointError("[recipe] of another version of basin: ", e.what());
  }
}

}  // namespace basin::apps
