// From the words of a command line to a call that is ready to run, through every source of values.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/cli/command.h"
#include "apps/options/variables.h"

namespace basin::apps {

/// What a command line comes to. With `print` set, that text is the whole answer and nothing is to be run.
struct Parsed {
  std::unique_ptr<Call> call;
  OptionTable table;               // of the call's options, with their values
  std::vector<std::string> words;  // that belong to no option; empty ones up to Command::most_words
  std::string print;
  std::vector<std::string> warnings;
  std::vector<std::string> origins;  // "optimizer.lr = 0.2 (--lr)", one an option that has no default value
};

/// Reads `arguments`, those behind the command's name. Sources, weakest first: defaults, a preset, a file (or
/// the configuration of the run that is resumed or evaluated), environment, flags. What decides the numbers
/// of a run is stronger in the run's own configuration than in the environment. Errors: UsageError, one line;
/// CheckpointError for a run directory that is none.
Parsed parse(const Program& program, const Command& command, const std::vector<std::string>& arguments,
             const Environment& environment);

}  // namespace basin::apps
