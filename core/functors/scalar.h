// The operations of Scalars, by formulas of the other lists: a program of them is interpreted step by step.
#pragma once

#include "core/functors/binary.h"

namespace basin {

enum class ScalarOp : unsigned char {
  add,
  sub,
  mul,
  div,
  minimum,
  maximum,
  greater,
  greater_equal,
  equal,
  sqrt,
  abs,
  pow,     // x^y
  select,  // x != 0 ? y : z
};

namespace functors {

/// op(x, y, z) in f64.
BASIN_BOTH inline double compute(ScalarOp op, double x, double y, double z) {
  switch (op) {
    case ScalarOp::add:
      return Binary<BinaryOp::add>{}(x, y);
    case ScalarOp::sub:
      return Binary<BinaryOp::sub>{}(x, y);
    case ScalarOp::mul:
      return Binary<BinaryOp::mul>{}(x, y);
    case ScalarOp::div:
      return Binary<BinaryOp::div>{}(x, y);
    case ScalarOp::minimum:
      return Binary<BinaryOp::minimum>{}(x, y);
    case ScalarOp::maximum:
      return Binary<BinaryOp::maximum>{}(x, y);
    case ScalarOp::greater:
      return Binary<BinaryOp::greater>{}(x, y);
    case ScalarOp::greater_equal:
      return Binary<BinaryOp::greater_equal>{}(x, y);
    case ScalarOp::equal:
      return Binary<BinaryOp::equal>{}(x, y);
    case ScalarOp::sqrt:
      return Unary<UnaryOp::sqrt>{}(x);
    case ScalarOp::abs:
      return Unary<UnaryOp::abs>{}(x);
    case ScalarOp::pow:
      return Unary<UnaryOp::pow_scalar>{y}(x);
    case ScalarOp::select:
      return x != 0 ? y : z;
  }
  return 0;
}

}  // namespace functors
}  // namespace basin
