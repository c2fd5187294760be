#include "optim/gradient/gam.h"

#include <cmath>

#include "core/ops.h"
#include "optim/geometry.h"
#include "optim/perturbation.h"

namespace basin::optim {
namespace {

void check(const GamOptions& o) {
  const auto refuse = [](const auto&... what) { throw ArgumentError("[gam] ", what...); };
  if (!(o.rho_prime >= 0) || !std::isfinite(o.rho_prime))
    refuse("rho_prime is a radius, finite and at least 0, got ", o.rho_prime);
  const bool climbs_twice = o.form != GamForm::exact || o.with_sam;
  if (climbs_twice && o.rho > 0 && o.rho_prime == 0)
    refuse("rho_prime must be above 0: gradients are compared across that distance");
  if (!std::isfinite(o.alpha) || !std::isfinite(o.beta) || !std::isfinite(o.gamma))
    refuse("alpha, beta and gamma must be finite, got ", o.alpha, ", ", o.beta, ", ", o.gamma);
  expect_period("gam", o.start_step, o.end_step, o.every);
  const bool sums = o.form == GamForm::exact || o.form == GamForm::differences;
  if (o.with_sam && !sums) refuse("with_sam goes with the forms exact and differences; Algorithm 2 has g1");
  if (o.form == GamForm::exact && o.scaling != Scaling::none)
    refuse("the exact form has no scaling: it climbs along grad |grad L|");
}

}  // namespace

Gam::Gam(const GamOptions& options)
    : options_(options),
      radius_("gam", options.rho, options.schedule),
      ascent_("gam", {.scaling = options.scaling, .eta = options.eta}) {
  check(options);
}

Direction Gam::form(const Objective& objective, ParameterVector& w, const StepInfo& now) {
  if (!climbs(now)) {
    Direction plain = Plain().direction(objective, w, now);
    plain.report.rho = 0;
    return plain;
  }
  const Scalar rho = now.number(radius_);
  const Scalar rho_prime =
      options_.rho > 0 ? options_.rho_prime * (rho / options_.rho) : Scalar(options_.rho_prime);
  return options_.form == GamForm::exact ? by_products(objective, w, rho, rho_prime)
                                         : by_differences(objective, w, rho, rho_prime);
}

Direction Gam::by_differences(const Objective& objective, ParameterVector& w, const Scalar& rho,
                              const Scalar& rho_prime) const {
  StepReport report;
  report.rho = rho;
  const auto look = [&](Pass pass) {
    const Evaluation e = objective({.pass = pass, .true_gradient = true});  // to compare them
    report.enter(e);
    return e.gradient;
  };
  const auto failed = [&] { return !possibly(report.finite); };

  const Tensor g0 = look(Pass::first);
  if (failed()) return {{}, report};
  Tensor g1 = g0, g2, g3;
  if (const Climb up = ascent_(w, g0, rho_prime, report.gradient_norm)) {
    Perturbation moved(w, up.vector, up.scale);
    g1 = look(Pass::repeat);
    if (failed()) return {{}, report};
  }
  Tensor h0 = g1 - g0;
  const Scalar h0_norm = norm(h0), curved = opposite(is_rounding(h0, h0_norm, g0, report.gradient_norm));
  if (Climb across = possibly(curved) ? ascent_(w, h0, rho, h0_norm).where(curved) : Climb{}) {
    Perturbation moved(w, across.vector, across.scale);
    across = {};
    h0 = {};
    g2 = g3 = look(Pass::repeat);
    if (failed()) return {{}, report};
    if (const Climb again = ascent_(w, g2, rho_prime)) {
      moved.further(again.vector, again.scale);
      g3 = look(Pass::repeat);
      if (failed()) return {{}, report};
    }
  } else {  // h0 = 0: w2 is w
    g2 = g0;
    g3 = g1;
  }

  const double alpha = options_.alpha, beta = options_.beta;
  if (options_.form == GamForm::differences) {
    Tensor h = combination(1, g3, -1, g2);
    axpby(1, options_.with_sam ? g1 : g0, alpha * rho / rho_prime, h);
    return along(h, g0, report);
  }
  Tensor plus = combination(alpha, g1, 1 - alpha, g3);
  const Tensor minus = options_.form == GamForm::official ? combination(1, g0, std::abs(1 - beta), g2)
                                                          : combination(beta, g0, 1 - beta, g2);
  const Scalar share = share_along(minus, plus, dot(plus, plus));
  axpby(-options_.gamma, minus, 1 + options_.gamma * share, plus);  // h+ - gamma (h- - share h+)
  return along(plus, g0, report);
}

Direction Gam::by_products(const Objective& objective, ParameterVector& w, const Scalar& rho,
                           const Scalar& rho_prime) const {
  StepReport report;
  report.rho = rho;
  const auto look = [&](Pass pass) {
    const Evaluation e = objective({.pass = pass, .true_gradient = true, .norm_gradient = true});
    report.enter(e);
    if (!e.norm_gradient.defined())
      throw ArgumentError("[gam] the exact form needs grad |grad L|, and the objective gave none: hand its ",
                          "request's norm_gradient on to evaluate()");
    return e;
  };

  const Evaluation here = look(Pass::first);
  if (!possibly(report.finite)) return {{}, report};
  Tensor g = here.gradient;
  const Climb f = ascent_(w, here.norm_gradient, rho);
  if (const Climb up = options_.with_sam ? ascent_(w, g, rho_prime, report.gradient_norm) : Climb{}) {
    Perturbation moved(w, up.vector, up.scale);
    const Evaluation sam = objective({.pass = Pass::repeat});
    if (!report.enter(sam)) return {{}, report};
    g = sam.gradient;
  }
  if (!f) return along(g, here.gradient, report);
  Perturbation moved(w, f.vector, f.scale);
  const Evaluation there = look(Pass::repeat);
  if (!possibly(report.finite)) return {{}, report};
  return along(combination(options_.alpha * rho, there.norm_gradient, 1, g), here.gradient, report);
}

}  // namespace basin::optim
