// What a training run says as it begins, of a step that failed, and when it is done.
#pragma once

#include <optional>
#include <string>

#include "apps/config/run_length.h"
#include "apps/config/train_config.h"
#include "apps/evaluation/run_data.h"
#include "apps/runs/run_directory.h"
#include "apps/training/experiment.h"
#include "apps/training/outcome.h"
#include "apps/training/run_state.h"

namespace basin::apps {

/// Tells the terminal and run.json what trains on what, and writes which data and noisy labels they are.
/// `begins`: not resumed. Errors: OutputError.
void announce(const TrainConfig& config, const RunData& data, const RunLength& length, Experiment& experiment,
              const std::optional<optim::CollectionTimes>& members, bool begins, RunDirectory& run,
              Terminal& terminal);

/// One step for steps.jsonl: what its report says, at `lr`, begun at the state before it.
StepRecord record_of(const optim::StepReport& report, const RunState& before, double lr);

/// Why a step was not applied: "the gradient at w + e is not finite, first in 'fc.weight'".
std::string failure_in_words(const optim::StepReport& report, const NonFinite& what);

/// The results: tables, the files that there are, and the JSON document.
void show(const RunData& data, const RunLength& length, const RunState& state, const RunResult& result,
          const Outcome& outcome, const std::string& run, Terminal& terminal);

}  // namespace basin::apps
