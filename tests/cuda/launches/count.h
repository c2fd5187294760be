// What a training step of `basin train` is on a card: the work that its record holds.
#pragma once

#include <runtime_double.h>

#include "apps/evaluation/run_data.h"
#include "apps/training/experiment.h"
#include "data/loading/loader.h"
#include "tests/apps/training.h"
#include "tests/cuda/device.h"

namespace basin::testing {

/// The second step of a small run with these options: the one that is recorded.
inline fake::Recorded recorded_step(const test::Words& options) {
  test::Words words{"--batch-size", "4", "--limit", "16", "--augment", "basic"};
  words.insert(words.end(), options.begin(), options.end());
  apps::TrainConfig config = test::small("unused", words);
  config.device.device = cuda_device();
  const apps::RunData data = apps::load_run_data(config.data, config.run.seed);
  apps::Experiment experiment(config, data.set, apps::run_length(config.schedule, data.train->size()));
  experiment.make_steps_by(std::make_unique<optim::RecordedSteps>(cuda_device()));
  data::LoaderOptions batches = apps::training_batches(config, 0, 0);
  batches.drawn_only = true;
  data::Loader loader(data.train, batches);
  for (std::int64_t t = 0; t < 2; ++t) {
    fake::recorded().clear();
    data::Batch batch;
    if (!loader.next(batch) || !experiment.step(batch, t).finite)
      throw InternalError("[launches] the run is shorter than 2 steps, or diverges");
  }
  return fake::recorded();
}

}  // namespace basin::testing
