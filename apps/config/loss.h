// What a run minimises: the struct and its options.
#pragma once

#include "autograd/ops/ops.h"

namespace basin::apps {

class OptionTable;

struct LossConfig {
  double label_smoothing = 0;
  Smoothing form = Smoothing::uniform;
};

/// Adds the group "Loss".
void add(OptionTable& table, LossConfig& loss);

}  // namespace basin::apps
