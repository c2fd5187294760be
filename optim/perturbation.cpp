#include "optim/perturbation.h"

#include "core/ops.h"

namespace basin::optim {
namespace {

/// values <- values + scale * direction; checks before it writes.
void move(Tensor& values, const Tensor& direction, const Scalar& scale) {
  if (!possibly(is_finite(scale))) throw ArgumentError("[perturbation] scale must be finite, got ", scale);
  axpby(scale, direction, 1, values);
}

}  // namespace

Perturbation::Perturbation(ParameterVector& w, const Tensor& direction, const Scalar& scale)
    : w_(w), kept_(w.values().clone()) {
  move(w.values(), direction, scale);  // a throw leaves w as it was
}

Perturbation::~Perturbation() { w_.values().copy_from(kept_); }

void Perturbation::further(const Tensor& direction, const Scalar& scale) {
  move(w_.values(), direction, scale);
}

void Perturbation::instead(const Tensor& direction, const Scalar& scale) {
  w_.values().copy_from(kept_);
  move(w_.values(), direction, scale);
}

}  // namespace basin::optim
