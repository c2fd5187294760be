// Wrong calls: the message names the op, the shapes and the mistake; and special values at kinks and ties.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "autograd/gradients.h"
#include "autograd/ops/ops.h"

using namespace basin;

namespace {

Variable zeros(const Shape& s, Dtype t = Dtype::f32) { return Tensor::zeros(s, t); }

std::vector<double> derivative(Variable (*f)(const Variable&), const std::vector<double>& at) {
  const Variable x = Variable::parameter(Tensor::from(at));
  return gradients(sum(f(x)), {x})[0].to_vector<double>();
}

}  // namespace

TEST_CASE("shapes that do not fit") {
  CHECK_THROWS_WITH_AS(zeros({2, 3}) + zeros({2}), "[add] shapes {2,3} and {2} do not broadcast: 3 against 2",
                       ArgumentError);
  CHECK_THROWS_WITH_AS(zeros({2}) * zeros({2}, Dtype::f64),
                       "[mul] x is f32 {2} but z is f64 {2}: convert one with to()", ArgumentError);
  CHECK_THROWS_WITH_AS(exp(zeros({2}, Dtype::i64)), "[exp] x is i64, expects f32 or f64 (convert with to())",
                       ArgumentError);
  CHECK_THROWS_WITH_AS(exp(Variable()), "[exp] x is an undefined tensor", ArgumentError);
  CHECK_THROWS_WITH_AS(dot(zeros({2}), zeros({3})), "[dot] shapes {2} and {3} differ", ArgumentError);
  CHECK_THROWS_WITH_AS(dot(Variables{}, Variables{}),
                       "[dot] expects two lists of equal length, got 0 and 0 entries", ArgumentError);
  CHECK_THROWS_WITH_AS(sum(zeros({2, 3}), {2}), "[sum] axis 2 is outside shape {2,3}", ArgumentError);
  CHECK_THROWS_WITH_AS(mean(zeros({0, 3}), {0}),
                       "[mean] no elements to average along the reduced axes of shape {0,3}", ArgumentError);
  CHECK_THROWS_WITH_AS(max(zeros({0, 3}), {0}),
                       "[max] no elements to choose from along the reduced axes of shape {0,3}",
                       ArgumentError);
  CHECK_THROWS_WITH_AS(reshape(zeros({2, 3}), {4}), "[reshape] {2,3} has 6 elements, {4} has 4",
                       ArgumentError);
  CHECK_THROWS_WITH_AS(transpose(zeros({3})), "[transpose] expects two axes or more, x is {3}",
                       ArgumentError);
  CHECK_THROWS_WITH_AS(matmul(zeros({2, 3}), zeros({2, 3})),
                       "[matmul] inner extents differ, 3 and 2 (a {2,3}, b {2,3})", ArgumentError);
  CHECK_THROWS_WITH_AS(linear(zeros({2, 3}), zeros({4, 2}), Variable()),
                       "[linear] expects x {...,I} and weight {O,I}, got x {2,3} and weight {4,2}",
                       ArgumentError);
  CHECK_THROWS_WITH_AS(linear(zeros({2, 3}), zeros({4, 3}), zeros({3})),
                       "[linear] bias has shape {3}, weight {4,3} expects {4}", ArgumentError);
  CHECK_THROWS_WITH_AS(clamp(zeros({2}), 1, 0), "[clamp] the interval [1, 0] is empty", ArgumentError);
  CHECK_THROWS_WITH_AS(mean_squared_error(zeros({2}), zeros({1})),
                       "[mean_squared_error] shapes {2} and {1} differ", ArgumentError);
}

TEST_CASE("convolution and pooling that do not fit") {
  CHECK_THROWS_WITH_AS(
      conv2d(zeros({8, 32, 32, 3}), zeros({3, 3, 16, 16})),
      "[conv2d] weight expects 16 input channels, x has 3 (x {8,32,32,3}, weight {3,3,16,16})",
      ArgumentError);
  CHECK_THROWS_WITH_AS(
      conv2d(zeros({8, 32, 32}), zeros({3, 3, 3, 16})),
      "[conv2d] expects x {N,H,W,C} and weight {KH,KW,C/groups,K}, got {8,32,32} and {3,3,3,16}",
      ArgumentError);
  CHECK_THROWS_WITH_AS(
      max_pool(zeros({1, 4, 4, 1}), {.pad_h = 2, .pad_w = 2}),
      "[max_pool] padding 2x2 is not smaller than the window 2x2: some windows would see no pixel",
      ArgumentError);
  CHECK_THROWS_WITH_AS(global_avg_pool(zeros({4, 3})), "[global_avg_pool] expects x {N,H,W,C}, got {4,3}",
                       ArgumentError);
}

TEST_CASE("normalisation that does not fit") {
  CHECK_THROWS_WITH_AS(batch_norm_train(zeros({4, 3}), zeros({3}), zeros({2})),
                       "[batch_norm_train] beta is f32 {2}, x f32 {4,3} expects {3}", ArgumentError);
  CHECK_THROWS_WITH_AS(batch_norm_train(zeros({0, 3}), zeros({3}), zeros({3})),
                       "[batch_norm_train] no rows to take the mean of, x is {0,3}", ArgumentError);
  CHECK_THROWS_WITH_AS(batch_norm_train(zeros({4, 3}), zeros({3}), zeros({3}), {.residual = zeros({4, 1})}),
                       "[batch_norm_train] the residual is f32 {4,1}, x is f32 {4,3}", ArgumentError);
  CHECK_THROWS_WITH_AS(batch_norm_eval(zeros({4, 3}), zeros({3}), zeros({3}), Tensor::zeros({3}, Dtype::f64),
                                       Tensor::zeros({3})),
                       "[batch_norm_eval] mean is f64 {3}, x f32 {4,3} expects {3}", ArgumentError);
  CHECK_THROWS_WITH_AS(layer_norm(zeros({4, 3}), zeros({4}), zeros({3})),
                       "[layer_norm] gamma is f32 {4}, x f32 {4,3} expects {3}", ArgumentError);
  CHECK_THROWS_WITH_AS(dropout(zeros({2}), 1, {}), "[dropout] p is a probability in [0, 1), got 1",
                       ArgumentError);
  CHECK_THROWS_WITH_AS(dropout(zeros({2}), -0.1, {}), "[dropout] p is a probability in [0, 1), got -0.1",
                       ArgumentError);
  CHECK_THROWS_WITH_AS(dropout(zeros({2}), std::nan(""), {}),
                       "[dropout] p is a probability in [0, 1), got nan", ArgumentError);
}

TEST_CASE("batch norm and the convolution behind it that do not fit") {
  const Variable x = zeros({2, 4, 4, 3}), c = zeros({3}), w = zeros({3, 3, 3, 5});
  const Tensor stat = Tensor::zeros({3});
  CHECK_THROWS_WITH_AS(batch_norm_conv2d_train(x, c, c, w, {.residual = x}),
                       "[batch_norm_conv2d_train] takes no residual: add it by the batch norm's own op",
                       ArgumentError);
  CHECK_THROWS_WITH_AS(batch_norm_conv2d_eval(x, c, c, stat, stat, w, {.residual = x}),
                       "[batch_norm_conv2d_eval] takes no residual: add it by the batch norm's own op",
                       ArgumentError);
  CHECK_THROWS_WITH_AS(batch_norm_conv2d_train(x, zeros({4}), c, w),
                       "[batch_norm_conv2d_train] gamma is f32 {4}, x f32 {2,4,4,3} expects {3}",
                       ArgumentError);
  CHECK_THROWS_WITH_AS(batch_norm_conv2d_eval(x, c, c, stat, Tensor::zeros({1}), w),
                       "[batch_norm_conv2d_eval] var is f32 {1}, x f32 {2,4,4,3} expects {3}", ArgumentError);
  CHECK_THROWS_WITH_AS(batch_norm_conv2d_train(x, c, c, zeros({3, 3, 16, 5})),
                       "[conv2d] weight expects 16 input channels, x has 3 (x {2,4,4,3}, weight {3,3,16,5})",
                       ArgumentError);
  CHECK_THROWS_WITH_AS(batch_norm_conv2d_train(zeros({8, 3}), c, c, w),
                       "[conv2d] expects x {N,H,W,C} and weight {KH,KW,C/groups,K}, got {8,3} and {3,3,3,5}",
                       ArgumentError);
  CHECK_THROWS_WITH_AS(
      batch_norm_conv2d_train(x, c, c, zeros({3, 3, 3, 5}, Dtype::f64)),
      "[batch_norm_conv2d_train] x is f32 {2,4,4,3} but weight is f64 {3,3,3,5}: convert one "
      "with to()",
      ArgumentError);
  CHECK_THROWS_WITH_AS(batch_norm_conv2d_eval(x, c, c, stat, stat, Variable()),
                       "[batch_norm_conv2d_eval] weight is an undefined tensor", ArgumentError);
  CHECK_THROWS_WITH_AS(batch_norm_conv2d_train(zeros({2, 4, 4, 3}, Dtype::i64), c, c, w),
                       "[batch_norm_conv2d_train] expects f32 or f64 x {...,C}, got i64 {2,4,4,3}",
                       ArgumentError);
  CHECK_THROWS_WITH_AS(batch_norm_conv2d_train(zeros({0, 4, 4, 3}), c, c, w),
                       "[batch_norm_conv2d_train] no rows to take the mean of, x is {0,4,4,3}",
                       ArgumentError);
}

TEST_CASE("labels and smoothing that do not fit") {
  const Variable logits = zeros({3, 10});
  CHECK_THROWS_WITH_AS(
      cross_entropy(logits, Tensor::from<std::int64_t>({1, 10, 2})),
      "[cross_entropy] label 10 at position 1 is outside [0, 10), the classes of logits {3,10}",
      ArgumentError);
  CHECK_THROWS_WITH_AS(
      cross_entropy(logits, Tensor::from<std::int64_t>({1, 0, -1})),
      "[cross_entropy] label -1 at position 2 is outside [0, 10), the classes of logits {3,10}",
      ArgumentError);
  CHECK_THROWS_WITH_AS(
      cross_entropy(logits, Tensor::zeros({3})),
      "[cross_entropy] expects logits {N,K} and i64 labels {N}, got logits {3,10} and labels f32 {3}",
      ArgumentError);
  CHECK_THROWS_WITH_AS(cross_entropy(zeros({0, 10}), Tensor::zeros({0}, Dtype::i64)),
                       "[cross_entropy] no rows or no classes, logits are {0,10}", ArgumentError);
  const Tensor labels = Tensor::from<std::int64_t>({1, 0, 9});
  CHECK_THROWS_WITH_AS(cross_entropy(logits, labels, {.label_smoothing = 1.5}),
                       "[cross_entropy] label smoothing is in [0, 1], got 1.5", ArgumentError);
  CHECK_THROWS_WITH_AS(cross_entropy(zeros({1, 1}), Tensor::from<std::int64_t>({0}),
                                     {.label_smoothing = 0.1, .form = Smoothing::others}),
                       "[cross_entropy] this smoothing spreads over the other classes, there is 1 class",
                       ArgumentError);
}

TEST_CASE("derivatives at kinks and ties are the documented ones") {
  using Numbers = std::vector<double>;
  CHECK(derivative(relu, {-1, 0, 2}) == Numbers{0, 0, 1});
  CHECK(derivative(abs, {-1, 0, 2}) == Numbers{-1, 0, 1});
  CHECK(derivative([](const Variable& x) { return leaky_relu(x, 0.5); }, {-1, 0, 2}) == Numbers{0.5, 0.5, 1});
  CHECK(derivative([](const Variable& x) { return clamp(x, -1, 2); }, {-2, -1, 0, 2, 3}) ==
        Numbers{0, 1, 1, 1, 0});
  CHECK(derivative([](const Variable& x) { return maximum(x, x.detach()); }, {1, 2}) == Numbers{0.5, 0.5});
  CHECK(derivative([](const Variable& x) { return minimum(x, x.detach()); }, {1, 2}) == Numbers{0.5, 0.5});
  CHECK(derivative([](const Variable& x) { return max(x); }, {1, 3, 3, 3}) ==
        Numbers{0, 1.0 / 3, 1.0 / 3, 1.0 / 3});
  CHECK(derivative([](const Variable& x) { return pow(x, 0.0); }, {0, 2}) == Numbers{0, 0});
  CHECK(derivative([](const Variable& x) { return pow(x, 1.0); }, {0, 2}) == Numbers{1, 1});
  CHECK(derivative([](const Variable& x) { return pow(x, 2.0); }, {0, -2}) == Numbers{0, -4});
  const auto pool = [](const Variable& x) { return max_pool(reshape(x, {1, 2, 2, 1}), {}); };
  CHECK(derivative(pool, {1, 5, 5, 0}) == Numbers{0, 1, 0, 0});  // the first of equals
}

TEST_CASE("log-softmax and cross-entropy of extreme logits stay finite") {
  const Variable x = Variable::parameter(Tensor::from<float>({1e4F, -1e4F, 0, -1e4F, 1e4F, 0}, {2, 3}));
  const Tensor labels = Tensor::from<std::int64_t>({0, 0});
  const Variable loss = cross_entropy(x, labels);
  CHECK(loss.value().item() == doctest::Approx(1e4));
  const std::vector<float> g = gradients(loss, {x})[0].to_vector<float>();
  CHECK(g == std::vector<float>{0, 0, 0, -0.5F, 0.5F, 0});
  // A class that is ruled out (-inf) takes no probability and does no harm.
  const float infinity = std::numeric_limits<float>::infinity();
  const Variable ruled = Variable::parameter(Tensor::from<float>({0, 0, -infinity}, {1, 3}));
  const Variable some = cross_entropy(ruled, Tensor::from<std::int64_t>({1}));
  CHECK(some.value().item() == doctest::Approx(std::log(2.0)));
  CHECK(gradients(some, {ruled})[0].to_vector<float>() == std::vector<float>{0.5F, -0.5F, 0});
}
