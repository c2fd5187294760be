// K steps uphill (Foret et al. 2021, appendix C.6): e <- e + step rho g_k/|g_k|, back into |e| <= rho.
#include <algorithm>

#include "core/ops.h"
#include "optim/gradient/sam.h"
#include "optim/perturbation.h"

namespace basin::optim {

/// Of one of the K steps; of the only one, rho.
Scalar Sam::step_length(const Scalar& rho) const {
  const double fraction = options_.inner_step > 0 ? options_.inner_step : 1.0 / options_.inner_steps;
  return rho * std::min(fraction, 1.0);
}

/// The gradient at w + e after the second to the K-th step; `there` is the one after the first.
Evaluation Sam::look_further(const Objective& objective, ParameterVector& w, const Climb& e,
                             const Scalar& rho, Perturbation& moved, Evaluation there,
                             StepReport& report) const {
  Tensor total = e.vector * e.scale;
  for (int k = 1; k < options_.inner_steps; ++k) {
    const Climb more = ascent_(w, there.gradient, step_length(rho));
    if (!more) break;
    axpby(more.scale, more.vector, 1, total);
    const Scalar length = norm(total), outside = length > rho;
    if (possibly(outside)) total = total * select(outside, rho / length, 1);
    moved.instead(total, 1);
    there = objective({.pass = Pass::repeat, .true_gradient = k + 1 < options_.inner_steps});
    if (!report.enter(there)) return there;
  }
  return there;
}

}  // namespace basin::optim
