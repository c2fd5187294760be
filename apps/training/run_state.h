// RunState: where a training run stands between two steps.
#pragma once

#include <cstdint>
#include <vector>

#include "apps/config/train_config.h"
#include "apps/evaluation/run_data.h"
#include "apps/runs/checkpoint.h"
#include "apps/runs/records.h"
#include "apps/training/experiment.h"

namespace basin::apps {

/// What a checkpoint has beside tensors: with those it is all that the rest of the run depends on.
struct RunState {
  std::int64_t step = 0;   // updates made
  std::int64_t epoch = 0;  // epochs finished
  std::int64_t batch = 0;  // batches done in the current epoch
  std::int64_t samples_seen = 0;
  std::int64_t skipped_in_row = 0;  // up to the last step
  std::int64_t skipped = 0;         // of the whole run
  EpochSums sums{};                 // of the current epoch
  std::vector<EpochRecord> epochs{};
  double seconds = 0;  // that the run took, of all calls together
};

/// The state with what the run is: a checkpoint's position.
TrainingPosition position_of(const RunState& state, const TrainConfig& config, const RunData& data);

/// The inverse. `epochs` stays empty where a checkpoint of an earlier Basin does not hold them.
RunState state_at(const TrainingPosition& position);

/// The tensors: model, optimizer, gradient rule, average.
std::vector<StatePart> parts_of(Experiment& experiment);

}  // namespace basin::apps
