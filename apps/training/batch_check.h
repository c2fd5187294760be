// Whether every batch of a run can be normalised, found before the run begins.
#pragma once

#include "apps/config/train_config.h"
#include "apps/evaluation/run_data.h"
#include "nn/module.h"

namespace basin::apps {

/// Batch normalisation needs two values a channel at least, and behind a global pooling an image has one: a
/// run whose last batch (or micro-batch) is a single image would stop at the end of its first epoch, or at
/// the very end, when running statistics are estimated. Costs a forward pass of one image, where there is
/// such a batch. Errors: UsageError that names the layer, the batch and what to do.
void check_batches(const TrainConfig& config, const RunData& data, nn::Module& model);

}  // namespace basin::apps
