// Differentiable matrix products.
#include "autograd/ops/op_support.h"

namespace basin {

// C = A B: dL/dA = G B^T and dL/dB = A^T G; an operand that enters transposed gets the transposed derivative.
Variable matmul(const Variable& a, const Variable& b, bool transpose_a, bool transpose_b) {
  return record({"matmul", attribute::Transposed{transpose_a, transpose_b}},
                matmul(a.value(), b.value(), transpose_a, transpose_b), {a, b}, other_factor(a, b),
                [ta = transpose_a, tb = transpose_b](const Backward& back) -> Variables {
                  const Variable& g = back.grad();
                  Variables grads(2);
                  if (back.needs(0)) {
                    const Variable b_kept = back.input(1);
                    const Variable da = ta ? matmul(b_kept, g, tb, true) : matmul(g, b_kept, false, !tb);
                    grads[0] = sum_to(da, back.input_shape(0));
                  }
                  if (back.needs(1)) {
                    const Variable a_kept = back.input(0);
                    const Variable db = tb ? matmul(g, a_kept, true, ta) : matmul(a_kept, g, !ta, false);
                    grads[1] = sum_to(db, back.input_shape(1));
                  }
                  return grads;
                });
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
