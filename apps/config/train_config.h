// The whole configuration of a training run, and what follows from it as a whole.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/config/average.h"
#include "apps/config/data.h"
#include "apps/config/device.h"
#include "apps/config/ensemble.h"
#include "apps/config/loss.h"
#include "apps/config/measure.h"
#include "apps/config/model.h"
#include "apps/config/optimizer.h"
#include "apps/config/run.h"
#include "apps/config/run_length.h"
#include "apps/config/schedule.h"
#include "apps/config/sharpness.h"
#include "apps/options/options.h"
#include "apps/options/output.h"

namespace basin::apps {

struct SourceConfig;
struct TomlEntry;

struct TrainConfig {
  DataConfig data;
  ModelConfig model;
  OptimizerConfig optimizer;
  SharpnessConfig sharpness;
  ScheduleConfig schedule;
  AverageConfig average;
  EnsembleConfig ensemble;
  LossConfig loss;
  MeasureConfig measure;
  RunConfig run;
  DeviceConfig device;
  OutputConfig output;
};

/// Adds the options of training, those of Role::call too; with `sources` also --config, --preset and
/// --print-config.
void add(OptionTable& table, TrainConfig& config, SourceConfig* sources = nullptr);
/// Adds the options of what trained weights are asked about: the data, the model, --batch-size of `images`
/// in a pass, the device. They are all that load_run() reads of a configuration.
void add_evaluated(OptionTable& table, TrainConfig& config, const std::string& images);
/// The options of training as a table of its own, which refers to the configuration: it must outlive the
/// table, and not move.
OptionTable train_options(TrainConfig& config);

/// Checks what no single option can: relations between options. Errors: UsageError.
void validate(const TrainConfig& config);

/// Errors: UsageError for a moment of the configuration that is not within the run.
void check_moments(const TrainConfig& config, const RunLength& length);

/// The configuration with --data-dir and --init as absolute paths: config.toml is read from other places too.
TrainConfig with_whole_paths(const TrainConfig& config);

/// config.run.name, or what the run is about: cifar10-resnet20-sam, with -none left out.
std::string run_name(const TrainConfig& config);

/// The whole configuration as TOML: what --print-config prints and RUN/config.toml holds. Options that do not
/// apply (rho without SAM) and those that concern one call only (--run, --resume, --json) are left out.
std::string to_toml(const TrainConfig& config);

/// The part that decides the numbers a run computes: equal texts, equal weights. Its hash belongs in
/// checkpoints.
std::string recipe_toml(const TrainConfig& config);

/// The configuration of these entries of a config.toml; the rest has its defaults. What does not apply is
/// dropped, as a run's own file may be of a Basin that let more options count. Errors: UsageError with the
/// place for an option that this program does not know or that has no such value; those of validate().
TrainConfig train_config_of(const std::vector<TomlEntry>& entries);

/// The configuration that a recipe_toml() tells of. Errors: CheckpointError for an option that this program
/// does not know.
TrainConfig read_recipe(const std::string& toml, const std::string& name);

}  // namespace basin::apps
