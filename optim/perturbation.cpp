#include "optim/perturbation.h"

#include <cmath>

#include "core/ops.h"

namespace basin::optim {

Perturbation::Perturbation(ParameterVector& w, const Tensor& direction, double scale) : w_(w) {
  if (!std::isfinite(scale)) throw ArgumentError("[perturbation] scale must be finite, got ", scale);
  kept_ = w.values().clone();
  axpby(scale, direction, 1, w.values());  // checks before it writes, so a throw leaves w as it was
}

Perturbation::~Perturbation() { w_.values().copy_from(kept_); }

}  // namespace basin::optim
