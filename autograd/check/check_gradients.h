// Gradient checking: derivatives of any order against finite differences, in f64.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "autograd/variable.h"

namespace basin {

/// A function to differentiate: one Variable, of any shape, from several.
using Function = std::function<Variable(const Variables& inputs)>;

struct CheckOptions {
  int order = 1;              // 1: the derivative; 2: also the derivative of the derivative; and so on
  double tolerance = 1e-6;    // order 1, relative to the largest entry of the derivative that is checked
  double tolerance_2 = 1e-5;  // order 2 and above
  double step = 2e-3;      // of the differences, times max(1, |x|); keep inputs farther than that from kinks
  std::uint64_t seed = 1;  // of the random directions
};

/// The largest errors at one order. An error is |derivative - difference|, absolute, and divided by the
/// largest entry of the derivative with respect to the same input: small derivatives are held to their own
/// size.
struct CheckErrors {
  double absolute = 0;
  double relative = 0;
  bool passed = true;
  std::string first_failure;  // which input and entry, and both numbers; empty if passed
};

/// Checks the derivatives of f at `inputs` (f64), one result per order. At each order: the product with a
/// random cotangent and with every unit cotangent (the whole Jacobian) entry by entry where inputs and
/// outputs are few, and along a random direction in every input always; and that the plain sweep (fused
/// kernels) and the differentiable one (their meaning) agree. Order k + 1 is order 1 of <d<f,u>/dx, v>, u and
/// v random, as a function of x and u. A difference passes within tolerance * scale + the rounding error of
/// the difference quotient itself. Errors: ArgumentError for inputs that are not f64.
std::vector<CheckErrors> check_gradients(const Function& f, const Tensors& inputs,
                                         const CheckOptions& options = {});

}  // namespace basin
