#include "optim/gradient/sam.h"

#include <cmath>

#include "optim/perturbation.h"

namespace basin::optim {
namespace {

void check(const SamOptions& o) {
  const auto refuse = [&](const auto&... what) { throw ArgumentError("[", o.name, "] ", what...); };
  if (!std::isfinite(o.sigma) || !(o.lambda >= 0 && o.lambda < 1))
    refuse("sigma must be finite and lambda in [0, 1), got ", o.sigma, " and ", o.lambda);
  if (!std::isfinite(o.alpha)) refuse("alpha must be finite, got ", o.alpha);
  if (!(o.theta > 0 && o.theta <= 1)) refuse("theta must be in (0, 1], got ", o.theta);
  if (o.inner_steps < 1 || !(o.inner_step >= 0) || !std::isfinite(o.inner_step))
    refuse("inner_steps must be at least 1 and inner_step a length, got ", o.inner_steps, " and ",
           o.inner_step);
  if (o.inner_steps == 1 && o.inner_step > 0) refuse("inner_step counts only with several inner_steps");
  if (o.inner_steps > 1 && (o.p != 2 || o.scaling != Scaling::none || !o.normalise ||
                            o.along != ClimbAlong::gradient || !o.factors.empty()))
    refuse("several inner steps climb along gradients inside a plain ball: p 2, no scaling or factors, ",
           "normalised");
  expect_period(o.name, o.start_step, o.end_step, o.every);
  if (o.along == ClimbAlong::momentum && o.combine != Combine::perturbed)
    refuse("a climb along the momentum has no gradient at w to combine with");
  if (o.between == Between::reuse && (o.along == ClimbAlong::momentum || o.combine != Combine::perturbed))
    refuse("reusing g_v between looks (LookSAM) goes with a gradient at w and with alpha of its own");
}

}  // namespace

Sam::Sam(const SamOptions& options)
    : options_(options),
      radius_(options_.name.c_str(), options.rho, options.schedule),
      ascent_(options_.name.c_str(), {.p = options.p,
                                      .normalise = options.normalise,
                                      .scaling = options.scaling,
                                      .eta = options.eta,
                                      .perturbed = options.perturbed,
                                      .names = options.names,
                                      .factors = options.factors}) {
  check(options);
}

Direction Sam::form(const Objective& objective, ParameterVector& w, const StepInfo& now) {
  const Scalar rho = has_radius(now) ? now.number(radius_) : Scalar(0);
  if (options_.along == ClimbAlong::momentum) return at_momentum(objective, w, now, rho);

  StepReport report;
  report.rho = rho;
  const bool looks = looks_in(now);
  const Evaluation here = objective({.pass = Pass::first, .true_gradient = looks});
  if (!report.enter(here)) return {{}, report};
  const Tensor& g = here.gradient;

  if (has_radius(now) && !looks) return remembering(g, between_looks(g, report));
  const Climb e = looks ? climb(w, g, rho, report.gradient_norm) : Climb{};
  if (!e) return remembering(g, along(g, g, report));

  const Evaluation there = look(objective, w, e, rho, report);
  if (!possibly(report.finite)) return {{}, report};
  report.perturbed_only_if(e.moves);
  const Tensor& g_s = there.gradient;
  const Direction d = along(combined(g, g_s, e, report), g, report);
  if (options_.between == Between::reuse) remember_look(g, g_s, e, d.report);
  return remembering(g, d);
}

/// The gradient at w + e: Foret et al. 2021, algorithm 1.
Evaluation Sam::look(const Objective& objective, ParameterVector& w, const Climb& e, const Scalar& rho,
                     StepReport& report) const {
  Perturbation moved(w, e.vector, e.scale);
  const Evaluation there = objective({.pass = Pass::repeat, .true_gradient = options_.inner_steps > 1});
  if (!report.enter(there) || options_.inner_steps == 1) return there;
  return look_further(objective, w, e, rho, moved, there, report);
}

Climb Sam::climb(const ParameterVector& w, const Tensor& g, const Scalar& rho, const Scalar& g_norm) const {
  if (options_.along == ClimbAlong::residual && m_.defined()) return climb_residual(w, g, rho, g_norm);
  if (options_.along == ClimbAlong::mean && m_.defined()) return ascent_(w, mean_with(g), rho);
  return ascent_(w, g, step_length(rho), g_norm);
}

/// The rule's state takes in this step, if there is one.
Direction Sam::remembering(const Tensor& g, const Direction& d) {
  if (options_.along == ClimbAlong::residual) remember_mean(g, d.report.finite);
  if (options_.along == ClimbAlong::mean) remember(m_, mean_with(g), d.report.finite);
  return d;
}

void Sam::describe(Inventory& it) {
  if (has_mean()) it.buffer("m", m_);
  if (options_.between == Between::reuse) it.buffer("g_v", g_v_);
}

}  // namespace basin::optim
