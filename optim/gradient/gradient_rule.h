// Gradient rules: how the direction of a step is formed. They call the objective and never touch the update
// rule.
#pragma once

#include <limits>
#include <memory>

#include "autograd/inventory.h"
#include "core/recording.h"
#include "optim/objective.h"
#include "optim/parameter_vector.h"
#include "optim/step_info.h"

namespace basin::optim {

/// What a report holds where nothing was measured.
inline constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

/// What a step saw, for steps.jsonl and the progress line. Values that a rule does not have stay NaN.
struct StepReport {
  Scalar loss = kNotMeasured;  // of the first pass: at w (MSAM, which never visits w: where it looks)
  Scalar perturbed_loss = kNotMeasured;  // at the last point other than w; SAM's w + e
  Scalar gradient_norm = kNotMeasured;   // |g|, g the gradient of the first pass
  Scalar perturbed_norm = kNotMeasured;  // |g_s|, g_s the gradient at the last point other than w
  Scalar direction_norm = kNotMeasured;  // |direction|
  Scalar cosine = kNotMeasured;          // between g and the direction; NaN if one of them is zero
  Scalar rho = kNotMeasured;             // radius of this step, of a rule that has one
  Scalar clipped = 1;                    // the factor that clipping put on the direction
  int passes = 0;                        // forward-backward passes made over the batch
  Scalar correct = 0;                    // of the first pass
  std::int64_t rows = 0;                 // of the first pass
  /// Condition: all passes met finite losses and gradients. Else there is nothing to apply.
  Scalar finite = true;
  /// Which pass was not finite, counted from 0; -1 if all were, or were but not what they add up to.
  Scalar failed_pass = -1;

  /// Enters the next pass of the step: the first gives loss, |g|, correct and rows, a later one the perturbed
  /// loss and |g_s|. If its loss, the norm of its gradient, or its grad |grad L| is not finite, `finite` and
  /// `failed_pass` say so. Returns whether to go on: false where the host knows that the step is not finite.
  /// Errors: the evaluation has no gradient.
  bool enter(const Evaluation& pass);
  /// Takes back what was measured away from w unless the condition holds: of a climb that led nowhere.
  void perturbed_only_if(const Scalar& condition);
  /// Sends the numbers of a device to the host, once nothing will change them there any more: bring_here()
  /// then waits for them alone, not for what is asked of the device in between.
  void send_here();
  /// Makes all of it known: of a step on a device the one moment at which the host waits for it.
  void bring_here();
  /// Puts the numbers of a device side by side there: the last thing that a recorded step does, so that
  /// bring_here() fetches them without asking the device for more.
  void gather_there();

  Tensor gathered = {};                    // by gather_there(): {n} f64; undefined elsewhere
  std::shared_ptr<Arrival> arriving = {};  // the same, after send_here()
};

/// state <- now if the step is finite, in place: what a rule remembers of a step. A state that is not there
/// yet comes to be: `now`, or on a device where the step turns out not to be finite, zeros.
void remember(Tensor& state, const Tensor& now, const Scalar& finite);

/// What to descend along, {d}. Undefined when the report is known not to be finite.
struct Direction {
  Tensor vector;
  StepReport report;
};

/// The last line of a rule: `vector`, with its norm and its angle to g (the gradient at w) in the report. A
/// vector that is not finite makes the step not finite.
Direction along(const Tensor& vector, const Tensor& g, StepReport report);

/// The direction, shortened to max_norm if it is longer; the report then has the new norm and the factor.
/// What "gradient clipping" means here: it acts on the final direction and never on a gradient that a rule
/// climbs along, where it would change nothing. Errors: max_norm not above 0.
Direction clipped(Direction direction, double max_norm);

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

  /// Checks before the first step that the rule has something to do at these parameters. Errors:
  /// ArgumentError.
  virtual void check_parameters(const ParameterVector&) const {}

  /// The direction at w. On return, or when an exception passes through, w holds the bits it came with; a
  /// step that is not finite, or throws, leaves the rule's own state alone too. Errors: the objective's
  /// gradient is not like w; the rule's own.
  Direction direction(const Objective& objective, ParameterVector& w, const StepInfo& now = {});
  /// State beyond the weights (none for plain and SAM), for checkpoints. A tensor may be undefined: state
  /// that is not there yet. Once there it is written in place: who wants to go back holds a BufferGuard.
  virtual void describe(Inventory&) {}
  /// Which passes and which branches of the host this step takes: SAM's rho = 0, LookSAM's k-th step, a state
  /// that is not there yet. Here: unknown, and the step is made by calls, never from a record.
  virtual Sequence sequence(const StepInfo&) const { return {}; }
  /// False only if this step leaves the rule's state alone: nobody needs to keep a copy of it then.
  virtual bool remembers(const StepInfo&) const { return true; }

 protected:
  /// What a rule computes; see direction().
  virtual Direction form(const Objective& objective, ParameterVector& w, const StepInfo& now) = 0;
};

/// g = grad L(w).
class Plain : public GradientRule {
 public:
  const char* name() const override { return "plain"; }
  Sequence sequence(const StepInfo&) const override { return std::vector<std::int64_t>{}; }

 protected:
  Direction form(const Objective& objective, ParameterVector& w, const StepInfo& now) override;
};

}  // namespace basin::optim
