// Differentiable matrix products.
#include "autograd/ops/op_support.h"

namespace basin {

namespace {

// C = A B: dL/dA = G B^T and dL/dB = A^T G; an operand that enters transposed gets the transposed derivative.
// Beside bf16 the derivative of an f32 operand, a weight, is `wide`: not rounded to bf16.
Variable product(const Variable& a, const Variable& b, bool transpose_a, bool transpose_b, bool wide) {
  Tensor c = wide ? wide_matmul(a.value(), b.value(), transpose_a, transpose_b)
                  : matmul(a.value(), b.value(), transpose_a, transpose_b);
  return record({"matmul", attribute::Transposed{transpose_a, transpose_b}}, std::move(c), {a, b},
                other_factor(a, b), [ta = transpose_a, tb = transpose_b](const Backward& back) -> Variables {
                  const Variable& g = back.grad();
                  Variables grads(2);
                  if (back.needs(0)) {
                    const Variable b_kept = back.input(1);
                    const bool whole = back.input_dtype(0) != Dtype::bf16;
                    const Variable da =
                        ta ? product(b_kept, g, tb, true, whole) : product(g, b_kept, false, !tb, whole);
                    grads[0] = cotangent_of(back, 0, da);
                  }
                  if (back.needs(1)) {
                    const Variable a_kept = back.input(0);
                    const bool whole = back.input_dtype(1) != Dtype::bf16;
                    const Variable db =
                        tb ? product(g, a_kept, true, ta, whole) : product(a_kept, g, !ta, false, whole);
                    grads[1] = cotangent_of(back, 1, db);
                  }
                  return grads;
                });
}

}  // namespace

Variable matmul(const Variable& a, const Variable& b, bool transpose_a, bool transpose_b) {
  return product(a, b, transpose_a, transpose_b, /*wide=*/false);
}

Variable linear(const Variable& x, const Variable& weight, const Variable& bias) {
  if (weight.rank() != 2 || x.rank() < 1 || x.size(-1) != weight.size(1))
    throw ArgumentError("[linear] expects x {...,I} and weight {O,I}, got x ", x.shape(), " and weight ",
                        weight.shape());
  const Index out = weight.size(0);
  if (bias.defined() && bias.shape() != Shape{out})
    throw ArgumentError("[linear] bias has shape ", bias.shape(), ", weight ", weight.shape(), " expects {",
                        out, "}");
  // One row per vector: a single product, however many leading axes x has.
  Shape rows{1, x.size(-1)}, result = x.shape();
  for (int i = 0; i + 1 < x.rank(); ++i) rows[0] *= x.shape()[i];
  result[result.rank() - 1] = out;
  const Variable y = matmul(reshape(x, rows), weight, false, true);
  return reshape(bias.defined() ? y + bias : y, result);
}

}  // namespace basin
