// Perturbation: weights moved for a moment.
#pragma once

#include "optim/parameter_vector.h"

namespace basin::optim {

/// w <- w + scale * direction for the life of this object. The destructor puts the same bits back, also when
/// an exception passes through: the values are kept, not subtracted (adding and subtracting changes 0.4 % of
/// f32 weights).
class Perturbation {
 public:
  Perturbation(ParameterVector& w, const Tensor& direction, double scale);
  ~Perturbation();
  Perturbation(const Perturbation&) = delete;
  Perturbation& operator=(const Perturbation&) = delete;

 private:
  ParameterVector& w_;
  Tensor kept_;
};

}  // namespace basin::optim
