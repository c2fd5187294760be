#include "optim/objective.h"

#include <algorithm>
#include <cmath>

#include "autograd/curvature/hvp.h"
#include "autograd/gradients.h"
#include "autograd/ops/ops.h"
#include "core/ops.h"
#include "optim/geometry.h"
#include "optim/parameter_vector.h"

namespace basin::optim {
namespace {

/// y += weight_decay w, where decay applies.
void add_decay(double weight_decay, const Tensor& x, const ParameterVector& w, Tensor& y) {
  if (weight_decay == 0) return;
  axpby(weight_decay, w.decay_mask().defined() ? x * w.decay_mask() : x, 1, y);
}

/// A loss that reaches no weight has gradient zero, which looks like a minimum: it is a mistake.
void check(const Variable& loss, const ParameterVector& w, const EvaluateOptions& options) {
  if (!loss.defined()) throw ArgumentError("[evaluate] the loss is undefined");
  if (loss.value().elements() != 1)
    throw ArgumentError("[evaluate] the loss has shape ", loss.shape(),
                        "; an objective is one number: take its mean or sum");
  if (!(options.weight_decay >= 0) || !std::isfinite(options.weight_decay))
    throw ArgumentError("[evaluate] weight_decay must be finite and at least 0, got ", options.weight_decay);
  if (!loss.tracked())
    throw ArgumentError(
        "[evaluate] the loss is a constant, with no history to differentiate: something on the way from the "
        "weights to it was detached, or computed under NoRecording");
  if (!depends_on(loss, w.variables()))
    throw ArgumentError(
        "[evaluate] the loss was computed from none of the weights of this ParameterVector ('",
        w.segments().front().name,
        "', ...): make it once, after the model has its place in memory; a second "
        "ParameterVector of the model, or a copy of the model, has weights of its own");
}

}  // namespace

Evaluation evaluate(const Variable& loss, const ParameterVector& w, const EvaluateOptions& options) {
  check(loss, w, options);
  Evaluation result;
  result.loss = loss.value().item();
  if (!options.norm_gradient) {
    result.gradient = w.flatten(gradients(loss, w.variables()));
    add_decay(options.weight_decay, w.values(), w, result.gradient);
    return result;
  }

  // d/dw (g . v) with v = g/|g| held fixed is H v (Pearlmutter 1994).
  const Variables g = differentiable_gradients(loss, w.variables());
  Tensors values;
  for (const Variable& part : g) values.push_back(part.value());
  result.gradient = w.flatten(values);
  add_decay(options.weight_decay, w.values(), w, result.gradient);
  const double size = norm(result.gradient);
  const Tensor v =
      size > 0 ? unit(result.gradient, size) : Tensor::zeros({w.size()}, w.dtype(), w.values().device());
  const Tensors parts = w.split(v);
  Variable product;
  for (std::size_t i = 0; i < g.size(); ++i) {
    const Variable term = sum(g[i] * Variable(parts[i]));
    product = product.defined() ? product + term : term;
  }
  result.norm_gradient = w.flatten(gradients(product, w.variables()));
  add_decay(options.weight_decay, v, w, result.norm_gradient);
  return result;
}

Tensor hessian_vector_product(const Variable& loss, const ParameterVector& w, const Tensor& v,
                              bool keep_graph) {
  check(loss, w, {});
  if (v.elements() != w.size() || v.dtype() != w.dtype())
    throw ArgumentError("[hessian_vector_product] v is ", v.dtype(), " ", v.shape(), ", the weights are ",
                        w.dtype(), " ", w.values().shape());
  return w.flatten(basin::hessian_vector_product(loss, w.variables(), w.split(v), keep_graph));
}

Objective accumulated(const Objective& objective, std::int64_t rows, std::int64_t m) {
  if (rows < 1 || m < 1)
    throw ArgumentError("[accumulated] needs at least 1 row and micro-batches of at least 1, got ", rows,
                        " and ", m);
  if (m >= rows) return objective;
  return [objective, rows, m](const Request& request) {
    if (request.norm_gradient)
      throw ArgumentError(
          "[accumulated] grad |grad L| is no mean over micro-batches: exact GAM needs the whole batch, or a "
          "perturbation of each micro-batch's own");
    Evaluation mean;
    for (std::int64_t begin = 0; begin < rows; begin += m) {
      Request part = request;
      part.begin = begin;
      part.end = std::min(begin + m, rows);
      const Evaluation e = objective(part);
      const double share = static_cast<double>(part.end - begin) / static_cast<double>(rows);
      mean.loss += share * e.loss;
      mean.correct += e.correct;
      mean.rows += e.rows;
      if (!mean.gradient.defined()) mean.gradient = Tensor::zeros(e.gradient.shape(), e.gradient.dtype());
      axpby(share, e.gradient, 1, mean.gradient);
    }
    return mean;
  };
}

}  // namespace basin::optim
