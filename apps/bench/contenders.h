// The rules that `basin bench` compares, each with the options its authors use.
#pragma once

#include <string>
#include <vector>

#include "apps/config/train_config.h"

namespace basin::apps {

/// A gradient rule, or an update rule under the plain gradient, as `basin train` would be asked for it.
struct Contender {
  std::string name;       // "sam-interval"
  TrainConfig config;     // the default of `basin train`, and the rule
  bool of_norms = false;  // it needs normalisation layers
};

/// Whether it computes in the activations of that precision: exact GAM, which differentiates twice, does not
/// in bf16.
bool computes_in(const Contender& contender, Precision precision);

/// All of them.
std::vector<Contender> contenders();
/// Those that --rules names, `first` (if not empty) before all. Errors: UsageError for an unknown one, with a
/// suggestion, and for one that is there twice.
std::vector<Contender> contenders(const std::string& list, const std::string& first);

}  // namespace basin::apps
