// The configuration that a run directory holds, for commands that go on with the run or look at it.
#pragma once

#include <string>

#include "apps/config/train_config.h"

namespace basin::apps {

/// The configuration that a run was started with, from DIR/config.toml.
/// Errors: CheckpointError when there is none or it is empty; UsageError with its place when it is not valid.
TrainConfig read_run_config(const std::string& directory);

/// Gives the options that a command shares with training the values that the run in `directory` has for them.
/// Errors: as read_run_config().
void take_from_run(OptionTable& table, const std::string& directory);

/// Checks that no flag in `table`, of `basin train --resume DIRECTORY`, changes what decides the run's
/// numbers. Errors: UsageError naming the first that does, with both values.
void refuse_changes(const OptionTable& table, const std::string& directory);

}  // namespace basin::apps
