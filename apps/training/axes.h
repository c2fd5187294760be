// From the configuration to the three axes of training: gradient rule, update rule, schedule, averages.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/config/run_length.h"
#include "apps/config/train_config.h"
#include "optim/averages/average.h"
#include "optim/averages/collection_times.h"
#include "optim/gradient/gradient_rule.h"
#include "optim/gradient/step_graph.h"
#include "optim/schedule/schedule.h"
#include "optim/update/update_rule.h"

namespace basin::apps {

/// The run's schedule in steps, with the phase of SWA or FGE as its tail.
optim::ScheduleOptions schedule_options(const TrainConfig& config, const RunLength& length);

/// Errors: ArgumentError (exit code 2) for options that exclude each other.
std::unique_ptr<optim::GradientRule> make_gradient_rule(const TrainConfig& config, const RunLength& length);

/// How steps are made: by calls, or on a card played from records, if not --no-graph.
std::unique_ptr<optim::StepGraph> make_step_graph(const DeviceConfig& config);

/// The average that the run keeps, if any, and when weights enter it.
struct Averaging {
  optim::WeightAverage average;
  optim::CollectionTimes times;
  bool after_applied_steps;  // of those only; else the weights enter also where the step was skipped
};
std::optional<Averaging> make_averaging(const TrainConfig& config, const RunLength& length);

/// When members of the ensemble are saved, if the run makes one. Errors: UsageError for a schedule without
/// cycles.
std::optional<optim::CollectionTimes> member_times(const TrainConfig& config, const RunLength& length);

/// Builds all of these once and throws them away: a mistake shows before the run has a directory. Errors: as
/// above, and those of check_moments(); UsageError for an average or ensemble that nothing would enter.
void check_axes(const TrainConfig& config, const RunLength& length);

}  // namespace basin::apps
