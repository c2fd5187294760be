// What a command prints, and how much of it: the options that every command has.
#pragma once

#include "apps/options/period.h"

namespace basin::apps {

class OptionTable;

struct OutputConfig {
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  bool progress = true;
  Period log_every{0.1, Period::Unit::epochs};
};

/// Adds the group "Output" with --json, --quiet and --verbose.
void add(OptionTable& table, OutputConfig& output);
/// Adds --progress, for a command with long loops.
void add_progress(OptionTable& table, OutputConfig& output);
/// Adds --log-every, for a command whose loops are counted in steps.
void add_log_every(OptionTable& table, OutputConfig& output);

}  // namespace basin::apps
