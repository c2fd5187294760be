// Differentiable batch norm, fused with a ReLU and a residual, or with the convolution behind it.
#include <algorithm>
#include <utility>

#include "autograd/ops/deferred.h"
#include "autograd/ops/norm_support.h"
#include "core/op_checks.h"

namespace basin {
namespace {

enum class Statistics { of_batch, given };

// What follows the five inputs that all have: the residual of one op, the weight of the other.
constexpr std::size_t residual_at = inv_std_at + 1, weight_at = inv_std_at + 1;

/// What batch norm means. The statistics of a batch depend on x, so they are computed from it here: as
/// constants they would give the right value and wrong derivatives.
Variable normalised(const Variables& in, Statistics statistics, double eps) {
  const Variable x = wide(in[x_at]);
  Variable centred, inv_std;
  if (statistics == Statistics::of_batch) {
    Axes rows;
    for (int i = 0; i + 1 < x.rank(); ++i) rows.push_back(i);
    centred = x - mean(x, rows);
    inv_std = rsqrt(mean(square(centred), rows) + eps);
  } else {
    centred = x - in[mean_at];
    inv_std = in[inv_std_at];
  }
  return centred * (inv_std * in[gamma_at]) + in[beta_at];
}

Variable batch_norm_meaning(const Variables& in, Statistics statistics, double eps, bool with_relu) {
  Variable y = normalised(in, statistics, eps);
  if (in.size() > residual_at) y = y + wide(in[residual_at]);
  return to(with_relu ? relu(y) : y, in[x_at].dtype());
}

/// What the kernels are told of a batch normalisation without a residual.
BatchNormForward forward_of(const Tensors& in, bool with_relu) {
  return {.x = in[x_at],
          .gamma = in[gamma_at],
          .beta = in[beta_at],
          .mean = in[mean_at],
          .inv_std = in[inv_std_at],
          .residual = nullptr,
          .relu = with_relu};
}

BatchNormBackward backward_of(const Tensors& in, const Tensor& dy, Statistics statistics, bool with_relu,
                              const Tensor* y) {
  return {.x = in[x_at],
          .gamma = in[gamma_at],
          .beta = in[beta_at],
          .mean = in[mean_at],
          .inv_std = in[inv_std_at],
          .dy = dy,
          .relu = with_relu,
          .y = y,
          .batch_statistics = statistics == Statistics::of_batch};
}

/// The same gradient by one kernel: dL/dx, dL/dgamma, dL/dbeta, and the cotangent of the residual.
Tensors batch_norm_backward(const KernelBackward& k, Statistics statistics, bool with_relu) {
  Tensors grads = room_for_norm_grads(k);
  const bool residual = k.inputs.size() > residual_at;
  // Without a ReLU the residual's cotangent is dy itself.
  if (residual) grads[residual_at] = with_relu ? empty_like(k.grad) : k.grad;
  if (k.grad.elements() == 0) return grads;
  backend_of(k.grad, Work::norm)
      ->batch_norm_grad(
          backward_of(k.inputs, k.grad, statistics, with_relu, with_relu && residual ? &k.output : nullptr),
          grads[x_at], grads[gamma_at], grads[beta_at],
          residual && with_relu ? &grads[residual_at] : nullptr);
  return grads;
}

void expect_batch_norm(const char* op, const Variable& x, const Variable& gamma, const Variable& beta,
                       const BatchNormOptions& options) {
  if (!x.deferred()) checks::expect_computed(op, x.value(), "x");
  if (!has_derivatives(x.dtype()) || x.rank() < 1)
    throw ArgumentError("[", op, "] expects f32 or f64 x {...,C}, got ", x.dtype(), " ", x.shape());
  expect_channels(op, x, "gamma", gamma.value());
  expect_channels(op, x, "beta", beta.value());
  const Variable& r = options.residual;
  if (r.defined() && (r.shape() != x.shape() || r.dtype() != x.dtype()))
    throw ArgumentError("[", op, "] the residual is ", r.dtype(), " ", r.shape(), ", x is ", x.dtype(), " ",
                        x.shape());
}

void expect_statistics(const char* op, const Variable& x, const Tensor& mean, const Tensor& var) {
  expect_channels(op, x, "mean", mean);
  expect_channels(op, x, "var", var);
}

/// The mean and the biased variance of a batch, if they are not known; options.inv_std too where a device has
/// them together, which then moves the running statistics along and takes them out of the options.
Moments moments_of(const char* op, const Variable& x, const Moments& known, BatchNormOptions& options) {
  if (x.value().elements() == 0)
    throw ArgumentError("[", op, "] no rows to take the mean of, x is ", x.shape());
  if (known.defined()) {
    expect_statistics(op, x, known.mean, known.var);
    return known;
  }
  const auto room = [&] { return empty_parameter_like(x.value(), {x.size(-1)}); };
  Moments found = {room(), room()};
  const Device device = found.mean.device();
  if (!device.is_host() && (options.running == nullptr || options.running->batches.device() == device)) {
    Tensor inv_std = room();
    if (backend_of(found.mean, Work::norm)
            ->batch_statistics(x.value(), {found.mean, found.var, inv_std, options.eps, options.running})) {
      options.inv_std = inv_std;
      options.running = nullptr;
      return found;
    }
  }
  backend_of(found.mean, Work::norm)->moments(x.value(), found.mean, found.var);
  return found;
}

void move_along(const RunningStatistics& r, const Moments& batch) {
  axpby(r.share, batch.mean, 1 - r.share, r.mean);
  axpby(r.share * r.unbiased, batch.var, 1 - r.share, r.var);
  increment(r.batches);
}

/// The five inputs that all have.
Variables norm_inputs(const Variable& x, const Variable& gamma, const Variable& beta, const Tensor& mean,
                      const Tensor& var, const BatchNormOptions& options) {
  if (options.inv_std.defined()) return {x, gamma, beta, mean, options.inv_std};
  return {x, gamma, beta, mean, unary(UnaryOp::rsqrt, unary(UnaryOp::add_scalar, var, options.eps))};
}

Tensors values_of(const Variables& all) {
  Tensors values;
  for (const Variable& v : all) values.push_back(v.value());
  return values;
}

/// Whether the gradient has ops of its own to be recorded (batch_norm_cotangents).
bool has_recorded_gradient(const Variable& x) { return x.dtype() != Dtype::bf16 && x.value().elements() > 0; }

/// dL/d(inputs) of a batch norm whose result, `y` where there is a ReLU, has the cotangent dy.
Variables recorded_gradient(const Variables& in, const Variable& dy, const Tensor& y,
                            const NormOfBatch& norm) {
  const Variable masked = y.defined() ? relu_grad(dy, y) : dy;
  const NormCotangents found = batch_norm_cotangents(in, masked, norm);
  Variables result(in.size());
  result[x_at] = found.x;
  result[gamma_at] = found.gamma;
  result[beta_at] = found.beta;
  if (in.size() > residual_at) result[residual_at] = masked;
  return result;
}

/// The op on the five inputs, and the residual of the options. `given`: the variance, for readers.
Variable batch_norm_of(const char* op, Statistics statistics, Variables inputs, const Tensor& given,
                       const BatchNormOptions& options) {
  const Variable x = inputs[x_at];
  Tensor y = empty_like(x.value());
  if (y.elements() > 0) {
    const Tensors values = values_of(inputs);
    BatchNormForward f = forward_of(values, options.relu);
    if (options.residual.defined()) f.residual = &options.residual.value();
    backend_of(y, Work::norm)->batch_norm(f, y);
  }
  if (options.residual.defined()) inputs.push_back(options.residual);

  const NormOfBatch norm{statistics == Statistics::of_batch, options.eps};
  const bool kept = options.relu && options.residual.defined();
  std::function<Variables(const Backward&)> recorded;
  if (has_recorded_gradient(x))
    recorded = [norm, kept, with_relu = options.relu, count = inputs.size()](const Backward& b) {
      Variables in;
      for (std::size_t i = 0; i < count; ++i) in.push_back(b.input(i));
      Tensor y_of;
      if (kept) {
        y_of = b.output().value();
      } else if (with_relu) {
        y_of = empty_like(in[x_at].value());
        backend_of(y_of, Work::norm)->batch_norm(forward_of(values_of(in), true), y_of);
      }
      return recorded_gradient(in, b.grad(), y_of, norm);
    };
  return fused(
      {op, attribute::Normalisation{options.eps, options.relu, given}}, inputs,
      [statistics, eps = options.eps, with_relu = options.relu](const Variables& in) {
        return batch_norm_meaning(in, statistics, eps, with_relu);
      },
      {.value = std::move(y),
       .keep_output = kept,
       .backward = [statistics, with_relu = options.relu](
                       const KernelBackward& k) { return batch_norm_backward(k, statistics, with_relu); },
       .recorded = std::move(recorded)});
}

Variable batch_norm(const char* op, Statistics statistics, const Variable& x, const Variable& gamma,
                    const Variable& beta, const Tensor& mean, const Tensor& var,
                    const BatchNormOptions& options) {
  return batch_norm_of(op, statistics, norm_inputs(x, gamma, beta, mean, var, options),
                       statistics == Statistics::given ? var : Tensor(), options);
}

}  // namespace

BatchNormResult batch_norm_train(const Variable& x, const Variable& gamma, const Variable& beta,
                                 const BatchNormOptions& given) {
  expect_batch_norm("batch_norm_train", x, gamma, beta, given);
  if (given.running != nullptr)
    expect_statistics("batch_norm_train", x, given.running->mean, given.running->var);
  BatchNormOptions options = given;
  const Moments known = options.moments.defined() ? options.moments : moments_beside(x);
  const Moments batch = moments_of("batch_norm_train", x, known, options);
  const RunningStatistics* running = std::exchange(options.running, nullptr);
  Variable y =
      deferred_batch_norm("batch_norm_train", {true, x, gamma, beta, batch.mean, batch.var, options});
  if (!y.defined())
    y = batch_norm("batch_norm_train", Statistics::of_batch, x, gamma, beta, batch.mean, batch.var, options);
  if (running != nullptr) move_along(*running, batch);
  return {std::move(y), batch.mean, batch.var};
}

Variable batch_norm_eval(const Variable& x, const Variable& gamma, const Variable& beta, const Tensor& mean,
                         const Tensor& var, const BatchNormOptions& options) {
  expect_batch_norm("batch_norm_eval", x, gamma, beta, options);
  expect_statistics("batch_norm_eval", x, mean, var);
  if (Variable later = deferred_batch_norm("batch_norm_eval", {false, x, gamma, beta, mean, var, options});
      later.defined())
    return later;
  return batch_norm("batch_norm_eval", Statistics::given, x, gamma, beta, mean, var, options);
}

// ---- Batch norm and the convolution behind it ----

namespace {

/// The same gradient with z = relu(batch norm of x) formed again where the kernels read it. dL/dz, from dy
/// and w, is put where dL/dx will be.
Tensors batch_norm_conv2d_backward(const KernelBackward& k, Statistics statistics, bool with_relu,
                                   const ConvGeometry& g) {
  const Tensor& weight = k.inputs[weight_at];
  Tensors grads(k.inputs.size());
  Tensor& dx = grads[x_at];
  const bool of_norm = k.needs[x_at] || k.needs[gamma_at] || k.needs[beta_at];
  for (std::size_t i : {x_at, gamma_at, beta_at})
    if (of_norm) grads[i] = empty_like(k.inputs[i]);
  if (k.needs[weight_at]) grads[weight_at] = empty_like(weight);
  if (k.grad.elements() == 0) {
    for (Tensor& t : grads)
      if (t.defined()) t.fill(0);
    return grads;
  }
  const Tensor& x = k.inputs[x_at];
  const BatchNormBackward norm = backward_of(k.inputs, of_norm ? dx : k.grad, statistics, with_relu, nullptr);
  if (!of_norm) {
    const BatchNormForward forward = norm.forward();
    backend_of(x, Work::conv_weight_grad)
        ->conv2d_weight_grad({.geometry = g, .norm = &forward}, x, k.grad, grads[weight_at]);
  } else if (k.needs[weight_at]) {
    backend_of(x, Work::conv_gradients)
        ->conv2d_gradients(g, x, weight, k.grad,
                           {.dx = dx,
                            .dw = grads[weight_at],
                            .norm = &norm,
                            .dgamma = &grads[gamma_at],
                            .dbeta = &grads[beta_at]});
  } else {
    backend_of(x, Work::conv_input_grad)->conv2d_input_grad(g, k.grad, weight, dx);
    backend_of(x, Work::norm)->batch_norm_grad(norm, dx, grads[gamma_at], grads[beta_at], nullptr);
  }
  return grads;
}

Variable batch_norm_conv2d(const char* op, Statistics statistics, const Variable& x, const Variable& gamma,
                           const Variable& beta, const Tensor& mean, const Tensor& var,
                           const Variable& weight, const BatchNormOptions& options, const ConvGeometry& g,
                           Moments* of_y) {
  Variables inputs = norm_inputs(x, gamma, beta, mean, var, options);
  inputs.push_back(weight);
  Tensor y = empty_like(x.value(), g.y_shape());
  if (y.elements() > 0) {
    const Tensors values = values_of(inputs);
    const BatchNormForward f = forward_of(values, options.relu);
    if (of_y) *of_y = {empty_parameter_like(y, {g.out_c}), empty_parameter_like(y, {g.out_c})};
    backend_of(y, Work::conv_forward)
        ->conv2d({.geometry = g, .norm = &f, .moments = of_y}, x.value(), weight.value(), y);
  }
  const Tensor given = statistics == Statistics::given ? var : Tensor();
  std::function<Variables(const Backward&)> recorded;
  if (has_recorded_gradient(x))
    recorded = [op, statistics, with_relu = options.relu, eps = options.eps, g](const Backward& b) {
      Variables in;
      for (std::size_t i = 0; i <= inv_std_at; ++i) in.push_back(b.input(i));
      const Variable z = batch_norm_of(op, statistics, in, Tensor(), {.eps = eps, .relu = with_relu});
      Variables result(weight_at + 1);
      if (b.needs(weight_at)) result[weight_at] = weight_cotangent(b, weight_at, z, b.grad(), g);
      if (!b.needs(x_at) && !b.needs(gamma_at) && !b.needs(beta_at)) return result;
      const Variable dz = conv2d_input_grad(b.grad(), b.input(weight_at), g);
      const Variables of_norm = recorded_gradient(in, dz, with_relu ? z.value() : Tensor(),
                                                  {statistics == Statistics::of_batch, eps});
      std::copy(of_norm.begin(), of_norm.end(), result.begin());
      return result;
    };
  return fused({op, attribute::NormalisedConvolution{{options.eps, options.relu, given}, g}}, inputs,
               [statistics, eps = options.eps, with_relu = options.relu, g](const Variables& in) {
                 const Variable z = normalised(in, statistics, eps);
                 // Of the convolution the history alone: its numbers, which nobody reads, are most of the
                 // work.
                 return recorded_conv2d(empty_like(in[x_at].value(), g.y_shape()),
                                        to(with_relu ? relu(z) : z, in[x_at].dtype()), in[weight_at], g);
               },
               {.value = std::move(y),
                .backward =
                    [statistics, with_relu = options.relu, g](const KernelBackward& k) {
                      return batch_norm_conv2d_backward(k, statistics, with_relu, g);
                    },
                .recorded = std::move(recorded)});
}

/// Errors: as those of the two ops, and a residual.
ConvGeometry expect_batch_norm_conv2d(const char* op, const Variable& x, const Variable& gamma,
                                      const Variable& beta, const Variable& weight,
                                      const BatchNormOptions& options, const ConvOptions& conv) {
  expect_batch_norm(op, x, gamma, beta, options);
  if (options.residual.defined())
    throw ArgumentError("[", op, "] takes no residual: add it by the batch norm's own op");
  checks::expect_parameter(op, x.value(), "x", weight.value(), "weight");
  return conv_geometry(x.shape(), weight.shape(), conv);
}

}  // namespace

BatchNormResult batch_norm_conv2d_train(const Variable& x, const Variable& gamma, const Variable& beta,
                                        const Variable& weight, const BatchNormOptions& given,
                                        const ConvOptions& conv, Moments* moments_of_y) {
  constexpr const char* op = "batch_norm_conv2d_train";
  const ConvGeometry g = expect_batch_norm_conv2d(op, x, gamma, beta, weight, given, conv);
  BatchNormOptions options = given;
  const auto [mean, var] = moments_of(op, x, options.moments, options);
  return {batch_norm_conv2d(op, Statistics::of_batch, x, gamma, beta, mean, var, weight, options, g,
                            moments_of_y),
          mean, var};
}

Variable batch_norm_conv2d_eval(const Variable& x, const Variable& gamma, const Variable& beta,
                                const Tensor& mean, const Tensor& var, const Variable& weight,
                                const BatchNormOptions& options, const ConvOptions& conv) {
  constexpr const char* op = "batch_norm_conv2d_eval";
  const ConvGeometry g = expect_batch_norm_conv2d(op, x, gamma, beta, weight, options, conv);
  expect_statistics(op, x, mean, var);
  return batch_norm_conv2d(op, Statistics::given, x, gamma, beta, mean, var, weight, options, g, nullptr);
}

}  // namespace basin
