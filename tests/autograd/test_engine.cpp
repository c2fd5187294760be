// The engine: graphs of every shape, history used twice, recording, versions, and that nothing is left
// behind.
#include <doctest/doctest.h>

#include <cmath>
#include <thread>

#include "autograd/gradients.h"
#include "autograd/node.h"
#include "autograd/ops/ops.h"
#include "autograd/recording.h"
#include "core/ops.h"
#include "tests/autograd/leaks.h"

using namespace basin;

namespace {

Variable leaf(const std::vector<double>& values, const std::string& name = "") {
  return Variable::parameter(Tensor::from(values), name);
}
double at(const Tensor& t, std::size_t i) { return t.to_vector<double>().at(i); }

}  // namespace

TEST_CASE("a diamond sums over its paths") {
  const NoLeaks check;
  const Variable x = leaf({3});
  const Variable a = square(x), b = exp(x);
  const Variable y = sum(a * b + a);  // x^2 e^x + x^2
  CHECK(at(gradients(y, {x})[0], 0) == doctest::Approx((6 + 9) * std::exp(3.0) + 6).epsilon(1e-14));
}

TEST_CASE("many uses of one variable") {
  const NoLeaks check;
  const Variable x = leaf({2});
  Variable y = x;
  for (int i = 0; i < 30; ++i) y = y + y;  // 2^30 paths, 30 nodes
  CHECK(at(gradients(sum(y), {x})[0], 0) == std::pow(2.0, 30));
}

TEST_CASE("results of gradients do not share storage with each other, the cotangent, or the graph") {
  const NoLeaks check;
  const Variable a = leaf({1, 2}), b = leaf({3, 4});
  const Tensor g = Tensor::from<double>({5, 6});
  const Variable y = a + b;
  Tensors found = gradients(y, {a, b, a}, {.cotangent = g, .keep_graph = true});
  for (Tensor& t : found) t.fill(0);
  CHECK(at(g, 0) == 5);
  CHECK(at(gradients(y, {a}, {.cotangent = g})[0], 1) == 6);
  CHECK(at(gradients(a, {a}, {.cotangent = g})[0], 1) == 6);
}

TEST_CASE("a residual connection: cotangents are added where they are free, never into shared numbers") {
  const NoLeaks check;
  const Variable x = leaf({0.5, -1});
  const Variable f = tanh(x), y = x + f, z = y + tanh(y);
  const Tensors g = gradients(z, {x, y, f}, {.cotangent = Tensor::from<double>({1, 1})});
  for (std::size_t i : {0, 1}) {
    const double v = i == 0 ? 0.5 : -1, dy = 1 + 1 - std::pow(std::tanh(v + std::tanh(v)), 2);
    CHECK(at(g[1], i) == doctest::Approx(dy).epsilon(1e-14));
    CHECK(at(g[2], i) == doctest::Approx(dy).epsilon(1e-14));
    CHECK(at(g[0], i) == doctest::Approx(dy * (2 - std::pow(std::tanh(v), 2))).epsilon(1e-14));
  }
}

TEST_CASE("a chain of 400,000 ops is differentiated and freed quietly") {
  const NoLeaks check;
  const Variable x = leaf({1});
  Variable y = x;
  for (int i = 0; i < 400000; ++i) y = y + 1.0;
  CHECK(Node::live_count() >= 400001);
  CHECK(at(gradients(sum(y), {x})[0], 0) == 1);
  // And one that is never swept, and one swept with history.
  Variable unused = x;
  for (int i = 0; i < 400000; ++i) unused = -unused;
  Variable again = x;
  for (int i = 0; i < 50000; ++i) again = again * 1.0;
  CHECK(at(differentiable_gradients(sum(again), {x})[0].value(), 0) == 1);
}

TEST_CASE("a graph is used once, unless it is kept") {
  const NoLeaks check;
  const Variable x = leaf({2});
  const Variable y = sum(square(x));
  CHECK(at(gradients(y, {x}, {.keep_graph = true})[0], 0) == 4);
  CHECK(at(gradients(y, {x}, {.keep_graph = true})[0], 0) == 4);
  CHECK(at(differentiable_gradients(y, {x})[0].value(), 0) == 4);
  CHECK(at(gradients(y, {x})[0], 0) == 4);
  CHECK_THROWS_WITH_AS(gradients(y, {x}),
                       "[gradients] the history at 'sum' was already consumed; pass keep_graph to the first "
                       "call, or compute the loss "
                       "again",
                       ArgumentError);
  CHECK_THROWS_AS(differentiable_gradients(y, {x}), ArgumentError);
}

TEST_CASE("a sweep consumes only what it went through") {
  const NoLeaks check;
  const Variable x = leaf({2});
  const Variable h = exp(x), y = sum(square(h));
  const Tensor dh = gradients(y, {h})[0];  // stops at h
  CHECK(at(dh, 0) == doctest::Approx(2 * std::exp(2.0)));
  CHECK(at(gradients(h, {x}, {.cotangent = dh})[0], 0) == doctest::Approx(2 * std::exp(4.0)));
  // A second loss on the same trunk, which the first did not need.
  const Variable w = leaf({3}), trunk = tanh(x), one = sum(trunk * w), two = sum(square(trunk));
  gradients(one, {w});
  CHECK(at(gradients(two, {x})[0], 0) ==
        doctest::Approx(2 * std::tanh(2.0) * (1 - std::pow(std::tanh(2.0), 2))));
}

TEST_CASE("what a loss does not depend on has a zero derivative of its shape") {
  const NoLeaks check;
  const Variable x = leaf({1, 2}), other = Variable::parameter(Tensor::zeros({2, 3}));
  const Variable constant = Tensor::zeros({4}, Dtype::f64);
  const Tensors g = gradients(sum(x), {other, constant, x});
  CHECK(g[0].shape() == Shape{2, 3});
  CHECK(g[0].dtype() == Dtype::f32);
  CHECK(g[1].shape() == Shape{4});
  CHECK(at(g[2], 1) == 1);
  CHECK(at(differentiable_gradients(sum(x), {other})[0].value(), 5) == 0);
  CHECK(at(gradients(Variable(Tensor::scalar(1)), {other})[0], 0) == 0);
}

TEST_CASE("a loss is a scalar, or has a cotangent of its shape") {
  const NoLeaks check;
  const Variable x = leaf({1, 2});
  CHECK_THROWS_WITH_AS(gradients(x * 2.0, {x}),
                       "[gradients] the loss has shape {2}; sum it, or pass a cotangent", ArgumentError);
  CHECK_THROWS_WITH_AS(gradients(x * 2.0, {x}, {.cotangent = Tensor::zeros({3}, Dtype::f64)}),
                       "[gradients] cotangent {3} for a result of shape {2}", ArgumentError);
  CHECK_THROWS_WITH_AS(gradients(Variable(), {x}), "[gradients] the loss is undefined", ArgumentError);
  CHECK(at(gradients(reshape(sum(x), {1, 1}), {x})[0], 0) == 1);
}

TEST_CASE("constants do not record, and recording is a scope") {
  const NoLeaks check;
  const Variable x = leaf({1}), c = Tensor::from<double>({2});
  CHECK_FALSE((c * c).tracked());
  CHECK((c * x).tracked());
  CHECK_FALSE((c * x).detach().tracked());
  const std::int64_t nodes = Node::live_count();
  {
    const NoRecording off;
    CHECK_FALSE(recording());
    CHECK_FALSE((x * x).tracked());
    {
      const RecordingScope on(true);
      CHECK((x * x).tracked());
    }
    CHECK_FALSE(recording());
    CHECK_THROWS_AS(
        [] {
          const RecordingScope on(true);
          throw DataError("out");
        }(),
        DataError);
    CHECK_FALSE(recording());
  }
  CHECK(recording());
  CHECK(Node::live_count() == nodes);
  // The switch belongs to its thread.
  const NoRecording here;
  bool there = false;
  std::thread([&] { there = recording(); }).join();
  CHECK(there);
}

TEST_CASE("a plain sweep leaves recording as it was, also when it throws") {
  const NoLeaks check;
  const Variable x = leaf({1});
  const Variable y = sum(square(x));
  gradients(y, {x});
  CHECK(recording());
  CHECK_THROWS_AS(gradients(y, {x}), ArgumentError);
  CHECK(recording());
}

TEST_CASE("numbers that changed after forward are an error that names them") {
  const NoLeaks check;
  Tensor w = Tensor::zeros({3, 3, 2, 4});
  const Variable weight = Variable::parameter(w, "stage1.0.conv1.weight");
  const Variable x = Variable::parameter(Tensor::zeros({1, 4, 4, 2}));
  const Variable y = sum(conv2d(x, weight));
  w.fill(1);
  CHECK_THROWS_WITH_AS(
      gradients(y, {x, weight}),
      "[conv2d] 'stage1.0.conv1.weight' changed after it was used in forward; compute the loss again",
      ArgumentError);

  Tensor t = Tensor::from<double>({1, 2});
  const Variable input = Variable::parameter(t);
  const Variable z = sum(log(input)), e = exp(input);
  t.fill(3);
  CHECK_THROWS_WITH_AS(gradients(z, {input}),
                       "[log] input 0 {2} changed after it was used in forward; compute the loss again",
                       ArgumentError);
  Tensor out = e.value();
  out.fill(0);
  CHECK_THROWS_WITH_AS(gradients(sum(e), {input}),
                       "[exp] the output {2} changed after it was used in forward; compute the loss again",
                       ArgumentError);

  // Labels and masks too.
  Tensor labels = Tensor::from<std::int64_t>({0, 1});
  const Variable logits = Variable::parameter(Tensor::zeros({2, 3}));
  const Variable picked = sum(gather(logits, labels, 0));
  labels.fill(0);
  CHECK_THROWS_AS(gradients(picked, {logits}), ArgumentError);
}

TEST_CASE("a change that the derivative does not read is no error") {
  const NoLeaks check;
  Tensor t = Tensor::from<double>({1, 2});
  const Variable x = Variable::parameter(t), w = leaf({3, 4});
  const Variable y = sum(x + w), z = sum(x * w);
  t.fill(7);
  CHECK(at(gradients(y, {x, w})[0], 0) == 1);
  CHECK(at(gradients(z, {x})[0], 1) == 4);  // needs w only
}

TEST_CASE("parameters are floating point") {
  CHECK_THROWS_WITH_AS(Variable::parameter(Tensor::zeros({2}, Dtype::i64), "labels"),
                       "[parameter] 'labels' is i64; derivatives need f32 or f64", ArgumentError);
}

TEST_CASE("a derivative of the wrong shape or count is an internal error that names its op") {
  const NoLeaks check;
  const Variable x = leaf({1, 2});
  const auto broken = [&](Vjp vjp) {
    return record("broken", Tensor::scalar(0, Dtype::f64), {x}, Keep::nothing, vjp);
  };
  CHECK_THROWS_WITH_AS(gradients(broken([](const Backward& b) -> Variables { return {b.grad()}; }), {x}),
                       "[broken] cotangent 0 has shape {}, the input {2}", InternalError);
  CHECK_THROWS_WITH_AS(gradients(broken([](const Backward&) -> Variables { return {}; }), {x}),
                       "[broken] its derivative returned 0 cotangents for 1 inputs", InternalError);
  CHECK_THROWS_WITH_AS(gradients(broken([](const Backward& b) -> Variables { return {b.input(0)}; }), {x}),
                       "[broken] its derivative reads input 0 without keeping it", InternalError);
}

TEST_CASE("saved numbers are freed as the sweep goes") {
  const NoLeaks check;
  const Variable x = Variable::parameter(Tensor::zeros({1000}));
  Variable y = x;
  for (int i = 0; i < 20; ++i) y = tanh(y);
  const Variable loss = sum(y);
  y = Variable();
  const std::int64_t before = Storage::live_count();
  const Tensors g = gradients(loss, {x});
  CHECK(Storage::live_count() <= before - 19);  // all outputs went, one gradient came
}

TEST_CASE("an exception on the way leaves nothing behind") {
  const NoLeaks check;
  const Variable x = leaf({1, 2});
  const auto failing = [](const Variable& v) {
    return record("failing", v.value(), {v}, Keep::output,
                  [](const Backward&) -> Variables { throw NumericalError("no derivative here"); });
  };
  const Variable y = sum(square(failing(exp(x))));
  CHECK_THROWS_WITH_AS(gradients(y, {x}), "no derivative here", NumericalError);
  const Variable z = sum(square(failing(exp(x))));
  CHECK_THROWS_AS(differentiable_gradients(z, {x}), NumericalError);
  CHECK_THROWS_AS(conv2d(x, x), ArgumentError);
  CHECK(recording());
}

TEST_CASE("third derivatives of tanh and exp") {
  const NoLeaks check;
  const Variable x = leaf({0.4});
  const auto third = [&](const Variable& y) {
    const Variable first = differentiable_gradients(sum(y), {x})[0];
    const Variable second = differentiable_gradients(sum(first), {x})[0];
    return at(gradients(sum(second), {x})[0], 0);
  };
  const double t = std::tanh(0.4);
  CHECK(third(tanh(x)) == doctest::Approx((1 - t * t) * (6 * t * t - 2)).epsilon(1e-13));
  CHECK(third(exp(x)) == doctest::Approx(std::exp(0.4)).epsilon(1e-14));
}

TEST_CASE("gradients with respect to what lies between") {
  const NoLeaks check;
  const Variable x = leaf({2});
  const Variable h = square(x), y = sum(h * x);  // as functions of h and x: h x
  const Tensors g = gradients(y, {h, x});
  CHECK(at(g[0], 0) == 2);
  CHECK(at(g[1], 0) == 12);  // the total derivative, through h as well
}
