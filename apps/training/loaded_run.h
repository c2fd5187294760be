// LoadedRun: trained weights in their model, with the data that they are asked about.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "apps/cli/terminal.h"
#include "apps/config/train_config.h"
#include "apps/evaluation/evaluation.h"
#include "apps/evaluation/run_data.h"
#include "apps/weights/class_match.h"
#include "nn/module.h"

namespace basin::apps {

/// What is asked of which weights: by `basin eval`, and by every command that looks at trained weights.
struct LoadedRun {
  TrainConfig config{};                 // data, model and device of the request; no augmentation
  std::vector<std::string> files{};     // of weights: one, or the members of an ensemble
  std::unique_ptr<nn::Module> model{};  // as wide as the weights; with those of the file, or still blank
  RunData data{};                       // normalised as in the weights' training, labels as they count
  ClassMatch match{};                   // where each class of the data stands among the logits
  std::int64_t logits = 0;

  /// A pass over examples of it, watched as `what`.
  EvaluationOptions passes(const std::string& what, Terminal& terminal) const;
};

/// Opens the weights of one file, then the data with the normalisation that these were trained with, and
/// builds the model that holds them. Says what differs and may: classes in another order, images of another
/// size, weights of another dtype. Of `config` data, model, device and schedule.batch_size count. Errors:
/// CheckpointError for weights of another model or other classes; those of load_run_data() and
/// load_weights(); InterruptedError.
LoadedRun load_run(const TrainConfig& config, const std::string& weights, Terminal& terminal);

/// The same for the members of an ensemble, which agree on what they are. The model stays blank: members take
/// their turns in it (evaluate_ensemble()).
LoadedRun load_ensemble(const TrainConfig& config, const std::vector<std::string>& members,
                        Terminal& terminal);

}  // namespace basin::apps
