// The gradient of batch norm as ops of its own, with kernels for their derivatives: what a Hessian-vector
// product spends on normalisation.
#include "autograd/ops/norm_support.h"

namespace basin {
namespace {

Axes rows_of(const Variable& x) {
  Axes rows;
  for (int i = 0; i + 1 < x.rank(); ++i) rows.push_back(i);
  return rows;
}

/// x normalised, and what it was divided by, as functions of x.
struct Normalised {
  Variable x, inv_std;
};
Normalised normalised_of(const Variable& x, const Variable& mean_of_x, const Variable& inv_std,
                         const NormOfBatch& norm) {
  if (!norm.batch_statistics) return {(x - mean_of_x) * inv_std, inv_std};
  const Axes rows = rows_of(x);
  const Variable centred = x - mean(x, rows), of_x = rsqrt(mean(square(centred), rows) + norm.eps);
  return {centred * of_x, of_x};
}

/// What the kernels here are told of x: its statistics.
struct Statistics {
  const Tensor &x, &mean, &inv_std;
};

/// scale (x - mean) inv_std + shift + more, channel by channel; `more` may be null.
Tensor affine(const Statistics& s, const Tensor& scale, const Tensor& shift, const Tensor* more) {
  Tensor y = empty_like(s.x);
  backend_of(y, Work::norm)
      ->batch_norm({.x = s.x,
                    .gamma = scale,
                    .beta = shift,
                    .mean = s.mean,
                    .inv_std = s.inv_std,
                    .residual = more,
                    .relu = false},
                   y);
  return y;
}

/// The gradient of a batch norm with that gamma: dL/dx, and the sums over rows of dy times the normalised x,
/// and of dy.
struct Gradient {
  Tensor dx, dgamma, dbeta;
};
Gradient gradient_of(const Statistics& s, const Tensor& gamma, const Tensor& dy, bool batch_statistics) {
  Gradient g{empty_like(s.x), empty_like(gamma), empty_like(gamma)};
  backend_of(dy, Work::norm)
      ->batch_norm_grad({.x = s.x,
                         .gamma = gamma,
                         .beta = gamma,  // of the ReLU alone
                         .mean = s.mean,
                         .inv_std = s.inv_std,
                         .dy = dy,
                         .relu = false,
                         .y = nullptr,
                         .batch_statistics = batch_statistics},
                        g.dx, g.dgamma, g.dbeta, nullptr);
  return g;
}

/// dL/dgamma = sum over rows of dy h, h the normalised x, and dL/dbeta = sum of dy: {2,C}, so that both have
/// one derivative. `found` has the numbers.
Variable parameter_gradients(const Variables& in, const Variable& cotangent, const Gradient& found,
                             const NormOfBatch& norm) {
  const Index c = found.dbeta.elements();
  const auto backward = [norm, c](const KernelBackward& k) -> Tensors {
    const Statistics s{k.inputs[0], k.inputs[2], k.inputs[3]};
    const Tensor p = k.grad.slice_rows(0, 1).reshape(Shape{c}), q = k.grad.slice_rows(1, 2).reshape(Shape{c});
    Tensors grads(4);
    if (k.needs[0]) grads[0] = gradient_of(s, p, k.inputs[1], norm.batch_statistics).dx;
    if (k.needs[1]) grads[1] = affine(s, p, q, nullptr);
    return grads;
  };
  return fused(
      "batch_norm_parameter_grads", {in[x_at], cotangent, in[mean_at], in[inv_std_at]},
      [norm, c](const Variables& of) {
        const Axes rows = rows_of(of[0]);
        const Variable h = normalised_of(of[0], of[2], of[3], norm).x;
        return concat(Variables{reshape(sum(of[1] * h, rows), {1, c}), reshape(sum(of[1], rows), {1, c})}, 0);
      },
      {.value = concat(Tensors{found.dgamma.reshape(Shape{1, c}), found.dbeta.reshape(Shape{1, c})}, 0),
       .backward = backward});
}

/// dL/dx of a batch norm of the batch's own statistics,
///     dx = gamma r (dy - b/m - h a/m),  a = sum dy h,  b = sum dy  over the m rows,
/// h the normalised x, r = 1/std. With u the cotangent of dx, s = gamma r, B = sum u and A = sum u h:
///     of dy:     s (u - B/m - h A/m), the same map;
///     of gamma:  r D,  D = sum u dy - (b B + a A)/m;
///     of x:      r (G - mean(G) - h mean(G h)) - gamma D r^2 h/m,  G = -s (A dy + a u)/m.
Variable input_gradient(const Variables& in, const Variable& cotangent, Gradient found,
                        const NormOfBatch& norm) {
  const auto backward = [a = found.dgamma, b = found.dbeta](const KernelBackward& k) -> Tensors {
    const Tensor &gamma = k.inputs[1], &dy = k.inputs[2], &r = k.inputs[4], &u = k.grad;
    const Statistics of_x{k.inputs[0], k.inputs[3], r};
    const double m = static_cast<double>(u.elements()) / static_cast<double>(gamma.elements());
    const Gradient of_u = gradient_of(of_x, gamma, u, true);
    const Tensor &A = of_u.dgamma, &B = of_u.dbeta;
    Tensors grads(5);
    if (k.needs[2]) grads[2] = of_u.dx;
    if (!k.needs[0] && !k.needs[1]) return grads;
    Axes rows;
    for (int i = 0; i + 1 < u.rank(); ++i) rows.push_back(i);
    const Tensor D = sum(u * dy, rows) - (b * B + a * A) / m;
    if (k.needs[1]) grads[1] = r * D;
    if (!k.needs[0]) return grads;
    const Tensor s = gamma * r, zero = Tensor::zeros(r.shape(), r.dtype(), r.device()),
                 one = Tensor::full(r.shape(), 1, r.dtype(), r.device());
    // G, its mean and that of G h, all times r, channel by channel.
    const Tensor of_dy = -(r * s * A) / m, of_cotangent = -(r * s * a) / m;
    const Tensor mean_g = (of_dy * b + of_cotangent * B) / m, mean_gh = (of_dy * a + of_cotangent * A) / m;
    const Tensor first = affine({dy, zero, one}, of_dy, -mean_g, nullptr);
    const Tensor second = affine({u, zero, one}, of_cotangent, zero, &first);
    grads[0] = affine(of_x, -mean_gh - gamma * D * r * r / m, zero, &second);
    return grads;
  };
  return fused("batch_norm_input_grad", {in[x_at], in[gamma_at], cotangent, in[mean_at], in[inv_std_at]},
               [norm](const Variables& of) {
                 const Axes rows = rows_of(of[0]);
                 const auto [h, r] = normalised_of(of[0], of[3], of[4], norm);
                 return (of[2] - mean(of[2], rows) - h * mean(of[2] * h, rows)) * (of[1] * r);
               },
               {.value = std::move(found.dx), .backward = backward});
}

/// dL/dx = gamma dy / std of given statistics; `dx` is that.
Variable scaled_gradient(const Variable& gamma, const Variable& dy, const Variable& inv_std, Tensor dx) {
  const auto backward = [](const KernelBackward& k) -> Tensors {
    Axes rows;
    for (int i = 0; i + 1 < k.grad.rank(); ++i) rows.push_back(i);
    Tensors grads(3);
    if (k.needs[0]) grads[0] = k.inputs[2] * sum(k.grad * k.inputs[1], rows);
    if (k.needs[1]) grads[1] = k.grad * (k.inputs[0] * k.inputs[2]);
    return grads;
  };
  return fused("batch_norm_input_grad", {gamma, dy, inv_std},
               [](const Variables& in) { return in[1] * (in[0] * in[2]); },
               {.value = std::move(dx), .backward = backward});
}

}  // namespace

NormCotangents batch_norm_cotangents(const Variables& in, const Variable& dy, const NormOfBatch& norm) {
  const Gradient found = gradient_of({in[x_at].value(), in[mean_at].value(), in[inv_std_at].value()},
                                     in[gamma_at].value(), dy.value(), norm.batch_statistics);
  const Variable both = parameter_gradients(in, dy, found, norm);
  const Index c = both.size(1);
  return {norm.batch_statistics ? input_gradient(in, dy, found, norm)
                                : scaled_gradient(in[gamma_at], dy, in[inv_std_at], found.dx),
          reshape(slice(both, {0, 0}, {1, c}), {c}), reshape(slice(both, {1, 0}, {2, c}), {c})};
}

}  // namespace basin
