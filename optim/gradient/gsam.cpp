// What is made of g and g_s: GNP's mix of the two (Zhao et al. 2022), GSAM's part of g orthogonal to g_s
// (Zhuang et al. 2022).
#include "core/ops.h"
#include "optim/geometry.h"
#include "optim/gradient/sam.h"

namespace basin::optim {

Tensor Sam::combined(const Tensor& g, const Tensor& g_s, const Climb& e, const StepReport& report) const {
  const double alpha = options_.alpha;
  const auto both_in_one = [&]() -> Tensor {
    if (options_.combine == Combine::mix) return combination(1 - alpha, g, alpha, g_s);
    const Scalar size = report.perturbed_norm;
    return select(
        size > 0,
        [&] {
          const Scalar share = share_along(g, g_s, size * size);
          return combination(-alpha, g, 1 + alpha * share, g_s);  // g_s - alpha (g - share g_s)
        },
        [&] { return g_s; });
  };
  if (options_.combine == Combine::perturbed) return g_s;
  return select(e.moves, both_in_one, [&] { return g; });
}

}  // namespace basin::optim
