// The sweep: derivatives of a scalar, as values.
#pragma once

#include "autograd/variable.h"

namespace basin {

struct GradientOptions {
  /// Cotangent of `loss`; undefined means 1. Needed when loss is not a scalar (a vector-Jacobian product).
  Tensor cotangent = {};
  /// Leave the history usable for another sweep instead of freeing it while sweeping.
  bool keep_graph = false;
};

/// d loss / d wrt[i], one Tensor per entry (zeros where loss does not depend on it), each in storage of its
/// own. Frees the history as it goes. Errors: loss is not a scalar and no cotangent is given; history already
/// consumed; a saved value was overwritten.
Tensors gradients(const Variable& loss, const Variables& wrt, const GradientOptions& options = {});

/// The same derivatives with history: they can be differentiated again. Keeps the history of loss alive.
Variables differentiable_gradients(const Variable& loss, const Variables& wrt,
                                   const Variable& cotangent = {});

/// The same where the numbers of result i are read by nobody if unread[i], only its history: gradients that
/// are differentiated again, as those of a Hessian-vector product. An op whose work is mostly to form them
/// (the weight gradient of a convolution) then leaves them zero.
Variables histories_of_gradients(const Variable& loss, const Variables& wrt, const Variable& cotangent,
                                 const std::vector<char>& unread);

/// Whether the history of `loss` leads to any of `wrt`: if not, all its derivatives are zero.
bool depends_on(const Variable& loss, const Variables& wrt);

}  // namespace basin
