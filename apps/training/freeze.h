// Frozen parameters: those of a model that training leaves as they are.
#pragma once

#include <string>
#include <vector>

#include "autograd/inventory.h"

namespace basin::apps {

/// What --freeze leaves of a model.
struct Frozen {
  std::vector<NamedParameter> trained{};  // the others, for a ParameterVector
  std::int64_t tensors = 0, numbers = 0;  // that are frozen
};

/// Makes constants of the parameters that have one of the `patterns` as name ('*' stands for any text). They
/// are then no part of w: no gradient is computed for them (nor for what lies before the first layer that
/// trains), and decay, momentum, perturbations, norms and averages know nothing of them; files hold them as
/// ever. Errors: UsageError for a pattern that is no parameter's name, with names near to it; for patterns
/// that leave nothing to train.
Frozen freeze(const std::vector<NamedParameter>& parameters, const std::vector<std::string>& patterns);

}  // namespace basin::apps
