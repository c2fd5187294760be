// The contract between a model's loss and the rules that minimise it: a typed request, an evaluation.
#pragma once

#include <cstdint>
#include <functional>

#include "autograd/variable.h"

namespace basin::optim {

class ParameterVector;

/// Which look at the step's batch this is. `repeat` means: same batch, same random draws (dropout,
/// augmentation), batch statistics used but running statistics held.
enum class Pass { first, repeat };

struct Request {
  Pass pass = Pass::first;
};

/// The loss at the current weights and its gradient.
struct Evaluation {
  double loss = 0;
  Tensor gradient = {};      // flat, {d}; the receiver's: nobody writes to it afterwards
  std::int64_t correct = 0;  // rows whose largest logit is the label, where the objective classifies
  std::int64_t rows = 0;
};

/// Computes the loss of the step's batch at the weights as they are now. It reads the weights and never
/// writes to them.
using Objective = std::function<Evaluation(const Request&)>;

/// Differentiates a scalar loss with respect to w: what an objective usually ends with. Consumes the history
/// of `loss`. A parameter that the loss does not depend on has gradient zero.
/// Errors: loss not a scalar; a weight written to since it was used.
Evaluation evaluate(const Variable& loss, const ParameterVector& w);

}  // namespace basin::optim
