#include "apps/config/model.h"

#include "apps/options/options.h"

namespace basin::apps {
namespace {

/// The models that have what `has` says.
std::vector<std::string> models_with(bool nn::ModelInfo::*has) {
  std::vector<std::string> names;
  for (const nn::ModelInfo& model : nn::models())
    if (model.*has) names.push_back(model.name);
  return names;
}

/// Options of training alone: what the network starts from, and what of it stays.
void add_start(OptionTable& t, ModelConfig& c) {
  t.add("init", "init", free_text(c.init, "FILE", "a file"),
        "start from the weights in this safetensors or npz file; docs/weights.md says which programs' names "
        "are understood")
      .aliases = {"pretrained", "finetune", "weights"};
  Option& head =
      t.add("ignore-head", "ignore_head", toggle(c.ignore_head),
            "leave the last layer as it starts at random, not as in the file: for data with other classes");
  head.only_with("init", {"!"});
  t.add("freeze", "freeze", name_list(c.freeze),
        "parameters that keep their values, such as conv1.*,layer1.*; empty: none")
      .aliases = {"frozen"};
  Option& statistics =
      t.add("norm-statistics", "norm_statistics",
            choice(c.norm_statistics, {{"batch", NormStatistics::batch}, {"frozen", NormStatistics::frozen}}),
            "what batch normalisation trains with; batch: the statistics of the batch; frozen: its running "
            "ones, which then stay as they are (fine-tuning as in SAM's paper)");
  count_for_batch_norm(statistics);
  statistics.aliases = {"freeze-bn", "frozen-bn"};
}

}  // namespace

const NamesOf<nn::Shortcut>& shortcut_names() {
  static const NamesOf<nn::Shortcut> names = {{"A", nn::Shortcut::a}, {"B", nn::Shortcut::b}};
  return names;
}

Binding model_name(std::string& field) {
  return named(field, nn::model_names(), "models", "`basin info --models`");
}

void count_for_batch_norm(Option& option) {
  option.only_with("model", models_with(&nn::ModelInfo::batch_norm), "with batch normalisation");
}

void count_for_convolutions(Option& option) {
  option.only_with("model", models_with(&nn::ModelInfo::convolves_3x3), "with 3x3 convolutions");
}

void add_network(OptionTable& t, ModelConfig& c) {
  t.group("model", "Model");
  t.add("model", "name", model_name(c.name), "the network, one of `basin info --models`").aliases = {
      "arch", "net", "network"};
  t.add("shortcut", "shortcut", choice(c.shortcut, shortcut_names()),
        "what the CIFAR ResNets' shortcuts do where sizes change; A: pad with zeros; B: a 1x1 convolution")
      .only_with("model", models_with(&nn::ModelInfo::takes_shortcut));
}

void add(OptionTable& t, ModelConfig& c) {
  add_network(t, c);
  add_start(t, c);
}

}  // namespace basin::apps
