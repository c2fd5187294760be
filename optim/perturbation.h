// Perturbation: weights moved for a moment.
#pragma once

#include "core/scalar.h"
#include "optim/parameter_vector.h"

namespace basin::optim {

/// w <- w + scale * direction for the life of this object. The destructor puts the same bits back, also when
/// an exception passes through: the values are kept, not subtracted (adding and subtracting changes 0.4 % of
/// f32 weights). Perturbations of one w nest; they end in the reverse order of their beginning, as scopes do.
/// A loss computed before the move, or during it and differentiated after, is refused by the sweep: its saved
/// weights have changed.
///
/// The kept copy, {d}, is taken from the device's caching allocator: from the second step on it is the same
/// memory as in the step before.
class Perturbation {
 public:
  /// Errors: ArgumentError if `direction` is not like w ({d}, its dtype and device), or scale is not finite;
  /// w is then untouched.
  Perturbation(ParameterVector& w, const Tensor& direction, const Scalar& scale);
  ~Perturbation();
  Perturbation(const Perturbation&) = delete;
  Perturbation& operator=(const Perturbation&) = delete;

  /// Moves on: w <- w + scale * direction from where w is now. Errors: as the constructor's.
  void further(const Tensor& direction, const Scalar& scale);
  /// Moves elsewhere: w <- kept + scale * direction. Errors: as the constructor's.
  void instead(const Tensor& direction, const Scalar& scale);

 private:
  ParameterVector& w_;
  Tensor kept_;
};

}  // namespace basin::optim
