// VaSSO (Li and Giannakis 2023): climb along the running mean of gradients, m <- (1 - theta) m + theta g, so
// that one batch's noise moves the climb by theta of itself.
#include "core/ops.h"
#include "optim/gradient/sam.h"

namespace basin::optim {

/// m with g taken in; the first is g.
Tensor Sam::mean_with(const Tensor& g) const {
  return m_.defined() ? combination(1 - options_.theta, m_, options_.theta, g) : g;
}

}  // namespace basin::optim
