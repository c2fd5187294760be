// The table of differentiable ops: for each declaration in autograd/ops/ops.h, functions and inputs at which
// its derivatives are checked. `basin gradcheck` prints it; a test fails for a declaration without a row.
#pragma once

#include "autograd/check/op_case.h"

namespace basin {

std::vector<OpCase> op_cases();

/// A row of the printed table: the largest errors over all instances, per order.
struct CheckRow {
  std::string op;
  int cases = 0;
  std::vector<CheckErrors> orders;  // [0]: order 1
  bool passed = true;
  std::string first_failure;  // instance, order and numbers
};

/// The op's derivatives on that device.
CheckRow check_op(const OpCase& op, int order, Device device = {});

}  // namespace basin
