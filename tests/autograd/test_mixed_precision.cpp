// Ops on bf16 activations: what they give on a device that computes in bf16, and what the CPU says of them.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "autograd/check/op_cases.h"
#include "autograd/ops/deferred.h"
#include "core/ops.h"
#include "core/parallel.h"
#include "tests/autograd/derivatives.h"
#include "tests/device/test_device.h"

using namespace basin;
using basin::testing::all_derivatives, basin::testing::test_device;

namespace {

/// Inputs that are parameters, by op: f32 beside bf16.
const std::map<std::string, std::set<std::size_t>> kParameters{{"linear", {1, 2}},
                                                               {"conv2d", {1}},
                                                               {"conv2d_moments", {1, 2, 3}},
                                                               {"conv2d_input_grad", {1}},
                                                               {"batch_norm_train", {1, 2}},
                                                               {"batch_norm_eval", {1, 2}},
                                                               {"batch_norm_conv2d_train", {1, 2, 3}},
                                                               {"batch_norm_conv2d_eval", {1, 2, 3}},
                                                               {"layer_norm", {1, 2}}};

/// Rows whose value is not bf16: sums of products of activations for a weight, losses.
const std::set<std::string> kWide{"conv2d_weight_grad", "cross_entropy", "mean_squared_error"};

/// Rows that are made of several ops, each of which rounds.
const std::set<std::string> kComposed{"to",
                                      "add_scalar",
                                      "sub_scalar",
                                      "mul_scalar",
                                      "div_scalar",
                                      "conv2d_moments",
                                      "linear",
                                      "dot",
                                      "dot_lists",
                                      "reshape",
                                      "softmax",
                                      "log_softmax",
                                      "concat",
                                      "batch_norm_train",
                                      "batch_norm_conv2d_train",
                                      "batch_norm_conv2d_eval"};

Tensor rounded(const Tensor& t) { return t.to(Dtype::bf16).to(Dtype::f32); }

/// The largest |x - y| over the largest |y|.
double distance(const Tensor& x, const Tensor& y) {
  const std::vector<double> a = x.to(Device{}).to_vector<double>(), b = y.to_vector<double>();
  double apart = 0, most = 1e-3;
  for (std::size_t i = 0; i < a.size(); ++i) {
    apart = std::max(apart, std::isfinite(a[i]) ? std::abs(a[i] - b[i]) : HUGE_VAL);
    most = std::max(most, std::abs(b[i]));
  }
  return apart / most;
}

void check_row(const OpCase& op) {
  const auto found = kParameters.find(op.name);
  for (const OpInstance& instance : op.instances) {
    CAPTURE(op.name);
    CAPTURE(instance.label);
    if (instance.label == "far from 0") continue;  // x + 700, which has a last place of 4
    Tensors inputs, wide;
    for (std::size_t i = 0; i < instance.inputs.size(); ++i) {
      const Tensor x = instance.inputs[i].to(Dtype::bf16);
      const bool parameter = found != kParameters.end() && found->second.count(i) > 0;
      inputs.push_back((parameter ? x.to(Dtype::f32) : x).to(test_device()));
      wide.push_back(x.to(Dtype::f32));
    }
    const Tensors got = all_derivatives(instance.function, inputs);
    const Tensors want = all_derivatives(instance.function, wide);
    REQUIRE(got.size() == want.size());
    const bool is_wide = kWide.count(op.name) > 0;
    CHECK(got[0].dtype() == (is_wide ? Dtype::f32 : Dtype::bf16));
    for (std::size_t i = 0; i < inputs.size(); ++i)
      for (std::size_t order : {std::size_t{0}, inputs.size()})
        CHECK(got[1 + order + i].dtype() == inputs[i].dtype());
    if (kComposed.count(op.name) == 0) CHECK(distance(got[0], is_wide ? want[0] : rounded(want[0])) <= 1e-6);
    for (std::size_t i = 0; i < got.size(); ++i) {
      CAPTURE(i);
      const bool second = i > 2 * inputs.size();
      CHECK(distance(got[i], want[i]) <= (i == 0 ? 0.01 : second ? 0.1 : 0.06));
    }
  }
}

}  // namespace

TEST_CASE("bf16: every row of the table of ops is the f32 op rounded, its derivatives too") {
  const WithThreads one(1);
  for (const OpCase& op : op_cases()) check_row(op);
}

TEST_CASE("bf16: a gradient of a parameter is not rounded to bf16 on its way") {
  const Device there = test_device();
  const Variable x(Tensor::full({513, 2}, 1, Dtype::bf16, there));
  const auto gradient_of = [&](const Variable& w, const Variable& y) {
    const Tensor u = Tensor::full(y.shape(), 1, y.dtype(), there);
    return gradients(y, {w}, {.cotangent = u})[0].to(Device{}).to_vector<float>();
  };
  // 513 needs ten bits, of which bf16 has eight.
  const Variable bias = Variable::parameter(Tensor::zeros({2}, Dtype::f32, there));
  CHECK(gradient_of(bias, x + bias) == std::vector<float>{513, 513});
  CHECK(gradient_of(bias, x * bias) == std::vector<float>{513, 513});
  const Variable weight = Variable::parameter(Tensor::zeros({1, 2}, Dtype::f32, there));
  CHECK(gradient_of(weight, linear(x, weight, {})) == std::vector<float>{513, 513});
  CHECK(gradient_of(weight, to(broadcast_to(weight, {513, 2}), Dtype::bf16) * x) ==
        std::vector<float>{513, 513});
}

TEST_CASE("bf16: a weight enters a product rounded, a bias a sum as it is") {
  const Device there = test_device();
  const Tensor one = Tensor::full({1, 1}, 1, Dtype::bf16, there);
  const Tensor w = Tensor::full({1, 1}, 1.00390625, Dtype::f32, there);  // 1 + 2^-8: half a last place
  CHECK(wide_matmul(one, w).to(Device{}).item() == 1);
  // 1 + w - 2 = 2^-8 in f32; of a w rounded to bf16 first it would be 0.
  const Tensor minus_one = Tensor::full({1, 1}, -1, Dtype::bf16, there);
  CHECK((minus_one + w).to(Device{}).item() == 0.00390625);
  CHECK((minus_one + w).dtype() == Dtype::bf16);
}

TEST_CASE("bf16: ops that wait for their reader give the bits of the ops that they become") {
  const Device there = test_device();
  const auto normal = [&](const Shape& s, std::uint64_t i, Dtype t = Dtype::f32) {
    return basin::testing::probe(Tensor::zeros(s, t, there), i);
  };
  const auto run = [&](bool waits) {
    Variables w;
    for (std::uint64_t i : {0, 1}) w.push_back(Variable::parameter(normal({3, 3, 2, 2}, i)));
    for (std::uint64_t i : {2, 3}) w.push_back(Variable::parameter(normal({2}, i)));
    const Variable x(normal({2, 4, 4, 2}, 4, Dtype::bf16));
    std::optional<DeferralScope> scope;
    if (waits) scope.emplace();
    const ConvOptions same{.pad_h = 1, .pad_w = 1};
    Variable y = conv2d(x, w[0], same);
    y = relu(batch_norm_train(y, w[2], w[3]).y);
    y = conv2d(y, w[1], same);
    // By hand as one op, which rounds once.
    y = waits ? relu(batch_norm_train(y, w[2], w[3]).y + x)
              : batch_norm_train(y, w[2], w[3], {.relu = true, .residual = x}).y;
    if (scope) scope->finish();
    scope.reset();
    Tensors all{y.value()};
    for (const Tensor& g :
         gradients(cross_entropy(reshape(y, {2, 32}), Tensor::from(std::vector<Index>{3, 9}).to(there)), w))
      all.push_back(g);
    return all;
  };
  const Tensors waited = run(true), at_once = run(false);
  CHECK(waited[0].dtype() == Dtype::bf16);
  for (std::size_t i = 0; i < waited.size(); ++i) CHECK(distance(waited[i], at_once[i].to(Device{})) == 0);
}

TEST_CASE("bf16 on the CPU: converted and moved, and refused in one line by what computes") {
  const Tensor x = Tensor::from(std::vector<double>{1.00390625, -3, 2.5, 1e39}, {2, 2}).to(Dtype::bf16);
  CHECK(x.to_vector<double>() == std::vector<double>{1, -3, 2.5, HUGE_VAL});
  CHECK(permute(x, {1, 0}).to_vector<double>() == std::vector<double>{1, 2.5, -3, HUGE_VAL});
  CHECK(concat(Tensors{x, x}, 0).dtype() == Dtype::bf16);
  CHECK(pad(x, {0, 1}, {0, 0}).to_vector<double>() == std::vector<double>{0, 1, -3, 0, 2.5, HUGE_VAL});
  const Tensor logits = Tensor::zeros({1, 2}, Dtype::bf16);
  CHECK(cross_entropy(logits, Tensor::from(std::vector<int>{1})).value().item() ==
        doctest::Approx(std::log(2.0)));

  const auto refused = [](const char* op, const char* operand) {
    return doctest::Contains(
        text("[", op, "] ", operand,
             " is bf16, in which the cpu does not compute: use f32 there, or bf16 on cuda")
            .c_str());
  };
  const Tensor image = x.reshape(Shape{1, 2, 2, 1}), w = Tensor::zeros({1, 1, 1, 1}),
               one = Tensor::zeros({1});
  CHECK_THROWS_WITH_AS(conv2d(Variable(image), w), refused("conv2d", "x"), ArgumentError);
  CHECK_THROWS_WITH_AS(matmul(x, x), refused("matmul", "a"), ArgumentError);
  CHECK_THROWS_WITH_AS(x + x, refused("add", "x"), ArgumentError);
  CHECK_THROWS_WITH_AS(one + x, refused("add", "z"), ArgumentError);
  CHECK_THROWS_WITH_AS(relu(Variable(x)), refused("relu", "x"), ArgumentError);
  CHECK_THROWS_WITH_AS(sum(x), refused("sum", "x"), ArgumentError);
  CHECK_THROWS_WITH_AS(max_pool(image, {}), refused("max_pool", "x"), ArgumentError);
  CHECK_THROWS_WITH_AS(batch_norm_train(image, one, one), refused("batch_norm_train", "x"), ArgumentError);
  CHECK_THROWS_WITH_AS(layer_norm(x, Tensor::zeros({2}), Tensor::zeros({2})), refused("layer_norm", "x"),
                       ArgumentError);
}

TEST_CASE("bf16 goes together with f32, where that is a parameter, and with nothing else") {
  const Device there = test_device();
  const auto zeros = [&](const Shape& s, Dtype t) { return Tensor::zeros(s, t, there); };
  const Tensor x = zeros({1, 2, 2, 1}, Dtype::bf16), w = zeros({1, 1, 1, 1}, Dtype::bf16);
  CHECK_THROWS_WITH_AS(conv2d(Variable(x), w), doctest::Contains("parameters of bf16 are f32"),
                       ArgumentError);
  CHECK_THROWS_AS(conv2d(Variable(x.to(Dtype::f32)), w), ArgumentError);
  CHECK_THROWS_AS(x + x.to(Dtype::f64), ArgumentError);
  CHECK_THROWS_AS(x.to(Dtype::f64) + x, ArgumentError);
  CHECK_THROWS_AS(layer_norm(x, zeros({1}, Dtype::bf16), zeros({1}, Dtype::f32)), ArgumentError);
  CHECK_THROWS_AS(conv2d_weight_grad(x, x.to(Dtype::f32), conv_geometry(x.shape(), w.shape(), {})),
                  ArgumentError);
  CHECK_THROWS_WITH_AS(to(Variable(x), Dtype::i64), doctest::Contains("[to]"), ArgumentError);
}
