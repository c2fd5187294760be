// Gradient norm aware minimisation.
#pragma once

#include "optim/gradient/ascent.h"
#include "optim/gradient/gradient_rule.h"
#include "optim/gradient/radius.h"

namespace basin::optim {

/// How GAM's direction is computed. Notation: x^ = x/|x|.
enum class GamForm {
  /// Algorithm 2 of the paper's appendix D as printed. Four passes:
  ///   g0 = grad L(w), g1 = grad L(w + rho' g0^), h0 = g1 - g0,
  ///   g2 = grad L(w2) at w2 = w + rho h0^, g3 = grad L(w2 + rho' g2^),
  ///   h+ = alpha g1 + (1 - alpha) g3,  h- = beta g0 + (1 - beta) g2,
  ///   direction h+ - gamma (h- less its projection on h+).
  paper,
  /// The same as the authors' released code computes it: h- = g0 + |1 - beta| g2.
  official,
  /// Algorithm 1, with Hessian-vector products: f = grad |grad L(w)|, w_a = w + rho f^,
  /// h = rho grad |grad L(w_a)|, direction g + alpha h. Two passes and two products.
  exact,
  /// The same with h = (rho / rho') (g3 - g2): finite differences of gradients for the products. Four passes.
  differences,
};

struct GamOptions {
  GamForm form = GamForm::paper;
  double rho = 0.2;              // radius of the climb in |grad L|
  double rho_prime = 0.02;       // of the inner climbs, whose differences stand for Hessian-vector products
  double alpha = 0.6;            // paper, official: g1 against g3; exact, differences: weight of h
  double beta = 0.5;             // paper, official: g0 against g2
  double gamma = 0.03;           // paper, official: weight of the orthogonal part
  bool with_sam = false;         // exact, differences: the SAM gradient grad L(w + rho' g^) in place of g
  RadiusSchedule schedule = {};  // of rho; rho' keeps its ratio to rho
  Scaling scaling = Scaling::none;  // of the three climbs of all forms but exact
  double eta = 0;
  // When: the steps start_step, start_step + every, ... before end_step; the others are plain.
  std::int64_t every = 1;
  std::int64_t start_step = 0, end_step = kNoEnd;
};

/// Zhang et al. 2023, "Gradient Norm Aware Minimization Seeks First-Order Flatness and Improves
/// Generalization": minimise L + alpha R, R = rho max |grad L| over the ball of radius rho, whose gradient is
/// estimated at w_a. With with_sam, `differences` is C-Flat (Bian et al. 2024). Corners: alpha = 1, gamma = 0
/// is SAM with radius rho'; alpha = beta = 1 is GSAM; rho = 0 is the plain rule in one pass.
///
/// Memory during a pass, beside the gradient g0: three vectors (the kept copy of w, g1, g2).
class Gam : public GradientRule {
 public:
  /// Errors: an option out of its range; with_sam with a form that has no use for it.
  explicit Gam(const GamOptions& options);
  const char* name() const override { return "gam"; }
  Sequence sequence(const StepInfo& now) const override { return std::vector<std::int64_t>{climbs(now)}; }

 protected:
  Direction form(const Objective& objective, ParameterVector& w, const StepInfo& now) override;

 private:
  bool climbs(const StepInfo& now) const {
    return looks_uphill(now, options_.start_step, options_.end_step, options_.every) && radius_(now) != 0;
  }
  Direction by_differences(const Objective& objective, ParameterVector& w, const Scalar& rho,
                           const Scalar& rho_prime) const;
  Direction by_products(const Objective& objective, ParameterVector& w, const Scalar& rho,
                        const Scalar& rho_prime) const;

  GamOptions options_;
  Radius radius_;
  Ascent ascent_;
};

}  // namespace basin::optim
