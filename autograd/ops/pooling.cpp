// Differentiable pooling. A maximum is read at an index that is data: its derivative scatters to there, whose
// derivative gathers. Averaging and its gradient are each other's derivative.
#include "autograd/ops/op_support.h"
#include "core/op_checks.h"

namespace basin {
namespace {

ConvGeometry geometry(const Variable& x, const PoolOptions& o, const char* op) {
  checks::expect_computed(op, x.value(), "x");
  return pool_geometry(x.shape(), o.kernel_h, o.kernel_w,
                       {.stride_h = o.stride_h, .stride_w = o.stride_w, .pad_h = o.pad_h, .pad_w = o.pad_w},
                       op);
}

Variable pool_gather(const Variable& x, const Variable& index, const ConvGeometry& g);

/// out[n, index[n,o,c], c] += x[n,o,c].
Variable pool_scatter(const Variable& x, const Variable& index, const ConvGeometry& g) {
  Tensor value = Tensor::zeros(g.x_shape(), x.dtype(), x.value().device());
  if (value.elements() > 0)
    backend_of(value, Work::pooling)->pool_scatter(g, x.value(), index.value(), value);
  return record("pool_scatter", std::move(value), {x, index}, Keep::second,
                [g](const Backward& b) -> Variables {
                  return {pool_gather(b.grad(), b.input(1), g), none};
                });
}

/// out[n,o,c] = x[n, index[n,o,c], c].
Variable pool_gather(const Variable& x, const Variable& index, const ConvGeometry& g) {
  Tensor value = empty_like(x.value(), g.y_shape());
  if (value.elements() > 0) backend_of(value, Work::pooling)->pool_gather(g, x.value(), index.value(), value);
  return record("pool_gather", std::move(value), {x, index}, Keep::second,
                [g](const Backward& b) -> Variables {
                  return {pool_scatter(b.grad(), b.input(1), g), none};
                });
}

Variable average(const Variable& x, const ConvGeometry& g, bool count_pad);

/// The adjoint of average: each dy spread evenly over its window.
Variable average_grad(const Variable& dy, const ConvGeometry& g, bool count_pad) {
  Tensor value = empty_like(dy.value(), g.x_shape());
  if (value.elements() > 0) backend_of(value, Work::pooling)->avg_pool_grad(g, dy.value(), count_pad, value);
  return record("avg_pool_grad", std::move(value), {dy}, Keep::nothing,
                [=](const Backward& b) -> Variables { return {average(b.grad(), g, count_pad)}; });
}

Variable average(const Variable& x, const ConvGeometry& g, bool count_pad) {
  Tensor value = empty_like(x.value(), g.y_shape());
  if (value.elements() > 0) backend_of(value, Work::pooling)->avg_pool(g, x.value(), count_pad, value);
  return record({"avg_pool", attribute::Averaging{g, count_pad}}, std::move(value), {x}, Keep::nothing,
                [=](const Backward& b) -> Variables { return {average_grad(b.grad(), g, count_pad)}; });
}

}  // namespace

Variable max_pool(const Variable& x, const PoolOptions& options) {
  const ConvGeometry g = geometry(x, options, "max_pool");
  Tensor value = empty_like(x.value(), g.y_shape());
  Tensor index = Tensor::empty(g.y_shape(), Dtype::i64, x.value().device());
  if (value.elements() > 0) backend_of(value, Work::pooling)->max_pool(g, x.value(), value, index);
  return record({"max_pool", g}, std::move(value), {x, index}, Keep::second,
                [g](const Backward& b) -> Variables {
                  return {pool_scatter(b.grad(), b.input(1), g), none};
                });
}

Variable avg_pool(const Variable& x, const PoolOptions& options) {
  return average(x, geometry(x, options, "avg_pool"), options.count_pad);
}

Variable global_avg_pool(const Variable& x) {
  if (x.rank() != 4) throw ArgumentError("[global_avg_pool] expects x {N,H,W,C}, got ", x.shape());
  return mean(x, {1, 2});
}

}  // namespace basin
