// One row of the table of differentiable ops.
#pragma once

#include <string>
#include <vector>

#include "autograd/check/check_gradients.h"

namespace basin {

/// One function and the point (f64, away from kinks) at which it is checked. The function takes f32 inputs as
/// well, and those of any device.
struct OpInstance {
  std::string label;  // "{2,3,5} with {5}", "stride 2, padding 1"
  Function function;
  Tensors inputs;
};

/// A row: an op with all its instances.
struct OpCase {
  std::string name;                       // unique; what `--op` takes
  std::vector<std::string> declarations;  // what it covers of ops.h: "pow(Variable, double)"
  std::vector<OpInstance> instances;
};

}  // namespace basin
