// shake: another number backward than forward, at every order; the case that differences cannot check.
#include <doctest/doctest.h>

#include "autograd/gradients.h"
#include "autograd/ops/ops.h"
#include "core/ops.h"
#include "core/storage.h"
#include "tests/autograd/leaks.h"

using namespace basin;

namespace {

const Tensor kForward = Tensor::from<double>({0.25, -0.5}, {2, 1});
const Tensor kBackward = Tensor::from<double>({0.75, 0.125}, {2, 1});

Variable leaf() { return Variable::parameter(Tensor::from<double>({1, 2, 3, -1, -2, 4}, {2, 3})); }

}  // namespace

TEST_CASE("shake: the gradient is the backward coefficient times the cotangent") {
  const NoLeaks check;
  const Variable x = leaf();
  const Variable y = shake(x, kForward, kBackward);
  CHECK(y.value().to_vector<double>() == std::vector<double>{0.25, 0.5, 0.75, 0.5, 1, -2});
  const Tensor g = Tensor::from<double>({1, -2, 4, 8, 16, -32}, {2, 3});
  CHECK(gradients(y, {x}, {.cotangent = g})[0].to_vector<double>() ==
        std::vector<double>{0.75, -1.5, 3, 1, 2, -4});
}

TEST_CASE("shake: each further order brings the backward coefficient once more") {
  const NoLeaks check;
  const Variable x = leaf();
  // L = sum of y^3 / 3 at y = a x: with dy/dx read as b, L' = b y^2, L'' = 2 b^2 y, L''' = 2 b^3.
  const Variable y = shake(x, kForward, kBackward);
  const Variable first = differentiable_gradients(sum(square(y) * y) / 3, {x})[0];
  const Variable second = differentiable_gradients(sum(first), {x})[0];
  const Tensor third = gradients(sum(second), {x})[0];
  const std::vector<double> values = x.value().to_vector<double>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double a = i < 3 ? 0.25 : -0.5, b = i < 3 ? 0.75 : 0.125, at = a * values[i];
    CHECK(first.value().to_vector<double>()[i] == doctest::Approx(b * at * at).epsilon(1e-14));
    CHECK(second.value().to_vector<double>()[i] == doctest::Approx(2 * b * b * at).epsilon(1e-14));
    CHECK(third.to_vector<double>()[i] == doctest::Approx(2 * b * b * b).epsilon(1e-14));
  }
}

TEST_CASE("shake keeps neither its input nor its output") {
  const Variable x = Variable::parameter(Tensor::zeros({4, 1000}));
  const Tensor a = Tensor::full({4, 1}, 0.5);
  const std::int64_t before = Storage::live_bytes();
  const Variable y = sum(shake(x * 2, a, a));
  CHECK(Storage::live_bytes() - before == 4);
}

TEST_CASE("shake: coefficients that do not fit") {
  const Variable x = leaf();
  CHECK_THROWS_WITH_AS(shake(x, Tensor::zeros({2, 2, 3}, Dtype::f64), kBackward),
                       "[shake] a coefficient of shape {2,2,3} does not stretch to x, which is {2,3}",
                       ArgumentError);
  CHECK_THROWS_AS(shake(x, kForward, Tensor::zeros({3, 1}, Dtype::f64)), ArgumentError);
  CHECK_THROWS_WITH_AS(shake(x, kForward, Tensor::zeros({2, 1})),
                       "[shake] x is f64 {2,3} but the coefficient is f32 {2,1}: convert one with to()",
                       ArgumentError);
}
