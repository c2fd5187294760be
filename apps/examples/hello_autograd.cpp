// The engine in forty lines: a value, its gradient, a Hessian-vector product. Not part of `basin`.
#include <cstdio>

#include "autograd/gradients.h"
#include "autograd/ops/ops.h"

using namespace basin;

namespace {

void print(const char* what, const Tensor& x) {
  std::printf("%-18s", what);
  for (const double number : x.to_vector<double>()) std::printf(" %g", number);
  std::printf("\n");
}

}  // namespace

int main() {
  // A leaf: numbers that derivatives can be taken with respect to.
  const Variable w = Variable::parameter(Tensor::from<double>({1, 2, -1}), "w");
  const Variable v(Tensor::from<double>({1, -1, 2}));  // a constant

  // Values are computed at once; what their derivatives need is kept along the way.
  const auto loss = [&] { return sum(w * w * w) + 0.5 * sum(w) * sum(w); };
  print("L(w)", loss().value());

  // Numbers: dL/dw = 3 w^2 + sum(w). The history is freed while it is walked.
  print("grad L(w)", gradients(loss(), {w})[0]);

  // Variables: the same derivative with its history, so that it can be differentiated again:
  // H v = d/dw (grad L . v) = 6 w v + sum(v).
  const Variables g = differentiable_gradients(loss(), {w});
  print("H v", gradients(sum(g[0] * v), {w})[0]);
}
