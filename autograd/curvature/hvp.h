// Products with Hessian, Jacobian and Gauss-Newton matrix by differentiating twice.
#pragma once

#include <functional>

#include "autograd/variable.h"

namespace basin {

/// H v, H the Hessian of `loss` with respect to `wrt` (Pearlmutter 1994), by reverse over reverse:
/// H v = d/dw (dL/dw . v). `v` has the shapes of `wrt`. Consumes the history of loss unless keep_graph.
Tensors hessian_vector_product(const Variable& loss, const Variables& wrt, const Tensors& v,
                               bool keep_graph = false);

/// J v, J the Jacobian of `outputs` with respect to `wrt`: {the outputs' shape}. By two reverse sweeps: J^T u
/// is linear in u, and J v the gradient of (J^T u) . v with respect to u. Leaves the history of outputs
/// alive.
Tensor jacobian_vector_product(const Variable& outputs, const Variables& wrt, const Tensors& v);

/// J^T B J v for a symmetric B over the outputs, given as the map J v -> B J v. With B the Hessian of the
/// loss with respect to the outputs it is the generalised Gauss-Newton matrix (Schraudolph 2002), the Hessian
/// without the curvature of the outputs themselves. Consumes the history of outputs.
Tensors gauss_newton_product(const Variable& outputs, const Variables& wrt, const Tensors& v,
                             const std::function<Tensor(const Tensor& jv)>& b);

}  // namespace basin
