// Command lines: from an argument vector to a configuration, through every source of options.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "apps/cli/options.h"
#include "apps/cli/variables.h"
#include "apps/config/config.h"

namespace basin::apps {

/// What a command line comes to. With `print` set, that text is the whole answer and nothing is to be run.
template <class Config>
struct Call {
  Config config;
  std::string print;
  std::vector<std::string> warnings;
  std::vector<std::string> origins;  // "lr = 0.2 (--lr)", one an option that has no default value
};

// Each takes the arguments after the subcommand's name. Sources, weakest first: defaults, --preset, --config
// (or the configuration of the run that is resumed or evaluated), environment, flags. A run's own
// configuration is stronger than the environment for everything that decides its numbers, and a flag may not
// change that part of a resumed run. Errors: UsageError, one line; CheckpointError for a run directory that
// is none.
Call<TrainConfig> parse_train(const std::vector<std::string>& arguments, const Environment& environment);
Call<EvalConfig> parse_eval(const std::vector<std::string>& arguments, const Environment& environment);
Call<ExportConfig> parse_export(const std::vector<std::string>& arguments, const Environment& environment);
Call<InfoConfig> parse_info(const std::vector<std::string>& arguments, const Environment& environment);
Call<DataToolConfig> parse_data(const std::vector<std::string>& arguments, const Environment& environment);
Call<BenchConfig> parse_bench(const std::vector<std::string>& arguments, const Environment& environment);
Call<GradcheckConfig> parse_gradcheck(const std::vector<std::string>& arguments,
                                      const Environment& environment);

/// The configuration that a run was started with, from DIR/config.toml.
/// Errors: CheckpointError when there is none or it is empty; UsageError with its place when it is not valid.
TrainConfig read_run_config(const std::string& directory);

/// The configuration that a recipe_toml() tells of; the rest has its defaults. Errors: CheckpointError for an
/// option that this program does not know.
TrainConfig read_recipe(const std::string& toml, const std::string& name);

/// Flags as given, in the order of the arguments: option and value ("true" or "false" for flags without one).
using GivenFlags = std::vector<std::pair<std::string, std::string>>;

/// Splits arguments by the options of `table`: "--lr 0.1", "--lr=0.1", "-o FILE", "-qv", "--no-progress".
/// An option that is no flag takes the next word, whatever it is ("-1", "[a,b]"), unless that is an option
/// itself. Every other word, and all words behind "--", go to `positionals`, at most `most` of them. Errors:
/// UsageError for an unknown option (with a suggestion), a missing value, a word without a place, an option
/// given twice with two values.
GivenFlags split_arguments(const OptionTable& table, const std::vector<std::string>& arguments,
                           std::size_t most, std::vector<std::string>& positionals);

}  // namespace basin::apps
