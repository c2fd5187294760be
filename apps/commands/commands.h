// The subcommands of `basin`. Each takes its configuration, writes to the terminal, returns the exit code;
// failures are exceptions (core/error.h), which apps/cli/dispatch.cpp turns into one line and an exit code.
#pragma once

#include <string>
#include <vector>

#include "apps/cli/terminal.h"
#include "apps/config/config.h"

namespace basin::apps {

/// Trains a network into a run directory; 129, 130, 143 or 152 when a signal stopped it and it saved.
int train_command(const TrainConfig& config, Terminal& terminal);
/// Evaluates trained weights on the test images.
int eval_command(const EvalConfig& config, Terminal& terminal);
/// Writes trained weights for other programs; 7 when the file does not read back as it was written.
int export_command(const ExportConfig& config, Terminal& terminal);
/// Describes this build and machine, a model, or a file.
int info_command(const InfoConfig& config, Terminal& terminal);
/// Looks at a data set; 7 when a picture of a folder cannot be decoded.
int data_command(const DataToolConfig& config, Terminal& terminal);
/// Measures one of bench_subjects() (apps/bench/bench.h).
int bench_command(const BenchConfig& config, Terminal& terminal);
const std::vector<std::string>& bench_subjects();
/// Checks derivatives against finite differences; 7 when one is wrong.
int gradcheck_command(const GradcheckConfig& config, Terminal& terminal);

}  // namespace basin::apps
