// Sharpness-aware minimisation.
#pragma once

#include "optim/gradient_rule.h"

namespace basin::optim {

struct SamOptions {
  double rho = 0.05;  // radius of the neighbourhood, >= 0
  double p = 2;       // its norm: 2, infinity, or any p > 1
};

/// Foret et al. 2021, "Sharpness-Aware Minimization for Efficiently Improving Generalization": descend along
/// grad L(w + e), where e is the first-order solution of max L(w + e) over |e|_p <= rho, the term with de/dw
/// dropped. By eq. (2), with g = grad L(w) and 1/p + 1/q = 1,
///
///     e = rho sign(g) |g|^(q-1) / (|g|_q^q)^(1/p)
///
/// one norm over all parameters: rho g / |g| for p = 2, rho sign(g) for p = infinity. Two passes. rho = 0 is
/// the plain rule, bit for bit, in one pass. A zero gradient (or one so small that rho / |g| overflows) has
/// no direction to climb: nothing is perturbed and the second pass is not made.
class Sam : public GradientRule {
 public:
  /// Errors: rho negative or not finite; p not above 1.
  explicit Sam(const SamOptions& options);
  const char* name() const override { return "sam"; }
  Direction direction(const Objective& objective, ParameterVector& w) override;

 private:
  /// e as scale * vector; vector is undefined where e = 0.
  struct Ascent {
    Tensor vector;
    double scale = 0;
  };
  Ascent ascent(const Tensor& g, double g_norm) const;

  double rho_, p_;
};

}  // namespace basin::optim
