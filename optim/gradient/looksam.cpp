// LookSAM (Liu et al. 2022): in the steps between two looks uphill, g + alpha (|g| / |g_v|) g_v, where g_v is
// the part of the last g_s orthogonal to its g.
#include "core/ops.h"
#include "optim/geometry.h"
#include "optim/gradient/sam.h"

namespace basin::optim {

Direction Sam::between_looks(const Tensor& g, const StepReport& report) const {
  const Scalar size = options_.between == Between::reuse && g_v_.defined() ? norm(g_v_) : Scalar(0);
  if (!possibly(size > 0)) return along(g, g, report);
  const Scalar share = select(size > 0, options_.alpha * report.gradient_norm / size, 0);
  return along(combination(share, g_v_, 1, g), g, report);
}

void Sam::remember_look(const Tensor& g, const Tensor& g_s, const Climb& e, const StepReport& report) {
  if (!possibly(report.finite)) return;
  const Remainder g_v = orthogonal_part(g_s, report.perturbed_norm, g, report.gradient_norm);
  if (g_v.vector.defined())
    remember(g_v_, g_v.vector, both(report.finite, e.moves));
  else
    g_v_ = {};
}

}  // namespace basin::optim
