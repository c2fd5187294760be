// The table of differentiable ops: for each declaration in autograd/ops.h, functions and inputs at which its
// derivatives are checked. `basin gradcheck` prints it; a test fails for a declaration without a row.
#pragma once

#include "autograd/check_gradients.h"

namespace basin {

/// One function and the point (f64, away from kinks) at which it is checked. The function takes f32 inputs as
/// well.
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

std::vector<OpCase> op_cases();

/// A row of the printed table: the largest errors over all instances, per order.
struct CheckRow {
  std::string op;
  int cases = 0;
  std::vector<CheckErrors> orders;  // [0]: order 1
  bool passed = true;
  std::string first_failure;  // instance, order and numbers
};

CheckRow check_op(const OpCase& op, int order);

}  // namespace basin
