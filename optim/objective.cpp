#include "optim/objective.h"

#include "autograd/gradients.h"
#include "optim/parameter_vector.h"

namespace basin::optim {

Evaluation evaluate(const Variable& loss, const ParameterVector& w) {
  Evaluation result;
  result.gradient = w.flatten(gradients(loss, w.variables()));
  result.loss = loss.value().item();
  return result;
}

}  // namespace basin::optim
