// Outcome: the weights that a finished run reports, each evaluated under the same conditions.
#pragma once

#include <string>
#include <vector>

#include "apps/cli/long_work.h"
#include "apps/evaluation/ensemble.h"
#include "apps/evaluation/run_data.h"
#include "apps/runs/run_directory.h"
#include "apps/training/experiment.h"

namespace basin::apps {

struct Outcome {
  std::vector<Variant> variants{};  // last; last, recalibrated; swa, ema or lawa; ensemble
  EnsembleReport ensemble{};        // without members where the run made none
};

/// Evaluates what a run of `config` reports, on the test and validation images, and saves it in `run`:
/// final.safetensors, and final-swa.safetensors, final-ema.safetensors or final-lawa.safetensors; of an
/// update rule that is evaluated at an average of its own, that average is the last weights. Averages get
/// their batch-norm statistics from one pass over the training images as epoch number --epochs would bring
/// them, with augmentation and without dropout; no draw of the training is used up, and the model ends as it
/// began. `last` is the record of the last epoch, whose figures the last weights have; `watch` makes a watch
/// of each long part. Weights whose loss is not finite, and an average without finite statistics or without
/// weights, have a `failure` and no file. Errors: OutputError; CheckpointError for a member that is gone.
Outcome evaluate_outcome(const TrainConfig& config, const RunData& data, const RunLength& length,
                         Experiment& experiment, const EpochRecord& last, RunDirectory& run,
                         const WatchMaker& watch);

}  // namespace basin::apps
