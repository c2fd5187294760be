#include "autograd/curvature/hvp.h"

#include "autograd/gradients.h"
#include "autograd/ops/ops.h"

namespace basin {

Tensors hessian_vector_product(const Variable& loss, const Variables& wrt, const Tensors& v,
                               bool keep_graph) {
  const Variables g = differentiable_gradients(loss, wrt);
  return gradients(dot(g, Variables(v.begin(), v.end())), wrt, {.keep_graph = keep_graph});
}

}  // namespace basin
