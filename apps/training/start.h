// Where a training run starts from: the weights of --init in a fresh model.
#pragma once

#include <string>
#include <vector>

#include "apps/cli/terminal.h"
#include "apps/config/train_config.h"
#include "apps/weights/identity.h"
#include "nn/module.h"

namespace basin::apps {

/// What --init gave a model, in words, and what its user should know before the run.
struct Start {
  std::string words{};
  std::vector<std::string> warnings{};
};

/// The words as a line of the log, the warnings as such.
void tell(const Start& start, Terminal& terminal);

/// Loads config.init into `model`, a network for `set`'s images. Classes are matched by name: the rows of the
/// head are read in the data's order. Errors: CheckpointError for other classes (unless config.ignore_head),
/// and those of load_weights().
Start start_from_file(nn::Module& model, const ModelConfig& config, const ImageSet& set);

}  // namespace basin::apps
