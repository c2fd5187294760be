// Models by name, as `basin train --model NAME` builds them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "nn/models/shortcut.h"
#include "nn/module.h"

namespace basin::nn {

struct ModelSpec {
  std::string name = "resnet20";
  Index height = 32, width = 32, channels = 3;  // of one sample
  Index classes = 10;
  Shortcut shortcut = Shortcut::a;  // of CIFAR's ResNets, of depth 6n+2
  std::uint64_t seed = 42;          // of the initial weights
  Dtype dtype = Dtype::f32;
  Device device = {};  // where the weights live
  bool blank = false;  // zeros in place of drawn weights, for weights that come from elsewhere
};

struct ModelInfo {
  std::string name;
  std::string about;            // one line: what it is, where it is from
  bool batch_norm = true;       // some layer is batch normalisation
  bool convolves_3x3 = true;    // some layer is a 3x3 convolution
  bool takes_shortcut = false;  // ModelSpec::shortcut counts
};

/// Every model that make_model knows.
std::vector<ModelInfo> models();
std::vector<std::string> model_names();

/// The head of a classifier, its last linear layer in the order of describe(), as its names begin: "fc",
/// "heads.head". Errors: ArgumentError, there is none.
std::string head_of(Module& model);

/// Builds a model with fresh weights. Errors: UsageError for an unknown name, ArgumentError for a sample size
/// that the model cannot take.
std::unique_ptr<Module> make_model(const ModelSpec& spec);

}  // namespace basin::nn
