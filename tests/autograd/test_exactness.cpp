// Precision and reproducibility: f32 against f64 for every op, and the same bits for any number of threads.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "autograd/check/op_cases.h"
#include "autograd/curvature/hvp.h"
#include "autograd/gradients.h"
#include "core/ops.h"
#include "core/parallel.h"
#include "tests/autograd/leaks.h"
#include "tests/autograd/small_net.h"

using namespace basin;

namespace {

Variables leaves(const Tensors& values, Dtype dtype) {
  Variables made;
  for (const Tensor& t : values) made.push_back(Variable::parameter(t.to(dtype)));
  return made;
}

/// The largest difference, over the largest entry of `exact`. Where that is 0 by cancellation (a batch of one
/// row), what was cancelled had a size of order 1.
double distance(const Tensor& rounded, const Tensor& exact) {
  const std::vector<double> a = rounded.to_vector<double>(), b = exact.to_vector<double>();
  double error = 0, scale = 0.1;
  for (std::size_t i = 0; i < b.size(); ++i) {
    error = std::max(error, std::abs(a[i] - b[i]));
    scale = std::max(scale, std::abs(b[i]));
  }
  return error / scale;
}

bool same_bits(const Tensors& x, const Tensors& y) {
  bool same = x.size() == y.size();
  for (std::size_t i = 0; same && i < x.size(); ++i)
    same = x[i].shape() == y[i].shape() && std::memcmp(x[i].raw(), y[i].raw(), x[i].bytes()) == 0;
  return same;
}

}  // namespace

TEST_CASE("gradients in f32 are those of f64, rounded: kernels and meaning") {
  const NoLeaks check;
  for (const OpCase& op : op_cases())
    for (const OpInstance& instance : op.instances) {
      CAPTURE(op.name);
      CAPTURE(instance.label);
      const Variables x = leaves(instance.inputs, Dtype::f32), exact_x = leaves(instance.inputs, Dtype::f64);
      const Variable y = instance.function(x), exact_y = instance.function(exact_x);
      REQUIRE(y.dtype() == Dtype::f32);
      const Tensor u = normal_tensor(y.shape(), Dtype::f32, 7);
      const Tensors exact = gradients(exact_y, exact_x, {.cotangent = u.to(Dtype::f64)});
      const Variables meaning = differentiable_gradients(y, x, u);
      const Tensors kernels = gradients(y, x, {.cotangent = u});
      for (std::size_t i = 0; i < x.size(); ++i) {
        REQUIRE(kernels[i].dtype() == Dtype::f32);
        CHECK(distance(kernels[i], exact[i]) < 1e-4);
        CHECK(distance(meaning[i].value(), exact[i]) < 1e-4);
      }
    }
}

TEST_CASE("gradients and hvp in f32 have the same bits for 1 to 4 threads") {
  const NoLeaks check;
  const SmallNet net(SmallNet::Mode::train, Dtype::f32, 16, 12, 20);
  Tensors v;
  for (const Variable& w : net.weights) v.push_back(normal_tensor(w.shape(), Dtype::f32, 17));
  Tensors first, first_hv;
  for (int threads = 1; threads <= 4; ++threads) {
    const WithThreads now(threads);
    const Tensors g = gradients(net.loss(), net.weights);
    const Tensors hv = hessian_vector_product(net.loss(), net.weights, v);
    if (threads == 1) {
      first = g;
      first_hv = hv;
    }
    CHECK(same_bits(g, first));
    CHECK(same_bits(hv, first_hv));
  }
  CHECK(norm(first[0]) > 0);
}

TEST_CASE("dropout is a function of its address") {
  const Variable x = Tensor::full({64, 64}, 1);
  const auto mask = [&](const DrawAddress& at) { return dropout(x, 0.3, at).value().to_vector<float>(); };
  const auto here = mask({.seed = 1, .step = 2, .layer = 3});
  CHECK(mask({.seed = 1, .step = 2, .layer = 3}) == here);
  CHECK(mask({.seed = 2, .step = 2, .layer = 3}) != here);
  CHECK(mask({.seed = 1, .step = 3, .layer = 3}) != here);
  CHECK(mask({.seed = 1, .step = 2, .layer = 4}) != here);
  double dropped = 0;
  for (float m : here) {
    CHECK((m == 0 || m == static_cast<float>(1 / 0.7)));
    dropped += m == 0;
  }
  // 4096 draws: 0.3 within four deviations.
  CHECK(dropped / 4096 == doctest::Approx(0.3).epsilon(4 * std::sqrt(0.3 * 0.7 / 4096) / 0.3));
}

TEST_CASE("what needs no work shares the numbers") {
  const Variable x = Variable::parameter(Tensor::zeros({2, 3}));
  CHECK(dropout(x, 0, {}).node() == x.node());
  CHECK(sum_to(x, {2, 3}).node() == x.node());
  CHECK(broadcast_to(x, {2, 3}).node() == x.node());
  CHECK(reshape(x, {2, 3}).node() == x.node());
  CHECK(reshape(x, {6}).value().shares_storage(x.value()));
}
