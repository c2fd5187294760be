#include "nn/layers.h"

#include <cmath>

#include "core/ops.h"

namespace basin::nn {
namespace {

/// A count of channels, features or the like, once it is known to be one.
Index counted(const char* layer, const char* what, Index count) {
  if (count < 1) throw ArgumentError("[", layer, "] ", what, " must be at least 1, got ", count);
  return count;
}

/// What is added to a variance, once it is known to be above 0, also in the dtype of the layer.
double checked_eps(const char* layer, double eps, Dtype dtype) {
  const double rounded = dtype == Dtype::f32 ? static_cast<float>(eps) : eps;
  if (!(rounded > 0) || !std::isfinite(rounded))
    throw ArgumentError("[", layer, "] eps must be finite and above 0 in ", dtype, ", got ", eps);
  return eps;
}

const BatchNorm2dOptions& checked(const BatchNorm2dOptions& o, Dtype dtype) {
  checked_eps("batch_norm", o.eps, dtype);
  if (!(o.momentum >= 0 && o.momentum <= 1))
    throw ArgumentError("[batch_norm] momentum, the share of the new batch, must be in [0, 1], got ",
                        o.momentum);
  return o;
}

}  // namespace

Linear::Linear(Index in, Index out, Initializer& init, bool bias) {
  counted("linear", "in", in);
  counted("linear", "out", out);
  const double bound = 1 / std::sqrt(static_cast<double>(in));
  weight_ = Variable::parameter(init.uniform({out, in}, -bound, bound));
  if (bias) bias_ = Variable::parameter(init.uniform({out}, -bound, bound));
}

Linear::Linear(Tensor weight, Tensor bias)
    : weight_(Variable::parameter(std::move(weight))), bias_(Variable::parameter(std::move(bias))) {
  const Tensor &w = weight_.value(), &b = bias_.value();
  if (w.rank() != 2 || w.elements() == 0 || b.shape() != Shape{w.shape()[0]} || b.dtype() != w.dtype())
    throw ArgumentError("[linear] expects a weight {out,in} and a bias {out} of one dtype, got ", w.dtype(),
                        " ", w.shape(), " and ", b.dtype(), " ", b.shape());
}

void Linear::describe(Inventory& it) {
  it.parameter("weight", weight_);
  if (bias_.defined()) it.parameter("bias", bias_, ParameterRole::bias);
}

Index Linear::multiply_adds(const Shape& in, const Shape& out) const {
  return in.elements() * out[out.rank() - 1];
}
Variable Linear::forward(const Variable& x, Context&) { return linear(x, weight_, bias_); }

Conv2d::Conv2d(const Conv2dOptions& o, Initializer& init) : options_(o) {
  counted("conv2d", "in", o.in);
  counted("conv2d", "out", o.out);
  counted("conv2d", "kernel", o.kernel);
  counted("conv2d", "stride", o.stride);
  counted("conv2d", "groups", o.groups);
  if (o.pad < 0) throw ArgumentError("[conv2d] pad must be at least 0, got ", o.pad);
  if (o.in % o.groups != 0 || o.out % o.groups != 0)
    throw ArgumentError("[conv2d] ", o.groups, " groups do not divide ", o.in, " input and ", o.out,
                        " output channels");
  weight_ = Variable::parameter(init.weight({o.kernel, o.kernel, o.in / o.groups, o.out}, o.scheme));
  if (o.bias) bias_ = Variable::parameter(init.zeros({o.out}));
}

void Conv2d::describe(Inventory& it) {
  it.parameter("weight", weight_, ParameterRole::weight, ParameterLayout::convolution);
  if (bias_.defined()) it.parameter("bias", bias_, ParameterRole::bias);
}

Index Conv2d::multiply_adds(const Shape&, const Shape& out) const {
  return out.elements() * options_.kernel * options_.kernel * (options_.in / options_.groups);
}

Variable Conv2d::forward(const Variable& x, Context&) {
  const Variable y = conv2d(x, weight_,
                            {.stride_h = options_.stride,
                             .stride_w = options_.stride,
                             .pad_h = options_.pad,
                             .pad_w = options_.pad,
                             .groups = options_.groups});
  return bias_.defined() ? y + bias_ : y;
}

BatchNorm2d::BatchNorm2d(Index channels, Initializer& init, const BatchNorm2dOptions& options)
    : options_(checked(options, init.dtype())),
      weight_(Variable::parameter(init.ones({counted("batch_norm", "channels", channels)}))),
      bias_(Variable::parameter(init.zeros({channels}))),
      running_mean_(init.zeros({channels})),
      running_var_(init.ones({channels})),
      num_batches_tracked_(Tensor::zeros({}, Dtype::i64, init.device())) {}

void BatchNorm2d::describe(Inventory& it) {
  it.parameter("weight", weight_, ParameterRole::norm_weight);
  it.parameter("bias", bias_, ParameterRole::norm_bias);
  it.buffer("running_mean", running_mean_, BufferKind::statistics);
  it.buffer("running_var", running_var_, BufferKind::statistics);
  it.buffer("num_batches_tracked", num_batches_tracked_);
}

void BatchNorm2d::expect_running_statistics() const {
  if (!running_mean_.defined() || !running_var_.defined())
    throw ArgumentError(
        "[batch_norm] the running statistics are not those of these weights (averaged weights need a "
        "recalibration first: nn/recalibration.h)");
}

Variable BatchNorm2d::forward(const Variable& x, Context& ctx) {
  if (!ctx.training() || ctx.statistics == Statistics::running) {
    expect_running_statistics();
    // Without a backward pass a convolution that takes the norm along saves nothing that is kept, and the
    // plain ops are those that an export can write.
    return batch_norm_eval(x, weight_, bias_, running_mean_, running_var_,
                           {.eps = options_.eps, .joins_convolution = ctx.training()});
  }
  if (ctx.statistics == Statistics::update) expect_running_statistics();
  if (ctx.statistics == Statistics::collect && ctx.collector == nullptr)
    throw ArgumentError("[batch_norm] Statistics::collect needs a collector in the Context");
  const Index values = x.rank() > 0 && x.size(-1) > 0 ? x.shape().elements() / x.size(-1) : 0;
  if (values == 1 && ctx.statistics != Statistics::collect)
    throw ArgumentError(
        "[batch_norm] one value a channel in training, x is ", x.shape(),
        ": it is its own mean, so the output would be beta whatever x is; use batches of more "
        "than one, or Statistics::running");

  const double n = static_cast<double>(values);
  const RunningStatistics running{running_mean_, running_var_, num_batches_tracked_, options_.momentum,
                                  n > 1 ? n / (n - 1) : 1};
  const bool update = ctx.statistics == Statistics::update;
  const BatchNormResult result =
      batch_norm_train(x, weight_, bias_, {.eps = options_.eps, .running = update ? &running : nullptr});
  if (ctx.statistics == Statistics::collect)
    ctx.collector->collect({.running_mean = &running_mean_,
                            .running_var = &running_var_,
                            .mean = result.mean,
                            .var = result.var,
                            .values = values});
  return result.y;
}

LayerNorm::LayerNorm(Index width, Initializer& init, double eps)
    : eps_(checked_eps("layer_norm", eps, init.dtype())),
      weight_(Variable::parameter(init.ones({counted("layer_norm", "width", width)}))),
      bias_(Variable::parameter(init.zeros({width}))) {}

void LayerNorm::describe(Inventory& it) {
  it.parameter("weight", weight_, ParameterRole::norm_weight);
  it.parameter("bias", bias_, ParameterRole::norm_bias);
}

Variable LayerNorm::forward(const Variable& x, Context&) { return layer_norm(x, weight_, bias_, eps_); }

Dropout::Dropout(double p) : p_(p) {
  if (!(p >= 0 && p < 1)) throw ArgumentError("[dropout] p is a probability in [0, 1), got ", p);
}

Variable Dropout::forward(const Variable& x, Context& ctx) {
  return ctx.training() && ctx.dropout ? dropout(x, p_, ctx.next_draw()) : x;
}

}  // namespace basin::nn
