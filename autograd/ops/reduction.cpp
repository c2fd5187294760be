// Differentiable reductions: sum, mean, max over axes, inner products.
#include "autograd/ops/op_support.h"

namespace basin {
namespace {

/// The shape of a reduced result with extents of 1 in place: it broadcasts back to the input.
Shape kept_shape(const Variable& x, const Axes& axes, const char* op) {
  return reduced_shape(x.shape(), axes, /*keep=*/true, op);
}

}  // namespace

Variable sum(const Variable& x, const Axes& axes, bool keep) {
  return record({"sum", attribute::Reduction{axes, keep}}, sum(x.value(), axes, keep), {x}, Keep::nothing,
                [kept = kept_shape(x, axes, "sum")](const Backward& b) -> Variables {
                  return {broadcast_to(reshape(b.grad(), kept), b.input_shape(0))};
                });
}

Variable wide_sum(const Variable& x, const Axes& axes, bool keep) {
  if (x.dtype() != Dtype::bf16) return sum(x, axes, keep);
  return record("wide_sum", wide_sum(x.value(), axes, keep), {x}, Keep::nothing,
                [kept = kept_shape(x, axes, "sum")](const Backward& b) -> Variables {
                  return {broadcast_to(to(reshape(b.grad(), kept), Dtype::bf16), b.input_shape(0))};
                });
}

Variable mean(const Variable& x, const Axes& axes, bool keep) {
  const Variable total = wide_sum(x, axes, keep);
  const Index count = total.value().elements();
  if (x.value().elements() == 0 && count > 0)
    throw ArgumentError("[mean] no elements to average along the reduced axes of shape ", x.shape());
  if (count == 0) return to(total, x.dtype());
  return to(total / static_cast<double>(x.value().elements() / count), x.dtype());
}

// The derivative goes to where x is the maximum, in equal parts among equals; where that is, is data.
Variable max(const Variable& x, const Axes& axes, bool keep) {
  return record(
      {"max", attribute::Reduction{axes, keep}}, reduce(ReduceOp::max, x.value(), axes, keep), {x},
      Keep::first | Keep::output, [axes, kept = kept_shape(x, axes, "max")](const Backward& b) -> Variables {
        const Tensor here = binary(BinaryOp::equal, b.input(0).value(), b.output().value().reshape(kept));
        const Tensor parts = here / sum(here, axes, /*keep=*/true);
        return {reshape(b.grad(), kept) * Variable(parts)};
      });
}

Variable dot(const Variable& x, const Variable& y) {
  if (x.shape() != y.shape()) throw ArgumentError("[dot] shapes ", x.shape(), " and ", y.shape(), " differ");
  return sum(x * y);
}

Variable dot(const Variables& x, const Variables& y) {
  if (x.size() != y.size() || x.empty())
    throw ArgumentError("[dot] expects two lists of equal length, got ", x.size(), " and ", y.size(),
                        " entries");
  Variable total = dot(x[0], y[0]);
  for (std::size_t i = 1; i < x.size(); ++i) total = total + dot(x[i], y[i]);
  return total;
}

}  // namespace basin
