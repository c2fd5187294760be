#include "optim/gradient/sam.h"

#include <algorithm>
#include <cmath>

#include "core/ops.h"
#include "optim/geometry.h"
#include "optim/perturbation.h"

namespace basin::optim {
namespace {

void check(const SamOptions& o) {
  const auto refuse = [&](const auto&... what) { throw ArgumentError("[", o.name, "] ", what...); };
  if (!std::isfinite(o.sigma) || !(o.lambda >= 0 && o.lambda < 1))
    refuse("sigma must be finite and lambda in [0, 1), got ", o.sigma, " and ", o.lambda);
  if (!std::isfinite(o.alpha)) refuse("alpha must be finite, got ", o.alpha);
  if (o.inner_steps < 1 || !(o.inner_step >= 0) || !std::isfinite(o.inner_step))
    refuse("inner_steps must be at least 1 and inner_step a length, got ", o.inner_steps, " and ",
           o.inner_step);
  if (o.inner_steps == 1 && o.inner_step > 0) refuse("inner_step counts only with several inner_steps");
  if (o.inner_steps > 1 && (o.p != 2 || o.scaling != Scaling::none || !o.normalise ||
                            o.along != ClimbAlong::gradient || !o.factors.empty()))
    refuse("several inner steps climb along gradients inside a plain ball: p 2, no scaling or factors, ",
           "normalised");
  expect_period(o.name, o.start_step, o.every);
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
  const double rho = now.step >= options_.start_step ? radius_(now) : 0;
  if (options_.along == ClimbAlong::momentum) return at_momentum(objective, w, now, rho);

  StepReport report;
  report.rho = rho;
  const bool looks = rho > 0 && looks_uphill(now, options_.start_step, options_.every);
  const Evaluation here = objective({.pass = Pass::first, .true_gradient = looks});
  if (!report.enter(here)) return {{}, report};
  const Tensor& g = here.gradient;

  Direction d;
  Tensor g_v = g_v_;
  if (const Climb e = looks ? first_climb(w, g, rho, report.gradient_norm) : Climb{}) {
    const Evaluation there = look(objective, w, e, rho, report);
    if (!report.finite) return {{}, report};
    const Tensor& g_s = there.gradient;
    d = along(combined(g, g_s, report), g, report);
    if (options_.between == Between::reuse)
      g_v = orthogonal_part(g_s, report.perturbed_norm, g, report.gradient_norm);
  } else {
    d = rho > 0 && !looks ? between_looks(g, report) : along(g, g, report);
  }
  if (d.report.finite) {
    g_v_ = g_v;
    remember(g);
  }
  return d;
}

/// Of one of the K inner steps.
double Sam::step_length(double rho) const {
  const double fraction = options_.inner_step > 0 ? options_.inner_step : 1.0 / options_.inner_steps;
  return rho * std::min(fraction, 1.0);
}

Climb Sam::first_climb(const ParameterVector& w, const Tensor& g, double rho, double g_norm) const {
  if (options_.along == ClimbAlong::residual && m_.defined()) {
    const Tensor residual = combination(-options_.sigma, m_, 1, g);
    const double size = norm(residual);
    return is_rounding(residual, size, g, g_norm) ? Climb{} : ascent_(w, residual, rho, size);
  }
  return ascent_(w, g, step_length(rho), g_norm);
}

/// The gradient at w + e, after the remaining inner steps from there.
Evaluation Sam::look(const Objective& objective, ParameterVector& w, const Climb& e, double rho,
                     StepReport& report) const {
  Perturbation moved(w, e.vector, e.scale);
  Evaluation there = objective({.pass = Pass::repeat, .true_gradient = options_.inner_steps > 1});
  if (!report.enter(there) || options_.inner_steps == 1) return there;

  Tensor total = unary(UnaryOp::mul_scalar, e.vector, e.scale);
  for (int k = 1; k < options_.inner_steps; ++k) {
    const Climb more = ascent_(w, there.gradient, step_length(rho));
    if (!more) break;
    axpby(more.scale, more.vector, 1, total);
    const double length = norm(total);
    if (length > rho) total = unary(UnaryOp::mul_scalar, total, rho / length);
    moved.instead(total, 1);
    there = objective({.pass = Pass::repeat, .true_gradient = k + 1 < options_.inner_steps});
    if (!report.enter(there)) return there;
  }
  return there;
}

Tensor Sam::combined(const Tensor& g, const Tensor& g_s, const StepReport& report) const {
  const double alpha = options_.alpha;
  if (options_.combine == Combine::mix) return combination(1 - alpha, g, alpha, g_s);
  if (options_.combine == Combine::orthogonal && report.perturbed_norm > 0) {
    const double share = share_along(g, g_s, report.perturbed_norm * report.perturbed_norm);
    return combination(-alpha, g, 1 + alpha * share, g_s);  // g_s - alpha (g - share g_s)
  }
  return g_s;
}

Direction Sam::between_looks(const Tensor& g, const StepReport& report) const {
  const double size = options_.between == Between::reuse && g_v_.defined() ? double(norm(g_v_)) : 0;
  if (size == 0) return along(g, g, report);
  return along(combination(options_.alpha * report.gradient_norm / size, g_v_, 1, g), g, report);
}

Direction Sam::at_momentum(const Objective& objective, ParameterVector& w, const StepInfo& now,
                           double rho) const {
  if (!now.momentum)
    throw ArgumentError("[", options_.name,
                        "] climbs along the momentum, and the step was given none: pass StepInfo{.momentum = "
                        "update.momentum()}, of an update rule that keeps one (SGD with momentum above 0, "
                        "Adam)");
  if (now.momentum->elements() != w.size() || now.momentum->dtype() != w.dtype())
    throw ArgumentError("[", options_.name, "] the momentum is ", now.momentum->dtype(), " ",
                        now.momentum->shape(), ", the weights are ", w.dtype(), " ", w.values().shape());
  const bool looks = looks_uphill(now, options_.start_step, options_.every);
  const Climb e = looks ? ascent_(w, *now.momentum, rho) : Climb{};
  if (!e) {
    Direction plain = Plain().direction(objective, w, now);
    plain.report.rho = rho;
    return plain;
  }
  StepReport report;
  report.rho = rho;
  Perturbation moved(w, e.vector, -e.scale);
  const Evaluation there = objective({.pass = Pass::first});
  const bool finite = report.enter(there);
  report.perturbed_loss = report.loss;
  report.perturbed_norm = report.gradient_norm;
  if (!finite) return {{}, report};
  return along(there.gradient, there.gradient, report);
}

void Sam::remember(const Tensor& g) {
  if (options_.along != ClimbAlong::residual) return;
  m_ = m_.defined() ? combination(1 - options_.lambda, g, options_.lambda, m_) : g;
}

void Sam::describe(Inventory& it) {
  if (options_.along == ClimbAlong::residual) it.buffer("m", m_);
  if (options_.between == Between::reuse) it.buffer("g_v", g_v_);
}

}  // namespace basin::optim
