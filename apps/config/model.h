// Which network a command builds and what it starts from: the struct and its options.
#pragma once

#include <string>

#include "apps/options/bindings.h"
#include "nn/models/registry.h"

namespace basin::apps {

class OptionTable;
struct Option;

enum class NormStatistics { batch, frozen };

struct ModelConfig {
  std::string name = "resnet20";
  nn::Shortcut shortcut = nn::Shortcut::a;  // of the CIFAR ResNets
  std::string init;                         // safetensors file; empty: random
  bool ignore_head = false;                 // of that file: the last layer stays random
  std::string freeze;                       // patterns between commas: parameters that do not train
  NormStatistics norm_statistics = NormStatistics::batch;
};

/// Adds the group "Model" with all of it: what a training run may be told.
void add(OptionTable& table, ModelConfig& model);
/// Adds the group "Model" with the network alone.
void add_network(OptionTable& table, ModelConfig& model);

/// The name of a model.
Binding model_name(std::string& field);
const NamesOf<nn::Shortcut>& shortcut_names();  // "A", "B"

/// Makes an option count only for models with batch normalisation.
void count_for_batch_norm(Option& option);
/// Makes an option count only for models whose 3x3 convolutions could be computed in more than one way.
void count_for_convolutions(Option& option);

}  // namespace basin::apps
