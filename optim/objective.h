// The contract between a model's loss and the rules that minimise it: a typed request, an evaluation.
#pragma once

#include <cstdint>
#include <functional>

#include "autograd/variable.h"

namespace basin::optim {

/// Which look at the step's batch this is. `repeat` means: same batch, same random draws (dropout,
/// augmentation), batch statistics used but running statistics held.
enum class Pass { first, repeat };

struct Request {
  Pass pass = Pass::first;
};

/// The loss at the current weights and its gradient.
struct Evaluation {
  double loss = 0;
  Tensor gradient;           // flat, {d}
  std::int64_t correct = 0;  // rows whose largest logit is the label, where the objective classifies
  std::int64_t rows = 0;
};

using Objective = std::function<Evaluation(const Request&)>;

}  // namespace basin::optim
