// m-sharpness: a rule applied to each micro-batch on its own, the directions averaged.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "optim/gradient/gradient_rule.h"

namespace basin::optim {

/// Foret et al. 2021, section 4.1: the batch is cut into micro-batches of m rows (the last may be smaller),
/// each forms its own direction with its own perturbation, and the step goes along their mean, weighted by
/// rows: what the papers' accelerators did that never synchronised their perturbations (m = the rows of one
/// of them). The i-th micro-batch has a rule of its own, as an accelerator has, so that F-SAM's and LookSAM's
/// state is kept apart. The objective is asked for rows [begin, end); it decides whether normalisation sees
/// the micro-batch or the batch. (One perturbation from the whole batch: accumulated(), optim/objective.h.)
///
/// The report has means over the batch: losses, and the norm of the mean g; passes are counted over the
/// batch, so SAM makes two. A micro-batch that is not finite makes the step not finite, and its report has no
/// means.
class MicroBatches : public GradientRule {
 public:
  using Make = std::function<std::unique_ptr<GradientRule>()>;
  /// `most_rows` is the largest batch that a step will have. Errors: m or most_rows below 1.
  MicroBatches(const Make& make, std::int64_t m, std::int64_t most_rows);
  const char* name() const override { return parts_.front()->name(); }
  void check_parameters(const ParameterVector& w) const override { parts_.front()->check_parameters(w); }
  void describe(Inventory& it) override;
  Sequence sequence(const StepInfo& now) const override;

 protected:
  /// Errors: now.rows below 1 or above most_rows.
  Direction form(const Objective& objective, ParameterVector& w, const StepInfo& now) override;

 private:
  std::int64_t m_;
  std::vector<std::unique_ptr<GradientRule>> parts_;
};

}  // namespace basin::optim
