// A run and its files: the struct and its options.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/options/period.h"

namespace basin::apps {

class OptionTable;

struct RunConfig {
  std::string dir;   // --run, or the directory of --resume; empty: runs/NAME-NNN
  std::string name;  // empty: DATA-MODEL[-SHARPNESS], see run_name()
  std::uint64_t seed = 42;
  bool force = false;   // replace the run in `dir`
  bool resume = false;  // go on with the run in `dir`
  std::string resumed;  // --resume as given: `resume` and `dir` follow from it
  Period checkpoint_every{1, Period::Unit::epochs};
  std::int64_t keep = 2;              // checkpoints
  std::int64_t stop_after_steps = 0;  // of this call; 0: no limit
  std::int64_t max_seconds = 0;       // of this call; 0: no limit
  bool dry_run = false;
  bool tensorboard = false;          // the records also as event files
  std::vector<std::string> command;  // as called, for run.json
};

/// Adds the group "The run and its files".
void add(OptionTable& table, RunConfig& run);

}  // namespace basin::apps
