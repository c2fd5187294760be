// Sharpness-aware minimisation: one rule whose options span the SAM family (optim/gradient/sam_family.h names
// its members).
#pragma once

#include <string>

#include "optim/gradient/ascent.h"
#include "optim/gradient/gradient_rule.h"
#include "optim/gradient/radius.h"

namespace basin::optim {

class Perturbation;

/// What the perturbation climbs along.
enum class ClimbAlong {
  gradient,  // g = grad L(w)
  residual,  // F-SAM: g - sigma m, m <- lambda m + (1 - lambda) g; m = g and e along g in the first step
  momentum,  // MSAM: -v, v the update rule's momentum buffer; needs no gradient at w, so one pass
  mean,      // VaSSO: m, m <- (1 - theta) m + theta g taken in before the climb; m = g in the first step
};

/// What is made of g and g_s = grad L(w + e).
enum class Combine {
  perturbed,   // g_s
  mix,         // GNP: (1 - alpha) g + alpha g_s
  orthogonal,  // GSAM: g_s - alpha (g - its projection on g_s)
};

/// What the steps between two looks uphill do.
enum class Between {
  plain,  // g
  reuse,  // LookSAM: g + alpha (|g| / |g_v|) g_v, g_v the part of the last g_s orthogonal to its g
};

struct SamOptions {
  double rho = 0.05;  // radius of the neighbourhood, >= 0
  double p = 2;       // its norm: 2, infinity, or any p > 1
  std::string name = "sam";

  // The perturbation; see Ascent.
  Scaling scaling = Scaling::none;
  double eta = 0.01;
  bool normalise = true;
  Perturbed perturbed = Perturbed::all;
  std::vector<std::string> names = {};
  std::vector<RadiusFactor> factors = {};  // radii of parameter groups: {{"fc.*", 0.5}}
  RadiusSchedule schedule = {};

  ClimbAlong along = ClimbAlong::gradient;
  double sigma = 1, lambda = 0.9;  // residual
  double theta = 0.4;              // mean, in (0, 1]

  /// K projected steps uphill: e <- e + step rho g_k/|g_k|, back into |e| <= rho; K + 1 passes. The length of
  /// a step as a fraction of rho; 0 stands for 1/K.
  int inner_steps = 1;
  double inner_step = 0;

  Combine combine = Combine::perturbed;
  double alpha = 1;  // of combine, or of Between::reuse

  // When: the steps start_step, start_step + every, ... look uphill. Those before, and those from end_step
  // on, are plain.
  std::int64_t every = 1;
  std::int64_t start_step = 0, end_step = kNoEnd;
  Between between = Between::plain;
};

/// Foret et al. 2021, "Sharpness-Aware Minimization for Efficiently Improving Generalization": descend along
/// grad L(w + e), where e is the first-order solution of max L(w + e) over |e|_p <= rho (eq. (2), in Ascent),
/// the term with de/dw dropped. Two passes. rho = 0 is the plain rule, bit for bit, in one pass; where there
/// is no direction to climb, nothing is perturbed and the second pass is not made.
///
/// Where g_s is parallel to g but for rounding, g_v is zero, and the steps up to the next look go along g;
/// where g is its own mean but for rounding, the residual is zero and is not climbed along.
///
/// State: "m" {d} of ClimbAlong::residual and mean, "g_v" {d} of Between::reuse, undefined where it is zero.
class Sam : public GradientRule {
 public:
  /// Errors: an option out of its range, or two that exclude each other.
  explicit Sam(const SamOptions& options);
  const char* name() const override { return options_.name.c_str(); }
  /// Errors: no parameter is one to perturb.
  void check_parameters(const ParameterVector& w) const override { ascent_.check(w); }
  void describe(Inventory& it) override;
  /// A step in which a state comes to be has none: its place is not known yet.
  Sequence sequence(const StepInfo& now) const override {
    const bool begins = (has_mean() && !m_.defined()) ||
                        (options_.between == Between::reuse && looks_in(now) && !g_v_.defined());
    if (begins) return {};
    return std::vector<std::int64_t>{has_radius(now), looks_in(now), m_.defined(), g_v_.defined()};
  }
  bool remembers(const StepInfo& now) const override {
    return has_mean() || (options_.between == Between::reuse && looks_in(now));
  }

 protected:
  Direction form(const Objective& objective, ParameterVector& w, const StepInfo& now) override;

 private:
  bool has_radius(const StepInfo& now) const {
    return now.step >= options_.start_step && now.step < options_.end_step && radius_(now) > 0;
  }
  bool has_mean() const {
    return options_.along == ClimbAlong::residual || options_.along == ClimbAlong::mean;
  }
  bool looks_in(const StepInfo& now) const {
    return has_radius(now) && looks_uphill(now, options_.start_step, options_.end_step, options_.every);
  }
  // The members of the family, each where its paper is: msam.cpp
  Direction at_momentum(const Objective& objective, ParameterVector& w, const StepInfo& now,
                        const Scalar& rho) const;
  Climb climb(const ParameterVector& w, const Tensor& g, const Scalar& rho, const Scalar& g_norm) const;
  Evaluation look(const Objective& objective, ParameterVector& w, const Climb& e, const Scalar& rho,
                  StepReport& report) const;
  Direction remembering(const Tensor& g, const Direction& d);
  // gsam.cpp
  Tensor combined(const Tensor& g, const Tensor& g_s, const Climb& e, const StepReport& report) const;
  // k_step_sam.cpp
  Scalar step_length(const Scalar& rho) const;
  Evaluation look_further(const Objective& objective, ParameterVector& w, const Climb& e, const Scalar& rho,
                          Perturbation& moved, Evaluation there, StepReport& report) const;
  // fsam.cpp
  Climb climb_residual(const ParameterVector& w, const Tensor& g, const Scalar& rho,
                       const Scalar& g_norm) const;
  void remember_mean(const Tensor& g, const Scalar& finite);
  // vasso.cpp
  Tensor mean_with(const Tensor& g) const;
  // looksam.cpp
  Direction between_looks(const Tensor& g, const StepReport& report) const;
  void remember_look(const Tensor& g, const Tensor& g_s, const Climb& e, const StepReport& report);

  SamOptions options_;
  Radius radius_;
  Ascent ascent_;
  Tensor m_, g_v_;
};

}  // namespace basin::optim
