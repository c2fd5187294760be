// MSAM (Becker et al. 2024): the gradient at w - rho v/|v|, v the update rule's momentum buffer. One pass.
#include "optim/gradient/sam.h"
#include "optim/perturbation.h"

namespace basin::optim {

Direction Sam::at_momentum(const Objective& objective, ParameterVector& w, const StepInfo& now,
                           const Scalar& rho) const {
  if (!now.momentum)
    throw ArgumentError("[", options_.name,
                        "] climbs along the momentum, and the step was given none: pass StepInfo{.momentum = "
                        "update.momentum()}, of an update rule that keeps one (SGD with momentum above 0, "
                        "Adam)");
  if (now.momentum->elements() != w.size() || now.momentum->dtype() != w.dtype())
    throw ArgumentError("[", options_.name, "] the momentum is ", now.momentum->dtype(), " ",
                        now.momentum->shape(), ", the weights are ", w.dtype(), " ", w.values().shape());
  const bool looks = looks_uphill(now, options_.start_step, options_.end_step, options_.every);
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
  report.perturbed_only_if(e.moves);
  if (!finite) return {{}, report};
  return along(there.gradient, there.gradient, report);
}

}  // namespace basin::optim
