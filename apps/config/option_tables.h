// The options of each subcommand: names, groups, ranges, defaults and help, tied to the fields of its
// configuration.
#pragma once

#include <string>
#include <vector>

#include "apps/cli/options.h"

namespace basin::apps {

/// What a command line asks of the frame rather than of the command.
struct FrameConfig {
  bool help = false;
  bool print_config = false;
  std::string config;  // TOML file
  std::string preset;
  std::string resume;  // a run directory
};

// Each table refers to the configuration and the frame it is given: they must outlive it, and not move.
OptionTable train_options(TrainConfig& config, FrameConfig& frame);
OptionTable eval_options(EvalConfig& config, FrameConfig& frame);
OptionTable export_options(ExportConfig& config, FrameConfig& frame);
OptionTable info_options(InfoConfig& config, FrameConfig& frame);
OptionTable bench_options(BenchConfig& config, FrameConfig& frame);
OptionTable data_options(DataToolConfig& config, FrameConfig& frame);
OptionTable gradcheck_options(GradcheckConfig& config, FrameConfig& frame);

/// Adds the options of the three axes: update rule, gradient rule, schedule, reported weights.
void add_rules(OptionTable& table, TrainConfig& config);

/// Makes an option count only for models with batch normalisation.
void count_for_batch_norm(Option& option);

/// The data sets that --data names.
std::vector<std::string> data_names();

}  // namespace basin::apps
