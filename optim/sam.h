// Sharpness-aware minimisation.
#pragma once

#include "optim/gradient_rule.h"

namespace basin::optim {

struct SamOptions {
  double rho = 0.05;  // radius of the neighbourhood, >= 0
};

/// Foret et al. 2021, "Sharpness-Aware Minimization for Efficiently Improving Generalization", eq. (2), p =
/// 2: e = rho g / |g|, g = grad L(w), one norm over all parameters; descend along grad L(w + e), the term
/// with de/dw dropped. rho = 0 is the plain rule, bit for bit, in one pass. A zero gradient perturbs nothing.
class Sam : public GradientRule {
 public:
  /// Errors: rho negative or not finite.
  explicit Sam(const SamOptions& options);
  const char* name() const override { return "sam"; }
  Direction direction(const Objective& objective, ParameterVector& w) override;

 private:
  double rho_;
};

}  // namespace basin::optim
