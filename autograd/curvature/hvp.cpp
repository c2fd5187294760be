#include "autograd/curvature/hvp.h"

#include "autograd/gradients.h"
#include "autograd/ops/ops.h"

namespace basin {
namespace {

/// The gradients, to be differentiated alone.
Variables history_of(const Variable& loss, const Variables& wrt, const Variable& cotangent = {}) {
  return histories_of_gradients(loss, wrt, cotangent, std::vector<char>(wrt.size(), 1));
}

}  // namespace

Tensors hessian_vector_product(const Variable& loss, const Variables& wrt, const Tensors& v,
                               bool keep_graph) {
  const Variables g = history_of(loss, wrt);
  return gradients(dot(g, Variables(v.begin(), v.end())), wrt, {.keep_graph = keep_graph});
}

Tensor jacobian_vector_product(const Variable& outputs, const Variables& wrt, const Tensors& v) {
  const Variable u = Variable::parameter(
      Tensor::zeros(outputs.shape(), outputs.dtype(), outputs.value().device()), "cotangent");
  const Variables g = history_of(outputs, wrt, u);
  return gradients(dot(g, Variables(v.begin(), v.end())), {u})[0];
}

Tensors gauss_newton_product(const Variable& outputs, const Variables& wrt, const Tensors& v,
                             const std::function<Tensor(const Tensor& jv)>& b) {
  const Tensor cotangent = b(jacobian_vector_product(outputs, wrt, v));
  return gradients(outputs, wrt, {.cotangent = cotangent});
}

}  // namespace basin
