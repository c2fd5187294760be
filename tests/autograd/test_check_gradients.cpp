// The checker itself: planted mistakes must be caught, at the order where they are.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/check/check_gradients.h"
#include "autograd/check/op_cases.h"
#include "autograd/fused.h"
#include "autograd/ops/ops.h"
#include "core/ops.h"

using namespace basin;

namespace {

Tensor point(const Shape& shape) {
  std::vector<double> values;
  for (Index i = 0; i < shape.elements(); ++i)
    values.push_back(0.3 + 0.17 * static_cast<double>((i * 7) % 11));
  return Tensor::from(values, shape);
}

/// exp with a derivative off by a factor.
Variable wrong_exp(const Variable& x, double factor) {
  return record("wrong_exp", unary(UnaryOp::exp, x.value()), {x}, Keep::output,
                [factor](const Backward& b) -> Variables { return {b.grad() * b.output() * factor}; });
}

/// tanh whose derivative takes the output for a constant, as DeZero's batch norm does with inv_std.
Variable forgetful_tanh(const Variable& x) {
  return record(
      "forgetful_tanh", unary(UnaryOp::tanh, x.value()), {x}, Keep::output,
      [](const Backward& b) -> Variables { return {b.grad() * (1 - square(b.output().detach()))}; });
}

/// The sum of x, whose derivative misses the last entry.
Variable short_sum(const Variable& x) {
  return record("short_sum", sum(x.value()), {x}, Keep::nothing, [](const Backward& b) -> Variables {
    const Index n = b.input_shape(0)[0];
    return {pad(broadcast_to(reshape(b.grad(), {1}), {n - 1}), {0}, {1})};
  });
}

CheckErrors first_order(const Function& f, const Tensors& inputs) { return check_gradients(f, inputs)[0]; }

}  // namespace

TEST_CASE("a right derivative passes at every order") {
  const auto orders =
      check_gradients([](const Variables& in) { return exp(in[0]); }, {point({3})}, {.order = 4});
  REQUIRE(orders.size() == 4);
  for (const CheckErrors& e : orders) CHECK(e.passed);
}

TEST_CASE("a wrong first derivative is caught") {
  const CheckErrors e =
      first_order([](const Variables& in) { return wrong_exp(in[0], 1.00001); }, {point({2, 3})});
  CHECK_FALSE(e.passed);
  CHECK(e.relative == doctest::Approx(1e-5).epsilon(0.1));
  CHECK(e.first_failure.find("input 0 {2,3}") != std::string::npos);
}

TEST_CASE("a small wrong derivative beside a large right one is caught") {
  // The derivative in the second input is 1e-9 of the other one, and off by a factor of 2.
  const Function f = [](const Variables& in) { return exp(in[0]) + wrong_exp(in[1] * 1e-3, 2) * 1e-6; };
  CHECK_FALSE(first_order(f, {point({3}), point({3})}).passed);
}

TEST_CASE("one missing entry is caught, also in a long input that is checked along directions only") {
  for (Index n : {1, 5, 1000})
    CHECK_FALSE(first_order([](const Variables& in) { return short_sum(in[0]); }, {point({n})}).passed);
}

TEST_CASE("a derivative that forgets history passes order 1 and fails order 2") {
  const auto orders =
      check_gradients([](const Variables& in) { return forgetful_tanh(in[0]); }, {point({4})}, {.order = 2});
  CHECK(orders[0].passed);
  CHECK_FALSE(orders[1].passed);
}

TEST_CASE(
    "batch norm with its statistics for constants is caught at order 1, with a constant inv_std at order 2") {
  // DeZero's batch norm: the first derivative is right, written with inv_std as a plain array.
  const auto batch_norm = [](const Variable& x, bool forget) {
    const auto inverse = [](const Variable& v) { return rsqrt(mean(square(v - mean(v, {0})), {0}) + 1e-3); };
    const Variable inv_std = inverse(x).detach();
    const Variable xhat = ((x - mean(x, {0})) * inv_std).detach();
    return record("batch_norm", xhat.value(), {x}, Keep::first, [=](const Backward& b) -> Variables {
      const Variable& g = b.grad();
      const Variable u = b.input(0), scale = forget ? inv_std : inverse(u), z = (u - mean(u, {0})) * scale;
      return {scale * (g - mean(g, {0}) - z * mean(g * z, {0}))};
    });
  };
  for (bool forget : {false, true}) {
    const Function f = [=](const Variables& in) { return batch_norm(in[0], forget); };
    const auto orders = check_gradients(f, {point({7, 2})}, {.order = 2});
    CHECK(orders[0].passed);
    CHECK(orders[1].passed == !forget);
  }
  const Function constants = [](const Variables& in) {
    const Variable centred = in[0] - mean(in[0], {0}).detach();
    return centred * rsqrt(mean(square(centred), {0}) + 1e-3).detach();
  };
  CHECK_FALSE(first_order(constants, {point({7, 2})}).passed);
}

TEST_CASE("a kernel that differs from its meaning is caught") {
  const auto with_kernel = [](double factor) {
    return [factor](const Variables& in) {
      return fused("fused_exp", in, [](const Variables& x) { return exp(x[0]); },
                   {.value = unary(UnaryOp::exp, in[0].value()),
                    .keep_output = true,
                    .backward = [factor](const KernelBackward& k) -> Tensors {
                      return {unary(UnaryOp::mul_scalar, k.grad * k.output, factor)};
                    }});
    };
  };
  CHECK(first_order(with_kernel(1), {point({3})}).passed);
  const CheckErrors e = first_order(with_kernel(1 + 1e-9), {point({3})});
  CHECK_FALSE(e.passed);
  CHECK(e.first_failure.find("by the kernels") != std::string::npos);
}

TEST_CASE("a derivative that is no finite number is caught") {
  for (double at : {0.0, -1.0})  // sqrt's derivative: infinite at 0, no number at -1
    for (Index n : {1, 2}) {
      const Tensor x = Tensor::full({n}, at, Dtype::f64);
      const CheckErrors e = first_order([](const Variables& in) { return sqrt(in[0]); }, {x});
      CHECK_FALSE(e.passed);
      CHECK(std::isinf(e.absolute));
      CHECK(std::isinf(e.relative));
    }
  // Infinite by the derivative alone: the differences see a constant.
  const auto f = [](const Variables& in) { return sqrt(in[0] - in[0].detach()); };
  CHECK_FALSE(first_order(f, {point({1})}).passed);
}

TEST_CASE("inputs other than f64 are refused") {
  CHECK_THROWS_WITH_AS(check_gradients([](const Variables& in) { return exp(in[0]); }, {Tensor::zeros({2})}),
                       "[check_gradients] differences need f64, an input is f32 {2}", ArgumentError);
}

TEST_CASE("a failing row says where") {
  const OpCase row{"wrong_exp",
                   {},
                   {{"fine", [](const Variables& in) { return exp(in[0]); }, {point({2})}},
                    {"broken", [](const Variables& in) { return wrong_exp(in[0], 1.1); }, {point({2})}}}};
  const CheckRow result = check_op(row, 2);
  CHECK(result.cases == 2);
  CHECK_FALSE(result.passed);
  CHECK_FALSE(result.orders.at(0).passed);
  CHECK(result.orders.at(0).relative == doctest::Approx(0.1 / 1.1).epsilon(1e-3));
  CHECK(result.first_failure.rfind("broken, order 1: input 0 {2} ", 0) == 0);
}
