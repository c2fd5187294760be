// Differentiable indexing: gather reads at an index, scatter-add writes there; each is the other's
// derivative. The index is data and travels along as a constant input.
#include "autograd/ops/op_support.h"

namespace basin {

Variable gather(const Variable& x, const Tensor& index, int axis) {
  return record("gather", gather(x.value(), index, axis), {x, index}, Keep::second,
                [axis](const Backward& b) -> Variables {
                  const Index extent = b.input_shape(0)[b.input_shape(0).axis(axis, "gather")];
                  return {scatter_add(b.grad(), b.input(1).value(), axis, extent), none};
                });
}

Variable scatter_add(const Variable& x, const Tensor& index, int axis, Index extent) {
  return record("scatter_add", scatter_add(x.value(), index, axis, extent), {x, index}, Keep::second,
                [axis](const Backward& b) -> Variables {
                  return {gather(b.grad(), b.input(1).value(), axis), none};
                });
}

Variable gather_last(const Variable& x, const Tensor& index) {
  return record("gather_last", gather_last(x.value(), index), {x, index}, Keep::second,
                [extent = x.size(-1)](const Backward& b) -> Variables {
                  return {scatter_add_last(b.grad(), b.input(1).value(), extent), none};
                });
}

Variable scatter_add_last(const Variable& x, const Tensor& index, Index extent) {
  return record("scatter_add_last", scatter_add_last(x.value(), index, extent), {x, index}, Keep::second,
                [](const Backward& b) -> Variables {
                  return {gather_last(b.grad(), b.input(1).value()), none};
                });
}

}  // namespace basin
