// Gradient rules: how the direction of a step is formed. They call the objective and never touch the update
// rule.
#pragma once

#include <memory>
#include <string>

#include "autograd/inventory.h"
#include "optim/objective.h"
#include "optim/parameter_vector.h"

namespace basin::optim {

/// What a step saw, for steps.jsonl and the progress line. Values that a rule does not have stay NaN.
struct StepReport {
  double loss;                         // at w
  double perturbed_loss;               // at w + e
  double gradient_norm;                // |g|
  double direction_norm;               // |direction|
  double cosine;                       // between g and the direction
  int passes = 0;                      // forward-backward passes made
  std::int64_t correct = 0, rows = 0;  // at w
  bool finite =
      true;  // false: some pass met a non-finite loss or gradient; the direction must not be applied
  int failed_pass = -1;  // which pass, counted from 0

  StepReport();
};

/// What to descend along, {d}. Undefined when the report is not finite.
struct Direction {
  Tensor vector;
  StepReport report;
};

class GradientRule {
 public:
  virtual ~GradientRule() = default;
  virtual const char* name() const = 0;
  /// Forms the direction at w. On return, or when an exception passes through, w holds the bits it came with.
  virtual Direction direction(const Objective& objective, ParameterVector& w) = 0;
  /// State beyond the weights (none for plain and SAM), for checkpoints.
  virtual void describe(Inventory&) {}
};

/// g = grad L(w).
class Plain : public GradientRule {
 public:
  const char* name() const override { return "plain"; }
  Direction direction(const Objective& objective, ParameterVector& w) override;
};

}  // namespace basin::optim
