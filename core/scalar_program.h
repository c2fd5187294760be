// ScalarProgram: a few steps of arithmetic with numbers of a device, for one kernel of one thread.
#pragma once

#include <vector>

#include "core/functors/scalar.h"
#include "core/scalar.h"

namespace basin {

/// Numbers are counted: first the inputs, then the results of the steps. A step names its operands by their
/// place in that row, before its own.
struct ScalarProgram {
  struct Step {
    ScalarOp op;
    unsigned char x, y, z;  // operands that the operation does not have are 0
  };
  static constexpr std::size_t kMostInputs = 64, kMostSteps = 32;

  std::vector<Scalar> inputs;  // known ones, and ones that are there
  std::vector<Step> steps;
};

}  // namespace basin
