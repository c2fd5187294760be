// Shaken branches: in training a residual branch is multiplied by one random number in the forward pass and
// by another in the backward pass. With Context::true_gradient the backward pass takes the forward pass's
// number.
#pragma once

#include "nn/module.h"

namespace basin::nn {

/// a x + (1 - a) y, x and y {N,...} of one shape: Gastaldi 2017, "Shake-Shake regularization", the form he
/// calls Shake-Shake-Image. In train mode each image has an a for the forward pass and a b for the backward
/// pass, both uniform on [0, 1): gradients flow as if the value were b x + (1 - b) y. In eval mode a = b =
/// 1/2.
///
/// Image i takes the (2i)-th and (2i+1)-th uniform() of Random(seed, Stream::shake, step, layer) as a and b.
Variable shake_shake(const Variable& x, const Variable& y, Context& ctx);

struct ShakeDropOptions {
  double keep = 0.5;  // probability that an image's branch passes as it is
  double alpha_low = -1, alpha_high = 1;
  double beta_low = 0, beta_high = 1;
};

/// ShakeDrop on a residual branch x {N,...}: Yamada, Iwamura, Akiba, Kise 2019, "ShakeDrop Regularization for
/// Deep Residual Learning", eq. (6). In train mode an image passes as it is with probability `keep`; else it
/// is multiplied by alpha in the forward pass, and its gradient by beta, both uniform on their intervals. In
/// eval mode all are multiplied by the mean of the forward factor, keep + (1 - keep) (alpha_low + alpha_high)
/// / 2.
///
/// All three numbers are drawn for each image, as in google-research/sam (in the authors' code one coin
/// decides for a whole batch): image i takes the (3i)-th, (3i+1)-th, (3i+2)-th uniform() of Random(seed,
/// Stream::shake, step, layer) for the coin, alpha, beta, also where it needs fewer.
class ShakeDrop : public Module {
 public:
  /// Errors: keep outside [0, 1]; an interval that is empty or not finite.
  explicit ShakeDrop(const ShakeDropOptions& options = {});
  void describe(Inventory&) override {}
  const char* kind() const override { return "shake_drop"; }

 protected:
  Variable forward(const Variable& x, Context& ctx) override;

 private:
  ShakeDropOptions options_;
};

}  // namespace basin::nn
