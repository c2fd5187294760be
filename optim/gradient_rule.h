// Gradient rules: how the direction of a step is formed. They call the objective and never touch the update
// rule.
#pragma once

#include <limits>

#include "autograd/inventory.h"
#include "optim/objective.h"
#include "optim/parameter_vector.h"

namespace basin::optim {

/// What a report holds where nothing was measured.
inline constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

/// What a step saw, for steps.jsonl and the progress line. Values that a rule does not have stay NaN.
struct StepReport {
  double loss = kNotMeasured;            // at w
  double perturbed_loss = kNotMeasured;  // at the last point other than w; SAM's w + e
  double gradient_norm = kNotMeasured;   // |g|, g the gradient at w
  double direction_norm = kNotMeasured;  // |direction|
  double cosine = kNotMeasured;          // between g and the direction; NaN if one of them is zero
  int passes = 0;                        // forward-backward passes made
  std::int64_t correct = 0, rows = 0;    // at w
  bool finite = true;  // false: some pass met a non-finite loss or gradient; there is nothing to apply
  int failed_pass =
      -1;  // which pass, counted from 0; -1 if the passes were finite but not what they add up to

  /// Enters the next pass of the step: the first gives loss, |g|, correct and rows, a later one the perturbed
  /// loss. Returns false, with finite and failed_pass set, if its loss or the norm of its gradient is not
  /// finite. Errors: the evaluation has no gradient.
  bool enter(const Evaluation& pass);
};

/// What to descend along, {d}. Undefined when the report is not finite.
struct Direction {
  Tensor vector;
  StepReport report;
};

/// The last line of a rule: `vector`, with its norm and its angle to g (the gradient at w) in the report.
Direction along(const Tensor& vector, const Tensor& g, StepReport report);

/// A rule opens with a fresh report, enters each pass, and gives up at the first that is not finite:
///
///     StepReport report;
///     const Evaluation here = objective({.pass = Pass::first});
///     if (!report.enter(here)) return {{}, report};
///     ...
///     return along(vector, here.gradient, report);
class GradientRule {
 public:
  virtual ~GradientRule() = default;
  virtual const char* name() const = 0;
  /// Forms the direction at w. On return, or when an exception passes through, w holds the bits it came with;
  /// a step that is not finite, or throws, leaves the rule's own state alone too.
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
