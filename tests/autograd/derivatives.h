// What an op gives: its value, and its derivatives of both orders.
#pragma once

#include <vector>

#include "autograd/check/check_gradients.h"
#include "autograd/gradients.h"
#include "autograd/ops/ops.h"
#include "core/random.h"

namespace basin::testing {

/// Numbers of its own for each entry, the same in every dtype and on every device.
inline Tensor probe(const Tensor& like, std::uint64_t which) {
  Random random(7, Stream::probe, which);
  std::vector<double> values(static_cast<std::size_t>(like.elements()));
  for (double& v : values) v = random.normal();
  return Tensor::from(values, like.shape()).to(Dtype::bf16).to(like.dtype()).to(like.device());
}

/// The value, the gradients by the kernels, the gradients by their meaning, and the derivatives of a number
/// made of those: of f's inputs and of the cotangent.
inline Tensors all_derivatives(const Function& f, const Tensors& inputs) {
  Variables x;
  for (const Tensor& t : inputs) x.push_back(Variable::parameter(t));
  const Variable y = f(x);
  Tensors all{y.value()};
  const Variable u = Variable::parameter(probe(y.value(), 0));
  for (const Tensor& g : gradients(y, x, {.cotangent = u.value(), .keep_graph = true})) all.push_back(g);
  const Variables g = differentiable_gradients(y, x, u);
  Variables v;
  for (std::size_t i = 0; i < g.size(); ++i) {
    all.push_back(g[i].value());
    v.push_back(probe(g[i].value(), i + 1));
  }
  const Variable contracted = dot(g, v);
  if (contracted.tracked()) {
    Variables wrt = x;
    wrt.push_back(u);
    for (const Tensor& h : gradients(contracted, wrt)) all.push_back(h);
  }
  return all;
}

}  // namespace basin::testing
