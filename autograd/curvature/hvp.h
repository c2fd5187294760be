// Hessian-vector products by differentiating twice.
#pragma once

#include "autograd/variable.h"

namespace basin {

/// H v, H the Hessian of `loss` with respect to `wrt` (Pearlmutter 1994), by reverse over reverse:
/// H v = d/dw (dL/dw . v). `v` has the shapes of `wrt`. Consumes the history of loss unless keep_graph.
Tensors hessian_vector_product(const Variable& loss, const Variables& wrt, const Tensors& v,
                               bool keep_graph = false);

}  // namespace basin
