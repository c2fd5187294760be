// Friendly SAM (Li et al. 2024): climb along the gradient less sigma times its running mean m,
// m <- lambda m + (1 - lambda) g.
#include "core/ops.h"
#include "optim/geometry.h"
#include "optim/gradient/sam.h"

namespace basin::optim {

Climb Sam::climb_residual(const ParameterVector& w, const Tensor& g, const Scalar& rho,
                          const Scalar& g_norm) const {
  const Tensor residual = combination(-options_.sigma, m_, 1, g);
  const Scalar size = norm(residual), counts = opposite(is_rounding(residual, size, g, g_norm));
  return possibly(counts) ? ascent_(w, residual, rho, size).where(counts) : Climb{};
}

void Sam::remember_mean(const Tensor& g, const Scalar& finite) {
  if (m_.defined() && possibly(finite))
    axpby(select(finite, 1 - options_.lambda, 0), g, select(finite, options_.lambda, 1), m_);
  else
    remember(m_, g, finite);
}

}  // namespace basin::optim
